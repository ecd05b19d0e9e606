//! Which status, code and identifier each refusal has. The reason goes to the log.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use gateway::store::StoreError;
use gateway::token::RedeemError;
use gateway::userinfo::UserinfoError;
use gateway::wallet_request::FetchError;
use gateway::wallet_response::RespondError;
use openid4vc::oauth::{ClientAuthenticationError, TokenError};

use crate::http::problem::OAuthError;

/// No such request.
pub(super) fn unknown_request() -> OAuthError {
    bad(
        "request-unknown",
        "there is no such request, or it was forgotten since",
    )
}

/// The address exists, the method does not.
pub(super) fn wrong_method() -> OAuthError {
    OAuthError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request",
        "method-not-allowed",
        "this address does not take this method",
    )
}

/// A wallet that fetches its request.
pub(super) fn of_fetch(error: &FetchError) -> OAuthError {
    match error {
        FetchError::Unknown => unknown_request(),
        FetchError::Expired => expired(),
        FetchError::Answered => replayed(),
        FetchError::Store(error) => internal(error),
    }
}

/// A wallet that answers.
pub(super) fn of_respond(error: &RespondError) -> OAuthError {
    tracing::debug!(%error, "a wallet's answer is refused");
    match error {
        RespondError::Unknown => unknown_request(),
        RespondError::Expired => expired(),
        RespondError::Answered => replayed(),
        RespondError::Malformed => bad("response-malformed", "the answer cannot be read"),
        RespondError::Decryption => bad(
            "response-undecryptable",
            "the answer is not encrypted to this request's key",
        ),
        RespondError::WrongState => bad("wrong-state", "state belongs to another request"),
        RespondError::OtherRequest => bad(
            "wrong-request",
            "the presentation was made for another request",
        ),
        RespondError::OtherItems => bad(
            "wrong-items",
            "the presentation discloses other items than requested",
        ),
        RespondError::OtherAge => bad(
            "wrong-age",
            "the presentation proves an age unasked, or not the one requested",
        ),
        RespondError::Invalid => bad("presentation-invalid", "the presentation does not verify"),
        RespondError::UnknownAccount => bad(
            "account-unknown",
            "there is no account here; sign up with a certificate",
        ),
        RespondError::UnknownDevice => bad(
            "device-unknown",
            "the account does not know this device; add it by certificate",
        ),
        RespondError::CertificateRequired => bad(
            "certificate-required",
            "this site asks for a certificate at every log-in",
        ),
        RespondError::AgeRequired => bad(
            "age-required",
            "this site asks for an age that the account has not proved; prove it by certificate",
        ),
        RespondError::NoManifest => OAuthError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "manifest-missing",
            "certificates cannot be checked at the moment; try again later",
        ),
        RespondError::Store(error) => internal(error),
    }
}

/// A client that redeems a code. One that authenticated by header is challenged in kind.
///
/// Source: RFC 6749 §5.2.
pub(super) fn of_redeem(error: &RedeemError, authorization: Option<&str>) -> Response {
    let refusal = match error {
        RedeemError::Request(error) => of_token_request(*error),
        RedeemError::InvalidClient => OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "invalid-client",
            "the client is not registered or did not show itself",
        ),
        RedeemError::InvalidGrant => OAuthError::new(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "invalid-grant",
            "the code is unknown, used, expired or not for this client and request",
        ),
        RedeemError::Store(error) => internal(error),
        RedeemError::Key(error) => internal(error),
    };
    let mut response = refusal.into_response();
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    if response.status() == StatusCode::UNAUTHORIZED && authorization.is_some() {
        let challenge = HeaderValue::from_static("Basic realm=\"token\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A client that asks for userinfo.
pub(super) fn of_userinfo(error: &UserinfoError) -> OAuthError {
    match error {
        UserinfoError::InvalidToken => OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_token",
            "token-invalid",
            "the access token is unknown, expired or taken back",
        ),
        UserinfoError::Store(error) => internal(error),
    }
}

/// Notes that the store failed; its rows and their contents are not in the message.
pub(super) fn log_failure(error: &StoreError) {
    tracing::error!(error = %chain(error), "the gateway failed");
}

fn of_token_request(error: TokenError) -> OAuthError {
    let bad_request =
        |code, id, description| OAuthError::new(StatusCode::BAD_REQUEST, code, id, description);
    match error {
        TokenError::Form(_) => bad(MALFORMED, "the request is not a form"),
        TokenError::Missing(_) => bad(MALFORMED, "the request misses a parameter"),
        TokenError::GrantType => bad_request(
            "unsupported_grant_type",
            "unsupported-grant-type",
            "only authorization_code is supported",
        ),
        TokenError::Client(ClientAuthenticationError::Several) => {
            bad(MALFORMED, "the client shows itself in more than one way")
        }
        TokenError::Client(
            ClientAuthenticationError::Missing | ClientAuthenticationError::Malformed,
        ) => OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "invalid-client",
            "the client did not show itself",
        ),
        TokenError::Verifier => bad_request(
            "invalid_grant",
            "invalid-grant",
            "code_verifier is malformed",
        ),
    }
}

fn expired() -> OAuthError {
    bad(
        "request-expired",
        "the request has expired; begin the log-in again",
    )
}

fn replayed() -> OAuthError {
    bad(
        "response-replayed",
        "the request was answered already; begin the log-in again",
    )
}

fn bad(id: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(StatusCode::BAD_REQUEST, "invalid_request", id, description)
}

fn internal(error: &(dyn std::error::Error + 'static)) -> OAuthError {
    tracing::error!(error = %chain(error), "the gateway failed");
    OAuthError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "server_error",
        "internal-error",
        "the gateway could not finish the request",
    )
}

/// An error with all its sources in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

const MALFORMED: &str = "malformed-request";
