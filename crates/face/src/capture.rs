//! The frames of one person: alive, one person all along, and the one of a portrait.

use core::ops::RangeInclusive;

use rand_core::CryptoRng;
use thiserror::Error;

use crate::engine::EngineError;
use crate::geometry::Point;
use crate::image::{BadImage, Image};
use crate::landmarks::Landmarks;
use crate::liveness::{Challenge, Movement, NotLive, Observation, Pose, judge, median};
use crate::matcher::{Matcher, common_score};
use crate::recognizer::{FaceError, FailureToAcquire, Recognizer};
use crate::template::{Template, Templates};

/// Frames as they are looked at, one after the other.
pub trait Frames {
    /// When each was taken, in milliseconds from the beginning.
    fn times_ms(&self) -> &[u32];

    /// The pixels of a frame. Asked for each once, in their order.
    ///
    /// # Errors
    ///
    /// [`BadFrame`].
    fn image(&mut self, number: usize) -> Result<Image, BadFrame>;
}

/// A frame is not an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the frame is not an image that is taken here")]
pub struct BadFrame;

impl From<BadImage> for BadFrame {
    fn from(_: BadImage) -> BadFrame {
        BadFrame
    }
}

/// Why frames do not show the person of the portrait.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// There are too few, too many, or their times are not those of a camera during the challenge.
    #[error("the frames are too few or too many, or their times do not fit")]
    Times,
    /// A frame is not an image.
    #[error("frame {0} is not an image")]
    Frame(usize, #[source] BadFrame),
    /// A frame has no face that could be looked at.
    #[error("frame {0}: {1}")]
    NotAcquired(usize, FailureToAcquire),
    /// The portrait has none.
    #[error("the portrait: {0}")]
    Portrait(FailureToAcquire),
    /// Two frames one after the other are the same, or the face is the very picture of the portrait: no
    /// camera before a person takes such.
    #[error("the frames are pictures of a picture")]
    Still,
    /// The person did not do what was asked.
    #[error(transparent)]
    NotLive(#[from] NotLive),
    /// The frames show different people.
    #[error("the frames do not show one person all along")]
    AnotherPerson,
    /// We failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The outcome for frames that show one living person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// How alike that person and the portrait are, see [`common_score`].
    pub score: f32,
}

/// Looks at frames: the landmarks on all of them, the detector where the face is lost and on two,
/// matcher A on eight and matcher B on three. Which ones is drawn from `rng`.
///
/// # Errors
///
/// [`CaptureError`].
pub fn examine(
    recognizer: &Recognizer,
    portrait: &Image,
    (challenge, frames): (&Challenge, &mut dyn Frames),
    rng: &mut impl CryptoRng,
) -> Result<Compared, CaptureError> {
    check_times(challenge, frames.times_ms())?;
    let mut looked = Looked::at(recognizer, portrait)?;
    let chosen = Chosen::draw(challenge, frames.times_ms(), rng);
    let mut seen = Vec::new();
    let mut lost = 0;
    let mut before: Option<(Landmarks, Image)> = None;
    for number in 0..frames.times_ms().len() {
        let time_ms = frames.times_ms().get(number).copied().unwrap_or_default();
        let image = frames
            .image(number)
            .map_err(|error| CaptureError::Frame(number, error))?;
        if let Some((_, last)) = &before {
            unlike_the_last(number, &image, last)?;
        }
        let last = before.as_ref().map(|(landmarks, _)| landmarks);
        let found = find(recognizer, &image, last, chosen.is_detected(number));
        let (landmarks, tracked) = found.map_err(|error| error.of_frame(number))?;
        lost += usize::from(tracked != Tracked::Followed);
        if lost > LOST_MAX {
            return Err(CaptureError::NotAcquired(number, FailureToAcquire::NoFace));
        }
        let mut pose = Pose::of(&landmarks);
        if challenge.looks_at_eyes(time_ms) {
            pose.openness = Some(recognizer.openness(&image, &landmarks)?);
        }
        seen.push(Observation { time_ms, pose });
        looked.compare(&image, &landmarks, chosen.purpose(number, tracked))?;
        before = Some((landmarks, image));
    }
    judge(challenge, &seen)?;
    looked.outcome()
}

/// A camera changes no size, and takes nothing twice.
fn unlike_the_last(number: usize, image: &Image, last: &Image) -> Result<(), CaptureError> {
    if (image.width(), image.height()) != (last.width(), last.height()) {
        return Err(CaptureError::Frame(number, BadFrame));
    }
    if image == last {
        return Err(CaptureError::Still);
    }
    Ok(())
}

/// The face of a frame, and whether it is the one of the frame before by its place.
fn find(
    recognizer: &Recognizer,
    image: &Image,
    before: Option<&Landmarks>,
    detected: bool,
) -> Result<(Landmarks, Tracked), FaceError> {
    if let Some(before) = before.filter(|_| !detected)
        && let Ok(found) = recognizer.follow(image, before)
    {
        return Ok((found, Tracked::Followed));
    }
    let found = recognizer.locate(image)?;
    let near = |before: &Landmarks| {
        let [one, other] = [before, &found].map(middle);
        one.distance(other) <= JUMP_MAX * before.eye_distance()
    };
    let tracked = if before.is_some_and(near) {
        Tracked::Near
    } else {
        Tracked::Elsewhere
    };
    Ok((found, tracked))
}

fn middle(landmarks: &Landmarks) -> Point {
    let [left, right] = landmarks.eyes();
    left.middle(right)
}

/// Whether a face is where it was in the frame before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tracked {
    /// From frame to frame.
    Followed,
    /// It was looked for, and is there.
    Near,
    /// It is somewhere else, or the first.
    Elsewhere,
}

/// What a frame is compared for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    /// The landmarks alone.
    None,
    /// That it is still the same person, in a movement or after a break; and how alike at least.
    SamePerson(f32),
    /// The portrait, by one matcher or both.
    Portrait(Matchers),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Matchers {
    A,
    Both,
}

/// Which frames are looked at how. Drawn once all frames are there, so that nobody knows before.
struct Chosen {
    detected: [usize; 2],
    moving: Vec<(usize, Movement)>,
    straight: Vec<usize>,
    both: Vec<usize>,
}

impl Chosen {
    fn draw(challenge: &Challenge, times: &[u32], rng: &mut impl CryptoRng) -> Chosen {
        let mut moving = Vec::new();
        for prompt in challenge.prompts() {
            let held = pick(&within(times, prompt.held()), rng);
            moving.extend(held.map(|number| (number, prompt.movement)));
        }
        let rests = challenge.rests();
        let straight = rests.filter_map(|rest| pick(&within(times, rest), rng));
        // As many as there are movements, so that both together are eight.
        let straight = drawn(moving.len(), straight.collect(), rng);
        let both = drawn(BOTH_MATCHERS, straight.clone(), rng);
        let later = pick(&(1..times.len()).collect::<Vec<_>>(), rng).unwrap_or_default();
        Chosen {
            detected: [0, later],
            moving,
            straight,
            both,
        }
    }

    fn is_detected(&self, number: usize) -> bool {
        self.detected.contains(&number)
    }

    fn purpose(&self, number: usize, tracked: Tracked) -> Purpose {
        if self.straight.contains(&number) {
            let both = self.both.contains(&number);
            Purpose::Portrait(if both { Matchers::Both } else { Matchers::A })
        } else if let Some((_, movement)) = self.moving.iter().find(|(at, _)| *at == number) {
            Purpose::SamePerson(same_in(*movement))
        } else if tracked == Tracked::Elsewhere && number > 0 {
            Purpose::SamePerson(SAME_TURNED)
        } else {
            Purpose::None
        }
    }
}

/// The frames that were taken in a span.
fn within(times: &[u32], (from, until): (u32, u32)) -> Vec<usize> {
    let inside = times.iter().enumerate();
    let inside = inside.filter(|(_, time)| (from..=until).contains(*time));
    inside.map(|(number, _)| number).collect()
}

/// `count` of the numbers, or all where there are fewer.
fn drawn(count: usize, mut numbers: Vec<usize>, rng: &mut impl CryptoRng) -> Vec<usize> {
    while numbers.len() > count
        && let Some(left_out) = pick(&numbers, rng)
    {
        numbers.retain(|number| *number != left_out);
    }
    numbers
}

fn pick(numbers: &[usize], rng: &mut impl CryptoRng) -> Option<usize> {
    let count = u32::try_from(numbers.len())
        .ok()
        .filter(|count| *count > 0)?;
    numbers.get((rng.next_u32() % count) as usize).copied()
}

/// What the matchers have seen so far.
struct Looked<'r> {
    recognizer: &'r Recognizer,
    portrait: Templates,
    straight: Vec<Template>,
    scores: [Vec<f32>; 2],
    /// With how alike each has to be.
    moving: Vec<(f32, Template)>,
}

impl<'r> Looked<'r> {
    fn at(recognizer: &'r Recognizer, portrait: &Image) -> Result<Looked<'r>, CaptureError> {
        let portrait = Templates::of(recognizer, portrait).map_err(|error| match error {
            FaceError::NotAcquired(why) => CaptureError::Portrait(why),
            FaceError::Engine(error) => error.into(),
        })?;
        Ok(Looked {
            recognizer,
            portrait,
            straight: Vec::new(),
            scores: [Vec::new(), Vec::new()],
            moving: Vec::new(),
        })
    }

    fn compare(
        &mut self,
        image: &Image,
        landmarks: &Landmarks,
        purpose: Purpose,
    ) -> Result<(), CaptureError> {
        let matchers = match purpose {
            Purpose::None => return Ok(()),
            Purpose::SamePerson(min) => {
                let template = self.recognizer.matcher_a().template(image, landmarks)?;
                self.moving.push((min, template));
                return Ok(());
            }
            Purpose::Portrait(matchers) => matchers,
        };
        let [scores_a, scores_b] = &mut self.scores;
        let template = self.recognizer.matcher_a().template(image, landmarks)?;
        scores_a.push(template.alike(&self.portrait.a));
        self.straight.push(template);
        if matchers == Matchers::Both {
            let template = self.recognizer.matcher_b().template(image, landmarks)?;
            scores_b.push(template.alike(&self.portrait.b));
        }
        Ok(())
    }

    fn outcome(self) -> Result<Compared, CaptureError> {
        let [first, ..] = self.straight.as_slice() else {
            return Err(CaptureError::Times);
        };
        let straight = self.straight.iter().map(|one| (&SAME_STRAIGHT, one));
        let moving = self.moving.iter().map(|(min, one)| (min, one));
        let another = |(min, one): (&f32, &Template)| one.alike(first) < *min;
        if straight.chain(moving).any(another) {
            return Err(CaptureError::AnotherPerson);
        }
        let [a, b] = self.scores.map(median);
        let score = common_score(a.ok_or(CaptureError::Times)?, b.ok_or(CaptureError::Times)?);
        if score >= SAME_PICTURE {
            return Err(CaptureError::Still);
        }
        Ok(Compared { score })
    }
}

impl FaceError {
    fn of_frame(self, number: usize) -> CaptureError {
        match self {
            FaceError::NotAcquired(why) => CaptureError::NotAcquired(number, why),
            FaceError::Engine(error) => error.into(),
        }
    }
}

/// Nearer or with closed eyes a face is seen from the front.
fn same_in(movement: Movement) -> f32 {
    match movement {
        Movement::TurnLeft | Movement::TurnRight => SAME_TURNED,
        Movement::Nearer | Movement::CloseEyes => SAME_STRAIGHT,
    }
}

fn check_times(challenge: &Challenge, times: &[u32]) -> Result<(), CaptureError> {
    let gaps_fit = times.windows(2).all(|two| match two {
        [one, next] => next
            .checked_sub(*one)
            .is_some_and(|gap| GAP_MS.contains(&gap)),
        _ => true,
    });
    let ends_fit = times.first().is_some_and(|first| *first <= *GAP_MS.end())
        && times
            .last()
            .is_some_and(|last| last.saturating_add(*GAP_MS.end()) >= challenge.end_ms());
    if FRAMES.contains(&times.len()) && gaps_fit && ends_fit {
        Ok(())
    } else {
        Err(CaptureError::Times)
    }
}

/// How many frames are taken.
pub const FRAMES: RangeInclusive<usize> = 24..=160;
/// Between two frames, in milliseconds.
pub const GAP_MS: RangeInclusive<u32> = 40..=400;
const BOTH_MATCHERS: usize = 3;
/// A face further away than this part of the distance of its eyes is not where it was.
const JUMP_MAX: f32 = 1.0;
/// How alike matcher A finds the same person who looks straight twice within a capture.
const SAME_STRAIGHT: f32 = 0.5;
/// And with the head turned: the actors of 19 photographs come to 0.65 at least, of two people one in a
/// hundred pairs to 0.49.
const SAME_TURNED: f32 = 0.4;
/// The portrait itself before the camera comes to 0.99; two pictures of a person to 0.8.
const SAME_PICTURE: f32 = 0.97;
/// So often a face may have to be looked for anew.
const LOST_MAX: usize = 12;

#[cfg(test)]
mod tests;
