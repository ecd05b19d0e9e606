//! Addresses in messages. They are kept as they were written, because peers compare them exactly.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An absolute `https` address without user name, password or fragment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpsUri(String);

impl HttpsUri {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`BadUri`] if it is relative, of another scheme, or has user name, password or fragment.
    pub fn parse(text: &str) -> Result<HttpsUri, BadUri> {
        let url = parse_plain(text)?;
        if url.scheme() == "https" {
            Ok(HttpsUri(text.to_owned()))
        } else {
            Err(BadUri)
        }
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port, without a path: the party this address belongs to.
    #[must_use]
    pub fn origin(&self) -> String {
        Url::parse(&self.0)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    }

    /// Whether it has a query, even an empty one; names of issuers have none.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.0.contains('?')
    }

    /// Scheme with host and port, and the path, as they are written; of an address without query.
    pub(crate) fn split_path(&self) -> (&str, &str) {
        let path = self.0.match_indices('/').nth(2);
        path.and_then(|(at, _)| self.0.split_at_checked(at))
            .unwrap_or((&self.0, ""))
    }
}

impl fmt::Display for HttpsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for HttpsUri {
    type Error = BadUri;

    fn try_from(text: String) -> Result<HttpsUri, BadUri> {
        HttpsUri::parse(&text)
    }
}

impl From<HttpsUri> for String {
    fn from(uri: HttpsUri) -> String {
        uri.0
    }
}

/// An address a client is registered to be sent back to.
///
/// `https` anywhere, or `http` on the machine itself, which a developer's client uses. No
/// fragment.
///
/// Source: RFC 6749 §3.1.2; RFC 9700 §2.1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`BadUri`] for any other address.
    pub fn parse(text: &str) -> Result<RedirectUri, BadUri> {
        let url = parse_plain(text)?;
        let local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(RedirectUri(text.to_owned())),
            "http" if local => Ok(RedirectUri(text.to_owned())),
            _ => Err(BadUri),
        }
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `requested` is this address, character by character.
    ///
    /// Source: RFC 9700 §4.1.3.
    #[must_use]
    pub fn matches(&self, requested: &str) -> bool {
        self.0 == requested
    }

    /// The address with parameters added to its query.
    #[must_use]
    pub fn with_query(&self, query: &str) -> String {
        let joint = match self.0.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{joint}{query}", self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = BadUri;

    fn try_from(text: String) -> Result<RedirectUri, BadUri> {
        RedirectUri::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> String {
        uri.0
    }
}

/// A text is not an address of the kind wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an acceptable address")]
pub struct BadUri;

fn parse_plain(text: &str) -> Result<Url, BadUri> {
    // The parser repairs what it reads (backslashes, white space, missing slashes, octets of a host
    // that are written as %41); a text that needs repair might be repaired differently elsewhere,
    // so it is refused.
    let unusual = |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>');
    let (scheme, rest) = text.split_once("://").ok_or(BadUri)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let in_host = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    let plain_host = !authority.is_empty() && authority.chars().all(in_host);
    if text.len() > MAX_BYTES || text.chars().any(unusual) || !plain_host {
        return Err(BadUri);
    }
    let url = Url::parse(text).map_err(|_| BadUri)?;
    let plain = url.scheme().eq_ignore_ascii_case(scheme)
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    if plain { Ok(url) } else { Err(BadUri) }
}

const MAX_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn https_addresses_are_kept_as_written() {
        let uri = HttpsUri::parse("https://a.example:443/x?y=1").unwrap();
        assert_eq!(uri.as_str(), "https://a.example:443/x?y=1");
        assert_eq!(uri.origin(), "https://a.example");
    }

    #[test]
    fn other_addresses_are_refused() {
        for text in [
            "",
            "a.example",
            "//a.example/",
            "http://a.example/",
            "https:a.example",
            "https:\\\\a.example",
            "https://a.example/#x",
            "https://a.example/#",
            "https://user@a.example/",
            "https://:secret@a.example/",
            "https://",
            "https:///",
            "https:///a.example/",
            "https:/a://b.example/",
            " https://a.example/",
            "https://a.example/\n",
            "https://ä.example/",
            "https://%61.example/",
            "https://a.%22.example/",
            "javascript://a.example/",
        ] {
            assert_eq!(HttpsUri::parse(text), Err(BadUri), "{text}");
        }
        let long = format!("https://a.example/{}", "a".repeat(MAX_BYTES));
        assert_eq!(HttpsUri::parse(&long), Err(BadUri));
    }

    #[test]
    fn redirect_addresses_may_be_local_and_match_exactly() {
        for local in [
            "http://localhost:1/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
        ] {
            assert!(RedirectUri::parse(local).is_ok(), "{local}");
        }
        for bad in [
            "http://a.example/cb",
            "http://localhost.a.example/",
            "app:/cb",
        ] {
            assert_eq!(RedirectUri::parse(bad), Err(BadUri), "{bad}");
        }
        let uri = RedirectUri::parse("https://a.example/cb").unwrap();
        assert!(uri.matches("https://a.example/cb"));
        for other in [
            "https://a.example/cb/",
            "https://a.example/cb?",
            "https://A.example/cb",
        ] {
            assert!(!uri.matches(other), "{other}");
        }
    }

    #[test]
    fn parameters_are_added_behind_those_already_there() {
        let with = |uri| RedirectUri::parse(uri).unwrap().with_query("c=1");
        assert_eq!(with("https://a.example/cb"), "https://a.example/cb?c=1");
        assert_eq!(with("https://a.example/cb?"), "https://a.example/cb?c=1");
        assert_eq!(
            with("https://a.example/cb?x=2"),
            "https://a.example/cb?x=2&c=1"
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "https?://[a-z0-9:@/?#\\[\\].%-]{0,40}|\\PC{0,40}") {
            let _ = (HttpsUri::parse(&text), RedirectUri::parse(&text));
        }
    }
}
