//! Logging people in through the gateway: OpenID Connect, authorization code flow with PKCE.
//!
//! Source: OpenID Connect Core 1.0 section 3.1, RFC 7636, RP-Initiated Logout 1.0 section 2.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims,
};
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse as _, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::config::Config;
use crate::http_client::HttpClient;

/// Path that the gateway sends people back to.
pub(crate) const BACK: &str = "/callback";
/// How long what the gateway publishes about itself is kept.
const METADATA_AGE: Duration = Duration::from_secs(300);

/// The site's side of the log-in.
pub(crate) struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    redirect: RedirectUrl,
    scopes: Vec<Scope>,
    home: PostLogoutRedirectUrl,
    http: HttpClient,
    discovered: Mutex<Option<(Instant, Discovered)>>,
}

/// What the gateway publishes, made ready for use.
#[derive(Clone)]
struct Discovered {
    client: CoreClient<
        EndpointSet,
        EndpointNotSet,
        EndpointNotSet,
        EndpointNotSet,
        EndpointMaybeSet,
        EndpointMaybeSet,
    >,
    end_session: EndSessionUrl,
}

/// A log-in that has begun; the site keeps it until the person is back.
pub(crate) struct Begun {
    pub(crate) url: Url,
    pub(crate) state: CsrfToken,
    pub(crate) kept: Kept,
}

/// What is needed to finish a log-in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// A person who is logged in.
pub(crate) struct Person {
    /// The account, a name that this site alone knows.
    pub(crate) sub: String,
    /// Everything the gateway says about the person.
    pub(crate) claims: Map<String, Value>,
    /// The ID token, which a later log-out has to show.
    pub(crate) id_token: String,
}

/// Claims that OpenID Connect has no name for.
#[derive(Debug, Serialize, Deserialize)]
struct OtherClaims(BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

impl Provider {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Provider> {
        let origin = |url: &Url| url.origin().ascii_serialization();
        let home = config.origin.clone();
        Ok(Provider {
            issuer: IssuerUrl::new(origin(&config.issuer))?,
            client_id: ClientId::new(config.client_id.clone()),
            client_secret: config.client_secret()?,
            redirect: RedirectUrl::from_url(home.join(BACK)?),
            scopes: config.scopes.iter().cloned().map(Scope::new).collect(),
            home: PostLogoutRedirectUrl::from_url(home),
            http: HttpClient::new(config.ca_file.as_deref())?,
            discovered: Mutex::new(None),
        })
    }

    /// Begins a log-in: the browser goes to the address in the answer.
    pub(crate) async fn begin(&self) -> anyhow::Result<Begun> {
        let discovered = self.discover().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = discovered
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(challenge)
            .url();
        let kept = Kept { nonce, verifier };
        Ok(Begun { url, state, kept })
    }

    /// Finishes a log-in with the code that the browser brought back.
    pub(crate) async fn finish(&self, code: String, kept: Kept) -> anyhow::Result<Person> {
        let finished = self.redeem(code, kept).await;
        if finished.is_err() {
            // The gateway may have new keys; the next log-in looks.
            *self.discovered.lock().await = None;
        }
        finished
    }

    async fn redeem(&self, code: String, kept: Kept) -> anyhow::Result<Person> {
        let client = self.discover().await?.client;
        let answer = client
            .exchange_code(AuthorizationCode::new(code))?
            .set_pkce_verifier(kept.verifier)
            .request_async(&self.http)
            .await
            .context("the code was not redeemed")?;
        let id_token = answer.id_token().context("there is no ID token")?;
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, &kept.nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let (alg, key) = (id_token.signing_alg()?, id_token.signing_key(&verifier)?);
            let found = AccessTokenHash::from_token(answer.access_token(), alg, key)?;
            anyhow::ensure!(
                found == *expected,
                "the access token belongs to another answer"
            );
        }
        let subject = claims.subject().clone();
        let userinfo: UserInfoClaims<OtherClaims, CoreGenderClaim> = client
            .user_info(answer.access_token().clone(), Some(subject.clone()))?
            .request_async(&self.http)
            .await
            .context("userinfo was not given")?;
        let mut known = log_in_claims(claims)?;
        if let Value::Object(more) = serde_json::to_value(&userinfo)? {
            known.extend(more);
        }
        Ok(Person {
            sub: subject.to_string(),
            claims: known,
            id_token: id_token.to_string(),
        })
    }

    /// Where the browser goes to log out at the gateway too.
    pub(crate) async fn log_out(&self, id_token: &str) -> anyhow::Result<Url> {
        let end_session = self.discover().await?.end_session;
        let id_token = CoreIdToken::from_str(id_token)?;
        Ok(LogoutRequest::from(end_session)
            .set_id_token_hint(&id_token)
            .set_client_id(self.client_id.clone())
            .set_post_logout_redirect_uri(self.home.clone())
            .http_get_url())
    }

    async fn discover(&self) -> anyhow::Result<Discovered> {
        let mut known = self.discovered.lock().await;
        if let Some((since, discovered)) = &*known
            && since.elapsed() < METADATA_AGE
        {
            return Ok(discovered.clone());
        }
        let metadata = ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.http)
            .await
            .context("cannot read the gateway's metadata")?;
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let secret = Some(self.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), secret)
            .set_redirect_uri(self.redirect.clone());
        let discovered = Discovered {
            client,
            end_session: end_session.context("the gateway has no log-out")?,
        };
        *known = Some((Instant::now(), discovered.clone()));
        Ok(discovered)
    }
}

/// What the ID token says about the log-in itself.
fn log_in_claims(claims: &CoreIdTokenClaims) -> anyhow::Result<Map<String, Value>> {
    let all = serde_json::to_value(claims)?;
    let names = ["acr", "amr", "auth_time"];
    let found = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), all.get(name)?.clone())));
    Ok(found.collect())
}
