//! Frames of somebody who follows prompts, made from one picture: for tests, demonstrations and
//! measurements. What the liveness check takes for a person here is a program, which is its limit.

mod warp;

use rand_core::CryptoRng;

use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::landmarks::Landmarks;
use crate::liveness::{Challenge, Movement, Pose};
use crate::recognizer::{FaceError, Recognizer};
use crate::sample::bilinear;

use warp::Warp;

/// A picture that moves as it is told.
pub struct Actor {
    picture: Image,
    landmarks: Landmarks,
    medium: Medium,
    /// Degrees that bring the face of the picture to look straight.
    straight: f32,
}

/// What is before the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A head: nose and cheeks move against each other when it turns, and the eyes close.
    Head,
    /// A print of the picture, which somebody turns and moves.
    Print,
}

/// How the actor is held in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// Degrees to the actor's own left.
    pub turned: f32,
    /// How much larger than at rest.
    pub nearer: f32,
    /// 0 open to 1 closed.
    pub closed: f32,
}

impl Act {
    /// Looking straight.
    pub const STRAIGHT: Act = Act {
        turned: 0.0,
        nearer: 1.0,
        closed: 0.0,
    };

    /// What somebody does at a moment who follows the challenge half a second late.
    #[must_use]
    pub fn following(challenge: &Challenge, time_ms: u32) -> Act {
        let asked = challenge.prompts().iter().find(|prompt| {
            (prompt.from_ms + LATE_MS..prompt.until_ms + LATE_MS).contains(&time_ms)
        });
        asked.map_or(Act::STRAIGHT, |prompt| Act::of(prompt.movement))
    }

    /// A movement in full.
    #[must_use]
    pub fn of(movement: Movement) -> Act {
        let straight = Act::STRAIGHT;
        match movement {
            Movement::TurnLeft => Act {
                turned: TURN_DEGREES,
                ..straight
            },
            Movement::TurnRight => Act {
                turned: -TURN_DEGREES,
                ..straight
            },
            Movement::Nearer => Act {
                nearer: NEARER,
                ..straight
            },
            Movement::CloseEyes => Act {
                closed: 1.0,
                ..straight
            },
        }
    }
}

impl Actor {
    /// The one face of a picture. It should look straight: what a picture does not show of a face
    /// that is turned already, turning it further cannot show either.
    ///
    /// # Errors
    ///
    /// [`FaceError`] where there is none.
    pub fn new(
        recognizer: &Recognizer,
        picture: Image,
        medium: Medium,
    ) -> Result<Actor, FaceError> {
        let landmarks = recognizer.locate(&picture)?;
        let straight = match medium {
            Medium::Head => -Pose::of(&landmarks).turn / TURN_OF_A_DEGREE,
            Medium::Print => 0.0,
        };
        Ok(Actor {
            picture,
            landmarks,
            medium,
            straight,
        })
    }

    /// One frame of a camera with some noise, `width` by `height` pixels, each 1 to
    /// [`Image::SIDE_MAX`].
    #[must_use]
    pub fn frame(&self, act: Act, (width, height): (u16, u16), rng: &mut impl CryptoRng) -> Image {
        let act = Act {
            turned: act.turned + self.straight,
            ..act
        };
        let warp = match self.medium {
            Medium::Head => Warp::of_head(&self.landmarks, act),
            Medium::Print => Warp::of_print(&self.landmarks, act),
        };
        let into_picture = self.place(act, (width, height));
        let mut rgb = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
        let mut noise = vec![[0; 3]; usize::from(width)];
        for row in 0..height {
            rng.fill_bytes(noise.as_flattened_mut());
            for (column, noise) in (0..width).zip(&noise) {
                let pixel = Point::new(f32::from(column) + 0.5, f32::from(row) + 0.5);
                let seen = warp.source(into_picture.apply(pixel));
                let values = bilinear(&self.picture, seen).into_iter().zip(noise);
                rgb.extend(values.map(|(value, noise)| noisy(value, *noise)));
            }
        }
        Image::of_pixels(width, height, rgb)
    }

    /// Where the pixels of a frame are in the picture, of which the face is in the middle.
    fn place(&self, act: Act, (width, height): (u16, u16)) -> Similarity {
        let face = warp::Face::of(&self.landmarks);
        let scale = face.height / (FACE_PART * f32::from(height) * act.nearer);
        let middle = Point::new(f32::from(width) / 2.0, f32::from(height) / 2.0);
        Similarity::around(middle, face.middle, scale, 0.0)
    }
}

fn noisy(value: f32, noise: u8) -> u8 {
    let noise = f32::from(noise % (2 * NOISE + 1)) - f32::from(NOISE);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped before"
    )]
    let octet = (value + noise).round().clamp(0.0, 255.0) as u8;
    octet
}

/// People take about so long to begin and to end a movement.
const LATE_MS: u32 = 500;
const TURN_DEGREES: f32 = 22.0;
/// Measured on four pictures: how much one degree changes [`Pose::turn`].
const TURN_OF_A_DEGREE: f32 = 0.0097;
const NEARER: f32 = 1.35;
/// The face's part of the height of a frame.
const FACE_PART: f32 = 0.42;
/// The largest error of a value, as in dim light.
const NOISE: u8 = 3;
