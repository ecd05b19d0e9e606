//! The linking game of H02 and H03.
//!
//! A place is a party with everything it has about a person. A link is a run of eight bytes, or a
//! whole field however short, that stands in what two places have about one person and in nothing
//! that either has about the other person. Network addresses and times of arrival are outside the game.

use std::collections::HashSet;

use credential::jose;
use serde_json::Value;

/// Bytes that must stand at two places alike to count as a link.
const RUN: usize = 8;

/// What one place has about one person: named pieces, in their order.
#[derive(Clone, Default)]
pub struct Known(Vec<(String, Vec<u8>)>);

impl Known {
    /// Adds a piece. JSON is taken apart into its values, text into its words, and what a word
    /// stands for in base64url or hexadecimal digits is added too: a link is looked for within
    /// values, not across the fixed text around them.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(bytes) {
            return self.add_json(name, &value);
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.0.push((name.to_owned(), bytes.to_vec()));
        };
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        for word in words.filter(|word| !word.is_empty()) {
            self.add_word(name, word);
        }
    }

    fn add_json(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                for (member, value) in members {
                    self.add_json(&format!("{name}.{member}"), value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.add_json(name, value)),
            Value::String(text) => self.add(name, text.as_bytes()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.0
                    .push((name.to_owned(), value.to_string().into_bytes()));
            }
        }
    }

    fn add_word(&mut self, name: &str, word: &str) {
        let decoded = jose::decode(word).unwrap_or_default();
        if decoded.starts_with(b"{") {
            return self.add(&format!("{name}, decoded"), &decoded);
        }
        self.0.push((name.to_owned(), word.as_bytes().to_vec()));
        for octets in [decoded, hex::decode(word).unwrap_or_default()] {
            if octets.len() >= RUN {
                self.0.push((format!("{name}, decoded"), octets));
            }
        }
    }

    /// Names and lengths of the pieces: what must not differ between people.
    #[must_use]
    pub fn shape(&self) -> Vec<(&str, usize)> {
        self.0
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.len()))
            .collect()
    }

    /// All runs, and the fields that are too short to hold one.
    fn runs(&self) -> HashSet<&[u8]> {
        let runs = self.0.iter().flat_map(|(_, bytes)| bytes.windows(RUN));
        let fields = self.0.iter().map(|(_, bytes)| bytes.as_slice());
        let short = fields.filter(|bytes| !bytes.is_empty() && bytes.len() < RUN);
        runs.chain(short).collect()
    }

    /// The names of the pieces that hold this run.
    fn holders(&self, run: &[u8]) -> Vec<&str> {
        let holds = |bytes: &[u8]| bytes.windows(RUN).any(|window| window == run) || bytes == run;
        self.0
            .iter()
            .filter(|(_, bytes)| holds(bytes))
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// What two places have about one person and neither has about the other: each link with the
/// pieces that hold it.
///
/// `person` and `other` are what the two places have about the two people.
#[must_use]
pub fn links(person: (&Known, &Known), other: (&Known, &Known)) -> Vec<String> {
    let (here, there) = (person.0.runs(), person.1.runs());
    let (others_here, others_there) = (other.0.runs(), other.1.runs());
    let mut found: Vec<String> = here
        .intersection(&there)
        .filter(|run| !others_here.contains(**run) && !others_there.contains(**run))
        .map(|run| {
            let (here, there) = (person.0.holders(run), person.1.holders(run));
            format!("{} stands in {here:?} and in {there:?}", hex::encode(run))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pieces: &[&[u8]]) -> Known {
        let mut known = Known::default();
        pieces.iter().for_each(|piece| known.add("piece", piece));
        known
    }

    #[test]
    fn a_run_that_two_places_share_about_one_person_is_a_link_in_any_spelling() {
        let (a, b) = (known(&[b"12 secret-of-p"]), known(&[b"secret-of-p 34"]));
        let (other_a, other_b) = (known(&[b"12 secret-of-q"]), known(&[b"q-of-secret 34"]));
        assert!(!links((&a, &b), (&other_a, &other_b)).is_empty());
        let spelt = known(&[jose::encode(b"..secret-of-p..").as_bytes()]);
        assert!(!links((&a, &spelt), (&other_a, &other_b)).is_empty());
        let spelt = known(&[hex::encode(b"secret-of-p").as_bytes()]);
        assert!(!links((&a, &spelt), (&other_a, &other_b)).is_empty());
    }

    #[test]
    fn a_short_field_is_a_link_as_a_whole_only() {
        let (a, b) = (known(&[b"red", b"x1"]), known(&[b"y2", b"red"]));
        let (other_a, other_b) = (known(&[b"blue"]), known(&[b"green"]));
        assert_eq!(links((&a, &b), (&other_a, &other_b)).len(), 1);
        let within = known(&[b"reddish"]);
        assert!(links((&a, &within), (&other_a, &other_b)).is_empty());
    }

    #[test]
    fn what_everybody_shares_is_no_link() {
        let (a, b) = (known(&[b"the same for all"]), known(&[b"the same for all"]));
        assert!(links((&a, &b), (&a, &b)).is_empty());
    }
}
