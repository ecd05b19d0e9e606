//! `bauta wallet renew`: the next certificate without a document, when its time has come.

use std::path::Path;

use clap::Args;
use credential::manifest::IssuerKey;
use credential::renewal::{RenewalRefusal, RenewedEpochs};
use credential::time::{Epoch, UnixTime};
use getrandom::SysRng;
use openid4vc::vci::NonceResponse;
use rand_core::UnwrapErr;
use serde_json::json;
use wallet::certificates::{FirstUse, NothingToRenew, Plan};
use wallet::renewal::{self, RenewError};
use wallet::vault::StoredCertificate;

use super::Output;
use super::enrol::{call, unexpected};
use super::home::Home;
use super::overview::{damaged, day, minute, not_registered};
use super::receive::fetch_manifest;
use crate::client::HttpsClient;
use crate::clock;
use crate::failure::{Failure, refused};

/// What `renew` takes.
#[derive(Debug, Args)]
pub(super) struct RenewArgs {
    /// Renew now instead of at a moment that is drawn. The operator sees when you run this: who
    /// also sees when you signed up somewhere could compare the two times. Never sooner than three
    /// days before the next week begins.
    #[arg(long)]
    now: bool,
    /// After a long absence: show the new certificate at once instead of some hours later. The
    /// operator and a site where you sign up now could compare the two times.
    #[arg(long)]
    use_at_once: bool,
}

const EARLY: &str = "Renewing now instead of at a moment that was drawn: the operator sees that somebody with your web number is \
     here now. If you sign up at a site about now, the two could compare the times.";
const AT_ONCE: &str = "The new certificate is shown at once: if you sign up at a site now, that site and the operator \
     could compare the times.";

/// Runs the command.
pub(super) async fn run(args: &RenewArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut home = Home::open(folder)?;
    let now = clock::now();
    if home.vault.person.is_none() {
        return Err(not_registered());
    }
    let plan = home.keys.plan(now).map_err(nothing_to_renew)?;
    if args.now {
        check_earliest(&plan, now)?;
        output.progress(EARLY);
    } else if !comes_now(&mut home, now).await? {
        return later(&home, now, output);
    }
    let certificate = renew(&mut home, plan.epochs).await?;
    let first_use = if args.use_at_once {
        FirstUse::AtOnce
    } else {
        FirstUse::Later
    };
    let now = clock::now();
    home.keys
        .keep_renewed(certificate, first_use, now, &mut UnwrapErr(SysRng));
    home.save_keys()?;
    // Where the program ends before this, the newer certificate says that the refusal is over.
    if home.vault.renewal_refusal.take().is_some() {
        home.save_vault()?;
    }
    report(&home, now, plan.epochs, output)
}

fn nothing_to_renew(nothing: NothingToRenew) -> Failure {
    let id = match nothing {
        NothingToRenew::None => "certificate-missing",
        NothingToRenew::TooOld => "certificate-too-old",
    };
    let next = "Run `bauta wallet enrol` with your document to receive one.";
    Failure::new(id, nothing, next)
}

fn check_earliest(plan: &Plan, now: UnixTime) -> Result<(), Failure> {
    if plan.earliest <= now {
        return Ok(());
    }
    let what = format!(
        "the next certificate can be received from {} on",
        minute(plan.earliest)
    );
    let next = "Nothing was sent. Run the same command again then.";
    Err(Failure::new("renewal-too-early", what, next))
}

/// Whether the timer renews now. It also fetches the manifest when its moment has come.
///
/// A moment is drawn in place of one that is missing or was missed only by a clock that a manifest
/// of this epoch has confirmed; and where that had to be fetched just now, the renewal does not
/// follow at once.
async fn comes_now(home: &mut Home, now: UnixTime) -> Result<bool, Failure> {
    let mut rng = UnwrapErr(SysRng);
    if home.vault.plan_manifest(now, &mut rng) {
        home.save_vault()?;
    }
    let settled = home.keys.is_settled(now);
    let known = home.vault.has_manifest_of(now.epoch());
    let fetches = home.vault.is_manifest_due(now) || !known && !settled;
    if fetches {
        let client = home.client()?;
        pin_manifest(home, &client).await?;
    }
    if settled {
        return Ok(false);
    }
    let mut anew = home.keys.plan_anew(now, &mut rng);
    if fetches && !home.keys.is_settled(now) {
        home.keys.put_off_renewal(now, &mut rng);
        anew = true;
    }
    if anew {
        home.save_keys()?;
    }
    let plan = home.keys.plan(now).map_err(nothing_to_renew)?;
    Ok(plan.is_due(now))
}

fn later(home: &Home, now: UnixTime, output: Output) -> Result<(), Failure> {
    let plan = home.keys.plan(now).map_err(nothing_to_renew)?;
    let text = format!(
        "Nothing to do yet. The next renewal is planned for {}.",
        minute(plan.moment)
    );
    let value = json!({
        "outcome": "not-due",
        "renewal_at": plan.moment,
        "manifest_epoch": home.vault.manifest_epoch,
    });
    output.result(&text, &value);
    Ok(())
}

/// Asks the operator; no certificate is replaced here.
///
/// The wallet's lock is held meanwhile, for as long as the three requests may take: a sign-up at
/// the same time is what must not happen, and either command would overwrite what the other keeps.
async fn renew(home: &mut Home, epochs: RenewedEpochs) -> Result<StoredCertificate, Failure> {
    let client = home.client()?;
    let key = issuer_key(home, &client, epochs.new).await?;
    let origin = home.vault.operator.origin.clone();
    let nonce: NonceResponse =
        call(&client, client.requests().post(format!("{origin}/nonce"))).await?;
    let device = home.keys.holder().map_err(damaged)?;
    let (Some(person), Some(old)) = (&home.vault.person, home.keys.newest()) else {
        return Err(unexpected());
    };
    let server = (&origin, nonce.c_nonce.as_str());
    let asked = renewal::ask(person, old, epochs, server, &device).map_err(damaged)?;
    // Written first: the operator may have seen it whatever becomes of the answer.
    home.keys.asked(clock::now(), &mut UnwrapErr(SysRng));
    home.save_keys()?;
    let post = client
        .requests()
        .post(format!("{origin}/registration/renewal"))
        .header("content-type", "application/jwt")
        .body(asked.request.clone());
    let answer = client.send(post).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    let answer = String::from_utf8(answer.body).map_err(|_| unexpected())?;
    match asked.receive(&answer, &home.vault.operator, person, &key) {
        Ok(certificate) => Ok(certificate),
        Err(RenewError::Refused(refusal)) => Err(keep_refusal(home, refusal, answer)?),
        Err(error @ (RenewError::Answer(_) | RenewError::Certificate)) => {
            let next = "Nothing was changed. Tell the operator.";
            Err(Failure::new("answer-invalid", error, next))
        }
        Err(RenewError::Vault(error)) => Err(damaged(error)),
    }
}

/// The issuer key of the epoch to renew to, from a manifest of this epoch. The timer has fetched
/// that days before.
async fn issuer_key(
    home: &mut Home,
    client: &HttpsClient,
    epoch: Epoch,
) -> Result<IssuerKey, Failure> {
    let known = home.vault.has_manifest_of(clock::now().epoch());
    if !known || home.vault.issuer_keys.of(epoch).is_none() {
        pin_manifest(home, client).await?;
    }
    let key = home.vault.issuer_keys.of(epoch).copied();
    key.ok_or_else(|| {
        let what = "the manifest has no key for the week to renew to";
        let next = "No certificate was asked for. Tell the operator.";
        Failure::new("manifest-invalid", what, next)
    })
}

/// Fetches the manifest, which must be of the epoch of this machine's clock.
pub(super) async fn pin_manifest(home: &mut Home, client: &HttpsClient) -> Result<(), Failure> {
    fetch_manifest(home, client).await?;
    let now = clock::now();
    match home.vault.manifest_epoch.filter(|of| *of != now.epoch()) {
        Some(theirs) => Err(clock_differs(theirs, now)),
        None => Ok(()),
    }
}

/// This machine and the operator are in different epochs.
pub(super) fn clock_differs(theirs: Epoch, now: UnixTime) -> Failure {
    let what = format!(
        "the operator is in epoch {} (from {}), this machine's clock in epoch {} (from {})",
        theirs.0,
        day(theirs.start()),
        now.epoch().0,
        day(now.epoch().start()),
    );
    let next = "Set this machine's clock, then run the same command again. If it is right, tell the operator.";
    Failure::new("clock-differs", what, next)
}

/// Keeps the signed refusal and says what it is.
fn keep_refusal(
    home: &mut Home,
    refusal: RenewalRefusal,
    statement: String,
) -> Result<Failure, Failure> {
    home.vault.renewal_refusal = Some(statement);
    home.save_vault()?;
    let newest = home.keys.newest().map(StoredCertificate::epoch);
    let signed = home.vault.refusal(newest).ok_or_else(unexpected)?;
    let now = clock::now();
    if refusal == RenewalRefusal::Epoch && signed.day.epoch() != now.epoch() {
        return Ok(clock_differs(signed.day.epoch(), now));
    }
    let what = format!(
        "the operator refused to renew the certificate and signed that (day {}, log entry {}, not in \
         a public log yet)",
        day(signed.day),
        signed.log_entry
    );
    let next = match refusal {
        RenewalRefusal::Refused => {
            "Enrol again with your document: bauta wallet enrol. Accounts at sites stay as they are."
        }
        RenewalRefusal::Epoch => "Run the same command again; if it fails again, enrol again.",
        RenewalRefusal::Ended => {
            "The registration has ended: no certificate is issued any more. Accounts stay as they are."
        }
    };
    Ok(Failure::new(refusal.as_str(), what, next))
}

fn report(
    home: &Home,
    now: UnixTime,
    epochs: RenewedEpochs,
    output: Output,
) -> Result<(), Failure> {
    let plan = home.keys.plan(now).map_err(nothing_to_renew)?;
    let waiting = home.keys.waiting(now).map(|next| next.not_before());
    let mut text = format!(
        "Renewed: the certificate of the week from {} is here.",
        day(epochs.new.start())
    );
    match waiting {
        Some(from) => text.push_str(&format!("\nIt is shown from {} on.", minute(from))),
        None => text.push_str(&format!("\n{AT_ONCE}")),
    }
    text.push_str(&format!("\nNext renewal: {}.", minute(plan.moment)));
    let value = json!({
        "outcome": "renewed",
        "epoch": epochs.new,
        "usable_from": waiting.unwrap_or(now),
        "renewal_at": plan.moment,
    });
    output.result(&text, &value);
    Ok(())
}
