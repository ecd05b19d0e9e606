//! The person before a camera, a video, or a folder of pictures, with the real networks and ffmpeg.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use e2e::wallet::Wallet;
use e2e::world::World;
use e2e::{binaries, wait};
use serde_json::Value;
use server::demo::chip::Chip;
use server::demo::deployment::Party;
use server::demo::{Faces, Person};

/// A camera on the network, and who stands before it.
struct Camera {
    child: Child,
    address: String,
}

impl Camera {
    fn start() -> Camera {
        let faces = Faces::from_environment().unwrap();
        let mut command = Command::new(binaries::path("bauta").unwrap());
        command.args(["specimen", "face", "--stream"]);
        command.arg(faces.photographs.join("obama.jpg"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let said = said.lines().next().unwrap().unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        let address = format!("http://{}/", said["listening"].as_str().unwrap());
        Camera { child, address }
    }

    /// The person hears a line of the wallet.
    fn hear(&mut self, line: &str) {
        let ears = self.child.stdin.as_mut().unwrap();
        writeln!(ears, "{line}").unwrap();
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It may have been killed.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A wallet that reads a chip and sees its holder.
struct Enrolling {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _chip: Chip,
}

impl Enrolling {
    fn start(world: &World, wallet: &Wallet<'_>, camera: &OsStr) -> Enrolling {
        let passport = world.deployment().passport(1, &[]).unwrap();
        let chip = Chip::start(&passport).unwrap();
        let zone = passport.join("zone.txt");
        let mut arguments: Vec<OsString> = vec!["--reader".into(), chip.address().into()];
        arguments.extend(["--access".into(), zone.into()]);
        arguments.extend([
            "--agree".into(),
            "face".into(),
            "--face".into(),
            camera.into(),
        ]);
        let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
        let mut child = wallet.start_enrolment(&arguments).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Enrolling {
            child,
            lines,
            _chip: chip,
        }
    }

    /// The wallet's next line.
    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("the wallet ended").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Reads on to an answer with this member.
    fn until(&mut self, member: &str) -> Value {
        loop {
            let line = self.next();
            assert!(line.get("error").is_none(), "{line}");
            if line.get(member).is_some() {
                return line;
            }
        }
    }
}

impl Drop for Enrolling {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A wallet whose holder has just been asked for movements.
fn before_a_camera(world: &World) -> (Wallet<'_>, Camera, Enrolling) {
    let wallet = world.wallet("alva");
    let camera = Camera::start();
    let mut enrolling = Enrolling::start(world, &wallet, camera.address.as_ref());
    enrolling.until("challenge");
    (wallet, camera, enrolling)
}

#[test]
fn who_stands_still_is_asked_again_and_who_follows_needs_no_officer() {
    let world = World::comparing_faces().unwrap();
    let (wallet, mut camera, mut enrolling) = before_a_camera(&world);
    // The person hears nothing of the first challenge, and all of the second; and of a third, should
    // this machine have been too busy for the second.
    enrolling.until("challenge");
    let last = loop {
        let line = enrolling.next();
        assert!(
            line.get("session").is_none(),
            "an officer is waited for: {line}"
        );
        if line.get("prompt").is_some() {
            camera.hear(&line.to_string());
        } else if line.get("challenge").is_none() {
            break line;
        }
    };
    assert!(last["web_number"].is_string(), "{last}");
    let shown = wallet.run(&["show"]).unwrap().unwrap();
    let attributes = &shown["certificate"]["attributes"];
    assert_eq!(attributes["assurance_level"], "substantial");
    world.log_in(Party::ForumGateway, &wallet).unwrap();
}

#[test]
fn a_video_that_was_filmed_meanwhile_will_do() {
    let world = World::comparing_faces().unwrap();
    let wallet = world.wallet("alva");
    let scratch = world.scratch().unwrap();
    let video = scratch.join("me.mp4");
    let mut enrolling = Enrolling::start(&world, &wallet, video.as_os_str());
    let asked = enrolling.until("challenge")["challenge"].clone();
    let faces = Faces::from_environment().unwrap();
    let person = Person::start(world.deployment(), &faces).unwrap();
    let place = person.camera().join("1");
    std::fs::create_dir(&place).unwrap();
    let prompts = place.join("prompts.new");
    std::fs::write(&prompts, asked.to_string()).unwrap();
    std::fs::rename(prompts, place.join("prompts.json")).unwrap();
    let end_ms = asked["end_ms"].as_u64().unwrap();
    let last_ms = end_ms.div_ceil(160) * 160;
    let times = (0..=last_ms).step_by(160);
    let pictures: Vec<PathBuf> = times.map(|ms| place.join(format!("{ms}.jpg"))).collect();
    let last = pictures.last().unwrap();
    wait::until("the last picture", || Ok(last.exists().then_some(()))).unwrap();
    let filmed = scratch.join("filming.mp4");
    film(&pictures, &filmed);
    std::fs::rename(filmed, video).unwrap();
    let last = enrolling.until("web_number");
    assert!(last["web_number"].is_string(), "{last}");
}

/// Makes a video of pictures that were taken every 160 milliseconds.
fn film(pictures: &[PathBuf], video: &Path) {
    let program = std::env::var_os("BAUTA_FFMPEG").unwrap_or_else(|| "ffmpeg".into());
    let mut ffmpeg = Command::new(program);
    ffmpeg.args([
        "-loglevel",
        "error",
        "-f",
        "image2pipe",
        "-framerate",
        "6.25",
    ]);
    ffmpeg.args(["-c:v", "mjpeg", "-i", "pipe:0", "-c:v", "libx264"]);
    ffmpeg.args(["-pix_fmt", "yuv420p"]).arg(video);
    let mut running = ffmpeg.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    for path in pictures {
        input.write_all(&std::fs::read(path).unwrap()).unwrap();
    }
    drop(input);
    assert!(running.wait().unwrap().success());
}

#[test]
fn who_loses_the_camera_goes_on_before_an_officer() {
    let world = World::comparing_faces().unwrap();
    let (wallet, mut camera, mut enrolling) = before_a_camera(&world);
    camera.child.kill().unwrap();
    let failed = loop {
        let line = enrolling.next();
        if line.get("error").is_some() {
            break line;
        }
    };
    assert_eq!(failed["error"], "camera-missing");
    enrolling.child.wait().unwrap();

    let resumed = wallet.begin_enrolment_of(&[OsStr::new("--resume")]);
    let resumed = resumed.unwrap().unwrap();
    let code = resumed.confirm().unwrap().unwrap();
    let enrolled = resumed.finish(&code).unwrap().unwrap();
    assert!(enrolled["web_number"].is_string());
}
