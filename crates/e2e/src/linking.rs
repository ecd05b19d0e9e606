//! The linking game of H02 and H03.
//!
//! A place is a party with everything it has about a person. A link is a run of eight bytes, or a
//! whole field however short, that stands in what two places have about one person and in nothing
//! that either has about the other person. Network addresses and times of arrival are outside the game.

use std::collections::HashSet;

use credential::jose;

use crate::ordered_json::Json;
use crate::rows::{Content, Row};

/// Bytes that must stand at two places alike to count as a link.
const RUN: usize = 8;

/// Members and columns that tell a second: times of arrival.
const TIMES: [&str; 6] = ["auth_time", "exp", "expires", "iat", "retry_until", "time"];

/// What one place has about one person: named pieces, in their order.
#[derive(Clone, Default)]
pub struct Known(Vec<(String, Vec<u8>)>);

impl Known {
    /// Adds a piece. JSON is taken apart into its values, text into its words, and what a word
    /// stands for in base64url or hexadecimal digits is added too: a link is looked for within
    /// values, not across the fixed text around them.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        if let Some(value) = structured(bytes) {
            return self.add_json(name, &value);
        }
        // Random octets may be UTF-8 by chance, but not printable.
        let text = std::str::from_utf8(bytes).ok();
        let Some(text) = text.filter(|text| !text.chars().any(char::is_control)) else {
            return self.add_octets(name, bytes);
        };
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        for word in words.filter(|word| !word.is_empty()) {
            self.add_word(name, word);
        }
    }

    /// Adds rows of a database. Their order is that of random keys and says nothing, so they are
    /// put in the order of their shapes.
    pub fn add_rows<'a>(&mut self, rows: impl IntoIterator<Item = &'a Row>) {
        let one = |row| {
            let mut known = Known::default();
            known.add_row(row);
            known
        };
        let mut all: Vec<Known> = rows.into_iter().map(one).collect();
        all.sort_by_cached_key(Known::shape);
        self.0.extend(all.into_iter().flat_map(|known| known.0));
    }

    /// Adds a row column for column: numbers and what is missing too.
    fn add_row(&mut self, row: &Row) {
        for (column, content) in &row.columns {
            let name = format!("{}.{column}", row.table);
            match content {
                _ if TIMES.contains(&column.as_str()) => {}
                Content::Null => self.0.push((name, Vec::new())),
                Content::Integer(number) => self.0.push((name, number.to_string().into_bytes())),
                Content::Octets(octets) => self.add(&name, octets),
            }
        }
    }

    /// Adds what the same place has of another event.
    pub fn add_all(&mut self, other: Known) {
        self.0.extend(other.0);
    }

    /// Adds octets as they are.
    pub fn add_octets(&mut self, name: &str, octets: &[u8]) {
        self.0.push((name.to_owned(), octets.to_vec()));
    }

    fn add_json(&mut self, name: &str, value: &Json) {
        match value {
            Json::Object(members) => {
                for (member, value) in members {
                    let is_time = TIMES.contains(&member.as_str());
                    if !(is_time && matches!(value, Json::Other(_))) {
                        self.add_json(&format!("{name}.{member}"), value);
                    }
                }
            }
            Json::Array(values) => match octets(values) {
                Some(octets) => self.add_octets(name, &octets),
                None => values.iter().for_each(|value| self.add_json(name, value)),
            },
            Json::Text(text) => self.add(name, text.as_bytes()),
            Json::Other(text) => self.0.push((name.to_owned(), text.as_bytes().to_vec())),
        }
    }

    fn add_word(&mut self, name: &str, word: &str) {
        let decoded = jose::decode(word).unwrap_or_default();
        // Random octets may begin like an object too, but do not end like one.
        if let Some(value) = structured(&decoded) {
            return self.add_json(&format!("{name}, decoded"), &value);
        }
        self.0.push((name.to_owned(), word.as_bytes().to_vec()));
        for octets in [decoded, hex::decode(word).unwrap_or_default()] {
            if octets.len() >= RUN {
                self.0.push((format!("{name}, decoded"), octets));
            }
        }
    }

    /// The pieces whose name ends like this.
    #[must_use]
    pub fn named(&self, end: &str) -> Vec<&[u8]> {
        let named = self.0.iter().filter(|(name, _)| name.ends_with(end));
        named.map(|(_, bytes)| bytes.as_slice()).collect()
    }

    /// Names and lengths of the pieces in their order: what must not differ between people.
    #[must_use]
    pub fn shape(&self) -> Vec<(String, usize)> {
        self.0
            .iter()
            .map(|(name, bytes)| (name.clone(), bytes.len()))
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

/// Octets that are written as numbers.
fn octets(values: &[Json]) -> Option<Vec<u8>> {
    let octet = |value: &Json| match value {
        Json::Other(text) => text.parse().ok(),
        Json::Object(_) | Json::Array(_) | Json::Text(_) => None,
    };
    let octets = (values.len() >= RUN).then(|| values.iter().map(octet));
    octets?.collect()
}

/// JSON that has parts; a number or a single word is none.
fn structured(bytes: &[u8]) -> Option<Json> {
    let value = serde_json::from_slice(bytes).ok()?;
    matches!(value, Json::Object(_) | Json::Array(_)).then_some(value)
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
    fn order_presence_and_size_of_fields_are_the_shape() {
        let shape = |json: &str| known(&[json.as_bytes()]).shape();
        let usual = shape(r#"{"a":"red","b":[1,true]}"#);
        assert_eq!(usual, shape(r#"{"a":"tan","b":[2,null]}"#));
        for other in [
            r#"{"b":[1,true],"a":"red"}"#,
            r#"{"a":"red","b":[1]}"#,
            r#"{"a":"blue","b":[1,true]}"#,
        ] {
            assert_ne!(usual, shape(other), "{other}");
        }
        let nested =
            |json: &str| shape(&format!("{{\"p\":\"{}\"}}", jose::encode(json.as_bytes())));
        assert_ne!(
            nested(r#"{"a":"x","b":"y"}"#),
            nested(r#"{"b":"x","a":"y"}"#)
        );
    }

    #[test]
    fn random_octets_that_begin_like_an_object_stay_octets() {
        let octets = *b"{\xd5\x01\x92\x7f\xee\x10\x44\x9a\x03\xc4\xb8\x61\x0d\x2f\x99";
        let other = [0x55; 16];
        let shape = |octets: &[u8]| known(&[jose::encode(octets).as_bytes()]).shape();
        assert_eq!(shape(&octets), shape(&other));
    }

    #[test]
    fn what_everybody_shares_is_no_link() {
        let (a, b) = (known(&[b"the same for all"]), known(&[b"the same for all"]));
        assert!(links((&a, &b), (&a, &b)).is_empty());
    }
}
