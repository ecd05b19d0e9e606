//! The checks in their order, each with the section of the standard that asks for it.

use std::fmt::Display;

use mrtd::{
    ActiveKey, CardAccess, ChipAuthentication, ChipReader, Format, ImageFormat, Mrz,
    PassiveAuthError, Portrait, SecurityInfos, SecurityObject, TrustStore, UnixTime,
    VerifiedSecurityObject,
};
use rand_core::{Rng, UnwrapErr};

use super::{Check, Outcome};
use crate::commands::document::{revocation, time};
use crate::document::{DocumentFiles, NOT_THE_SIGNED_ONE, group_name};

/// All checks, and the zone where it can be read.
pub(super) fn all(
    files: &DocumentFiles,
    chip: Option<ChipReader<'_>>,
    trust: Option<&TrustStore>,
    now: UnixTime,
) -> (Option<Mrz>, Vec<Check>) {
    let mut list = List(Vec::new());
    if let Some(chip) = &chip {
        list.passed("access to the chip", "9303-11 §4.2", chip.access());
    }
    let zone = list.zone(files, now);
    let verified = list.security_object(files, trust, now);
    list.groups(files, verified.as_ref());
    if let Some(chip) = &chip {
        list.card_access(files, chip, verified.as_ref());
    }
    if let Some(zone) = &zone {
        list.state_and_expiry(zone, verified.as_ref(), now);
    }
    list.contents(files);
    list.chip(files, chip);
    (zone, list.0)
}

struct List(Vec<Check>);

impl List {
    fn add(&mut self, check: &str, section: &'static str, outcome: Outcome, what: impl Display) {
        self.0.push(Check {
            check: check.to_owned(),
            section,
            outcome,
            what: what.to_string(),
        });
    }

    fn passed(&mut self, check: &str, section: &'static str, what: impl Display) {
        self.add(check, section, Outcome::Passed, what);
    }

    fn not_checked(&mut self, check: &str, section: &'static str, why: impl Display) {
        self.add(check, section, Outcome::NotChecked, why);
    }

    /// Failed, with the error and what caused it.
    fn failed<E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        check: &str,
        section: &'static str,
        why: E,
    ) {
        let why = format!("{:#}", anyhow::Error::new(why));
        self.add(check, section, Outcome::Failed, why);
    }

    /// A part that is read, and what it is then.
    fn read<T, E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        check: &str,
        section: &'static str,
        read: Result<T, E>,
        what: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match read {
            Ok(value) => {
                self.passed(check, section, what(&value));
                Some(value)
            }
            Err(error) => {
                self.failed(check, section, error);
                None
            }
        }
    }

    fn zone(&mut self, files: &DocumentFiles, now: UnixTime) -> Option<Mrz> {
        let (name, section) = ("machine-readable zone", "9303-3 §4.9; 9303-10 §4.7.1");
        let (Ok(today), Some(file)) = (mrtd::CalendarDate::from_unix(now), files.groups.get(&1))
        else {
            self.not_checked(name, section, "data group 1 was not read");
            return None;
        };
        let details = files
            .groups
            .get(&11)
            .and_then(|file| mrtd::parse_dg11(file).ok());
        let born = details.and_then(|details| details.birth_date);
        let zone = mrtd::parse_dg1_of(file, today, born);
        self.read(name, section, zone, |zone| {
            format!("{}: its check digits are right", format_name(zone.format()))
        })
    }

    fn security_object(
        &mut self,
        files: &DocumentFiles,
        trust: Option<&TrustStore>,
        now: UnixTime,
    ) -> Option<VerifiedSecurityObject> {
        let object = SecurityObject::parse(&files.sod);
        let object = self.read("security object", "9303-10 §4.6.2", object, |object| {
            let groups: Vec<_> = object
                .data_groups()
                .map(|group| group.to_string())
                .collect();
            format!("lists the data groups {}", groups.join(", "))
        })?;
        let (name, section) = (SIGNATURE, "9303-11 §5.1.1 step 3");
        let Some(trust) = trust else {
            self.not_checked(name, section, "no trusted authorities were given: --trust");
            return None;
        };
        match object.verify(trust, now) {
            Ok(verified) => {
                self.trust_chain(&verified);
                Some(verified)
            }
            Err(error) => {
                let (name, section) = step_of(&error);
                self.failed(name, section, error);
                None
            }
        }
    }

    fn trust_chain(&mut self, verified: &VerifiedSecurityObject) {
        let algorithms = verified.algorithms();
        self.passed(SIGNATURE, "9303-11 §5.1.1 step 3", &algorithms.object);
        let country = verified.signer_country();
        let what = format!("up to an authority of {country}, {}", algorithms.signer);
        self.passed("chain of certificates", "9303-11 §5.1.1 step 2", what);
        let (day, basis) = time(verified.signing_time());
        let what = format!("{} ({basis})", day.unwrap_or_else(|| "today".to_owned()));
        self.passed("valid when signed", "9303-12 §7.1", what);
        let found = revocation(verified.revocation(), country);
        let outcome = match verified.revocation() {
            mrtd::Revocation::NoList => Outcome::NotChecked,
            mrtd::Revocation::NotListed { .. } => Outcome::Passed,
        };
        self.add("revocation", "9303-12 §7.1.4", outcome, found);
        for weakness in verified.weaknesses() {
            self.add("hash function", "9303-12 §4.1.6.4", Outcome::Weak, weakness);
        }
    }

    fn groups(&mut self, files: &DocumentFiles, verified: Option<&VerifiedSecurityObject>) {
        let section = "9303-11 §5.1.1 step 5";
        for (number, file) in &files.groups {
            let name = format!("data group {number}");
            let Some(verified) = verified else {
                self.not_checked(&name, section, "its hash is not known to be signed");
                continue;
            };
            let unchanged = verified.check_group(*number, file);
            self.read(&name, section, unchanged, |()| {
                format!("{}: unchanged since it was signed", group_name(*number))
            });
        }
        let listed = verified
            .into_iter()
            .flat_map(VerifiedSecurityObject::data_groups);
        for number in listed.filter(|number| !files.groups.contains_key(number)) {
            self.not_checked(&format!("data group {number}"), section, "was not read");
        }
    }

    /// Whether what the chip offered before there was a channel is signed. The standard demands that
    /// it is verified; what follows where it is not, it leaves open. Such a document fails here: who
    /// has changed the list could have the reader take a channel that others can listen to.
    fn card_access(
        &mut self,
        files: &DocumentFiles,
        chip: &ChipReader<'_>,
        verified: Option<&VerifiedSecurityObject>,
    ) {
        let (name, section) = ("EF.CardAccess", "9303-11 §4.2 step 3");
        let Some(group) = files.groups.get(&14) else {
            let why = "there is no data group 14 to compare it with";
            return self.not_checked(name, section, why);
        };
        if verified.is_none_or(|object| object.check_group(14, group).is_err()) {
            let why = "data group 14 is not known to be signed";
            return self.not_checked(name, section, why);
        }
        match CardAccess::compare(chip.card_access(), group) {
            Ok(CardAccess::Signed) => {
                self.passed(name, section, "the chip offered what the state signed");
            }
            Ok(CardAccess::NothingSigned) => {
                let why = "data group 14 has no protocol of access to compare it with";
                self.not_checked(name, section, why);
            }
            Err(error) => {
                let what = format!("{error}: {NOT_THE_SIGNED_ONE}");
                self.add(name, section, Outcome::Failed, what);
            }
        }
    }

    fn state_and_expiry(
        &mut self,
        zone: &Mrz,
        verified: Option<&VerifiedSecurityObject>,
        now: UnixTime,
    ) {
        if let Some(verified) = verified {
            let (name, section) = ("state", "9303-11 §5.1.1, best practice 2");
            let country = verified.signer_country();
            if zone.issuing_state().country() == Some(country) {
                self.passed(name, section, format!("{country} signed, as the zone says"));
            } else {
                self.failed(name, section, PassiveAuthError::OtherState);
            }
        }
        let expired = mrtd::CalendarDate::from_unix(now).is_ok_and(|today| zone.expiry() < today);
        let outcome = if expired {
            Outcome::Failed
        } else {
            Outcome::Passed
        };
        let what = if expired {
            "the document has expired"
        } else {
            "the document is valid"
        };
        // The parts on the formats have the field, §4.8 how a date is written; no section was found that
        // asks for the comparison.
        let section = "9303-4 to 9303-6; 9303-3 §4.8";
        self.add("expiry", section, outcome, what);
    }

    fn contents(&mut self, files: &DocumentFiles) {
        if let Some(file) = files.groups.get(&2) {
            let portrait = Portrait::parse_dg2(file);
            let portrait = self.read("portrait", "9303-10 §4.7.2", portrait, |portrait| {
                format!(
                    "{}, {} octets",
                    image_name(portrait.format()),
                    portrait.image().len()
                )
            });
            if let Some(portrait) = portrait {
                self.read("picture", "9303-10 §4.7.2", portrait.decode(), |pixels| {
                    format!("{} by {} pixels", pixels.width(), pixels.height())
                });
            }
        }
        if let Some(file) = files.groups.get(&7) {
            self.read(
                "signature of the holder",
                "9303-10 §4.7.7",
                mrtd::parse_dg7(file),
                |found| format!("{} pictures", found.len()),
            );
        }
        if let Some(file) = files.groups.get(&11) {
            let details = mrtd::parse_dg11(file);
            self.read("personal details", "9303-10 §4.7.11", details, |_| {
                "can be read".to_owned()
            });
        }
        if let Some(file) = files.groups.get(&12) {
            let details = mrtd::parse_dg12(file);
            self.read("document details", "9303-10 §4.7.12", details, |_| {
                "can be read".to_owned()
            });
        }
    }

    /// Whether the chip is the original one.
    fn chip(&mut self, files: &DocumentFiles, chip: Option<ChipReader<'_>>) {
        let protocols = match files.groups.get(&14) {
            Some(file) => {
                let protocols = SecurityInfos::parse_dg14(file);
                self.read("protocols", "9303-11 §9.2", protocols, |protocols| {
                    let offered = protocols.chip_authentication_name();
                    offered.unwrap_or_else(|| "no chip authentication known here".to_owned())
                })
            }
            None => None,
        };
        let protocols = protocols.unwrap_or_default();
        let key = files
            .groups
            .get(&15)
            .map(|file| ActiveKey::parse(file, &protocols));
        let (active, agreement) = ("active authentication", "chip authentication");
        let (active_section, agreement_section) = ("9303-11 §6.1", "9303-11 §6.2");
        let Some(mut chip) = chip else {
            let why = "files can be copied: only the chip itself can show that it is the original";
            self.not_checked(active, active_section, why);
            self.not_checked(agreement, agreement_section, why);
            return;
        };
        match key {
            None => self.not_checked(active, active_section, "the document has no key for it"),
            Some(Err(error)) => self.failed(active, active_section, error),
            Some(Ok(key)) => self.active(&mut chip, &key),
        }
        if protocols.offers_chip_authentication() {
            self.agreement(chip, &protocols);
        } else {
            let why = "the document has no key for it";
            self.not_checked(agreement, agreement_section, why);
        }
    }

    fn active(&mut self, chip: &mut ChipReader<'_>, key: &ActiveKey) {
        let (name, section) = ("active authentication", "9303-11 §6.1");
        let mut challenge = mrtd::Challenge::default();
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut challenge);
        match chip.sign(&challenge, key.signature_len()) {
            Ok(signature) => {
                let signed = key.verify(&challenge, &signature);
                self.read(name, section, signed, |()| {
                    format!("the chip has the document's key, {}", key.name())
                });
            }
            Err(error) => self.failed(name, section, error),
        }
    }

    fn agreement(&mut self, chip: ChipReader<'_>, protocols: &SecurityInfos) {
        let (name, section) = ("chip authentication", "9303-11 §6.2");
        let begun = ChipAuthentication::begin(protocols, &mut UnwrapErr(getrandom::SysRng));
        let (asker, question) = match begun {
            Ok(begun) => begun,
            Err(error) => return self.failed(name, section, error),
        };
        match chip.ask(&question, protocols) {
            Ok(answer) => {
                self.read(name, section, asker.verify(&answer), |()| {
                    "the chip has the document's key".to_owned()
                });
            }
            Err(error) => self.failed(name, section, error),
        }
    }
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Td1 => "card (TD1)",
        Format::Td2 => "larger card (TD2)",
        Format::Td3 => "passport (TD3)",
        Format::ExitEntryPermit => "China's exit-entry permit of 2014",
        Format::MainlandTravelPermit => "China's mainland travel permit",
        Format::HomeReturnPermit => "China's home-return permit of 1999",
    }
}

fn image_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Jpeg2000 => "JPEG 2000",
    }
}

/// The check without which nothing else counts.
pub(super) const SIGNATURE: &str = "signature";

/// The check that an error belongs to.
fn step_of(error: &PassiveAuthError) -> (&'static str, &'static str) {
    use PassiveAuthError as E;
    match error {
        E::UnknownAuthority | E::SignerSignature(_) | E::SignerUsage | E::SignerCountry => {
            ("chain of certificates", "9303-11 §5.1.1 step 2")
        }
        E::Revoked => ("revocation", "9303-12 §7.1.4"),
        E::SignedInFuture | E::SignerNotValid | E::AuthorityNotValid | E::Clock => {
            ("valid when signed", "9303-12 §7.1")
        }
        E::Object(_)
        | E::SignerMissing
        | E::ContentType
        | E::MessageDigest
        | E::ObjectSignature(_)
        | E::GroupNotSigned(_)
        | E::GroupChanged(_)
        | E::GroupGivenTwice(_)
        | E::GroupTooLarge(_)
        | E::GroupNotRead(_)
        | E::Dg1(_)
        | E::Dg2(_)
        | E::Dg7(_)
        | E::Dg11(_)
        | E::Dg12(_)
        | E::OtherState => (SIGNATURE, "9303-11 §5.1.1 step 3"),
    }
}
