//! How a face is held, measured on its landmarks.

use crate::geometry::Point;
use crate::landmarks::{Landmarks, NOSE_TIP};

/// How a face is held in one frame. All numbers are ratios of lengths in the same frame but `height`
/// and `width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Where the tip of the nose is between the edges of the face: −0.5 at the one that is left in
    /// the image, 0.5 at the other. It grows when a person turns to the own left.
    ///
    /// A flat picture that is turned hardly changes it: a turn shortens both sides alike, but for the
    /// perspective of a near camera, and for landmarks that follow what faces look like.
    pub turn: f32,
    /// From the top of the face to the chin, in pixels; turning does not change it.
    pub height: f32,
    /// From one edge of the face to the other, in pixels.
    pub width: f32,
    /// How far the eyes are open: the distance of the lids as a part of the eye's width. `None` where
    /// that was not looked at.
    pub openness: Option<f32>,
}

impl Pose {
    /// The pose of a face with these landmarks; they do not tell whether the eyes are open.
    #[must_use]
    pub fn of(landmarks: &Landmarks) -> Pose {
        let point = |number| landmarks.point(number);
        let [left_edge, right_edge] = EDGES.map(point);
        let along = along(point(NOSE_TIP), left_edge, right_edge);
        let [top, chin] = HEIGHT.map(point);
        Pose {
            turn: along - 0.5,
            height: top.distance(chin),
            width: left_edge.distance(right_edge),
            openness: None,
        }
    }

    pub(crate) fn is_sound(self) -> bool {
        let lengths = [self.height, self.width];
        self.turn.is_finite() && lengths.into_iter().all(|one| one > 0.0 && one.is_finite())
    }
}

/// Where the foot of a point is on a line: 0 at its beginning, 1 at its end.
fn along(point: Point, begin: Point, end: Point) -> f32 {
    let (x, y) = (end.x - begin.x, end.y - begin.y);
    ((point.x - begin.x) * x + (point.y - begin.y) * y) / (x * x + y * y)
}

// Numbers of the face mesh, see `crate::landmarks`.
const EDGES: [usize; 2] = [234, 454];
const HEIGHT: [usize; 2] = [10, 152];
