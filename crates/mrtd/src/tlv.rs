//! Tag, length, value: the frame of data groups (BER) and of the security object (DER).
//!
//! Only the frame is read here, so that what a signature covers stays the bytes that came in; a
//! decoder that rebuilds them would verify its own encoding instead. Leaves with more structure
//! (names, times, algorithm identifiers, certificates) go to the `der` and `x509-cert` crates.

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
    /// A length that is left open until an end mark (BER), which is not supported yet.
    #[error("indefinite lengths are not supported")]
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

    proptest! {
        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&input);
            while reader.any().is_ok() {}
        }
    }
}
