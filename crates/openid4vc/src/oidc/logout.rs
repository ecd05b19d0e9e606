//! Logging out on a client's wish.

use super::IdTokenClaims;
use crate::form::{FormError, Parameters, compose};
use crate::uri::RedirectUri;

/// A client's wish that the person be logged out.
///
/// Source: OpenID Connect RP-Initiated Logout 1.0 §2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndSessionRequest {
    /// An ID token of the person, unverified; it may have expired.
    pub id_token_hint: Option<String>,
    /// The client, where it is named.
    pub client_id: Option<String>,
    /// Where the person goes afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// To be repeated there.
    pub state: Option<String>,
}

impl EndSessionRequest {
    /// Reads a query or a body that was posted.
    ///
    /// # Errors
    ///
    /// [`FormError`] as [`Parameters::parse`].
    pub fn parse(form: &str) -> Result<EndSessionRequest, FormError> {
        let form = Parameters::parse(form, MAX_BYTES)?;
        Ok(EndSessionRequest {
            id_token_hint: form.text("id_token_hint"),
            client_id: form.text("client_id"),
            post_logout_redirect_uri: form.text("post_logout_redirect_uri"),
            state: form.text("state"),
        })
    }

    /// The client that asks, given the claims of a hint that was verified.
    ///
    /// # Errors
    ///
    /// [`LogoutError::Client`] if the hint was made for another client than the one named.
    pub fn client<'a>(
        &'a self,
        hint: Option<&'a IdTokenClaims>,
    ) -> Result<Option<&'a str>, LogoutError> {
        match (self.client_id.as_deref(), hint) {
            (Some(client), Some(hint)) if !hint.aud.contains(client) => Err(LogoutError::Client),
            (Some(client), _) => Ok(Some(client)),
            (None, Some(hint)) => Ok(hint.aud.0.first().map(String::as_str)),
            (None, None) => Ok(None),
        }
    }

    /// Where the browser goes, if the client wishes so; `registered` are that client's addresses.
    ///
    /// # Errors
    ///
    /// [`LogoutError::RedirectUri`] if the address is not exactly one of them. Show a page then.
    pub fn destination(&self, registered: &[RedirectUri]) -> Result<Option<String>, LogoutError> {
        let Some(requested) = self.post_logout_redirect_uri.as_deref() else {
            return Ok(None);
        };
        let uri = registered.iter().find(|uri| uri.matches(requested));
        let uri = uri.ok_or(LogoutError::RedirectUri)?;
        Ok(Some(match self.state.as_deref() {
            Some(state) => uri.with_query(&compose([("state", state)])),
            None => uri.as_str().to_owned(),
        }))
    }
}

/// Why a wish to log out is not followed as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutError {
    /// `client_id` and `id_token_hint` are of different clients.
    #[error("id_token_hint was made for another client")]
    Client,
    /// `post_logout_redirect_uri` is not one of the client's.
    #[error("post_logout_redirect_uri is not registered for this client")]
    RedirectUri,
}

const MAX_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use credential::time::UnixTime;

    use super::*;

    fn claims() -> IdTokenClaims {
        IdTokenClaims::new("https://op.example", "s", "c", UnixTime(1), 1)
    }

    #[test]
    fn the_client_is_the_one_named_or_the_one_of_the_hint() {
        let named = EndSessionRequest::parse("client_id=c&id_token_hint=x&other=1").unwrap();
        assert_eq!(named.client(Some(&claims())), Ok(Some("c")));
        assert_eq!(named.client(None), Ok(Some("c")));
        let hint = EndSessionRequest::parse("id_token_hint=x").unwrap();
        assert_eq!(hint.client(Some(&claims())), Ok(Some("c")));
        assert_eq!(hint.client(None), Ok(None));
        let other = EndSessionRequest::parse("client_id=d").unwrap();
        assert_eq!(other.client(Some(&claims())), Err(LogoutError::Client));
    }

    #[test]
    fn the_browser_goes_to_registered_addresses_only() {
        let registered = [RedirectUri::parse("https://a.example/bye").unwrap()];
        let destination = |form| {
            EndSessionRequest::parse(form)
                .unwrap()
                .destination(&registered)
        };
        let uri = "post_logout_redirect_uri=https%3A%2F%2Fa.example%2Fbye";
        assert_eq!(
            destination(uri).unwrap().as_deref(),
            Some("https://a.example/bye")
        );
        let stateful = format!("{uri}&state=a%26b");
        let address = destination(&stateful).unwrap();
        assert_eq!(
            address.as_deref(),
            Some("https://a.example/bye?state=a%26b")
        );
        assert_eq!(destination("state=1"), Ok(None));
        assert_eq!(
            destination(&format!("{uri}%2F")),
            Err(LogoutError::RedirectUri)
        );
        let repeated = EndSessionRequest::parse(&format!("{uri}&{uri}"));
        assert_eq!(repeated, Err(FormError::Repeated));
    }
}
