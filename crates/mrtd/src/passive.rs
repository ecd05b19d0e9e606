//! Passive authentication: the data on the chip was signed by the state that issued the document.
//!
//! It does not show that the chip is the original one: signed data can be copied.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §5.1; trust chain from 9303-12 §8.

use thiserror::Error;

use crate::certificate::Certificate;
use crate::cms::SignedDataError;
use crate::details::DetailsError;
use crate::dg1::Dg1Error;
use crate::dg2::Dg2Error;
use crate::dg7::Dg7Error;
use crate::signature::SignatureError;
use crate::sod::{DataGroupHashes, SecurityObject, SodError};
use crate::state::CountryCode;
use crate::time::UnixTime;
use crate::trust::{Revocation, TrustStore};

/// A security object whose signature and trust chain hold. Only [`SecurityObject::verify`]
/// makes one.
pub struct VerifiedSecurityObject {
    hashes: DataGroupHashes,
    signer_country: CountryCode,
    signing_time: SigningTime,
    weaknesses: Vec<Weakness>,
    revocation: Revocation,
    algorithms: Algorithms,
}

/// The algorithms that a document rests on, as people write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithms {
    /// Hash of the data groups, such as `SHA-256`.
    pub data_groups: &'static str,
    /// Signature of the security object, such as `ECDSA brainpoolP256r1 with SHA-256`.
    pub object: String,
    /// Signature of the signer's certificate.
    pub signer: String,
}

/// What of a document rests on SHA-1, with which two different contents can be given one
/// signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Weakness {
    /// The hashes of the data groups.
    #[error("the data groups are hashed with SHA-1")]
    DataGroups,
    /// The signature of the security object.
    #[error("the security object is signed with SHA-1")]
    Object,
    /// The signature of the signer's certificate.
    #[error("the signer's certificate is signed with SHA-1")]
    Signer,
}

impl VerifiedSecurityObject {
    /// Checks the file of data group `group` (1 to 16) against its signed hash.
    ///
    /// # Errors
    ///
    /// [`PassiveAuthError::GroupNotSigned`] or [`PassiveAuthError::GroupChanged`].
    pub fn check_group(&self, group: u8, file: &[u8]) -> Result<(), PassiveAuthError> {
        let signed = self
            .hashes
            .of(group)
            .ok_or(PassiveAuthError::GroupNotSigned(group))?;
        if self.hashes.hash.digest(file) == signed {
            Ok(())
        } else {
            Err(PassiveAuthError::GroupChanged(group))
        }
    }

    /// What of it rests on SHA-1. Whoever relies on a document decides whether one with any is
    /// enough.
    #[must_use]
    pub fn weaknesses(&self) -> &[Weakness] {
        &self.weaknesses
    }

    /// Whether the state's revocation list was looked at.
    #[must_use]
    pub fn revocation(&self) -> Revocation {
        self.revocation
    }

    /// What it is signed with.
    #[must_use]
    pub fn algorithms(&self) -> &Algorithms {
        &self.algorithms
    }

    /// The numbers of the data groups that it has hashes of.
    pub fn data_groups(&self) -> impl Iterator<Item = u8> {
        self.hashes.numbers()
    }

    /// The state that signed.
    #[must_use]
    pub fn signer_country(&self) -> CountryCode {
        self.signer_country
    }

    /// When it was signed, and how that is known.
    #[must_use]
    pub fn signing_time(&self) -> SigningTime {
        self.signing_time
    }
}

/// When a security object was signed, which is the time at which its certificates must have been
/// valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningTime {
    /// The signer states the time in a signed attribute.
    Stated(UnixTime),
    /// Not stated; the signer's key was in use from this time on, and its use is bounded by the
    /// certificate.
    KeyInUseFrom(UnixTime),
    /// Not known at all: the certificates are valid now.
    Unknown,
}

impl SecurityObject {
    /// Verifies the signature, the signer's certificate up to an authority in `trust`, and that
    /// both certificates were valid when the object was signed.
    ///
    /// The time of signing is the signed attribute; else the beginning of the period in which
    /// the signer's private key was used; else `now`. A certificate that was valid then and has
    /// expired since is accepted; one that the state's list revokes is not, whatever time the
    /// object states, because whoever has a stolen key states any.
    ///
    /// # Errors
    ///
    /// [`PassiveAuthError`], at the first check that fails.
    pub fn verify(
        self,
        trust: &TrustStore,
        now: UnixTime,
    ) -> Result<VerifiedSecurityObject, PassiveAuthError> {
        let signer = self.message.verify()?;
        let mut authorities = trusted_issuers(trust, signer)?;
        check_usage(signer)?;
        let signer_country = signer.country.ok_or(PassiveAuthError::SignerCountry)?;
        authorities.retain(|authority| authority.country == Some(signer_country));
        let Some(authority) = authorities.first().copied() else {
            return Err(PassiveAuthError::SignerCountry);
        };
        // One key has several certificates: its own and those that link it to older ones.
        authorities.retain(|authority| !trust.revokes(authority));
        let revocation = trust
            .revocation(signer, authority, now)
            .map_err(|_| PassiveAuthError::Revoked)?;
        if authorities.is_empty() {
            return Err(PassiveAuthError::Revoked);
        }
        let stated = self.message.signer.attributes.signing_time;
        let signing_time = signing_time(signer, &authorities, stated, now)?;
        Ok(VerifiedSecurityObject {
            weaknesses: self.weaknesses(signer)?,
            algorithms: self.algorithms(signer, authority)?,
            hashes: self.hashes,
            signer_country,
            signing_time,
            revocation,
        })
    }

    fn weaknesses(&self, signer: &Certificate) -> Result<Vec<Weakness>, PassiveAuthError> {
        let message = &self.message.signer;
        let object = message.digest.is_weak() || message.scheme.hash().is_weak();
        let certificate = signer
            .signature_scheme()
            .map_err(PassiveAuthError::SignerSignature)?;
        let found = [
            (self.hashes.hash.is_weak(), Weakness::DataGroups),
            (object, Weakness::Object),
            (certificate.hash().is_weak(), Weakness::Signer),
        ];
        let found = found.into_iter().filter(|(weak, _)| *weak);
        Ok(found.map(|(_, weakness)| weakness).collect())
    }

    fn algorithms(
        &self,
        signer: &Certificate,
        authority: &Certificate,
    ) -> Result<Algorithms, PassiveAuthError> {
        let object = signer
            .public_key()
            .map_err(PassiveAuthError::ObjectSignature)?;
        let refused = PassiveAuthError::SignerSignature;
        let certificate = authority.public_key().map_err(refused)?;
        let scheme = signer.signature_scheme().map_err(refused)?;
        Ok(Algorithms {
            data_groups: self.hashes.hash.name(),
            object: object.describe(self.message.signer.scheme),
            signer: certificate.describe(scheme),
        })
    }
}

impl From<SignedDataError> for PassiveAuthError {
    fn from(error: SignedDataError) -> PassiveAuthError {
        match error {
            SignedDataError::SignerMissing => PassiveAuthError::SignerMissing,
            SignedDataError::ContentType => PassiveAuthError::ContentType,
            SignedDataError::Digest => PassiveAuthError::MessageDigest,
            SignedDataError::Signature(error) => PassiveAuthError::ObjectSignature(error),
        }
    }
}

/// Why a document fails passive authentication. No value of the document is part of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PassiveAuthError {
    /// The security object cannot be read.
    #[error("the security object cannot be read")]
    Object(#[from] SodError),
    /// The certificate that the signer names is not in the security object.
    #[error("the signer's certificate is missing")]
    SignerMissing,
    /// The signed content type is not the one of the content.
    #[error("the signed content type does not fit")]
    ContentType,
    /// The signed digest is not the one of the list of hashes.
    #[error("the signed digest does not fit the list of hashes")]
    MessageDigest,
    /// The signature of the security object is refused.
    #[error("the signature of the security object is refused")]
    ObjectSignature(#[source] SignatureError),
    /// No trusted authority is the issuer of the signer's certificate.
    #[error("no trusted authority issued the signer's certificate")]
    UnknownAuthority,
    /// An authority of the right name is trusted, but the signature of the signer's certificate
    /// is refused.
    #[error("the signature of the signer's certificate is refused")]
    SignerSignature(#[source] SignatureError),
    /// The signer's certificate is not meant for signing documents, or has a critical extension
    /// that is not known.
    #[error("the signer's certificate is not one for documents")]
    SignerUsage,
    /// Signer and authority name different countries, or none.
    #[error("signer and authority are not of one country")]
    SignerCountry,
    /// The state has revoked the certificate of the signer or of the authority.
    #[error("the state has revoked the certificate that the document rests on")]
    Revoked,
    /// The object claims to be signed later than now.
    #[error("the security object is signed in the future")]
    SignedInFuture,
    /// The signer's certificate was not valid at the time of signing.
    #[error("the signer's certificate was not valid when it signed")]
    SignerNotValid,
    /// The authority's certificate was not valid at the time of signing.
    #[error("the authority's certificate was not valid when the document was signed")]
    AuthorityNotValid,
    /// The security object has no hash of this data group.
    #[error("data group {0} is not signed")]
    GroupNotSigned(u8),
    /// The file of this data group is not the one that was signed.
    #[error("data group {0} is not the signed one")]
    GroupChanged(u8),
    /// The file of this data group is given more than once.
    #[error("data group {0} is given twice")]
    GroupGivenTwice(u8),
    /// The file of this data group has more than 1 MiB.
    #[error("data group {0} is larger than 1 MiB")]
    GroupTooLarge(u8),
    /// This data group is signed, but none of those that are read.
    #[error("data group {0} is not read here")]
    GroupNotRead(u8),
    /// The machine-readable zone is signed and yet cannot be read.
    #[error("data group 1 cannot be read")]
    Dg1(#[from] Dg1Error),
    /// The portrait is signed and yet cannot be read.
    #[error("data group 2 cannot be read")]
    Dg2(#[from] Dg2Error),
    /// The displayed signature is signed and yet cannot be read.
    #[error("data group 7 cannot be read")]
    Dg7(#[from] Dg7Error),
    /// The details of the holder are signed and yet cannot be read.
    #[error("data group 11 cannot be read")]
    Dg11(#[source] DetailsError),
    /// The details of the document are signed and yet cannot be read.
    #[error("data group 12 cannot be read")]
    Dg12(#[source] DetailsError),
    /// The issuing state in the machine-readable zone is not the one that signed.
    #[error("the document is signed by another state than it names")]
    OtherState,
    /// The time given as now is after the year 9999.
    #[error("the clock is wrong")]
    Clock,
}

/// The certificates of the authority whose key signed `signer`: those that it names, else any of
/// its country. Several may have the name, because states change keys and keep names, and one key
/// may have several certificates with validities of their own.
fn trusted_issuers<'a>(
    trust: &'a TrustStore,
    signer: &'a Certificate,
) -> Result<Vec<&'a Certificate>, PassiveAuthError> {
    let mut refusal = PassiveAuthError::UnknownAuthority;
    let mut found: Vec<&Certificate> = Vec::new();
    for authority in trust.issuers_of(signer) {
        if found
            .iter()
            .any(|one| one.public_key == authority.public_key)
        {
            found.push(authority);
            continue;
        }
        match signer.verify_signed_by(authority) {
            Ok(()) => found.push(authority),
            // A refused algorithm says more than that some other key does not fit.
            Err(SignatureError::Invalid) if refusal != PassiveAuthError::UnknownAuthority => {}
            Err(error) => refusal = PassiveAuthError::SignerSignature(error),
        }
    }
    if found.is_empty() {
        let fits = |authority: &&Certificate| signer.verify_signed_by(authority).is_ok();
        found.extend(trust.compatriots_of(signer).filter(fits));
    }
    if found.is_empty() {
        Err(refusal)
    } else {
        Ok(found)
    }
}

/// Source: ICAO Doc 9303-12, 8th edition, §7.1.1.
fn check_usage(signer: &Certificate) -> Result<(), PassiveAuthError> {
    if signer.extras.may_sign_documents() && signer.extras.unknown_critical.is_none() {
        Ok(())
    } else {
        Err(PassiveAuthError::SignerUsage)
    }
}

fn signing_time(
    signer: &Certificate,
    authorities: &[&Certificate],
    stated: Option<UnixTime>,
    now: UnixTime,
) -> Result<SigningTime, PassiveAuthError> {
    let first_use = signer
        .extras
        .key_period
        .map(|(from, _)| from.unwrap_or(signer.validity.from));
    let last_use = signer.extras.key_period.and_then(|(_, until)| until);
    let (instant, known) = match (stated, first_use) {
        (Some(time), _) => (time, SigningTime::Stated(time)),
        (None, Some(from)) => (from, SigningTime::KeyInUseFrom(from)),
        (None, None) => (now, SigningTime::Unknown),
    };
    if instant > now {
        return Err(PassiveAuthError::SignedInFuture);
    }
    let in_use = first_use.is_none_or(|from| from <= instant)
        && last_use.is_none_or(|until| instant <= until);
    if !signer.validity.contains(instant) || !in_use {
        return Err(PassiveAuthError::SignerNotValid);
    }
    let valid = |authority: &&Certificate| authority.validity.contains(instant);
    if !authorities.iter().any(valid) {
        return Err(PassiveAuthError::AuthorityNotValid);
    }
    Ok(known)
}

#[cfg(test)]
pub(crate) mod tests;
