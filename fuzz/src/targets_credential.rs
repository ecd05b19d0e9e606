//! Targets of `credential`.

use credential::age::{AgeAsked, Years};
use credential::attributes::{BirthDate, Generation, Item, ItemSet, item_text, slot_value};
use credential::capture::{CaptureStatement, frames_digest};
use credential::consent::{ChosenEvidence, ConsentReceipt, FaceConsent};
use credential::issuance::{self, Binding, Purpose, RenewedEpochs};
use credential::jose::encode;
use credential::jose::jws::Header;
use credential::manifest::Manifest;
use credential::origin::Origin;
use credential::presentation::{self, Moment, Wanted};
use credential::renewal::{Registered, RenewalRequest, Renewing};
use credential::site_entry::SiteEntry;
use credential::time::{Epoch, UnixTime};
use credential::web_number::WebNumber;

use crate::Target;
use crate::input::{take, text};
use crate::world::{self, KEY, NOW, WORLD, rng, signed_as};

pub(crate) const TARGETS: [Target; 12] = [
    Target::new("manifest", manifest, manifest_seeds),
    Target::new("site_entry", site_entry, site_entry_seeds),
    Target::new("sign_up", sign_up, sign_up_seeds),
    Target::new("sign_in", sign_in, sign_in_seeds),
    Target::new("renewal_request", renewal_request, renewal_request_seeds),
    Target::new("issued_form", issued_form, issued_form_seeds),
    Target::new("issuance", issuance, issuance_seeds),
    Target::new("consent_receipt", consent_receipt, consent_receipt_seeds),
    Target::new("capture_statement", capture_statement, capture_seeds),
    Target::new("origin", origin, origin_seeds),
    Target::new("web_number", web_number, web_number_seeds),
    Target::new("items", items, items_seeds),
];

/// The payload of a manifest, under the operator's signature.
fn manifest(data: &[u8]) -> bool {
    let compact = signed_as("bauta-manifest+jwt", data);
    let manifest = Manifest::verify(&compact, &world::origin(), KEY.public(), NOW);
    manifest.is_ok_and(|manifest| {
        let now = NOW.epoch();
        assert!(manifest.epoch() <= now, "a manifest of a later epoch");
        let _ = manifest.keys().covers(now);
        manifest.keys().accepted(NOW).count() <= 3
    })
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    let key = WORLD.issuer_key();
    let next = credential::manifest::IssuerKey {
        epoch: key.epoch.next(),
        ..key
    };
    let manifest =
        |keys: &[_]| world::payload_of(&Manifest::sign(&world::origin(), keys, NOW, &KEY));
    vec![manifest(&[key]), manifest(&[key, next]), manifest(&[])]
}

/// The payload of a site entry, under the operator's signature.
fn site_entry(data: &[u8]) -> bool {
    let verify = |compact: &str| SiteEntry::verify(compact, &world::origin(), KEY.public(), NOW);
    verify(&signed_as("bauta-site-entry+jwt", data)).is_ok_and(|entry| {
        let compact = entry.sign(&KEY).expect("an entry that was accepted");
        assert_eq!(verify(&compact), Ok(entry));
        true
    })
}

fn site_entry_seeds() -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&world::site_entry()).expect("an entry is JSON")]
}

/// The date of birth is not disclosed beside an age.
fn asked(with_age: bool) -> ItemSet {
    let first = if with_age { Item::Sex } else { Item::Birthdate };
    ItemSet::new([first, Item::Guardianship])
}

fn an_age() -> AgeAsked {
    AgeAsked {
        years: Years::try_from(1).expect("a number of years"),
        on: NOW.day(),
    }
}

fn sign_up(data: &[u8]) -> bool {
    let Some(text) = text(data) else {
        return false;
    };
    let issuer = (&WORLD.keys, NOW);
    [None, Some(an_age())].into_iter().any(|age| {
        let items = &asked(age.is_some());
        let wanted = Wanted { items, age };
        presentation::verify_sign_up(text, issuer, &WORLD.site, &world::binding(), &wanted).is_ok()
    })
}

fn sign_up_seeds() -> Vec<Vec<u8>> {
    let world = &*WORLD;
    let of = |age: Option<AgeAsked>| {
        let items = &asked(age.is_some());
        presentation::create_sign_up(
            &world.certificate,
            (&world.slots, NOW.epoch()),
            (&world.site, &world.secrets),
            (&world::binding(), &Wanted { items, age }),
            (&KEY, Moment::Possession),
            &mut rng(),
        )
        .expect("an honest wallet")
        .into_bytes()
    };
    vec![of(None), of(Some(an_age()))]
}

/// The claims of a renewal request, under the key that it names.
fn renewal_request(data: &[u8]) -> bool {
    let header = Header {
        jwk: Some(*KEY.public()),
        ..Header::of_type("bauta-renewal+jwt")
    };
    let compact = world::signed(&header, data);
    let Ok(request) = RenewalRequest::read(&compact, &world::origin()) else {
        return false;
    };
    let row = Registered {
        slot_commitment: WORLD.k,
        generation: Generation::First,
    };
    request
        .verify(&world::origin(), &WORLD.issuer_key(), &row)
        .is_ok()
}

fn renewal_request_seeds() -> Vec<Vec<u8>> {
    let world = &*WORLD;
    let epoch = NOW.epoch();
    let sent = Renewing {
        certificate: &world.certificate,
        web_number: &world.slots.web_number,
        device: &KEY,
    }
    .request(
        RenewedEpochs {
            old: epoch,
            new: epoch.next(),
        },
        (&world::origin(), "n1"),
        &mut rng(),
    );
    let sent = sent.expect("a certificate that holds");
    vec![world::payload_of(&sent)]
}

/// A proof and a header, under the device's signature.
fn sign_in(data: &[u8]) -> bool {
    let (proof, header) = take::<64>(data);
    let message = [
        b"bauta/v1/device".as_slice(),
        &credential::jose::sha256(header),
        &credential::jose::sha256(&proof),
    ];
    let signature = KEY.sign(&message.concat());
    let text = [encode(header), encode(proof), encode(signature)].join(".");
    presentation::verify_sign_in(&text, &WORLD.site, &world::binding()).is_ok()
}

fn sign_in_seeds() -> Vec<Vec<u8>> {
    let world = &*WORLD;
    let device = (&*KEY, Moment::Possession);
    let (binding, mut rng) = (world::binding(), rng());
    let text =
        presentation::create_sign_in(&world.secrets, &world.site, &binding, device, &mut rng)
            .expect("an honest wallet");
    let parts: Vec<_> = text
        .split('.')
        .map(|part| credential::jose::decode(part).expect("base64url"))
        .collect();
    vec![[parts[1].as_slice(), &parts[0]].concat()]
}

fn issued_form(data: &[u8]) -> bool {
    let world = &*WORLD;
    let Some(text) = text(data) else {
        return false;
    };
    let Ok(signature) = issuance::parse_issued_form(text, NOW.epoch()) else {
        return false;
    };
    let secrets = (&world.secrets, &world.request.blind);
    issuance::receive(&signature, &world.issuer_key(), &world.slots, secrets).is_ok()
}

fn issued_form_seeds() -> Vec<Vec<u8>> {
    let signature = WORLD.signature.as_slice().try_into().expect("80 octets");
    vec![issuance::to_issued_form(NOW.epoch(), signature).into_bytes()]
}

/// What a wallet sends: a commitment and its proof, or that of all slots.
fn issuance(data: &[u8]) -> bool {
    let Some((kind, octets)) = data.split_first() else {
        return false;
    };
    let (world, origin) = (&*WORLD, world::origin());
    let (point, proof) = octets.split_at(octets.len().min(48));
    if kind % 2 == 0 {
        issuance::verify_nym_commitment(point, proof, &register(&origin)).is_ok()
    } else {
        let (slots, commitment) = (&world.slots, &world.commitment);
        let server = (&origin, b"n".as_slice());
        issuance::issue(
            &world.issuer,
            NOW.epoch(),
            slots,
            commitment,
            (point, proof),
            server,
        )
        .is_ok()
    }
}

fn register(issuer: &Origin) -> Binding<'_> {
    Binding {
        issuer,
        nonce: b"n",
        purpose: Purpose::Register,
        device_key: KEY.public(),
    }
}

fn issuance_seeds() -> Vec<Vec<u8>> {
    let (world, origin) = (&*WORLD, world::origin());
    let opening = (&world.secrets, &world.blind);
    let opened =
        issuance::prove_nym_commitment(&world.commitment, opening, &register(&origin), &mut rng());
    vec![
        [&[0], world.commitment.to_bytes().as_slice(), &opened].concat(),
        [
            &[1],
            world.request.commitment.as_slice(),
            &world.request.proof,
        ]
        .concat(),
    ]
}

/// The payload of a receipt, under the operator's signature.
fn consent_receipt(data: &[u8]) -> bool {
    let verify = |compact: &str| ConsentReceipt::verify(compact, KEY.public());
    verify(&signed_as("bauta-consent+jwt", data)).is_some_and(|receipt| {
        assert_eq!(verify(&receipt.sign(&KEY)), Some(receipt));
        true
    })
}

fn consent_receipt_seeds() -> Vec<Vec<u8>> {
    let receipt = ConsentReceipt {
        iss: world::origin(),
        session: encode([1; 16]),
        notice_version: 1,
        notice_sha256: encode([2; 32]),
        evidence: ChosenEvidence::Document,
        face: FaceConsent::Given,
        iat: NOW,
    };
    vec![world::payload_of(&receipt.sign(&KEY))]
}

/// The payload of a statement about frames, under the device's signature.
fn capture_statement(data: &[u8]) -> bool {
    let verify = |compact: &str| CaptureStatement::verify(compact, KEY.public());
    verify(&signed_as("bauta-capture+jwt", data)).is_some_and(|statement| {
        assert_eq!(verify(&statement.sign(&KEY)), Some(statement));
        true
    })
}

fn capture_seeds() -> Vec<Vec<u8>> {
    let statement = CaptureStatement {
        aud: world::origin(),
        session: encode([1; 16]),
        nonce: encode([2; 16]),
        times_ms: vec![0, 160, 320],
        frames_sha256: encode(frames_digest([&b"one"[..], b"two"].into_iter())),
    };
    vec![world::payload_of(&statement.sign(&KEY))]
}

/// An origin has one canonical text.
fn origin(data: &[u8]) -> bool {
    let parsed = text(data).and_then(|text| Origin::parse(text).ok());
    parsed.is_some_and(|origin| {
        assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin));
        let written = serde_json::to_vec(&origin).expect("a text");
        assert_eq!(
            serde_json::from_slice::<Origin>(&written).ok(),
            Some(origin)
        );
        true
    })
}

fn origin_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "https://op.example",
        "HTTPS://Op.Example:8443",
        "https://b\u{fc}cher.example:1",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// A web number has one text and one way in groups.
fn web_number(data: &[u8]) -> bool {
    let parsed = text(data).and_then(|text| WebNumber::parse(text).ok());
    parsed.is_some_and(|number| {
        let shown = number.to_string();
        assert_eq!(
            WebNumber::parse(&shown).map(|again| again.to_string()),
            Ok(shown)
        );
        let again = WebNumber::parse(number.as_str()).expect("its own text");
        assert_eq!(again.as_str(), number.as_str());
        true
    })
}

fn web_number_seeds() -> Vec<Vec<u8>> {
    let number = WORLD.slots.web_number.to_string();
    vec![
        number.to_ascii_lowercase().into_bytes(),
        number.into_bytes(),
    ]
}

/// A birth date, an item's name, a generation; an item's payload.
fn items(data: &[u8]) -> bool {
    let Some((at, payload)) = data.split_first() else {
        return false;
    };
    let item = Item::ALL[usize::from(*at) % Item::ALL.len()];
    let value = slot_value(item, payload);
    // What has a place in a certificate can be told to a site, if it is text.
    if value.is_some() && text(payload).is_some() {
        assert!(item_text(item, payload).is_some(), "an item without text");
    }
    let (seconds, _) = take(payload);
    let time = UnixTime(u64::from_be_bytes(seconds));
    let _ = (time.day(), Epoch(time.epoch().0).next().start());
    let Some(text) = text(payload) else {
        return false;
    };
    let date = BirthDate::parse_iso(text).ok();
    if let Some(date) = date {
        assert_eq!(date.to_iso().as_str(), text);
    }
    let named = Item::parse(text).map(Item::as_str);
    let generation = Generation::parse(text).map(Generation::as_str);
    assert!(named.is_none_or(|name| name == text));
    assert!(generation.is_none_or(|name| name == text));
    date.is_some() || named.is_some() || generation.is_some()
}

fn items_seeds() -> Vec<Vec<u8>> {
    [
        "\u{3}2000-02-29",
        "\u{3}36584",
        "\0sex",
        "\u{9}1",
        "\u{1}JWP-BBS-DECOY",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
