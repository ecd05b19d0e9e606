//! Which place of a picture is seen where, once its face has moved.

use crate::geometry::Point;
use crate::landmarks::Landmarks;

use super::Act;

/// Says for a place in the moved picture which place of the still one is seen there.
pub(super) enum Warp {
    /// A head that is turned, with its lids.
    Head(Box<(Grid, Lids)>),
    /// A plane at an angle.
    Print { face: Face, sine: f32, cosine: f32 },
}

/// Middle and height of a face, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) middle: Point,
    pub(super) height: f32,
}

impl Face {
    pub(super) fn of(landmarks: &Landmarks) -> Face {
        let [top, chin] = [TOP, CHIN].map(|number| landmarks.point(number));
        Face {
            middle: top.middle(chin),
            height: top.distance(chin),
        }
    }
}

impl Warp {
    pub(super) fn of_head(landmarks: &Landmarks, act: Act) -> Warp {
        let face = Face::of(landmarks);
        let (sine, cosine) = act.turned.to_radians().sin_cos();
        let depths = landmarks.depths().iter();
        let mut moves: Vec<Move> = landmarks
            .points()
            .iter()
            .zip(depths)
            .map(|(still, depth)| {
                let x = face.middle.x + (still.x - face.middle.x) * cosine - depth * sine;
                Move {
                    seen: Point::new(x, still.y),
                    still: *still,
                }
            })
            .collect();
        // Around the head nothing moves.
        moves.extend((0..AROUND).map(|step| {
            let angle = step as f32 / AROUND as f32 * core::f32::consts::TAU;
            let place = Point::new(
                face.middle.x + AROUND_RADIUS * face.height * angle.cos(),
                face.middle.y + AROUND_RADIUS * face.height * angle.sin(),
            );
            Move {
                seen: place,
                still: place,
            }
        }));
        let lids = Lids::of(landmarks, act.closed);
        Warp::Head(Box::new((Grid::of(&moves, face), lids)))
    }

    pub(super) fn of_print(landmarks: &Landmarks, act: Act) -> Warp {
        let (sine, cosine) = act.turned.to_radians().sin_cos();
        Warp::Print {
            face: Face::of(landmarks),
            sine,
            cosine,
        }
    }

    pub(super) fn source(&self, seen: Point) -> Point {
        match self {
            Warp::Head(head) => {
                let (grid, lids) = &**head;
                lids.source(grid.source(seen))
            }
            Warp::Print { face, sine, cosine } => {
                let distance = PRINT_DISTANCE * face.height;
                let (x, y) = (seen.x - face.middle.x, seen.y - face.middle.y);
                let along = x * distance / (distance * cosine - x * sine);
                let across = y * (distance + along * sine) / distance;
                Point::new(face.middle.x + along, face.middle.y + across)
            }
        }
    }
}

/// Upper lids that come down: the skin above them is stretched over the eyes.
pub(super) struct Lids {
    eyes: [[[Point; 9]; 2]; 2],
    closed: f32,
}

impl Lids {
    fn of(landmarks: &Landmarks, closed: f32) -> Lids {
        Lids {
            eyes: LIDS.map(|eye| eye.map(|lid| lid.map(|number| landmarks.point(number)))),
            closed,
        }
    }

    fn source(&self, seen: Point) -> Point {
        for [upper, lower] in &self.eyes {
            let (Some(upper), Some(lower)) = (height_at(upper, seen.x), height_at(lower, seen.x))
            else {
                continue;
            };
            let open = lower - upper;
            let edge = upper + self.closed * open;
            let above = upper - FOLD * open;
            if open > 0.0 && (above..edge).contains(&seen.y) {
                let part = (seen.y - above) / (edge - above);
                return Point::new(seen.x, above + part * (upper - above));
            }
        }
        seen
    }
}

/// The height of a line at a place, where it goes through that.
fn height_at(line: &[Point], x: f32) -> Option<f32> {
    line.windows(2).find_map(|two| match two {
        [one, next] if (one.x..next.x).contains(&x) => {
            Some(one.y + (x - one.x) / (next.x - one.x) * (next.y - one.y))
        }
        _ => None,
    })
}

/// So much of the skin above an open eye is stretched, in openings of the eye.
const FOLD: f32 = 1.2;

struct Move {
    seen: Point,
    still: Point,
}

/// How far each place has moved, on a grid around the face; in between it is interpolated.
pub(super) struct Grid {
    corner: Point,
    step: f32,
    moved: Vec<Point>,
}

impl Grid {
    fn of(moves: &[Move], face: Face) -> Grid {
        let half = GRID_RADIUS * face.height;
        let corner = Point::new(face.middle.x - half, face.middle.y - half);
        let step = 2.0 * half / GRID as f32;
        let places = (0..=GRID).flat_map(|row| (0..=GRID).map(move |column| (row, column)));
        let moved = places.map(|(row, column)| {
            let place = Point::new(
                corner.x + column as f32 * step,
                corner.y + row as f32 * step,
            );
            weighted(moves, place, face.height)
        });
        Grid {
            corner,
            step,
            moved: moved.collect(),
        }
    }

    fn source(&self, seen: Point) -> Point {
        let (column, row) = (
            (seen.x - self.corner.x) / self.step,
            (seen.y - self.corner.y) / self.step,
        );
        let last = GRID as f32;
        if !(0.0..last).contains(&column) || !(0.0..last).contains(&row) {
            return seen;
        }
        let (right, below) = (column.fract(), row.fract());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "inside the grid"
        )]
        let at = row as usize * (GRID + 1) + column as usize;
        let mut sum = Point::default();
        for (at, weight) in [
            (at, (1.0 - right) * (1.0 - below)),
            (at + 1, right * (1.0 - below)),
            (at + GRID + 1, (1.0 - right) * below),
            (at + GRID + 2, right * below),
        ] {
            let moved = self.moved.get(at).copied().unwrap_or_default();
            sum.x += weight * moved.x;
            sum.y += weight * moved.y;
        }
        Point::new(seen.x + sum.x, seen.y + sum.y)
    }
}

/// How far it is from a place to what is seen there: the nearest control points count most.
///
/// Source: Shepard, A two-dimensional interpolation function for irregularly-spaced data (1968).
fn weighted(moves: &[Move], place: Point, height: f32) -> Point {
    let (mut x, mut y, mut weights) = (0.0, 0.0, 0.0);
    for Move { seen, still } in moves {
        let distance = place.distance(*seen) / height;
        let weight = (distance * distance + SOFTNESS).powi(-2);
        x += weight * (still.x - seen.x);
        y += weight * (still.y - seen.y);
        weights += weight;
    }
    Point::new(x / weights, y / weights)
}

const GRID: usize = 80;
/// In heights of the face.
const GRID_RADIUS: f32 = 1.0;
const AROUND_RADIUS: f32 = 0.95;
const AROUND: usize = 48;
const SOFTNESS: f32 = 1e-5;
/// A print of a face held near the camera: 40 cm for a face of 18.
const PRINT_DISTANCE: f32 = 2.2;

// Numbers of the face mesh, see `crate::landmarks`.
const TOP: usize = 10;
const CHIN: usize = 152;
/// The edge of the upper lid of each eye from the left, and of the lower one.
const LIDS: [[[usize; 9]; 2]; 2] = [
    [
        [33, 246, 161, 160, 159, 158, 157, 173, 133],
        [33, 7, 163, 144, 145, 153, 154, 155, 133],
    ],
    [
        [362, 398, 384, 385, 386, 387, 388, 466, 263],
        [362, 382, 381, 380, 374, 373, 390, 249, 263],
    ],
];
