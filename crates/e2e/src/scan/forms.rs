//! The forms in which a text may be stored.

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// The shortest text that is looked for, in bytes: five would be found in any core by chance.
pub(super) const NEEDLE_MIN: usize = 6;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// The text itself.
    Utf8,
    /// With two bytes for each character, either order.
    Utf16,
    /// In hexadecimal digits, small or capital.
    Hex,
    /// In base64 of either alphabet, whatever stood before it.
    Base64,
    /// Its SHA-256 as bytes.
    Sha256,
    /// Its SHA-256 in hexadecimal digits.
    Sha256Hex,
    /// Its SHA-256 in base64.
    Sha256Base64,
}

impl Form {
    /// Every form.
    pub const ALL: [Form; 7] = [
        Form::Utf8,
        Form::Utf16,
        Form::Hex,
        Form::Base64,
        Form::Sha256,
        Form::Sha256Hex,
        Form::Sha256Base64,
    ];
}

/// All patterns that betray `needle`: as it is, in capitals, in small letters and with capital
/// initials, each in every form.
pub(super) fn all(needle: &str) -> anyhow::Result<Vec<(Form, Vec<u8>)>> {
    if needle.len() < NEEDLE_MIN {
        bail!("a needle of {} bytes would be found by chance", needle.len());
    }
    let mut patterns = Vec::new();
    for text in cases(needle) {
        let octets = text.as_bytes();
        let digest = Sha256::digest(octets);
        patterns.push((Form::Utf8, octets.to_vec()));
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            patterns.push((Form::Utf16, text.encode_utf16().flat_map(order).collect()));
        }
        patterns.extend(hexadecimal(octets).map(|p| (Form::Hex, p)));
        patterns.extend(base64(octets).into_iter().map(|p| (Form::Base64, p)));
        patterns.push((Form::Sha256, digest.to_vec()));
        patterns.extend(hexadecimal(&digest).map(|p| (Form::Sha256Hex, p)));
        patterns.extend(base64(&digest).into_iter().map(|p| (Form::Sha256Base64, p)));
    }
    patterns.sort();
    patterns.dedup();
    Ok(patterns)
}

/// The ways to write a date of birth `YYYY-MM-DD`.
///
/// # Errors
///
/// When `iso` is not of that form.
pub fn birth_date_spellings(iso: &str) -> anyhow::Result<Vec<String>> {
    let parts: Vec<&str> = iso.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        bail!("a date is YYYY-MM-DD");
    };
    let Some(short) = year.get(2..).filter(|short| short.len() == 2) else {
        bail!("a year has four digits");
    };
    Ok(vec![
        iso.to_owned(),
        format!("{year}{month}{day}"),
        format!("{short}{month}{day}"),
        format!("{day}.{month}.{year}"),
        format!("{day}/{month}/{year}"),
        format!("{month}/{day}/{year}"),
        format!("{day}{month}{year}"),
    ])
}

fn cases(text: &str) -> Vec<String> {
    let mut initials = String::new();
    let mut first = true;
    for character in text.chars() {
        if first {
            initials.extend(character.to_uppercase());
        } else {
            initials.extend(character.to_lowercase());
        }
        first = !character.is_alphanumeric();
    }
    let mut cases = vec![
        text.to_owned(),
        text.to_uppercase(),
        text.to_lowercase(),
        initials,
    ];
    cases.sort();
    cases.dedup();
    cases
}

fn hexadecimal(octets: &[u8]) -> [Vec<u8>; 2] {
    [
        hex::encode(octets).into_bytes(),
        hex::encode_upper(octets).into_bytes(),
    ]
}

/// The characters of a longer base64 text that depend on `octets` alone, wherever they stand.
fn base64(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut patterns = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(octets);
        let (begin, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded).into_bytes();
            patterns.push(text.get(begin..end).unwrap_or_default().to_vec());
        }
    }
    patterns
}
