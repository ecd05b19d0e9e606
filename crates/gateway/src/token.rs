//! The token endpoint: a code becomes an ID token and an access token, once.

use crate::bearer::{BearerHash, BearerKind};
use crate::client::Client;
use crate::gateway::{Gateway, Grant, rng};
use crate::id_token::IdTokenParts;
use crate::store::{Redemption, StoreError, TokenRow};
use credential::time::UnixTime;
use openid4vc::Secret;
use openid4vc::oauth::{CodeGrant, TokenError, TokenRequest, TokenResponse};
use openid4vc::oidc::RsaKeyError;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] TokenError),
    /// RFC 6749 section 5.2 `invalid_client`.
    #[error("client is not registered or did not show itself")]
    InvalidClient,
    /// RFC 6749 section 5.2 `invalid_grant`: the code is unknown, used, expired, somebody
    /// else's, for another redirect URI, or its PKCE verifier is wrong. Which one is not said.
    #[error("grant is unknown, used, expired or not this client's")]
    InvalidGrant,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// We failed to sign.
    #[error(transparent)]
    Key(#[from] RsaKeyError),
}

impl Gateway {
    /// Redeems an authorization code.
    ///
    /// `authorization` is the header of that name, `body` the form.
    ///
    /// Source: OpenID Connect Core 1.0 section 3.1.3, RFC 7636 section 4.6.
    ///
    /// # Errors
    ///
    /// [`RedeemError`]; a code that was redeemed before also loses the token it gave.
    pub async fn redeem(
        &self,
        authorization: Option<&str>,
        body: &str,
        now: UnixTime,
    ) -> Result<TokenResponse, RedeemError> {
        let request = TokenRequest::parse(authorization, body)?;
        let client = self.clients.authenticate(&request.client);
        let client = client.ok_or(RedeemError::InvalidClient)?;
        let hash = BearerHash::of_secret(BearerKind::Code, &request.grant.code);
        let Some(code) = self.store.code(&hash).await? else {
            self.store.take_back(&hash).await?;
            return Err(RedeemError::InvalidGrant);
        };
        let grant: Grant =
            serde_json::from_slice(&code.grant).map_err(|_| StoreError::Malformed)?;
        if now >= code.expires || !matches(&grant, client, &request.grant) {
            return Err(RedeemError::InvalidGrant);
        }
        let access_token = Secret::draw(&mut rng());
        let token = TokenRow {
            hash: BearerHash::of_secret(BearerKind::AccessToken, &access_token),
            session: code.session,
            grant: code.grant,
            expires: now.plus_secs(self.settings.token_secs),
        };
        match self.store.redeem_code(&hash, &token).await? {
            Redemption::Redeemed => self.token_response(client, &grant, access_token, now),
            Redemption::Replayed | Redemption::Unknown => Err(RedeemError::InvalidGrant),
        }
    }

    fn token_response(
        &self,
        client: &Client,
        grant: &Grant,
        access_token: Secret,
        now: UnixTime,
    ) -> Result<TokenResponse, RedeemError> {
        let claims = self.id_token(&IdTokenParts {
            client: &client.id,
            nonce: grant.nonce.as_deref(),
            authentication: &grant.authentication,
            access_token: &access_token,
            now,
        });
        let id_token = self.provider_keys.sign(client.id_token_alg, &claims)?;
        let response = TokenResponse::bearer(access_token, self.settings.token_secs);
        Ok(TokenResponse {
            id_token: Some(id_token),
            ..response
        })
    }
}

/// Whether a code is shown by the client it was given to, for the address it was sent to, by the
/// one who began.
fn matches(grant: &Grant, client: &Client, shown: &CodeGrant) -> bool {
    let verified = match (&grant.challenge, &shown.code_verifier) {
        (Some(challenge), Some(verifier)) => challenge.matches(verifier),
        (None, None) => true,
        // A verifier without a challenge: the request was exchanged for one without PKCE
        // (RFC 9700 section 4.8.2).
        (Some(_), None) | (None, Some(_)) => false,
    };
    verified
        && grant.client == client.id
        && shown.redirect_uri.as_deref() == Some(grant.redirect_uri.as_str())
}
