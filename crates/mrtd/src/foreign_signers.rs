//! Documents signed with foreign keys, verified up to foreign authorities: the mock signers of the
//! package `@selfxyz/common`, whose keys are public.
//!
//! `./check` unpacks the package outside the clone and names the file that `tests/signers.mjs` makes
//! of it in `$BAUTA_SIGNERS`.

use der::Encode;
use der::asn1::ObjectIdentifier;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::certificate::Certificate;
use crate::cms::SIGNED_DATA;
use crate::hash::Hash;
use crate::signature::{MGF1, PublicKey, RSA, RSA_PSS};
use crate::sod::{SECURITY_OBJECT, SOD_TAG};
use crate::specimen::passport::{ObjectTemplate, signed_attributes};
use crate::tlv::{self, element};
use crate::trust::pem;
use crate::*;

/// 2026-06-01.
const NOW: UnixTime = UnixTime(1_780_272_000);

const GROUPS: [(u8, &[u8]); 2] = [(1, b"zone"), (2, b"portrait")];

struct Foreign {
    signers: Vec<Signer>,
    authorities: Vec<Vec<u8>>,
    trust: TrustStore,
}

struct Signer {
    name: String,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// `None`, with the reason printed, where the package is not there.
fn foreign() -> Option<Foreign> {
    let Some(path) = std::env::var_os("BAUTA_SIGNERS") else {
        eprintln!("skipped: BAUTA_SIGNERS names no foreign signers");
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "foreign signers must be there"
        );
        return None;
    };
    let file = std::fs::read(path).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let signer = |one: &serde_json::Value| Signer {
        name: one["name"].as_str().unwrap().to_owned(),
        certificate: pem(one["certificate"].as_str().unwrap()).unwrap().remove(0),
        key: private_key(one["key"].as_str().unwrap()),
    };
    let authorities = all["authorities"].as_array().unwrap().iter();
    let authorities: Vec<_> = authorities
        .map(|one| base64(one.as_str().unwrap()))
        .collect();
    Some(Foreign {
        signers: all["signers"]
            .as_array()
            .unwrap()
            .iter()
            .map(signer)
            .collect(),
        trust: TrustStore::from_der(&authorities).unwrap(),
        authorities,
    })
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    let text: String = text.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

/// What stands between the lines of a PEM file.
fn private_key(pem: &str) -> Vec<u8> {
    let lines = pem.trim().lines().filter(|line| !line.starts_with("-----"));
    base64(&lines.collect::<String>())
}

impl Signer {
    /// The hash in the name, such as `mock_dsc_sha256_rsapss_32_65537_2048`.
    fn hash(&self) -> Hash {
        match self.name.split('_').nth(2).unwrap() {
            "sha1" => Hash::Sha1,
            "sha224" => Hash::Sha224,
            "sha256" => Hash::Sha256,
            "sha384" => Hash::Sha384,
            "sha512" => Hash::Sha512,
            other => panic!("{other}"),
        }
    }

    /// The length of the salt in the name, for PSS.
    fn salt(&self) -> Option<u8> {
        let mut parts = self.name.split('_').skip_while(|part| *part != "rsapss");
        parts.nth(1).map(|length| length.parse().unwrap())
    }

    /// A security object over these groups, and nothing of it made by what verifies it but the list
    /// of hashes.
    fn sign(&self, groups: &[(u8, &[u8])]) -> Vec<u8> {
        let hash = self.hash();
        let hashes = groups
            .iter()
            .map(|(number, file)| (*number, hash.digest(file)));
        let template = ObjectTemplate {
            version: 0,
            hash,
            groups: hashes.collect(),
            signed_at: None,
        };
        let content = template.hash_list();
        let attributes = signed_attributes(SECURITY_OBJECT, &hash.digest(&content), None).unwrap();
        let (algorithm, signature) = self.signature(&hash.digest(&element(0x31, &[&attributes])));
        let certificate = Certificate::parse(&self.certificate).unwrap();
        let digest = sequence(&[&oid(hash.oid())]);
        let signer = sequence(&[
            &[0x02, 1, 1],
            &sequence(&[&certificate.issuer, &element(0x02, &[&certificate.serial])]),
            &digest,
            &element(0xA0, &[&attributes]),
            &algorithm,
            &element(0x04, &[&signature]),
        ]);
        let content = element(0xA0, &[&element(0x04, &[&content])]);
        let message = sequence(&[
            &[0x02, 1, 3],
            &element(0x31, &[&digest]),
            &sequence(&[&oid(SECURITY_OBJECT), &content]),
            &element(0xA0, &[&self.certificate]),
            &element(0x31, &[&signer]),
        ]);
        let message = sequence(&[&oid(SIGNED_DATA), &element(0xA0, &[&message])]);
        element(SOD_TAG, &[&message])
    }

    /// Algorithm and value of a signature over a message of this digest.
    fn signature(&self, digest: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let public = Certificate::parse(&self.certificate).unwrap();
        let hash = self.hash();
        match public.public_key().unwrap() {
            PublicKey::Ec(curve, _) => {
                let mut fields = tlv::single(&self.key, 0x30).unwrap().inside();
                fields.expect(0x02).unwrap();
                let secret = fields.expect(0x04).unwrap().value;
                let pair = curve.arithmetic().sign(secret, digest, &mut rng);
                let (r, s) = pair.unwrap();
                let algorithm = sequence(&[&oid(ecdsa_with(hash))]);
                (algorithm, sequence(&[&positive(&r), &positive(&s)]))
            }
            PublicKey::Rsa(..) => {
                let key = rsa_key(&self.key);
                let Some(salt) = self.salt() else {
                    let scheme = match hash {
                        Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
                        Hash::Sha224 => Pkcs1v15Sign::new::<Sha224>(),
                        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                        Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                    };
                    let signature = key.sign_with_rng(&mut rng, scheme, digest).unwrap();
                    return (sequence(&[&oid(RSA), &[5, 0]]), signature);
                };
                let salt_len = usize::from(salt);
                let signature = match hash {
                    Hash::Sha1 | Hash::Sha224 => panic!("{}", self.name),
                    Hash::Sha256 => {
                        let scheme = Pss::<Sha256>::new_with_salt(salt_len);
                        key.sign_with_rng(&mut rng, scheme, digest)
                    }
                    Hash::Sha384 => {
                        let scheme = Pss::<Sha384>::new_with_salt(salt_len);
                        key.sign_with_rng(&mut rng, scheme, digest)
                    }
                    Hash::Sha512 => {
                        let scheme = Pss::<Sha512>::new_with_salt(salt_len);
                        key.sign_with_rng(&mut rng, scheme, digest)
                    }
                };
                let inner = sequence(&[&oid(hash.oid()), &[5, 0]]);
                let parameters = sequence(&[
                    &element(0xA0, &[&inner]),
                    &element(0xA1, &[&sequence(&[&oid(MGF1), &inner])]),
                    &element(0xA2, &[&[0x02, 1, salt]]),
                ]);
                (sequence(&[&oid(RSA_PSS), &parameters]), signature.unwrap())
            }
        }
    }
}

/// A key of PKCS #8.
fn rsa_key(der: &[u8]) -> RsaPrivateKey {
    let mut fields = tlv::single(der, 0x30).unwrap().inside();
    fields.expect(0x02).unwrap();
    fields.expect(0x30).unwrap();
    let inner = fields.expect(0x04).unwrap().value;
    let numbers = tlv::single(inner, 0x30).unwrap().inside().all().unwrap();
    let number = |place: usize| BoxedUint::from_be_slice_vartime(numbers[place].value);
    RsaPrivateKey::from_components(number(1), number(2), number(3), vec![number(4), number(5)])
        .unwrap()
}

/// Source: RFC 3279 §2.2.3 and RFC 5758 §3.2.
fn ecdsa_with(hash: Hash) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(match hash {
        Hash::Sha1 => "1.2.840.10045.4.1",
        Hash::Sha224 => "1.2.840.10045.4.3.1",
        Hash::Sha256 => "1.2.840.10045.4.3.2",
        Hash::Sha384 => "1.2.840.10045.4.3.3",
        Hash::Sha512 => "1.2.840.10045.4.3.4",
    })
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

fn oid(identifier: ObjectIdentifier) -> Vec<u8> {
    identifier.to_der().unwrap()
}

/// An INTEGER of these octets.
fn positive(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|octet| *octet != 0).unwrap();
    let number = &number[start..];
    let sign: &[u8] = if number[0] < 0x80 { &[] } else { &[0] };
    element(0x02, &[sign, number])
}

#[test]
fn documents_of_every_foreign_signer_verify_up_to_its_authority() {
    let Some(foreign) = foreign() else { return };
    assert_eq!((foreign.signers.len(), foreign.trust.len()), (46, 38));
    for signer in &foreign.signers {
        let name = &signer.name;
        let object = SecurityObject::parse(&signer.sign(&GROUPS)).unwrap();
        let verified = object
            .verify(&foreign.trust, NOW)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        for (number, file) in GROUPS {
            assert_eq!(verified.check_group(number, file), Ok(()), "{name}");
        }
        let other = verified.check_group(1, b"portrait");
        assert_eq!(other, Err(PassiveAuthError::GroupChanged(1)), "{name}");
        let weak = signer.hash().is_weak();
        assert_eq!(!verified.weaknesses().is_empty(), weak, "{name}");
        let algorithms = verified.algorithms();
        let hash = signer.hash().name();
        assert_eq!(algorithms.data_groups, hash, "{name}");
        assert!(algorithms.object.ends_with(hash), "{name}");
        let pss = algorithms.object.contains("PSS");
        assert_eq!(pss, signer.salt().is_some(), "{name}");
    }
}

#[test]
fn a_flipped_bit_of_a_foreign_signature_is_noticed() {
    let Some(foreign) = foreign() else { return };
    for signer in &foreign.signers {
        let mut sod = signer.sign(&GROUPS);
        *sod.last_mut().unwrap() ^= 1;
        let object = SecurityObject::parse(&sod).unwrap();
        let refused = object.verify(&foreign.trust, NOW).err();
        let invalid = PassiveAuthError::ObjectSignature(SignatureError::Invalid);
        assert_eq!(refused, Some(invalid), "{}", signer.name);
    }
}

#[test]
fn no_other_foreign_authority_stands_for_a_signer() {
    let Some(foreign) = foreign() else { return };
    // All have one name and one country: the key alone tells them apart.
    for signer in foreign.signers.iter().step_by(5) {
        let certificate = Certificate::parse(&signer.certificate).unwrap();
        let others = foreign.authorities.iter().filter(|der| {
            let authority = Certificate::parse(der).unwrap();
            authority.extras.subject_key_id != certificate.extras.authority_key_id
        });
        let others = TrustStore::from_der(others).unwrap();
        assert_eq!(others.len(), 37, "{}", signer.name);
        let object = SecurityObject::parse(&signer.sign(&GROUPS)).unwrap();
        let refused = object.verify(&others, NOW).err();
        let refused_signer = matches!(
            refused,
            Some(PassiveAuthError::UnknownAuthority | PassiveAuthError::SignerSignature(_))
        );
        assert!(refused_signer, "{}: {refused:?}", signer.name);
    }
}
