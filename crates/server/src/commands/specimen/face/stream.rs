//! The person as a camera on the network shows it: a stream of JPEG files over HTTP.

use std::io::{self, BufRead, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use face::Movement;
use face::specimen::{Act, Actor};
use serde::Deserialize;

use super::frame;
use crate::failure::OrFail;
use crate::serve::announce;

/// What the person has heard last.
struct Heard {
    act: Act,
    at: Instant,
    before: Act,
}

/// A line of the wallet; others are not for the person.
#[derive(Deserialize)]
struct Line {
    prompt: String,
}

/// Serves the stream until standard input ends.
///
/// # Errors
///
/// `address-taken`.
pub(super) fn run(actor: Actor) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.or_fail("address-taken", || "the camera")?;
    announce(listener.local_addr()?)?;
    let heard = Arc::new(Mutex::new(Heard {
        act: Act::STRAIGHT,
        at: Instant::now(),
        before: Act::STRAIGHT,
    }));
    let mind = Arc::clone(&heard);
    std::thread::spawn(move || {
        while let Ok((viewer, _)) = listener.accept() {
            // Whoever goes away does not end the camera.
            drop(show(&actor, viewer, &mind));
        }
    });
    listen(&heard);
    Ok(())
}

fn listen(heard: &Mutex<Heard>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(Line { prompt }) = serde_json::from_str(&line) else {
            continue;
        };
        let act = match serde_json::from_value::<Movement>(prompt.into()) {
            Ok(movement) => Act::of(movement),
            Err(_) => Act::STRAIGHT,
        };
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.before = heard.act;
        (heard.act, heard.at) = (act, Instant::now());
    }
}

/// Nobody moves at once.
fn acting(heard: &Mutex<Heard>) -> Act {
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    if heard.at.elapsed() < LATE {
        heard.before
    } else {
        heard.act
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a camera takes its frames one after the other, on a thread of its own"
)]
fn show(actor: &Actor, mut viewer: TcpStream, heard: &Mutex<Heard>) -> anyhow::Result<()> {
    // What is asked for does not matter: there is one stream.
    let _request = viewer.read(&mut [0; 1024])?;
    viewer.write_all(
        b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=frame\r\n\r\n",
    )?;
    loop {
        let due = Instant::now() + GAP;
        let frame = frame(actor, acting(heard))?;
        let head = format!(
            "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            frame.len()
        );
        viewer.write_all(head.as_bytes())?;
        viewer.write_all(&frame)?;
        viewer.write_all(b"\r\n")?;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

const LATE: Duration = Duration::from_millis(500);
/// Ten frames a second.
const GAP: Duration = Duration::from_millis(100);
