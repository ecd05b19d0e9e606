//! Values that open something for whoever holds them: authorization codes, access tokens,
//! cookies, response codes. They are a [`Secret`] where they are drawn and kept only as a hash.

use aws_lc_rs::digest::{Context, SHA256};
use openid4vc::Secret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// What a bearer value opens. The kind goes into the hash, so that a value of one kind is
/// never found under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerKind {
    /// Authorization code (RFC 6749 section 1.3.1).
    Code,
    /// Access token for the userinfo endpoint.
    AccessToken,
    /// Cookie that ties a log-in page to the browser that began.
    Browser,
    /// Cookie of a browser that is logged in at this gateway.
    Session,
    /// `response_code` of a wallet on the same device (OpenID4VP 1.0 section 13.3).
    ResponseCode,
    /// Client secret of a confidential client.
    ClientSecret,
}

impl BearerKind {
    fn domain(self) -> &'static [u8] {
        match self {
            BearerKind::Code => b"bauta/gateway/code/1",
            BearerKind::AccessToken => b"bauta/gateway/access-token/1",
            BearerKind::Browser => b"bauta/gateway/browser/1",
            BearerKind::Session => b"bauta/gateway/session/1",
            BearerKind::ResponseCode => b"bauta/gateway/response-code/1",
            BearerKind::ClientSecret => b"bauta/gateway/client-secret/1",
        }
    }
}

/// SHA-256 over the kind and the text of a bearer value.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BearerHash([u8; 32]);

impl BearerHash {
    /// The hash under which a presented value is looked up; any text is accepted.
    #[must_use]
    pub fn of(kind: BearerKind, presented: &str) -> BearerHash {
        let mut context = Context::new(&SHA256);
        context.update(kind.domain());
        context.update(&[0]);
        context.update(presented.as_bytes());
        let mut out = [0_u8; 32];
        out.copy_from_slice(context.finish().as_ref());
        BearerHash(out)
    }

    /// The hash of a value that was just drawn.
    #[must_use]
    pub fn of_secret(kind: BearerKind, secret: &Secret) -> BearerHash {
        BearerHash::of(kind, secret.expose())
    }

    /// From the 32 bytes of a row.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> BearerHash {
        BearerHash(bytes)
    }

    /// The hash as 32 bytes, the primary key of its row.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for BearerHash {
    fn eq(&self, other: &BearerHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for BearerHash {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;
    use std::collections::HashSet;

    const KINDS: [BearerKind; 6] = [
        BearerKind::Code,
        BearerKind::AccessToken,
        BearerKind::Browser,
        BearerKind::Session,
        BearerKind::ResponseCode,
        BearerKind::ClientSecret,
    ];

    #[test]
    fn a_value_of_one_kind_is_not_found_under_another() {
        let code = Secret::draw(&mut rng(1));
        let stored = BearerHash::of_secret(BearerKind::Code, &code);
        let found: Vec<BearerKind> = KINDS
            .into_iter()
            .filter(|kind| BearerHash::of(*kind, code.expose()) == stored)
            .collect();
        assert_eq!(found, [BearerKind::Code]);
    }

    #[test]
    fn no_two_kinds_share_a_domain() {
        let domains: HashSet<&[u8]> = KINDS.into_iter().map(BearerKind::domain).collect();
        assert_eq!(domains.len(), KINDS.len());
    }
}
