//! The link that starts a wallet: in a page, or as a QR code.

use super::{CertificateError, ClientId};
use crate::form::{FormError, Parameters, compose};
use crate::oauth::ErrorCode;
use crate::uri::{BadUri, HttpsUri};

/// Where to fetch a request, and whose it will be.
///
/// Source: OpenID4VP 1.0 §5 and §5.4; RFC 9101 §5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLink {
    /// The verifier; the request object must name the same.
    pub client_id: ClientId,
    /// Where the request object is fetched, with GET.
    pub request_uri: HttpsUri,
}

impl RequestLink {
    /// Reads a link `openid4vp:…?client_id=…&request_uri=…`. What stands between scheme and query
    /// does not matter.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if it is another link, or carries its request by value.
    pub fn parse(link: &str) -> Result<RequestLink, LinkError> {
        let (scheme, rest) = link.split_once(':').ok_or(LinkError::Scheme)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(LinkError::Scheme);
        }
        let (_, query) = rest
            .split_once('?')
            .ok_or(LinkError::Missing("client_id"))?;
        let query = Parameters::parse(query, MAX_BYTES)?;
        let client_id = query
            .get("client_id")
            .ok_or(LinkError::Missing("client_id"))?;
        let request_uri = query
            .get("request_uri")
            .ok_or(LinkError::Missing("request_uri"))?;
        if query.has("request") {
            return Err(LinkError::ByValue);
        }
        // A wallet without support for `post` falls back to GET (§5.10).
        if !matches!(query.get("request_uri_method"), None | Some("get" | "post")) {
            return Err(LinkError::Method);
        }
        Ok(RequestLink {
            client_id: ClientId::parse(client_id)?,
            request_uri: HttpsUri::parse(request_uri)?,
        })
    }

    /// Writes the link.
    #[must_use]
    pub fn compose(&self) -> String {
        let client_id = self.client_id.to_string();
        let pairs = [
            ("client_id", client_id.as_str()),
            ("request_uri", self.request_uri.as_str()),
        ];
        format!("{SCHEME}://authorize?{}", compose(pairs))
    }
}

/// Why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not an `openid4vp` link.
    #[error("not a link for presentations")]
    Scheme,
    /// The query is malformed.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A parameter has no value.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The verifier is identified in a way that is not supported.
    #[error(transparent)]
    Client(#[from] CertificateError),
    /// `request_uri` is not an `https` address.
    #[error("request_uri is not an https address")]
    RequestUri,
    /// The request is in the link itself.
    #[error("requests by value are not supported")]
    ByValue,
    /// `request_uri_method` is neither `get` nor `post`.
    #[error("request_uri_method is unknown")]
    Method,
}

impl LinkError {
    /// The error's code in OAuth's terms.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            LinkError::Method => ErrorCode::InvalidRequestUriMethod,
            LinkError::ByValue => ErrorCode::RequestNotSupported,
            LinkError::Scheme
            | LinkError::Form(_)
            | LinkError::Missing(_)
            | LinkError::Client(_)
            | LinkError::RequestUri => ErrorCode::InvalidRequest,
        }
    }
}

impl From<BadUri> for LinkError {
    fn from(_: BadUri) -> LinkError {
        LinkError::RequestUri
    }
}

const SCHEME: &str = "openid4vp";
const MAX_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUERY: &str = "client_id=x509_hash%3AUvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk\
        &request_uri=https%3A%2F%2Fgateway.example%2Frequest%2F1";

    #[test]
    fn a_link_survives_a_round_trip() {
        let text = format!("openid4vp://authorize?{QUERY}");
        let link = RequestLink::parse(&text).unwrap();
        assert_eq!(
            link.request_uri.as_str(),
            "https://gateway.example/request/1"
        );
        assert_eq!(link.compose(), text);
        for other in ["openid4vp://?", "openid4vp:?", "OPENID4VP://x/y?a=b&"] {
            assert_eq!(
                RequestLink::parse(&format!("{other}{QUERY}")).as_ref(),
                Ok(&link)
            );
        }
        let post = format!("{text}&request_uri_method=post&unknown=1");
        assert_eq!(RequestLink::parse(&post), Ok(link));
    }

    #[test]
    fn other_links_are_refused() {
        let link = |text: &str| RequestLink::parse(text).unwrap_err();
        assert_eq!(link(""), LinkError::Scheme);
        assert_eq!(
            link(&format!("https://a.example/?{QUERY}")),
            LinkError::Scheme
        );
        assert_eq!(
            link("openid4vp://authorize"),
            LinkError::Missing("client_id")
        );
        let with = |extra: &str| link(&format!("openid4vp://authorize?{QUERY}{extra}"));
        assert_eq!(with("&request=x"), LinkError::ByValue);
        assert_eq!(with("&request_uri_method=POST"), LinkError::Method);
        assert_eq!(with("&client_id=x"), LinkError::Form(FormError::Repeated));
        let changed = |from, to| link(&format!("openid4vp:?{}", QUERY.replace(from, to)));
        assert_eq!(changed("https%3A", "http%3A"), LinkError::RequestUri);
        assert_eq!(
            changed("x509_hash", "did"),
            LinkError::Client(CertificateError::Prefix)
        );
        assert_eq!(
            changed("request_uri", "r"),
            LinkError::Missing("request_uri")
        );
        assert_eq!(
            with("&request_uri_method=x").code(),
            ErrorCode::InvalidRequestUriMethod
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(openid4vp:)?\\PC{0,60}") {
            let _ = RequestLink::parse(&text);
        }
    }
}
