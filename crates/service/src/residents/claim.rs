//! What a person says, the question it becomes, and the decision on the register's answer.

use async_trait::async_trait;
use credential::jose::{self, PublicKey, SigningKey};
use credential::origin::Origin;
use credential::time::UnixTime;
use mrtd::CalendarDate;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::contract::{self, AnswerInvalid, VerifyRequest};
use super::{
    DocumentState, IsoDate, LastDay, MatchResult, PersonName, PersonState, RegisterAnswer,
    ResidentNumber,
};
use crate::secret;

/// What a person says, and the question about it: nothing of it is shown. It is wiped when dropped.
pub struct ResidentClaim {
    number: ResidentNumber,
    name: PersonName,
    birth: Zeroizing<CalendarDate>,
    inquiry: Inquiry,
}

/// What a person may say besides number and name. It is wiped when dropped.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub struct CardDates {
    /// Birth date; needed where the number leaves the century open.
    pub birth: Option<IsoDate>,
    /// First day of the card.
    pub valid_from: Option<IsoDate>,
    /// Last day of the card.
    pub valid_to: Option<LastDay>,
}

/// The birth date is not the number's, or is missing where the number leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the birth date is missing or not that of the number")]
pub struct WrongBirth;

impl ResidentClaim {
    /// What a person says.
    ///
    /// # Errors
    ///
    /// [`WrongBirth`]
    pub fn new(
        number: ResidentNumber,
        name: PersonName,
        dates: &CardDates,
    ) -> Result<ResidentClaim, WrongBirth> {
        let birth = match dates.birth {
            Some(IsoDate(day)) => Some(day).filter(|day| number.fits_birth(*day)),
            None => number.birth(),
        };
        let birth = Zeroizing::new(birth.ok_or(WrongBirth)?);
        let inquiry = Inquiry::new(VerifyRequest {
            request_id: secret::random_nonce(),
            nonce: secret::random_nonce(),
            kind: number.kind(),
            number: Zeroizing::new(number.expose().to_owned()),
            name: Zeroizing::new(name.expose().to_owned()),
            birth: dates.birth,
            valid_from: dates.valid_from,
            valid_to: dates.valid_to,
        });
        Ok(ResidentClaim {
            birth,
            number,
            name,
            inquiry,
        })
    }

    /// Asks the register. Asked again after a failure, it is sent the same question and does not
    /// count another attempt.
    ///
    /// # Errors
    ///
    /// The variants of [`NotConfirmed`]; after [`NotConfirmed::Register`] the same may be asked
    /// again.
    pub async fn confirm(
        &self,
        register: &dyn AuthoritativeRegister,
        now: UnixTime,
    ) -> Result<(), NotConfirmed> {
        decide(&register.verify(&self.inquiry, now).await?)
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> &ResidentNumber {
        &self.number
    }

    /// The name, in the form in which names are compared.
    #[must_use]
    pub fn name(&self) -> &PersonName {
        &self.name
    }

    /// The birth date.
    #[must_use]
    pub fn birth(&self) -> CalendarDate {
        *self.birth
    }
}

/// A question to a register: the same octets however often it is sent.
pub struct Inquiry {
    request: VerifyRequest,
    body: Zeroizing<Vec<u8>>,
}

impl Inquiry {
    fn new(request: VerifyRequest) -> Inquiry {
        // Room for all of it at once: what grows leaves copies behind.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAPACITY));
        serde_json::to_writer(&mut *body, &request).expect("a request is plain strings");
        Inquiry { request, body }
    }

    /// The body, JSON.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The bearer token of the enrolment service `issuer` for the connector at `connector`.
    #[must_use]
    pub fn token(
        &self,
        key: &SigningKey,
        (issuer, connector): (&str, &Origin),
        now: UnixTime,
    ) -> String {
        let parties = (issuer, connector.as_str());
        contract::sign_token(key, parties, jose::sha256(&self.body), now)
    }

    /// Reads what the connector with this key answered.
    ///
    /// # Errors
    ///
    /// [`AnswerInvalid`] when it is another's, to another question, or of another form.
    pub fn read_answer(
        &self,
        compact: &str,
        key: &PublicKey,
    ) -> Result<RegisterAnswer, AnswerInvalid> {
        contract::verify_answer(compact, key, &self.request, jose::sha256(&self.body))
    }
}

/// A way to an authoritative register.
#[async_trait]
pub trait AuthoritativeRegister: Send + Sync {
    /// Asks it. The answer holds: it is the register's, to this question.
    async fn verify(
        &self,
        inquiry: &Inquiry,
        now: UnixTime,
    ) -> Result<RegisterAnswer, RegisterError>;
}

/// Why there is no answer. It says nothing about the person: a fault is no mismatch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// It is not reached, or fails.
    #[error("the register is not available")]
    Unavailable,
    /// It does not answer in time.
    #[error("the register does not answer in time")]
    TimedOut,
    /// It refuses to answer, with this identifier.
    #[error("the register refuses: {0}")]
    Refused(String),
    /// What it answers is not what it should be.
    #[error("the register's answer does not hold")]
    AnswerInvalid,
}

impl From<AnswerInvalid> for RegisterError {
    fn from(_: AnswerInvalid) -> RegisterError {
        RegisterError::AnswerInvalid
    }
}

/// Why a person is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// There is no answer.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// What was said does not belong together, or nothing stands under the number: which of them
    /// is not told further.
    #[error("number, name and dates are not those of the register")]
    NoMatch,
    /// The register cannot say.
    #[error("the register cannot tell")]
    Indeterminate,
    /// The card has expired.
    #[error("the card has expired")]
    Expired,
    /// The card was lost, replaced or taken back.
    #[error("the card is withdrawn")]
    Withdrawn,
    /// The person has died.
    #[error("the person has died")]
    Deceased,
}

/// Only a match with a valid card of somebody alive will do; what the register does not know is
/// not taken for good.
fn decide(answer: &RegisterAnswer) -> Result<(), NotConfirmed> {
    match answer.result {
        MatchResult::Match => {}
        MatchResult::Mismatch | MatchResult::NoRecord => return Err(NotConfirmed::NoMatch),
        MatchResult::Indeterminate => return Err(NotConfirmed::Indeterminate),
    }
    match answer.person {
        PersonState::Alive => {}
        PersonState::Deceased => return Err(NotConfirmed::Deceased),
        PersonState::Unknown => return Err(NotConfirmed::Indeterminate),
    }
    match answer.document {
        DocumentState::Valid => Ok(()),
        DocumentState::Expired => Err(NotConfirmed::Expired),
        DocumentState::Withdrawn => Err(NotConfirmed::Withdrawn),
        DocumentState::Unknown => Err(NotConfirmed::Indeterminate),
    }
}

/// More than the longest request: a name of 100 characters has at most 400 octets.
const BODY_CAPACITY: usize = 2048;

#[cfg(test)]
mod tests;
