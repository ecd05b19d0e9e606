//! Whether a person has done what was asked, frame by frame.
//!
//! It refuses pictures: held still, moved, or recorded for another challenge. It does not stop a face
//! that a program swaps live, or frames that a program answers with: that needs a device that vouches
//! for its camera.

mod challenge;
mod pose;

use thiserror::Error;

pub use challenge::{Challenge, Movement, Prompt};
pub use pose::Pose;

/// A pose and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Milliseconds from the first frame.
    pub time_ms: u32,
    /// The pose.
    pub pose: Pose,
}

/// Why the frames do not show a person who did what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotLive {
    /// The person does not look straight before the first prompt.
    #[error("the face does not look straight into the camera at the beginning")]
    NotStraight,
    /// A prompt, counted from 0, was not followed.
    #[error("prompt {0} was not followed")]
    NotFollowed(usize),
    /// There is a movement where none was asked for, or another one.
    #[error("there is a movement that was not asked for, by prompt {0}")]
    NotAsked(usize),
}

/// Compares what was seen, in the order of time, with what was asked.
///
/// # Errors
///
/// [`NotLive`] for the first difference.
pub fn judge(challenge: &Challenge, seen: &[Observation]) -> Result<(), NotLive> {
    let mut rests = challenge.rests();
    let first = rests.next().ok_or(NotLive::NotStraight)?;
    let straight = Straight::of(within(seen, first)).ok_or(NotLive::NotStraight)?;
    for (number, (prompt, rest)) in challenge.prompts().iter().zip(rests).enumerate() {
        let asked = (prompt.from_ms, prompt.until_ms);
        let shown = lasting(&straight, within(seen, asked));
        if shown.iter().any(|movement| *movement != prompt.movement) {
            return Err(NotLive::NotAsked(number));
        }
        if !is_held(&straight, prompt, seen) {
            return Err(NotLive::NotFollowed(number));
        }
        let between: Vec<_> = within(seen, rest).collect();
        if between.is_empty() || !lasting(&straight, between.into_iter()).is_empty() {
            return Err(NotLive::NotAsked(number));
        }
    }
    Ok(())
}

fn within(
    seen: &[Observation],
    (from, until): (u32, u32),
) -> impl Iterator<Item = Observation> + '_ {
    let inside = move |one: &&Observation| (from..=until).contains(&one.time_ms);
    seen.iter().filter(inside).copied()
}

/// Whether the movement stays while it is to be held, but for a frame in which a measure slipped: so
/// no frames of somebody else can stand between.
fn is_held(straight: &Straight, prompt: &Prompt, seen: &[Observation]) -> bool {
    let shown = within(seen, prompt.held()).map(|one| straight.movement(one.pose));
    let shown: Vec<bool> = shown.map(|one| one == Some(prompt.movement)).collect();
    let missing = shown.iter().filter(|shown| !**shown).count();
    shown.len() >= HELD_MIN && missing * FRAMES_PER_SLIP <= shown.len()
}

/// The movements that two frames one after the other show, so that a natural blink is none.
fn lasting(straight: &Straight, seen: impl Iterator<Item = Observation>) -> Vec<Movement> {
    let shown: Vec<_> = seen.map(|one| straight.movement(one.pose)).collect();
    let pairs = shown.windows(2).filter_map(|two| match two {
        [Some(one), Some(other)] if one == other => Some(*one),
        _ => None,
    });
    pairs.collect()
}

/// How this person looks straight into this camera.
struct Straight(Pose);

impl Straight {
    /// The median of each measure; `None` where there are too few or they are turned.
    fn of(seen: impl Iterator<Item = Observation>) -> Option<Straight> {
        let poses: Vec<Pose> = seen
            .map(|one| one.pose)
            .filter(|pose| pose.is_sound())
            .collect();
        if poses.len() < STRAIGHT_MIN {
            return None;
        }
        let pose = Pose {
            turn: median(poses.iter().map(|pose| pose.turn))?,
            height: median(poses.iter().map(|pose| pose.height))?,
            width: median(poses.iter().map(|pose| pose.width))?,
            openness: median(poses.iter().filter_map(|pose| pose.openness)),
        };
        let open = pose.openness.is_none_or(|openness| openness >= OPEN_MIN);
        (open && pose.turn.abs() <= STRAIGHT_MAX).then_some(Straight(pose))
    }

    fn movement(&self, pose: Pose) -> Option<Movement> {
        let Straight(straight) = self;
        let turn = pose.turn - straight.turn;
        // A turn narrows the eyes in the image, so it is looked for first.
        if turn.abs() >= TURNED {
            let narrowed = 1.0 - pose.width * straight.height / (pose.height * straight.width);
            return match turn {
                _ if turn.abs() < DEPTH * narrowed => None,
                0.0.. => Some(Movement::TurnLeft),
                _ => Some(Movement::TurnRight),
            };
        }
        if pose.height >= NEARER * straight.height {
            return Some(Movement::Nearer);
        }
        let closed = pose.openness? <= CLOSED * straight.openness?;
        closed.then_some(Movement::CloseEyes)
    }
}

/// The lower one of the middle two.
pub(crate) fn median(values: impl IntoIterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.into_iter().collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// So many frames at least show that a movement is held.
const HELD_MIN: usize = 2;
/// In each so many of them, a measure may slip once.
const FRAMES_PER_SLIP: usize = 6;
/// So many frames show how the person looks straight.
const STRAIGHT_MIN: usize = 3;
const STRAIGHT_MAX: f32 = 0.12;
const OPEN_MIN: f32 = 0.12;
/// About 15 degrees of a head.
const TURNED: f32 = 0.14;
/// How far the nose moves at least for what the face narrows. Of a head whose nose stands half a face's
/// width before its edges it is 1.9 and more, up to 60 degrees. Without this, a print of somebody who
/// does not look straight can turn both ways; from 1.0 on, none of four photographs can.
const DEPTH: f32 = 1.5;
/// A camera at 50 cm comes to 41 cm.
const NEARER: f32 = 1.22;
const CLOSED: f32 = 0.7;

#[cfg(test)]
mod tests;
