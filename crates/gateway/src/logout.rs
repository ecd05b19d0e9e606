//! The log-out endpoint.

use crate::bearer::{BearerHash, BearerKind};
use crate::gateway::{Cookies, Gateway};
use crate::store::StoreError;
use credential::time::UnixTime;
use openid4vc::form::FormError;
use openid4vc::oidc::{self, EndSessionRequest};
use openid4vc::uri::RedirectUri;

/// What the log-out endpoint does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logout {
    /// Nobody is logged in here any more; the browser goes back to the client.
    Redirect(String),
    /// Nobody is logged in here any more, and there is nowhere to go back to.
    Done,
    /// The request does not show that it comes from the person's client: the person is asked.
    Ask,
}

/// How the log-out endpoint was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutIntent {
    /// By a client, through the browser.
    Requested,
    /// By the person, on the page that asked.
    Confirmed,
}

/// Why a log-out is not done.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The parameters cannot be read.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The client or the return address is not the right one.
    #[error(transparent)]
    Request(#[from] oidc::LogoutError),
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// Logs the person out of this gateway. Codes and tokens of the session end with it.
    ///
    /// Source: OpenID Connect RP-Initiated Logout 1.0 section 2.
    ///
    /// # Errors
    ///
    /// [`LogoutError`]; the session is as before.
    pub async fn end_session(
        &self,
        query: &str,
        cookies: Cookies<'_>,
        intent: LogoutIntent,
        now: UnixTime,
    ) -> Result<Logout, LogoutError> {
        let request = EndSessionRequest::parse(query)?;
        let hint = request.id_token_hint.as_deref();
        let hint = hint.and_then(|hint| self.jwks.verify(hint).ok());
        let hint = hint.filter(|hint| hint.iss == self.issuer());
        let client = request
            .client(hint.as_ref())?
            .and_then(|id| self.clients.find(id));
        let registered = client.map_or(&[] as &[RedirectUri], |client| {
            client.post_logout_redirect_uris.as_slice()
        });
        let back = request.destination(registered)?;
        let session = self.session(cookies, now).await?;
        let hinted = match (&session, &hint) {
            (Some(session), Some(hint)) => session.subject.to_string() == hint.sub,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if !hinted && intent == LogoutIntent::Requested {
            return Ok(Logout::Ask);
        }
        if let Some(cookie) = cookies.session {
            self.store
                .end_session(&BearerHash::of(BearerKind::Session, cookie))
                .await?;
        }
        Ok(back.map_or(Logout::Done, Logout::Redirect))
    }
}
