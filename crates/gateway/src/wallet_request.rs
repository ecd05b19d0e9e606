//! Requests to wallets: two for each log-in page, one behind the link, one behind the QR code.

use crate::authentication::Transport;
use crate::bearer::{BearerHash, BearerKind};
use crate::begin::Begun;
use crate::gateway::{Cookies, Gateway, rng};
use crate::ids::LoginId;
use crate::login::{Errand, Login, LoginState, Waiting, WalletRequest};
use crate::page::Loaded;
use crate::site::Site;
use crate::store::StoreError;
use credential::jose::jwe::DecryptionKey;
use credential::jose::jws::{self, Header};
use credential::jose::{Jwk, encode};
use credential::manifest::LAYOUT;
use credential::time::UnixTime;
use openid4vc::Secret;
use openid4vc::form::compose;
use rand_core::Rng as _;
use serde_json::{Value, json};

/// Why a wallet does not get its request.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No such log-in, or forgotten since.
    #[error("request is not known")]
    Unknown,
    /// Too late.
    #[error("request has expired")]
    Expired,
    /// A wallet has answered already.
    #[error("request was answered already")]
    Answered,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    pub(crate) async fn begin_login(
        &self,
        errand: Errand,
        cookies: Cookies<'_>,
        now: UnixTime,
    ) -> Result<Begun, StoreError> {
        let id = LoginId::draw(&mut rng());
        let (browser, set) = match cookies.browser {
            Some(cookie) => (BearerHash::of(BearerKind::Browser, cookie), None),
            None => {
                let secret = Secret::draw(&mut rng());
                (
                    BearerHash::of_secret(BearerKind::Browser, &secret),
                    Some(secret),
                )
            }
        };
        let expires = now.plus_secs(self.settings.login_secs);
        let made = |transport| self.wallet_request(id, transport, (now, expires));
        let waiting = Waiting {
            link: made(Transport::Link),
            qr: made(Transport::Qr),
        };
        let state = LoginState::Waiting(Box::new(waiting));
        let login = Login {
            errand,
            browser,
            expires,
            state,
        };
        // Kept for as long again, so that a late browser is told what happened.
        let forget = expires.plus_secs(self.settings.login_secs);
        self.store
            .insert_login(id, forget, &login.to_stored())
            .await?;
        Ok(Begun::Login { id, browser: set })
    }

    /// The request object of a log-in, a signed JWT, the same at every call.
    ///
    /// Source: OpenID4VP 1.0 section 5.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub async fn request_object(
        &self,
        id: LoginId,
        transport: Transport,
        now: UnixTime,
    ) -> Result<String, FetchError> {
        let Loaded { login, .. } = self.load_login(id).await?.ok_or(FetchError::Unknown)?;
        if login.has_expired(now) {
            return Err(FetchError::Expired);
        }
        match login.state {
            LoginState::Waiting(waiting) => Ok(waiting.request(transport).object.clone()),
            LoginState::Approved(_) | LoginState::Refused(_) | LoginState::Finished => {
                Err(FetchError::Answered)
            }
        }
    }

    /// What the page shows: the address that a wallet opens.
    ///
    /// Source: OpenID4VP 1.0 section 5.10.
    pub(crate) fn wallet_link(&self, id: LoginId, transport: Transport) -> String {
        let request_uri = self.wallet_uri(id, transport, "request");
        let query = compose([
            ("client_id", self.site.client_id.as_str()),
            ("request_uri", &request_uri),
        ]);
        format!("openid4vp://authorize?{query}")
    }

    pub(crate) fn response_uri(&self, id: LoginId, transport: Transport) -> String {
        self.wallet_uri(id, transport, "response")
    }

    fn wallet_uri(&self, id: LoginId, transport: Transport, what: &str) -> String {
        format!(
            "{}/wallet/{id}/{}/{what}",
            self.issuer(),
            transport.as_str()
        )
    }

    fn wallet_request(
        &self,
        id: LoginId,
        transport: Transport,
        (issued, expires): (UnixTime, UnixTime),
    ) -> WalletRequest {
        let key = DecryptionKey::generate();
        let (nonce, state) = (random_text(), random_text());
        let site = &self.site;
        let payload = json!({
            "client_id": site.client_id,
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "response_uri": self.response_uri(id, transport),
            "nonce": nonce,
            "state": state,
            "aud": "https://self-issued.me/v2",
            "iat": issued,
            "exp": expires,
            "client_metadata": client_metadata(&key),
            "dcql_query": dcql_query(site),
            "verifier_info": [{ "format": "bauta_site_entry", "data": site.entry_jws }],
        });
        let header = Header {
            typ: Some("oauth-authz-req+jwt".to_owned()),
            x5c: vec![site.request_key.certificate().to_vec()],
            ..Header::default()
        };
        let object = jws::sign_with_header(site.request_key.key(), &header, &payload);
        WalletRequest {
            nonce,
            state,
            key: key.to_bytes(),
            object,
        }
    }
}

/// How answers are encrypted, with a key made for this one request.
///
/// Source: OpenID4VP 1.0 section 5.1, section 8.3.
fn client_metadata(key: &DecryptionKey) -> Value {
    json!({
        "jwks": { "keys": [Jwk::for_encryption(*key.public())] },
        "encrypted_response_enc_values_supported": ["A256GCM"],
        "vp_formats_supported": { "bauta_certificate": {}, "bauta_account": {} },
    })
}

/// An account where the wallet has one, else a certificate with exactly these items.
///
/// Source: OpenID4VP 1.0 section 6.
fn dcql_query(site: &Site) -> Value {
    let claims: Vec<Value> = site
        .items
        .iter()
        .map(|item| json!({ "path": [item.as_str()] }))
        .collect();
    let certificate = json!({
        "id": "certificate",
        "format": "bauta_certificate",
        "meta": { "vct_values": [LAYOUT] },
        "claims": claims,
    });
    if site.entry.requires_certificate {
        return json!({ "credentials": [certificate] });
    }
    json!({
        "credentials": [{ "id": "account", "format": "bauta_account", "meta": {} }, certificate],
        "credential_sets": [{ "options": [["account"], ["certificate"]] }],
    })
}

/// 128 random bits as text.
fn random_text() -> String {
    let mut bytes = [0_u8; 16];
    rng().fill_bytes(&mut bytes);
    encode(bytes)
}
