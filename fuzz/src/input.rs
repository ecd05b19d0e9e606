//! Reading a fuzzer's octets as what a parser takes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The octets as text.
pub(crate) fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Two inputs in one: the first is as long as the first two octets say, at most all.
pub(crate) fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<2>() else {
        return (&[], &[]);
    };
    let length = usize::from(u16::from_be_bytes(*length));
    rest.split_at(length.min(rest.len()))
}

/// The inverse of [`cut`], for seeds.
pub(crate) fn join(first: &[u8], second: &[u8]) -> Vec<u8> {
    let length = u16::try_from(first.len()).expect("a seed's first part is short");
    [&length.to_be_bytes(), first, second].concat()
}

/// The first `N` octets, zeros where there are fewer, and the rest.
pub(crate) fn take<const N: usize>(data: &[u8]) -> ([u8; N], &[u8]) {
    let (head, rest) = data.split_at(N.min(data.len()));
    let mut octets = [0; N];
    octets[..head.len()].copy_from_slice(head);
    (octets, rest)
}

/// Parses JSON, and asserts that what is written again is read as the same.
///
/// Not for inputs with fractions: in a member that is free to hold anything, `serde_json` may
/// read a fraction one unit in the last place off.
pub(crate) fn json_both_ways<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(data).ok()?;
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = match serde_json::from_slice(&written) {
        Ok(again) => again,
        Err(error) => panic!("what was written is refused: {error}"),
    };
    let has_fraction = serde_json::from_slice(data).is_ok_and(|value| has_fraction(&value));
    if !has_fraction {
        let rewritten = serde_json::to_vec(&again).expect("what was read can be written");
        assert_eq!(text(&rewritten), text(&written), "written differently");
    }
    Some(value)
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}
