//! `bauta specimen face`: somebody before a camera, as a process.

mod stream;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args};
use face::Challenge;
use face::specimen::{Act, Actor, Medium};
use rand_core::UnwrapErr;
use tokio::time::{Instant, sleep, sleep_until};
use zeroize::Zeroizing;

use crate::camera::folder::PROMPTS;
use crate::commands::face::recognizer;
use crate::commands::runtime;
use crate::failure::OrFail;
use crate::files::{self, Access};
use crate::picture;
use crate::serve::{Stdin, StopSignals};

/// Who stands there, and where the wallet sees it.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["folder", "stream"])))]
pub struct FaceArgs {
    /// JPEG file with one face that looks straight; one that does not cannot turn further.
    picture: PathBuf,
    /// Do what a wallet asks in this folder (`bauta wallet enrol --face FOLDER`), one challenge after
    /// the other, until stopped.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Be a camera on the network: its address is printed, and it does what the lines of standard input
    /// say, as `bauta wallet --json enrol --face ADDRESS` writes them, until that ends.
    #[arg(long)]
    stream: bool,
    /// Hold a print of the picture, as somebody would who cheats.
    #[arg(long)]
    print: bool,
    /// End when standard input closes, too.
    #[arg(long, conflicts_with = "stream")]
    stop_with_stdin: bool,
    /// Folder of the networks that find the face in the picture, as tools/face-models prints it.
    #[arg(long, env = "BAUTA_FACE_MODELS")]
    networks: PathBuf,
}

impl FaceArgs {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// `file-unreadable`, `picture-unusable`, `networks-missing`, `file-unwritable`, `address-taken`.
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let actor = self.actor()?;
        let stdin = if self.stop_with_stdin {
            Stdin::Watched
        } else {
            Stdin::Ignored
        };
        match &self.folder {
            Some(folder) => runtime()?.block_on(async {
                tokio::select! {
                    acted = act_in_folder(&actor, folder) => acted,
                    () = StopSignals::new()?.received(stdin) => Ok(()),
                }
            }),
            None => stream::run(actor),
        }
    }

    fn actor(&self) -> anyhow::Result<Actor> {
        let picture = picture::read(&self.picture)?;
        let recognizer = recognizer(&self.networks, NonZeroUsize::MIN)?;
        let medium = if self.print {
            Medium::Print
        } else {
            Medium::Head
        };
        let shown = || self.picture.display();
        Actor::new(&recognizer, picture, medium).or_fail("picture-unusable", shown)
    }
}

/// One frame as a camera encodes it.
fn frame(actor: &Actor, act: Act) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut rng = UnwrapErr(getrandom::SysRng);
    Ok(picture::encode(&actor.frame(act, SIZE, &mut rng))?)
}

async fn act_in_folder(actor: &Actor, folder: &Path) -> anyhow::Result<()> {
    for number in 1_u32.. {
        let place = folder.join(number.to_string());
        let asked = place.join(PROMPTS);
        while !asked.exists() {
            sleep(POLL).await;
        }
        act_once(actor, &place, &asked).await?;
    }
    Ok(())
}

async fn act_once(actor: &Actor, place: &Path, asked: &Path) -> anyhow::Result<()> {
    let begun = Instant::now();
    let challenge: Challenge =
        serde_json::from_slice(&files::read(asked)?).or_fail("file-invalid", || asked.display())?;
    let mut ms = 0;
    loop {
        sleep_until(begun + Duration::from_millis(ms.into())).await;
        let frame = frame(actor, Act::following(&challenge, ms))?;
        let written = place.join(format!("{ms}.new"));
        files::write_new(&written, &frame, Access::Private)?;
        let name = place.join(format!("{ms}.jpg"));
        fs::rename(written, &name).or_fail("file-unwritable", || name.display())?;
        if ms >= challenge.end_ms() {
            return Ok(());
        }
        ms += GAP_MS;
    }
}

/// As a camera held upright.
const SIZE: (u16, u16) = (360, 480);
/// Between two frames: six a second.
const GAP_MS: u32 = 160;
const POLL: Duration = Duration::from_millis(50);
