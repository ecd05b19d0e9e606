//! How far the eyes are open: MediaPipe's network for one eye, whose contour follows the lids; those
//! of the face mesh hardly do.
//!
//! Source of every number here: MediaPipe, `iris_landmark_cpu.pbtxt`,
//! `iris_landmark_landmarks_to_roi.pbtxt`, and `tensors_to_face_landmarks_with_attention.pbtxt` for
//! the order of the contour.

use crate::engine::{Engine, EngineError, Network, Tensor};
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::landmarks::{LEFT_EYE, Landmarks, RIGHT_EYE};
use crate::sample::Input;

pub(crate) struct Eyes(Box<dyn Network>);

impl Eyes {
    pub(crate) fn new(engine: &dyn Engine, onnx: &[u8]) -> Result<Eyes, EngineError> {
        Ok(Eyes(engine.load(onnx)?))
    }

    /// The distance of the lids as a part of the eye's width, of both eyes in the mean.
    pub(crate) fn openness(
        &self,
        image: &Image,
        landmarks: &Landmarks,
    ) -> Result<f32, EngineError> {
        let mut sum = 0.0;
        for (corners, mirrored) in [(LEFT_EYE, Mirrored::No), (RIGHT_EYE, Mirrored::Yes)] {
            let corners = corners.map(|number| landmarks.point(number));
            sum += self.of_one(image, corners, mirrored)?;
        }
        Ok(sum / 2.0)
    }

    fn of_one(
        &self,
        image: &Image,
        [outer, inner]: [Point; 2],
        mirrored: Mirrored,
    ) -> Result<f32, EngineError> {
        let (left, right) = match mirrored {
            Mirrored::No => (outer, inner),
            Mirrored::Yes => (inner, outer),
        };
        let side = f32::from(INPUT.side);
        let into_image = Similarity::around(
            Point::new(side / 2.0, side / 2.0),
            left.middle(right),
            MARGIN * left.distance(right) / side,
            (right.y - left.y).atan2(right.x - left.x),
        );
        let mut input = INPUT.sample(image, into_image);
        if mirrored == Mirrored::Yes {
            input = mirror(&input);
        }
        let outputs = self.0.run(&input)?;
        let [contour, _iris] = outputs.as_slice() else {
            return Err(EngineError::WrongOutput);
        };
        openness(contour.values()).ok_or(EngineError::WrongOutput)
    }
}

/// The network knows the eye that is left in the image; the other one is shown to it in a mirror.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mirrored {
    No,
    Yes,
}

fn mirror(input: &Tensor) -> Tensor {
    let row = 3 * usize::from(INPUT.side);
    let rows = input.values().chunks(row);
    let values = rows.flat_map(|row| row.chunks(3).rev().flatten().copied());
    let values = zeroize::Zeroizing::new(values.collect());
    Tensor::new(input.shape().to_vec(), values)
}

fn openness(contour: &[f32]) -> Option<f32> {
    let points: &[[f32; 3]] = contour.as_chunks().0;
    let point = |number: usize| points.get(number).map(|[x, y, _]| Point::new(*x, *y));
    let gaps: Option<Vec<f32>> = LIDS
        .iter()
        .map(|[upper, lower]| Some(point(*upper)?.distance(point(*lower)?)))
        .collect();
    let [outer, inner] = CORNERS;
    let width = point(outer)?.distance(point(inner)?);
    let mean = gaps?.iter().sum::<f32>() / LIDS.len() as f32;
    Some(mean / width).filter(|part| part.is_finite())
}

const INPUT: Input = Input {
    side: 64,
    mean: [0.0; 3],
    divisor: 255.0,
};
const MARGIN: f32 = 2.3;
// Numbers of the contour: from the outer corner along the lower lid to the inner one, then the upper
// lid in the same direction without the corners.
const CORNERS: [usize; 2] = [0, 8];
const LIDS: [[usize; 2]; 3] = [[11, 3], [12, 4], [13, 5]];
