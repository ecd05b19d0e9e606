//! The hash functions that documents may rest on.

use der::asn1::ObjectIdentifier;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use thiserror::Error;

/// A hash function of the SHA-2 family, or SHA-1, which makes a document weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn from_oid(oid: &ObjectIdentifier) -> Result<Hash, HashError> {
        match *oid {
            SHA1 => Ok(Hash::Sha1),
            SHA224 => Ok(Hash::Sha224),
            SHA256 => Ok(Hash::Sha256),
            SHA384 => Ok(Hash::Sha384),
            SHA512 => Ok(Hash::Sha512),
            MD5 => Err(HashError::Broken),
            _ => Err(HashError::Unsupported(oid.to_string())),
        }
    }

    pub(crate) fn oid(self) -> ObjectIdentifier {
        match self {
            Hash::Sha1 => SHA1,
            Hash::Sha224 => SHA224,
            Hash::Sha256 => SHA256,
            Hash::Sha384 => SHA384,
            Hash::Sha512 => SHA512,
        }
    }

    /// Whether collisions can be made, so that what rests on it is not certain.
    pub(crate) fn is_weak(self) -> bool {
        self == Hash::Sha1
    }

    /// As standards write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Hash::Sha1 => "SHA-1",
            Hash::Sha224 => "SHA-224",
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        }
    }

    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => Sha1::digest(message).to_vec(),
            Hash::Sha224 => Sha224::digest(message).to_vec(),
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha384 => Sha384::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// Why a hash function is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HashError {
    /// MD5, for which anybody makes collisions.
    #[error("the hash function is broken")]
    Broken,
    /// Another one than SHA-1 and SHA-2, by its object identifier.
    #[error("hash function {0} is not supported")]
    Unsupported(String),
}

// Source: RFC 5754 §2; SHA-1 and MD5 from RFC 3370 §2.
const SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
