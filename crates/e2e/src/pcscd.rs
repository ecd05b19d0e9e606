//! A PC/SC service of a test's own, with a virtual reader: pcscd and vsmartcard's driver vpcd, as
//! any program on this machine would meet them, without those of the machine.
//!
//! Both run in name spaces of their own. The driver listens on every interface of its network,
//! which has the loopback interface alone, and whose ports are free; the service finds an empty
//! `/run` and writes nothing to that of the machine.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::wallet::Environment;
use crate::{binaries, wait};

/// A running service. Dropping it kills it, and removes everything.
pub struct Pcscd {
    child: Child,
    user: User,
    folder: TempDir,
}

/// A specimen chip that lies on the virtual reader. Dropping it takes it away.
pub struct Laid(Child);

/// Who makes the name spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    /// An ordinary user, who is root in a user name space.
    Mapped,
    /// Root, where user name spaces are forbidden.
    Root,
}

impl Pcscd {
    /// Starts the service and waits until it has the reader.
    ///
    /// # Errors
    ///
    /// When `./check` has not prepared pcscd and vpcd, when the system allows no name spaces, or when
    /// the reader does not come.
    pub fn start() -> anyhow::Result<Pcscd> {
        let user = User::of_this_process()?;
        let folder = tempfile::tempdir()?;
        let installed = binaries::prepared("BAUTA_PCSCD")?;
        write_configuration(folder.path(), &installed)?;
        let socket = UnixListener::bind(folder.path().join(SOCKET))?;
        let log = File::create(folder.path().join(LOG))?;
        let mut command = Command::new("unshare");
        command.args(user.unshare()).args(["sh", "-ec", INSIDE]);
        command.arg(binaries::prepared("BAUTA_PYTHON")?);
        command.arg(installed.join("usr/sbin/pcscd"));
        command.arg(folder.path());
        // Or it would look for drivers of USB devices, and take this machine's readers.
        command.env("PCSCLITE_HP_DROPDIR", folder.path().join("no-drivers"));
        let child = command
            .stdin(OwnedFd::from(socket))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start unshare")?;
        let mut service = Pcscd {
            child,
            user,
            folder,
        };
        service.until("the virtual reader", |readers| !readers.is_empty())?;
        Ok(service)
    }

    /// What makes a program use this service.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let socket = self.folder.path().join(SOCKET);
        vec![("PCSCLITE_CSOCK_NAME".into(), socket.into())]
    }

    /// The readers, as `bauta document readers` lists them.
    ///
    /// # Errors
    ///
    /// When it fails.
    pub fn readers(&self) -> anyhow::Result<Vec<Value>> {
        let mut command = Command::new(binaries::path("bauta")?);
        command.args(["document", "readers", "--json"]);
        let output = command.envs(self.environment()).output()?;
        ensure!(
            output.status.success(),
            "bauta document readers: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let readers = answer["readers"].as_array();
        Ok(readers.context("a list of readers")?.clone())
    }

    /// Lays the specimen of a folder on the first reader, and waits until the service sees it.
    ///
    /// # Errors
    ///
    /// When its process cannot be started or the service does not see it.
    pub fn lay(&mut self, specimen: &Path) -> anyhow::Result<Laid> {
        let log = File::options()
            .append(true)
            .open(self.folder.path().join(LOG))?;
        let mut command = Command::new("nsenter");
        command.args(self.user.nsenter());
        command.arg(format!("--target={}", self.child.id()));
        command.arg(binaries::path("bauta")?);
        command.args(["specimen", "chip", "--vpcd", &format!("127.0.0.1:{PORT}")]);
        command.arg(specimen).stdin(Stdio::null()).stderr(log);
        let laid = Laid(command.spawn().context("cannot start nsenter")?);
        self.until("the chip on the reader", |readers| {
            readers.iter().any(|reader| reader["chip"] == true)
        })?;
        Ok(laid)
    }

    /// Waits until the readers are as wanted; `what` names that.
    ///
    /// # Errors
    ///
    /// When they are not in time, or the service has ended.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> anyhow::Result<()> {
        let ready = wait::until(what, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("pcscd ended with {status}");
            }
            Ok(wanted(&self.readers()?).then_some(()))
        });
        ready.with_context(|| {
            let log = std::fs::read_to_string(self.folder.path().join(LOG));
            format!("pcscd said: {}", log.unwrap_or_default())
        })
    }

    /// Asks the service to stop and waits until it has.
    ///
    /// # Errors
    ///
    /// When it does not stop in time.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        stop(&mut self.child, "pcscd")
    }
}

impl Laid {
    /// Asks the chip's process to stop and waits until it has.
    ///
    /// # Errors
    ///
    /// When it does not stop in time.
    pub fn take_away(mut self) -> anyhow::Result<ExitStatus> {
        stop(&mut self.0, "the chip")
    }

    /// Waits until the chip's process has ended by itself.
    ///
    /// # Errors
    ///
    /// When it does not end in time.
    pub fn ended(mut self) -> anyhow::Result<ExitStatus> {
        end(&mut self.0, "the chip")
    }
}

impl User {
    fn of_this_process() -> anyhow::Result<User> {
        let mut said = String::new();
        for user in [User::Mapped, User::Root] {
            let mut command = Command::new("unshare");
            let output = command.args(user.unshare()).arg("true").output();
            let output = output.context("cannot start unshare (Debian package util-linux)")?;
            if output.status.success() {
                return Ok(user);
            }
            said += &String::from_utf8_lossy(&output.stderr);
        }
        bail!(
            "this system lets nobody but root make the name spaces that the test of readers needs: \
             allow them (sysctl kernel.unprivileged_userns_clone=1 and \
             kernel.apparmor_restrict_unprivileged_userns=0, where there are such), or run it as \
             root; unshare said: {said}"
        );
    }

    fn unshare(self) -> &'static [&'static str] {
        match self {
            User::Mapped => &["--user", "--map-root-user", "--mount", "--net"],
            User::Root => &["--mount", "--net"],
        }
    }

    fn nsenter(self) -> &'static [&'static str] {
        match self {
            User::Mapped => &["--user", "--preserve-credentials", "--net"],
            User::Root => &["--net"],
        }
    }
}

/// In the test's own network every port is free.
const PORT: u16 = 17_000;
const SOCKET: &str = "pcscd.comm";
const LOG: &str = "log";

/// Runs within the name spaces, with the service's socket as standard input: $0 is Python, $1 the
/// service, $2 the folder. The loopback interface begins switched off, and `ip` is not on every
/// machine. The service takes its socket as it does from systemd, as descriptor 3.
const INSIDE: &str = r#"
mount -t tmpfs none /run
"$0" -c 'import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))'
exec 3<&0 </dev/null
export LISTEN_FDS=1 LISTEN_PID=$$
exec "$1" --foreground --config "$2"
"#;

fn write_configuration(folder: &Path, installed: &Path) -> anyhow::Result<()> {
    let driver = installed.join("usr/lib/pcsc/drivers/serial/libifdvpcd.so");
    let driver = driver.display();
    let text = format!(
        "FRIENDLYNAME \"{READER}\"\nDEVICENAME /dev/null:{PORT:#x}\nLIBPATH {driver}\n\
         CHANNELID {PORT:#x}\n"
    );
    Ok(std::fs::write(folder.join("reader.conf"), text)?)
}

/// What the virtual reader is called; the service adds numbers, as it has two places for chips.
pub const READER: &str = "Specimen reader";

fn stop(child: &mut Child, what: &str) -> anyhow::Result<ExitStatus> {
    kill_process(Pid::from_child(child), Signal::TERM)?;
    end(child, what)
}

fn end(child: &mut Child, what: &str) -> anyhow::Result<ExitStatus> {
    wait::until(&format!("the end of {what}"), || Ok(child.try_wait()?))
}

fn kill(child: &mut Child) {
    // Both fail only when it has ended.
    let _ended = child.kill();
    let _status = child.wait();
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        kill(&mut self.0);
    }
}
