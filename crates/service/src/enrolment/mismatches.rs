//! How often a document's holder was not the one before the camera, whatever the session: who has
//! another one's document could otherwise try as often as there are sessions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use credential::jose;
use credential::time::UnixTime;
use mrtd::VerifiedDocument;

use crate::secret;

/// Failed comparisons by document, in memory alone, under a key that ends with the process.
pub(super) struct Mismatches {
    key: [u8; 32],
    counted: Mutex<HashMap<DocumentName, Counted>>,
}

/// Stands for a document within this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DocumentName([u8; 32]);

struct Counted {
    times: u8,
    until: UnixTime,
}

impl Mismatches {
    pub(super) fn new() -> Mismatches {
        Mismatches {
            key: secret::random(),
            counted: Mutex::default(),
        }
    }

    pub(super) fn name(&self, document: &VerifiedDocument) -> DocumentName {
        let mrz = document.mrz();
        let state = mrz.issuing_state().to_mrz();
        self.name_of(&state, mrz.document_number())
    }

    fn name_of(&self, state: &[u8], number: &str) -> DocumentName {
        let [state, number] = [state, number.as_bytes()].map(jose::sha256);
        DocumentName(jose::sha256(&[self.key, state, number].concat()))
    }

    /// Whether no more comparisons are made with this document for now.
    pub(super) fn are_too_many(&self, document: DocumentName, now: UnixTime) -> bool {
        let counted = self.lock();
        let counted = counted.get(&document);
        counted.is_some_and(|counted| now < counted.until && counted.times >= TIMES_MAX)
    }

    /// Counts a comparison before it is made, so that several at the same moment are not more than may
    /// be; `false` where there were too many already.
    pub(super) fn count(&self, document: DocumentName, now: UnixTime) -> bool {
        let mut counted = self.lock();
        let fresh = || Counted {
            times: 0,
            until: now.plus_secs(FORGOTTEN_AFTER_SECS),
        };
        let entry = counted.entry(document).or_insert_with(fresh);
        if entry.until <= now {
            *entry = fresh();
        }
        let more = entry.times < TIMES_MAX;
        entry.times += u8::from(more);
        more
    }

    /// The comparison that was counted was no mismatch.
    pub(super) fn take_back(&self, document: DocumentName) {
        let mut counted = self.lock();
        if let Some(entry) = counted.get_mut(&document) {
            entry.times = entry.times.saturating_sub(1);
        }
    }

    pub(super) fn forget(&self, now: UnixTime) {
        let mut counted = self.lock();
        counted.retain(|_, entry| now < entry.until && entry.times > 0);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DocumentName, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many as in one session.
const TIMES_MAX: u8 = super::face::TRIES;
const FORGOTTEN_AFTER_SECS: u64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn a_document_has_three_mismatches_an_hour_in_all_sessions_together() {
        let mismatches = Mismatches::new();
        let name = mismatches.name_of(b"UTO", "C01X00T47");
        for _ in 0..TIMES_MAX {
            assert!(!mismatches.are_too_many(name, NOW));
            assert!(mismatches.count(name, NOW));
        }
        assert!(mismatches.are_too_many(name, NOW));
        assert!(!mismatches.count(name, NOW));
        let other = mismatches.name_of(b"D<<", "C01X00T47");
        assert!(mismatches.count(other, NOW));

        let last = NOW.plus_secs(FORGOTTEN_AFTER_SECS - 1);
        mismatches.forget(last);
        assert!(mismatches.are_too_many(name, last));
        let later = NOW.plus_secs(FORGOTTEN_AFTER_SECS);
        assert!(!mismatches.are_too_many(name, later));
        mismatches.forget(later);
        assert!(mismatches.lock().is_empty());
        assert!(mismatches.count(name, later));
    }

    #[test]
    fn a_match_costs_nothing() {
        let mismatches = Mismatches::new();
        let name = mismatches.name_of(b"UTO", "C01X00T47");
        for _ in 0..10 {
            assert!(mismatches.count(name, NOW));
            mismatches.take_back(name);
        }
        mismatches.forget(NOW);
        assert!(mismatches.lock().is_empty());
    }

    #[test]
    fn another_process_names_a_document_otherwise() {
        let name = |mismatches: &Mismatches| mismatches.name_of(b"UTO", "C01X00T47").0;
        assert_ne!(name(&Mismatches::new()), name(&Mismatches::new()));
    }
}
