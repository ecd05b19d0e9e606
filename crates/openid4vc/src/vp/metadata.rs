//! What a verifier says about itself in its request.

use credential::jose::jwe::ContentEncryption;
use credential::jose::{Jwk, PublicKey};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The verifier's metadata, as far as it concerns formats and the encryption of the response.
///
/// Source: OpenID4VP 1.0 §5.1 and §11.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Keys to encrypt the response to. Keys of other kinds are skipped when reading.
    #[serde(default)]
    pub jwks: EncryptionKeys,
    /// Content encryptions, the names as given; absent means A128GCM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted_response_enc_values_supported: Option<Vec<String>>,
    /// Formats with what is demanded of each.
    #[serde(default)]
    pub vp_formats_supported: Map<String, Value>,
}

impl ClientMetadata {
    /// Metadata of a verifier with one key, which decrypts A256GCM, and formats without demands.
    #[must_use]
    pub fn new(key: PublicKey, formats: &[&str]) -> ClientMetadata {
        let formats = formats
            .iter()
            .map(|&name| (name.to_owned(), Value::Object(Map::new())));
        ClientMetadata {
            jwks: EncryptionKeys {
                keys: vec![Jwk::for_encryption(key)],
            },
            encrypted_response_enc_values_supported: Some(vec![
                ContentEncryption::A256GCM.name().to_owned(),
            ]),
            vp_formats_supported: formats.collect(),
        }
    }

    /// The first key and the strongest content encryption that both sides know.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if there is no such key or encryption.
    pub fn encryption(&self) -> Result<(&Jwk, ContentEncryption), MetadataError> {
        let fits = |jwk: &&Jwk| {
            jwk.alg.as_deref() == Some("ECDH-ES")
                && matches!(jwk.usage.as_deref(), None | Some("enc"))
        };
        let key = self.jwks.keys.iter().find(fits).ok_or(MetadataError::Key)?;
        let Some(offered) = &self.encrypted_response_enc_values_supported else {
            return Ok((key, ContentEncryption::A128GCM));
        };
        let known = [ContentEncryption::A256GCM, ContentEncryption::A128GCM];
        let enc = known
            .into_iter()
            .find(|enc| offered.iter().any(|name| name == enc.name()));
        Ok((key, enc.ok_or(MetadataError::Encryption)?))
    }
}

/// The P-256 keys of a JWK Set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionKeys {
    /// The keys.
    #[serde(deserialize_with = "p256_keys")]
    pub keys: Vec<Jwk>,
}

/// Why a response cannot be encrypted to this verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// No key for ECDH-ES on P-256.
    #[error("verifier has no key for ECDH-ES on P-256")]
    Key,
    /// Neither A256GCM nor A128GCM.
    #[error("verifier knows neither A256GCM nor A128GCM")]
    Encryption,
}

fn p256_keys<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Jwk>, D::Error> {
    let keys = Vec::<Value>::deserialize(input)?;
    Ok(keys
        .into_iter()
        .filter_map(|key| serde_json::from_value(key).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use credential::jose::jwe::DecryptionKey;
    use serde_json::json;

    use super::*;

    fn metadata(jwks: &Value, encs: Option<Value>) -> ClientMetadata {
        let mut value = json!({"jwks": {"keys": jwks}, "vp_formats_supported": {}, "other": 1});
        if let Some(encs) = encs {
            value["encrypted_response_enc_values_supported"] = encs;
        }
        serde_json::from_value(value).unwrap()
    }

    fn keys() -> Value {
        // Kinds and algorithms as in the specification's example (§8.3), which mixes curves.
        json!([
            {"kty":"OKP","kid":"jc","use":"enc","crv":"X25519","alg":"ECDH-ES",
             "x":"WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"},
            {"kty":"EC","kid":"sc","use":"sig","crv":"P-256","alg":"ECDH-ES",
             "x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
             "y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"},
            {"kty":"EC","kid":"ac","use":"enc","crv":"P-256","alg":"ECDH-ES",
             "x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
             "y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}
        ])
    }

    #[test]
    fn the_key_for_encryption_and_the_strongest_cipher_are_chosen() {
        let cases = [
            (None, ContentEncryption::A128GCM),
            (
                Some(json!(["A128GCM", "A128CBC-HS256"])),
                ContentEncryption::A128GCM,
            ),
            (
                Some(json!(["A128GCM", "A256GCM"])),
                ContentEncryption::A256GCM,
            ),
        ];
        for (encs, expected) in cases {
            let metadata = metadata(&keys(), encs);
            let (key, enc) = metadata.encryption().unwrap();
            assert_eq!((key.kid.as_deref(), enc), (Some("ac"), expected));
        }
    }

    #[test]
    fn a_verifier_without_a_usable_key_or_cipher_is_refused() {
        let encs = Some(json!(["A128CBC-HS256"]));
        assert_eq!(
            metadata(&keys(), encs).encryption(),
            Err(MetadataError::Encryption)
        );
        assert_eq!(
            metadata(&keys(), Some(json!([]))).encryption(),
            Err(MetadataError::Encryption)
        );
        assert_eq!(
            metadata(&json!([]), None).encryption(),
            Err(MetadataError::Key)
        );
        let mut other = keys();
        other[2]["alg"] = json!("ECDH-ES+A256KW");
        assert_eq!(metadata(&other, None).encryption(), Err(MetadataError::Key));
    }

    #[test]
    fn our_own_metadata_is_read_back() {
        let key = DecryptionKey::generate();
        let own = ClientMetadata::new(*key.public(), &["bauta_account"]);
        let value = serde_json::to_value(&own).unwrap();
        assert_eq!(
            value["encrypted_response_enc_values_supported"],
            json!(["A256GCM"])
        );
        assert_eq!(value["vp_formats_supported"], json!({"bauta_account": {}}));
        let read: ClientMetadata = serde_json::from_value(value).unwrap();
        assert_eq!(read, own);
        let (jwk, enc) = read.encryption().unwrap();
        assert_eq!((&jwk.key, enc), (key.public(), ContentEncryption::A256GCM));
    }
}
