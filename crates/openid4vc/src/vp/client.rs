//! Client identifiers that are the hash of a certificate, and the certificate itself.

use std::fmt;

use credential::jose::{PublicKey, decode, encode, sha256};
use credential::time::UnixTime;
use der::Decode as _;
use der::oid::ObjectIdentifier;
use der::referenced::OwnedToRef as _;
use serde::{Deserialize, Serialize};
use x509_cert::Certificate;

/// A verifier, identified by the SHA-256 of its request certificate: `x509_hash:…`.
///
/// Source: OpenID4VP 1.0 §5.9.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId([u8; 32]);

impl ClientId {
    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Prefix`] for another prefix; [`CertificateError::Hash`] unless 32 bytes
    /// follow.
    pub fn parse(text: &str) -> Result<ClientId, CertificateError> {
        let hash = text.strip_prefix(PREFIX).ok_or(CertificateError::Prefix)?;
        let hash = decode(hash).map_err(|_| CertificateError::Hash)?;
        hash.try_into()
            .map(ClientId)
            .map_err(|_| CertificateError::Hash)
    }

    /// The verifier that holds this certificate, in DER.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> ClientId {
        ClientId(sha256(der))
    }

    /// SHA-256 of the certificate's DER.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", encode(self.0))
    }
}

impl TryFrom<String> for ClientId {
    type Error = CertificateError;

    fn try_from(text: String) -> Result<ClientId, CertificateError> {
        ClientId::parse(&text)
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> String {
        id.to_string()
    }
}

/// A verifier's certificate, with the key its requests are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCertificate {
    client_id: ClientId,
    key: PublicKey,
    not_before: UnixTime,
    not_after: UnixTime,
}

impl RequestCertificate {
    /// Reads a certificate in DER. Who issued it is not judged.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if it is none; [`CertificateError::Key`] unless its key is
    /// on P-256.
    pub fn parse(der: &[u8]) -> Result<RequestCertificate, CertificateError> {
        let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let certificate = certificate.tbs_certificate();
        let info = certificate.subject_public_key_info();
        info.algorithm
            .owned_to_ref()
            .assert_oids(EC_PUBLIC_KEY, SECP256R1)
            .map_err(|_| CertificateError::Key)?;
        let point = info
            .subject_public_key
            .as_bytes()
            .ok_or(CertificateError::Key)?;
        let validity = certificate.validity();
        Ok(RequestCertificate {
            client_id: ClientId::of_certificate(der),
            key: PublicKey::from_sec1(point).map_err(|_| CertificateError::Key)?,
            not_before: UnixTime(validity.not_before.to_unix_duration().as_secs()),
            not_after: UnixTime(validity.not_after.to_unix_duration().as_secs()),
        })
    }

    /// The client id this certificate stands for.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The key in it.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether it is valid at `now`, its first and last second included (RFC 5280 §4.1.2.5).
    #[must_use]
    pub fn is_valid_at(&self, now: UnixTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Why a client id or certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Another client identifier prefix than `x509_hash`, or none.
    #[error("client identifier prefix is not supported")]
    Prefix,
    /// What follows the prefix is not a SHA-256 hash.
    #[error("client identifier is malformed")]
    Hash,
    /// Not an X.509 certificate.
    #[error("certificate is malformed")]
    Malformed,
    /// The certificate's key is not on P-256.
    #[error("certificate has another key than P-256")]
    Key,
}

const PREFIX: &str = "x509_hash:";
/// Source: RFC 5480 §2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// Source: RFC 5480 §2.1.1.1.
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
        (
            params.self_signed(&key).unwrap().der().to_vec(),
            key.serialize_der(),
        )
    }

    #[test]
    fn the_key_of_a_certificate_is_the_one_that_made_it() {
        let (der, pkcs8) = certificate(&PKCS_ECDSA_P256_SHA256);
        let certificate = RequestCertificate::parse(&der).unwrap();
        let key = credential::jose::SigningKey::from_pkcs8(&pkcs8)
            .ok()
            .unwrap();
        assert_eq!(certificate.key(), key.public());
        assert_eq!(certificate.client_id().hash(), sha256(&der));
        assert!(certificate.is_valid_at(UnixTime(1_700_000_000)));
        assert!(!certificate.is_valid_at(UnixTime(0)));
        assert!(!certificate.is_valid_at(UnixTime(u64::MAX)));
    }

    #[test]
    fn other_keys_and_damaged_certificates_are_refused() {
        let (der, _) = certificate(&PKCS_ECDSA_P384_SHA384);
        assert_eq!(RequestCertificate::parse(&der), Err(CertificateError::Key));
        let (der, _) = certificate(&PKCS_ECDSA_P256_SHA256);
        for end in 0..der.len() {
            let refused = RequestCertificate::parse(&der[..end]);
            assert_eq!(refused, Err(CertificateError::Malformed), "{end}");
        }
        let longer = [der.as_slice(), &[0]].concat();
        assert_eq!(
            RequestCertificate::parse(&longer),
            Err(CertificateError::Malformed)
        );
    }

    #[test]
    fn a_client_id_has_one_form() {
        // The specification's own example.
        let text = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
        assert_eq!(ClientId::parse(text).unwrap().to_string(), text);
        for (text, error) in [
            ("", CertificateError::Prefix),
            ("client.example", CertificateError::Prefix),
            ("x509_san_dns:client.example", CertificateError::Prefix),
            (
                "X509_HASH:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
                CertificateError::Prefix,
            ),
            ("x509_hash:", CertificateError::Hash),
            ("x509_hash:Uvo3", CertificateError::Hash),
            (
                "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk=",
                CertificateError::Hash,
            ),
        ] {
            assert_eq!(ClientId::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_changed_certificates_never_panics(at in 0..400_usize, value: u8) {
            let (mut der, _) = certificate(&PKCS_ECDSA_P256_SHA256);
            let length = der.len();
            der[at % length] = value;
            let _ = RequestCertificate::parse(&der);
        }

        #[test]
        fn reading_never_panics(der in prop::collection::vec(any::<u8>(), 0..100), text in "\\PC{0,40}") {
            let _ = (RequestCertificate::parse(&der), ClientId::parse(&text));
        }
    }
}
