//! When a certificate is renewed, and from when on the new one is shown: moments drawn so that
//! operator and sites have no times to compare.
//! Source: `docs/specs/enrolment.md`, section "renewal".

use credential::renewal::opens;
use credential::time::{Epoch, UnixTime};
use rand_core::Rng;

const HOUR: u64 = 3600;
/// Least and most time between a presentation and a renewal, or a renewal and the first
/// presentation of what it brought, in seconds.
const APART: (u64, u64) = (HOUR, 24 * HOUR);
/// The same where no certificate is accepted meanwhile, so that the person waits; and between a
/// sign-up that failed for that reason and the renewal.
const APART_WAITING: (u64, u64) = (HOUR, 12 * HOUR);
/// So many seconds before the end of an epoch no renewal is planned any more: a device that is
/// off at the moment has some time left.
const MARGIN_SECS: u64 = 6 * HOUR;
/// No moment is drawn from fewer seconds than these because an end is near: drawn from minutes it
/// would tell when the person was there. It comes after that end instead.
const LEAST_WINDOW_SECS: u64 = 12 * HOUR;
/// A timer that runs every hour finds a moment at most so many seconds after it. Later than that
/// the device was off, and its coming on is no moment that was drawn.
pub(crate) const IN_TIME_SECS: u64 = HOUR + 600;
/// In the first days of an epoch wallets fetch its manifest and turn to its certificates. Who shows
/// one of the epoch before after that stands out.
const FIRST_DAYS_SECS: u64 = 2 * 24 * HOUR;

/// The moment to renew a certificate of `epoch` that is received at `now`: within the last three
/// days of its epoch, or within a day where too little is left of them.
pub(crate) fn renewal(epoch: Epoch, now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    let from = opens(epoch.next()).max(now.plus_secs(APART.0));
    let to = epoch.next().start().minus_secs(MARGIN_SECS);
    if is_wide(from, to) {
        between(from, to, rng)
    } else {
        apart(now, rng)
    }
}

/// The moment to renew after a certificate was presented at `now`: not before some hours, and
/// before the epoch ends where there is time left.
pub(crate) fn renewal_after_presentation(
    planned: UnixTime,
    now: UnixTime,
    rng: &mut impl Rng,
) -> UnixTime {
    let end = now.epoch().next().start().minus_secs(MARGIN_SECS);
    planned.max(apart_before(end, now, rng))
}

/// From when on a certificate of `epoch` is shown that was received by a renewal at `now`, while
/// an older one is accepted until `until`.
pub(crate) fn showing(
    epoch: Epoch,
    now: UnixTime,
    until: UnixTime,
    rng: &mut impl Rng,
) -> UnixTime {
    apart_before(until, now, rng).max(epoch.start())
}

/// The same where no older one is accepted.
pub(crate) fn showing_alone(now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    let (least, most) = APART_WAITING;
    between(now.plus_secs(least), now.plus_secs(most), rng)
}

/// The moment to renew after one that came to nothing: the device was off, or the operator did not
/// answer.
pub(crate) fn renewal_put_off(now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    apart(now, rng)
}

/// The moment to renew after a site has asked at `now` for a certificate that is too old.
pub(crate) fn renewal_wanted(now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    showing_alone(now, rng)
}

/// Until when no certificate is shown after a renewal at `now`.
pub(crate) fn shown_again(now: UnixTime) -> UnixTime {
    now.plus_secs(APART.0)
}

/// The moment to fetch the manifest of `epoch`, drawn at `now`: within its first two days, or
/// within a day where too little is left of them.
pub(crate) fn manifest(epoch: Epoch, now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    let from = epoch.start().max(now);
    let to = first_days_end(epoch);
    if is_wide(from, to) {
        between(from, to, rng)
    } else {
        apart(now, rng)
    }
}

/// The first second after those of the first days of `epoch`.
pub(crate) fn first_days_end(epoch: Epoch) -> UnixTime {
    epoch.start().plus_secs(FIRST_DAYS_SECS)
}

/// Whether a moment cannot have been drawn before `now`, unless by a clock that was wrong. `end`
/// is the latest that a plan can be for.
pub(crate) fn is_beyond(moment: UnixTime, end: UnixTime, now: UnixTime) -> bool {
    moment > end.max(now.plus_secs(APART.1))
}

/// Whether a moment is some hours after `now`, as after a presentation.
pub(crate) fn is_hours_after(moment: UnixTime, now: UnixTime) -> bool {
    (now.plus_secs(APART.0)..=now.plus_secs(APART.1)).contains(&moment)
}

/// A moment some hours after `now`.
fn apart(now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    between(now.plus_secs(APART.0), now.plus_secs(APART.1), rng)
}

/// A moment some hours after `now`, and before `end` where there is time left.
fn apart_before(end: UnixTime, now: UnixTime, rng: &mut impl Rng) -> UnixTime {
    let from = now.plus_secs(APART.0);
    if is_wide(from, end) {
        between(from, end.min(now.plus_secs(APART.1)), rng)
    } else {
        apart(now, rng)
    }
}

/// Whether there is time enough between two moments to draw one.
fn is_wide(from: UnixTime, to: UnixTime) -> bool {
    from.plus_secs(LEAST_WINDOW_SECS) <= to
}

/// A second from `from` to before `to`, each equally likely; `from` where there is none between.
fn between(from: UnixTime, to: UnixTime, rng: &mut impl Rng) -> UnixTime {
    let span = to.0.saturating_sub(from.0).max(1);
    // Drawing again above the last full multiple keeps the seconds equally likely.
    let limit = u64::MAX - u64::MAX % span;
    loop {
        let drawn = rng.next_u64();
        if drawn < limit {
            return from.plus_secs(drawn % span);
        }
    }
}

#[cfg(test)]
mod tests {
    use credential::renewal::EARLY_SECS;
    use credential::time::EPOCH_SECONDS;
    use rand_core::UnwrapErr;

    use super::*;

    const EPOCH: Epoch = Epoch(2976);
    const DRAWS: usize = 300;

    /// The least and the greatest of many drawn moments, in seconds after the epoch's begin.
    fn range(draw: impl Fn(&mut UnwrapErr<getrandom::SysRng>) -> UnixTime) -> (u64, u64) {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let drawn: Vec<u64> = (0..DRAWS)
            .map(|_| draw(&mut rng).0 - EPOCH.start().0)
            .collect();
        (*drawn.iter().min().unwrap(), *drawn.iter().max().unwrap())
    }

    fn within(range: (u64, u64), from: u64, to: u64) {
        assert!(from <= range.0 && range.1 <= to, "{range:?} {from} {to}");
        // Spread over all of it.
        assert!(range.1 - range.0 > (to - from) / 2, "{range:?} {from} {to}");
    }

    fn at(secs: u64) -> UnixTime {
        EPOCH.start().plus_secs(secs)
    }

    const LAST: u64 = EPOCH_SECONDS - MARGIN_SECS;

    #[test]
    fn a_renewal_is_planned_over_the_last_three_days() {
        let planned = |secs| range(|rng| renewal(EPOCH, at(secs), rng));
        within(planned(0), EPOCH_SECONDS - EARLY_SECS, LAST);
        let late = LAST - 13 * HOUR;
        within(planned(late), late + HOUR, LAST);
        // With less time left than half a day, within a day.
        for late in [LAST - 13 * HOUR + 1, LAST - 1, EPOCH_SECONDS - HOUR] {
            within(planned(late), late + HOUR, late + 24 * HOUR);
        }
        let after = EPOCH_SECONDS + 3 * 86_400;
        within(planned(after), after + HOUR, after + 24 * HOUR);
    }

    #[test]
    fn a_presentation_puts_hours_before_the_renewal() {
        let pushed =
            |secs, planned| range(|rng| renewal_after_presentation(at(planned), at(secs), rng));
        let due = EPOCH_SECONDS - 2 * 86_400;
        within(pushed(due, due), due + HOUR, due + 24 * HOUR);
        let late = LAST - 13 * HOUR;
        within(pushed(late, due), late + HOUR, LAST);
        for late in [LAST - 13 * HOUR + 1, LAST - HOUR, EPOCH_SECONDS - 1] {
            within(pushed(late, due), late + HOUR, late + 24 * HOUR);
        }
        // A moment that is far away stays, and nothing tells that there was a presentation.
        assert_eq!(pushed(0, due), (due, due));
    }

    #[test]
    fn a_new_certificate_is_shown_neither_early_nor_soon() {
        let until = EPOCH.next().next().start();
        let next = |secs| range(|rng| showing(EPOCH.next(), at(secs), until, rng));
        // Received days before its epoch, it is shown from the first second on.
        let begin = EPOCH_SECONDS;
        assert_eq!(next(begin - 2 * 86_400), (begin, begin));
        within(next(begin + 5), begin + 5 + HOUR, begin + 5 + 24 * HOUR);
        let end = 2 * EPOCH_SECONDS;
        within(next(end - 13 * HOUR), end - 12 * HOUR, end);
        // When the older one ends soon, the new one does not follow at once.
        for late in [end - 13 * HOUR + 1, end - HOUR, end - 60] {
            within(next(late), late + HOUR, late + 24 * HOUR);
        }
        within(range(|rng| showing_alone(at(0), rng)), HOUR, 12 * HOUR);
    }

    #[test]
    fn a_manifest_is_fetched_in_the_first_two_days_or_within_a_day() {
        let fetched = |secs| range(|rng| manifest(EPOCH, at(secs), rng));
        let before = range(|rng| manifest(EPOCH, EPOCH.previous().start(), rng));
        within(before, 0, FIRST_DAYS_SECS);
        within(fetched(0), 0, FIRST_DAYS_SECS);
        within(fetched(36 * HOUR), 36 * HOUR, FIRST_DAYS_SECS);
        for late in [36 * HOUR + 1, 5 * 86_400] {
            within(fetched(late), late + HOUR, late + 24 * HOUR);
        }
    }
}
