//! Targets of `mrtd`.

use std::fs;
use std::sync::LazyLock;

use mrtd::specimen::{
    SignatureKind, SpecimenAuthority, SpecimenPassport, SpecimenSigner, specimen_holder,
};
use mrtd::{
    CalendarDate, CountryCode, Curve, DocumentFiles, Format, MasterList, Mrz, MrzFields, Period,
    PersonalDetails, Portrait, SecurityObject, StateCode, TrustStore, UnixTime, compose_dg1,
    compose_dg2, compose_dg11, parse_dg1,
};

use service::enrolment::ChipProof;

use crate::Target;
use crate::input::{cut, join, take, text};
use crate::world::{self, rng};

pub(crate) const TARGETS: [Target; 9] = [
    Target::new("mrtd_zone", zone, zone_seeds),
    Target::new("mrtd_codes", codes, codes_seeds),
    Target::new("mrtd_dg1", dg1, dg1_seeds),
    Target::new("mrtd_dg2", dg2, dg2_seeds),
    Target::new("mrtd_sod", sod, sod_seeds),
    Target::new("mrtd_document", document, document_seeds),
    Target::new("mrtd_authority", authority, authority_seeds),
    Target::new("mrtd_master_list", master_list, master_list_seeds),
    Target::new("mrtd_revocation", revocation, revocation_seeds),
];

const NOW: UnixTime = UnixTime(world::NOW.0);

fn today() -> CalendarDate {
    CalendarDate::from_unix(NOW).expect("a day")
}

/// An authority and a signer, drawn the same in every process.
struct Specimen {
    authority: SpecimenAuthority,
    signer: SpecimenSigner,
    trust: TrustStore,
}

impl Specimen {
    fn new(kind: SignatureKind) -> Specimen {
        let years = Period {
            from: UnixTime(NOW.0 - 10_000_000),
            until: UnixTime(NOW.0 + 315_576_000),
        };
        let mut rng = rng();
        let authority = SpecimenAuthority::generate(kind, years, &mut rng).expect("an authority");
        let signer = authority
            .issue_signer(kind, years, years, &mut rng)
            .expect("a signer");
        let trust = TrustStore::from_der([authority.certificate()]).map_err(|(_, error)| error);
        Specimen {
            authority,
            signer,
            trust: trust.expect("an authority"),
        }
    }

    fn passport(&self) -> SpecimenPassport {
        let holder = specimen_holder(1, today()).expect("a person");
        self.signer
            .issue(&holder, Some(NOW), &mut rng())
            .expect("a passport")
    }
}

/// A specimen's portrait in its frame.
pub(crate) fn specimen_portrait() -> Vec<u8> {
    SPECIMEN.passport().dg2
}

static SPECIMEN: LazyLock<Specimen> = LazyLock::new(|| Specimen::new(SignatureKind::EcdsaP256));

/// A small image, whose beginning is all that is looked at.
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\xff\xd9";

fn zone(data: &[u8]) -> bool {
    let parsed = match text(data) {
        Some(text) if text.contains('\n') => {
            let lines: Vec<&str> = text.split('\n').collect();
            Mrz::parse_lines(&lines, today())
        }
        _ => Mrz::parse(data, today()),
    };
    parsed.is_ok_and(|mrz| {
        written_and_read(&mrz);
        true
    })
}

/// What a zone says, written into a zone, is read as the same.
fn written_and_read(mrz: &Mrz) {
    let fields = MrzFields {
        format: mrz.format(),
        issuing_state: mrz.issuing_state(),
        family_name: mrz.family_name(),
        given_names: mrz.given_names(),
        document_number: mrz.document_number(),
        nationality: mrz.nationality(),
        birth_date: mrz.birth_date(),
        sex: mrz.sex(),
        expiry: mrz.expiry(),
        personal_number: mrz.optional_data().next(),
    };
    // A field that is padded in its middle cannot be written, nor can the formats of China.
    let Ok(zone) = Mrz::compose(&fields) else {
        return;
    };
    let again = Mrz::parse(zone.as_slice(), today()).expect("a zone that was composed");
    assert_eq!(again.issuing_state(), mrz.issuing_state());
    assert_eq!(again.family_name(), mrz.family_name());
    assert_eq!(again.given_names(), mrz.given_names());
    assert_eq!(again.document_number(), mrz.document_number());
    assert_eq!(again.nationality(), mrz.nationality());
    assert_eq!(again.birth_date(), mrz.birth_date());
    assert_eq!(again.sex(), mrz.sex());
    assert_eq!(again.expiry(), mrz.expiry());
    assert_eq!(again.optional_data().next(), mrz.optional_data().next());
}

fn zone_seeds() -> Vec<Vec<u8>> {
    let upper = b"P<UTOSPECIMEN<<ADA<EXAMPLE<<<<<<<<<<<<<<<<<<";
    let dg1 = SPECIMEN.passport().dg1;
    let whole = dg1[dg1.len() - 88..].to_vec();
    let lines = [&whole[..44], b"\n", &whole[44..]].concat();
    let mixed = [upper, &whole[44..]].concat();
    let card = b"I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\n\
        STEVENSON<<PETER<JOHN<<<<<<<<<";
    let permit = b"CRH1234567830002212119F8108038NGKELMPONBPJLBLOAABA1234567842\
        ZHENG<JIAN<<YANG<BEN<<<<<<<<<<";
    vec![whole, lines, mixed, card.to_vec(), permit.to_vec()]
}

fn codes(data: &[u8]) -> bool {
    let (field, rest) = take(data);
    let of_zone = StateCode::from_mrz(field);
    if let Ok(state) = of_zone {
        assert_eq!(state.to_mrz(), field);
        let _ = (state.alpha3(), state.country());
    }
    let text = text(data);
    let state = text.and_then(|text| text.parse::<StateCode>().ok());
    if let Some(state) = state {
        assert_eq!(StateCode::from_mrz(state.to_mrz()), Ok(state));
        // Germany has two codes in zones, and one that is shown.
        let shown = state.alpha3();
        if !shown.contains('<') {
            let again = shown.parse::<StateCode>();
            assert_eq!(again.as_ref().map(StateCode::alpha3), Ok(shown));
        }
    }
    let country = text.and_then(|text| CountryCode::parse(text).ok());
    if let Some(country) = country {
        assert_eq!(CountryCode::parse(country.as_str()), Ok(country));
    }
    let (seconds, _) = take(rest);
    if let Ok(day) = CalendarDate::from_unix(UnixTime(u64::from_be_bytes(seconds))) {
        assert_eq!(
            CalendarDate::new(day.year(), day.month(), day.day()),
            Ok(day)
        );
    }
    of_zone.is_ok() || state.is_some() || country.is_some()
}

fn codes_seeds() -> Vec<Vec<u8>> {
    [
        b"UTO\0\0\0\0\x6b\x49\xd2\x00".as_slice(),
        b"D<<",
        b"DE",
        b"GBR",
        b"UNO",
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

/// The zone in its frame, and what enrolment takes from it.
fn dg1(data: &[u8]) -> bool {
    parse_dg1(data, today()).is_ok_and(|mrz| {
        written_and_read(&mrz);
        service::enrolment::attributes(&mrz, ChipProof::NotAsked).is_ok()
    })
}

fn dg1_seeds() -> Vec<Vec<u8>> {
    let holder = specimen_holder(2, today()).expect("a person");
    let fields = MrzFields {
        format: Format::Td1,
        issuing_state: StateCode::UTOPIA,
        family_name: "O'Brien-Specimen",
        given_names: "",
        document_number: "X1",
        nationality: StateCode::UTOPIA,
        birth_date: holder.birth_date,
        sex: holder.sex,
        expiry: holder.expiry,
        personal_number: None,
    };
    vec![
        SPECIMEN.passport().dg1,
        compose_dg1(&fields).expect("a zone").to_vec(),
    ]
}

fn dg2(data: &[u8]) -> bool {
    let Ok(portrait) = Portrait::parse_dg2(data) else {
        return false;
    };
    let file = compose_dg2(portrait.image(), 1, 1).expect("an image that was read");
    let again = Portrait::parse_dg2(&file).expect("a file that was composed");
    assert_eq!(again.image(), portrait.image());
    assert_eq!(again.format(), portrait.format());
    true
}

fn dg2_seeds() -> Vec<Vec<u8>> {
    vec![compose_dg2(JPEG, 1, 1).expect("an image")]
}

fn sod(data: &[u8]) -> bool {
    SecurityObject::parse(data).is_ok_and(|object| object.verify(&SPECIMEN.trust, NOW).is_ok())
}

fn sod_seeds() -> Vec<Vec<u8>> {
    let kinds = [
        SignatureKind::EcdsaP256,
        SignatureKind::EcdsaExplicit(Curve::BrainpoolP320r1),
        SignatureKind::RsaPkcs1,
        SignatureKind::RsaPss,
    ];
    let mut seeds = kinds
        .map(|kind| Specimen::new(kind).passport().sod)
        .to_vec();
    seeds.push(open_length(&seeds[0]));
    seeds
}

/// The same element with a length that is left open, as BER allows.
fn open_length(element: &[u8]) -> Vec<u8> {
    // Tag, then a length in two octets after the one that says so.
    let value = element.get(4..).expect("a file of more than 255 octets");
    [&[element[0], 0x80], value, &[0, 0]].concat()
}

/// The security object, then the zone's file, then that of details, or else a portrait's if anything
/// is left.
fn document(data: &[u8]) -> bool {
    let (sod, rest) = cut(data);
    let (dg1, rest) = cut(rest);
    let (dg2, others) = match rest {
        [] => (None, vec![]),
        [0x6B, ..] => (None, vec![(11, rest)]),
        _ => (Some(rest), vec![]),
    };
    let others = &others;
    DocumentFiles {
        dg1,
        dg2,
        others,
        sod,
    }
    .authenticate(&SPECIMEN.trust, NOW)
    .is_ok()
}

fn document_seeds() -> Vec<Vec<u8>> {
    let passport = SPECIMEN.passport();
    let both = join(&passport.dg1, &passport.dg2);
    let holder = specimen_holder(1, today()).expect("a person");
    let mut details = PersonalDetails::default();
    details.birth_date = Some(holder.birth_date);
    details.personal_number = holder.personal_number.clone();
    let details = compose_dg11(&details).to_vec();
    let others = vec![(11, details.clone())];
    let signed = SPECIMEN
        .signer
        .issue_with(&holder, others, Some(NOW), &mut rng());
    let detailed = signed.expect("a passport");
    vec![
        join(&passport.sod, &join(&passport.dg1, b"")),
        join(&passport.sod, &both),
        join(&detailed.sod, &join(&detailed.dg1, &details)),
    ]
}

/// One certificate in DER, or a file of them in a folder of this process.
fn authority(data: &[u8]) -> bool {
    // Not for all: files are slow.
    if !data.starts_with(b"--") {
        return TrustStore::from_der([data]).is_ok();
    }
    let folder = std::env::temp_dir().join(format!("bauta-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a writable folder for temporary files");
    fs::write(folder.join("a.pem"), data).expect("a writable folder for temporary files");
    let loaded = TrustStore::load_folder(&folder);
    fs::remove_dir_all(&folder).expect("a writable folder for temporary files");
    loaded.is_ok_and(|store| {
        assert!(!store.is_empty());
        true
    })
}

fn authority_seeds() -> Vec<Vec<u8>> {
    let rsa = Specimen::new(SignatureKind::RsaPss);
    let der = SPECIMEN.authority.certificate();
    // Standard base64 differs from base64url in two characters and in padding.
    let mut base64 = credential::jose::encode(der)
        .replace('-', "+")
        .replace('_', "/");
    while base64.len() % 4 != 0 {
        base64.push('=');
    }
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    vec![
        der.to_vec(),
        SPECIMEN.signer.certificate().to_vec(),
        rsa.authority.certificate().to_vec(),
        pem.repeat(2).into_bytes(),
    ]
}

fn master_list(data: &[u8]) -> bool {
    MasterList::parse(data).is_ok_and(|list| list.is_signed_under(&SPECIMEN.trust, NOW).is_ok())
}

fn master_list_seeds() -> Vec<Vec<u8>> {
    let der = SPECIMEN.authority.certificate();
    let list = SPECIMEN.authority.master_list(&[der], NOW, &mut rng());
    vec![list.expect("a list")]
}

/// A certificate of a new key, or a revocation list.
fn revocation(data: &[u8]) -> bool {
    let link = SPECIMEN.trust.check_link(data).is_ok();
    let mut trust = TrustStore::from_der([SPECIMEN.authority.certificate()])
        .map_err(|(_, error)| error)
        .expect("an authority");
    link || trust.add_revocation_list(data).is_ok()
}

fn revocation_seeds() -> Vec<Vec<u8>> {
    let Specimen {
        authority, signer, ..
    } = &*SPECIMEN;
    let week = Period {
        from: NOW,
        until: UnixTime(NOW.0 + 604_800),
    };
    let mut rng = rng();
    let other = Specimen::new(SignatureKind::EcdsaExplicit(Curve::P224)).authority;
    [
        authority.revoke(&[signer], week, &mut rng),
        authority.revoke(&[], week, &mut rng),
        authority.link_to(&other, week, &mut rng),
    ]
    .map(|made| made.expect("a specimen"))
    .to_vec()
}
