//! The process of a specimen chip: it answers a reader as a chip in the reader's field does.
//!
//! What a chip says is [`Chip`]'s; here is how it is reached.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

use crate::failure::{Failure, OrFail};
use crate::reader::messages::{ANSWER_TO_RESET, Message, length};
use crate::serve::{Stdin, StopSignals, announce};

#[cfg(test)]
mod tests;

/// How long a virtual reader may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// A chip as a reader sees it.
pub(crate) trait Chip {
    /// The answer to a command: data and two status octets. `command` is what came from the reader,
    /// of any length.
    fn answer(&mut self, command: &[u8]) -> Vec<u8>;

    /// Power was lost: what was agreed with the reader has ended.
    fn reset(&mut self);
}

/// Takes an address and answers one reader after the other there, until SIGTERM or SIGINT.
///
/// Prints one line `{"listening":"127.0.0.1:PORT"}` on standard output when ready.
///
/// # Errors
///
/// `address-taken`; when signals or standard output cannot be used.
pub(crate) async fn listen(
    chip: &mut dyn Chip,
    address: SocketAddr,
    stdin: Stdin,
) -> anyhow::Result<()> {
    let signals = StopSignals::new()?;
    let listener = TcpListener::bind(address)
        .await
        .or_fail("address-taken", || format!("cannot listen on {address}"))?;
    announce(listener.local_addr()?)?;
    tokio::select! {
        () = answer_all(chip, &listener) => Ok(()),
        () = signals.received(stdin) => Ok(()),
    }
}

/// Lies on the virtual reader (vpcd) that listens at `address` until SIGTERM or SIGINT, or until
/// the reader goes away. The reader has a minute to be there.
///
/// # Errors
///
/// `reader-missing`; when signals cannot be used.
pub(crate) async fn attach(
    chip: &mut dyn Chip,
    address: SocketAddr,
    stdin: Stdin,
) -> anyhow::Result<()> {
    let signals = StopSignals::new()?;
    let attached = async {
        let stream = connect(address).await?;
        tracing::info!(%address, "on the reader");
        let _gone = answer_one(chip, stream).await;
        tracing::info!("the reader has gone");
        Ok(())
    };
    tokio::select! {
        ended = attached => ended,
        () = signals.received(stdin) => Ok(()),
    }
}

async fn answer_all(chip: &mut dyn Chip, listener: &TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                chip.reset();
                // A reader that went away is no event worth a line.
                let _gone = answer_one(chip, stream).await;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Answers a reader until it goes away; the error says how it went.
async fn answer_one(chip: &mut dyn Chip, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let message = receive(&mut stream).await?;
        let answer = match Message::of(&message) {
            Message::Begin => {
                chip.reset();
                continue;
            }
            Message::GiveAnswerToReset => Zeroizing::new(ANSWER_TO_RESET.to_vec()),
            Message::Command(command) => Zeroizing::new(chip.answer(command)),
        };
        let message = Zeroizing::new([&length(&answer)?, answer.as_slice()].concat());
        stream.write_all(&message).await?;
    }
}

async fn receive(stream: &mut TcpStream) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = [0; 2];
    acknowledge_at_once(stream)?;
    stream.read_exact(&mut length).await?;
    let mut message = Zeroizing::new(vec![0; usize::from(u16::from_be_bytes(length))]);
    acknowledge_at_once(stream)?;
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// vpcd sends length and message apart, and the message only once the length is acknowledged. The
/// system would wait 40 ms with that, for each command; and it forgets soon that it should not.
fn acknowledge_at_once(stream: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    stream.set_quickack(true)?;
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
    Ok(())
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(address).await {
            // A port that nobody listens on can be given to the connection itself.
            Ok(stream) if stream.local_addr()? != address => return Ok(stream),
            Err(error) if begun.elapsed() > PATIENCE => {
                let what = format!("no virtual reader at {address}: {error}");
                return Err(Failure::of("reader-missing", what).into());
            }
            Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
