//! The gateway of one site: what it was set up with, and the helpers its steps share.

use crate::account::SiteKeys;
use crate::authentication::Authentication;
use crate::bearer::{BearerHash, BearerKind};
use crate::client::{ClientId, Clients};
use crate::discovery;
use crate::login::Errand;
use crate::manifest::Keeper;
use crate::site::{Operator, Site};
use crate::store::{AccountStore, CodeRow, SessionRow, StoreError};
use credential::age::Years;
use credential::time::UnixTime;
use getrandom::SysRng;
use openid4vc::Secret;
use openid4vc::oauth::{AuthorizationRequest, CodeChallenge};
use openid4vc::oidc::{JwkSet, ProviderKeys, ProviderMetadata};
use openid4vc::uri::BadUri;
use rand_core::UnwrapErr;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The gateway of one site. Its steps stand in the modules named after them.
pub struct Gateway {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
    pub(crate) metadata: ProviderMetadata,
    pub(crate) provider_keys: ProviderKeys,
    pub(crate) jwks: JwkSet,
    pub(crate) site_keys: SiteKeys,
    pub(crate) site: Site,
    pub(crate) manifest: Keeper,
    pub(crate) store: Arc<dyn AccountStore>,
}

/// The parts of a gateway.
pub struct Parts {
    /// Names and times.
    pub settings: Settings,
    /// The site's own programs.
    pub clients: Clients,
    /// Sign ID tokens.
    pub provider_keys: ProviderKeys,
    /// Make the indices that accounts are found by.
    pub site_keys: SiteKeys,
    /// The site with its verified entry.
    pub site: Site,
    /// Whose manifests count.
    pub operator: Operator,
    /// Where everything is kept.
    pub store: Arc<dyn AccountStore>,
}

/// What a gateway is set up with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The gateway's own origin, without a slash at the end: the OpenID issuer.
    pub issuer: String,
    /// How long a person has to answer, in seconds.
    pub login_secs: u64,
    /// How long a browser stays logged in, in seconds.
    pub session_secs: u64,
    /// How long an authorization code waits, in seconds.
    pub code_secs: u64,
    /// How long an access token opens userinfo, in seconds.
    pub token_secs: u64,
}

/// Why a gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The issuer is no https address.
    #[error("the gateway's origin is not an https address")]
    Issuer(#[from] BadUri),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a browser sends along.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cookies<'a> {
    /// Ties log-in pages to the browser.
    pub browser: Option<&'a str>,
    /// Says that somebody is logged in.
    pub session: Option<&'a str>,
}

/// What an authorization code, and then an access token, stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client: ClientId,
    pub(crate) redirect_uri: String,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Option<CodeChallenge>,
    pub(crate) authentication: Authentication,
}

impl Grant {
    /// A client that did not ask for the age is not told it.
    pub(crate) fn new(request: &AuthorizationRequest, authentication: Authentication) -> Grant {
        let asked = request.scope.contains(discovery::AGE);
        let authentication = Authentication {
            age_over: authentication.age_over.filter(|_| asked),
            ..authentication
        };
        Grant {
            client: ClientId(request.client_id.clone()),
            redirect_uri: request.target.uri().as_str().to_owned(),
            nonce: request.nonce.clone(),
            challenge: request.code_challenge,
            authentication,
        }
    }

    pub(crate) fn to_stored(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a grant is plain values")
    }
}

impl Gateway {
    /// Puts a gateway together.
    ///
    /// # Errors
    ///
    /// [`SetUpError`] where the issuer is no https origin or the store cannot be read.
    pub async fn new(parts: Parts, now: UnixTime) -> Result<Gateway, SetUpError> {
        let age_over = parts.site.entry.age_over;
        let metadata = discovery::metadata(&parts.settings.issuer, age_over)?;
        let manifest = Keeper::load(parts.operator, &*parts.store, now).await?;
        Ok(Gateway {
            settings: parts.settings,
            clients: parts.clients,
            metadata,
            jwks: parts.provider_keys.jwks(),
            provider_keys: parts.provider_keys,
            site_keys: parts.site_keys,
            site: parts.site,
            manifest,
            store: parts.store,
        })
    }

    /// The site as its entry describes it.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Removes what has expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError> {
        self.store.forget_expired(now).await
    }

    /// The OpenID issuer, which is the gateway's origin.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Whether `proved`, the highest age that was proved for an account, is what the site asks for
    /// now. A log-in that waits may have begun when it asked for another age.
    pub(crate) fn is_old_enough(&self, proved: Option<Years>) -> bool {
        self.site.entry.age_over <= proved
    }

    /// Whether an account for which this age was proved is opened for this errand. Who is not old
    /// enough for the site must still be able to remove a device.
    pub(crate) fn may_open(&self, errand: &Errand, proved: Option<Years>) -> bool {
        match errand {
            Errand::Client { .. } => self.is_old_enough(proved),
            Errand::Devices => true,
        }
    }

    /// An address at this gateway.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    pub(crate) fn code_row(
        &self,
        code: &Secret,
        session: BearerHash,
        grant: &Grant,
        now: UnixTime,
    ) -> CodeRow {
        CodeRow {
            hash: BearerHash::of_secret(BearerKind::Code, code),
            session,
            grant: grant.to_stored(),
            expires: now.plus_secs(self.settings.code_secs),
        }
    }

    /// A session remembers the log-in, not what a certificate disclosed in it.
    pub(crate) fn session_row(
        &self,
        session: &Secret,
        authentication: &Authentication,
        now: UnixTime,
    ) -> SessionRow {
        let remembered = Authentication {
            items: Vec::new(),
            ..authentication.clone()
        };
        SessionRow {
            hash: BearerHash::of_secret(BearerKind::Session, session),
            subject: authentication.subject,
            authentication: serde_json::to_vec(&remembered).expect("a log-in is plain values"),
            expires: now.plus_secs(self.settings.session_secs),
        }
    }
}

/// The system's generator.
///
/// # Panics
///
/// When drawing, if the system has no randomness to give; going on without would be worse.
pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
