use bbs::certificate::NymCommitment;
use rand_core::UnwrapErr;

use super::*;
use crate::age::Years;
use crate::attributes::{Attributes, BirthDate};
use crate::issuance::{
    self, Binding, Purpose, SignerEntropy, prove_nym_commitment, verify_nym_commitment,
};
use crate::manifest::{IssuerKey, Manifest};
use crate::origin::Origin;
use crate::time::{Day, UnixTime};
use crate::web_number::WebNumber;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// A person with a certificate, and the operator's published keys.
struct World {
    certificate: Certificate,
    slots: IssuedSlots,
    secrets: NymSecrets,
    keys: IssuerKeys,
    device: SigningKey,
}

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

fn attributes() -> Attributes {
    Attributes {
        family_name: "SPECIMEN".into(),
        given_name: "ADA".into(),
        birthdate: BirthDate::new(1990, 2, 28).unwrap(),
        sex: "F".into(),
        nationality: "UTO".into(),
        document_class: "P".into(),
        document_number: "X0000001".into(),
        assurance_level: "substantial".into(),
        guardianship: None,
        place_of_birth: None,
    }
}

/// Registers a person and issues a certificate of the epoch of `NOW`, both sides in one process.
fn world() -> World {
    let mut rng = rng();
    let issuer = bbs::SecretKey::generate(&mut rng);
    let wallet_key = SigningKey::generate();
    let device_key = wallet_key.public();

    let origin = Origin::parse("https://op.example").unwrap();
    let drawn = NymSecrets::draw(&mut rng);
    let (c, c_blind) = NymCommitment::commit(&drawn, &mut rng);
    let binding = Binding {
        issuer: &origin,
        nonce: b"n1",
        purpose: Purpose::Register,
        device_key,
    };
    let proof = prove_nym_commitment(&c, (&drawn, &c_blind), &binding, &mut rng);
    let c = verify_nym_commitment(&c.to_bytes(), &proof, &binding).unwrap();
    let other = Binding {
        purpose: Purpose::Restore,
        ..binding
    };
    assert!(verify_nym_commitment(&c.to_bytes(), &proof, &other).is_err());
    let entropy = SignerEntropy::draw(&mut rng);
    let (secrets, final_c) = (drawn.add_entropy(&entropy), c.add_entropy(&entropy));

    let slots = IssuedSlots {
        attributes: attributes(),
        web_number: WebNumber::of(&final_c),
        generation: Generation::First,
        device_key: *device_key,
    };
    let request = issuance::request(
        &slots,
        &final_c,
        (&secrets, &c_blind),
        (&origin, b"n2"),
        &mut rng,
    );
    let epoch = NOW.epoch();
    let sent = (request.commitment.as_slice(), request.proof.as_slice());
    let mut lie = slots.clone();
    lie.attributes.family_name = "OTHER".into();
    assert!(issuance::issue(&issuer, epoch, &lie, &final_c, sent, (&origin, b"n2")).is_err());
    assert!(issuance::issue(&issuer, epoch, &slots, &final_c, sent, (&origin, b"n3")).is_err());
    let issued = issuance::issue(&issuer, epoch, &slots, &final_c, sent, (&origin, b"n2")).unwrap();
    let form = issuance::to_issued_form(epoch, &issued.signature);
    let signature = issuance::parse_issued_form(&form, epoch).unwrap();

    let issuer_key = IssuerKey {
        epoch,
        key: issuer.public(),
    };
    let certificate =
        issuance::receive(&signature, &issuer_key, &slots, (&secrets, &request.blind)).unwrap();
    let operator = SigningKey::generate();
    let manifest = Manifest::sign(&origin, &[issuer_key], NOW, &operator);
    let manifest = Manifest::verify(&manifest, &origin, operator.public(), NOW).unwrap();
    let keys = manifest.keys().clone();
    World {
        certificate,
        slots,
        secrets,
        keys,
        device: SigningKey::generate(),
    }
}

fn site(origin: &str) -> SiteContext {
    SiteContext::new(&Origin::parse(origin).unwrap())
}

fn binding(nonce: &str) -> RequestBinding<'_> {
    RequestBinding {
        nonce,
        client_id: "x509_hash:abc",
        response_uri: "https://login.a.example/response/1",
        request_sha256: [7; 32],
    }
}

fn showing(items: &ItemSet) -> Wanted<'_> {
    Wanted { items, age: None }
}

fn sign_up(world: &World, site: &SiteContext, items: &ItemSet) -> String {
    create_sign_up(
        &world.certificate,
        (&world.slots, NOW.epoch()),
        (site, &world.secrets),
        (&binding("nonce"), &showing(items)),
        (&world.device, Moment::Possession),
        &mut rng(),
    )
    .unwrap()
}

#[test]
fn a_sign_up_shows_the_asked_for_items_and_the_pseudonym_of_the_site() {
    let world = world();
    let site = site("https://a.example");
    let items = ItemSet::new([Item::Birthdate, Item::FamilyName, Item::PlaceOfBirth]);
    let presentation = sign_up(&world, &site, &items);
    let issuer = (&world.keys, NOW);
    let shown = verify_sign_up(
        &presentation,
        issuer,
        &site,
        &binding("nonce"),
        &showing(&items),
    )
    .unwrap();
    assert!(shown.pseudonym == world.secrets.pseudonym(site.context()).unwrap());
    assert_eq!(shown.generation, Generation::First);
    assert!(shown.device_key == *world.device.public());
    let texts: Vec<_> = shown
        .items
        .iter()
        .map(|(i, t)| (i.as_str(), t.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            ("family_name", "SPECIMEN"),
            ("birthdate", "1990-02-28"),
            ("place_of_birth", "")
        ]
    );
}

#[test]
fn a_sign_up_is_refused_for_any_other_request_site_item_set_or_epoch() {
    let world = world();
    let home = site("https://a.example");
    let items = ItemSet::new([Item::Sex]);
    let presentation = sign_up(&world, &home, &items);
    let check =
        |epoch: Epoch, site: &SiteContext, binding: &RequestBinding<'_>, items: &ItemSet| {
            verify_sign_up(
                &presentation,
                (&world.keys, epoch.start().plus_secs(3600)),
                site,
                binding,
                &showing(items),
            )
            .err()
        };
    let epoch = NOW.epoch();
    let right = binding("nonce");
    assert_eq!(check(epoch, &home, &right, &items), None);
    assert_eq!(check(epoch.next(), &home, &right, &items), None, "grace");
    let invalid = Some(PresentationError::Invalid);
    assert_eq!(check(epoch.next().next(), &home, &right, &items), invalid);
    assert_eq!(check(epoch.previous(), &home, &right, &items), invalid);
    assert_eq!(
        check(epoch, &site("https://b.example"), &right, &items),
        invalid
    );
    let other = Some(PresentationError::Binding);
    assert_eq!(check(epoch, &home, &binding("other"), &items), other);
    let changed = RequestBinding {
        client_id: "x509_hash:xyz",
        ..right.clone()
    };
    assert_eq!(check(epoch, &home, &changed, &items), other);
    let changed = RequestBinding {
        response_uri: "https://evil.example",
        ..right.clone()
    };
    assert_eq!(check(epoch, &home, &changed, &items), other);
    let changed = RequestBinding {
        request_sha256: [8; 32],
        ..right.clone()
    };
    assert_eq!(check(epoch, &home, &changed, &items), other);
    let wrong_items = Some(PresentationError::Items);
    assert_eq!(check(epoch, &home, &right, &ItemSet::new([])), wrong_items);
    assert_eq!(
        check(
            epoch,
            &home,
            &right,
            &ItemSet::new([Item::Sex, Item::GivenName])
        ),
        wrong_items
    );
}

#[test]
fn a_sign_up_with_any_part_changed_is_refused() {
    let world = world();
    let site = site("https://a.example");
    let items = ItemSet::new([Item::GivenName]);
    let presentation = sign_up(&world, &site, &items);
    let issuer = (&world.keys, NOW);
    let refused = |text: &str| {
        verify_sign_up(text, issuer, &site, &binding("nonce"), &showing(&items)).is_err()
    };
    assert!(!refused(&presentation));
    for at in (0..presentation.len()).step_by(3) {
        let mut changed = presentation.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(
            refused(std::str::from_utf8(&changed).unwrap()),
            "octet {at}"
        );
    }
    for cut in [0, 1, 10, presentation.len() / 2, presentation.len() - 1] {
        assert!(refused(&presentation[..cut]), "cut at {cut}");
    }
    let other = World {
        device: SigningKey::generate(),
        ..world
    };
    let signed_by_other = sign_up(&other, &site, &items);
    let own_signature = presentation.rsplit_once('~').unwrap().1;
    let (body, _) = signed_by_other.rsplit_once('~').unwrap();
    let issuer = (&other.keys, NOW);
    let swapped = format!("{body}~{own_signature}");
    assert!(verify_sign_up(&swapped, issuer, &site, &binding("nonce"), &showing(&items)).is_err());
}

/// At least so many years on a day; the specimen was born on 1990-02-28.
fn age(years: u8, on: &str) -> AgeAsked {
    let days = BirthDate::parse_iso(on).unwrap().day_number();
    AgeAsked {
        years: Years::try_from(years).unwrap(),
        on: Day(u32::from(days) - 25_567),
    }
}

fn with_age(world: &World, nonce: &str, wanted: &Wanted<'_>) -> Result<String, PresentationError> {
    create_sign_up(
        &world.certificate,
        (&world.slots, NOW.epoch()),
        (&site("https://a.example"), &world.secrets),
        (&binding(nonce), wanted),
        (&world.device, Moment::Possession),
        &mut rng(),
    )
}

#[test]
fn an_age_is_proved_to_the_day_and_for_what_was_asked_alone() {
    let (world, site) = (world(), site("https://a.example"));
    let items = ItemSet::new([Item::Sex]);
    let showing = |age| Wanted { items: &items, age };
    let asked = Some(age(18, "2008-02-28"));
    let presentation = with_age(&world, "nonce", &showing(asked)).unwrap();
    let check = |text: &str, age| {
        let issuer = (&world.keys, NOW);
        verify_sign_up(text, issuer, &site, &binding("nonce"), &showing(age)).err()
    };
    assert_eq!(check(&presentation, asked), None);
    // Another N, another D.
    let invalid = Some(PresentationError::Invalid);
    for (years, on) in [(17, "2008-02-28"), (18, "2008-02-27"), (18, "2008-03-01")] {
        assert_eq!(check(&presentation, Some(age(years, on))), invalid);
    }
    // Unasked and missing.
    let wrong = Some(PresentationError::Age);
    assert_eq!(check(&presentation, None), wrong);
    let without = with_age(&world, "nonce", &showing(None)).unwrap();
    assert_eq!(check(&without, asked), wrong);
    // A day too young, and an age that no day of birth has.
    for too_much in [age(18, "2008-02-27"), age(120, "2019-01-01")] {
        let refused = with_age(&world, "nonce", &showing(Some(too_much)));
        assert_eq!(refused.err(), invalid);
        assert_eq!(check(&presentation, Some(too_much)), invalid);
    }
}

#[test]
fn an_age_is_refused_beside_the_date_of_birth() {
    let (world, asked) = (world(), Some(age(18, "2010-01-01")));
    let items = ItemSet::new([Item::Birthdate]);
    let both = Wanted {
        items: &items,
        age: asked,
    };
    assert_eq!(
        with_age(&world, "nonce", &both).err(),
        Some(PresentationError::Invalid)
    );
}

#[test]
fn an_age_proof_belongs_to_its_presentation() {
    let (world, site) = (world(), site("https://a.example"));
    let items = ItemSet::new([]);
    let wanted = Wanted {
        items: &items,
        age: Some(age(18, "2010-01-01")),
    };
    let refused = |text: &str| {
        let issuer = (&world.keys, NOW);
        verify_sign_up(text, issuer, &site, &binding("nonce"), &wanted).err()
    };
    let presentation = with_age(&world, "nonce", &wanted).unwrap();
    assert_eq!(refused(&presentation), None);
    let (head, proofs) = presentation.rsplit_once('.').unwrap();
    let [core, own, signature] = proofs.split('~').collect::<Vec<_>>().try_into().unwrap();
    for other in ["other", "nonce"] {
        let other = with_age(&world, other, &wanted).unwrap();
        let theirs = other.rsplit('~').nth(1).unwrap();
        let swapped = format!("{head}.{core}~{theirs}~{signature}");
        assert_eq!(refused(&swapped), Some(PresentationError::Invalid));
    }
    for at in (0..own.len()).step_by(7) {
        let mut changed = own.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let changed = format!("{head}.{core}~{changed}~{signature}");
        assert_eq!(
            refused(&changed),
            Some(PresentationError::Invalid),
            "octet {at}"
        );
    }
    for spelt in [
        format!("{head}.{core}~{own}~{own}~{signature}"),
        format!("{head}.{core}~~{signature}"),
        format!("{head}.{core}~{}~{signature}", &own[4..]),
        format!("{head}.{own}~{core}~{signature}"),
    ] {
        assert_eq!(refused(&spelt), Some(PresentationError::Invalid));
    }
}

#[test]
fn presentations_with_an_age_have_the_same_form_and_size_whatever_the_age() {
    let world = world();
    let items = ItemSet::new([]);
    let shape = |on: &str| {
        let wanted = Wanted {
            items: &items,
            age: Some(age(18, on)),
        };
        let text = with_age(&world, "nonce", &wanted).unwrap();
        text.split(['.', '~']).map(str::len).collect::<Vec<_>>()
    };
    assert_eq!(shape("2008-02-28"), shape("2070-01-01"));
}

#[test]
fn a_sign_in_holds_for_its_site_request_and_device_alone() {
    let world = world();
    let home = site("https://a.example");
    let device = (&world.device, Moment::Unlock);
    let text =
        create_sign_in(&world.secrets, &home, &binding("nonce"), device, &mut rng()).unwrap();
    let shown = verify_sign_in(&text, &home, &binding("nonce")).unwrap();
    assert!(shown.pseudonym == world.secrets.pseudonym(home.context()).unwrap());
    assert!(shown.device_key == *world.device.public() && shown.moment == Moment::Unlock);
    assert_eq!(
        verify_sign_in(&text, &home, &binding("other")).err(),
        Some(PresentationError::Binding)
    );
    assert!(verify_sign_in(&text, &site("https://b.example"), &binding("nonce")).is_err());
    for at in (0..text.len()).step_by(3) {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = std::str::from_utf8(&changed).unwrap();
        assert!(
            verify_sign_in(changed, &home, &binding("nonce")).is_err(),
            "octet {at}"
        );
    }
}

#[test]
fn presentations_of_two_people_have_the_same_form_and_size() {
    let (a, b) = (world(), world());
    let site = site("https://a.example");
    let items = ItemSet::new([]);
    let (ours, theirs) = (sign_up(&a, &site, &items), sign_up(&b, &site, &items));
    assert_eq!(ours.len(), theirs.len());
    let shape = |t: &str| t.split(['.', '~']).map(str::len).collect::<Vec<_>>();
    assert_eq!(shape(&ours), shape(&theirs));
}

#[test]
fn attributes_that_could_carry_a_mark_are_not_well_formed() {
    assert!(attributes().are_well_formed());
    let changed = |change: fn(&mut Attributes)| {
        let mut attributes = attributes();
        change(&mut attributes);
        attributes.are_well_formed()
    };
    assert!(changed(|a| a.given_name.clear()), "one name is a name");
    assert!(!changed(|a| a.sex = "F ".into()));
    assert!(!changed(|a| a.assurance_level.push('\u{200b}')));
    assert!(!changed(|a| a.family_name.push_str(" \u{fe00}")));
    assert!(!changed(|a| a.nationality = "UT".into()));
    assert!(!changed(|a| a.place_of_birth = Some(String::new())));
}

#[test]
fn a_person_with_one_name_can_show_that_the_other_is_empty() {
    let mut slots = world().slots;
    slots.attributes.given_name.clear();
    let payload = slots.payload(Item::GivenName);
    assert!(!payload.is_empty());
    assert_eq!(item_text(Item::GivenName, &payload).unwrap().as_str(), "");
}
