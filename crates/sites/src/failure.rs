//! What a person is told when something is not done.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::page::{self, Frame};

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Only for people who are logged in.
    NotLoggedIn,
    /// A form that was not sent by a page of this site.
    ForeignForm,
    /// A form that cannot be read, or a value that cannot be taken.
    BadForm(&'static str),
    /// There is no such page or thing.
    NothingHere,
    /// The address does not take this method.
    WrongMethod,
    /// The account is banned here.
    Banned,
    /// The moderator's token is wrong.
    WrongToken,
    /// The log-in that comes back did not begin in this browser, is used or too old.
    UnknownLogin,
    /// The person said no, or the gateway did.
    LoginRefused,
    /// The gateway's answer is not good.
    LoginFailed,
    /// The gateway does not answer.
    GatewayAway,
    /// We failed.
    Internal,
}

impl Failure {
    /// Status, stable id, title, and what to do.
    fn parts(&self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Failure::NotLoggedIn => (
                StatusCode::UNAUTHORIZED,
                "not-logged-in",
                "Log in first",
                "This is for members. Nothing was changed.",
            ),
            Failure::ForeignForm => (
                StatusCode::FORBIDDEN,
                "foreign-form",
                "This was not sent from here",
                "Nothing was changed.",
            ),
            Failure::BadForm(sentence) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad-form",
                "This cannot be taken",
                sentence,
            ),
            Failure::NothingHere => (
                StatusCode::NOT_FOUND,
                "nothing-here",
                "There is nothing here",
                "Look at the address, or begin at the front page.",
            ),
            Failure::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "That does not work here",
                "Nothing was changed. Begin at the front page.",
            ),
            Failure::Banned => (
                StatusCode::FORBIDDEN,
                "banned",
                "Your account is banned here",
                "A moderator of this site decided it. It holds at this site alone: no other site \
                 is told, and none can find out.",
            ),
            Failure::WrongToken => (
                StatusCode::FORBIDDEN,
                "wrong-token",
                "This is not the moderator's token",
                "Nothing was changed.",
            ),
            Failure::UnknownLogin => (
                StatusCode::BAD_REQUEST,
                "unknown-login",
                "This log-in did not begin here",
                "It began in another browser, is over, or took too long. Log in again.",
            ),
            Failure::LoginRefused => (
                StatusCode::OK,
                "login-refused",
                "You are not logged in",
                "The log-in was cancelled. You can log in again whenever you like.",
            ),
            Failure::LoginFailed => (
                StatusCode::BAD_GATEWAY,
                "login-failed",
                "The log-in failed",
                "The answer of the log-in service was not good. Log in again.",
            ),
            Failure::GatewayAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                "gateway-away",
                "Logging in does not work now",
                "The log-in service does not answer. Come back in a few minutes.",
            ),
            Failure::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here",
                "It is our fault. Come back in a few minutes.",
            ),
        }
    }

    /// The page for it.
    pub(crate) fn page(&self, frame: Frame) -> Response {
        let (status, id, title, sentence) = self.parts();
        let page = FailurePage {
            frame,
            id,
            title,
            sentence,
        };
        (status, page::render(&page)).into_response()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        tracing::error!("{error:#}");
        Failure::Internal
    }
}

impl IntoResponse for Failure {
    /// Leaves the page to [`crate::web::around`], which knows the site.
    fn into_response(self) -> Response {
        let mut response = self.parts().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    id: &'static str,
    title: &'static str,
    sentence: &'static str,
}
