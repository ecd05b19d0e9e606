//! The userinfo endpoint: what the site learns of the person.

use crate::bearer::{BearerHash, BearerKind};
use crate::gateway::{Gateway, Grant};
use crate::store::StoreError;
use credential::time::UnixTime;
use serde_json::{Map, Value};

/// Why userinfo is not given.
#[derive(Debug, thiserror::Error)]
pub enum UserinfoError {
    /// RFC 6750 section 3.1 `invalid_token`.
    #[error("access token is unknown, expired or taken back")]
    InvalidToken,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// The claims that an access token opens: `sub`, `generation`, `age_over_N` where that was
    /// asked for, and what a certificate disclosed in this log-in.
    ///
    /// Source: OpenID Connect Core 1.0 section 5.3.
    ///
    /// # Errors
    ///
    /// [`UserinfoError`].
    pub async fn userinfo(
        &self,
        access_token: &str,
        now: UnixTime,
    ) -> Result<Map<String, Value>, UserinfoError> {
        let hash = BearerHash::of(BearerKind::AccessToken, access_token);
        let row = self
            .store
            .token(&hash)
            .await?
            .filter(|row| now < row.expires);
        let row = row.ok_or(UserinfoError::InvalidToken)?;
        let grant: Grant = serde_json::from_slice(&row.grant).map_err(|_| StoreError::Malformed)?;
        let person = grant.authentication;
        let age = self.age_claim(&person);
        let mut claims: Map<String, Value> = person
            .items
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        claims.insert("sub".to_owned(), Value::from(person.subject.to_string()));
        claims.insert("generation".to_owned(), Value::from(person.generation));
        claims.extend(age);
        Ok(claims)
    }
}
