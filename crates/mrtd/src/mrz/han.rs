//! Names in Chinese characters, written with letters or digits.
//!
//! Sources: GB/T 15273 and GBK for the bytes; GB 2312-1980 for the places of its table.

use encoding_rs::GBK;

use super::layout::Native;

/// The name; empty where there is none, `None` where the letters mean no characters.
pub(super) fn name(zone: &[u8], native: Native) -> Option<String> {
    let bytes = match native {
        Native::Nibbles(span) => nibbles(written(zone, span)?)?,
        Native::Places(span) => places(written(zone, span)?)?,
    };
    let name = GBK.decode_without_bom_handling_and_without_replacement(&bytes)?;
    Some(name.into_owned())
}

/// The characters of a field before its fillers.
fn written(zone: &[u8], (from, to): (usize, usize)) -> Option<&[u8]> {
    let field = zone.get(from..to)?;
    let end = field.iter().position(|byte| *byte == b'<');
    field.get(..end.unwrap_or(field.len()))
}

/// `NG` is 0xD6: A is 0, P is 15.
fn nibbles(letters: &[u8]) -> Option<Vec<u8>> {
    let half = |letter: u8| match letter {
        b'A'..=b'P' => Some(letter - b'A'),
        _ => None,
    };
    let pairs = letters.chunks(2).map(|pair| match pair {
        [high, low] => Some(half(*high)? << 4 | half(*low)?),
        _ => None,
    });
    pairs.collect()
}

/// `3272` is row 32, place 72, which both begin at 0xA1 in bytes.
fn places(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    let pairs = digits.chunks(2).map(|pair| match pair {
        [tens, ones] => {
            let number = digit(*tens)? * 10 + digit(*ones)?;
            (1..=94).contains(&number).then_some(0xA0 + number)
        }
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_become_characters() {
        let nibbles = |text: &str| name(text.as_bytes(), Native::Nibbles((0, text.len())));
        assert_eq!(nibbles("NGKE").as_deref(), Some("证"));
        assert_eq!(nibbles("NGKELMPONBPJLBLO").as_deref(), Some("证件样本"));
        assert_eq!(nibbles("NBOONFNB<<<<").as_deref(), Some("杨昭"));
        assert_eq!(nibbles("<<<<").as_deref(), Some(""));
        for wrong in ["NGK", "NGKQ", "PPPP", "N1KE"] {
            assert_eq!(nibbles(wrong), None, "{wrong}");
        }
        let places = |text: &str| name(text.as_bytes(), Native::Places((0, text.len())));
        assert_eq!(places("5404289449891730<<<<").as_deref(), Some("证件样本"));
        for wrong in ["540", "5400", "9595", "54A4"] {
            assert_eq!(places(wrong), None, "{wrong}");
        }
        assert_eq!(name(b"AA", Native::Nibbles((0, 3))), None);
    }
}
