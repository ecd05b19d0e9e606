//! Frames of a person who follows a challenge: from a camera, from a video file or a folder of pictures
//! that somebody else makes meanwhile.
//!
//! Cameras and video files are read by the program ffmpeg, which knows them all; frames come through
//! a pipe and touch no disk.

mod ffmpeg;
pub(crate) mod folder;

use std::path::{Path, PathBuf};
use std::time::Duration;

use face::{Challenge, Movement};
use tokio::time::{Instant, sleep_until, timeout_at};
use wallet::enrol::Frame;
use zeroize::Zeroizing;

use self::ffmpeg::{Input, Stream};
use crate::clock;
use crate::failure::Failure;

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// What ffmpeg opens as a camera, with the name of its input format where it needs one.
    Camera(Option<&'static str>, String),
    /// A video file that is there when the challenge is over.
    Video(PathBuf),
    /// A folder in which each challenge gets a folder with what is asked, and pictures are put.
    Folder(PathBuf),
}

/// What a person is told, at the moment it is told.
pub(crate) trait Prompter {
    /// Do this movement, the `number`th, counted from 1.
    fn movement(&mut self, number: usize, movement: Movement);
    /// Look straight into the camera.
    fn straight(&mut self);
    /// Wait: the frames are being fetched.
    fn wait(&mut self, what: &str);
}

/// A source that is ready: a camera that films, a folder that can be written.
pub(crate) enum Camera {
    /// It films.
    Live(Stream),
    /// A file that is looked for when the challenge is over.
    Video(PathBuf),
    /// Pictures.
    Folder(PathBuf),
}

impl Source {
    /// `camera` is the machine's first one; otherwise the name of a device, the address of a camera on the
    /// network, a folder, or a video file.
    ///
    /// # Errors
    ///
    /// `camera-missing` where `camera` means nothing on this system.
    pub(crate) fn parse(text: &str) -> Result<Source, Failure> {
        let path = Path::new(text);
        if text == "camera" {
            return first_camera();
        }
        if text.contains("://") {
            return Ok(Source::Camera(None, text.to_owned()));
        }
        if path.starts_with("/dev") {
            return Ok(Source::Camera(Some("v4l2"), text.to_owned()));
        }
        Ok(if path.is_dir() {
            Source::Folder(path.to_owned())
        } else {
            Source::Video(path.to_owned())
        })
    }

    /// Gets it ready, so that no time is lost once the challenge runs.
    ///
    /// # Errors
    ///
    /// `camera-missing`, `ffmpeg-missing`.
    pub(crate) async fn open(&self) -> Result<Camera, Failure> {
        Ok(match self {
            Source::Camera(format, name) => {
                let input = Input::Camera(*format, name);
                let mut stream = Stream::open(&input)?;
                stream.first(Instant::now() + CAMERA_START).await?;
                Camera::Live(stream)
            }
            Source::Video(path) => {
                ffmpeg::check()?;
                Camera::Video(path.clone())
            }
            Source::Folder(path) => Camera::Folder(path.clone()),
        })
    }
}

/// The first camera as this system names it.
fn first_camera() -> Result<Source, Failure> {
    let (format, name) = match std::env::consts::OS {
        "linux" => ("v4l2", "/dev/video0"),
        "macos" => ("avfoundation", "0"),
        _ => {
            let what = "this system's cameras are not known here";
            return Err(Failure::of("camera-missing", what));
        }
    };
    Ok(Source::Camera(Some(format), name.to_owned()))
}

impl Camera {
    /// Tells the person what the challenge asks while it runs, from now on, and gives what was seen.
    ///
    /// # Errors
    ///
    /// `camera-missing`, `frames-missing`, `picture-unusable`, `file-unreadable`, `file-unwritable`.
    pub(crate) async fn film(
        &mut self,
        challenge: &Challenge,
        prompter: &mut impl Prompter,
    ) -> Result<Vec<Frame>, Failure> {
        let begun = Clock(Instant::now());
        let late = begun.at(challenge.end_ms()) + FRAMES_WAIT;
        match self {
            Camera::Live(stream) => film_live(stream, challenge, begun, prompter).await,
            Camera::Video(path) => {
                let asked = clock::now();
                tell(challenge, begun, prompter).await;
                prompter.wait(&format!("Waiting for {} …", path.display()));
                folder::written_since(path, asked, late).await?;
                ffmpeg::frames(path, challenge.end_ms(), late).await
            }
            Camera::Folder(path) => {
                let folder = folder::ask(path, challenge)?;
                tell(challenge, begun, prompter).await;
                prompter.wait(&format!(
                    "Waiting for the pictures in {} …",
                    folder.display()
                ));
                folder::pictures(&folder, challenge.end_ms(), late).await
            }
        }
    }
}

/// The time of a challenge.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn at(self, ms: u32) -> Instant {
        self.0 + Duration::from_millis(ms.into())
    }

    fn ms(self) -> u32 {
        u32::try_from(self.0.elapsed().as_millis()).unwrap_or(u32::MAX)
    }
}

/// When the person is told what: `None` is to look straight.
fn moments(challenge: &Challenge) -> Vec<(u32, Option<(usize, Movement)>)> {
    let prompts = challenge.prompts().iter().zip(1..);
    let both = prompts.flat_map(|(prompt, number)| {
        let asked = (prompt.from_ms, Some((number, prompt.movement)));
        [asked, (prompt.until_ms, None)]
    });
    core::iter::once((0, None)).chain(both).collect()
}

fn say(told: Option<(usize, Movement)>, prompter: &mut impl Prompter) {
    match told {
        Some((number, movement)) => prompter.movement(number, movement),
        None => prompter.straight(),
    }
}

async fn tell(challenge: &Challenge, clock: Clock, prompter: &mut impl Prompter) {
    for (ms, told) in moments(challenge) {
        sleep_until(clock.at(ms)).await;
        say(told, prompter);
    }
    sleep_until(clock.at(challenge.end_ms())).await;
}

async fn film_live(
    stream: &mut Stream,
    challenge: &Challenge,
    clock: Clock,
    prompter: &mut impl Prompter,
) -> Result<Vec<Frame>, Failure> {
    stream.skip_to_now();
    let mut frames: Vec<Frame> = Vec::new();
    let mut moments = moments(challenge).into_iter().peekable();
    while clock.ms() < challenge.end_ms() {
        while let Some((_, told)) = moments.next_if(|(ms, _)| clock.at(*ms) <= Instant::now()) {
            say(told, prompter);
        }
        let until = moments.peek().map_or(challenge.end_ms(), |(ms, _)| *ms);
        let Ok(taken) = timeout_at(clock.at(until), stream.next()).await else {
            continue;
        };
        let jpeg = taken?;
        let (time_ms, last) = (clock.ms(), frames.last().map(|frame| frame.time_ms));
        if last.is_none_or(|last| time_ms >= last + GAP_MS) {
            frames.push(Frame { time_ms, jpeg });
        }
    }
    Ok(frames)
}

/// An encoded picture.
type Jpeg = Zeroizing<Vec<u8>>;

/// Between two frames. The longest challenge has 139 of them; the service takes 160.
const GAP_MS: u32 = 160;
/// How long a camera may take until the first frame.
const CAMERA_START: Duration = Duration::from_secs(20);
/// How long after the challenge its frames may come; the service waits a little longer.
const FRAMES_WAIT: Duration = Duration::from_secs(45);

#[cfg(test)]
mod tests;
