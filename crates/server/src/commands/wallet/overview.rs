//! `bauta wallet show` and `sites`.

use std::path::Path;

use credential::attributes::Attributes;
use credential::time::UnixTime;
use serde_json::{Value, json};
use wallet::vault::SiteState;

use super::Output;
use super::home::Home;
use crate::clock;
use crate::failure::Failure;

/// Shows the web number and the certificate.
pub(super) fn show(folder: &Path, output: Output) -> Result<(), Failure> {
    let home = Home::open(folder)?;
    let now = clock::now();
    let Some(person) = &home.vault.person else {
        let next = "Run `bauta wallet enrol` to register.";
        return Err(Failure::new(
            "not-registered",
            "this wallet holds no registration yet",
            next,
        ));
    };
    let number = person.web_number().map_err(damaged)?;
    let mut text = format!(
        "Web number   {number}\nGeneration   {}\nOperator     {}",
        person.generation(),
        home.vault.operator.origin
    );
    let mut shown = Value::Null;
    match &home.keys.certificate {
        None => text.push_str("\nCertificate  none; run `bauta wallet enrol`"),
        Some(certificate) => {
            let until = certificate.epoch().next().next().start();
            let state = if certificate.is_accepted(now) {
                "valid until"
            } else {
                "expired on"
            };
            text.push_str(&format!("\nCertificate  {state} {}\n", day(until)));
            text.push_str(&attributes_text(certificate.attributes()));
            shown = json!({
                "accepted": certificate.is_accepted(now),
                "accepted_until": until,
                "attributes": certificate.attributes(),
            });
        }
    }
    let value = json!({
        "web_number": number.to_string(),
        "generation": person.generation(),
        "operator": home.vault.operator.origin,
        "certificate": shown,
    });
    output.result(&text, &value);
    Ok(())
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
    i64::try_from(time.0)
        .ok()
        .and_then(|secs| time::OffsetDateTime::from_unix_timestamp(secs).ok())
        .map_or_else(|| time.0.to_string(), |time| time.date().to_string())
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
