//! ID tokens: what the site is told of a log-in.

use crate::authentication::Authentication;
use crate::client::ClientId;
use crate::gateway::Gateway;
use credential::time::UnixTime;
use openid4vc::Secret;
use openid4vc::oidc::{IdTokenClaims, at_hash};
use serde_json::Value;

/// What an ID token is made of.
pub(crate) struct IdTokenParts<'a> {
    pub(crate) client: &'a ClientId,
    pub(crate) nonce: Option<&'a str>,
    pub(crate) authentication: &'a Authentication,
    pub(crate) access_token: &'a Secret,
    pub(crate) now: UnixTime,
}

impl Gateway {
    /// The claims: those of the log-in, and never what a certificate disclosed, because ID tokens
    /// come back in log-out requests and so pass through addresses.
    pub(crate) fn id_token(&self, parts: &IdTokenParts<'_>) -> IdTokenClaims {
        let person = parts.authentication;
        let sub = person.subject.to_string();
        let secs = self.settings.token_secs;
        let mut token = IdTokenClaims::new(self.issuer(), &sub, &parts.client.0, parts.now, secs);
        token.auth_time = Some(person.time);
        token.nonce = parts.nonce.map(str::to_owned);
        token.acr = Some(person.moment.acr().to_owned());
        token.amr = person
            .transport
            .amr()
            .iter()
            .map(|&amr| amr.to_owned())
            .collect();
        token.at_hash = Some(at_hash(parts.access_token));
        token
            .others
            .insert("generation".to_owned(), Value::from(person.generation));
        token.others.extend(self.age_claim(person));
        token
    }

    /// `age_over_N` for the N of the site's entry, where at least that was proved and the client
    /// asked. No other number is told, also of somebody who proved a higher one before.
    pub(crate) fn age_claim(&self, person: &Authentication) -> Option<(String, Value)> {
        let years = self.site.entry.age_over?;
        (person.age_over >= Some(years)).then(|| (years.claim(), Value::Bool(true)))
    }
}
