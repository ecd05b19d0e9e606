//! People whose cards no reader of ours can open: what they say, which an authoritative register is
//! asked about once an officer has the person and the card before them. So nobody tries numbers and
//! names on the register without showing up.

use credential::attributes::{Attributes, BirthDate};
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::jose;
use credential::time::UnixTime;
use mrtd::CalendarDate;
use zeroize::Zeroizing;

use super::chip::ChipProof;
use super::document::{DocumentError, blind, sex_text, well_formed};
use super::face::FaceFinding;
use super::session::{ChipKey, Evidence, Source, Step};
use super::{EnrolmentError, Enrolments, Hold, Refusal, Status};
use crate::residents::{
    CardDates, NotConfirmed, NumberKind, PersonName, ResidentClaim, ResidentNumber,
};
use crate::secret;

/// What a person says, as it came in.
pub struct ResidentUpload {
    /// What the number is of.
    pub kind: NumberKind,
    /// The number, see [`ResidentNumber::parse`].
    pub number: Zeroizing<String>,
    /// The name, see [`PersonName::parse`].
    pub name: Zeroizing<String>,
    /// What else is said.
    pub dates: CardDates,
}

impl ResidentUpload {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`DocumentError::ResidentNumber`], [`DocumentError::ResidentName`],
    /// [`DocumentError::ResidentBirth`].
    pub fn claim(self, today: CalendarDate) -> Result<ResidentClaim, DocumentError> {
        let number = ResidentNumber::parse(self.kind, &self.number, today)?;
        let name = PersonName::parse(&self.name)?;
        Ok(ResidentClaim::new(number, name, &self.dates)?)
    }
}

/// What a certificate says of somebody whom a register confirmed. The name stands whole in
/// `family_name`: nothing tells where it divides.
///
/// # Errors
///
/// [`DocumentError::BirthDate`] or [`DocumentError::Form`].
pub fn resident_attributes(claim: &ResidentClaim) -> Result<Attributes, DocumentError> {
    let birth = claim.birth();
    let birthdate = BirthDate::new(birth.year(), birth.month(), birth.day());
    let number = claim.number();
    let nationality = number.nationality().ok_or(DocumentError::Form)?;
    let attributes = Attributes {
        family_name: claim.name().expose().to_owned(),
        given_name: String::new(),
        birthdate: birthdate.map_err(|_| DocumentError::BirthDate)?,
        sex: sex_text(number.sex()).to_owned(),
        nationality: nationality.alpha3().trim_end_matches('<').to_owned(),
        document_class: "I".to_owned(),
        document_number: number.expose().to_owned(),
        assurance_level: ChipProof::NoKey.assurance_level().to_owned(),
        guardianship: None,
        place_of_birth: None,
    };
    well_formed(attributes)
}

impl Enrolments {
    /// Takes what a person says; then an officer has to decide.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::NoAuthority`] where no register can be asked;
    /// [`EnrolmentError::Document`], after which something else can be sent;
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::NotChosen`], [`EnrolmentError::Moved`],
    /// [`EnrolmentError::UnknownSession`].
    pub async fn present_resident(
        &self,
        hold: Hold<'_>,
        upload: ResidentUpload,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        if self.authority.is_none() {
            return Err(EnrolmentError::NoAuthority);
        }
        session.consent_to(ChosenEvidence::ResidentNumber)?;
        let evidence = examine(upload, now).map_err(EnrolmentError::Document)?;
        session.advance(Step::AwaitingOfficer(Box::new(evidence)));
        Ok(session.status())
    }

    /// Asks the register about what a person says; why the session ends, where it does not confirm
    /// that.
    pub(super) async fn ask_register(
        &self,
        claim: &ResidentClaim,
        now: UnixTime,
    ) -> Result<Option<Refusal>, EnrolmentError> {
        let register = self.authority.as_ref();
        let register = register.ok_or(EnrolmentError::NoAuthority)?;
        Ok(match claim.confirm(register.as_ref(), now).await {
            Ok(()) => None,
            Err(NotConfirmed::Register(error)) => {
                tracing::warn!(%error, "no answer of the register");
                return Err(EnrolmentError::AuthorityUnavailable);
            }
            Err(NotConfirmed::NoMatch) => Some(Refusal::NotInRegister),
            Err(NotConfirmed::Indeterminate) => Some(Refusal::RegisterUndecided),
            Err(NotConfirmed::Expired) => Some(Refusal::CardExpired),
            Err(NotConfirmed::Withdrawn) => Some(Refusal::CardWithdrawn),
            Err(NotConfirmed::Deceased) => Some(Refusal::PersonDeceased),
        })
    }
}

fn examine(upload: ResidentUpload, now: UnixTime) -> Result<Evidence, DocumentError> {
    let today = CalendarDate::from_unix(mrtd::UnixTime(now.0));
    let claim = upload.claim(today.map_err(|_| DocumentError::BirthDate)?)?;
    let number = claim.number();
    let parts = [
        number.kind().as_str(),
        number.expose(),
        claim.name().expose(),
    ];
    let attributes = resident_attributes(&claim)?;
    Ok(Evidence {
        id: secret::random(),
        numbers: blind(vec![number.evidence()?], &attributes)?,
        attributes,
        files: parts.map(|part| jose::sha256(part.as_bytes())).to_vec(),
        chip_key: ChipKey::None,
        chip_answer: None,
        // There is no portrait to compare with.
        face_consent: FaceConsent::Withheld,
        face: FaceFinding::NotChecked,
        review: None,
        source: Source::Resident(Box::new(claim)),
    })
}
