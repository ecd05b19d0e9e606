//! Pictures and videos that another program writes while a challenge runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use credential::time::UnixTime;
use face::Challenge;
use tokio::time::{Instant, sleep};
use wallet::enrol::Frame;

use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};
use crate::picture;

/// The file with the challenge.
pub(crate) const PROMPTS: &str = "prompts.json";

/// Makes a folder for a challenge, the next free number, with what is asked in it.
///
/// # Errors
///
/// `file-unwritable`.
pub(super) fn ask(folder: &Path, challenge: &Challenge) -> Result<PathBuf, Failure> {
    let next = (1_u32..).map(|number| folder.join(number.to_string()));
    let next = next.into_iter().find(|path| !path.exists());
    let next = next.unwrap_or_else(|| folder.to_owned());
    files::make_private_folder(&next)?;
    let asked = serde_json::to_vec(challenge).or_fail("local-failure", || "the challenge")?;
    // Whoever waits for it finds it whole.
    let beside = next.join("prompts.new");
    files::write_new(&beside, &asked, Access::Private)?;
    fs::rename(beside, next.join(PROMPTS)).or_fail("file-unwritable", || next.display())?;
    Ok(next)
}

/// Waits for a file that is written after `asked`.
///
/// # Errors
///
/// `frames-missing`.
pub(super) async fn written_since(
    path: &Path,
    asked: UnixTime,
    until: Instant,
) -> Result<(), Failure> {
    poll(path, until, || {
        let written = fs::metadata(path).and_then(|found| found.modified());
        let written = written.map(|at| at.duration_since(SystemTime::UNIX_EPOCH));
        let is_new = matches!(written, Ok(Ok(written)) if written.as_secs() >= asked.0);
        Ok(is_new.then_some(()))
    })
    .await
}

/// The pictures of a folder, named by their milliseconds: `0.jpg`, `160.jpg`, …, once there is one
/// of the challenge's end. They are encoded anew, so that nothing but what they show is sent.
///
/// # Errors
///
/// `frames-missing`, `file-unreadable`, `picture-unusable`.
pub(super) async fn pictures(
    folder: &Path,
    end_ms: u32,
    until: Instant,
) -> Result<Vec<Frame>, Failure> {
    let found = poll(folder, until, || {
        let found = numbered(folder)?;
        let is_whole = found.last().is_some_and(|(ms, _)| *ms >= end_ms);
        Ok(is_whole.then_some(found))
    });
    let found = found.await?.into_iter();
    found
        .map(|(time_ms, path)| {
            let jpeg = picture::encode(&picture::read(&path)?.within(SIDE_MAX))?;
            Ok(Frame { time_ms, jpeg })
        })
        .collect()
}

/// In the order of their times.
fn numbered(folder: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_jpeg = path.extension().is_some_and(|end| end == "jpg");
        let name = path.file_stem().and_then(|stem| stem.to_str());
        if let Some(ms) = name.filter(|_| is_jpeg).and_then(|name| name.parse().ok()) {
            found.push((ms, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Looks again until something is there.
async fn poll<T>(
    path: &Path,
    until: Instant,
    mut look: impl FnMut() -> io::Result<Option<T>>,
) -> Result<T, Failure> {
    loop {
        if let Some(found) = look().or_fail("file-unreadable", || path.display())? {
            return Ok(found);
        }
        if Instant::now() >= until {
            let what = format!("nothing whole came to {} in time", path.display());
            return Err(Failure::of("frames-missing", what));
        }
        sleep(POLL).await;
    }
}

/// A face in a picture that is larger is halved, and large enough all the same.
const SIDE_MAX: u16 = 960;
const POLL: Duration = Duration::from_millis(200);
