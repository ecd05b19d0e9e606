//! The document: passive authentication, and what is kept of it until an officer has decided.

use credential::attributes::{Attributes, BirthDate};
use credential::jose;
use credential::time::UnixTime;
use mrtd::{DocumentFiles, Mrz, PassiveAuthError, Sex, TrustStore};
use store::{SessionId, TagKind};
use zeroize::Zeroizing;

use super::session::{Evidence, Step};
use super::{EnrolmentError, Enrolments, StateName};
use crate::memory;
use crate::secret;
use crate::tags::{BlindedNumber, EvidenceNumber, NotANumber};

/// Keeps the digest of evidence apart from every other hash.
const DIGEST_DOMAIN: &[u8] = b"bauta/v1/evidence";

/// What passive authentication can give at most: the data of a chip can be copied to another.
const ASSURANCE_LEVEL: &str = "substantial";

/// The files of a passport's chip.
pub struct DocumentUpload {
    /// EF.DG1.
    pub dg1: Zeroizing<Vec<u8>>,
    /// EF.DG2.
    pub dg2: Zeroizing<Vec<u8>>,
    /// EF.SOD.
    pub sod: Zeroizing<Vec<u8>>,
}

/// Why a document is refused. Nothing of its content is in it.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not the state's document, or cannot be read.
    #[error("the document is not authentic")]
    NotAuthentic(#[source] PassiveAuthError),
    /// It rests on SHA-1, with which somebody may have made it fit another document's signature.
    #[error("the document rests on a weak hash function")]
    Weak,
    /// It has expired.
    #[error("the document has expired")]
    Expired,
    /// It has no portrait to compare.
    #[error("the document has no portrait")]
    NoPortrait,
    /// Its holder's birth date is before 1900.
    #[error("the birth date is out of range")]
    BirthDate,
    /// A value is not of the closed form that certificates have.
    #[error("a value cannot be certified")]
    Form,
    /// Its number is none.
    #[error("the document has no usable number")]
    Number(#[from] NotANumber),
    /// A number cannot be blinded, which no number is known to cause.
    #[error("a number of the document cannot be blinded")]
    Blind(#[from] oprf::BlindError),
}

impl Enrolments {
    /// Takes the document of an open session.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::WrongStep`] when there is a document already;
    /// [`EnrolmentError::Document`], after which another can be sent.
    pub async fn present_document(
        &self,
        (id, token): (SessionId, &str),
        upload: DocumentUpload,
        now: UnixTime,
    ) -> Result<StateName, EnrolmentError> {
        let mut session = self.of_wallet(id, token, now).await?;
        if !matches!(session.step, Step::Open) {
            return Err(EnrolmentError::WrongStep);
        }
        let trust = std::sync::Arc::clone(&self.trust);
        let examined = memory::run_wiped(move || examine(&upload, &trust, now)).await;
        let evidence = examined
            .map_err(|error| EnrolmentError::Internal(Box::new(error)))?
            .map_err(EnrolmentError::Document)?;
        session.step = Step::AwaitingOfficer(evidence);
        Ok(StateName::AwaitingOfficer)
    }
}

/// All checks a machine can make, and the evidence that is left.
fn examine(
    upload: &DocumentUpload,
    trust: &TrustStore,
    now: UnixTime,
) -> Result<Box<Evidence>, DocumentError> {
    let files = DocumentFiles {
        dg1: &upload.dg1,
        dg2: Some(&upload.dg2),
        others: &[],
        sod: &upload.sod,
    };
    let clock = mrtd::UnixTime(now.0);
    let document = files
        .authenticate(trust, clock)
        .map_err(DocumentError::NotAuthentic)?;
    if !document.security_object().weaknesses().is_empty() {
        return Err(DocumentError::Weak);
    }
    let today = mrtd::CalendarDate::from_unix(clock)
        .map_err(|_| DocumentError::NotAuthentic(PassiveAuthError::Clock))?;
    if document.mrz().expiry() < today {
        return Err(DocumentError::Expired);
    }
    if document.portrait().is_none() {
        return Err(DocumentError::NoPortrait);
    }
    let id = secret::random();
    Ok(Box::new(Evidence {
        id,
        attributes: attributes(document.mrz())?,
        digest: digest(id, upload),
        numbers: blind_numbers(document.mrz())?,
        document,
    }))
}

/// What a certificate says of the holder of a document: the same for whoever reads it, so that a
/// wallet can tell whether the operator would certify something else.
///
/// # Errors
///
/// [`DocumentError::BirthDate`] or [`DocumentError::Form`].
pub fn attributes(mrz: &Mrz) -> Result<Attributes, DocumentError> {
    let birth = mrz.birth_date();
    let birthdate = BirthDate::new(birth.year(), birth.month(), birth.day());
    let sex = match mrz.sex() {
        Sex::Female => "F",
        Sex::Male => "M",
        Sex::Unspecified => "X",
    };
    let attributes = Attributes {
        family_name: mrz.family_name().to_owned(),
        given_name: mrz.given_names().to_owned(),
        birthdate: birthdate.map_err(|_| DocumentError::BirthDate)?,
        sex: sex.to_owned(),
        nationality: mrz.nationality().alpha3().trim_end_matches('<').to_owned(),
        document_class: mrz.class().to_owned(),
        document_number: mrz.document_number().to_owned(),
        assurance_level: ASSURANCE_LEVEL.to_owned(),
        guardianship: None,
        place_of_birth: None,
    };
    if attributes.are_well_formed() {
        Ok(attributes)
    } else {
        Err(DocumentError::Form)
    }
}

/// One blinded number for every number that the document yields.
fn blind_numbers(mrz: &Mrz) -> Result<Vec<BlindedNumber>, DocumentError> {
    let state = mrz.issuing_state();
    let document = EvidenceNumber::new(TagKind::DocumentNumber, state, mrz.document_number())?;
    let mut numbers = vec![BlindedNumber::new(&document)?];
    for text in mrz
        .optional_data()
        .filter(|text| may_be_a_person_number(text))
    {
        if let Ok(person) = EvidenceNumber::new(TagKind::PersonNumber, state, text) {
            numbers.push(BlindedNumber::new(&person)?);
        }
    }
    Ok(numbers)
}

/// Whether optional data can be a number of a person. States also write a place or a remark there,
/// which many people share: it names nobody. Every state's person number has more digits than this.
fn may_be_a_person_number(optional_data: &str) -> bool {
    const DIGITS_MIN: usize = 5;
    let digits = optional_data.bytes().filter(u8::is_ascii_digit);
    digits.count() >= DIGITS_MIN
}

/// What the officer's signature stands for. The random identifier in it keeps the digest from
/// telling two enrolments of one document, and from being searched for.
fn digest(id: [u8; 16], upload: &DocumentUpload) -> [u8; 32] {
    let mut input = Zeroizing::new(Vec::new());
    for part in [DIGEST_DOMAIN, &id, &upload.dg1, &upload.dg2, &upload.sod] {
        input.extend_from_slice(&jose::sha256(part));
    }
    jose::sha256(&input)
}

#[cfg(test)]
mod tests {
    use super::may_be_a_person_number;

    #[test]
    fn a_remark_is_no_person_number() {
        for remark in ["BERLIN", "", "ART 12", "1A2B3C4D"] {
            assert!(!may_be_a_person_number(remark), "{remark}");
        }
        for number in ["38001085718", "12345678Z", "ZE184226B12"] {
            assert!(may_be_a_person_number(number), "{number}");
        }
    }
}
