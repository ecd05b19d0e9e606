//! The two cookies of a gateway. `__Host-` binds them to this host over HTTPS.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use gateway::gateway::Cookies;
use openid4vc::Secret;

const BROWSER: &str = "__Host-bauta-browser";
const SESSION: &str = "__Host-bauta-session";

/// The cookies that a browser sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    browser: Option<String>,
    session: Option<String>,
}

impl Sent {
    pub(super) fn get(&self) -> Cookies<'_> {
        Cookies {
            browser: self.browser.as_deref(),
            session: self.session.as_deref(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Sent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Sent, Infallible> {
        let mut sent = Sent::default();
        let headers = parts.headers.get_all(header::COOKIE);
        let texts = headers.iter().filter_map(|value| value.to_str().ok());
        for pair in texts.flat_map(|text| text.split(';')) {
            match pair.trim().split_once('=') {
                Some((BROWSER, value)) => sent.browser = Some(value.to_owned()),
                Some((SESSION, value)) => sent.session = Some(value.to_owned()),
                Some(_) | None => {}
            }
        }
        Ok(sent)
    }
}

/// Sets the cookie that ties log-in pages to this browser; it ends with the browser.
pub(super) fn set_browser(secret: &Secret) -> HeaderValue {
    set(BROWSER, secret.expose(), "")
}

/// Sets the cookie of a browser that is logged in; it ends with the browser.
pub(super) fn set_session(secret: &Secret) -> HeaderValue {
    set(SESSION, secret.expose(), "")
}

/// Removes the cookie of a browser that was logged in.
pub(super) fn remove_session() -> HeaderValue {
    set(SESSION, "", "; Max-Age=0")
}

fn set(name: &str, value: &str, more: &str) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{more}");
    let mut value = HeaderValue::try_from(text).expect("base64url is legal in a header");
    value.set_sensitive(true);
    value
}
