//! When the wallet fetches manifests: at moments of its own, which tell neither of a renewal nor of
//! a sign-up. Who wanted to send one person a manifest of its own would have to know who asks.
//! Source: `docs/specs/enrolment.md`, section "renewal".

use credential::time::{Epoch, UnixTime};
use rand_core::Rng;

use crate::schedule;
use crate::vault::Vault;

impl Vault {
    /// Whether the newest manifest that was accepted is that of `epoch`.
    #[must_use]
    pub fn has_manifest_of(&self, epoch: Epoch) -> bool {
        self.manifest_epoch == Some(epoch)
    }

    /// Whether the moment to fetch the manifest of this epoch has come.
    #[must_use]
    pub fn is_manifest_due(&self, now: UnixTime) -> bool {
        self.manifest_epoch < Some(now.epoch()) && self.manifest_at.is_some_and(|at| at <= now)
    }

    /// Draws the moment to fetch the next manifest where there is none that stands. Returned is
    /// whether it was drawn.
    pub fn plan_manifest(&mut self, now: UnixTime, rng: &mut impl Rng) -> bool {
        let next = self.manifest_epoch.map_or(now.epoch(), Epoch::next);
        let epoch = next.max(now.epoch());
        let end = schedule::first_days_end(epoch);
        let stands = |at: UnixTime| {
            let early = epoch == next && at < epoch.start();
            !early && !schedule::is_beyond(at, end, now)
        };
        if self.manifest_at.is_some_and(stands) {
            return false;
        }
        self.manifest_at = Some(schedule::manifest(epoch, now, rng));
        true
    }
}

#[cfg(test)]
mod tests {
    use credential::jose::SigningKey;
    use credential::origin::Origin;
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;
    use crate::vault::OperatorTrust;

    const EPOCH: Epoch = Epoch(2976);
    const DAY: u64 = 86_400;

    fn at(secs: u64) -> UnixTime {
        EPOCH.start().plus_secs(secs)
    }

    fn rng() -> impl Rng {
        UnwrapErr(SysRng)
    }

    /// A vault whose newest manifest is that of `epoch`.
    fn vault(epoch: Option<Epoch>) -> Vault {
        let mut vault = Vault::new(OperatorTrust {
            origin: Origin::parse("https://op.example").unwrap(),
            operator_key: *SigningKey::generate().public(),
        });
        vault.manifest_epoch = epoch;
        vault
    }

    #[test]
    fn the_next_manifest_is_fetched_once_in_the_first_two_days_of_its_epoch() {
        let mut vault = vault(Some(EPOCH.previous()));
        assert!(vault.plan_manifest(at(0).minus_secs(5 * DAY), &mut rng()));
        let moment = vault.manifest_at.unwrap();
        assert!(at(0) <= moment && moment < at(2 * DAY));
        for now in [at(0).minus_secs(4 * DAY), at(0), at(3 * DAY), at(30 * DAY)] {
            assert!(!vault.plan_manifest(now, &mut rng()));
        }
        assert!(!vault.is_manifest_due(moment.minus_secs(1)));
        assert!(vault.is_manifest_due(moment) && vault.is_manifest_due(at(30 * DAY)));
        // Fetched, it waits for the next epoch.
        vault.manifest_epoch = Some(EPOCH);
        assert!(!vault.is_manifest_due(moment) && vault.has_manifest_of(EPOCH));
        assert!(vault.plan_manifest(moment, &mut rng()));
        let next = vault.manifest_at.unwrap();
        assert!(at(7 * DAY) <= next && next < at(9 * DAY));
    }

    #[test]
    fn a_wallet_without_a_moment_draws_one_and_a_wrong_clock_leaves_none_for_ever() {
        for known in [None, Some(EPOCH.previous()), Some(Epoch(EPOCH.0 - 9))] {
            let mut early = vault(known);
            assert!(early.plan_manifest(at(60), &mut rng()));
            let moment = early.manifest_at.unwrap();
            assert!(at(60) <= moment && moment < at(2 * DAY));
            let mut late = vault(known);
            assert!(late.plan_manifest(at(5 * DAY), &mut rng()));
            let moment = late.manifest_at.unwrap();
            assert!(at(5 * DAY + 3600) <= moment && moment <= at(6 * DAY));
        }
        let mut wrong = vault(Some(EPOCH.previous()));
        assert!(wrong.plan_manifest(at(700 * DAY), &mut rng()));
        assert!(wrong.plan_manifest(at(DAY), &mut rng()));
        assert!(wrong.manifest_at.unwrap() < at(2 * DAY + DAY));
    }
}
