//! The demonstration itself: its starts, its ends, and what it leaves alone.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};

use e2e::{binaries, wait};
use rustix::process::{Pid, Signal, kill_process};

const READY: &str = "It all runs now";

/// Demonstrations that pick their ports at the same time pick the same ones.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A demonstration that was started.
struct Demo {
    child: Child,
    output: Receiver<String>,
    said: Vec<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries::path("bauta").unwrap());
    command.arg("demo").args(arguments);
    // Before an officer, unless a test is about faces.
    command.env_remove("BAUTA_FACE_MODELS");
    command.stdin(Stdio::null());
    command
}

fn start(folder: &Path, more: &[&str]) -> Demo {
    let mut command = command(&["--folder", folder.to_str().unwrap()]);
    command.args(more);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (said, output) = mpsc::channel();
    std::thread::spawn(move || {
        // Ends with the demonstration, or when nobody listens any more.
        lines
            .map_while(Result::ok)
            .all(|line| said.send(line).is_ok())
    });
    Demo {
        child,
        output,
        said: Vec::new(),
    }
}

impl Demo {
    /// Reads on to a line with this text.
    fn until(&mut self, text: &str) {
        loop {
            let line = self.output.recv_timeout(wait::LIMIT);
            assert!(line.is_ok(), "never {text:?} but {:#?}", self.said);
            self.said.push(line.unwrap());
            if self.said.last().unwrap().contains(text) {
                return;
            }
        }
    }

    /// What the forum calls the person.
    fn subject(&self) -> &str {
        let told = self
            .said
            .iter()
            .find(|line| line.contains("forum.localhost was told"));
        let subject = told.unwrap().split(" sub ").nth(1).unwrap();
        subject.split(' ').next().unwrap()
    }

    fn signal(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        wait::until("the end of the demonstration", || {
            Ok(self.child.try_wait()?)
        })
        .unwrap()
    }
}

/// Runs it to its end; gives what it said.
fn refused(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Processes that have the folder in their command line.
fn processes_of(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(folder))
        .count()
}

fn wait_until_nothing_runs(folder: &Path) {
    let none = || Ok((processes_of(folder) == 0).then_some(()));
    wait::until("the end of every process of the demonstration", none).unwrap();
}

#[test]
fn later_starts_keep_the_person_whatever_ended_the_one_before() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Killed in the middle of the enrolment: the vault is there, the certificate is not.
    let mut demo = start(folder, &[]);
    demo.until("The wallet read the passport's chip");
    demo.signal(Signal::KILL);
    wait_until_nothing_runs(folder);

    let mut demo = start(folder, &[]);
    demo.until(READY);
    let subject = demo.subject().to_owned();
    assert!(processes_of(folder) > 8);
    let mode = std::fs::metadata(folder.join("data"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    // A second copy is refused, and does not disturb the first.
    let said = refused(&["--folder", folder.to_str().unwrap()]);
    assert!(
        said.contains("already runs") && said.contains("Ctrl-C"),
        "{said}"
    );
    assert!(demo.signal(Signal::INT).success());
    wait_until_nothing_runs(folder);

    let mut demo = start(folder, &[]);
    demo.until("registered already");
    demo.until(READY);
    assert_eq!(demo.subject(), subject);
    demo.signal(Signal::KILL);
    wait_until_nothing_runs(folder);

    let mut demo = start(folder, &[]);
    demo.until(READY);
    assert_eq!(demo.subject(), subject);
    assert!(demo.signal(Signal::TERM).success());

    let mut demo = start(folder, &["--reset"]);
    demo.until("1. Enrolment");
    demo.until(READY);
    assert_ne!(demo.subject(), subject);
    assert!(demo.signal(Signal::INT).success());
    wait_until_nothing_runs(folder);
}

#[test]
fn once_compares_a_face_and_leaves_nothing() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let networks = std::env::var_os("BAUTA_FACE_MODELS");
    let output = command(&["--once"])
        .env(
            "BAUTA_FACE_MODELS",
            networks.expect("see tools/face-models"),
        )
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(
        said.contains("before the camera") && !said.contains("officer confirmed"),
        "{said}"
    );
    assert!(
        said.contains("4. Sign-up at the shop") && said.contains("Shop's gateway"),
        "{said}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    wait_until_nothing_runs(folder.path());
}

#[test]
fn a_taken_port_is_passed_over_at_the_first_start_and_told_at_a_later_one() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    // Whether this test holds it or another program: it is taken.
    let _held = TcpListener::bind("127.0.0.1:9440");
    let mut demo = start(folder.path(), &[]);
    demo.until("Starting shop ");
    demo.until(READY);
    let operator = demo
        .said
        .iter()
        .find(|line| line.contains("Starting operator"));
    let port: u16 = operator
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_ne!(port, 9440);
    assert!(demo.signal(Signal::INT).success());
    wait_until_nothing_runs(folder.path());

    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let said = refused(&["--folder", folder.path().to_str().unwrap()]);
    assert!(
        said.contains(&format!("port {port}")) && said.contains("--reset"),
        "{said}"
    );
    wait_until_nothing_runs(folder.path());
    drop(taken);
    let mut demo = start(folder.path(), &[]);
    demo.until("registered already");
    demo.until(READY);
}

#[test]
fn files_of_others_are_left_alone() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("thesis"), "years of work").unwrap();
    for more in [&[][..], &["--reset"]] {
        let arguments = [&["--folder", folder.path().to_str().unwrap()], more].concat();
        let said = refused(&arguments);
        assert!(said.contains("not a demonstration's"), "{said}");
        assert!(data.join("thesis").exists());
    }
    // Nor does it guess where it may not write.
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::write(&data, "a file").unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o600)).unwrap();
    refused(&["--folder", folder.path().to_str().unwrap()]);
    assert_eq!(std::fs::read(&data).unwrap(), b"a file");
}
