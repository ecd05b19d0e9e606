//! The 468 points of a face: MediaPipe's face mesh.
//!
//! Source of every number here: MediaPipe, `face_landmark_cpu.pbtxt`,
//! `face_detection_front_detection_to_roi.pbtxt` and `face_landmark_landmarks_to_roi.pbtxt`;
//! numbering of the points: `canonical_face_model_uv_visualization.png`.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::detector::{Detection, sigmoid};
use crate::engine::{Engine, EngineError, Network};
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::sample::Input;

/// The points of one face in an image. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Landmarks {
    points: Vec<Point>,
    depths: Vec<f32>,
    presence: f32,
}

impl Landmarks {
    /// How many points there are.
    pub const COUNT: usize = 468;

    /// All points in the numbering of the face mesh, in pixels of the image; some may lie outside.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// How far each point is behind the middle of the head, in pixels of the image; towards the
    /// camera is negative.
    #[must_use]
    pub fn depths(&self) -> &[f32] {
        &self.depths
    }

    /// How sure the network is that there is a face, 0 to 1.
    #[must_use]
    pub fn presence(&self) -> f32 {
        self.presence
    }

    /// Between the middles of the eyes, in pixels.
    #[must_use]
    pub fn eye_distance(&self) -> f32 {
        let [left, right] = self.eyes();
        left.distance(right)
    }

    /// The middle between the corners of each eye, the left one of the image first.
    #[must_use]
    pub fn eyes(&self) -> [Point; 2] {
        [LEFT_EYE, RIGHT_EYE].map(|[outer, inner]| self.point(outer).middle(self.point(inner)))
    }

    /// A point by its number; the corner of the image for a number that is none.
    #[must_use]
    pub fn point(&self, number: usize) -> Point {
        self.points.get(number).copied().unwrap_or_default()
    }

    /// Where the same face is looked for in the next frame.
    fn region(&self) -> Region {
        let mut places = self.points.iter();
        let first = places.next().copied().unwrap_or_default();
        let (low, high) = places.fold((first, first), |(low, high), p| {
            (
                Point::new(low.x.min(p.x), low.y.min(p.y)),
                Point::new(high.x.max(p.x), high.y.max(p.y)),
            )
        });
        let [outer_left, outer_right] = [LEFT_EYE, RIGHT_EYE].map(|[outer, _]| self.point(outer));
        Region::around([low, high], outer_left, outer_right)
    }
}

impl fmt::Debug for Landmarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Landmarks(..)")
    }
}

pub(crate) struct Mesh(Box<dyn Network>);

impl Mesh {
    pub(crate) fn new(engine: &dyn Engine, onnx: &[u8]) -> Result<Mesh, EngineError> {
        Ok(Mesh(engine.load(onnx)?))
    }

    /// The points of a face that was found; `None` where there is none after all.
    pub(crate) fn of(
        &self,
        image: &Image,
        face: &Detection,
    ) -> Result<Option<Landmarks>, EngineError> {
        let [left_eye, right_eye, ..] = face.points();
        self.in_region(image, &Region::around(face.corners(), left_eye, right_eye))
    }

    /// The points of a face whose points in the frame before are known; `None` where it is lost.
    pub(crate) fn follow(
        &self,
        image: &Image,
        before: &Landmarks,
    ) -> Result<Option<Landmarks>, EngineError> {
        self.in_region(image, &before.region())
    }

    fn in_region(&self, image: &Image, region: &Region) -> Result<Option<Landmarks>, EngineError> {
        let into_image = region.map();
        let outputs = self.0.run(&INPUT.sample(image, into_image))?;
        let [points, presence] = outputs.as_slice() else {
            return Err(EngineError::WrongOutput);
        };
        let ((points, []), [presence]) = (points.values().as_chunks::<3>(), presence.values())
        else {
            return Err(EngineError::WrongOutput);
        };
        if points.len() != Landmarks::COUNT {
            return Err(EngineError::WrongOutput);
        }
        let presence = sigmoid(*presence);
        let sound = points
            .as_flattened()
            .iter()
            .all(|number| number.is_finite());
        let in_image = |[x, y, _]: &[f32; 3]| into_image.apply(Point::new(*x, *y));
        Ok((sound && presence >= PRESENCE_MIN).then(|| Landmarks {
            points: points.iter().map(in_image).collect(),
            depths: points
                .iter()
                .map(|[_, _, z]| z * into_image.scale())
                .collect(),
            presence,
        }))
    }
}

/// A square of the image, turned so that the eyes of the face in it are level.
struct Region {
    middle: Point,
    side: f32,
    angle: f32,
}

impl Region {
    /// One and a half times as large as the longer side of a box.
    fn around([low, high]: [Point; 2], left_eye: Point, right_eye: Point) -> Region {
        Region {
            middle: low.middle(high),
            side: MARGIN * (high.x - low.x).max(high.y - low.y),
            angle: (right_eye.y - left_eye.y).atan2(right_eye.x - left_eye.x),
        }
    }

    /// Into the image, from the network's input.
    fn map(&self) -> Similarity {
        let side = f32::from(INPUT.side);
        let middle = Point::new(side / 2.0, side / 2.0);
        Similarity::around(middle, self.middle, self.side / side, self.angle)
    }
}

/// Outer and inner corner of the eye that is left in the image of a face that looks out of it.
pub(crate) const LEFT_EYE: [usize; 2] = [33, 133];
/// Of the other eye.
pub(crate) const RIGHT_EYE: [usize; 2] = [263, 362];
/// The tip of the nose.
pub(crate) const NOSE_TIP: usize = 1;
/// Where the nose meets the upper lip.
pub(crate) const NOSE_BASE: usize = 2;
/// The corners of the mouth, the left one of the image first.
pub(crate) const MOUTH: [usize; 2] = [61, 291];

const INPUT: Input = Input {
    side: 192,
    mean: [0.0; 3],
    divisor: 255.0,
};
const MARGIN: f32 = 1.5;
const PRESENCE_MIN: f32 = 0.5;
