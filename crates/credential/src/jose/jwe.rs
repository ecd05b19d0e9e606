//! Compact JSON Web Encryption with ECDH-ES in direct mode and AES-GCM.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{PublicKey, decode, encode, parse_object, present, sha256};

/// Content encryption of a JWE.
///
/// Source: RFC 7518 §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// AES-GCM with a 128-bit key.
    A128GCM,
    /// AES-GCM with a 256-bit key.
    A256GCM,
}

/// What the sender chooses about a JWE besides the recipient.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// Content encryption.
    pub enc: ContentEncryption,
    /// Name of the recipient's key, as its JWK says.
    pub kid: Option<&'a str>,
    /// Agreement PartyUInfo, raw bytes; empty for none.
    pub apu: &'a [u8],
    /// Agreement PartyVInfo, raw bytes; empty for none.
    pub apv: &'a [u8],
}

impl Parameters<'_> {
    /// A256GCM without names.
    pub const A256GCM: Parameters<'static> = Parameters {
        enc: ContentEncryption::A256GCM,
        kid: None,
        apu: &[],
        apv: &[],
    };
}

/// Encrypts `plaintext` to `recipient` under a key pair made for this one message.
///
/// # Errors
///
/// [`JweError::Crypto`] if the library fails, which it does only without memory.
pub fn encrypt(
    recipient: &PublicKey,
    parameters: &Parameters<'_>,
    plaintext: &[u8],
) -> Result<String, JweError> {
    let ephemeral = DecryptionKey::generate();
    let header = WireHeader {
        alg: ECDH_ES.to_owned(),
        enc: parameters.enc,
        kid: parameters.kid.map(str::to_owned),
        epk: *ephemeral.public(),
        apu: (!parameters.apu.is_empty()).then(|| encode(parameters.apu)),
        apv: (!parameters.apv.is_empty()).then(|| encode(parameters.apv)),
        crit: None,
        zip: None,
    };
    let header = encode(serde_json::to_vec(&header).expect("a header is plain strings"));
    let key = ephemeral.agree(recipient, parameters.enc, parameters.apu, parameters.apv)?;
    let mut iv = [0; IV_BYTES];
    aws_lc_rs::rand::fill(&mut iv).map_err(|_| JweError::Crypto)?;
    let mut sealed = Zeroizing::new(plaintext.to_vec());
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(header.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| JweError::Crypto)?;
    Ok(format!(
        "{header}..{}.{}.{}",
        encode(iv),
        encode(sealed.as_slice()),
        encode(tag)
    ))
}

/// A P-256 key that receives JWEs. It is wiped when dropped and has no textual form.
pub struct DecryptionKey {
    private: PrivateKey,
    public: PublicKey,
}

impl DecryptionKey {
    /// Draws a new key.
    ///
    /// # Panics
    ///
    /// If the library cannot allocate the key.
    #[must_use]
    pub fn generate() -> DecryptionKey {
        let private = PrivateKey::generate(&ECDH_P256)
            .expect("generating a P-256 key fails only without memory");
        DecryptionKey::from_private(private).expect("a generated key has an uncompressed point")
    }

    /// Reads the private scalar, 32 bytes big-endian.
    ///
    /// # Errors
    ///
    /// [`JweError::Key`] if it is zero or not below the order.
    pub fn from_bytes(scalar: &[u8; 32]) -> Result<DecryptionKey, JweError> {
        let private =
            PrivateKey::from_private_key(&ECDH_P256, scalar).map_err(|_| JweError::Key)?;
        DecryptionKey::from_private(private)
    }

    /// The private scalar, for a state that outlives this process.
    ///
    /// # Panics
    ///
    /// If the library cannot allocate the bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let bytes: EcPrivateKeyBin<'_> = self
            .private
            .as_be_bytes()
            .expect("encoding a key fails only without memory");
        let mut scalar = Zeroizing::new([0; 32]);
        for (to, from) in scalar.iter_mut().zip(bytes.as_ref()) {
            *to = *from;
        }
        scalar
    }

    /// The public half, to be published as the recipient.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Reads and decrypts a compact JWE addressed to this key.
    ///
    /// # Errors
    ///
    /// Those of [`Jwe::parse`] and [`Jwe::decrypt`].
    pub fn decrypt(&self, compact: &str) -> Result<Zeroizing<Vec<u8>>, JweError> {
        Jwe::parse(compact)?.decrypt(self)
    }

    fn from_private(private: PrivateKey) -> Result<DecryptionKey, JweError> {
        let point = private.compute_public_key().map_err(|_| JweError::Key)?;
        let public = PublicKey::from_sec1(point.as_ref()).map_err(|_| JweError::Key)?;
        Ok(DecryptionKey { private, public })
    }

    /// The content encryption key shared with `peer`.
    fn agree(
        &self,
        peer: &PublicKey,
        enc: ContentEncryption,
        apu: &[u8],
        apv: &[u8],
    ) -> Result<LessSafeKey, JweError> {
        let key = self.derive(peer, enc, apu, apv)?;
        let key = UnboundKey::new(enc.algorithm(), &key).map_err(|_| JweError::Crypto)?;
        Ok(LessSafeKey::new(key))
    }

    /// Concat KDF over the shared secret: one block of SHA-256, cut to the key's length.
    ///
    /// Source: RFC 7518 §4.6.2 and appendix C.
    fn derive(
        &self,
        peer: &PublicKey,
        enc: ContentEncryption,
        apu: &[u8],
        apv: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer.sec1());
        agree(&self.private, peer, JweError::Crypto, |secret| {
            let mut input = Zeroizing::new(1_u32.to_be_bytes().to_vec());
            input.extend_from_slice(secret);
            for field in [enc.name().as_bytes(), apu, apv] {
                let length = u32::try_from(field.len()).map_err(|_| JweError::TooLong)?;
                input.extend_from_slice(&length.to_be_bytes());
                input.extend_from_slice(field);
            }
            input.extend_from_slice(&enc.key_bits().to_be_bytes());
            let digest = Zeroizing::new(sha256(&input));
            let length = enc.algorithm().key_len();
            Ok(Zeroizing::new(
                digest.iter().copied().take(length).collect(),
            ))
        })
    }
}

/// A well-formed JWE that has not been decrypted. Its header is the sender's claim.
#[derive(Clone, Debug)]
pub struct Jwe {
    encoded_header: String,
    header: WireHeader,
    apu: Vec<u8>,
    apv: Vec<u8>,
    iv: [u8; IV_BYTES],
    ciphertext: Vec<u8>,
    tag: [u8; TAG_BYTES],
}

impl Jwe {
    /// Reads the compact form: five parts with an empty key, ECDH-ES, AES-GCM, no extensions and
    /// no compression, at most [`MAX_BYTES`].
    ///
    /// # Errors
    ///
    /// [`JweError::TooLong`], [`JweError::Malformed`], [`JweError::Algorithm`] or
    /// [`JweError::Extension`].
    pub fn parse(compact: &str) -> Result<Jwe, JweError> {
        if compact.len() > MAX_BYTES {
            return Err(JweError::TooLong);
        }
        let parts: Vec<&str> = compact.splitn(6, '.').collect();
        let [encoded_header, "", iv, ciphertext, tag] = parts.as_slice() else {
            return Err(JweError::Malformed);
        };
        let part = |text: &str| decode(text).map_err(|_| JweError::Malformed);
        let header = parse_header(&part(encoded_header)?)?;
        Ok(Jwe {
            encoded_header: (*encoded_header).to_owned(),
            apu: part(header.apu.as_deref().unwrap_or_default())?,
            apv: part(header.apv.as_deref().unwrap_or_default())?,
            header,
            iv: part(iv)?.try_into().map_err(|_| JweError::Malformed)?,
            ciphertext: part(ciphertext)?,
            tag: part(tag)?.try_into().map_err(|_| JweError::Malformed)?,
        })
    }

    /// Name of the key the sender says it is addressed to.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The content encryption used.
    #[must_use]
    pub fn enc(&self) -> ContentEncryption {
        self.header.enc
    }

    /// Agreement PartyUInfo, raw bytes; empty for none.
    #[must_use]
    pub fn apu(&self) -> &[u8] {
        &self.apu
    }

    /// Agreement PartyVInfo, raw bytes; empty for none.
    #[must_use]
    pub fn apv(&self) -> &[u8] {
        &self.apv
    }

    /// Decrypts with the recipient's key.
    ///
    /// # Errors
    ///
    /// [`JweError::Decryption`] whatever the reason.
    pub fn decrypt(&self, key: &DecryptionKey) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let cek = key
            .agree(&self.header.epk, self.header.enc, &self.apu, &self.apv)
            .map_err(|_| JweError::Decryption)?;
        let mut content = Zeroizing::new(self.ciphertext.clone());
        cek.open_in_place_separate_tag(
            Nonce::assume_unique_for_key(self.iv),
            Aad::from(self.encoded_header.as_bytes()),
            &self.tag,
            &mut content,
        )
        .map_err(|_| JweError::Decryption)?;
        Ok(content)
    }
}

/// Why a JWE is refused or cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Longer than [`MAX_BYTES`].
    #[error("encrypted message is too long")]
    TooLong,
    /// Not the five parts of a direct JWE, or its header lacks a member or has a bad `epk`.
    #[error("encrypted message is malformed")]
    Malformed,
    /// `alg` is not ECDH-ES or `enc` neither A128GCM nor A256GCM.
    #[error("encrypted message uses an unsupported algorithm")]
    Algorithm,
    /// `crit` or `zip` is present.
    #[error("encrypted message demands an extension")]
    Extension,
    /// It was made for another key or changed on the way.
    #[error("message does not decrypt")]
    Decryption,
    /// Bytes are not a private key.
    #[error("not a private P-256 key")]
    Key,
    /// The library failed.
    #[error("encryption failed")]
    Crypto,
}

/// Longest compact form that is read, in bytes. A response holding one presentation is a few
/// thousand.
pub const MAX_BYTES: usize = 256 * 1024;

impl ContentEncryption {
    /// The name in `enc`, which is also the AlgorithmID of the key derivation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ContentEncryption::A128GCM => "A128GCM",
            ContentEncryption::A256GCM => "A256GCM",
        }
    }

    fn algorithm(self) -> &'static Algorithm {
        match self {
            ContentEncryption::A128GCM => &AES_128_GCM,
            ContentEncryption::A256GCM => &AES_256_GCM,
        }
    }

    fn key_bits(self) -> u32 {
        match self {
            ContentEncryption::A128GCM => 128,
            ContentEncryption::A256GCM => 256,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct WireHeader {
    alg: String,
    enc: ContentEncryption,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    epk: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apu: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apv: Option<String>,
    #[serde(default, skip_serializing, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    #[serde(default, skip_serializing, deserialize_with = "present")]
    zip: Option<IgnoredAny>,
}

fn parse_header(json: &[u8]) -> Result<WireHeader, JweError> {
    // The algorithms are judged first: under others, `epk` may be another kind of key.
    let AlgOnly { alg, enc } = parse_object(json).ok_or(JweError::Malformed)?;
    if alg != ECDH_ES || !ENCS.iter().any(|known| known.name() == enc) {
        return Err(JweError::Algorithm);
    }
    let header: WireHeader = parse_object(json).ok_or(JweError::Malformed)?;
    if header.crit.is_some() || header.zip.is_some() {
        return Err(JweError::Extension);
    }
    Ok(header)
}

#[derive(Deserialize)]
struct AlgOnly {
    alg: String,
    enc: String,
}

const ENCS: [ContentEncryption; 2] = [ContentEncryption::A128GCM, ContentEncryption::A256GCM];
const ECDH_ES: &str = "ECDH-ES";
const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

#[cfg(test)]
mod tests;
