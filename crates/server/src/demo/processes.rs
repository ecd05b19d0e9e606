//! The processes of a demonstration: started, watched until ready, stopped by their own id.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

use rustix::process::{Pid, Signal, kill_process};

use super::Party;
use super::deployment::{Deployment, program};
use crate::clock;

/// How long a process may take to listen, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Running processes; dropped, they are stopped.
///
/// Each one ends by itself when its standard input closes, so none outlives this process even
/// when this one is killed.
#[derive(Default)]
pub struct Processes(Vec<(Party, Child)>);

impl Processes {
    /// Starts `party` and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it ends or does not listen in time; the error names its log.
    pub fn start(&mut self, deployment: &Deployment, party: Party) -> anyhow::Result<()> {
        let mut command = command_of(deployment, party)?;
        let log = deployment.folder_of(party).join("log");
        let log_file = File::options().create(true).append(true).open(&log)?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .with_context(|| format!("cannot start {}", party.name()))?;
        let output = child.stdout.take().context("the output was piped")?;
        self.0.push((party, child));
        let (ready, waits) = mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            let first = lines.next().and_then(Result::ok);
            let _ = ready.send(first.is_some_and(|line| line.contains("\"listening\"")));
            // Read on, so that the process never waits for us.
            lines.for_each(drop);
        });
        match waits.recv_timeout(PATIENCE) {
            Ok(true) => Ok(()),
            Ok(false) => bail!("{} ended: see {}", party.name(), log.display()),
            Err(_) => bail!(
                "{} does not listen after a minute: see {}",
                party.name(),
                log.display()
            ),
        }
    }

    /// The process id of `party`, if it runs.
    #[must_use]
    pub fn id(&self, party: Party) -> Option<u32> {
        self.0
            .iter()
            .find(|(known, _)| *known == party)
            .map(|(_, child)| child.id())
    }

    /// Stops `party`: closes its standard input and waits for its end, or kills it.
    pub fn stop(&mut self, party: Party) {
        self.0.retain_mut(|(known, child)| {
            if *known == party {
                end(child);
            }
            *known != party
        });
    }

    /// The first process that has ended by itself.
    pub fn ended(&mut self) -> Option<Party> {
        self.0.iter_mut().find_map(|(party, child)| {
            let ended = child.try_wait().is_ok_and(|status| status.is_some());
            ended.then_some(*party)
        })
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            drop(child.stdin.take());
        }
        for (_, child) in &mut self.0 {
            end(child);
        }
    }
}

fn end(child: &mut Child) {
    drop(child.stdin.take());
    let (ended, waits) = mpsc::channel::<()>();
    let id = Pid::from_child(child);
    // A process that does not stop when asked is killed, so that nothing is left behind.
    let guard = std::thread::spawn(move || {
        if waits.recv_timeout(PATIENCE).is_err() {
            let _gone = kill_process(id, Signal::KILL);
        }
    });
    let _ = child.wait();
    let _ = ended.send(());
    let _ = guard.join();
}

fn command_of(deployment: &Deployment, party: Party) -> anyhow::Result<Command> {
    let (name, role) = match party {
        Party::Trustee1 | Party::Trustee2 | Party::Trustee3 => ("bauta", "trustee"),
        Party::Operator => ("bauta", "serve"),
        Party::ForumGateway | Party::ShopGateway => ("bauta", "gateway"),
        Party::Forum => ("bauta-sites", "forum"),
        Party::Shop => ("bauta-sites", "shop"),
    };
    let mut command = Command::new(program(name)?);
    command
        .arg(role)
        .arg("--config")
        .arg(deployment.config(party));
    if party == Party::Operator {
        // Whoever comes back to a demonstration after weeks has no other clock to look at.
        command.args(["--today", &clock::date(clock::now())]);
    }
    Ok(command)
}
