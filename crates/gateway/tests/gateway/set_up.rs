//! What a gateway refuses to start with, and which manifests it takes.

use crate::person::Operator;
use crate::site::{ISSUER, NOW, Setting, fixture, fixture_with, signer};
use credential::attributes::Item;
use credential::jose::SigningKey;
use credential::manifest::{Manifest, ManifestError};
use credential::origin::Origin;
use credential::site_entry::SiteEntryError;
use credential::time::EPOCH_SECONDS;
use gateway::manifest::ManifestRefused;
use gateway::site::{self, Site, SiteError, x509_hash};

/// Tries an entry that names `gateway` and `hash` (the right one if none is given).
fn site(gateway: &str, hash: Option<&str>, items: &[Item], stranger: bool) -> Option<SiteError> {
    let operator = Operator::new("https://op.example");
    let signer = signer("login.forum.example", NOW);
    let right = x509_hash(&signer);
    let entry = operator.entry(
        "https://forum.example",
        (gateway, hash.unwrap_or(&right)),
        NOW,
    );
    let entry = entry.sign(&operator.key).unwrap();
    let key = if stranger {
        *SigningKey::generate().public()
    } else {
        *operator.key.public()
    };
    let trusted = site::Operator {
        origin: operator.origin,
        key,
    };
    let issuer = Origin::parse(ISSUER).unwrap();
    Site::new(&entry, &trusted, &issuer, signer, items, NOW).err()
}

#[test]
fn a_site_entry_must_name_this_gateway_its_certificate_and_the_items_asked_for() {
    assert_eq!(site(ISSUER, None, &[Item::Birthdate], false), None);
    assert_eq!(
        site("https://other.example", None, &[], false),
        Some(SiteError::OtherGateway)
    );
    assert_eq!(
        site(ISSUER, Some("abc"), &[], false),
        Some(SiteError::OtherCertificate)
    );
    assert_eq!(
        site(ISSUER, None, &[Item::Sex], false),
        Some(SiteError::Item(Item::Sex))
    );
    let unsigned = SiteError::Entry(SiteEntryError::Signature);
    assert_eq!(site(ISSUER, None, &[], true), Some(unsigned));
}

#[tokio::test]
async fn a_manifest_is_needed_until_it_covers_this_and_the_next_epoch() {
    let at = fixture_with(Setting {
        manifest: false,
        ..Setting::default()
    })
    .await;
    assert!(at.gateway.needs_manifest(NOW));
    at.gateway
        .take_manifest(&at.operator.manifest(NOW), NOW)
        .await
        .unwrap();
    assert!(!at.gateway.needs_manifest(NOW));
    assert!(at.gateway.needs_manifest(NOW.plus_secs(EPOCH_SECONDS)));
}

#[tokio::test]
async fn a_stored_manifest_is_used_after_a_restart() {
    let at = fixture().await;
    let at = at
        .restarted(Setting {
            manifest: false,
            ..Setting::default()
        })
        .await;
    assert!(!at.gateway.needs_manifest(NOW));
}

#[tokio::test]
async fn manifests_of_others_and_older_ones_are_refused() {
    let at = fixture().await;
    let next = NOW.plus_secs(EPOCH_SECONDS);
    at.gateway
        .take_manifest(&at.operator.manifest(next), next)
        .await
        .unwrap();
    let older = at
        .gateway
        .take_manifest(&at.operator.manifest(NOW), next)
        .await;
    assert!(matches!(older, Err(ManifestRefused::Older)));
    let stranger = Operator::new("https://op.example");
    let strange = at
        .gateway
        .take_manifest(&stranger.manifest(next), next)
        .await;
    assert!(matches!(
        strange,
        Err(ManifestRefused::Manifest(ManifestError::Signature))
    ));
    // A gateway that took a second key for an epoch would accept certificates made for one person.
    let keys = [next.epoch()].map(|epoch| stranger.issuer_key(epoch));
    let second = Manifest::sign(&at.operator.origin, &keys, next, &at.operator.key);
    let second = at.gateway.take_manifest(&second, next).await;
    assert!(matches!(second, Err(ManifestRefused::KeysChanged(_))));
    assert!(!at.gateway.needs_manifest(next));
}
