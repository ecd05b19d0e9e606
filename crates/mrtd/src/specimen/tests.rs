use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::mrz::MrzError;
use crate::time::{CalendarDate, Period, UnixTime};
use crate::{DocumentFiles, Sex, SigningTime, TrustStore};

/// 2026-06-01, as the day and as an instant.
const NOW: UnixTime = UnixTime(1_780_272_000);
const YEAR: u64 = 31_557_600;

fn today() -> CalendarDate {
    CalendarDate::from_unix(NOW).unwrap()
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn around_now(before: u64, after: u64) -> Period {
    Period {
        from: UnixTime(NOW.0 - before),
        until: UnixTime(NOW.0 + after),
    }
}

fn make(authority: SignatureKind, signer: SignatureKind) -> (SpecimenPassport, TrustStore) {
    let mut rng = rng(1);
    let authority =
        SpecimenAuthority::generate(authority, around_now(YEAR, 20 * YEAR), &mut rng).unwrap();
    let signer = authority
        .issue_signer(
            signer,
            around_now(100, 100),
            around_now(100, 10 * YEAR),
            &mut rng,
        )
        .unwrap();
    let holder = specimen_holder(7, today()).unwrap();
    let passport = signer.issue(&holder, Some(NOW), &mut rng).unwrap();
    (
        passport,
        TrustStore::from_der([authority.certificate()]).unwrap(),
    )
}

#[test]
fn specimens_of_every_kind_of_signature_pass() {
    for (authority, signer) in [
        (SignatureKind::EcdsaP256, SignatureKind::EcdsaP256),
        (SignatureKind::RsaPss, SignatureKind::RsaPkcs1),
        (SignatureKind::RsaPkcs1, SignatureKind::RsaPss),
    ] {
        let (passport, trust) = make(authority, signer);
        let files = DocumentFiles {
            dg1: &passport.dg1,
            dg2: Some(&passport.dg2),
            others: &[],
            sod: &passport.sod,
        };
        let document = files.authenticate(&trust, NOW).unwrap();
        let holder = specimen_holder(7, today()).unwrap();
        assert_eq!(document.signer_country().as_str(), "UT");
        assert_eq!(
            document.security_object().signing_time(),
            SigningTime::Stated(NOW)
        );
        let mrz = document.mrz();
        assert_eq!(mrz.issuing_state().alpha3(), "UTO");
        assert_eq!(mrz.family_name(), "SPECIMEN");
        assert_eq!(mrz.given_names(), holder.given_names.to_uppercase());
        assert_eq!(mrz.document_number(), holder.document_number);
        let optional: Vec<&str> = mrz.optional_data().collect();
        assert_eq!(optional, [holder.personal_number.as_deref().unwrap()]);
        assert!(mrz.birth_date() == holder.birth_date);
        assert!(mrz.expiry() == holder.expiry);
        assert_eq!(mrz.sex(), holder.sex);
    }
}

#[test]
fn the_same_generator_makes_the_same_specimen() {
    let (one, _) = make(SignatureKind::EcdsaP256, SignatureKind::EcdsaP256);
    let (two, _) = make(SignatureKind::EcdsaP256, SignatureKind::EcdsaP256);
    assert!(one == two);
}

#[test]
fn a_portrait_is_a_jpeg_that_decodes_and_differs_by_seed() {
    let (one, two) = (portrait::draw(1).unwrap(), portrait::draw(2).unwrap());
    assert!(one == portrait::draw(1).unwrap());
    assert!(one != two);
    for jpeg in [one, two] {
        let mut decoder = jpeg_decoder::Decoder::new(jpeg.as_slice());
        let pixels = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        assert_eq!(
            (info.width, info.height),
            (portrait::WIDTH, portrait::HEIGHT)
        );
        assert_eq!(pixels.len(), 240 * 320 * 3);
        // A drawing, not one even colour.
        assert!(pixels.iter().max().unwrap() - pixels.iter().min().unwrap() > 100);
    }
}

#[test]
fn invented_people_can_all_be_issued_and_differ() {
    let mut seen = std::collections::BTreeSet::new();
    for number in [0, 1, 11, 12, 13, 324, 400, u16::MAX] {
        let holder = specimen_holder(number, today()).unwrap();
        let fields = crate::MrzFields {
            format: holder.format,
            issuing_state: crate::StateCode::UTOPIA,
            family_name: &holder.family_name,
            given_names: &holder.given_names,
            document_number: &holder.document_number,
            nationality: holder.nationality,
            birth_date: holder.birth_date,
            sex: holder.sex,
            expiry: holder.expiry,
            personal_number: holder.personal_number.as_deref(),
        };
        let zone = crate::Mrz::compose(&fields).unwrap();
        let mrz = crate::Mrz::parse(zone.as_slice(), today()).unwrap();
        assert!(mrz.birth_date() == holder.birth_date);
        assert!(seen.insert((holder.family_name.clone(), holder.given_names.clone())));
    }
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let mut rng = rng(2);
    let period = around_now(YEAR, YEAR);
    let kind = SignatureKind::EcdsaP256;
    let authority = SpecimenAuthority::generate(kind, period, &mut rng).unwrap();
    let signer = authority
        .issue_signer(kind, period, period, &mut rng)
        .unwrap();
    let mut holder = specimen_holder(1, today()).unwrap();
    holder.sex = Sex::Unspecified;
    holder.document_number = "1234567890".to_owned();
    let refused = signer.issue(&holder, None, &mut rng).err();
    let too_long = MrzError::TooLong(crate::Field::DocumentNumber);
    assert_eq!(refused, Some(SpecimenError::Mrz(too_long)));
    let never = Period {
        from: NOW,
        until: UnixTime(u64::MAX),
    };
    let refused = SpecimenAuthority::generate(kind, never, &mut rng).err();
    assert_eq!(refused, Some(SpecimenError::Time));
}
