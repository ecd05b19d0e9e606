//! Credential offers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Secret;
use crate::form::{FormError, Parameters, compose};
use crate::secret::reveal;
use crate::uri::HttpsUri;

/// What an issuer offers. It holds a code that grants something together with a transaction code.
///
/// Source: OpenID4VCI 1.0 §4.1.1.
#[derive(Serialize, Deserialize)]
pub struct CredentialOffer {
    /// The issuer.
    pub credential_issuer: HttpsUri,
    /// Names of credential configurations in its metadata.
    pub credential_configuration_ids: Vec<String>,
    /// How a token is obtained.
    #[serde(default)]
    pub grants: Grants,
}

/// Grants of an offer; others than the pre-authorized code are ignored.
#[derive(Default, Serialize, Deserialize)]
pub struct Grants {
    /// A code that the person's attendance has authorized already.
    #[serde(
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_code: Option<PreAuthorizedGrant>,
}

/// A pre-authorized code.
#[derive(Serialize, Deserialize)]
pub struct PreAuthorizedGrant {
    /// The code.
    #[serde(rename = "pre-authorized_code", serialize_with = "reveal")]
    pub pre_authorized_code: Secret,
    /// What the transaction code looks like; `None` if none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCodeForm>,
}

/// What a transaction code looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCodeForm {
    /// Its characters; absent means digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_mode: Option<InputMode>,
    /// Its length in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// How the person gets it, at most 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Characters of a transaction code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Digits.
    Numeric,
    /// Anything.
    Text,
}

impl CredentialOffer {
    /// An offer of the web certificate for a code, and a transaction code of `digits` digits where
    /// there is one.
    #[must_use]
    pub fn of_certificate(issuer: HttpsUri, code: Secret, digits: Option<u32>) -> CredentialOffer {
        let form = digits.map(|digits| TxCodeForm {
            input_mode: Some(InputMode::Numeric),
            length: Some(digits),
            description: None,
        });
        let grant = PreAuthorizedGrant {
            pre_authorized_code: code,
            tx_code: form,
        };
        CredentialOffer {
            credential_issuer: issuer,
            credential_configuration_ids: vec![super::CERTIFICATE.to_owned()],
            grants: Grants {
                pre_authorized_code: Some(grant),
            },
        }
    }

    /// The form of the transaction code, where one is needed.
    #[must_use]
    pub fn transaction_code(&self) -> Option<&TxCodeForm> {
        let grant = self.grants.pre_authorized_code.as_ref();
        grant.and_then(|grant| grant.tx_code.as_ref())
    }

    /// Reads an offer's JSON.
    ///
    /// # Errors
    ///
    /// [`OfferError::Json`] or [`OfferError::Content`].
    pub fn parse(json: &str) -> Result<CredentialOffer, OfferError> {
        let offer: CredentialOffer = serde_json::from_str(json).map_err(|_| OfferError::Json)?;
        offer.check()?;
        Ok(offer)
    }

    /// Writes the offer as a link that opens a wallet.
    ///
    /// # Errors
    ///
    /// [`OfferError::Json`] if it cannot be written as JSON, which it can.
    pub fn to_link(&self) -> Result<Zeroizing<String>, OfferError> {
        let json = serde_json::to_string(self).map(Zeroizing::new);
        let json = json.map_err(|_| OfferError::Json)?;
        let query = Zeroizing::new(compose([("credential_offer", json.as_str())]));
        Ok(Zeroizing::new(format!("{SCHEME}://?{}", query.as_str())))
    }

    fn check(&self) -> Result<(), OfferError> {
        let ids = &self.credential_configuration_ids;
        let unique = ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
        let grant = self.grants.pre_authorized_code.as_ref();
        let form = grant.and_then(|grant| grant.tx_code.as_ref());
        let description = form
            .and_then(|form| form.description.as_deref())
            .unwrap_or_default();
        let short = description.chars().count() <= 300;
        let sound = !self.credential_issuer.has_query() && !ids.is_empty() && unique && short;
        if sound {
            Ok(())
        } else {
            Err(OfferError::Content)
        }
    }
}

/// A link that brings an offer, or tells where it is.
pub enum OfferLink {
    /// The offer itself.
    ByValue(Box<CredentialOffer>),
    /// Where to fetch it.
    ByReference(HttpsUri),
}

impl OfferLink {
    /// Reads a link `openid-credential-offer:…?…`. What stands between scheme and query does not
    /// matter.
    ///
    /// # Errors
    ///
    /// [`OfferError`] if it is another link or a malformed offer.
    pub fn parse(link: &str) -> Result<OfferLink, OfferError> {
        let (scheme, rest) = link.split_once(':').ok_or(OfferError::Scheme)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(OfferError::Scheme);
        }
        let (_, query) = rest.split_once('?').ok_or(OfferError::Missing)?;
        let query = Parameters::parse(query, MAX_BYTES)?;
        match (
            query.get("credential_offer"),
            query.get("credential_offer_uri"),
        ) {
            (Some(offer), None) => CredentialOffer::parse(offer)
                .map(Box::new)
                .map(OfferLink::ByValue),
            (None, Some(uri)) => HttpsUri::parse(uri)
                .map(OfferLink::ByReference)
                .map_err(|_| OfferError::Content),
            (Some(_), Some(_)) | (None, None) => Err(OfferError::Missing),
        }
    }
}

/// Why an offer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Not an `openid-credential-offer` link.
    #[error("not a link for credential offers")]
    Scheme,
    /// The query is malformed.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Neither `credential_offer` nor `credential_offer_uri`, or both.
    #[error("link holds no single offer")]
    Missing,
    /// Not JSON of an offer's shape.
    #[error("credential offer is malformed")]
    Json,
    /// No or repeated configurations, an issuer with a query, or an overlong description.
    #[error("credential offer breaks a rule of its specification")]
    Content,
}

const SCHEME: &str = "openid-credential-offer";
const MAX_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> Value {
        json!({
            "credential_issuer": "https://issuer.example",
            "credential_configuration_ids": ["bauta_certificate"],
            "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {
                "pre-authorized_code": "abc", "tx_code": {"input_mode": "numeric", "length": 6}}}
        })
    }

    fn own() -> CredentialOffer {
        let issuer = HttpsUri::parse("https://issuer.example").unwrap();
        CredentialOffer::of_certificate(issuer, Secret::from("abc".to_owned()), Some(6))
    }

    #[test]
    fn an_offer_survives_its_link() {
        assert_eq!(serde_json::to_value(own()).unwrap(), value());
        let link = own().to_link().unwrap();
        let OfferLink::ByValue(offer) = OfferLink::parse(&link).ok().unwrap() else {
            panic!("the offer is in the link")
        };
        let grant = offer.grants.pre_authorized_code.unwrap();
        assert_eq!(grant.pre_authorized_code.expose(), "abc");
        assert_eq!(grant.tx_code.unwrap().length, Some(6));
    }

    #[test]
    fn the_link_of_the_specification_is_read() {
        // OpenID4VCI 1.0 §4.1.2.
        let link = concat!(
            "openid-credential-offer://?credential_offer=%7B%22credential_issuer%22:%22https://cr",
            "edential-issuer.example.com%22,%22credential_configuration_ids%22:%5B%22org.iso.1801",
            "3.5.1.mDL%22%5D,%22grants%22:%7B%22urn:ietf:params:oauth:grant-type:pre-authorized_c",
            "ode%22:%7B%22pre-authorized_code%22:%22oaKazRN8I0IbtZ0C7JuMn5%22,%22tx_code%22:%7B%2",
            "2input_mode%22:%22text%22%7D%7D%7D%7D"
        );
        let OfferLink::ByValue(offer) = OfferLink::parse(link).ok().unwrap() else {
            panic!("the offer is in the link")
        };
        assert_eq!(
            offer.credential_configuration_ids,
            ["org.iso.18013.5.1.mDL"]
        );
        let form = offer.grants.pre_authorized_code.unwrap().tx_code.unwrap();
        assert_eq!(
            form,
            TxCodeForm {
                input_mode: Some(InputMode::Text),
                ..TxCodeForm::default()
            }
        );
        let link = "openid-credential-offer:?credential_offer_uri=https%3A%2F%2Fa.example%2F1";
        assert!(matches!(
            OfferLink::parse(link),
            Ok(OfferLink::ByReference(_))
        ));
    }

    #[test]
    fn offers_that_break_a_rule_are_refused() {
        let code = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
        let changes = [
            (
                "credential_issuer",
                json!("http://issuer.example"),
                OfferError::Json,
            ),
            (
                "credential_issuer",
                json!("https://issuer.example?x=1"),
                OfferError::Content,
            ),
            (
                "credential_configuration_ids",
                json!([]),
                OfferError::Content,
            ),
            (
                "credential_configuration_ids",
                json!(["a", "a"]),
                OfferError::Content,
            ),
            (
                "credential_configuration_ids",
                Value::Null,
                OfferError::Json,
            ),
            ("grants", json!({code: {}}), OfferError::Json),
            (
                "grants",
                json!({code: {"pre-authorized_code": "a", "tx_code": {"input_mode": "x"}}}),
                OfferError::Json,
            ),
            (
                "grants",
                json!({code: {"pre-authorized_code": "a",
                    "tx_code": {"description": "x".repeat(301)}}}),
                OfferError::Content,
            ),
        ];
        for (member, value, error) in changes {
            let mut offer = self::value();
            offer[member] = value.clone();
            let refused = CredentialOffer::parse(&offer.to_string()).err();
            assert_eq!(refused, Some(error), "{member} {value}");
        }
        let mut more = value();
        more["grants"]["authorization_code"] = json!({"issuer_state": "x"});
        more["unknown"] = json!(1);
        assert!(CredentialOffer::parse(&more.to_string()).is_ok());
    }

    #[test]
    fn other_links_are_refused() {
        let error = |link: &str| OfferLink::parse(link).err();
        assert_eq!(
            error("openid4vp://?credential_offer=x"),
            Some(OfferError::Scheme)
        );
        assert_eq!(
            error("openid-credential-offer://"),
            Some(OfferError::Missing)
        );
        assert_eq!(
            error("openid-credential-offer://?a=b"),
            Some(OfferError::Missing)
        );
        assert_eq!(
            error("openid-credential-offer://?credential_offer=x"),
            Some(OfferError::Json)
        );
        let both = "openid-credential-offer:?credential_offer=x&credential_offer_uri=y";
        assert_eq!(error(both), Some(OfferError::Missing));
        let http = "openid-credential-offer:?credential_offer_uri=http://a.example";
        assert_eq!(error(http), Some(OfferError::Content));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(openid-credential-offer://\\?credential_offer=)?\\PC{0,60}") {
            let _ = (OfferLink::parse(&text), CredentialOffer::parse(&text));
        }
    }
}
