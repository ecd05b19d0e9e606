//! The check character of GB 11643-1999, numbers of before it, and the provinces they begin with.

use zeroize::Zeroizing;

/// Length of a number with its check character.
pub(crate) const LENGTH: usize = 18;

/// Weights of the 17 digits. Source: GB 11643-1999, §6.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The check characters by remainder. Source: GB 11643-1999, §6.
const CHECKS: &[u8; 11] = b"10X98765432";

/// The check character, in ASCII, over the first 17 octets of `number`; `None` unless they are
/// digits. This is MOD 11-2 of ISO 7064.
pub(crate) fn check_character(number: &[u8]) -> Option<u8> {
    let digits = number.first_chunk::<17>()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let weighted = digits.iter().zip(WEIGHTS);
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECKS.get(usize::try_from(sum % 11).ok()?).copied()
}

/// Makes a number of 15 digits, as given out before 1999, one of 18: the century after the sixth
/// digit and the check character. Anything else stays as it is.
///
/// Source: GB 11643-1999. Orders 996 to 999 of old numbers meant a birth before 1900; whoever had
/// one has died.
pub(crate) fn lengthen(number: &mut Zeroizing<Vec<u8>>) {
    if number.len() != 15 || !number.iter().all(u8::is_ascii_digit) {
        return;
    }
    number.splice(6..6, *b"19");
    let check = check_character(number);
    number.extend(check);
}

/// Whether a number begins with the code of a province, region or city of the mainland.
pub(crate) fn begins_in_a_province(number: &[u8]) -> bool {
    let province = number.first_chunk::<2>();
    province.is_some_and(|province| PROVINCES.contains(&province))
}

/// The first two digits of the divisions of the mainland. Source: GB/T 2260-2007, table 1.
const PROVINCES: [&[u8; 2]; 31] = [
    b"11", b"12", b"13", b"14", b"15", b"21", b"22", b"23", b"31", b"32", b"33", b"34", b"35",
    b"36", b"37", b"41", b"42", b"43", b"44", b"45", b"46", b"50", b"51", b"52", b"53", b"54",
    b"61", b"62", b"63", b"64", b"65",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_have_their_check_characters() {
        for number in [b"11010519491231002X", b"440524188001010014"] {
            assert_eq!(check_character(number), number.last().copied());
        }
        assert_eq!(check_character(b"1101051949123100"), None);
        assert_eq!(check_character(b"1101051949123100A"), None);
    }
}
