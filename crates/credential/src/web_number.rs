//! The web number: a person's name towards the register, and towards nobody else.

use bbs::certificate::NymCommitment;

use crate::jose::sha256;

/// Crockford's base 32 alphabet.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters before the check character.
const BODY: usize = 15;

/// 16 characters: 15 of SHA-256 over the final commitment and a check character.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WebNumber([u8; BODY + 1]);

/// The text is not a web number; most likely it was mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a web number: it has 16 letters and digits in groups of four, check for a typing error"
)]
pub struct BadWebNumber;

impl WebNumber {
    /// The web number of a final commitment.
    #[must_use]
    pub fn of(commitment: &NymCommitment) -> WebNumber {
        let hash = sha256(&commitment.to_bytes());
        let bits = hash
            .iter()
            .take(10)
            .fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
        // 80 bits were taken, of which the first 75 become 15 characters.
        let values: [u8; BODY] =
            std::array::from_fn(|i| (bits >> (75 - 5 * i)).to_le_bytes()[0] & 31);
        let mut text = [0; BODY + 1];
        for (character, value) in text.iter_mut().zip(values.iter().chain([&check(&values)])) {
            *character = character_of(*value);
        }
        WebNumber(text)
    }

    /// Parses 16 characters; spaces and hyphens are skipped, lower case, `O`, `I` and `L` read as
    /// Crockford has it.
    ///
    /// # Errors
    ///
    /// [`BadWebNumber`] for another length or character, or a wrong check character.
    pub fn parse(text: &str) -> Result<WebNumber, BadWebNumber> {
        let mut values = Vec::with_capacity(BODY + 1);
        for character in text.bytes().filter(|c| !matches!(c, b' ' | b'-')) {
            values.push(value_of(character).ok_or(BadWebNumber)?);
        }
        let values: [u8; BODY + 1] = values.try_into().map_err(|_| BadWebNumber)?;
        let (last, body) = values.split_last().ok_or(BadWebNumber)?;
        if check(body) == *last {
            Ok(WebNumber(values.map(character_of)))
        } else {
            Err(BadWebNumber)
        }
    }

    /// The 16 characters without groups, as the register stores them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl std::fmt::Display for WebNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, character) in self.as_str().chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

fn character_of(value: u8) -> u8 {
    ALPHABET.get(usize::from(value)).copied().unwrap_or(b'0')
}

fn value_of(character: u8) -> Option<u8> {
    let character = match character.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|c| *c == character)
        .and_then(|i| u8::try_from(i).ok())
}

/// Check value of the hybrid system MOD 33,32. Source: ISO 7064, §8, with 32 for the 36 there.
fn check(values: &[u8]) -> u8 {
    let product = values.iter().fold(32u8, |product, value| {
        let sum = (product + value) % 32;
        let sum = if sum == 0 { 32 } else { sum };
        (sum * 2) % 33
    });
    (33 - product) % 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> impl Iterator<Item = WebNumber> {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        (0..50).map(move |_| {
            let secrets = bbs::certificate::NymSecrets::draw(&mut rng);
            WebNumber::of(&NymCommitment::commit(&secrets, &mut rng).0)
        })
    }

    #[test]
    fn a_web_number_survives_printing_grouping_and_lower_case() {
        for number in numbers() {
            assert_eq!(number.to_string().len(), 19);
            assert!(WebNumber::parse(&number.to_string()).is_ok_and(|n| n == number));
            assert!(
                WebNumber::parse(&number.to_string().to_lowercase()).is_ok_and(|n| n == number)
            );
        }
    }

    #[test]
    fn one_wrong_character_is_always_noticed() {
        for number in numbers() {
            let text = number.as_str().as_bytes();
            for at in 0..16 {
                for c in ALPHABET.iter().filter(|c| **c != text[at]) {
                    let mut wrong = text.to_vec();
                    wrong[at] = *c;
                    assert!(WebNumber::parse(std::str::from_utf8(&wrong).unwrap()).is_err());
                }
            }
        }
    }

    #[test]
    fn two_swapped_characters_are_noticed_nineteen_times_in_twenty() {
        // MOD 33,32 cannot see every swap: 33 is no prime.
        let all = || 0..32u8;
        let triples = all().flat_map(|p| all().flat_map(move |a| all().map(move |b| (p, a, b))));
        let unlike: Vec<_> = triples.filter(|(_, a, b)| a != b).collect();
        let missed = unlike
            .iter()
            .filter(|(p, a, b)| check(&[*p, *a, *b]) == check(&[*p, *b, *a]));
        assert!(missed.count() * 20 < unlike.len());
    }

    #[test]
    fn other_lengths_and_characters_are_refused() {
        for text in ["", "ABCD", "ABCD-EFGH-JKMN-PQRSTVW", "ÄBCD-EFGH-JKMN-PQRS"] {
            assert_eq!(WebNumber::parse(text).err(), Some(BadWebNumber));
        }
    }
}
