//! When something next expires, so that a timer touches the file only when there is work: even a
//! transaction that changes nothing writes into SQLite's shared-memory file.

use std::sync::atomic::{AtomicU64, Ordering};

use credential::time::UnixTime;

/// The earliest time at which a row of the file may expire.
pub(super) struct NextExpiry(AtomicU64);

impl NextExpiry {
    /// Not known: the file may hold anything.
    pub(super) fn unknown() -> NextExpiry {
        NextExpiry(AtomicU64::new(0))
    }

    /// A row that expires at this time is written by the transaction that calls this. Within it,
    /// and not before: a sweep that has looked already would forget a note from before it, and
    /// one that looks later sees the row.
    pub(super) fn note(&self, expires: UnixTime) {
        self.0.fetch_min(expires.0, Ordering::Relaxed);
    }

    /// Whether something may have expired. If so the caller looks, and notes what is left.
    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        let due = self.0.load(Ordering::Relaxed) <= now.0;
        if due {
            // What is written after the caller has looked counts, and so does what it finds.
            self.0.store(u64::MAX, Ordering::Relaxed);
        }
        due
    }
}
