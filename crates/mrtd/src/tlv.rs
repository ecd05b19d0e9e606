//! Tag, length, value: the frame of data groups and of signed messages.
//!
//! Only the frame is read here, so that what a signature covers stays the bytes that came in; a
//! decoder that rebuilds them would verify its own encoding instead. Leaves with more structure
//! (names, times, algorithm identifiers, certificates) go to the `der` and `x509-cert` crates.

use std::borrow::Cow;

use thiserror::Error;

/// One element, with the bytes it was read from.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    /// The identifier octets as one big-endian number: `0x30`, `0x5F1F`, `0x7F60`.
    pub(crate) tag: u32,
    /// The contents octets.
    pub(crate) value: &'a [u8],
    /// The element with tag and length.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// A reader over the elements inside.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader { rest: self.value }
    }
}

/// Reads one element after the other.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Reader<'a> {
        Reader { rest: input }
    }

    /// The tag that comes next; `None` at the end or where it is malformed.
    pub(crate) fn peek(&self) -> Option<u32> {
        read_tag(self.rest).ok().map(|(tag, _)| tag)
    }

    /// The next element, whatever its tag.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, TlvError> {
        let (tag, after_tag) = read_tag(self.rest)?;
        let (length, after_length) = read_length(after_tag)?;
        let (value, rest) = after_length
            .split_at_checked(length)
            .ok_or(TlvError::Truncated)?;
        let used = self.rest.len().saturating_sub(rest.len());
        let whole = self.rest.get(..used).ok_or(TlvError::Truncated)?;
        self.rest = rest;
        Ok(Element { tag, value, whole })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u32) -> Result<Element<'a>, TlvError> {
        let element = self.any()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(TlvError::Tag(tag))
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u32) -> Result<Option<Element<'a>>, TlvError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// All elements that are left.
    pub(crate) fn all(mut self) -> Result<Vec<Element<'a>>, TlvError> {
        let mut elements = Vec::new();
        while !self.rest.is_empty() {
            elements.push(self.any()?);
        }
        Ok(elements)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), TlvError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(TlvError::Trailing)
        }
    }
}

/// The single element of which `input` consists.
pub(crate) fn single(input: &[u8], tag: u32) -> Result<Element<'_>, TlvError> {
    let mut reader = Reader::new(input);
    let element = reader.expect(tag)?;
    reader.end()?;
    Ok(element)
}

/// How long the element is that `beginning` is the beginning of, with tag and length.
pub(crate) fn whole_len(beginning: &[u8]) -> Result<usize, TlvError> {
    let (_, after_tag) = read_tag(beginning)?;
    let (length, after_length) = read_length(after_tag)?;
    let head = beginning.len().saturating_sub(after_length.len());
    Ok(head.saturating_add(length))
}

/// Writes one element; `parts` are its contents, one after the other.
pub(crate) fn element(tag: u32, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length.saturating_add(8));
    out.extend(tag.to_be_bytes().into_iter().skip_while(|byte| *byte == 0));
    let bytes = length.to_be_bytes();
    let significant = bytes.iter().copied().skip_while(|byte| *byte == 0);
    match u8::try_from(length) {
        Ok(short @ 0..=0x7F) => out.push(short),
        _ => {
            let count = significant.clone().count();
            out.push(0x80 | u8::try_from(count).unwrap_or(0x7F));
            out.extend(significant);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The same data with definite lengths: BER lets an encoder leave lengths open until an end mark,
/// and cut octet strings into pieces, which the security objects of some states do. Elements
/// without any of that stay as they were, byte for byte, because signatures cover them.
///
/// Source: ITU-T X.690 §8.1.3.6 and §8.7.3.
pub(crate) fn definite(input: &[u8]) -> Result<Cow<'_, [u8]>, TlvError> {
    Ok(match definite_element(input, 0)? {
        (Cow::Borrowed(_), _) => Cow::Borrowed(input),
        (Cow::Owned(changed), rest) => Cow::Owned([changed.as_slice(), rest].concat()),
    })
}

/// The first element with definite lengths, and what follows it.
fn definite_element(input: &[u8], depth: u8) -> Result<(Cow<'_, [u8]>, &[u8]), TlvError> {
    if depth > MAX_DEPTH {
        return Err(TlvError::Malformed);
    }
    let (tag, after_tag) = read_tag(input)?;
    let open = after_tag.first() == Some(&0x80);
    let first = input.first().copied().unwrap_or_default();
    let constructed = first & 0x20 != 0;
    if open && !constructed {
        return Err(TlvError::Malformed);
    }
    let (mut inside, mut rest) = match after_tag.split_first() {
        Some((_, content)) if open => (content, content),
        _ => {
            let element = Reader { rest: input }.any()?;
            let rest = input.get(element.whole.len()..).unwrap_or_default();
            if !constructed {
                return Ok((Cow::Borrowed(element.whole), rest));
            }
            (element.value, rest)
        }
    };
    let mut parts = Vec::new();
    loop {
        match inside {
            [0, 0, after @ ..] if open => {
                rest = after;
                break;
            }
            [] if open => return Err(TlvError::Truncated),
            [] => break,
            _ => {}
        }
        let (part, after) = definite_element(inside, depth.saturating_add(1))?;
        parts.push(part);
        inside = after;
    }
    let changed = open || parts.iter().any(|part| matches!(part, Cow::Owned(_)));
    let used = input.len().saturating_sub(rest.len());
    let whole = input.get(..used).unwrap_or_default();
    if tag == CONSTRUCTED_OCTETS {
        let mut octets = Vec::new();
        for part in &parts {
            octets.extend_from_slice(single(part, OCTETS)?.value);
        }
        return Ok((Cow::Owned(element(OCTETS, &[&octets])), rest));
    }
    if !changed {
        return Ok((Cow::Borrowed(whole), rest));
    }
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_ref()).collect();
    Ok((Cow::Owned(element(tag, &parts)), rest))
}

/// Deeper than any document nests.
const MAX_DEPTH: u8 = 32;

// Source: ITU-T X.690 §8.7.
const OCTETS: u32 = 0x04;
const CONSTRUCTED_OCTETS: u32 = 0x24;

/// How the frame is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TlvError {
    /// The input ends within an element.
    #[error("the data is truncated")]
    Truncated,
    /// Bytes follow the last element.
    #[error("there are bytes after the end of the data")]
    Trailing,
    /// Another tag was expected.
    #[error("expected tag {0:X}")]
    Tag(u32),
    /// A length that is left open until an end mark, where that is not allowed.
    #[error("a length is left open")]
    IndefiniteLength,
    /// A tag or length field that is longer than any needed one.
    #[error("malformed tag or length")]
    Malformed,
}

fn read_tag(input: &[u8]) -> Result<(u32, &[u8]), TlvError> {
    let (first, mut rest) = input.split_first().ok_or(TlvError::Truncated)?;
    let mut tag = u32::from(*first);
    if first & 0x1F != 0x1F {
        return Ok((tag, rest));
    }
    // Further octets while the high bit is set; two of them are more than any document uses.
    for _ in 0..2 {
        let (next, after) = rest.split_first().ok_or(TlvError::Truncated)?;
        tag = tag << 8 | u32::from(*next);
        rest = after;
        if next & 0x80 == 0 {
            return Ok((tag, rest));
        }
    }
    Err(TlvError::Malformed)
}

fn read_length(input: &[u8]) -> Result<(usize, &[u8]), TlvError> {
    let (first, rest) = input.split_first().ok_or(TlvError::Truncated)?;
    match first {
        0..=0x7F => Ok((usize::from(*first), rest)),
        0x80 => Err(TlvError::IndefiniteLength),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7F);
            let (octets, rest) = rest.split_at_checked(count).ok_or(TlvError::Truncated)?;
            let length = octets
                .iter()
                .fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet));
            let length = usize::try_from(length).map_err(|_| TlvError::Truncated)?;
            Ok((length, rest))
        }
        _ => Err(TlvError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_take_one_to_three_octets() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let written = element(0x7F60, &[&vec![7; length]]);
            let read = single(&written, 0x7F60).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.value.len(), length);
            assert_eq!(read.whole, written);
        }
    }

    #[test]
    fn broken_frames_are_refused() {
        let cases: [(&[u8], TlvError); 8] = [
            (&[], TlvError::Truncated),
            (&[0x30], TlvError::Truncated),
            (&[0x30, 2, 0], TlvError::Truncated),
            (&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], TlvError::Truncated),
            (&[0x30, 0x85, 0, 0, 0, 0, 0], TlvError::Malformed),
            (&[0x30, 0x80, 0, 0], TlvError::IndefiniteLength),
            (&[0x30, 0, 0], TlvError::Trailing),
            (&[0x31, 0], TlvError::Tag(0x30)),
        ];
        for (input, wanted) in cases {
            assert_eq!(single(input, 0x30).err(), Some(wanted), "{input:?}");
        }
        assert_eq!(
            single(&[0x5F, 0x81, 0x82, 0], 0x5F).err(),
            Some(TlvError::Malformed)
        );
    }

    #[test]
    fn open_lengths_and_cut_octets_become_definite() {
        let cases: [(&[u8], &[u8]); 5] = [
            (&[0x30, 0x80, 0, 0], &[0x30, 0]),
            (&[0x30, 0x80, 2, 1, 7, 0, 0], &[0x30, 3, 2, 1, 7]),
            // Two pieces of octets, one of them cut again.
            (
                &[0x24, 0x80, 4, 1, 1, 0x24, 0x80, 4, 2, 2, 3, 0, 0, 0, 0],
                &[4, 3, 1, 2, 3],
            ),
            // A length with more octets than needed stays where nothing inside is open.
            (
                &[0x30, 0x80, 0x30, 0x81, 0, 0, 0],
                &[0x30, 3, 0x30, 0x81, 0],
            ),
            (&[0x30, 0x81, 3, 2, 1, 7], &[0x30, 0x81, 3, 2, 1, 7]),
        ];
        for (input, wanted) in cases {
            assert_eq!(definite(input).unwrap(), wanted, "{input:?}");
        }
    }

    #[test]
    fn open_lengths_without_end_or_without_end_of_nesting_are_refused() {
        let nested: Vec<u8> = [0x30, 0x80].repeat(100_000);
        let cases: [(&[u8], TlvError); 5] = [
            (&[0x30, 0x80], TlvError::Truncated),
            (&[0x30, 0x80, 2, 1, 7, 0], TlvError::Truncated),
            (&[4, 0x80, 0, 0], TlvError::Malformed),
            (&[0x24, 0x80, 2, 1, 7, 0, 0], TlvError::Tag(4)),
            (&nested, TlvError::Malformed),
        ];
        for (input, wanted) in cases {
            assert_eq!(definite(input).err(), Some(wanted), "{:?}", input.get(..9));
        }
    }

    proptest! {
        #[test]
        fn what_is_definite_stays(input in proptest::collection::vec(any::<u8>(), 0..64)) {
            let inner = element(0x04, &[&input]);
            let nested = element(0x77, &[&element(0x30, &[&inner, &inner])]);
            prop_assert_eq!(definite(&nested).unwrap().into_owned(), nested.clone());
            let open = [&[0x77, 0x80, 0x30, 0x80], inner.as_slice(), &inner, &[0; 4]].concat();
            prop_assert_eq!(definite(&open).unwrap().into_owned(), nested);
            let _ = definite(&input);
        }

        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&input);
            while reader.any().is_ok() {}
        }
    }
}
