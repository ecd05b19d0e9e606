//! Readers of chips: those of the machine through PC/SC, and a specimen chip that listens.

use std::net::SocketAddr;

use mrtd::{Transport, TransportError};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;

pub(crate) mod messages;
#[cfg_attr(not(feature = "pcsc"), path = "reader/without_pc_sc.rs")]
mod pc_sc;
mod specimen;

/// A chip in the field of a reader. Dropping it resets the chip and leaves it to others.
pub struct Reader(Way);

enum Way {
    PcSc(pc_sc::Chip),
    Specimen(specimen::Chip),
}

/// A reader of this machine.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ReaderSeen {
    /// What PC/SC calls it, without control characters.
    pub name: String,
    /// Whether a chip lies on it that answers.
    pub chip: bool,
}

impl Reader {
    /// Opens the chip on the reader `name`: an address of the loopback interface where a specimen
    /// chip listens, the name of a PC/SC reader or a part of it, or `auto`. Among several readers
    /// it is the only one with a chip; where none has one, a person is asked on standard error to
    /// lay the document on the reader, and has a minute.
    ///
    /// It blocks the thread, as every command to the chip does.
    ///
    /// # Errors
    ///
    /// `argument-invalid`, `reader-support-missing`, `reader-service-missing`, `reader-missing`,
    /// `reader-ambiguous`, `reader-busy`, `chip-missing`, `chip-unreachable`.
    pub fn open(name: &str) -> Result<Reader, Failure> {
        Ok(Reader(match Name::of(name)? {
            Name::Specimen(address) => Way::Specimen(specimen::Chip::open(address)?),
            Name::PcSc(part) => Way::PcSc(pc_sc::Chip::open(part)?),
        }))
    }
}

/// The readers of this machine, in the order of PC/SC.
///
/// # Errors
///
/// `reader-support-missing`, `reader-service-missing`.
pub fn list() -> Result<Vec<ReaderSeen>, Failure> {
    pc_sc::list()
}

impl Transport for Reader {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        // A shorter one would be something else to a virtual reader, or to a driver.
        if command.len() < 4 {
            let what = "a command has at least four octets";
            return Err(TransportError(what.to_owned()));
        }
        match &mut self.0 {
            Way::PcSc(chip) => chip.transmit(command),
            Way::Specimen(chip) => chip.transmit(command),
        }
    }
}

/// What a person calls a reader.
#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Specimen(SocketAddr),
    /// A part of a name that PC/SC has; every name has the empty one.
    PcSc(&'a str),
}

impl Name<'_> {
    fn of(name: &str) -> Result<Name<'_>, Failure> {
        match name.parse::<SocketAddr>() {
            Ok(address) => on_this_machine(address).map(Name::Specimen),
            Err(_) if name == AUTO => Ok(Name::PcSc("")),
            Err(_) => Ok(Name::PcSc(name)),
        }
    }
}

/// The only reader that has a chip.
const AUTO: &str = "auto";

/// Lets pass an address of the loopback interface: what goes to a specimen chip is not encrypted.
///
/// # Errors
///
/// `argument-invalid`.
pub(crate) fn on_this_machine(address: SocketAddr) -> Result<SocketAddr, Failure> {
    if address.ip().is_loopback() {
        return Ok(address);
    }
    let what = "a specimen chip is reached on the loopback interface alone, such as 127.0.0.1:PORT";
    Err(Failure::of("argument-invalid", what))
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Failure {
        Failure::of("chip-unreachable", error)
    }
}

fn unreachable_chip(why: &impl ToString) -> Failure {
    TransportError(why.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_specimen_and_everything_else_a_name() {
        let specimen = Name::of("127.0.0.1:7000").unwrap();
        assert_eq!(specimen, Name::Specimen("127.0.0.1:7000".parse().unwrap()));
        assert!(matches!(Name::of("[::1]:7000"), Ok(Name::Specimen(_))));
        assert_eq!(Name::of("auto").unwrap(), Name::PcSc(""));
        assert_eq!(Name::of("ACR1252").unwrap(), Name::PcSc("ACR1252"));
        assert_eq!(Name::of("127.0.0.1").unwrap(), Name::PcSc("127.0.0.1"));
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        for address in ["192.0.2.7:7000", "0.0.0.0:7000", "[2001:db8::1]:7000"] {
            assert_eq!(Name::of(address).unwrap_err().id, "argument-invalid");
        }
    }

    #[cfg(not(feature = "pcsc"))]
    #[test]
    fn a_program_without_readers_says_how_to_build_one_with_them() {
        let refused = list().unwrap_err();
        assert_eq!(refused.id, "reader-support-missing");
        assert!(refused.next.contains("--features pcsc"), "{refused}");
    }
}
