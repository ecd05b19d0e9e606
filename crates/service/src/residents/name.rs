//! Names as they are compared: one spelling for what people and registers write differently.

use std::iter::Peekable;

use icu_normalizer::ComposingNormalizerBorrowed;
use zeroize::Zeroizing;

/// A name in the form in which it is compared. It is wiped when dropped.
///
/// * Unicode normalisation form NFKC: wide letters, compatibility ideographs and radicals become
///   the ordinary ones.
/// * The dots that stand between the parts of a name (`·`, `•`, `‧`, `∙`, `⋅`, `・`, `･`) become `·`
///   (U+00B7), without spaces around them.
/// * Spaces at the ends go, and those beside a Chinese character; others become one space.
/// * Letters become capitals.
///
/// Traditional and simplified characters are not the same, nor are variants, nor a character and
/// the private code that a register may have used before Unicode had it.
pub struct PersonName(Zeroizing<String>);

/// The text is no name: empty, longer than 100 characters, or with control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name of 1 to 100 characters")]
pub struct NotAName;

impl PersonName {
    /// Reads a name of at most 100 characters.
    ///
    /// # Errors
    ///
    /// [`NotAName`]
    pub fn parse(text: &str) -> Result<PersonName, NotAName> {
        if text.chars().count() > CHARACTERS_MAX || text.chars().any(char::is_control) {
            return Err(NotAName);
        }
        // Room for all of it at once, as far as can be told: what grows leaves copies behind.
        let mut name = Zeroizing::new(String::with_capacity(4 * CHARACTERS_MAX));
        let form = ComposingNormalizerBorrowed::new_nfkc();
        let capitals = form
            .normalize_iter(text.chars())
            .flat_map(char::to_uppercase);
        // Capitals of composed letters may come in parts.
        push_tidied(&mut name, form.normalize_iter(capitals).peekable());
        if name.is_empty() || name.chars().count() > CHARACTERS_MAX {
            return Err(NotAName);
        }
        Ok(PersonName(name))
    }

    /// Whether both are the same name.
    #[must_use]
    pub fn is(&self, other: &PersonName) -> bool {
        self.0 == other.0
    }

    /// The name in the form described above.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn push_tidied(name: &mut String, mut characters: Peekable<impl Iterator<Item = char>>) {
    while let Some(character) = characters.next() {
        if character.is_whitespace() {
            while characters.next_if(|next| next.is_whitespace()).is_some() {}
            let sides = [name.chars().next_back(), characters.peek().copied()];
            if sides.into_iter().all(|side| side.is_some_and(needs_space)) {
                name.push(' ');
            }
        } else if DOTS.contains(&character) {
            name.push('·');
        } else {
            name.push(character);
        }
    }
}

/// Whether a space beside this character parts two words.
fn needs_space(character: char) -> bool {
    !DOTS.contains(&character) && !is_chinese(character)
}

/// Whether a character is in one of the blocks of Chinese characters.
fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

const CHARACTERS_MAX: usize = 100;

const DOTS: [char; 7] = [
    '·', '•', '\u{2027}', '\u{2219}', '\u{22C5}', '・', '\u{FF65}',
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> String {
        let name = PersonName::parse(text).unwrap_or_else(|_| panic!("{text:?}"));
        name.expose().to_owned()
    }

    #[test]
    fn spellings_of_one_name_become_one() {
        let spellings = [
            ("测试甲", ["测试甲", " 测试甲 ", "测 试\u{3000}甲"]),
            (
                "样本·测试",
                ["样本•测试", "样本 ・ 测试", "样本\u{FF65}测试"],
            ),
            (
                "SPECIMEN ANNA MARIA",
                [
                    "Specimen Anna  Maria",
                    "ＳＰＥＣＩＭＥＮ\u{3000}ANNA\u{A0}MARIA",
                    " specimen anna maria",
                ],
            ),
            // A compatibility ideograph, and a radical.
            ("金一", ["\u{F90A}一", "金\u{2F00}", "金一"]),
        ];
        for (one, others) in spellings {
            for other in others {
                assert_eq!(name(other), one, "{other:?}");
            }
        }
    }

    #[test]
    fn other_names_stay_others() {
        let is = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|name| PersonName::parse(name).ok());
            one.zip(other).is_some_and(|(one, other)| one.is(&other))
        };
        assert!(is("测试甲", "测 试 甲"));
        for (one, other) in [
            ("测试甲", "测试乙"),
            ("测试", "测·试"),
            ("測試", "测试"),
            ("AN NA", "ANNA"),
        ] {
            assert!(!is(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "测".repeat(101);
        for text in ["", " ", "\u{3000}", "测\n试", "\0", long.as_str()] {
            assert!(PersonName::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_form_is_its_own_form(text in "\\PC{0,40}") {
            if let Ok(name) = PersonName::parse(&text) {
                let again = PersonName::parse(name.expose());
                prop_assert!(again.is_ok_and(|again| again.is(&name)), "{:?}", name.expose());
            }
        }
    }
}
