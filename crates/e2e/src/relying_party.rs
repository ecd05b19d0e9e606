//! A site's own program, as small as it can be: OpenID Connect with PKCE against a gateway.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use credential::jose::{self, PublicKey};
use rand_core::{Rng, UnwrapErr};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use crate::browser::{Browser, Page};

/// A registered client of a gateway.
pub struct RelyingParty {
    id: String,
    secret: String,
    redirect_uri: String,
    provider: Provider,
    jwks: Jwks,
}

#[derive(Deserialize)]
struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// A log-in that has begun.
pub struct Attempt {
    /// Where the browser is sent.
    pub url: String,
    verifier: String,
    nonce: String,
    state: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

impl RelyingParty {
    /// The client `id` of the gateway at `issuer`.
    ///
    /// # Errors
    ///
    /// When the gateway does not answer with its metadata.
    pub fn new(
        browser: &Browser,
        issuer: &str,
        id: &str,
        secret_file: &Path,
        redirect_uri: String,
    ) -> anyhow::Result<RelyingParty> {
        let metadata = format!("{issuer}/.well-known/openid-configuration");
        let provider: Provider = browser.call(|client| client.get(metadata))?.json()?;
        ensure!(provider.issuer == issuer, "the issuer is another one");
        let jwks = browser.call(|client| client.get(&provider.jwks_uri))?;
        Ok(RelyingParty {
            id: id.to_owned(),
            secret: std::fs::read_to_string(secret_file)?.trim().to_owned(),
            redirect_uri,
            provider,
            jwks: jwks.json()?,
        })
    }

    /// Where its log-ins lead back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Begins a log-in.
    ///
    /// # Errors
    ///
    /// When the gateway's metadata hold no address.
    pub fn begin(&self) -> anyhow::Result<Attempt> {
        let (verifier, nonce, state) = (random(), random(), random());
        let challenge = jose::encode(jose::sha256(verifier.as_bytes()));
        let mut url = Url::parse(&self.provider.authorization_endpoint)?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("scope", "openid age"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(Attempt {
            url: url.into(),
            verifier,
            nonce,
            state,
        })
    }

    /// Redeems the code that the browser came back with; gives the verified claims.
    ///
    /// # Errors
    ///
    /// When the gateway refused, or its ID token does not hold.
    pub fn finish(
        &self,
        browser: &Browser,
        attempt: &Attempt,
        back: &Page,
    ) -> anyhow::Result<Value> {
        ensure!(
            back.url.as_str().starts_with(&self.redirect_uri),
            "the browser is at {} instead: {}",
            back.url,
            back.text()
        );
        if let Ok(error) = back.parameter("error") {
            bail!("the gateway refused: {error}");
        }
        ensure!(back.parameter("state")? == attempt.state, "another state");
        let code = back.parameter("code")?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &attempt.verifier),
        ];
        let answer = browser.call(|client| {
            client
                .post(&self.provider.token_endpoint)
                .basic_auth(&self.id, Some(&self.secret))
                .form(&form)
        })?;
        let said = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status.is_success(), "the token endpoint says {said}");
        let tokens: Tokens = answer.json()?;
        let claims = self.verify(&tokens.id_token)?;
        ensure!(claims["nonce"] == attempt.nonce.as_str(), "another nonce");
        Ok(claims)
    }

    fn verify(&self, token: &str) -> anyhow::Result<Value> {
        let (input, signature) = token.rsplit_once('.').context("no JWS")?;
        let (header, payload) = input.split_once('.').context("no JWS")?;
        let header: Value = serde_json::from_slice(&jose::decode(header)?)?;
        ensure!(header["alg"] == "ES256", "another algorithm");
        let mut keys = self.jwks.keys.iter();
        let jwk = keys.find(|key| key["kid"] == header["kid"]);
        let jwk = jwk.context("the token's key is not published")?;
        let coordinates = serde_json::json!({
            "kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"],
        });
        let key: PublicKey = serde_json::from_value(coordinates)?;
        let signature = jose::decode(signature)?;
        let signature = signature.as_slice();
        key.verify(input.as_bytes(), signature)
            .ok()
            .context("the signature does not hold")?;
        let claims: Value = serde_json::from_slice(&jose::decode(payload)?)?;
        ensure!(claims["iss"] == self.provider.issuer.as_str(), "issuer");
        ensure!(claims["aud"] == self.id.as_str(), "audience");
        Ok(claims)
    }
}

fn random() -> String {
    let mut octets = [0; 32];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut octets);
    jose::encode(octets)
}
