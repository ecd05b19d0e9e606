use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::details::DetailsError;
use crate::dg1::Dg1Error;
use crate::dg7::{Dg7Error, compose_dg7};
use crate::dg11::compose_dg11;
use crate::dg12::compose_dg12;
use crate::hash::Hash;
use crate::mrz::{Field, MrzError};
use crate::specimen::passport::{ObjectTemplate, security_object};
use crate::specimen::{
    SignatureKind, SpecimenAuthority, SpecimenHolder, SpecimenPassport, SpecimenSigner,
    specimen_holder,
};
use crate::time::Period;
use crate::tlv;

/// 2026-06-01.
const NOW: UnixTime = UnixTime(1_780_272_000);
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 1];

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([4; 32])
}

fn made() -> (SpecimenSigner, TrustStore) {
    let kind = SignatureKind::EcdsaP256;
    let years = Period {
        from: UnixTime(NOW.0 - 1_000_000),
        until: UnixTime(NOW.0 + 100_000_000),
    };
    let authority = SpecimenAuthority::generate(kind, years, &mut rng()).unwrap();
    let signer = authority
        .issue_signer(kind, years, years, &mut rng())
        .unwrap();
    (
        signer,
        TrustStore::from_der([authority.certificate()]).unwrap(),
    )
}

fn holder() -> SpecimenHolder {
    specimen_holder(5, CalendarDate::from_unix(NOW).unwrap()).unwrap()
}

fn of(
    passport: &SpecimenPassport,
    trust: &TrustStore,
) -> Result<VerifiedDocument, PassiveAuthError> {
    let others: Vec<_> = passport
        .others
        .iter()
        .map(|(number, file)| (*number, file.as_slice()))
        .collect();
    let files = DocumentFiles {
        dg1: &passport.dg1,
        dg2: Some(&passport.dg2),
        others: &others,
        sod: &passport.sod,
    };
    files.authenticate(trust, NOW)
}

/// The outcome for a passport with these groups, all of them signed.
fn with(others: &[(u8, &[u8])]) -> Result<VerifiedDocument, PassiveAuthError> {
    let (signer, trust) = made();
    let others = others.iter().map(|(number, file)| (*number, file.to_vec()));
    let passport = signer.issue_with(&holder(), others.collect(), Some(NOW), &mut rng());
    of(&passport.unwrap(), &trust)
}

fn details(birth_date: Option<CalendarDate>) -> Vec<u8> {
    let mut details = PersonalDetails::default();
    details.birth_date = birth_date;
    details.personal_number = Some("9000000005".to_owned());
    compose_dg11(&details).to_vec()
}

#[test]
fn every_group_that_is_given_is_read_or_kept() {
    let personal = details(Some(holder().birth_date));
    let mut of_document = DocumentDetails::default();
    of_document.issuing_authority = Some("UTOPIA".to_owned());
    let of_document = compose_dg12(&of_document);
    let signature = compose_dg7(&[JPEG]).unwrap();
    let groups: [(u8, &[u8]); 5] = [
        (7, &signature),
        (11, &personal),
        (12, &of_document),
        (14, b"fourteen"),
        (15, b"fifteen"),
    ];
    let document = with(&groups).unwrap();
    assert_eq!(document.signatures()[0].octets(), JPEG);
    let personal = document.personal_details().unwrap();
    assert_eq!(personal.personal_number.as_deref(), Some("9000000005"));
    let of_document = document.document_details().unwrap();
    assert_eq!(of_document.issuing_authority.as_deref(), Some("UTOPIA"));
    assert_eq!(document.group(14), Some(&b"fourteen"[..]));
    assert_eq!(document.group(15), Some(&b"fifteen"[..]));
    assert_eq!(document.group(11), None);
    let signed: Vec<u8> = document.security_object().data_groups().collect();
    assert_eq!(signed, [1, 2, 7, 11, 12, 14, 15]);
}

#[test]
fn a_group_that_is_not_given_is_not_missed() {
    let (signer, trust) = made();
    let others = vec![(11, details(None)), (15, b"fifteen".to_vec())];
    let mut passport = signer
        .issue_with(&holder(), others, Some(NOW), &mut rng())
        .unwrap();
    passport.others.clear();
    let document = of(&passport, &trust).unwrap();
    assert!(document.personal_details().is_none() && document.document_details().is_none());
    assert!(document.signatures().is_empty() && document.group(15).is_none());
}

#[test]
fn changed_unsigned_repeated_and_other_groups_are_refused() {
    let (signer, trust) = made();
    let others = vec![(11, details(None)), (14, b"fourteen".to_vec())];
    let good = signer
        .issue_with(&holder(), others, Some(NOW), &mut rng())
        .unwrap();
    for (place, group) in [(0, 11), (1, 14)] {
        let mut passport = good.clone();
        passport.others[place].1[3] ^= 1;
        assert_eq!(
            of(&passport, &trust).err(),
            Some(PassiveAuthError::GroupChanged(group))
        );
    }
    let mut passport = good.clone();
    passport.others.push((12, details(None)));
    assert_eq!(
        of(&passport, &trust).err(),
        Some(PassiveAuthError::GroupNotSigned(12))
    );
    let mut passport = good.clone();
    passport.others.push(good.others[0].clone());
    assert_eq!(
        of(&passport, &trust).err(),
        Some(PassiveAuthError::GroupGivenTwice(11))
    );
    let mut passport = good;
    passport.others[1].1.resize(GROUP_MAX_LEN + 1, 0);
    assert_eq!(
        of(&passport, &trust).err(),
        Some(PassiveAuthError::GroupTooLarge(14))
    );
    for group in [3, 4, 13, 16] {
        assert_eq!(
            with(&[(group, b"x")]).err(),
            Some(PassiveAuthError::GroupNotRead(group))
        );
    }
}

#[test]
fn a_signed_group_that_cannot_be_read_is_refused() {
    let frame = DetailsError::Frame(tlv::TlvError::Truncated);
    let no_image = compose_dg7(&[JPEG]).unwrap();
    let no_image = [&no_image[..no_image.len() - 8], &[0x5F, 0x43, 0x05]].concat();
    assert!(matches!(
        with(&[(7, &no_image)]).err(),
        Some(PassiveAuthError::Dg7(Dg7Error::Frame(_)))
    ));
    assert_eq!(
        with(&[(11, &[0x6B])]).err(),
        Some(PassiveAuthError::Dg11(frame))
    );
    assert_eq!(
        with(&[(12, &[0x6C])]).err(),
        Some(PassiveAuthError::Dg12(frame))
    );
}

#[test]
fn the_birth_date_of_group_11_must_be_that_of_the_zone() {
    let born = holder().birth_date;
    let document = with(&[(11, &details(Some(born)))]).unwrap();
    assert!(document.mrz().birth_date() == born);
    let other = CalendarDate::new(born.year() - 1, born.month(), born.day());
    let refused = PassiveAuthError::Dg1(Dg1Error::Mrz(MrzError::OtherBirthDate));
    assert_eq!(with(&[(11, &details(other.ok()))]).err(), Some(refused));
    // The zone has no century, so that of the group counts.
    let older = CalendarDate::new(born.year() - 100, born.month(), born.day()).unwrap();
    let document = with(&[(11, &details(Some(older)))]).unwrap();
    assert!(document.mrz().birth_date() == older);
}

/// The outcome for a passport whose zone has this in the place of the birth date.
fn with_zone(
    field: &[u8; 6],
    born: Option<CalendarDate>,
) -> Result<CalendarDate, PassiveAuthError> {
    let (signer, trust) = made();
    let mut passport = signer.issue(&holder(), Some(NOW), &mut rng()).unwrap();
    let start = passport.dg1.len() - 88;
    let zone = &mut passport.dg1[start..];
    zone[57..63].copy_from_slice(field);
    zone[63] = b'0' + crate::check_digit(field).unwrap();
    let composite = [&zone[44..54], &zone[57..64], &zone[65..87]].concat();
    zone[87] = b'0' + crate::check_digit(&composite).unwrap();
    passport.others = vec![(11, details(born))];
    let hash = Hash::Sha256;
    let groups = vec![
        (1, hash.digest(&passport.dg1)),
        (2, hash.digest(&passport.dg2)),
        (11, hash.digest(&passport.others[0].1)),
    ];
    let template = ObjectTemplate {
        version: 0,
        hash,
        groups,
        signed_at: Some(NOW),
    };
    passport.sod = security_object(&signer, &template, &mut rng()).unwrap();
    of(&passport, &trust).map(|document| document.mrz().birth_date())
}

#[test]
fn group_11_resolves_a_birth_date_that_the_zone_leaves_open() {
    let zone = |error| Err(PassiveAuthError::Dg1(Dg1Error::Mrz(error)));
    let born = CalendarDate::new(1961, 4, 30).unwrap();
    for field in [b"61<<<<", b"6104<<", b"<<<<<<", b"<<0430", b"610430"] {
        assert!(with_zone(field, Some(born)) == Ok(born));
    }
    for field in [b"62<<<<", b"6105<<", b"<<0429"] {
        assert!(with_zone(field, Some(born)) == zone(MrzError::OtherBirthDate));
    }
    for field in [b"6<<<<<", b"61<4<<", b"61A4<<"] {
        assert!(with_zone(field, Some(born)) == zone(MrzError::Date(Field::BirthDate)));
    }
    assert!(with_zone(b"61<<<<", None) == zone(MrzError::UnknownBirthDate));
    let tomorrow = CalendarDate::new(2026, 6, 2).ok();
    assert!(with_zone(b"26<<<<", tomorrow) == zone(MrzError::Date(Field::BirthDate)));
}
