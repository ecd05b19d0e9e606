//! Faces: finding them, their 468 landmarks, and how alike a live face and a portrait are.
//!
//! A [`Recognizer`] finds faces in an [`Image`] and their [`Landmarks`], and follows a face from
//! frame to frame. A [`Matcher`] makes a [`Template`] of a face; the similarity of two templates says
//! how alike the faces are. The networks are those of [`Models`] and run in an
//! [`Engine`](engine::Engine). What cannot be compared is a [`FailureToAcquire`]. [`examine`] decides
//! whether [`Frames`] show one living person who follows a [`Challenge`], and says how alike that
//! person and a portrait are. An [`Evaluation`] shows how often the comparison errs.
//!
//! It does not decode images, does not decide how alike is enough, and does no input or output but
//! for [`Models::load`]. It does not stop frames that a program makes ([`specimen`] is one). Images, landmarks,
//! templates and what goes into a network and comes out of it are wiped; what an engine computes in
//! between is not (see [`engine`]).
//!
//! Both matchers are a development default: they are not certified, on what one of them was trained is
//! contested, and no data here shows how rarely they take one person for another. Where networks
//! and licences come from: `docs/face.md`. Not reviewed by anybody outside the project.
//!
//! ```no_run
//! use face::{Image, Matcher, Models, Recognizer, engine::Rten};
//!
//! # fn example(live: Image, portrait: Image) -> Result<(), Box<dyn std::error::Error>> {
//! let models = Models::load("networks".as_ref())?; // the folder that tools/face-models prints
//! let recognizer = Recognizer::new(&Rten::new(2.try_into()?), &models)?;
//! let [one, other] = [&live, &portrait].map(|image| {
//!     let landmarks = recognizer.locate(image)?; // or why there is not one face
//!     Ok::<_, face::FaceError>(recognizer.matcher_a().template(image, &landmarks)?)
//! });
//! let similarity = one?.similarity(&other?)?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod capture;
mod detector;
pub mod engine;
mod evaluation;
mod eyes;
mod geometry;
mod image;
mod landmarks;
mod liveness;
mod matcher;
mod models;
mod recognizer;
mod sample;
pub mod specimen;
mod template;

pub use capture::{BadFrame, CaptureError, Compared, FRAMES, Frames, GAP_MS, examine};
pub use detector::Detection;
pub use engine::EngineError;
pub use evaluation::{Evaluation, FalseMatchRate, NotARate, NotAnEvaluation, Rate};
pub use geometry::Point;
pub use image::{BadImage, Image};
pub use landmarks::Landmarks;
pub use liveness::{Challenge, Movement, NotLive, Observation, Pose, Prompt, judge};
pub use matcher::{Matcher, MatcherA, MatcherB, common_score};
pub use models::{Models, ModelsError};
pub use recognizer::{FaceError, FailureToAcquire, Recognizer};
pub use template::{NoDirection, NotComparable, Template, Templates};

#[cfg(test)]
mod photographs;
