//! The site entry: what the operator's register says about a site, carried in its requests.

use serde::{Deserialize, Serialize};

use crate::age::Years;
use crate::attributes::Item;
use crate::jose::{PublicKey, SigningKey, jws};
use crate::origin::{Origin, SiteContext};
use crate::time::UnixTime;

/// `typ` of the signed entry.
const TYP: &str = "bauta-site-entry+jwt";
/// Largest length of a name, purpose or alternative way, in octets.
const TEXT_MAX: usize = 300;

/// A registered site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteEntry {
    /// The operator that registered it.
    pub iss: Origin,
    /// Name of this entry.
    pub jti: String,
    /// When it was signed.
    pub iat: UnixTime,
    /// From when on it is no longer valid.
    pub exp: UnixTime,
    /// The site itself.
    pub site: Site,
    /// The gateway that signs requests and receives responses for it.
    pub gateway: Gateway,
    /// The items it may ask for.
    pub items: Vec<Item>,
    /// Whether it asks for a current certificate at every sign-in (a law demands it).
    #[serde(default)]
    pub requires_certificate: bool,
    /// The age that it has proved, once an account. One number: with several a site could search
    /// for the date of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_over: Option<Years>,
}

/// What people are shown of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its origin, which fixes its one log-in context.
    pub origin: Origin,
    /// Its name.
    pub name: String,
    /// What it asks for data for.
    pub purpose: String,
    /// How people without a certificate are served.
    pub alternative: String,
}

/// The gateway of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The origin under which it is reached.
    pub origin: Origin,
    /// SHA-256 over the DER of its request-signing certificate, base64url.
    pub x509_hash: String,
}

/// Why a site entry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiteEntryError {
    /// The signature is not the operator's, or the form is another one.
    #[error("site entry is not signed by the operator")]
    Signature,
    /// It is another operator's.
    #[error("site entry belongs to another operator")]
    Issuer,
    /// It is past its end or not yet begun.
    #[error("site entry is expired")]
    Expired,
    /// A text is empty or too long, or holds a character that changes how others are shown.
    #[error("site entry holds an empty or overlong text, or one with control characters")]
    Text,
    /// An age is proved so that the date of birth need not be shown; both make no sense.
    #[error("site entry asks for an age beside the date of birth")]
    Age,
}

impl SiteEntry {
    /// Signs this entry.
    ///
    /// # Errors
    ///
    /// [`SiteEntryError::Text`] or [`SiteEntryError::Age`].
    pub fn sign(&self, key: &SigningKey) -> Result<String, SiteEntryError> {
        self.check()?;
        Ok(jws::sign(key, TYP, self))
    }

    /// Verifies an entry under the pinned operator key.
    ///
    /// # Errors
    ///
    /// The variants of [`SiteEntryError`].
    pub fn verify(
        compact: &str,
        operator: &Origin,
        operator_key: &PublicKey,
        now: UnixTime,
    ) -> Result<SiteEntry, SiteEntryError> {
        let entry: SiteEntry = jws::UnverifiedJws::parse(compact)
            .and_then(|jws| jws.verify(operator_key, TYP))
            .map_err(|_| SiteEntryError::Signature)?;
        if entry.iss != *operator {
            return Err(SiteEntryError::Issuer);
        }
        if now < entry.iat || now >= entry.exp {
            return Err(SiteEntryError::Expired);
        }
        entry.check()?;
        Ok(entry)
    }

    /// The log-in context of the site.
    #[must_use]
    pub fn context(&self) -> SiteContext {
        SiteContext::new(&self.site.origin)
    }

    /// Whether the site may ask for `item`. The generation belongs to every sign-up.
    #[must_use]
    pub fn allows(&self, item: Item) -> bool {
        item == Item::Generation || self.items.contains(&item)
    }

    fn check(&self) -> Result<(), SiteEntryError> {
        if self.age_over.is_some() && self.items.contains(&Item::Birthdate) {
            return Err(SiteEntryError::Age);
        }
        self.check_texts()
    }

    fn check_texts(&self) -> Result<(), SiteEntryError> {
        let Site {
            name,
            purpose,
            alternative,
            ..
        } = &self.site;
        let texts = [name, purpose, alternative, &self.jti];
        if texts
            .iter()
            .all(|text| (1..=TEXT_MAX).contains(&text.len()) && !text.chars().any(is_control))
        {
            Ok(())
        } else {
            Err(SiteEntryError::Text)
        }
    }
}

/// Whether a terminal or page might take the character for an instruction: control characters, and
/// those that turn the direction of the text around them.
#[must_use]
pub fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> SiteEntry {
        SiteEntry {
            iss: Origin::parse("https://op.example").unwrap(),
            jti: "1".into(),
            iat: UnixTime(100),
            exp: UnixTime(200),
            site: Site {
                origin: Origin::parse("https://forum.example").unwrap(),
                name: "Forum".into(),
                purpose: "one account per person".into(),
                alternative: "at the desk".into(),
            },
            gateway: Gateway {
                origin: Origin::parse("https://login.forum.example").unwrap(),
                x509_hash: "abc".into(),
            },
            items: vec![Item::Sex],
            requires_certificate: false,
            age_over: None,
        }
    }

    #[test]
    fn an_age_is_one_number_and_never_beside_the_date_of_birth() {
        let key = SigningKey::generate();
        let verify =
            |compact: &str| SiteEntry::verify(compact, &entry().iss, key.public(), UnixTime(150));
        let mut asking = entry();
        asking.age_over = Some(Years::try_from(18).unwrap());
        let compact = asking.sign(&key).unwrap();
        assert_eq!(verify(&compact), Ok(asking.clone()));
        asking.items.push(Item::Birthdate);
        assert_eq!(asking.sign(&key), Err(SiteEntryError::Age));
        // Signed all the same, by an operator with another program.
        let signed = jws::sign(&key, TYP, &asking);
        assert_eq!(verify(&signed), Err(SiteEntryError::Age));
        for bad in ["0", "121", "[16,18]", "\"18\"", "-1"] {
            let mut value = serde_json::to_value(entry()).unwrap();
            value["age_over"] = serde_json::from_str(bad).unwrap();
            let signed = jws::sign(&key, TYP, &value);
            assert_eq!(verify(&signed), Err(SiteEntryError::Signature), "{bad}");
        }
        // An entry without the member is spelt as before.
        let plain = serde_json::to_string(&entry()).unwrap();
        assert!(!plain.contains("age_over"));
    }

    #[test]
    fn an_entry_is_valid_from_its_first_second_to_before_its_last() {
        let key = SigningKey::generate();
        let compact = entry().sign(&key).unwrap();
        let verify = |now| SiteEntry::verify(&compact, &entry().iss, key.public(), UnixTime(now));
        assert_eq!(verify(99), Err(SiteEntryError::Expired));
        assert_eq!(verify(100), Ok(entry()));
        assert_eq!(verify(199), Ok(entry()));
        assert_eq!(verify(200), Err(SiteEntryError::Expired));
        assert!(entry().allows(Item::Sex) && entry().allows(Item::Generation));
        assert!(!entry().allows(Item::FamilyName));
    }

    #[test]
    fn an_entry_of_another_key_operator_or_with_an_empty_name_is_refused() {
        let key = SigningKey::generate();
        let compact = entry().sign(&key).unwrap();
        let other = Origin::parse("https://other.example").unwrap();
        let now = UnixTime(150);
        let stranger = SigningKey::generate();
        assert_eq!(
            SiteEntry::verify(&compact, &entry().iss, stranger.public(), now),
            Err(SiteEntryError::Signature)
        );
        assert_eq!(
            SiteEntry::verify(&compact, &other, key.public(), now),
            Err(SiteEntryError::Issuer)
        );
        let mut nameless = entry();
        nameless.site.name.clear();
        assert_eq!(nameless.sign(&key), Err(SiteEntryError::Text));
        for hidden in ["Fo\u{1b}[2Jrum", "Fo\nrum", "mu\u{202e}rof"] {
            let mut entry = entry();
            entry.site.name = hidden.into();
            assert_eq!(entry.sign(&key), Err(SiteEntryError::Text));
        }
    }
}
