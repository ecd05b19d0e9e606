//! Claims of an ID token.

use credential::jose::{encode, sha256};
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Secret;

/// What an ID token says.
///
/// Source: OpenID Connect Core §2 and §3.1.3.6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// The provider.
    pub iss: String,
    /// The person, as this site knows them.
    pub sub: String,
    /// The client.
    pub aud: Audience,
    /// From this second on it is not accepted.
    pub exp: UnixTime,
    /// When it was made.
    pub iat: UnixTime,
    /// When the person acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<UnixTime>,
    /// The authorization request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How sure it is that the person acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By what means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// Binds the access token, see [`at_hash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The provider's session, for logging out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Claims about the person.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl IdTokenClaims {
    /// The claims that are always there; valid `ttl_secs` from `now`.
    #[must_use]
    pub fn new(iss: &str, sub: &str, aud: &str, now: UnixTime, ttl_secs: u64) -> IdTokenClaims {
        IdTokenClaims {
            iss: iss.to_owned(),
            sub: sub.to_owned(),
            aud: Audience(vec![aud.to_owned()]),
            exp: now.plus_secs(ttl_secs),
            iat: now,
            auth_time: None,
            nonce: None,
            acr: None,
            amr: Vec::new(),
            at_hash: None,
            sid: None,
            others: Map::new(),
        }
    }
}

/// Whom a token is for: in JSON one text, or an array where it is not exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AudienceForm", into = "AudienceForm")]
pub struct Audience(pub Vec<String>);

impl Audience {
    /// Whether `party` is among them.
    #[must_use]
    pub fn contains(&self, party: &str) -> bool {
        self.0.iter().any(|one| one == party)
    }
}

/// Left half of the access token's SHA-256, for ES256 and RS256 alike.
///
/// Source: OpenID Connect Core §3.1.3.6.
#[must_use]
pub fn at_hash(access_token: &Secret) -> String {
    let digest = sha256(access_token.expose().as_bytes());
    let (left, _) = digest.split_at(16);
    encode(left)
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AudienceForm {
    One(String),
    Many(Vec<String>),
}

impl From<AudienceForm> for Audience {
    fn from(form: AudienceForm) -> Audience {
        match form {
            AudienceForm::One(one) => Audience(vec![one]),
            AudienceForm::Many(many) => Audience(many),
        }
    }
}

impl From<Audience> for AudienceForm {
    fn from(Audience(mut parties): Audience) -> AudienceForm {
        match parties.pop() {
            Some(one) if parties.is_empty() => AudienceForm::One(one),
            Some(last) => {
                parties.push(last);
                AudienceForm::Many(parties)
            }
            None => AudienceForm::Many(parties),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_have_the_names_of_the_specification() {
        let mut claims = IdTokenClaims::new("https://op.example", "s", "c", UnixTime(100), 60);
        claims.nonce = Some("n".to_owned());
        claims.amr = vec!["hwk".to_owned()];
        claims.others.insert("given_name".to_owned(), json!("A"));
        let value = json!({"iss": "https://op.example", "sub": "s", "aud": "c", "exp": 160,
            "iat": 100, "nonce": "n", "amr": ["hwk"], "given_name": "A"});
        assert_eq!(serde_json::to_value(&claims).unwrap(), value);
        assert_eq!(
            serde_json::from_value::<IdTokenClaims>(value).unwrap(),
            claims
        );
    }

    #[test]
    fn an_audience_is_one_text_or_several() {
        for (json, count) in [(json!("a"), 1), (json!(["a", "b"]), 2), (json!([]), 0)] {
            let audience: Audience = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(audience.0.len(), count);
            assert_eq!(serde_json::to_value(audience).unwrap(), json);
        }
        let audience: Audience = serde_json::from_value(json!(["a", "b"])).unwrap();
        assert!(audience.contains("b") && !audience.contains("c"));
        assert!(serde_json::from_value::<Audience>(json!(1)).is_err());
    }

    #[test]
    fn the_access_token_hash_of_the_specification_comes_out() {
        // OpenID Connect Core appendix A.3.
        let token = Secret::from("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".to_owned());
        assert_eq!(at_hash(&token), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
