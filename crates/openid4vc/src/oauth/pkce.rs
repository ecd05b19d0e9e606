//! Proof Key for Code Exchange with S256. The method `plain` does not exist here.

use credential::jose::{decode, encode, sha256};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::Secret;

/// What the client keeps until it redeems the code.
///
/// Source: RFC 7636 §4.1.
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Draws a verifier of 256 bits.
    #[must_use]
    pub fn draw(rng: &mut impl CryptoRng) -> CodeVerifier {
        CodeVerifier(Secret::draw(rng))
    }

    /// Reads a verifier: 43 to 128 letters, digits or any of `-._~`.
    ///
    /// # Errors
    ///
    /// [`PkceError::Verifier`] for anything else.
    pub fn parse(verifier: Secret) -> Result<CodeVerifier, PkceError> {
        let text = verifier.expose();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (43..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(CodeVerifier(verifier))
        } else {
            Err(PkceError::Verifier)
        }
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The challenge that goes into the authorization request.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(sha256(self.expose().as_bytes()))
    }
}

/// SHA-256 of the verifier, 32 bytes; in messages base64url.
///
/// Source: RFC 7636 §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads the parameters `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    ///
    /// [`PkceError::Method`] unless the method is given and S256 (its absence means `plain`);
    /// [`PkceError::Challenge`] unless the challenge is 32 bytes.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<CodeChallenge, PkceError> {
        if method != Some(S256) {
            return Err(PkceError::Method);
        }
        CodeChallenge::try_from(challenge.to_owned())
    }

    /// Whether the challenge was made from this verifier.
    #[must_use]
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        self.0.ct_eq(&verifier.challenge().0).into()
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = PkceError;

    fn try_from(text: String) -> Result<CodeChallenge, PkceError> {
        let bytes = decode(&text).map_err(|_| PkceError::Challenge)?;
        bytes
            .try_into()
            .map(CodeChallenge)
            .map_err(|_| PkceError::Challenge)
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> String {
        encode(challenge.0)
    }
}

/// Why PKCE parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// `code_challenge_method` is not S256.
    #[error("code_challenge_method must be S256")]
    Method,
    /// `code_challenge` is not 32 bytes in base64url.
    #[error("code_challenge is malformed")]
    Challenge,
    /// `code_verifier` has the wrong length or alphabet.
    #[error("code_verifier is malformed")]
    Verifier,
}

const S256: &str = "S256";

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn verifier(text: &str) -> Result<CodeVerifier, PkceError> {
        CodeVerifier::parse(Secret::from(text.to_owned()))
    }

    #[test]
    fn the_challenge_of_rfc_7636_appendix_b_matches() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        let own = verifier(VERIFIER).ok().unwrap();
        assert!(challenge.matches(&own));
        assert_eq!(String::from(own.challenge()), CHALLENGE);
        let other = verifier(&VERIFIER.replace('d', "e")).ok().unwrap();
        assert!(!challenge.matches(&other));
    }

    #[test]
    fn plain_and_malformed_parameters_are_refused() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert_eq!(
                CodeChallenge::parse(CHALLENGE, method),
                Err(PkceError::Method)
            );
        }
        for challenge in [
            "",
            "AAAA",
            VERIFIER.get(1..).unwrap(),
            &format!("{CHALLENGE}="),
        ] {
            let parsed = CodeChallenge::parse(challenge, Some("S256"));
            assert_eq!(parsed, Err(PkceError::Challenge));
        }
        let spaced = VERIFIER.replace('-', " ");
        for text in [
            "",
            VERIFIER.get(1..).unwrap(),
            &"a".repeat(129),
            &spaced,
            &"ä".repeat(30),
        ] {
            assert_eq!(verifier(text).err(), Some(PkceError::Verifier), "{text}");
        }
    }
}
