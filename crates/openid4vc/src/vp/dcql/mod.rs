//! The Digital Credentials Query Language.
//!
//! A [`Query`] is always a valid one: reading refuses what the specification forbids.
//!
//! Source: OpenID4VP 1.0 §6 and §7.

mod path;
mod selection;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use path::{ClaimsPath, PathError, PathPart};
pub use selection::Unanswerable;

/// A valid query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "QueryFields", into = "QueryFields")]
pub struct Query {
    credentials: Vec<CredentialQuery>,
    credential_sets: Option<Vec<CredentialSetQuery>>,
}

impl Query {
    /// Makes a query of its parts.
    ///
    /// # Errors
    ///
    /// [`DcqlError`] at the first rule of the specification it breaks.
    pub fn new(
        credentials: Vec<CredentialQuery>,
        credential_sets: Option<Vec<CredentialSetQuery>>,
    ) -> Result<Query, DcqlError> {
        filled(&credentials, "credentials")?;
        let ids = credentials.iter().map(|query| &query.id);
        let ids = unique(ids).ok_or(DcqlError::RepeatedCredential)?;
        credentials.iter().try_for_each(CredentialQuery::check)?;
        if let Some(sets) = &credential_sets {
            filled(sets, "credential_sets")?;
            sets.iter().try_for_each(|set| set.check(&ids))?;
        }
        Ok(Query {
            credentials,
            credential_sets,
        })
    }

    /// The credentials that are asked for, or that the sets choose from.
    #[must_use]
    pub fn credentials(&self) -> &[CredentialQuery] {
        &self.credentials
    }

    /// Which combinations will do; `None` if all credentials are wanted.
    #[must_use]
    pub fn credential_sets(&self) -> Option<&[CredentialSetQuery]> {
        self.credential_sets.as_deref()
    }

    /// The credential query of this id.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials
            .iter()
            .find(|query| query.id.as_str() == id)
    }
}

/// Name of a credential query or a claims query: letters, digits, `_` and `-`, at least one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueryId(String);

impl QueryId {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`DcqlError::Id`] if it is empty or has another character.
    pub fn parse(text: &str) -> Result<QueryId, DcqlError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(DcqlError::Id);
        }
        Ok(QueryId(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for QueryId {
    type Error = DcqlError;

    fn try_from(text: String) -> Result<QueryId, DcqlError> {
        QueryId::parse(&text)
    }
}

impl From<QueryId> for String {
    fn from(id: QueryId) -> String {
        id.0
    }
}

/// A wish for one credential.
///
/// Source: §6.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// Its name, unique in the query.
    pub id: QueryId,
    /// Credential format identifier.
    pub format: String,
    /// Whether several credentials may answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub multiple: bool,
    /// What the format lets a verifier demand of type and validity.
    pub meta: Map<String, Value>,
    /// Whom the verifier trusts to have issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_authorities: Option<Vec<TrustedAuthorities>>,
    /// Whether the holder must show that the credential is theirs.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub require_cryptographic_holder_binding: bool,
    /// Claims that are wanted; `None` wants no claim that could be withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimQuery>>,
    /// Which combinations of claims will do, the preferred one first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Vec<Vec<QueryId>>>,
}

impl CredentialQuery {
    /// A wish for a credential of this format, without further demands.
    #[must_use]
    pub fn new(id: QueryId, format: &str) -> CredentialQuery {
        CredentialQuery {
            id,
            format: format.to_owned(),
            multiple: false,
            meta: Map::new(),
            trusted_authorities: None,
            require_cryptographic_holder_binding: true,
            claims: None,
            claim_sets: None,
        }
    }

    fn check(&self) -> Result<(), DcqlError> {
        if let Some(authorities) = &self.trusted_authorities {
            filled(authorities, "trusted_authorities")?;
            authorities
                .iter()
                .try_for_each(|one| filled(&one.values, "values"))?;
        }
        let claims = match (&self.claims, &self.claim_sets) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return Err(DcqlError::SetsWithoutClaims),
            (Some(claims), _) => claims,
        };
        filled(claims, "claims")?;
        claims.iter().try_for_each(ClaimQuery::check)?;
        let ids = claims.iter().filter_map(|claim| claim.id.as_ref());
        let ids = unique(ids).ok_or(DcqlError::RepeatedClaim)?;
        let Some(sets) = &self.claim_sets else {
            return Ok(());
        };
        filled(sets, "claim_sets")?;
        if ids.len() != claims.len() {
            return Err(DcqlError::ClaimWithoutId);
        }
        let known = sets.iter().flatten().all(|id| ids.contains(id));
        if known {
            Ok(())
        } else {
            Err(DcqlError::UnknownId)
        }
    }
}

/// Authorities a verifier trusts, in one of the ways they can be named.
///
/// Source: §6.1.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAuthorities {
    /// The way: `aki`, `etsi_tl`, `openid_federation` or another.
    #[serde(rename = "type")]
    pub kind: String,
    /// The names.
    pub values: Vec<String>,
}

/// Combinations of credentials of which one will do.
///
/// Source: §6.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSetQuery {
    /// The combinations, the preferred one first.
    pub options: Vec<Vec<QueryId>>,
    /// Whether the request fails without one.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub required: bool,
}

impl CredentialSetQuery {
    fn check(&self, ids: &BTreeSet<&QueryId>) -> Result<(), DcqlError> {
        filled(&self.options, "options")?;
        self.options
            .iter()
            .try_for_each(|option| filled(option, "options"))?;
        let known = self.options.iter().flatten().all(|id| ids.contains(id));
        if known {
            Ok(())
        } else {
            Err(DcqlError::UnknownId)
        }
    }
}

/// A wish for one claim.
///
/// Source: §6.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimQuery {
    /// Its name, which claim sets use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<QueryId>,
    /// Where the claim is in the credential.
    pub path: ClaimsPath,
    /// Values of which the claim must have one; texts, integers or truth values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

impl ClaimQuery {
    /// A wish for a claim at the top of a credential.
    #[must_use]
    pub fn of(name: &str) -> ClaimQuery {
        ClaimQuery {
            id: None,
            path: ClaimsPath::of(name),
            values: None,
        }
    }

    fn check(&self) -> Result<(), DcqlError> {
        let Some(values) = &self.values else {
            return Ok(());
        };
        filled(values, "values")?;
        let simple = |value: &Value| {
            value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64()
        };
        if values.iter().all(simple) {
            Ok(())
        } else {
            Err(DcqlError::Value)
        }
    }
}

/// Which rule a query breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DcqlError {
    /// An array that must not be empty is.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A name is empty or has a character it must not have.
    #[error("an id is malformed")]
    Id,
    /// Two credential queries have one name.
    #[error("a credential id is given twice")]
    RepeatedCredential,
    /// Two claims of a credential query have one name.
    #[error("a claim id is given twice")]
    RepeatedClaim,
    /// A set names something that is not there.
    #[error("a set names an unknown id")]
    UnknownId,
    /// Claim sets without claims.
    #[error("claim_sets is present without claims")]
    SetsWithoutClaims,
    /// Claim sets, but a claim without a name.
    #[error("a claim has no id although there are claim_sets")]
    ClaimWithoutId,
    /// A wanted value is neither text, integer nor truth value.
    #[error("a wanted value is of an unsupported type")]
    Value,
}

#[derive(Serialize, Deserialize)]
struct QueryFields {
    credentials: Vec<CredentialQuery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential_sets: Option<Vec<CredentialSetQuery>>,
}

impl TryFrom<QueryFields> for Query {
    type Error = DcqlError;

    fn try_from(fields: QueryFields) -> Result<Query, DcqlError> {
        Query::new(fields.credentials, fields.credential_sets)
    }
}

impl From<Query> for QueryFields {
    fn from(query: Query) -> QueryFields {
        QueryFields {
            credentials: query.credentials,
            credential_sets: query.credential_sets,
        }
    }
}

fn filled<T>(array: &[T], name: &'static str) -> Result<(), DcqlError> {
    if array.is_empty() {
        Err(DcqlError::Empty(name))
    } else {
        Ok(())
    }
}

/// The ids as a set, unless one occurs twice.
fn unique<'a>(ids: impl Iterator<Item = &'a QueryId>) -> Option<BTreeSet<&'a QueryId>> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return None;
        }
    }
    Some(seen)
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_default(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests;
