//! The readers that PC/SC knows, on most systems by way of the service pcscd.

use std::ffi::{CStr, CString};
use std::io::Write;
use std::time::{Duration, Instant};

use credential::site_entry::is_control;
use mrtd::{Transport, TransportError};
use pcsc::{Card, Context, Error, Protocols, ReaderState, Scope, ShareMode, State};
use zeroize::Zeroizing;

use super::{ReaderSeen, unreachable_chip};
use crate::failure::Failure;

/// How long a person may take to lay the document on the reader.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long without a change readers are listed anew: one may have been plugged in.
const LIST_AGAIN: Duration = Duration::from_secs(1);

/// A chip that is ours until this is dropped, and then reset.
pub(super) struct Chip {
    card: Card,
    /// Holds the longest answer, extended length and status.
    answer: Zeroizing<Vec<u8>>,
}

/// A reader as PC/SC names it and as a person sees it.
struct Listed {
    name: CString,
    seen: ReaderSeen,
    state: ReaderState,
}

impl Chip {
    /// Waits for a chip on the only reader that has one, among those whose name has `part`.
    ///
    /// # Errors
    ///
    /// `reader-service-missing`, `reader-missing`, `reader-ambiguous`, `reader-busy`,
    /// `chip-missing`, `chip-unreachable`.
    pub(super) fn open(part: &str) -> Result<Chip, Failure> {
        let context = establish()?;
        let begun = Instant::now();
        let mut asked = false;
        loop {
            let readers = named(part, list_with(&context)?)?;
            if let Some(reader) = only_one_with_chip(&readers)?
                && let Some(chip) = connect(&context, &reader.name)?
            {
                return Ok(chip);
            }
            if begun.elapsed() > PATIENCE {
                let what = format!("no chip came within {} s", PATIENCE.as_secs());
                return Err(Failure::of("chip-missing", what));
            }
            if !asked {
                ask(&readers);
                asked = true;
            }
            wait_for_change(&context, readers)?;
        }
    }
}

/// All readers and whether a chip lies on them.
///
/// # Errors
///
/// `reader-service-missing`.
pub(super) fn list() -> Result<Vec<ReaderSeen>, Failure> {
    let readers = list_with(&establish()?)?;
    Ok(readers.into_iter().map(|reader| reader.seen).collect())
}

fn establish() -> Result<Context, Failure> {
    Context::establish(Scope::User).map_err(service_failed)
}

fn service_failed(error: Error) -> Failure {
    let what = format!("the PC/SC service does not answer: {error}");
    Failure::of("reader-service-missing", what)
}

fn list_with(context: &Context) -> Result<Vec<Listed>, Failure> {
    let names = match context.list_readers_owned() {
        Ok(names) => names,
        Err(Error::NoReadersAvailable) => Vec::new(),
        Err(error) => return Err(service_failed(error)),
    };
    names
        .into_iter()
        .map(|name| {
            let mut state = [ReaderState::new(name.clone(), State::UNAWARE)];
            match context.get_status_change(Duration::ZERO, &mut state) {
                // Without a driver or just unplugged: nothing lies on it.
                Ok(()) | Err(Error::Timeout | Error::UnknownReader | Error::ReaderUnavailable) => {}
                Err(error) => return Err(service_failed(error)),
            }
            let [state] = state;
            let seen = ReaderSeen {
                name: shown(&name),
                chip: has_chip(state.event_state()),
            };
            Ok(Listed { name, seen, state })
        })
        .collect()
}

/// A chip that does not answer, as one at the edge of the field, is not there yet.
fn has_chip(state: State) -> bool {
    state.contains(State::PRESENT) && !state.contains(State::MUTE)
}

/// A device can call itself what it likes; it must not steer the terminal.
fn shown(name: &CStr) -> String {
    let name = name.to_string_lossy();
    name.chars().filter(|c| !is_control(*c)).collect()
}

/// The reader of this name, or all whose names have it as a part.
fn named(name: &str, readers: Vec<Listed>) -> Result<Vec<Listed>, Failure> {
    let exact = readers.iter().any(|reader| reader.seen.name == name);
    let is_meant = |found: &str| found == name || (!exact && found.contains(name));
    let found: Vec<_> = readers
        .into_iter()
        .filter(|reader| is_meant(&reader.seen.name))
        .collect();
    if found.is_empty() {
        let what = if name.is_empty() {
            "no reader is connected to this machine"
        } else {
            "no reader of this name is connected to this machine"
        };
        return Err(Failure::of("reader-missing", what));
    }
    Ok(found)
}

fn only_one_with_chip(readers: &[Listed]) -> Result<Option<&Listed>, Failure> {
    let mut found = readers.iter().filter(|reader| reader.seen.chip);
    let first = found.next();
    if found.next().is_some() {
        let what = "chips lie on more than one reader";
        return Err(Failure::of("reader-ambiguous", what));
    }
    Ok(first)
}

/// Connects to the chip, or `None` where it has left the field again.
fn connect(context: &Context, reader: &CStr) -> Result<Option<Chip>, Failure> {
    let connected = context
        .connect(reader, ShareMode::Shared, Protocols::ANY)
        .and_then(|mut card| {
            // The transaction keeps other programs away. It is not ended but goes with the
            // connection: a value that borrows the card could not be kept beside it.
            std::mem::forget(card.transaction()?);
            Ok(card)
        });
    match connected {
        Ok(card) => Ok(Some(Chip {
            card,
            answer: Zeroizing::new(vec![0; pcsc::MAX_BUFFER_SIZE_EXTENDED]),
        })),
        Err(
            Error::NoSmartcard
            | Error::RemovedCard
            | Error::ResetCard
            | Error::UnpoweredCard
            | Error::UnresponsiveCard
            | Error::UnknownReader,
        ) => Ok(None),
        Err(Error::SharingViolation) => {
            let what = "another program uses the chip alone";
            Err(Failure::of("reader-busy", what))
        }
        Err(error) => Err(unreachable_chip(&error)),
    }
}

/// Asks the person, on standard error: standard output belongs to scripts.
fn ask(readers: &[Listed]) {
    let line = match readers {
        [reader] => format!("Lay the document on the reader {}", reader.seen.name),
        _ => "Lay the document on the reader".to_owned(),
    };
    let _gone = writeln!(std::io::stderr(), "{line}, and leave it there.");
}

/// Waits until something happens on one of the readers, for a second at most.
fn wait_for_change(context: &Context, readers: Vec<Listed>) -> Result<(), Failure> {
    let known = |mut reader: Listed| {
        reader.state.sync_current_state();
        reader.state
    };
    let mut states: Vec<_> = readers.into_iter().map(known).collect();
    match context.get_status_change(LIST_AGAIN, &mut states) {
        Ok(()) | Err(Error::Timeout | Error::UnknownReader | Error::ReaderUnavailable) => Ok(()),
        Err(error) => Err(service_failed(error)),
    }
}

impl Transport for Chip {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let answer = self.card.transmit(command, &mut self.answer);
        let answer = answer.map_err(|error| TransportError(error.to_string()))?;
        Ok(Zeroizing::new(answer.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers(seen: &[(&str, bool)]) -> Vec<Listed> {
        let listed = |&(name, chip): &(&str, bool)| {
            let name = CString::new(name).unwrap();
            Listed {
                seen: ReaderSeen {
                    name: shown(&name),
                    chip,
                },
                state: ReaderState::new(name.clone(), State::UNAWARE),
                name,
            }
        };
        seen.iter().map(listed).collect()
    }

    fn chosen(name: &str, seen: &[(&str, bool)]) -> Result<Option<String>, String> {
        let readers = named(name, readers(seen)).map_err(|refused| refused.id)?;
        let found = only_one_with_chip(&readers).map_err(|refused| refused.id)?;
        Ok(found.map(|reader| reader.seen.name.clone()))
    }

    #[test]
    fn a_whole_name_goes_before_a_part_and_a_part_means_the_reader_with_the_chip() {
        let seen = [("One 00", false), ("One 00 b", true), ("Two 00", true)];
        let found = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(chosen("One 00", &seen), Ok(None));
        assert_eq!(chosen("One", &seen), found("One 00 b"));
        assert_eq!(chosen("Two", &seen), found("Two 00"));
        assert_eq!(chosen("", &seen[..2]), found("One 00 b"));
    }

    #[test]
    fn two_chips_or_no_such_reader_are_no_choice() {
        let seen = [("One 00", true), ("Two 00", true)];
        for (name, id) in [
            ("", "reader-ambiguous"),
            ("00", "reader-ambiguous"),
            ("Three", "reader-missing"),
        ] {
            assert_eq!(chosen(name, &seen), Err(id.to_owned()));
        }
        assert_eq!(chosen("", &[]), Err("reader-missing".to_owned()));
    }

    #[test]
    fn a_reader_that_names_itself_badly_does_not_steer_the_terminal() {
        let seen = [("One \u{1b}[2J\u{202e}00", true)];
        assert_eq!(chosen("One", &seen), Ok(Some("One [2J00".to_owned())));
    }

    #[test]
    fn a_chip_that_does_not_answer_is_not_there() {
        assert!(has_chip(State::PRESENT | State::INUSE | State::CHANGED));
        assert!(!has_chip(State::PRESENT | State::MUTE));
        assert!(!has_chip(State::EMPTY));
    }
}
