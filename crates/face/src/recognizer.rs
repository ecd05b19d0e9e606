//! One face in an image, or why there is none.

use thiserror::Error;

use crate::detector::{Detection, Detector};
use crate::engine::{Engine, EngineError};
use crate::eyes::Eyes;
use crate::image::Image;
use crate::landmarks::{Landmarks, Mesh};
use crate::matcher::{MatcherA, MatcherB};
use crate::models::Models;

/// The five networks, ready to run.
pub struct Recognizer {
    detector: Detector,
    mesh: Mesh,
    eyes: Eyes,
    matcher_a: MatcherA,
    matcher_b: MatcherB,
}

impl Recognizer {
    /// Loads the networks into an engine.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotLoaded`].
    pub fn new(engine: &dyn Engine, models: &Models) -> Result<Recognizer, EngineError> {
        Ok(Recognizer {
            detector: Detector::new(engine, &models.detector)?,
            mesh: Mesh::new(engine, &models.landmarks)?,
            eyes: Eyes::new(engine, &models.eye)?,
            matcher_a: MatcherA::new(engine, &models.matcher_a)?,
            matcher_b: MatcherB::new(engine, &models.matcher_b)?,
        })
    }

    /// Every face in the image, the surest first.
    ///
    /// # Errors
    ///
    /// [`EngineError`].
    pub fn detect(&self, image: &Image) -> Result<Vec<Detection>, EngineError> {
        self.detector.detect(image)
    }

    /// The landmarks of a face that was detected in the same image; `None` where it is none after
    /// all.
    ///
    /// # Errors
    ///
    /// [`EngineError`].
    pub fn landmarks(
        &self,
        image: &Image,
        face: &Detection,
    ) -> Result<Option<Landmarks>, EngineError> {
        self.mesh.of(image, face)
    }

    /// The landmarks of the one face in the image: the largest, where every other is much smaller.
    ///
    /// # Errors
    ///
    /// [`FaceError::NotAcquired`] where there is no such face, or it is too small or cut off.
    pub fn locate(&self, image: &Image) -> Result<Landmarks, FaceError> {
        let faces = self.detect(image)?;
        let largest = faces.iter().max_by(|a, b| a.side().total_cmp(&b.side()));
        let largest = largest.ok_or(FailureToAcquire::NoFace)?;
        let rivals = faces
            .iter()
            .filter(|face| face.side() >= RIVAL * largest.side());
        if rivals.count() > 1 {
            return Err(FailureToAcquire::SeveralFaces.into());
        }
        let landmarks = self.mesh.of(image, largest)?;
        whole(image, landmarks.ok_or(FailureToAcquire::NoFace)?)
    }

    /// The landmarks of a face that was in the frame before, without looking for others.
    ///
    /// # Errors
    ///
    /// [`FaceError::NotAcquired`] where the face is lost, too small or cut off.
    pub fn follow(&self, image: &Image, before: &Landmarks) -> Result<Landmarks, FaceError> {
        let landmarks = self.mesh.follow(image, before)?;
        whole(image, landmarks.ok_or(FailureToAcquire::NoFace)?)
    }

    /// How far the eyes of a face are open: the distance of the lids as a part of the eye's width,
    /// both eyes in the mean.
    ///
    /// # Errors
    ///
    /// [`EngineError`].
    pub fn openness(&self, image: &Image, landmarks: &Landmarks) -> Result<f32, EngineError> {
        self.eyes.openness(image, landmarks)
    }

    /// MobileFaceNet.
    #[must_use]
    pub fn matcher_a(&self) -> &MatcherA {
        &self.matcher_a
    }

    /// The face recognition network of dlib.
    #[must_use]
    pub fn matcher_b(&self) -> &MatcherB {
        &self.matcher_b
    }

    /// The smallest distance between the eyes, in pixels. The matchers see at 35 and 53; a portrait
    /// of a document has 90 or more.
    pub const EYE_DISTANCE_MIN: f32 = 24.0;
}

fn whole(image: &Image, landmarks: Landmarks) -> Result<Landmarks, FaceError> {
    if landmarks.eye_distance() < Recognizer::EYE_DISTANCE_MIN {
        return Err(FailureToAcquire::FaceTooSmall.into());
    }
    let (width, height) = (f32::from(image.width()), f32::from(image.height()));
    let outside = landmarks
        .points()
        .iter()
        .filter(|point| !(0.0..=width).contains(&point.x) || !(0.0..=height).contains(&point.y));
    if outside.count() > OUTSIDE_MAX {
        return Err(FailureToAcquire::FaceCutOff.into());
    }
    Ok(landmarks)
}

/// Why no face could be taken from an image: counted as failure to acquire in the sense of
/// ISO/IEC 19795-1. The person is told what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum FailureToAcquire {
    /// There is none, or it was lost.
    #[error("no face is in the image")]
    NoFace,
    /// There is more than one of a like size.
    #[error("several faces are in the image")]
    SeveralFaces,
    /// The eyes are closer together than [`Recognizer::EYE_DISTANCE_MIN`].
    #[error("the face is too small")]
    FaceTooSmall,
    /// A part of it is outside the image.
    #[error("the face is cut off by the edge of the image")]
    FaceCutOff,
}

/// Why an image gives no landmarks.
#[derive(Debug, Error)]
pub enum FaceError {
    /// Because of what is in it.
    #[error(transparent)]
    NotAcquired(#[from] FailureToAcquire),
    /// Because of us.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A face of this part of the largest one's size counts beside it.
const RIVAL: f32 = 0.5;
/// Of the landmarks, a twentieth may be outside the image: chin or forehead of a near face.
const OUTSIDE_MAX: usize = Landmarks::COUNT / 20;
