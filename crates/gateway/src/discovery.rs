//! What the gateway says about itself.

use crate::authentication::Moment;
use crate::gateway::Gateway;
use credential::age::Years;
use openid4vc::oidc::{Endpoints, JwkSet, ProviderMetadata};
use openid4vc::uri::{BadUri, HttpsUri};

/// Builds the provider metadata of an issuer, `https://host` without a slash at the end.
///
/// Source: OpenID Connect Discovery 1.0 section 3.
pub(crate) fn metadata(issuer: &str, age_over: Option<Years>) -> Result<ProviderMetadata, BadUri> {
    let at = |path: &str| HttpsUri::parse(&format!("{issuer}{path}"));
    let endpoints = Endpoints {
        authorization: at(AUTHORIZE)?,
        token: at(TOKEN)?,
        userinfo: at(USERINFO)?,
        jwks: at(JWKS)?,
        end_session: at(END_SESSION)?,
    };
    let mut metadata = ProviderMetadata::new(HttpsUri::parse(issuer)?, endpoints);
    metadata.acr_values_supported = [Moment::Possession, Moment::Unlock]
        .iter()
        .map(|moment| moment.acr().to_owned())
        .collect();
    metadata
        .claims_supported
        .extend(["at_hash", "generation"].map(str::to_owned));
    if let Some(years) = age_over {
        metadata.scopes_supported.push(AGE.to_owned());
        metadata.claims_supported.push(years.claim());
    }
    Ok(metadata)
}

impl Gateway {
    /// The provider metadata.
    #[must_use]
    pub fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    /// The keys that verify ID tokens.
    #[must_use]
    pub fn jwks(&self) -> &JwkSet {
        &self.jwks
    }
}

/// The scope under which a client is told that somebody is old enough.
pub const AGE: &str = "age";
/// Path of the metadata.
pub const METADATA: &str = "/.well-known/openid-configuration";
/// Path of the authorization endpoint.
pub const AUTHORIZE: &str = "/authorize";
/// Path of the token endpoint.
pub const TOKEN: &str = "/token";
/// Path of the userinfo endpoint.
pub const USERINFO: &str = "/userinfo";
/// Path of the JWK Set.
pub const JWKS: &str = "/jwks";
/// Path of the page with the account's devices.
pub const DEVICES: &str = "/devices";
/// Path of the log-out endpoint.
pub const END_SESSION: &str = "/logout";
