use credential::time::EPOCH_SECONDS;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::json;

use super::*;

const EPOCH: Epoch = Epoch(2976);
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// `secs` after the begin of the epoch.
fn at(secs: u64) -> UnixTime {
    EPOCH.start().plus_secs(secs)
}

fn rng() -> impl Rng {
    UnwrapErr(SysRng)
}

/// The epoch `weeks` later.
fn week(weeks: u32) -> Epoch {
    Epoch(EPOCH.0 + weeks)
}

fn stored(epoch: Epoch) -> StoredCertificate {
    let key = credential::jose::SigningKey::generate();
    let certificate = json!({
        "epoch": epoch, "issuer_key": "", "signature": "", "blind": "", "generation": "1",
        "device_key": key.public(),
        "attributes": {
            "family_name": "SPECIMEN", "given_name": "ADA", "birthdate": "1990-02-28", "sex": "F",
            "nationality": "UTO", "document_class": "P", "document_number": "X0000001",
            "assurance_level": "substantial", "guardianship": null, "place_of_birth": null,
        },
    });
    serde_json::from_value(certificate).unwrap()
}

/// Keys with a certificate of `EPOCH`, received an hour after its begin.
fn enrolled() -> DeviceKeys {
    let mut keys = DeviceKeys::default();
    keys.keep_enrolled(stored(EPOCH), at(HOUR), &mut rng());
    keys
}

fn usable(keys: &DeviceKeys, now: UnixTime) -> Option<Epoch> {
    keys.usable(now).map(StoredCertificate::epoch)
}

#[test]
fn a_renewal_is_due_once_in_the_last_three_days() {
    let keys = enrolled();
    let plan = keys.plan(at(2 * HOUR)).unwrap();
    assert_eq!((plan.epochs.old, plan.epochs.new), (EPOCH, week(1)));
    assert_eq!(plan.earliest, at(4 * DAY));
    assert!(plan.earliest <= plan.moment && plan.moment < week(1).start());
    assert!(!plan.is_due(plan.moment.minus_secs(1)) && plan.is_due(plan.moment));

    let mut keys = enrolled();
    keys.keep_renewed(stored(week(1)), FirstUse::Later, plan.moment, &mut rng());
    let next = keys.plan(plan.moment).unwrap();
    assert_eq!((next.epochs.old, next.epochs.new), (week(1), week(2)));
    assert!(next.moment >= at(11 * DAY) && !next.is_due(week(1).start()));
}

#[test]
fn the_next_certificate_is_not_shown_before_its_epoch_and_the_last_one_is_until_then() {
    for first_use in [FirstUse::Later, FirstUse::AtOnce] {
        let mut keys = enrolled();
        keys.keep_renewed(stored(week(1)), first_use, at(6 * DAY), &mut rng());
        let waiting = keys.waiting(at(6 * DAY)).unwrap().not_before();
        assert!(waiting >= week(1).start());
        assert_eq!(usable(&keys, at(6 * DAY)), Some(EPOCH));
        assert_eq!(usable(&keys, week(1).start().minus_secs(1)), Some(EPOCH));
        assert_eq!(usable(&keys, waiting), Some(week(1)));
        assert_eq!(usable(&keys, week(2).start()), Some(week(1)));
        assert_eq!(usable(&keys, week(3).start()), None);
    }
}

#[test]
fn who_missed_the_last_days_renews_for_the_present_epoch_and_shows_the_old_one_for_hours() {
    let mut keys = enrolled();
    let now = week(1).start().plus_secs(DAY);
    let plan = keys.plan(now).unwrap();
    assert_eq!((plan.epochs.old, plan.epochs.new), (EPOCH, week(1)));
    assert!(plan.is_due(now));
    keys.keep_renewed(stored(week(1)), FirstUse::AtOnce, now, &mut rng());
    let shown = keys.waiting(now).unwrap().not_before();
    assert!(now.plus_secs(HOUR) <= shown && shown <= now.plus_secs(DAY));
    assert_eq!(usable(&keys, shown.minus_secs(1)), Some(EPOCH));
    assert_eq!(usable(&keys, shown), Some(week(1)));
    // One that waits comes before the next.
    assert!(keys.plan(now).unwrap().earliest >= shown);
}

#[test]
fn after_weeks_of_absence_a_renewal_is_put_off_and_what_it_brings_waits_unless_the_person_says_so()
{
    let now = week(5).start().plus_secs(3 * HOUR);
    let mut keys = enrolled();
    assert_eq!(usable(&keys, now), None);
    let plan = keys.plan(now).unwrap();
    assert_eq!((plan.epochs.old, plan.epochs.new), (EPOCH, week(5)));
    assert!(plan.is_due(now) && !keys.is_settled(now));
    assert!(keys.plan_anew(now, &mut rng()));
    assert!(keys.is_settled(now));

    keys.keep_renewed(stored(week(5)), FirstUse::Later, now, &mut rng());
    let shown = keys.waiting(now).unwrap().not_before();
    assert!(now.plus_secs(HOUR) <= shown && shown <= now.plus_secs(DAY / 2));
    assert_eq!(usable(&keys, shown.minus_secs(1)), None);
    assert_eq!(usable(&keys, shown), Some(week(5)));

    let mut keys = enrolled();
    keys.keep_renewed(stored(week(5)), FirstUse::AtOnce, now, &mut rng());
    assert_eq!(usable(&keys, now), Some(week(5)));
}

#[test]
fn after_a_year_or_without_a_certificate_there_is_nothing_to_renew() {
    let keys = enrolled();
    assert!(keys.plan(week(CATCH_UP_EPOCHS).start()).is_ok());
    let late = keys.plan(week(CATCH_UP_EPOCHS + 1).start());
    assert_eq!(late, Err(NothingToRenew::TooOld));
    let none = DeviceKeys::default().plan(at(0));
    assert_eq!(none, Err(NothingToRenew::None));
}

#[test]
fn a_presentation_moves_a_renewal_that_was_near() {
    let mut keys = enrolled();
    let planned = keys.plan(at(0)).unwrap().moment;
    keys.presented(at(HOUR), &mut rng());
    assert_eq!(keys.plan(at(0)).unwrap().moment, planned);
    let now = EPOCH.next().start().minus_secs(2 * DAY);
    keys.presented(now, &mut rng());
    let moved = keys.plan(now).unwrap().moment;
    assert!(moved >= now.plus_secs(HOUR) && moved >= planned);
    assert!(moved < at(EPOCH_SECONDS));
}

#[test]
fn a_renewal_that_was_missed_is_put_off_once_and_one_in_time_is_not() {
    let mut keys = enrolled();
    let planned = keys.plan(at(0)).unwrap().moment;
    // An hourly timer finds it within the hour.
    for now in [planned, planned.plus_secs(HOUR)] {
        assert!(!keys.is_settled(now) && !keys.plan_anew(now, &mut rng()));
        assert!(keys.plan(now).unwrap().is_due(now));
    }
    let on = planned.plus_secs(2 * HOUR);
    assert!(keys.plan_anew(on, &mut rng()));
    let moment = keys.plan(on).unwrap().moment;
    assert!(on.plus_secs(HOUR) <= moment && moment < on.plus_secs(DAY));
    // Written down, it stands, and it is not put off again.
    let mut keys: DeviceKeys =
        serde_json::from_value(serde_json::to_value(&keys).unwrap()).unwrap();
    for now in [on, moment.minus_secs(1), moment, moment.plus_secs(3 * DAY)] {
        assert!(!keys.plan_anew(now, &mut rng()));
        assert_eq!(keys.plan(now).unwrap().moment, moment);
    }
    assert!(keys.plan(moment).unwrap().is_due(moment));
    // The next renewal begins anew.
    keys.keep_renewed(stored(week(1)), FirstUse::Later, moment, &mut rng());
    let next = keys.plan(moment).unwrap().moment;
    assert!(keys.plan_anew(next.plus_secs(DAY), &mut rng()));
}

#[test]
fn a_moment_that_a_wrong_clock_drew_is_drawn_again() {
    let mut keys = enrolled();
    let planned = keys.plan(at(0)).unwrap().moment;
    let years_ahead = at(700 * DAY);
    keys.presented(years_ahead, &mut rng());
    let now = week(3).start();
    assert!(!keys.is_settled(now));
    assert!(keys.plan_anew(now, &mut rng()));
    let moment = keys.plan(now).unwrap().moment;
    assert!(planned < moment && moment <= now.plus_secs(DAY));
    keys.asked(years_ahead, &mut rng());
    assert_eq!(keys.apart(now), None);
    assert!(keys.plan_anew(now, &mut rng()));
}

#[test]
fn no_certificate_is_shown_within_an_hour_of_a_renewal_however_it_ended() {
    let now = at(5 * DAY);
    let mut keys = enrolled();
    assert_eq!(keys.apart(now), None);
    keys.asked(now, &mut rng());
    let until = now.plus_secs(HOUR);
    assert_eq!(keys.apart(now), Some(Apart(until)));
    // No answer: it is asked again hours later, also where the device is off then.
    let moment = keys.plan(now).unwrap().moment;
    assert!(until <= moment && moment < now.plus_secs(DAY));
    assert!(!keys.plan_anew(moment.plus_secs(DAY), &mut rng()));

    let later = now.plus_secs(30);
    keys.keep_renewed(stored(week(1)), FirstUse::Later, later, &mut rng());
    assert_eq!(usable(&keys, later), Some(EPOCH));
    assert_eq!(keys.apart(later), Some(Apart(until.plus_secs(30))));
    assert!(keys.apart(until.plus_secs(29)).is_some());
    assert_eq!(keys.apart(until.plus_secs(30)), None);

    // Who has none that is accepted and says so shows it at once.
    let back = week(5).start();
    for (first_use, apart) in [(FirstUse::AtOnce, false), (FirstUse::Later, true)] {
        let mut keys = enrolled();
        keys.asked(back, &mut rng());
        keys.keep_renewed(stored(week(5)), first_use, back, &mut rng());
        assert_eq!(keys.apart(back).is_some(), apart);
    }
    keys.keep_enrolled(stored(week(1)), later, &mut rng());
    assert_eq!(keys.apart(later), None);
}

#[test]
fn a_certificate_that_is_wanted_and_too_old_is_renewed_hours_later() {
    let now = week(5).start().plus_secs(3 * HOUR);
    let mut keys = enrolled();
    let plan = keys.wanted(now, &mut rng()).unwrap();
    assert!(now.plus_secs(HOUR) <= plan.moment && plan.moment < now.plus_secs(DAY / 2));
    assert!(!plan.is_due(now) && !keys.plan_anew(now, &mut rng()));
    // Asked once more, it stays; when it is near, it does not follow within the hour.
    let moment = plan.moment;
    assert_eq!(keys.wanted(now, &mut rng()).unwrap().moment, moment);
    let near = moment.minus_secs(60);
    let moved = keys.wanted(near, &mut rng()).unwrap().moment;
    assert!(near.plus_secs(HOUR) <= moved && moved < near.plus_secs(DAY / 2));
    let never = keys.wanted(week(60).start(), &mut rng());
    assert_eq!(never, Err(NothingToRenew::TooOld));
}

#[test]
fn device_keys_of_an_earlier_version_open_and_get_their_moment() {
    let before = json!({ "holder": null, "certificate": stored(EPOCH), "sites": {} });
    let mut keys: DeviceKeys = serde_json::from_value(before).unwrap();
    assert_eq!(usable(&keys, at(0)), Some(EPOCH));
    assert!(!keys.is_settled(at(HOUR)));
    assert!(keys.plan_anew(at(HOUR), &mut rng()));
    assert!(!keys.plan_anew(at(HOUR), &mut rng()));
    let moment = keys.plan(at(HOUR)).unwrap().moment;
    assert!(at(4 * DAY) <= moment && moment < week(1).start());
    let again: DeviceKeys = serde_json::from_value(serde_json::to_value(&keys).unwrap()).unwrap();
    assert_eq!(again.plan(at(HOUR)).unwrap().moment, moment);
    assert!(!DeviceKeys::default().plan_anew(at(0), &mut rng()));
}

#[test]
fn a_certificate_of_the_last_epoch_stands_out_after_two_days_of_the_next() {
    let certificate = stored(EPOCH);
    let from = week(1).start().plus_secs(2 * DAY);
    for now in [at(0), at(6 * DAY), week(1).start(), from.minus_secs(1)] {
        assert!(!certificate.stands_out(now));
    }
    assert!(certificate.stands_out(from) && !stored(week(1)).stands_out(from));
}
