//! `bauta demo`: the whole system on this machine.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::demo::deployment::{self, Deployment};
use crate::demo::processes::Processes;
use crate::demo::{Faces, Party, Ports, walk};
use crate::failure::OrFail;

/// Options of `bauta demo`.
#[derive(Debug, Args)]
pub struct DemoCommand {
    /// Folder for all of it. Default: `bauta/demo` in the user's state folder.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Remove what an earlier start left, and begin anew.
    #[arg(long)]
    reset: bool,
    /// Use a temporary folder, remove it at the end, and end after the walk.
    #[arg(long, conflicts_with_all = ["folder", "reset"])]
    once: bool,
}

/// How often the processes are looked after.
const TICK: Duration = Duration::from_secs(1);

impl DemoCommand {
    /// Runs the demonstration.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = super::runtime()?;
        if self.once {
            let folder = tempfile::Builder::new().prefix("bauta-demo-").tempdir()?;
            runtime.block_on(start(folder.path(), &Mode::Once))?;
            return folder.close().context("cannot remove the temporary folder");
        }
        let folder = self.folder.or_else(crate::config::demo_folder);
        let folder = folder.or_fail(
            "argument-invalid",
            || "the user's state folder is not known: give --folder",
        )?;
        let mode = if self.reset { Mode::Reset } else { Mode::Stay };
        runtime.block_on(start(&folder, &mode))
    }
}

#[derive(PartialEq, Eq)]
enum Mode {
    Once,
    Reset,
    Stay,
}

async fn start(folder: &Path, mode: &Mode) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let _lock = deployment::lock(folder)?;
    let data = folder.join("data");
    if *mode == Mode::Reset {
        Deployment::remove(&data)?;
    }
    let mut say = |line: &str| {
        let _ = writeln!(std::io::stdout(), "{line}");
    };
    say("Making keys, certificates and configurations …");
    let faces = Faces::from_environment();
    let deployment = Deployment::open_or_create(&data, Ports::preferred, faces.as_ref())?;
    say(match deployment.faces() {
        Some(_) => "A machine compares faces; where it is not sure, an officer does.",
        None => {
            "There are no networks for faces (tools/face-models makes them): an officer has to confirm \
             each person."
        }
    });
    let mut processes = Processes::default();
    for party in Party::ALL {
        say(&format!(
            "Starting {:14} {}",
            party.name(),
            deployment.origin(party)
        ));
        processes
            .start(&deployment, party)
            .with_context(|| busy(&deployment, party))?;
    }
    say("");
    tokio::select! {
        walked = walk(&deployment, &mut say) => walked?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    }
    if *mode == Mode::Once {
        return Ok(());
    }
    try_next(&deployment, &mut say)?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            () = tokio::time::sleep(TICK) => {
                if let Some(party) = processes.ended() {
                    bail!("{} has ended: see {}", party.name(),
                        deployment.folder_of(party).join("log").display());
                }
            }
        }
    }
    say("Stopping …");
    Ok(())
}

fn busy(deployment: &Deployment, party: Party) -> String {
    format!(
        "{} could not start; if something else uses port {} by now, stop that or start with --reset",
        party.name(),
        deployment.ports().listen(party)
    )
}

fn try_next(deployment: &Deployment, say: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let shown = |path: PathBuf| path.display().to_string();
    let program = std::env::current_exe()?;
    let program = shown(program.parent().unwrap_or(Path::new(".")).to_owned());
    let at = deployment.folder().display();
    let [forum, shop, operator] =
        [Party::Forum, Party::Shop, Party::Operator].map(|party| deployment.origin(party));
    let (ca, trust) = (shown(deployment.ca()), shown(deployment.trust_file()));
    let (id, officer) = (deployment::OFFICER, shown(deployment.officer_key()));
    let token = shown(deployment.moderator_token());
    let home = shown(deployment.wallet_home(crate::demo::WALLET));
    let yourself = if deployment.faces().is_some() {
        format!(
            "\nYourself, before your camera, with a JPEG of your face as the portrait of an invented person:\n\
             \n  bauta specimen passport --person 3 --image ME.jpg --authority {at}/specimen --out {at}/third/passport\n  \
             bauta wallet --home {at}/third/wallet enrol --face camera --operator {trust} --ca {ca} {at}/third/passport\n"
        )
    } else {
        String::new()
    };
    say(&format!(
        "\nIt all runs now. Ctrl-C here stops everything; the data stays in\n  {at}\n\
         \nTry next, in a browser that trusts {ca} (or accept its warning):\n\
         \n  {forum}   the forum\n  {shop}   the shop\n\
         \nIn another terminal, so that the commands on the pages work as they stand:\n\
         \n  export PATH={program}:$PATH BAUTA_WALLET_HOME={home}\n  bauta wallet show\n  \
         bauta wallet sites\n\
         \nA second person, who has other accounts (the wallet names the session for the officer's line):\n\
         \n  bauta specimen passport --person 2 --authority {at}/specimen --out {at}/second/passport\n  \
         bauta wallet --home {at}/second/wallet enrol --operator {trust} --ca {ca} {at}/second/passport\n  \
         export BAUTA_OPERATOR={operator} BAUTA_CA={ca} BAUTA_OFFICER={id} BAUTA_OFFICER_KEY={officer}\n  \
         bauta officer confirm SESSION\n\
         {yourself}\nA ban at the forum holds for every browser and device of the person, and at the forum alone:\n\
         \n  {forum}/moderation   the token is in {token}",
    ));
    Ok(())
}
