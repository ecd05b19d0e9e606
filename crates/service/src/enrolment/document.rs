//! The document: passive authentication, and what is kept of it until an officer has decided.

use credential::attributes::{Attributes, BirthDate};
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::jose;
use credential::time::UnixTime;
use mrtd::{DocumentFiles, Mrz, PassiveAuthError, PersonalDetails, Sex, TrustStore};
use store::TagKind;
use zeroize::Zeroizing;

use super::chip::{AwaitedChip, ChipProof, Question};
use super::face::FaceFinding;
use super::session::{ChipKey, Evidence, Source, Step};
use super::{EnrolmentError, Enrolments, Hold, Status};
use crate::memory;
use crate::residents::{NotAName, NumberError, WrongBirth};
use crate::secret;
use crate::tags::{BlindedNumber, EvidenceNumber, NotANumber};
use crate::trustee::ELEMENTS_MAX;

/// Beside the numbers the trustees are asked about what namesakes share.
const NUMBERS_MAX: usize = ELEMENTS_MAX - 1;
/// Keeps the digest of evidence apart from every other hash.
const DIGEST_DOMAIN: &[u8] = b"bauta/v1/evidence";

/// The files of a passport's chip.
pub struct DocumentUpload {
    /// EF.DG1.
    pub dg1: Zeroizing<Vec<u8>>,
    /// EF.DG2.
    pub dg2: Zeroizing<Vec<u8>>,
    /// Other data groups by number, each once: 11, which has to be there where the document has it,
    /// and 14 and 15 where a chip is there to be asked.
    pub others: Vec<(u8, Zeroizing<Vec<u8>>)>,
    /// EF.SOD.
    pub sod: Zeroizing<Vec<u8>>,
}

/// Why a document is refused. Nothing of its content is in it.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not the state's document, or cannot be read.
    #[error("the document is not authentic")]
    NotAuthentic(#[source] PassiveAuthError),
    /// A data group is missing without which somebody could register twice, or have the chip asked
    /// by a weaker key.
    #[error("data group 11 or 14 is missing")]
    Incomplete,
    /// It rests on SHA-1, with which somebody may have made it fit another document's signature.
    #[error("the document rests on a weak hash function")]
    Weak,
    /// The chip has not the key of the document, so it is a copy.
    #[error("the chip is not the original one")]
    Chip,
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
    /// The number of a person is of another form.
    #[error("the number is not of its kind")]
    ResidentNumber(#[from] NumberError),
    /// The name of a person is none.
    #[error(transparent)]
    ResidentName(#[from] NotAName),
    /// The birth date of a person is missing, or not that of the number.
    #[error(transparent)]
    ResidentBirth(#[from] WrongBirth),
    /// Its number is none.
    #[error("the document has no usable number")]
    Number(#[from] NotANumber),
    /// A number cannot be blinded, which no number is known to cause.
    #[error("a number of the document cannot be blinded")]
    Blind(#[from] oprf::BlindError),
}

impl Enrolments {
    /// Whether a document is awaited, to be asked before it is read.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::NotChosen`], [`EnrolmentError::Moved`],
    /// [`EnrolmentError::UnknownSession`].
    pub async fn expects_document(
        &self,
        hold: Hold<'_>,
        now: UnixTime,
    ) -> Result<(), EnrolmentError> {
        let session = self.of_wallet_at(hold, now).await?;
        session.consent_to(ChosenEvidence::Document).map(|_| ())
    }

    /// Takes the document of a session whose holder has agreed to that; then either its chip is
    /// asked, or the person is to show the face, or an officer has to decide.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::WrongStep`] when there is a document already, [`EnrolmentError::NotChosen`],
    /// [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`];
    /// [`EnrolmentError::Document`], after which another can be sent.
    pub async fn present_document(
        &self,
        hold: Hold<'_>,
        upload: DocumentUpload,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        let face = session.consent_to(ChosenEvidence::Document)?;
        let trust = std::sync::Arc::clone(&self.trust);
        let examined = memory::run_wiped(move || examine(&upload, face, (&trust, now))).await;
        let evidence = examined
            .map_err(|error| EnrolmentError::Internal(Box::new(error)))?
            .map_err(EnrolmentError::Document)?;
        let (evidence, question) = evidence;
        session.advance(match question {
            Some(question) => Step::AwaitingChip(Box::new(AwaitedChip { evidence, question })),
            None => self.after_document(evidence, now),
        });
        Ok(session.status())
    }
}

/// All checks a machine can make without the chip, the evidence that is left, and what to ask the
/// chip.
fn examine(
    upload: &DocumentUpload,
    face_consent: FaceConsent,
    (trust, now): (&TrustStore, UnixTime),
) -> Result<(Box<Evidence>, Option<Question>), DocumentError> {
    let others = upload.others.iter();
    let others: Vec<_> = others
        .map(|(number, file)| (*number, file.as_slice()))
        .collect();
    let files = DocumentFiles {
        dg1: &upload.dg1,
        dg2: Some(&upload.dg2),
        others: &others,
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
    let listed: Vec<u8> = document.security_object().data_groups().collect();
    let left_out = |number| {
        let sent = others.iter().any(|(other, _)| *other == number);
        listed.contains(&number) && !sent
    };
    // 11 may hold the person's number, which leads to the same person from every document; without
    // 14 the chip would be asked by the weaker of its keys.
    let asked = others.iter().any(|(number, _)| matches!(number, 14 | 15));
    if left_out(11) || asked && left_out(14) {
        return Err(DocumentError::Incomplete);
    }
    let chip_key = if listed.contains(&14) || listed.contains(&15) {
        ChipKey::Listed
    } else {
        ChipKey::None
    };
    let question = Question::draw(document.group(14), document.group(15));
    let attributes = attributes(document.mrz(), ChipProof::NotAsked)?;
    let numbers = numbers(document.mrz(), document.personal_details())?;
    let evidence = Evidence {
        id: secret::random(),
        numbers: blind(numbers, &attributes)?,
        attributes,
        // The security object has the hashes of all other groups.
        files: [&upload.dg1, &upload.dg2, &upload.sod]
            .map(|file| jose::sha256(file))
            .to_vec(),
        chip_key,
        chip_answer: None,
        face_consent,
        face: FaceFinding::NotChecked,
        review: None,
        source: Source::Document(Box::new(document.without_details())),
    };
    Ok((Box::new(evidence), question))
}

/// What a certificate says of the holder of a document: the same for whoever reads it, so that a
/// wallet can tell whether the operator would certify something else.
///
/// # Errors
///
/// [`DocumentError::BirthDate`] or [`DocumentError::Form`].
pub fn attributes(mrz: &Mrz, chip: ChipProof) -> Result<Attributes, DocumentError> {
    let birth = mrz.birth_date();
    let birthdate = BirthDate::new(birth.year(), birth.month(), birth.day());
    let attributes = Attributes {
        family_name: mrz.family_name().to_owned(),
        given_name: mrz.given_names().to_owned(),
        birthdate: birthdate.map_err(|_| DocumentError::BirthDate)?,
        sex: sex_text(mrz.sex()).to_owned(),
        nationality: mrz.nationality().alpha3().trim_end_matches('<').to_owned(),
        document_class: mrz.class().to_owned(),
        document_number: mrz.document_number().to_owned(),
        assurance_level: chip.assurance_level().to_owned(),
        guardianship: None,
        place_of_birth: None,
    };
    well_formed(attributes)
}

/// How certificates write the sex.
pub(super) fn sex_text(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "F",
        Sex::Male => "M",
        Sex::Unspecified => "X",
    }
}

/// Attributes that can be certified.
pub(super) fn well_formed(attributes: Attributes) -> Result<Attributes, DocumentError> {
    if attributes.are_well_formed() {
        Ok(attributes)
    } else {
        Err(DocumentError::Form)
    }
}

/// Each number blinded, and last what the person shares with namesakes.
pub(super) fn blind(
    mut numbers: Vec<EvidenceNumber>,
    attributes: &Attributes,
) -> Result<Vec<BlindedNumber>, DocumentError> {
    numbers.push(EvidenceNumber::of_namesakes(attributes)?);
    let blinded = numbers.iter().map(BlindedNumber::new);
    Ok(blinded.collect::<Result<_, _>>()?)
}

/// The numbers of a document, the most telling first, each once, no more than a trustee takes:
/// its own, the person's from both places where a state may write it, and those of other documents
/// of the person, which have the tags that those documents have themselves. Nothing says which
/// state gave these; it is taken to be the one that signed them.
fn numbers(
    mrz: &Mrz,
    details: Option<&PersonalDetails>,
) -> Result<Vec<EvidenceNumber>, DocumentError> {
    let state = mrz.issuing_state();
    let own = EvidenceNumber::new(TagKind::DocumentNumber, state, mrz.document_number())?;
    let of_details = details.and_then(|details| details.personal_number.as_deref());
    let persons = of_details.into_iter().chain(mrz.optional_data());
    let documents = details.map_or(&[][..], |details| &details.other_documents);
    let others = persons
        .map(|text| (TagKind::PersonNumber, text))
        .chain(
            documents
                .iter()
                .map(|text| (TagKind::DocumentNumber, text.as_str())),
        )
        .filter(|(_, text)| names_somebody(text));
    let mut numbers = vec![own];
    for (kind, text) in others {
        let Ok(number) = EvidenceNumber::new(kind, state, &without_signs(text)) else {
            continue;
        };
        if numbers.len() < NUMBERS_MAX && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// A number of data group 11 as the zone would have it, which knows none of the signs that divide
/// numbers.
fn without_signs(text: &str) -> Zeroizing<String> {
    let mut number = Zeroizing::new(String::with_capacity(text.len()));
    number.extend(text.chars().filter(|c| !matches!(c, '-' | '.' | '/')));
    number
}

/// Whether a text can be the number of one person or document. States also write a place or a
/// remark there, which many people share: it names nobody. Every state's person number has more
/// digits than this.
fn names_somebody(text: &str) -> bool {
    const DIGITS_MIN: usize = 5;
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits.count() >= DIGITS_MIN
}

/// Stands for the parts of evidence, of which these are the hashes. The random identifier in it keeps
/// the digest from telling two enrolments of one document, and from being searched for.
pub(super) fn evidence_digest(id: [u8; 16], parts: &[[u8; 32]]) -> [u8; 32] {
    let mut input = Zeroizing::new(Vec::new());
    for part in [DIGEST_DOMAIN, &id].map(jose::sha256).iter().chain(parts) {
        input.extend_from_slice(part);
    }
    jose::sha256(&input)
}

#[cfg(test)]
mod tests {
    use mrtd::{CalendarDate, Format, MrzFields, StateCode};

    use super::*;

    /// The zone of a passport of Germany, whose code is written in two ways.
    fn zone(document_number: &str, personal_number: Option<&str>) -> Mrz {
        let day = |year| CalendarDate::new(year, 2, 3).unwrap();
        let state = StateCode::from_mrz(*b"D<<").unwrap();
        let zone = Mrz::compose(&MrzFields {
            format: Format::Td3,
            issuing_state: state,
            family_name: "Specimen",
            given_names: "Ada",
            document_number,
            nationality: state,
            birth_date: day(1990),
            sex: Sex::Female,
            expiry: day(2030),
            personal_number,
        });
        Mrz::parse(&zone.unwrap(), day(2026)).unwrap()
    }

    fn details(personal_number: &str, other_documents: &[&str]) -> PersonalDetails {
        let mut details = PersonalDetails::default();
        details.personal_number = Some(personal_number.to_owned());
        details.other_documents = other_documents.iter().map(ToString::to_string).collect();
        details
    }

    fn number(kind: TagKind, text: &str) -> EvidenceNumber {
        EvidenceNumber::new(kind, "DEU".parse().unwrap(), text).unwrap()
    }

    fn found(mrz: &Mrz, details: &PersonalDetails) -> Vec<EvidenceNumber> {
        numbers(mrz, Some(details)).unwrap()
    }

    #[test]
    fn a_person_number_is_one_number_wherever_it_stands() {
        let wanted = [
            number(TagKind::DocumentNumber, "C01X00T47"),
            number(TagKind::PersonNumber, "800101123450"),
        ];
        let (with, without) = (
            zone("C01X00T47", Some("800101123450")),
            zone("C01X00T47", None),
        );
        assert!(numbers(&with, None).unwrap() == wanted);
        for text in [
            "800101123450",
            "800101-12345-0",
            "800101/123.450",
            "800101 123450",
        ] {
            assert!(found(&with, &details(text, &[])) == wanted, "{text}");
            assert!(found(&without, &details(text, &[])) == wanted, "{text}");
        }
        let two = found(&with, &details("700101123450", &[]));
        assert!(two[1] == number(TagKind::PersonNumber, "700101123450"));
        assert!(two[2..] == wanted[1..]);
    }

    #[test]
    fn another_document_has_the_number_that_it_has_itself() {
        let old = zone("X1234567", None);
        let own = numbers(&old, None).unwrap();
        let new = found(
            &zone("X7654321", None),
            &details("NONE", &["x 1234567", "X7654321"]),
        );
        assert!(
            new == [
                number(TagKind::DocumentNumber, "X7654321"),
                number(TagKind::DocumentNumber, "X1234567")
            ]
        );
        assert!(new[1..] == own);
    }

    #[test]
    fn a_trustee_is_asked_for_the_most_telling_numbers_alone() {
        let others = ["A1000001", "A1000002", "A1000003"];
        let found = found(&zone("X1234567", Some("12345")), &details("67890", &others));
        let wanted = [
            number(TagKind::DocumentNumber, "X1234567"),
            number(TagKind::PersonNumber, "67890"),
            number(TagKind::PersonNumber, "12345"),
            number(TagKind::DocumentNumber, "A1000001"),
        ];
        assert!(found == wanted);
        assert_eq!(found.len(), NUMBERS_MAX);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let found = found(
            &zone("X1234567", Some("BERLIN")),
            &details("ÄÖ12345", &["NONE", "示例12345"]),
        );
        assert!(found == [number(TagKind::DocumentNumber, "X1234567")]);
    }

    #[test]
    fn a_remark_names_nobody() {
        for remark in ["BERLIN", "", "ART 12", "1A2B3C4D"] {
            assert!(!names_somebody(remark), "{remark}");
        }
        for number in ["38001085718", "12345678Z", "ZE184226B12"] {
            assert!(names_somebody(number), "{number}");
        }
    }
}
