//! Requests to wallets: two for each log-in page, one behind the link, one behind the QR code.

use crate::authentication::Transport;
use crate::bearer::{BearerHash, BearerKind};
use crate::begin::Begun;
use crate::gateway::{Cookies, Gateway, rng};
use crate::ids::LoginId;
use crate::login::{Errand, Login, LoginState, Waiting, WalletRequest};
use crate::page::Loaded;
use crate::store::StoreError;
use credential::age::AgeAsked;
use credential::jose::jwe::DecryptionKey;
use credential::time::UnixTime;
use openid4vc::Secret;
use openid4vc::uri::HttpsUri;
use openid4vc::vp::{ClientMetadata, RequestLink, sign_in};
use serde_json::Value;

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
        let age = match errand {
            Errand::Client { .. } => self.site.age_asked(now),
            // Who is not old enough for the site must still be able to remove a device.
            Errand::Devices => None,
        };
        let made = |transport| self.wallet_request(id, transport, age, now);
        let waiting = Waiting {
            link: made(Transport::Link),
            qr: made(Transport::Qr),
            age,
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
    pub(crate) fn wallet_link(&self, id: LoginId, transport: Transport) -> String {
        let client_id = self.site.signer.client_id();
        let request_uri = self.wallet_uri(id, transport, "request");
        RequestLink {
            client_id,
            request_uri,
        }
        .compose()
    }

    pub(crate) fn response_uri(&self, id: LoginId, transport: Transport) -> HttpsUri {
        self.wallet_uri(id, transport, "response")
    }

    fn wallet_uri(&self, id: LoginId, transport: Transport, what: &str) -> HttpsUri {
        let uri = self.at(&format!("/wallet/{id}/{}/{what}", transport.as_str()));
        HttpsUri::parse(&uri).expect("the issuer was parsed and what follows is URL-safe")
    }

    fn wallet_request(
        &self,
        id: LoginId,
        transport: Transport,
        age: Option<AgeAsked>,
        now: UnixTime,
    ) -> WalletRequest {
        let site = &self.site;
        let key = DecryptionKey::generate();
        let formats = [sign_in::ACCOUNT_FORMAT, sign_in::CERTIFICATE_FORMAT];
        let metadata = ClientMetadata::new(*key.public(), &formats);
        let response_uri = self.response_uri(id, transport);
        let request = site
            .signer
            .request(response_uri, metadata, site.query(age), &mut rng())
            .valid_for(now, self.settings.login_secs)
            .with_attestation(
                sign_in::SITE_ENTRY_FORMAT,
                Value::from(site.entry_jws.as_str()),
            );
        let object = site.signer.sign(&request);
        WalletRequest {
            nonce: request.nonce,
            state: request.state,
            key: key.to_bytes(),
            object,
        }
    }
}
