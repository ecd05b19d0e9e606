//! Data group 1: the machine-readable zone as the chip stores it.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::mrz::{Mrz, MrzError, MrzFields};
use crate::time::CalendarDate;
use crate::tlv::{self, TlvError};

/// Reads EF.DG1: tag `61`, in it tag `5F1F` with the characters of the zone.
///
/// This says nothing about whether the data is genuine; [`crate::DocumentFiles::authenticate`]
/// does. `today` resolves years of two digits, see [`Mrz::parse`].
///
/// Source: ICAO Doc 9303-10, 8th edition, §4.7.1.
///
/// # Errors
///
/// [`Dg1Error`] for another frame or a zone that is refused.
pub fn parse_dg1(file: &[u8], today: CalendarDate) -> Result<Mrz, Dg1Error> {
    parse_dg1_of(file, today, None)
}

/// The same for a holder whose birth date data group 11 gives as `born`: it stands for what the zone
/// leaves out.
///
/// # Errors
///
/// As [`parse_dg1`].
pub fn parse_dg1_of(
    file: &[u8],
    today: CalendarDate,
    born: Option<CalendarDate>,
) -> Result<Mrz, Dg1Error> {
    let mut inside = tlv::single(file, DG1_TAG)?.inside();
    let zone = inside.expect(MRZ_TAG)?;
    inside.end()?;
    Ok(Mrz::parse_of(zone.value, today, born)?)
}

/// Writes EF.DG1, for specimens.
///
/// # Errors
///
/// As [`Mrz::compose`].
pub fn compose_dg1(fields: &MrzFields<'_>) -> Result<Zeroizing<Vec<u8>>, MrzError> {
    let zone = Mrz::compose(fields)?;
    let inner = Zeroizing::new(tlv::element(MRZ_TAG, &[zone.as_slice()]));
    Ok(Zeroizing::new(tlv::element(DG1_TAG, &[&inner])))
}

/// Why a data group 1 is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Dg1Error {
    /// The frame is broken.
    #[error("malformed data group 1")]
    Frame(#[from] TlvError),
    /// The machine-readable zone in it is refused.
    #[error("malformed machine-readable zone")]
    Mrz(#[from] MrzError),
}

const DG1_TAG: u32 = 0x61;
const MRZ_TAG: u32 = 0x5F1F;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZONE: &[u8] = b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\
        L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn today() -> CalendarDate {
        CalendarDate::new(2011, 6, 1).unwrap()
    }

    fn file() -> Vec<u8> {
        [&[0x61, 0x5B, 0x5F, 0x1F, 0x58], ZONE].concat()
    }

    #[test]
    fn the_published_example_is_read() {
        assert_eq!(
            parse_dg1(&file(), today()).unwrap().document_number(),
            "L898902C3"
        );
    }

    #[test]
    fn every_truncation_is_refused() {
        let file = file();
        for length in 0..file.len() {
            let error = parse_dg1(&file[..length], today()).unwrap_err();
            assert_eq!(error, Dg1Error::Frame(TlvError::Truncated));
        }
    }

    #[test]
    fn trailing_bytes_are_refused_outside_and_inside() {
        let mut outside = file();
        outside.push(0);
        let mut inside = outside.clone();
        inside[1] += 1;
        for file in [outside, inside] {
            let error = parse_dg1(&file, today()).unwrap_err();
            assert!(matches!(error, Dg1Error::Frame(_)), "{error}");
        }
    }

    #[test]
    fn zones_of_other_lengths_are_refused() {
        for length in [0, 30, 89, 91, 180] {
            let file = tlv::element(DG1_TAG, &[&tlv::element(MRZ_TAG, &[&vec![b'<'; length]])]);
            let error = parse_dg1(&file, today()).unwrap_err();
            assert_eq!(error, Dg1Error::Mrz(MrzError::Length(length)));
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse_dg1(&input, today());
        }

        #[test]
        fn no_zone_in_a_good_frame_panics(zone in proptest::collection::vec(any::<u8>(), 72..91)) {
            let file = tlv::element(DG1_TAG, &[&tlv::element(MRZ_TAG, &[&zone])]);
            let _ = parse_dg1(&file, today());
        }
    }
}
