//! The canonical bytes of a number, equal however it was written.

use credential::attributes::Attributes;
use icu_normalizer::ComposingNormalizerBorrowed;
use mrtd::StateCode;
use store::TagKind;
use zeroize::Zeroizing;

use crate::residents::gb11643;

/// Keeps the input of the tag function apart from every other use of it.
const DOMAIN: &str = "bauta/v1/tag";

/// A number that evidence yields, with the state that gave it.
#[derive(PartialEq, Eq)]
pub struct EvidenceNumber {
    kind: TagKind,
    canonical: Zeroizing<Vec<u8>>,
}

/// The text holds no number: nothing but fillers, or characters that no zone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of a document")]
pub struct NotANumber;

impl EvidenceNumber {
    /// The number `text` that `state` gave.
    ///
    /// Fillers and spaces are dropped and letters become capitals; a resident number of China of
    /// 15 digits becomes the one of 18.
    ///
    /// # Errors
    ///
    /// [`NotANumber`] when nothing is left or it is not ASCII letters and digits.
    pub fn new(kind: TagKind, state: StateCode, text: &str) -> Result<EvidenceNumber, NotANumber> {
        let mut number = Zeroizing::new(Vec::with_capacity(text.len().max(18)));
        for character in text.bytes().filter(|c| !matches!(c, b'<' | b' ')) {
            if !character.is_ascii_alphanumeric() {
                return Err(NotANumber);
            }
            number.push(character.to_ascii_uppercase());
        }
        if number.is_empty() {
            return Err(NotANumber);
        }
        let state = state.alpha3();
        if kind == TagKind::PersonNumber && state == "CHN" {
            gb11643::lengthen(&mut number);
        }
        Ok(EvidenceNumber::of_parts(kind, [state.as_bytes(), &number]))
    }

    /// What a person shares with namesakes of the same birth date and sex: letters and digits of the
    /// whole name as capitals, since documents divide names in different places; of no state, since
    /// somebody with passports of two states has the same name.
    ///
    /// # Errors
    ///
    /// [`NotANumber`] for a name without letters.
    pub(crate) fn of_namesakes(person: &Attributes) -> Result<EvidenceNumber, NotANumber> {
        let whole = Zeroizing::new([&*person.family_name, &person.given_name].concat());
        let whole = Zeroizing::new(
            ComposingNormalizerBorrowed::new_nfkc()
                .normalize(&whole)
                .into_owned(),
        );
        // Longer than any name, so that no part of it stays behind when the text grows.
        let mut name = Zeroizing::new(String::with_capacity(3 * whole.len()));
        name.extend(
            whole
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_uppercase),
        );
        if name.is_empty() {
            return Err(NotANumber);
        }
        let born = Zeroizing::new([person.birthdate.to_iso().as_str(), &person.sex].concat());
        let parts = [name.as_bytes(), born.as_bytes()];
        Ok(EvidenceNumber::of_parts(TagKind::Namesake, parts))
    }

    fn of_parts(kind: TagKind, parts: [&[u8]; 2]) -> EvidenceNumber {
        let mut canonical = Zeroizing::new(Vec::with_capacity(512));
        for part in [DOMAIN.as_bytes(), kind_name(kind)]
            .into_iter()
            .chain(parts)
        {
            canonical.extend_from_slice(&u64::try_from(part.len()).unwrap_or(0).to_be_bytes());
            canonical.extend_from_slice(part);
        }
        EvidenceNumber { kind, canonical }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> TagKind {
        self.kind
    }

    /// The bytes that are blinded.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.canonical
    }
}

fn kind_name(kind: TagKind) -> &'static [u8] {
    match kind {
        TagKind::DocumentNumber => b"document-number",
        TagKind::PersonNumber => b"person-number",
        TagKind::Namesake => b"name-birth-sex",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(kind: TagKind, state: &str, text: &str) -> Vec<u8> {
        let state = state.parse().unwrap();
        EvidenceNumber::new(kind, state, text)
            .unwrap()
            .expose()
            .to_vec()
    }

    #[test]
    fn spellings_of_one_number_become_one() {
        let kind = TagKind::DocumentNumber;
        let canonical = bytes(kind, "UTO", "L898902C3");
        for text in ["l898902c3", "L898902C3<<", "L 898902 C3"] {
            assert_eq!(bytes(kind, "UTO", text), canonical);
        }
        assert_eq!(bytes(kind, "D", "X1"), bytes(kind, "DEU", "X1"));
    }

    #[test]
    fn kind_state_and_number_are_kept_apart() {
        let all = [
            bytes(TagKind::DocumentNumber, "UTO", "12"),
            bytes(TagKind::PersonNumber, "UTO", "12"),
            bytes(TagKind::DocumentNumber, "DEU", "12"),
            bytes(TagKind::DocumentNumber, "UTO", "123"),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
    }

    #[test]
    fn a_resident_number_of_fifteen_digits_is_the_one_of_eighteen() {
        let kind = TagKind::PersonNumber;
        let long = bytes(kind, "CHN", "11010519491231002X");
        assert_eq!(bytes(kind, "CHN", "110105491231002"), long);
        assert_ne!(
            bytes(kind, "UTO", "110105491231002"),
            bytes(kind, "UTO", "11010519491231002X")
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let state: StateCode = "UTO".parse().unwrap();
        for text in ["", "<<<<", "12-3", "１２", "\0"] {
            assert!(
                EvidenceNumber::new(TagKind::PersonNumber, state, text).is_err(),
                "{text}"
            );
        }
    }
}
