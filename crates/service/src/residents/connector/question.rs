//! A request to a connector, and its comparison with what a table holds.

use credential::jose;
use credential::time::UnixTime;
use mrtd::CalendarDate;
use store::{CardState, LifeState, ResidentFound, ResidentRecord, StoreError};
use zeroize::Zeroizing;

use super::ConnectorError;
use crate::residents::contract::VerifyRequest;
use crate::residents::{
    DocumentState, IsoDate, LastDay, MatchResult, PersonName, PersonState, RegisterAnswer,
    ResidentNumber,
};

/// A request whose values are of their forms.
pub(super) struct Question {
    pub(super) request: VerifyRequest,
    pub(super) number: ResidentNumber,
    name: PersonName,
    today: CalendarDate,
}

impl Question {
    pub(super) fn parse(body: &[u8], now: UnixTime) -> Result<Question, ConnectorError> {
        let malformed = || ConnectorError::Malformed;
        let request: VerifyRequest = jose::parse_object(body).ok_or_else(malformed)?;
        for id in [&request.request_id, &request.nonce] {
            let octets = jose::decode(id).map_err(|_| malformed())?;
            if octets.len() != 16 {
                return Err(malformed());
            }
        }
        let today = mrtd::UnixTime(now.0);
        let today = CalendarDate::from_unix(today).map_err(|_| malformed())?;
        let name = PersonName::parse(&request.name).map_err(|_| malformed())?;
        let number = ResidentNumber::parse(request.kind, &request.number, today)?;
        Ok(Question {
            request,
            number,
            name,
            today,
        })
    }

    /// What the table says to it.
    pub(super) fn compare(
        &self,
        found: &ResidentFound,
        now: UnixTime,
    ) -> Result<RegisterAnswer, StoreError> {
        let result = match found {
            ResidentFound::None => MatchResult::NoRecord,
            ResidentFound::Several => MatchResult::Indeterminate,
            ResidentFound::One(record) => self.compare_record(record)?,
        };
        let (document, person) = match found {
            ResidentFound::One(record) if result == MatchResult::Match => {
                (self.document_state(record)?, person_state(record.life))
            }
            // Who does not know the name learns nothing of the person.
            ResidentFound::None | ResidentFound::One(_) | ResidentFound::Several => {
                (DocumentState::Unknown, PersonState::Unknown)
            }
        };
        Ok(RegisterAnswer {
            result,
            document,
            person,
            checked_at: Some(now),
        })
    }

    /// Compares all that was given. A value that is another one counts more than one that the
    /// table does not have.
    fn compare_record(&self, record: &ResidentRecord) -> Result<MatchResult, StoreError> {
        let name = PersonName::parse(&record.name).map_err(|_| StoreError::Damaged("name"))?;
        let birth = day(record.birth.as_ref(), "birth")?;
        let from = day(record.valid_from.as_ref(), "valid_from")?;
        let to = last_day(record)?;
        let given = [
            Some(name.is(&self.name)),
            self.request
                .birth
                .map_or(Some(true), |day| Some(day == birth?)),
            self.request
                .valid_from
                .map_or(Some(true), |day| Some(day == from?)),
            self.request
                .valid_to
                .map_or(Some(true), |day| Some(day == to?)),
        ];
        if given.contains(&Some(false)) {
            return Ok(MatchResult::Mismatch);
        }
        if given.contains(&None) {
            return Ok(MatchResult::Indeterminate);
        }
        Ok(MatchResult::Match)
    }

    fn document_state(&self, record: &ResidentRecord) -> Result<DocumentState, StoreError> {
        let over = last_day(record)?.is_some_and(|day| day.is_over(self.today));
        Ok(match record.card {
            CardState::Withdrawn => DocumentState::Withdrawn,
            CardState::Valid | CardState::Unknown if over => DocumentState::Expired,
            CardState::Valid => DocumentState::Valid,
            CardState::Unknown => DocumentState::Unknown,
        })
    }
}

fn person_state(life: LifeState) -> PersonState {
    match life {
        LifeState::Alive => PersonState::Alive,
        LifeState::Deceased => PersonState::Deceased,
        LifeState::Unknown => PersonState::Unknown,
    }
}

fn day(
    text: Option<&Zeroizing<String>>,
    column: &'static str,
) -> Result<Option<IsoDate>, StoreError> {
    let parse = |text: &Zeroizing<String>| IsoDate::parse(text);
    let day = text.map(parse).transpose();
    day.map_err(|_| StoreError::Damaged(column))
}

fn last_day(record: &ResidentRecord) -> Result<Option<LastDay>, StoreError> {
    let parse = |text: &Zeroizing<String>| LastDay::parse(text);
    let day = record.valid_to.as_ref().map(parse).transpose();
    day.map_err(|_| StoreError::Damaged("valid_to"))
}
