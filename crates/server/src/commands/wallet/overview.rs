//! `bauta wallet show` and `sites`.

use std::path::Path;

use credential::attributes::Attributes;
use credential::time::UnixTime;
use serde_json::{Value, json};
use wallet::device::DeviceKeys;
use wallet::renewal::SignedRefusal;
use wallet::vault::{SiteState, StoredCertificate};

use super::Output;
use super::home::Home;
use crate::clock;
use crate::failure::Failure;

/// Shows the web number and the certificate.
pub(super) fn show(folder: &Path, output: Output) -> Result<(), Failure> {
    let home = Home::open(folder)?;
    let now = clock::now();
    let Some(person) = &home.vault.person else {
        return Err(not_registered());
    };
    let number = person.web_number().map_err(damaged)?;
    let mut text = format!(
        "Web number   {number}\nGeneration   {}\nOperator     {}",
        person.generation(),
        home.vault.operator.origin
    );
    let (lines, certificate) = certificate(&home.keys, now);
    text.push_str(&lines);
    let (lines, next) = renewal(&home, now);
    text.push_str(&lines);
    let mut value = json!({
        "web_number": number.to_string(),
        "generation": person.generation(),
        "operator": home.vault.operator.origin,
        "certificate": certificate,
    });
    if let (Value::Object(value), Value::Object(next)) = (&mut value, next) {
        value.extend(next);
    }
    output.result(&text, &value);
    Ok(())
}

/// The certificate that is shown at present.
fn certificate(keys: &DeviceKeys, now: UnixTime) -> (String, Value) {
    let Some(certificate) = keys.certificate(now) else {
        let none = "\nCertificate  none; run `bauta wallet enrol`";
        return (none.to_owned(), Value::Null);
    };
    let (epoch, until) = (certificate.epoch(), certificate.accepted_until());
    let state = if certificate.is_accepted(now) {
        "valid until"
    } else {
        "expired on"
    };
    let text = format!(
        "\nCertificate  of epoch {}, {state} {}\n{}",
        epoch.0,
        day(until),
        attributes_text(certificate.attributes())
    );
    let value = json!({
        "epoch": epoch,
        "accepted": certificate.is_accepted(now),
        "accepted_until": until,
        "attributes": certificate.attributes(),
    });
    (text, value)
}

/// The certificate that waits, the next renewal, and the last refusal.
fn renewal(home: &Home, now: UnixTime) -> (String, Value) {
    let mut text = String::new();
    let waiting = home.keys.waiting(now);
    if let Some(next) = waiting {
        let (epoch, from) = (next.certificate().epoch(), minute(next.not_before()));
        text.push_str(&format!(
            "\nNext one     of epoch {}, shown from {from} on",
            epoch.0
        ));
    }
    let plan = home.keys.plan(now).ok();
    if let Some(plan) = plan {
        text.push_str(&format!("\nRenewal      {}", minute(plan.moment)));
    }
    let newest = home.keys.newest().map(StoredCertificate::epoch);
    let refusal = home.vault.refusal(newest);
    if let Some(SignedRefusal {
        id,
        day: of,
        log_entry,
    }) = &refusal
    {
        text.push_str(&format!(
            "\nRefused      on {} [{id}]\n  Log entry    {log_entry} (not in a public log yet)",
            day(*of)
        ));
    }
    let value = json!({
        "next_certificate": waiting.map(|next| json!({
            "epoch": next.certificate().epoch(),
            "usable_from": next.not_before(),
        })),
        "renewal_at": plan.map(|plan| plan.moment),
        "renewal_refusal": refusal.map(|refusal| json!({
            "id": refusal.id,
            "day": refusal.day,
            "log_entry": refusal.log_entry,
        })),
    });
    (text, value)
}

/// The failure of a wallet without a registration.
pub(super) fn not_registered() -> Failure {
    let next = "Run `bauta wallet enrol` to register.";
    Failure::new(
        "not-registered",
        "this wallet holds no registration yet",
        next,
    )
}

/// What a certificate says, a line an item.
pub(super) fn attributes_text(attributes: &Attributes) -> String {
    let Attributes {
        family_name,
        given_name,
        sex,
        nationality,
        document_class,
        ..
    } = attributes;
    format!(
        "  Name         {given_name} {family_name}\n  Born         {}\n  Sex          {sex}\n  \
         Nationality  {nationality}\n  Document     {document_class} {}\n  Assurance    {}",
        attributes.birthdate.to_iso().as_str(),
        attributes.document_number,
        attributes.assurance_level,
    )
}

/// The day of a time, `YYYY-MM-DD`.
pub(super) fn day(time: UnixTime) -> String {
    calendar(time).map_or_else(|| time.0.to_string(), |time| time.date().to_string())
}

/// The minute of a time, `YYYY-MM-DD HH:MM UTC`.
pub(super) fn minute(time: UnixTime) -> String {
    calendar(time).map_or_else(
        || time.0.to_string(),
        |time| {
            let (hour, minute) = (time.hour(), time.minute());
            format!("{} {hour:02}:{minute:02} UTC", time.date())
        },
    )
}

fn calendar(time: UnixTime) -> Option<time::OffsetDateTime> {
    let secs = i64::try_from(time.0).ok()?;
    time::OffsetDateTime::from_unix_timestamp(secs).ok()
}

/// Lists the sites with an account.
pub(super) fn sites(folder: &Path, output: Output) -> Result<(), Failure> {
    let home = Home::open(folder)?;
    let sites = &home.vault.sites;
    let mut lines: Vec<String> = sites
        .iter()
        .map(|site| {
            let since = day(UnixTime(u64::from(site.since.0) * 86_400));
            let state = match site.state {
                SiteState::Joined => "",
                SiteState::Pending => "  (not confirmed yet: sign in again)",
                SiteState::NewDevice => "  (this device is new there: sign in to bring it)",
            };
            format!("{since}  {}  {}{state}", site.origin, site.name)
        })
        .collect();
    if lines.is_empty() {
        lines.push("No account at any site yet.".to_owned());
    }
    output.result(&lines.join("\n"), &json!({ "sites": sites }));
    Ok(())
}

/// The failure of a damaged vault.
pub(super) fn damaged(error: wallet::vault::DamagedVault) -> Failure {
    Failure::new(
        "vault-damaged",
        error,
        "Bring back your backup: bauta wallet restore FILE",
    )
}
