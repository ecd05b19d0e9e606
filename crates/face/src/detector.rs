//! Finding faces: BlazeFace for 256 by 256 pixels, the network that MediaPipe uses for cameras at the
//! back of a phone.
//!
//! Source of every number here: MediaPipe, `face_detection_back_desktop_live.pbtxt`,
//! `ssd_anchors_calculator.cc`, `tensors_to_detections_calculator.cc` and
//! `non_max_suppression_calculator.cc`.

mod suppression;

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::engine::{Engine, EngineError, Network};
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::sample::Input;
use suppression::merged;

/// A face that was found. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Detection {
    score: f32,
    corners: [Point; 2],
    points: [Point; 6],
}

impl Detection {
    /// How sure the network is, 0.5 to 1.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.score
    }

    /// Top left and bottom right corner of the face without hair and ears, which may lie outside
    /// the image.
    #[must_use]
    pub fn corners(&self) -> [Point; 2] {
        self.corners
    }

    /// The eye that is left in the image of a face that looks out of it, the other eye, the tip of
    /// the nose, the mouth, and the two ears in the order of the eyes.
    #[must_use]
    pub fn points(&self) -> [Point; 6] {
        self.points
    }

    /// The longer side of the face, in pixels.
    #[must_use]
    pub fn side(&self) -> f32 {
        let [top_left, bottom_right] = self.corners;
        (bottom_right.x - top_left.x).max(bottom_right.y - top_left.y)
    }

    /// From the network's numbers for one anchor: middle and size of the box, then six points, all
    /// as distances from the anchor in pixels of its input.
    fn decode(numbers: &[f32; 16], score: f32, anchor: Point) -> Detection {
        let pairs: &[[f32; 2]] = numbers.as_chunks().0;
        let mut places = pairs.iter().map(|[x, y]| Point::new(*x, *y));
        let mut next = || places.next().unwrap_or_default();
        let from_anchor = |p: Point| Point::new(p.x + anchor.x, p.y + anchor.y);
        let (middle, size) = (from_anchor(next()), next());
        let (half_width, half_height) = (size.x / 2.0, size.y / 2.0);
        Detection {
            score,
            corners: [
                Point::new(middle.x - half_width, middle.y - half_height),
                Point::new(middle.x + half_width, middle.y + half_height),
            ],
            points: core::array::from_fn(|_| from_anchor(next())),
        }
    }

    fn mapped(mut self, map: &Similarity) -> Detection {
        for point in self.corners.iter_mut().chain(&mut self.points) {
            *point = map.apply(*point);
        }
        self
    }

    fn is_sound(&self) -> bool {
        let [top_left, bottom_right] = self.corners;
        let finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
        top_left.x < bottom_right.x
            && top_left.y < bottom_right.y
            && self.corners.iter().chain(&self.points).all(finite)
    }
}

impl fmt::Debug for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Detection(..)")
    }
}

pub(crate) struct Detector {
    network: Box<dyn Network>,
    anchors: Vec<Point>,
}

impl Detector {
    pub(crate) fn new(engine: &dyn Engine, onnx: &[u8]) -> Result<Detector, EngineError> {
        Ok(Detector {
            network: engine.load(onnx)?,
            anchors: anchors(),
        })
    }

    /// Every face in the image, the surest first.
    pub(crate) fn detect(&self, image: &Image) -> Result<Vec<Detection>, EngineError> {
        let into_image = letterbox(image);
        let outputs = self.network.run(&INPUT.sample(image, into_image))?;
        let [boxes, scores] = outputs.as_slice() else {
            return Err(EngineError::WrongOutput);
        };
        let (boxes, rest) = boxes.values().as_chunks::<16>();
        if !rest.is_empty() || [boxes.len(), scores.values().len()] != [self.anchors.len(); 2] {
            return Err(EngineError::WrongOutput);
        }
        let found = boxes.iter().zip(scores.values()).zip(&self.anchors);
        let found = found
            .map(|((numbers, score), anchor)| Detection::decode(numbers, sigmoid(*score), *anchor))
            .filter(|detection| detection.score >= SCORE_MIN && detection.is_sound())
            .collect();
        let merged = merged(found).into_iter();
        Ok(merged
            .map(|detection| detection.mapped(&into_image))
            .collect())
    }
}

/// The whole image in the middle of the square.
fn letterbox(image: &Image) -> Similarity {
    let (width, height) = (f32::from(image.width()), f32::from(image.height()));
    let side = f32::from(INPUT.side);
    Similarity::around(
        Point::new(side / 2.0, side / 2.0),
        Point::new(width / 2.0, height / 2.0),
        width.max(height) / side,
        0.0,
    )
}

/// The middle of each cell of the two grids that the network answers for, as often as it answers.
fn anchors() -> Vec<Point> {
    let mut anchors = Vec::new();
    for (cells, answers) in GRIDS {
        let cell = f32::from(INPUT.side) / f32::from(cells);
        for row in 0..cells {
            for column in 0..cells {
                let middle = |index: u16| (f32::from(index) + 0.5) * cell;
                let anchor = Point::new(middle(column), middle(row));
                anchors.extend(core::iter::repeat_n(anchor, answers));
            }
        }
    }
    anchors
}

pub(crate) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

const INPUT: Input = Input {
    side: 256,
    mean: [127.5; 3],
    divisor: 127.5,
};
/// Cells in a row, and answers for each cell: one layer of stride 16, three of stride 32, two
/// anchors for each.
const GRIDS: [(u16, usize); 2] = [(16, 2), (8, 6)];
const SCORE_MIN: f32 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_anchor_for_each_answer() {
        let anchors = anchors();
        assert_eq!(anchors.len(), 896);
        assert_eq!(anchors[0], Point::new(8.0, 8.0));
        assert_eq!(anchors[1], anchors[0]);
        assert_eq!(anchors[2], Point::new(24.0, 8.0));
        assert_eq!(anchors[512], Point::new(16.0, 16.0));
        assert_eq!(anchors[895], Point::new(240.0, 240.0));
    }

    #[test]
    fn a_box_is_decoded_around_its_anchor() {
        let mut numbers = [0.0; 16];
        numbers[..6].copy_from_slice(&[1.0, 2.0, 10.0, 20.0, -3.0, 4.0]);
        let found = Detection::decode(&numbers, 0.9, Point::new(100.0, 50.0));
        assert_eq!(found.corners[0], Point::new(96.0, 42.0));
        assert_eq!(found.corners[1], Point::new(106.0, 62.0));
        assert_eq!(found.points[0], Point::new(97.0, 54.0));
        assert_eq!(found.points[5], Point::new(100.0, 50.0));
        assert!(found.is_sound());
    }

    #[test]
    fn a_box_without_size_or_with_numbers_that_are_none_is_not_sound() {
        let anchor = Point::default();
        assert!(!Detection::decode(&[0.0; 16], 0.9, anchor).is_sound());
        let mut numbers = [1.0; 16];
        numbers[15] = f32::NAN;
        assert!(!Detection::decode(&numbers, 0.9, anchor).is_sound());
    }

    #[test]
    fn the_letterbox_keeps_the_image_whole_and_in_the_middle() {
        let image = Image::new(512, 256, vec![0; 512 * 256 * 3]).unwrap();
        let into_image = letterbox(&image);
        assert_eq!(
            into_image.apply(Point::new(0.0, 64.0)),
            Point::new(0.0, 0.0)
        );
        assert_eq!(
            into_image.apply(Point::new(256.0, 192.0)),
            Point::new(512.0, 256.0)
        );
    }
}
