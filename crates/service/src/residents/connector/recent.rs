//! What a connector remembers of the last minutes, in memory alone: who was asked about is
//! written nowhere.

use std::collections::HashMap;

use credential::jose;
use credential::time::UnixTime;

use crate::secret;

/// How long an answer is repeated, in seconds.
const KEEP_SECS: u64 = 600;
/// How many answers are kept at most.
const ANSWERS_MAX: usize = 100_000;
/// The span in which questions about one number are counted, in seconds.
const SPAN_SECS: u64 = 60;

pub(super) struct Recent {
    attempts_per_minute: u32,
    /// Drawn at the start, so that the hash of a number tells nothing without it.
    salt: [u8; 32],
    answers: HashMap<String, Kept>,
    attempts: HashMap<[u8; 32], Attempts>,
}

struct Kept {
    request: [u8; 32],
    /// None while it is worked on, and after we failed.
    answer: Option<String>,
    until: UnixTime,
}

struct Attempts {
    count: u32,
    until: UnixTime,
}

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is to be answered.
    New,
    /// It was answered so.
    Repeated(String),
    /// Another request has its identifier.
    OtherRequest,
    /// Too many questions.
    TooMany,
}

impl Recent {
    pub(super) fn new(attempts_per_minute: u32) -> Recent {
        Recent {
            attempts_per_minute,
            salt: secret::random(),
            answers: HashMap::new(),
            attempts: HashMap::new(),
        }
    }

    /// Notes the request `id` of octets with this hash, which asks about `number`.
    pub(super) fn admit(
        &mut self,
        (id, request): (&str, [u8; 32]),
        number: &str,
        now: UnixTime,
    ) -> Admission {
        if let Some(kept) = self.answers.get(id).filter(|kept| now < kept.until) {
            if kept.request != request {
                return Admission::OtherRequest;
            }
            let answer = kept.answer.clone();
            return answer.map_or(Admission::New, Admission::Repeated);
        }
        if self.answers.len() >= ANSWERS_MAX || !self.count(number, now) {
            return Admission::TooMany;
        }
        let kept = Kept {
            request,
            answer: None,
            until: now.plus_secs(KEEP_SECS),
        };
        self.answers.insert(id.to_owned(), kept);
        Admission::New
    }

    /// Keeps the answer to an admitted request; of two made at the same time the first counts.
    pub(super) fn keep(&mut self, id: &str, answer: String) -> String {
        match self.answers.get_mut(id) {
            Some(kept) => kept.answer.get_or_insert(answer).clone(),
            None => answer,
        }
    }

    pub(super) fn forget_expired(&mut self, now: UnixTime) {
        self.answers.retain(|_, kept| now < kept.until);
        self.attempts.retain(|_, attempts| now < attempts.until);
    }

    /// Counts a question about a number unless there were too many. The span begins with the
    /// first question.
    fn count(&mut self, number: &str, now: UnixTime) -> bool {
        let fresh = Attempts {
            count: 0,
            until: now.plus_secs(SPAN_SECS),
        };
        let name = [self.salt, jose::sha256(number.as_bytes())];
        let name = jose::sha256(name.as_flattened());
        let attempts = self.attempts.entry(name).or_insert(fresh);
        if now >= attempts.until {
            *attempts = Attempts {
                count: 0,
                until: now.plus_secs(SPAN_SECS),
            };
        }
        let counts = attempts.count < self.attempts_per_minute;
        if counts {
            attempts.count += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn an_identifier_stands_for_one_request_while_its_answer_is_kept() {
        let mut recent = Recent::new(5);
        let mut admit = |request, at| recent.admit(("id", [request; 32]), "1", at);
        assert_eq!(admit(1, NOW), Admission::New);
        assert_eq!(admit(1, NOW), Admission::New, "there is no answer yet");
        assert_eq!(admit(2, NOW), Admission::OtherRequest);
        assert_eq!(recent.keep("id", "a".to_owned()), "a");
        assert_eq!(recent.keep("id", "b".to_owned()), "a");
        let mut admit = |request, at| recent.admit(("id", [request; 32]), "1", at);
        let end = NOW.plus_secs(KEEP_SECS);
        assert_eq!(
            admit(1, end.minus_secs(1)),
            Admission::Repeated("a".to_owned())
        );
        assert_eq!(admit(2, end), Admission::New);
    }

    #[test]
    fn a_number_is_asked_about_so_often_a_minute_and_repeats_do_not_count() {
        let mut recent = Recent::new(2);
        let mut admit = |id, number, at| recent.admit((id, [0; 32]), number, at);
        assert_eq!(admit("a", "1", NOW), Admission::New);
        assert_eq!(admit("a", "1", NOW), Admission::New);
        assert_eq!(admit("b", "1", NOW.plus_secs(59)), Admission::New);
        assert_eq!(admit("c", "1", NOW.plus_secs(59)), Admission::TooMany);
        assert_eq!(admit("d", "2", NOW.plus_secs(59)), Admission::New);
        assert_eq!(admit("c", "1", NOW.plus_secs(60)), Admission::New);
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let mut recent = Recent::new(2);
        recent.admit(("a", [0; 32]), "1", NOW);
        recent.forget_expired(NOW.plus_secs(SPAN_SECS));
        assert!(recent.attempts.is_empty() && recent.answers.len() == 1);
        recent.forget_expired(NOW.plus_secs(KEEP_SECS));
        assert!(recent.answers.is_empty());
    }
}
