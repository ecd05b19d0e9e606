//! Cameras and video files, by the program ffmpeg.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, timeout_at};
use wallet::enrol::Frame;
use zeroize::Zeroizing;

use super::{GAP_MS, Jpeg};
use crate::config::path_from;
use crate::failure::Failure;

/// What is filmed or played.
pub(super) enum Input<'a> {
    /// A camera, with its format where it needs one.
    Camera(Option<&'static str>, &'a str),
    /// A file, of which a frame is taken every [`GAP_MS`].
    File(&'a Path),
}

/// A running ffmpeg. It ends when this is dropped.
pub(crate) struct Stream {
    child: Child,
    /// What is not to be told to others: an address may carry a password.
    name: String,
    frames: Receiver<Jpeg>,
    said: Option<JoinHandle<String>>,
}

/// Whether the program is there.
///
/// # Errors
///
/// `ffmpeg-missing`.
pub(super) fn check() -> Result<(), Failure> {
    let mut command = Command::new(program());
    command.arg("-version").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map(drop).map_err(|error| missing(&error))
}

impl Stream {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// `ffmpeg-missing`.
    pub(super) fn open(input: &Input<'_>) -> Result<Stream, Failure> {
        let mut command = Command::new(program());
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
        let mut filter = SCALE.to_owned();
        match input {
            Input::Camera(format, name) => {
                command.args(["-fflags", "nobuffer"]);
                match format {
                    Some(format) => command.args(["-f", format]),
                    None => command.args(["-protocol_whitelist", NETWORK]),
                };
                command.args(["-i", name]);
            }
            Input::File(path) => {
                // Else a colon in its name would be read as a protocol.
                let mut name = OsString::from("file:");
                name.push(path);
                // Nor is a list of other files or addresses a video.
                command
                    .args(["-protocol_whitelist", "file", "-i"])
                    .arg(name);
                filter = format!("fps=1000/{GAP_MS},{SCALE}");
            }
        }
        command.args(["-an", "-vf", &filter, "-c:v", "mjpeg", "-q:v", "4"]);
        // Nothing of camera or program goes along.
        command.args([
            "-map_metadata",
            "-1",
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
        ]);
        // Every frame comes with its length.
        command.args(["-f", "mpjpeg", "-flush_packets", "1", "pipe:1"]);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| missing(&error))?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(unusable("it has no output"));
        };
        let (sender, frames) = channel(WAITING_MAX);
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(frame)) = part(&mut output) {
                // Nobody waits any more: the program ends with the pipe.
                if sender.blocking_send(frame).is_err() {
                    return;
                }
            }
        });
        let said = Some(std::thread::spawn(|| first_lines(errors)));
        let name = match input {
            Input::Camera(_, name) => (*name).to_owned(),
            Input::File(path) => path.display().to_string(),
        };
        Ok(Stream {
            child,
            name,
            frames,
            said,
        })
    }

    /// Waits for the first frame of a camera.
    ///
    /// # Errors
    ///
    /// `camera-missing`.
    pub(super) async fn first(&mut self, until: Instant) -> Result<(), Failure> {
        match timeout_at(until, self.next()).await {
            Ok(frame) => frame.map(drop),
            Err(_) => Err(unusable("it sends no picture")),
        }
    }

    /// Leaves out what was taken before.
    pub(super) fn skip_to_now(&mut self) {
        while self.frames.try_recv().is_ok() {}
    }

    /// The next frame.
    ///
    /// # Errors
    ///
    /// `camera-missing` where there is none any more.
    pub(super) async fn next(&mut self) -> Result<Jpeg, Failure> {
        let frame = self.frames.recv().await;
        frame.ok_or_else(|| unusable(&self.end()))
    }

    /// What it said at its end.
    fn end(&mut self) -> String {
        // It may still run, and would then never close what is read to its end here.
        let _ended = self.child.kill();
        let said = self.said.take().and_then(|said| said.join().ok());
        let said = said.map(|said| said.replace(&self.name, "it"));
        said.filter(|said| !said.is_empty())
            .unwrap_or_else(|| "it has stopped".to_owned())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// The frames of a file up to a moment.
///
/// # Errors
///
/// `frames-missing`, `ffmpeg-missing`.
pub(super) async fn frames(
    path: &Path,
    end_ms: u32,
    until: Instant,
) -> Result<Vec<Frame>, Failure> {
    let mut stream = Stream::open(&Input::File(path))?;
    let mut frames = Vec::new();
    let mut time_ms = 0;
    while time_ms <= end_ms {
        match timeout_at(until, stream.frames.recv()).await {
            Ok(Some(jpeg)) => frames.push(Frame { time_ms, jpeg }),
            Ok(None) => break,
            Err(_) => return Err(Failure::of("frames-missing", "the video takes too long")),
        }
        time_ms += GAP_MS;
    }
    if frames.is_empty() {
        let what = format!("{} is no video: {}", path.display(), stream.end());
        return Err(Failure::of("frames-missing", what));
    }
    Ok(frames)
}

/// One part of a `multipart/x-mixed-replace` stream; `None` at its end.
fn part(stream: &mut impl BufRead) -> io::Result<Option<Jpeg>> {
    let mut length: Option<usize> = None;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.take(LINE_MAX).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match (line.trim(), length) {
            ("", Some(length)) if length <= FRAME_MAX => {
                let mut frame = Zeroizing::new(vec![0; length]);
                stream.read_exact(&mut frame)?;
                return Ok(Some(frame));
            }
            ("", Some(_)) => return Err(io::ErrorKind::InvalidData.into()),
            (header, _) => {
                let header = header.to_ascii_lowercase();
                let value = header.strip_prefix("content-length:");
                length = value.and_then(|value| value.trim().parse().ok()).or(length);
            }
        }
    }
}

/// What it says, as much as fits on a few lines; the rest is read and forgotten, so that it never
/// waits.
fn first_lines(mut errors: ChildStderr) -> String {
    let mut said = Vec::new();
    let kept = errors.by_ref().take(SAID_MAX).read_to_end(&mut said);
    let _rest = kept.and_then(|_| io::copy(&mut errors, &mut io::sink()));
    let said = String::from_utf8_lossy(&said);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    said.trim().chars().map(printable).collect()
}

fn program() -> PathBuf {
    path_from("BAUTA_FFMPEG").unwrap_or_else(|| "ffmpeg".into())
}

fn missing(error: &io::Error) -> Failure {
    Failure::of("ffmpeg-missing", format!("ffmpeg cannot be run: {error}"))
}

fn unusable(why: &str) -> Failure {
    Failure::of("camera-missing", format!("the camera: {why}"))
}

/// At most 640 pixels wide and high, in the format that every decoder takes.
const SCALE: &str = "scale=w='min(640,iw)':h='min(640,ih)':force_original_aspect_ratio=decrease:\
                     force_divisible_by=2,format=yuvj420p";
/// How a camera on the network is reached.
const NETWORK: &str = "http,https,rtsp,rtp,udp,tcp,tls,crypto";
/// Frames that wait to be looked at; a camera takes so many in half a second.
const WAITING_MAX: usize = 16;
const FRAME_MAX: usize = 1 << 20;
const LINE_MAX: u64 = 256;
const SAID_MAX: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_by_their_length_and_nothing_longer_is_taken() {
        let stream = b"--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: 3\r\n\r\nabc\r\n\
                       --ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: 2\r\n\r\n\r\n\r\n";
        let mut stream = &stream[..];
        let mut next = || part(&mut stream).unwrap().map(|frame| frame.to_vec());
        assert_eq!(next(), Some(b"abc".to_vec()));
        assert_eq!(next(), Some(b"\r\n".to_vec()));
        assert_eq!(next(), None);
        assert!(part(&mut &b"Content-length: 99999999\r\n\r\nabc"[..]).is_err());
        assert!(part(&mut &b"Content-length: 4\r\n\r\nabc"[..]).is_err());
    }
}
