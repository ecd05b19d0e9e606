//! The specimen authority (CSCA) and its document signers.
//!
//! Source: ICAO Doc 9303-12, 8th edition, §7.1 for the profile of both certificates.

use core::time::Duration;

use der::asn1::{GeneralizedTime, ObjectIdentifier, PrintableString, Utf8StringRef};
use der::{DateTime, Encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use x509_cert::time::{Time, Validity};

use super::SpecimenError;
use super::key::{SignatureKind, SpecimenKey, bit_string, oid, unsigned_integer};
use super::passport::{self, SpecimenHolder, SpecimenPassport};
use crate::certificate::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, COUNTRY, Certificate, DOCUMENT_TYPES, EXTENDED_KEY_USAGE,
    KEY_PERIOD, KEY_USAGE, MASTER_LIST_SIGNING, SUBJECT_KEY_ID,
};
use crate::time::{Period, UnixTime};
use crate::tlv;
use crate::trust::MASTER_LIST;

/// An authority of Utopia, with its private key.
pub struct SpecimenAuthority {
    key: SpecimenKey,
    name: Vec<u8>,
    key_id: Vec<u8>,
    certificate: Vec<u8>,
}

impl SpecimenAuthority {
    /// Makes a key and a certificate that it signs itself, valid for `validity`.
    ///
    /// # Errors
    ///
    /// [`SpecimenError::Time`] or [`SpecimenError::Key`].
    pub fn generate(
        kind: SignatureKind,
        validity: Period,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenAuthority, SpecimenError> {
        SpecimenAuthority::of_country(SPECIMEN_COUNTRY, kind, validity, rng)
    }

    pub(crate) fn of_country(
        country: &str,
        kind: SignatureKind,
        validity: Period,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenAuthority, SpecimenError> {
        let key = SpecimenKey::generate(kind, rng)?;
        let name = name(country, "Specimen Country Signer");
        let key_id = key_id(&key);
        let certificate = CertificateTemplate {
            issuer: &name,
            subject: &name,
            validity,
            extensions: vec![
                critical(BASIC_CONSTRAINTS, &[0x30, 6, 0x01, 1, 0xFF, 0x02, 1, 0]),
                critical(KEY_USAGE, CERTIFICATES_AND_LISTS),
                subject_key(&key_id),
                authority_key(&key_id),
            ],
        }
        .sign(&key, &key, rng)?;
        Ok(SpecimenAuthority {
            key,
            name,
            key_id,
            certificate,
        })
    }

    /// This key under the name of another authority, as an impostor has it.
    #[cfg(test)]
    pub(crate) fn under_the_name_of(mut self, other: &SpecimenAuthority) -> SpecimenAuthority {
        self.name.clone_from(&other.name);
        self
    }

    /// The certificate in DER, for a trust store.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate of a new authority's key under this one's (a link certificate).
    ///
    /// # Errors
    ///
    /// [`SpecimenError::Time`] or [`SpecimenError::Key`].
    pub fn link_to(
        &self,
        new: &SpecimenAuthority,
        validity: Period,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SpecimenError> {
        CertificateTemplate {
            issuer: &self.name,
            subject: &new.name,
            validity,
            extensions: vec![
                critical(BASIC_CONSTRAINTS, &[0x30, 6, 0x01, 1, 0xFF, 0x02, 1, 0]),
                critical(KEY_USAGE, CERTIFICATES_AND_LISTS),
                subject_key(&new.key_id),
                authority_key(&self.key_id),
            ],
        }
        .sign(&new.key, &self.key, rng)
    }

    /// A master list of these certificates, signed by a signer of lists that is made for it.
    ///
    /// # Errors
    ///
    /// [`SpecimenError::Time`] or [`SpecimenError::Key`].
    pub fn master_list(
        &self,
        certificates: &[&[u8]],
        signed_at: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SpecimenError> {
        let key = SpecimenKey::generate(SignatureKind::EcdsaP256, rng)?;
        let until = UnixTime(signed_at.0.saturating_add(LIST_SIGNER_SECS));
        let validity = Period {
            from: signed_at,
            until,
        };
        let purposes = tlv::element(0x30, &[&oid(MASTER_LIST_SIGNING)]);
        let extensions = vec![
            critical(KEY_USAGE, DIGITAL_SIGNATURE),
            critical(EXTENDED_KEY_USAGE, &purposes),
            authority_key(&self.key_id),
        ];
        let signer = self.certify(key, SPECIMEN_COUNTRY, validity, extensions, rng)?;
        let mut set: Vec<&[u8]> = certificates.to_vec();
        set.sort_unstable();
        let content = tlv::element(0x30, &[&[0x02, 1, 0], &tlv::element(0x31, &set)]);
        passport::signed_message(&signer, MASTER_LIST, &content, Some(signed_at), rng)
    }

    /// A revocation list that names these signers, made at the beginning of `validity` and due to
    /// be replaced at its end.
    ///
    /// # Errors
    ///
    /// [`SpecimenError::Time`] or [`SpecimenError::Key`].
    pub fn revoke(
        &self,
        signers: &[&SpecimenSigner],
        validity: Period,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SpecimenError> {
        let made = encoded_time(validity.from)?;
        let mut entries = Vec::new();
        for signer in signers {
            let certificate =
                Certificate::parse(&signer.certificate).map_err(|_| SpecimenError::Key)?;
            let serial = tlv::element(0x02, &[&certificate.serial]);
            entries.extend(tlv::element(0x30, &[&serial, &made]));
        }
        let entries = if entries.is_empty() {
            entries
        } else {
            tlv::element(0x30, &[&entries])
        };
        let algorithm = self.key.signature_algorithm();
        let extensions = tlv::element(0x30, &[&authority_key(&self.key_id)]);
        let signed = tlv::element(
            0x30,
            &[
                &[0x02, 1, 1], // version 2
                &algorithm,
                &self.name,
                &made,
                &encoded_time(validity.until)?,
                &entries,
                &tlv::element(0xA0, &[&extensions]),
            ],
        );
        let signature = self.key.sign(&signed, rng)?;
        Ok(tlv::element(
            0x30,
            &[&signed, &algorithm, &bit_string(&signature)],
        ))
    }

    /// Makes a document signer. Its key signs documents during `in_use`; its certificate is
    /// valid for `validity`, which also covers the life of those documents.
    ///
    /// # Errors
    ///
    /// [`SpecimenError::Time`] or [`SpecimenError::Key`].
    pub fn issue_signer(
        &self,
        kind: SignatureKind,
        in_use: Period,
        validity: Period,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenSigner, SpecimenError> {
        let key = SpecimenKey::generate(kind, rng)?;
        let extensions = self.signer_extensions(&key, in_use)?;
        self.certify(key, SPECIMEN_COUNTRY, validity, extensions, rng)
    }

    pub(crate) fn signer_extensions(
        &self,
        key: &SpecimenKey,
        in_use: Period,
    ) -> Result<Vec<Vec<u8>>, SpecimenError> {
        Ok(vec![
            critical(KEY_USAGE, DIGITAL_SIGNATURE),
            subject_key(&key_id(key)),
            authority_key(&self.key_id),
            key_period(in_use)?,
            plain(DOCUMENT_TYPES, PASSPORTS),
        ])
    }

    pub(crate) fn certify(
        &self,
        key: SpecimenKey,
        country: &str,
        validity: Period,
        extensions: Vec<Vec<u8>>,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenSigner, SpecimenError> {
        let subject = name(country, "Specimen Document Signer");
        let template = CertificateTemplate {
            issuer: &self.name,
            subject: &subject,
            validity,
            extensions,
        };
        let certificate = template.sign(&key, &self.key, rng)?;
        Ok(SpecimenSigner { key, certificate })
    }
}

/// A document signer of Utopia, with its private key.
pub struct SpecimenSigner {
    pub(super) key: SpecimenKey,
    pub(super) certificate: Vec<u8>,
}

impl SpecimenSigner {
    /// Makes the files of a passport. `signed_at` goes into a signed attribute; `None` leaves
    /// the attribute out, as some states do.
    ///
    /// # Errors
    ///
    /// [`SpecimenError`], mostly for a value that the machine-readable zone cannot hold.
    pub fn issue(
        &self,
        holder: &SpecimenHolder,
        signed_at: Option<UnixTime>,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenPassport, SpecimenError> {
        passport::issue(self, holder, Vec::new(), signed_at, rng)
    }

    /// Makes the files of a passport that has more data groups than the zone and the portrait:
    /// `others` by number, in ascending order.
    ///
    /// # Errors
    ///
    /// As [`SpecimenSigner::issue`].
    pub fn issue_with(
        &self,
        holder: &SpecimenHolder,
        others: Vec<(u8, Vec<u8>)>,
        signed_at: Option<UnixTime>,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenPassport, SpecimenError> {
        passport::issue(self, holder, others, signed_at, rng)
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

/// What a certificate says, but for its keys.
struct CertificateTemplate<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    validity: Period,
    extensions: Vec<Vec<u8>>,
}

impl CertificateTemplate<'_> {
    /// Source: RFC 5280 §4.1.
    fn sign(
        &self,
        subject_key: &SpecimenKey,
        issuer_key: &SpecimenKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SpecimenError> {
        let mut serial = [0_u8; 8];
        rng.fill_bytes(&mut serial);
        let algorithm = issuer_key.signature_algorithm();
        let validity: Validity =
            Validity::new(time(self.validity.from)?, time(self.validity.until)?);
        let extensions = self.extensions.concat();
        let signed = tlv::element(
            0x30,
            &[
                &tlv::element(0xA0, &[&[0x02, 1, 2]]), // version 3
                &unsigned_integer(&serial),
                &algorithm,
                self.issuer,
                &validity.to_der().map_err(|_| SpecimenError::Time)?,
                self.subject,
                &subject_key.public_key_info(),
                &tlv::element(0xA3, &[&tlv::element(0x30, &[&extensions])]),
            ],
        );
        let signature = issuer_key.sign(&signed, rng)?;
        Ok(tlv::element(
            0x30,
            &[&signed, &algorithm, &bit_string(&signature)],
        ))
    }
}

/// Country, organisation and common name.
fn name(country: &str, common: &str) -> Vec<u8> {
    let country = PrintableString::new(country)
        .ok()
        .and_then(|text| text.to_der().ok());
    let text = |text| {
        Utf8StringRef::new(text)
            .ok()
            .and_then(|text| text.to_der().ok())
    };
    let parts = [
        (COUNTRY, country),
        (ORGANISATION, text("Utopia, a state for specimens")),
        (COMMON_NAME, text(common)),
    ];
    let parts: Vec<u8> = parts
        .into_iter()
        .flat_map(|(kind, value)| {
            let pair = tlv::element(0x30, &[&oid(kind), &value.unwrap_or_default()]);
            tlv::element(0x31, &[&pair])
        })
        .collect();
    tlv::element(0x30, &[&parts])
}

/// The first 160 bits of a hash of the key. Source: RFC 7093 §2, method 1.
fn key_id(key: &SpecimenKey) -> Vec<u8> {
    Sha256::digest(key.public_key_info())
        .iter()
        .take(20)
        .copied()
        .collect()
}

fn subject_key(id: &[u8]) -> Vec<u8> {
    plain(SUBJECT_KEY_ID, &tlv::element(0x04, &[id]))
}

fn authority_key(id: &[u8]) -> Vec<u8> {
    plain(
        AUTHORITY_KEY_ID,
        &tlv::element(0x30, &[&tlv::element(0x80, &[id])]),
    )
}

/// Source: RFC 3280 §4.2.1.4.
pub(crate) fn key_period(period: Period) -> Result<Vec<u8>, SpecimenError> {
    let (from, until) = (long_time(period.from)?, long_time(period.until)?);
    let value = tlv::element(
        0x30,
        &[
            &tlv::element(0x80, &[&from]),
            &tlv::element(0x81, &[&until]),
        ],
    );
    Ok(plain(KEY_PERIOD, &value))
}

pub(crate) fn plain(kind: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    tlv::element(0x30, &[&oid(kind), &tlv::element(0x04, &[value])])
}

pub(crate) fn critical(kind: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    tlv::element(
        0x30,
        &[&oid(kind), &[0x01, 1, 0xFF], &tlv::element(0x04, &[value])],
    )
}

/// UTCTime until 2049, GeneralizedTime from then on. Source: RFC 5280 §4.1.2.5.
pub(super) fn time(instant: UnixTime) -> Result<Time, SpecimenError> {
    let duration = Duration::from_secs(instant.0);
    DateTime::from_unix_duration(duration)
        .map(Time::from)
        .map_err(|_| SpecimenError::Time)
}

fn encoded_time(instant: UnixTime) -> Result<Vec<u8>, SpecimenError> {
    time(instant)?.to_der().map_err(|_| SpecimenError::Time)
}

/// The contents octets of a GeneralizedTime.
fn long_time(instant: UnixTime) -> Result<Vec<u8>, SpecimenError> {
    let der = GeneralizedTime::from_unix_duration(Duration::from_secs(instant.0))
        .and_then(|time| time.to_der())
        .map_err(|_| SpecimenError::Time)?;
    Ok(der.into_iter().skip(2).collect())
}

/// What stands for `UTO` in a certificate; see [`crate::StateCode::country`].
pub(crate) const SPECIMEN_COUNTRY: &str = "UT";

// Source: ITU-T X.520; bits of the key usage from RFC 5280 §4.2.1.3.
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// A year.
const LIST_SIGNER_SECS: u64 = 31_536_000;
const DIGITAL_SIGNATURE: &[u8] = &[0x03, 2, 7, 0x80];
const CERTIFICATES_AND_LISTS: &[u8] = &[0x03, 2, 1, 0x06];
/// Version 0 and the one document type `P`. Source: ICAO Doc 9303-12 §7.1.1.6.
const PASSPORTS: &[u8] = &[0x30, 8, 0x02, 1, 0, 0x31, 3, 0x13, 1, b'P'];
