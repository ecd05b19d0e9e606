//! The two matchers that come with the project, and their common score.
//!
//! Both are a development default. Each brings five points of the face to the places that its
//! training had them at, and looks at the square around.

use crate::engine::{Engine, EngineError, Network};
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::landmarks::{LEFT_EYE, Landmarks, MOUTH, NOSE_BASE, NOSE_TIP, RIGHT_EYE};
use crate::sample::Input;
use crate::template::Template;

/// Something that makes templates of faces: one of the two here, or a certified one.
pub trait Matcher: Send + Sync {
    /// The template of the face with these landmarks.
    ///
    /// # Errors
    ///
    /// [`EngineError`].
    fn template(&self, image: &Image, landmarks: &Landmarks) -> Result<Template, EngineError>;
}

/// MobileFaceNet: 112 by 112 pixels to 192 numbers.
pub struct MatcherA(Box<dyn Network>);

impl MatcherA {
    pub(crate) fn new(engine: &dyn Engine, onnx: &[u8]) -> Result<MatcherA, EngineError> {
        Ok(MatcherA(engine.load(onnx)?))
    }
}

impl Matcher for MatcherA {
    fn template(&self, image: &Image, landmarks: &Landmarks) -> Result<Template, EngineError> {
        let [left_eye, right_eye] = landmarks.eyes();
        let [left, right] = MOUTH.map(|number| landmarks.point(number));
        let nose = landmarks.point(NOSE_TIP);
        let places = PLACES_A.map(|(x, y)| Point::new(x + 0.5, y + 0.5));
        let points = [left_eye, right_eye, nose, left, right];
        template(&*self.0, "mobilefacenet", &INPUT_A, image, places, points)
    }
}

/// The face recognition network of dlib: 150 by 150 pixels to 128 numbers.
pub struct MatcherB(Box<dyn Network>);

impl MatcherB {
    pub(crate) fn new(engine: &dyn Engine, onnx: &[u8]) -> Result<MatcherB, EngineError> {
        Ok(MatcherB(engine.load(onnx)?))
    }
}

impl Matcher for MatcherB {
    fn template(&self, image: &Image, landmarks: &Landmarks) -> Result<Template, EngineError> {
        let side = f32::from(INPUT_B.side);
        let place = |along: f32| (PADDING_B + along) / (2.0 * PADDING_B + 1.0) * side;
        let places = PLACES_B.map(|(x, y)| Point::new(place(x) + 0.5, place(y) + 0.5));
        let [[left_outer, left_inner], [right_outer, right_inner]] = [LEFT_EYE, RIGHT_EYE];
        let points = [right_outer, right_inner, left_outer, left_inner, NOSE_BASE]
            .map(|number| landmarks.point(number));
        template(&*self.0, "dlib", &INPUT_B, image, places, points)
    }
}

fn template(
    network: &dyn Network,
    name: &'static str,
    input: &Input,
    image: &Image,
    places: [Point; 5],
    points: [Point; 5],
) -> Result<Template, EngineError> {
    let pairs: Vec<_> = places.into_iter().zip(points).collect();
    let into_image = Similarity::nearest(&pairs).ok_or(EngineError::WrongOutput)?;
    let outputs = network.run(&input.sample(image, into_image))?;
    let [numbers] = outputs.as_slice() else {
        return Err(EngineError::WrongOutput);
    };
    Template::new(name, numbers.values()).map_err(|_| EngineError::WrongOutput)
}

/// How alike two faces are by both matchers, from the similarities that each found: about 0 for two
/// people, 1 for one image twice.
///
/// The templates of matcher B all point about the same way: two people have a cosine of 0.82 in the
/// mean. Its similarity is stretched to the range of matcher A's before the two are added. A weighs
/// four times as much. On the photographs of `tools/face-models` it separates people as well alone;
/// B is there so that who looks like somebody else to one network has to do so to another one too.
#[must_use]
pub fn common_score(similarity_a: f32, similarity_b: f32) -> f32 {
    let stretched = (similarity_b - TWO_PEOPLE_B) / (1.0 - TWO_PEOPLE_B);
    WEIGHT_A * similarity_a + (1.0 - WEIGHT_A) * stretched
}

const INPUT_A: Input = Input {
    side: 112,
    mean: [127.5; 3],
    divisor: 128.0,
};
/// Left eye, right eye, tip of the nose, corners of the mouth, counted in pixels from the middle of
/// the first.
///
/// Source: the template of ArcFace (InsightFace, `face_align.py`).
const PLACES_A: [(f32, f32); 5] = [
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
];

/// Source: dlib, `input_rgb_image_sized` in `dlib/dnn/input.h`.
const INPUT_B: Input = Input {
    side: 150,
    mean: [122.782, 117.001, 104.298],
    divisor: 256.0,
};
/// Right eye's outer and inner corner, left eye's outer and inner corner, base of the nose, as parts
/// of the side of the square before its padding.
///
/// Source: dlib, `get_face_chip_details` in `dlib/image_transforms/interpolation.h`.
const PLACES_B: [(f32, f32); 5] = [
    (0.859_567_46, 0.213_498_15),
    (0.646_060_5, 0.228_967_44),
    (0.120_575_06, 0.213_727_45),
    (0.334_085_06, 0.229_064_24),
    (0.490_112_3, 0.627_797_53),
];
/// What is seen around the face on each side. Source: dlib, `dnn_face_recognition_ex.cpp`.
const PADDING_B: f32 = 0.25;

/// The mean of 122 pairs of two people on the photographs of `tools/face-models`.
const TWO_PEOPLE_B: f32 = 0.82;
/// The weights by which Fisher's discriminant separates the pairs of one and of two people among
/// those photographs, rounded.
const WEIGHT_A: f32 = 0.8;
