//! A specimen chip that listens on this machine; no PC/SC is needed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use mrtd::{Transport, TransportError};
use zeroize::Zeroizing;

use super::messages::{GIVE_ANSWER_TO_RESET, POWER_OFF, POWER_ON, length};
use super::unreachable_chip;
use crate::failure::Failure;

/// How long the chip may take over one answer: it computes on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to `bauta specimen chip --listen`.
pub(super) struct Chip(TcpStream);

impl Chip {
    /// Switches the chip on that listens there.
    ///
    /// # Errors
    ///
    /// `chip-unreachable`.
    pub(super) fn open(address: SocketAddr) -> Result<Chip, Failure> {
        let open = || -> io::Result<Chip> {
            let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            let mut chip = Chip(stream);
            chip.send(&[POWER_ON])?;
            // The answer tells that it is this chip's turn: it serves one reader at a time.
            chip.exchange(&[GIVE_ANSWER_TO_RESET])?;
            Ok(chip)
        };
        open().map_err(|error| unreachable_chip(&format!("{address}: {error}")))
    }

    fn exchange(&mut self, message: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        self.send(message)?;
        let mut length = [0; 2];
        self.0.read_exact(&mut length)?;
        let mut answer = Zeroizing::new(vec![0; usize::from(u16::from_be_bytes(length))]);
        self.0.read_exact(&mut answer)?;
        Ok(answer)
    }

    fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = length(payload)?;
        // In one piece: a second one would wait until the first is acknowledged.
        let message = Zeroizing::new([&length, payload].concat());
        self.0.write_all(&message)
    }
}

impl Transport for Chip {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        self.exchange(command).map_err(|error| {
            // An answer that comes after all would be taken for that of the next command.
            let _closed = self.0.shutdown(Shutdown::Both);
            TransportError(error.to_string())
        })
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        // The chip notices the end of the connection anyway.
        let _gone = self.send(&[POWER_OFF]);
    }
}
