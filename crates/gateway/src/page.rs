//! The page of a log-in, as its browser finds it each time it looks.

use crate::authentication::{Authentication, Transport};
use crate::discovery;
use crate::gateway::{Gateway, Grant, rng};
use crate::ids::LoginId;
use crate::login::{Arrival, Errand, Login, LoginState, ReleaseError};
use crate::store::{LoginStep, StoreError, Version};
use credential::time::UnixTime;
use openid4vc::Secret;
use openid4vc::oauth::{Answer, ErrorCode, OAuthError};

/// What the browser is shown.
pub enum LoginPage {
    /// No wallet has answered: the two requests.
    Waiting {
        /// Address for the link on the same device.
        link: String,
        /// Address for the QR code and the command.
        qr: String,
        /// Seconds that are left.
        remaining_secs: u64,
    },
    /// The wallet has approved and leads back into the browser by itself.
    LeadingBack,
    /// The holder refused.
    Refused(WayOut),
    /// No wallet answered in time, or the site asks for an age since then.
    Expired(WayOut),
    /// The browser had its code.
    Finished,
    /// The browser goes back to the client, logged in.
    Continue {
        /// To the client.
        answer: Answer,
        /// The new session's cookie.
        session: Secret,
    },
}

/// What a person can do after a log-in that led nowhere.
pub struct WayOut {
    /// Begins the same log-in again: an address at this gateway.
    pub again: String,
    /// Goes back to the client without, where a client asked.
    pub back: Option<Answer>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// No such log-in, or forgotten since.
    #[error("log-in is not known")]
    Unknown,
    /// Another browser began it.
    #[error("log-in began in another browser")]
    OtherBrowser,
    /// The response code does not belong to it.
    #[error("response code does not belong to this log-in")]
    WrongResponseCode,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A log-in as it was read.
pub(crate) struct Loaded {
    pub(crate) version: Version,
    pub(crate) login: Login,
}

impl Gateway {
    /// Looks at a log-in and, where a wallet has approved it, finishes it.
    ///
    /// `browser` is the cookie of the browser that looks.
    ///
    /// # Errors
    ///
    /// [`PageError`]; the log-in is as before.
    pub async fn login_page(
        &self,
        id: LoginId,
        browser: Option<&str>,
        arrival: Arrival<'_>,
        now: UnixTime,
    ) -> Result<LoginPage, PageError> {
        let Loaded { version, login } = self.load_login(id).await?.ok_or(PageError::Unknown)?;
        if !login.began_in(browser) {
            return Err(PageError::OtherBrowser);
        }
        let expired = login.has_expired(now);
        match login.state {
            LoginState::Finished => Ok(LoginPage::Finished),
            LoginState::Refused(_) => Ok(LoginPage::Refused(self.way_out(&login))),
            LoginState::Waiting(_) | LoginState::Approved(_) if expired => {
                Ok(LoginPage::Expired(self.way_out(&login)))
            }
            LoginState::Waiting(_) => Ok(LoginPage::Waiting {
                link: self.wallet_link(id, Transport::Link),
                qr: self.wallet_link(id, Transport::Qr),
                remaining_secs: login.expires.0.saturating_sub(now.0),
            }),
            // The site has begun to ask for an age since the wallet answered.
            LoginState::Approved(ref approved)
                if !self.may_open(&login.errand, approved.authentication.age_over) =>
            {
                Ok(LoginPage::Expired(self.way_out(&login)))
            }
            LoginState::Approved(ref approved) => match approved.clone().release(arrival) {
                Ok(authentication) => self.finish(id, version, login, authentication, now).await,
                Err(ReleaseError::NotBack) => Ok(LoginPage::LeadingBack),
                Err(ReleaseError::WrongCode) => Err(PageError::WrongResponseCode),
            },
        }
    }

    async fn finish(
        &self,
        id: LoginId,
        read: Version,
        login: Login,
        authentication: Authentication,
        now: UnixTime,
    ) -> Result<LoginPage, PageError> {
        let (session, code) = (Secret::draw(&mut rng()), Secret::draw(&mut rng()));
        let session_row = self.session_row(&session, &authentication, now);
        let (answer, code_row) = match &login.errand {
            Errand::Client { request, .. } => {
                let grant = Grant::new(request, authentication);
                let row = self.code_row(&code, session_row.hash, &grant, now);
                (request.target.succeed(self.issuer(), &code), Some(row))
            }
            Errand::Devices => (Answer::Redirect(self.at(discovery::DEVICES)), None),
        };
        let next = Login {
            state: LoginState::Finished,
            ..login
        }
        .to_stored();
        let step = LoginStep { id, read, next };
        match self
            .store
            .finish_login(&step, &session_row, code_row.as_ref())
            .await
        {
            Ok(()) => Ok(LoginPage::Continue { answer, session }),
            // The same page loaded twice at once; the other one continues.
            Err(StoreError::Stale) => Ok(LoginPage::Finished),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn load_login(&self, id: LoginId) -> Result<Option<Loaded>, StoreError> {
        let Some(stored) = self.store.login(id).await? else {
            return Ok(None);
        };
        let login = Login::from_stored(&stored.state).map_err(|_| StoreError::Malformed)?;
        Ok(Some(Loaded {
            version: stored.version,
            login,
        }))
    }

    fn way_out(&self, login: &Login) -> WayOut {
        match &login.errand {
            Errand::Client { request, query } => {
                let error = OAuthError::from(ErrorCode::AccessDenied);
                WayOut {
                    again: format!("{}?{query}", self.at(discovery::AUTHORIZE)),
                    back: Some(request.target.refuse(self.issuer(), &error)),
                }
            }
            Errand::Devices => WayOut {
                again: self.at(discovery::DEVICES),
                back: None,
            },
        }
    }
}
