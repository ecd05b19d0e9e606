//! Canonical origins: the name of a site in its entry and in its pseudonym context.

use bbs::pseudonym::Context;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// `https://host:port`: lower-case A-label, port always written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The text is not an https origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an origin of the form https://host or https://host:port")]
pub struct BadOrigin;

impl Origin {
    /// Parses an origin and makes it canonical.
    ///
    /// # Errors
    ///
    /// [`BadOrigin`] for another scheme, a user name, a path, a query, a fragment, an address
    /// instead of a name.
    pub fn parse(text: &str) -> Result<Origin, BadOrigin> {
        let url = Url::parse(text).map_err(|_| BadOrigin)?;
        let bare =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !bare || text.ends_with('/') {
            return Err(BadOrigin);
        }
        Origin::of_url(&url)
    }

    /// The origin of any https URL.
    ///
    /// # Errors
    ///
    /// [`BadOrigin`] for another scheme, a user name or an address instead of a name.
    pub fn of_url(url: &Url) -> Result<Origin, BadOrigin> {
        let Some(Host::Domain(host)) = url.host() else {
            return Err(BadOrigin);
        };
        let port = url.port_or_known_default().ok_or(BadOrigin)?;
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(BadOrigin);
        }
        if host.is_empty() || host.ends_with('.') {
            return Err(BadOrigin);
        }
        Ok(Origin(format!("https://{host}:{port}")))
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = BadOrigin;
    fn try_from(text: String) -> Result<Origin, BadOrigin> {
        Origin::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

/// First part of the context_id of every log-in. Source: `docs/specs.md`, "pseudonym context".
const LOGIN: &str = "bauta/v1/login";

/// The one log-in context of a site.
pub struct SiteContext {
    origin: Origin,
    context: Context,
}

impl SiteContext {
    /// The context of the site at `origin`.
    #[must_use]
    pub fn new(origin: &Origin) -> SiteContext {
        let mut id = Vec::new();
        for part in [LOGIN, origin.as_str()] {
            id.extend_from_slice(&(part.len() as u64).to_be_bytes());
            id.extend_from_slice(part.as_bytes());
        }
        SiteContext {
            origin: origin.clone(),
            context: Context::new(&id),
        }
    }

    /// The site's origin.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The pseudonym context.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_origin_become_one() {
        for text in [
            "https://Forum.Example",
            "https://forum.example:443",
            "https://FORUM.example",
        ] {
            assert_eq!(
                Origin::parse(text).unwrap().as_str(),
                "https://forum.example:443"
            );
        }
        assert_eq!(
            Origin::parse("https://bücher.example").unwrap().as_str(),
            "https://xn--bcher-kva.example:443"
        );
    }

    #[test]
    fn what_is_no_https_origin_is_refused() {
        for text in [
            "http://forum.example",
            "https://forum.example/",
            "https://forum.example/a",
            "https://forum.example?a",
            "https://forum.example#a",
            "https://me@forum.example",
            "https://127.0.0.1",
            "https://[::1]",
            "https://forum.example.",
            "forum.example",
            "",
        ] {
            assert_eq!(Origin::parse(text).err(), Some(BadOrigin), "{text}");
        }
    }
}
