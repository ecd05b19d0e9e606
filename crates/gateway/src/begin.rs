//! The authorization endpoint: a running session gives a code at once, else a log-in begins.

use crate::authentication::Authentication;
use crate::bearer::{BearerHash, BearerKind};
use crate::gateway::{Cookies, Gateway, Grant, rng};
use crate::ids::LoginId;
use crate::login::Errand;
use crate::store::{SessionRow, StoreError};
use credential::time::UnixTime;
use openid4vc::Secret;
use openid4vc::form::FormError;
use openid4vc::oauth::{
    Answer, AuthorizationError, AuthorizationParameters, AuthorizationRequest, ErrorCode,
    OAuthError, Prompt,
};

/// What the authorization endpoint does with a request it understood.
pub enum Begun {
    /// The browser goes back to the client at once.
    Answer(Answer),
    /// The browser goes to the page of a new log-in.
    Login {
        /// Which.
        id: LoginId,
        /// The cookie to set, if the browser had none.
        browser: Option<Secret>,
    },
}

/// Why the authorization endpoint keeps the browser on a page of its own.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The parameters cannot be read.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The client is missing or not registered.
    #[error("client is not registered")]
    UnknownClient,
    /// The return address is missing or not registered for the client.
    #[error("redirect URI is not registered for this client")]
    UnknownRedirectUri,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// Takes an authentication request.
    ///
    /// `query` holds the parameters, of the address or of a form that was posted. Errors that the
    /// client may learn are an [`Answer`], not an error here.
    ///
    /// Source: OpenID Connect Core 1.0 section 3.1.2.
    ///
    /// # Errors
    ///
    /// [`BeginError`], to be shown and not sent anywhere.
    pub async fn authorize(
        &self,
        query: &str,
        cookies: Cookies<'_>,
        now: UnixTime,
    ) -> Result<Begun, BeginError> {
        let parameters = AuthorizationParameters::parse(query)?;
        let named = parameters
            .client_id()
            .map_err(|_| BeginError::UnknownClient)?;
        let client = self.clients.find(named).ok_or(BeginError::UnknownClient)?;
        let target = parameters.redirect_target(&client.redirect_uris);
        let target = target.map_err(|_| BeginError::UnknownRedirectUri)?;
        let request = match parameters.request(target.clone(), client.pkce) {
            Ok(request) if request.scope.is_openid() => request,
            Ok(_) => {
                let error = OAuthError::from(AuthorizationError::Scope);
                return Ok(Begun::Answer(target.refuse(self.issuer(), &error)));
            }
            Err(error) => {
                return Ok(Begun::Answer(target.refuse(self.issuer(), &error.into())));
            }
        };
        match (
            self.usable_session(&request, cookies, now).await?,
            request.prompt,
        ) {
            (Some(session), Prompt::Default | Prompt::Never) => {
                self.answer_from_session(&request, session, now).await
            }
            (None, Prompt::Never) => {
                let error = OAuthError::from(ErrorCode::LoginRequired);
                Ok(Begun::Answer(request.target.refuse(self.issuer(), &error)))
            }
            (None, Prompt::Default) | (_, Prompt::Login) => {
                let query = query.to_owned();
                let errand = Errand::Client {
                    request: Box::new(request),
                    query,
                };
                Ok(self.begin_login(errand, cookies, now).await?)
            }
        }
    }

    async fn usable_session(
        &self,
        request: &AuthorizationRequest,
        cookies: Cookies<'_>,
        now: UnixTime,
    ) -> Result<Option<UsableSession>, BeginError> {
        let Some(row) = self.session(cookies, now).await? else {
            return Ok(None);
        };
        let authentication: Authentication =
            serde_json::from_slice(&row.authentication).map_err(|_| StoreError::Malformed)?;
        let age = now.0.saturating_sub(authentication.time.0);
        let fresh = request.max_age.is_none_or(|max_age| age <= max_age);
        // The site may have begun to ask for an age since this session began.
        let old_enough = self.is_old_enough(authentication.age_over);
        Ok((fresh && old_enough).then_some(UsableSession {
            row,
            authentication,
        }))
    }

    /// The session of the browser, if it has not expired.
    pub(crate) async fn session(
        &self,
        cookies: Cookies<'_>,
        now: UnixTime,
    ) -> Result<Option<SessionRow>, StoreError> {
        let Some(cookie) = cookies.session else {
            return Ok(None);
        };
        let row = self
            .store
            .session(&BearerHash::of(BearerKind::Session, cookie))
            .await?;
        Ok(row.filter(|row| now < row.expires))
    }

    async fn answer_from_session(
        &self,
        request: &AuthorizationRequest,
        session: UsableSession,
        now: UnixTime,
    ) -> Result<Begun, BeginError> {
        let code = Secret::draw(&mut rng());
        let grant = Grant::new(request, session.authentication);
        self.store
            .insert_code(&self.code_row(&code, session.row.hash, &grant, now))
            .await?;
        Ok(Begun::Answer(request.target.succeed(self.issuer(), &code)))
    }
}

struct UsableSession {
    row: SessionRow,
    authentication: Authentication,
}
