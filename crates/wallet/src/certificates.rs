//! The certificates of this device: the one that is shown, and the next one until its time.

use credential::renewal::{CATCH_UP_EPOCHS, RenewedEpochs, opens};
use credential::time::{Epoch, UnixTime};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::device::DeviceKeys;
use crate::schedule;
use crate::vault::StoredCertificate;

/// A certificate that was received by a renewal and is not shown yet.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextCertificate {
    pub(crate) certificate: StoredCertificate,
    pub(crate) not_before: UnixTime,
}

impl NextCertificate {
    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &StoredCertificate {
        &self.certificate
    }

    /// The first second at which it is shown.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }
}

/// The renewal that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From which epoch to which.
    pub epochs: RenewedEpochs,
    /// When it is due.
    pub moment: UnixTime,
    /// Before this it is not possible, whatever the person wants.
    pub earliest: UnixTime,
}

/// A certificate is shown again from this second on: the operator has just seen a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart(pub UnixTime);

/// Why nothing can be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NothingToRenew {
    /// There is no certificate.
    #[error("this wallet has no certificate")]
    None,
    /// It is too old; only an enrolment helps.
    #[error("the certificate is more than a year old and cannot be renewed any more")]
    TooOld,
}

/// When a certificate that has no accepted one before it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstUse {
    /// Some hours after it was received.
    Later,
    /// At once, because the person says so.
    AtOnce,
}

impl DeviceKeys {
    /// The certificate that is shown at `now`, or was shown last.
    #[must_use]
    pub fn certificate(&self, now: UnixTime) -> Option<&StoredCertificate> {
        match &self.next {
            Some(next) if next.not_before <= now => Some(&next.certificate),
            Some(_) | None => self.certificate.as_ref(),
        }
    }

    /// The certificate that sites accept at `now` and that may be shown.
    #[must_use]
    pub fn usable(&self, now: UnixTime) -> Option<&StoredCertificate> {
        self.certificate(now)
            .filter(|certificate| certificate.is_accepted(now))
    }

    /// The certificate that is here and not shown yet at `now`.
    #[must_use]
    pub fn waiting(&self, now: UnixTime) -> Option<&NextCertificate> {
        self.next.as_ref().filter(|next| now < next.not_before)
    }

    /// The certificate of the latest epoch, which is the one that is renewed.
    #[must_use]
    pub fn newest(&self) -> Option<&StoredCertificate> {
        let next = self.next.as_ref().map(|next| &next.certificate);
        next.or(self.certificate.as_ref())
    }

    /// Keeps the certificate of an enrolment in place of all others.
    pub fn keep_enrolled(
        &mut self,
        certificate: StoredCertificate,
        now: UnixTime,
        rng: &mut impl Rng,
    ) {
        self.plan_renewal(certificate.epoch(), now, rng);
        self.certificate = Some(certificate);
        self.next = None;
        self.apart_until = None;
    }

    fn plan_renewal(&mut self, epoch: Epoch, now: UnixTime, rng: &mut impl Rng) {
        self.renewal_at = Some(schedule::renewal(epoch, now, rng));
        self.put_off = false;
    }

    /// Keeps the certificate of a renewal beside the one that is shown until then.
    pub fn keep_renewed(
        &mut self,
        certificate: StoredCertificate,
        first_use: FirstUse,
        now: UnixTime,
        rng: &mut impl Rng,
    ) {
        let epoch = certificate.epoch();
        let shown = self.usable(now).map(StoredCertificate::accepted_until);
        self.apart_until = Some(schedule::shown_again(now));
        let not_before = match (shown, first_use) {
            (Some(until), _) => schedule::showing(epoch, now, until, rng),
            (None, FirstUse::Later) => schedule::showing_alone(now, rng),
            (None, FirstUse::AtOnce) => {
                self.apart_until = None;
                now
            }
        };
        self.turn(now);
        self.next = Some(NextCertificate {
            certificate,
            not_before,
        });
        self.turn(now);
        self.plan_renewal(epoch, now, rng);
    }

    /// Puts the next certificate in the place of the one before when its time has come.
    fn turn(&mut self, now: UnixTime) {
        if self.waiting(now).is_none()
            && let Some(next) = self.next.take()
        {
            self.certificate = Some(next.certificate);
        }
    }

    /// The renewal that comes next.
    ///
    /// # Errors
    ///
    /// [`NothingToRenew`].
    pub fn plan(&self, now: UnixTime) -> Result<Plan, NothingToRenew> {
        let old = self.newest().ok_or(NothingToRenew::None)?.epoch();
        let epoch = now.epoch();
        if old.0.saturating_add(CATCH_UP_EPOCHS) < epoch.0 {
            return Err(NothingToRenew::TooOld);
        }
        // Where this epoch has none yet, it comes before the next.
        let new = if old < epoch { epoch } else { old.next() };
        let earliest = self.earliest(new);
        let planned = self.renewal_at.unwrap_or(earliest);
        Ok(Plan {
            epochs: RenewedEpochs { old, new },
            moment: planned.max(earliest),
            earliest,
        })
    }

    /// When the certificate of `new` can be asked for: one that waits comes first.
    fn earliest(&self, new: Epoch) -> UnixTime {
        let waiting = self.next.as_ref().map(|next| next.not_before);
        opens(new).max(waiting.unwrap_or(UnixTime(0)))
    }

    /// Draws the moment of the next renewal where it has none that stands: wallets of earlier
    /// versions have none, one that a wrong clock drew can be years away, and one at which the
    /// device was off is over. That last is done once, so that who is seldom there is renewed too.
    /// Returned is whether it was drawn.
    ///
    /// `now` must be a clock that a manifest has confirmed.
    pub fn plan_anew(&mut self, now: UnixTime, rng: &mut impl Rng) -> bool {
        let Some(epoch) = self.newest().map(StoredCertificate::epoch) else {
            return false;
        };
        if self
            .renewal_at
            .is_none_or(|moment| is_beyond(epoch, moment, now))
        {
            self.plan_renewal(epoch, now, rng);
            return true;
        }
        let missed = self.plan(now).is_ok_and(|plan| plan.was_missed(now));
        let anew = missed && !self.put_off;
        if anew {
            self.put_off_renewal(now, rng);
        }
        anew
    }

    /// Whether the next renewal has a moment that stands and is still to come.
    #[must_use]
    pub fn is_settled(&self, now: UnixTime) -> bool {
        let (Some(newest), Some(moment)) = (self.newest(), self.renewal_at) else {
            return false;
        };
        let due = self.plan(now).is_ok_and(|plan| plan.is_due(now));
        !due && !is_beyond(newest.epoch(), moment, now)
    }

    /// Puts the renewal hours after `now`: something else was just asked of the operator.
    pub fn put_off_renewal(&mut self, now: UnixTime, rng: &mut impl Rng) {
        self.renewal_at = Some(schedule::renewal_put_off(now, rng));
        self.put_off = true;
    }

    /// Notes that the operator is asked for a renewal at `now`. Whatever becomes of it, it has seen
    /// the web number: no certificate is shown soon after, and it is asked again hours later.
    pub fn asked(&mut self, now: UnixTime, rng: &mut impl Rng) {
        self.put_off_renewal(now, rng);
        self.apart_until = Some(schedule::shown_again(now));
    }

    /// Why no certificate should be shown at `now`, if a renewal is too near.
    #[must_use]
    pub fn apart(&self, now: UnixTime) -> Option<Apart> {
        let until = self.apart_until.filter(|until| now < *until)?;
        // Further away than a renewal puts it, it is of a clock that was wrong.
        (until <= schedule::shown_again(now)).then_some(Apart(until))
    }

    /// Plans a renewal hours after `now` because a site has asked for a certificate and the one
    /// that is here is too old. One that is planned for some hours later already stays.
    ///
    /// # Errors
    ///
    /// [`NothingToRenew`].
    pub fn wanted(&mut self, now: UnixTime, rng: &mut impl Rng) -> Result<Plan, NothingToRenew> {
        let plan = self.plan(now)?;
        if self.renewal_at.is_none() || !schedule::is_hours_after(plan.moment, now) {
            self.renewal_at = Some(schedule::renewal_wanted(now, rng));
            self.put_off = false;
        }
        self.plan(now)
    }

    /// Puts hours between the presentation of a certificate at `now` and the next renewal.
    pub fn presented(&mut self, now: UnixTime, rng: &mut impl Rng) {
        let planned = self.renewal_at;
        self.renewal_at =
            planned.map(|moment| schedule::renewal_after_presentation(moment, now, rng));
    }
}

impl StoredCertificate {
    /// Whether most people show a certificate of this epoch at `now`, and this is one of the last:
    /// renewed ones are shown in the first days of an epoch.
    #[must_use]
    pub fn stands_out(&self, now: UnixTime) -> bool {
        self.epoch() < now.epoch() && schedule::first_days_end(now.epoch()) <= now
    }
}

impl Plan {
    /// Whether its time has come.
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        self.moment <= now
    }

    /// Whether its time has come and the timer did not run then.
    fn was_missed(&self, now: UnixTime) -> bool {
        self.moment.plus_secs(schedule::IN_TIME_SECS) < now
    }
}

/// Whether no clock but a wrong one can have drawn this moment to renew a certificate of `epoch`.
fn is_beyond(epoch: Epoch, moment: UnixTime, now: UnixTime) -> bool {
    schedule::is_beyond(moment, epoch.next().start(), now)
}

#[cfg(test)]
mod tests;
