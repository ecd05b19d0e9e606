use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::certificate::{BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE};
use crate::curve::Curve;
use crate::dg2::DG2_MAX_LEN;
use crate::document::{DocumentFiles, VerifiedDocument};
use crate::hash::Hash;
use crate::sod::SodError;
use crate::specimen::authority::{SPECIMEN_COUNTRY, critical, plain};
use crate::specimen::key::SpecimenKey;
use crate::specimen::passport::{ObjectTemplate, security_object};
use crate::specimen::{
    SignatureKind, SpecimenAuthority, SpecimenPassport, SpecimenSigner, specimen_holder,
};
use crate::time::{CalendarDate, Period};
use crate::tlv::TlvError;
use crate::trust::AuthorityError;

/// 2026-06-01.
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);
pub(crate) const DAY: u64 = 86_400;
pub(crate) const KIND: SignatureKind = SignatureKind::EcdsaP256;

/// Days before and after now.
pub(crate) fn days(before: u64, after: u64) -> Period {
    Period {
        from: UnixTime(NOW.0 - before * DAY),
        until: UnixTime(NOW.0 + after * DAY),
    }
}

pub(crate) fn past(from: u64, until: u64) -> Period {
    Period {
        from: UnixTime(NOW.0 - from * DAY),
        until: UnixTime(NOW.0 - until * DAY),
    }
}

pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([5; 32])
}

pub(crate) fn authority() -> SpecimenAuthority {
    SpecimenAuthority::generate(KIND, days(1000, 1000), &mut rng()).unwrap()
}

pub(crate) fn signer(authority: &SpecimenAuthority) -> SpecimenSigner {
    let mut rng = ChaCha20Rng::from_seed([6; 32]);
    authority
        .issue_signer(KIND, days(100, 100), days(100, 900), &mut rng)
        .unwrap()
}

pub(crate) fn passport(signer: &SpecimenSigner, signed_at: Option<UnixTime>) -> SpecimenPassport {
    let holder = specimen_holder(3, CalendarDate::from_unix(NOW).unwrap()).unwrap();
    signer.issue(&holder, signed_at, &mut rng()).unwrap()
}

pub(crate) fn trust(authority: &SpecimenAuthority) -> TrustStore {
    TrustStore::from_der([authority.certificate()]).unwrap()
}

pub(crate) fn check(
    passport: &SpecimenPassport,
    trust: &TrustStore,
) -> Result<VerifiedDocument, PassiveAuthError> {
    DocumentFiles {
        dg1: &passport.dg1,
        dg2: Some(&passport.dg2),
        others: &[],
        sod: &passport.sod,
    }
    .authenticate(trust, NOW)
}

pub(crate) fn refusal(passport: &SpecimenPassport, trust: &TrustStore) -> PassiveAuthError {
    check(passport, trust).expect_err("must be refused")
}

/// A good passport and the store that trusts it.
fn good() -> (SpecimenPassport, TrustStore) {
    let authority = authority();
    (passport(&signer(&authority), Some(NOW)), trust(&authority))
}

/// The outcome for a passport with another signer's certificate.
fn with_signer(country: &str, extensions: &[Vec<u8>]) -> Option<PassiveAuthError> {
    let authority = authority();
    let key = SpecimenKey::generate(KIND, &mut rng()).unwrap();
    let signer = authority
        .certify(
            key,
            country,
            days(100, 900),
            extensions.to_vec(),
            &mut rng(),
        )
        .unwrap();
    check(&passport(&signer, Some(NOW)), &trust(&authority)).err()
}

/// The outcome for a passport whose authority, signer and signature have these times.
fn with_times(
    authority: Period,
    signer: Period,
    in_use: Option<Period>,
    signed_at: Option<UnixTime>,
) -> Result<SigningTime, PassiveAuthError> {
    let authority = SpecimenAuthority::generate(KIND, authority, &mut rng()).unwrap();
    let signer = match in_use {
        Some(in_use) => authority
            .issue_signer(KIND, in_use, signer, &mut rng())
            .unwrap(),
        None => {
            let key = SpecimenKey::generate(KIND, &mut rng()).unwrap();
            authority
                .certify(key, SPECIMEN_COUNTRY, signer, vec![], &mut rng())
                .unwrap()
        }
    };
    let document = check(&passport(&signer, signed_at), &trust(&authority))?;
    Ok(document.security_object().signing_time())
}

#[test]
fn a_good_document_passes_with_and_without_portrait() {
    let (passport, trust) = good();
    let document = check(&passport, &trust).unwrap();
    assert_eq!(document.mrz().family_name(), "SPECIMEN");
    assert!(
        document
            .portrait()
            .unwrap()
            .image()
            .starts_with(&[0xFF, 0xD8])
    );
    assert_eq!(format!("{document:?}"), "VerifiedDocument(..)");
    let without = DocumentFiles {
        dg1: &passport.dg1,
        dg2: None,
        others: &[],
        sod: &passport.sod,
    };
    assert!(
        without
            .authenticate(&trust, NOW)
            .unwrap()
            .portrait()
            .is_none()
    );
}

#[test]
fn a_changed_byte_in_a_data_group_is_noticed() {
    let (good, trust) = good();
    for place in [0, 10, good.dg1.len() - 1] {
        let mut passport = good.clone();
        passport.dg1[place] ^= 1;
        assert_eq!(
            refusal(&passport, &trust),
            PassiveAuthError::GroupChanged(1)
        );
    }
    for place in [0, 200, good.dg2.len() - 1] {
        let mut passport = good.clone();
        passport.dg2[place] ^= 1;
        assert_eq!(
            refusal(&passport, &trust),
            PassiveAuthError::GroupChanged(2)
        );
    }
}

#[test]
fn swapped_truncated_and_lengthened_data_groups_are_noticed() {
    let (good, trust) = good();
    let mut swapped = good.clone();
    core::mem::swap(&mut swapped.dg1, &mut swapped.dg2);
    assert_eq!(refusal(&swapped, &trust), PassiveAuthError::GroupChanged(1));
    let mut truncated = good.clone();
    truncated.dg1.pop();
    assert_eq!(
        refusal(&truncated, &trust),
        PassiveAuthError::GroupChanged(1)
    );
    let mut longer = good.clone();
    longer.dg2.push(0);
    assert_eq!(refusal(&longer, &trust), PassiveAuthError::GroupChanged(2));
    let mut oversized = good;
    oversized.dg2.resize(DG2_MAX_LEN + 1, 0);
    assert_eq!(
        refusal(&oversized, &trust),
        PassiveAuthError::Dg2(Dg2Error::TooLarge)
    );
}

#[test]
fn the_data_groups_of_another_passport_are_noticed() {
    let authority = authority();
    let signer = signer(&authority);
    let mut one = passport(&signer, Some(NOW));
    let holder = specimen_holder(4, CalendarDate::from_unix(NOW).unwrap()).unwrap();
    let other = signer.issue(&holder, Some(NOW), &mut rng()).unwrap();
    one.dg2 = other.dg2;
    assert_eq!(
        refusal(&one, &trust(&authority)),
        PassiveAuthError::GroupChanged(2)
    );
    one.sod = other.sod;
    assert_eq!(
        refusal(&one, &trust(&authority)),
        PassiveAuthError::GroupChanged(1)
    );
}

#[test]
fn a_group_without_a_signed_hash_is_refused() {
    let authority = authority();
    let signer = signer(&authority);
    let mut passport = passport(&signer, Some(NOW));
    for (missing, groups) in [
        (2, vec![(1, Hash::Sha512.digest(&passport.dg1))]),
        (1, vec![(2, Hash::Sha512.digest(&passport.dg2))]),
        (1, vec![]),
    ] {
        let template = ObjectTemplate {
            version: 0,
            hash: Hash::Sha512,
            groups,
            signed_at: Some(NOW),
        };
        passport.sod = security_object(&signer, &template, &mut rng()).unwrap();
        assert_eq!(
            refusal(&passport, &trust(&authority)),
            PassiveAuthError::GroupNotSigned(missing)
        );
    }
}

#[test]
fn a_changed_signature_is_noticed() {
    let (mut passport, trust) = good();
    // The signature is the last element of the object.
    *passport.sod.last_mut().unwrap() ^= 1;
    let invalid = PassiveAuthError::ObjectSignature(SignatureError::Invalid);
    assert_eq!(refusal(&passport, &trust), invalid);
}

#[test]
fn a_changed_list_of_hashes_is_noticed() {
    let (mut passport, trust) = good();
    let hash = Hash::Sha256.digest(&passport.dg1);
    let place = passport
        .sod
        .windows(32)
        .position(|window| window == hash)
        .unwrap();
    passport.dg1[20] ^= 1;
    let forged = Hash::Sha256.digest(&passport.dg1);
    passport.sod[place..place + 32].copy_from_slice(&forged);
    assert_eq!(refusal(&passport, &trust), PassiveAuthError::MessageDigest);
    // With the digest forged too, the signature no longer fits.
    let object = SecurityObject::parse(&passport.sod).unwrap();
    let (old, new) = (
        &object.message.signer.attributes.message_digest,
        Hash::Sha256.digest(&object.message.content),
    );
    let place = passport
        .sod
        .windows(32)
        .position(|window| window == *old)
        .unwrap();
    passport.sod[place..place + 32].copy_from_slice(&new);
    let invalid = PassiveAuthError::ObjectSignature(SignatureError::Invalid);
    assert_eq!(refusal(&passport, &trust), invalid);
}

#[test]
fn the_signed_content_type_must_be_the_one_of_the_content() {
    let (mut passport, trust) = good();
    // Only the type outside the signature is changed, to another one that is accepted.
    let from: &[u8] = &[0x06, 6, 0x67, 0x81, 0x08, 1, 1, 1];
    let place = passport
        .sod
        .windows(8)
        .position(|window| window == from)
        .unwrap();
    passport.sod[place..place + 8].copy_from_slice(&[0x06, 6, 0x67, 0x81, 0x08, 1, 1, 2]);
    assert!(matches!(
        refusal(&passport, &trust),
        PassiveAuthError::Object(SodError::ContentType(_))
    ));
    let mut object = SecurityObject::parse(&good().0.sod).unwrap();
    object.message.signer.attributes.content_type = crate::cms::SIGNED_DATA;
    assert_eq!(
        object.verify(&trust, NOW).err(),
        Some(PassiveAuthError::ContentType)
    );
}

#[test]
fn broken_objects_are_refused() {
    let (good, trust) = good();
    let mut truncated = good.clone();
    truncated.sod.pop();
    let mut trailing = good;
    trailing.sod.push(0);
    for (passport, wanted) in [
        (truncated, TlvError::Truncated),
        (trailing, TlvError::Trailing),
    ] {
        let wanted = PassiveAuthError::Object(SodError::Frame(wanted));
        assert_eq!(refusal(&passport, &trust), wanted);
    }
}

#[test]
fn an_authority_that_is_not_trusted_is_refused() {
    let (passport, _) = good();
    let nothing = TrustStore::from_der::<[&[u8]; 0]>([]).unwrap();
    assert_eq!(
        refusal(&passport, &nothing),
        PassiveAuthError::UnknownAuthority
    );
}

#[test]
fn an_authority_of_the_same_name_with_another_key_is_refused() {
    let (passport, _) = good();
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let other = SpecimenAuthority::generate(KIND, days(1000, 1000), &mut rng).unwrap();
    let invalid = PassiveAuthError::SignerSignature(SignatureError::Invalid);
    assert_eq!(refusal(&passport, &trust(&other)), invalid);
}

#[test]
fn the_right_key_is_found_among_authorities_of_one_name() {
    let authority = authority();
    let passport = passport(&signer(&authority), Some(NOW));
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let rsa = SpecimenAuthority::generate(SignatureKind::RsaPss, days(9, 9), &mut rng).unwrap();
    let other = SpecimenAuthority::generate(KIND, days(9, 9), &mut rng).unwrap();
    let all = [
        rsa.certificate(),
        other.certificate(),
        authority.certificate(),
    ];
    assert!(check(&passport, &TrustStore::from_der(all).unwrap()).is_ok());
}

#[test]
fn a_signer_is_no_authority_and_an_authority_no_signer() {
    let authority = authority();
    let signer = signer(&authority);
    let refused = TrustStore::from_der([signer.certificate()]).err();
    assert_eq!(refused, Some((0, AuthorityError::NotAnAuthority)));
    let as_authority = [plain(BASIC_CONSTRAINTS, &[0x30, 3, 0x01, 1, 0xFF])];
    let usage = Some(PassiveAuthError::SignerUsage);
    assert_eq!(with_signer("UT", &as_authority), usage);
    let signs_certificates = [critical(KEY_USAGE, &[0x03, 2, 2, 0x04])];
    assert_eq!(with_signer("UT", &signs_certificates), usage);
}

#[test]
fn unknown_extensions_are_refused_when_critical() {
    let unknown = der::asn1::ObjectIdentifier::new_unwrap("1.2.3.4");
    assert_eq!(with_signer("UT", &[plain(unknown, &[5, 0])]), None);
    let refused = Some(PassiveAuthError::SignerUsage);
    assert_eq!(with_signer("UT", &[critical(unknown, &[5, 0])]), refused);
}

#[test]
fn a_signer_of_another_country_than_its_authority_is_refused() {
    assert_eq!(with_signer("ut", &[]), None);
    for country in ["XX", "U", "UTO"] {
        assert_eq!(
            with_signer(country, &[]),
            Some(PassiveAuthError::SignerCountry)
        );
    }
}

#[test]
fn a_document_of_another_state_than_its_signer_is_refused() {
    let authority =
        SpecimenAuthority::of_country("XX", KIND, days(1000, 1000), &mut rng()).unwrap();
    let key = SpecimenKey::generate(KIND, &mut rng()).unwrap();
    let signer = authority
        .certify(key, "XX", days(100, 900), vec![], &mut rng())
        .unwrap();
    let passport = passport(&signer, Some(NOW));
    assert_eq!(
        refusal(&passport, &trust(&authority)),
        PassiveAuthError::OtherState
    );
}

#[test]
fn certificates_count_at_the_stated_time_and_not_today() {
    let then = UnixTime(NOW.0 - 500 * DAY);
    // Both have expired since.
    let result = with_times(
        past(900, 100),
        past(600, 200),
        Some(past(600, 400)),
        Some(then),
    );
    assert_eq!(result, Ok(SigningTime::Stated(then)));
    let signer_expired = Err(PassiveAuthError::SignerNotValid);
    let stated = |at| {
        with_times(
            days(1000, 9),
            past(600, 200),
            Some(past(600, 200)),
            Some(at),
        )
    };
    assert!(stated(UnixTime(NOW.0 - 200 * DAY)).is_ok());
    assert_eq!(stated(UnixTime(NOW.0 - 200 * DAY + 1)), signer_expired);
    assert_eq!(stated(UnixTime(NOW.0 - 600 * DAY - 1)), signer_expired);
    let result = with_times(
        past(900, 550),
        past(600, 200),
        Some(past(600, 200)),
        Some(then),
    );
    assert_eq!(result, Err(PassiveAuthError::AuthorityNotValid));
}

#[test]
fn a_key_does_not_sign_after_its_period_of_use() {
    let then = UnixTime(NOW.0 - 300 * DAY);
    let result = with_times(
        days(900, 100),
        past(600, 200),
        Some(past(600, 400)),
        Some(then),
    );
    assert_eq!(result, Err(PassiveAuthError::SignerNotValid));
}

#[test]
fn a_document_is_not_signed_in_the_future() {
    let tomorrow = Some(UnixTime(NOW.0 + DAY));
    let result = with_times(days(900, 900), days(90, 90), Some(days(90, 90)), tomorrow);
    assert_eq!(result, Err(PassiveAuthError::SignedInFuture));
    let from = Period {
        from: UnixTime(NOW.0 + DAY),
        until: UnixTime(NOW.0 + 2 * DAY),
    };
    let result = with_times(days(900, 900), days(90, 90), Some(from), None);
    assert_eq!(result, Err(PassiveAuthError::SignedInFuture));
}

#[test]
fn without_a_stated_time_the_use_of_the_key_counts() {
    let in_use = past(600, 400);
    let result = with_times(past(900, 100), past(600, 200), Some(in_use), None);
    assert_eq!(result, Ok(SigningTime::KeyInUseFrom(in_use.from)));
    let result = with_times(past(900, 100), past(500, 200), Some(in_use), None);
    assert_eq!(result, Err(PassiveAuthError::SignerNotValid));
    let result = with_times(past(550, 100), past(600, 200), Some(in_use), None);
    assert_eq!(result, Err(PassiveAuthError::AuthorityNotValid));
}

#[test]
fn without_any_time_the_certificates_must_be_valid_now() {
    let result = with_times(days(900, 900), days(90, 90), None, None);
    assert_eq!(result, Ok(SigningTime::Unknown));
    let result = with_times(days(900, 900), past(90, 1), None, None);
    assert_eq!(result, Err(PassiveAuthError::SignerNotValid));
    let result = with_times(past(900, 1), days(90, 90), None, None);
    assert_eq!(result, Err(PassiveAuthError::AuthorityNotValid));
}

#[test]
fn an_object_without_its_signers_certificate_is_refused() {
    let (passport, trust) = good();
    let mut object = SecurityObject::parse(&passport.sod).unwrap();
    object.message.certificates.clear();
    assert_eq!(
        object.verify(&trust, NOW).err(),
        Some(PassiveAuthError::SignerMissing)
    );
}

#[test]
fn a_signer_is_found_by_the_id_of_its_key_or_because_its_key_fits() {
    let (passport, trust) = good();
    let named_by = |change: u8, remove: bool| {
        let mut object = SecurityObject::parse(&passport.sod).unwrap();
        let mut id = object.message.certificates[0]
            .extras
            .subject_key_id
            .clone()
            .unwrap();
        id[0] ^= change;
        object.message.signer.id = crate::cms::SignerId::KeyId(id);
        if remove {
            // What is left is a certificate whose key did not sign.
            let other = Certificate::parse(authority().certificate()).unwrap();
            object.message.certificates = vec![other];
        }
        object.verify(&trust, NOW).err()
    };
    assert_eq!(named_by(0, false), None);
    assert_eq!(named_by(1, false), None);
    assert_eq!(named_by(1, true), Some(PassiveAuthError::SignerMissing));
}

/// A passport of a signer of this kind, under an authority of that one.
fn of_kinds(authority: SignatureKind, signer: SignatureKind) -> (SpecimenPassport, TrustStore) {
    let mut rng = ChaCha20Rng::from_seed([12; 32]);
    let authority = SpecimenAuthority::generate(authority, days(1000, 1000), &mut rng).unwrap();
    let signer = authority
        .issue_signer(signer, days(100, 100), days(100, 900), &mut rng)
        .unwrap();
    (passport(&signer, Some(NOW)), trust(&authority))
}

#[test]
fn curves_that_keys_spell_out_are_as_good_as_named_ones() {
    for curve in Curve::ALL {
        let kind = SignatureKind::EcdsaExplicit(curve);
        let (passport, trust) = of_kinds(kind, kind);
        let document = check(&passport, &trust).unwrap();
        let algorithms = document.security_object().algorithms();
        assert_eq!(
            algorithms.object,
            format!("ECDSA {} with SHA-256", curve.name())
        );
        assert_eq!(algorithms.signer, algorithms.object);
        assert_eq!(document.security_object().weaknesses(), []);
    }
}

#[test]
fn what_rests_on_sha_1_is_named() {
    let (strong, weak) = (SignatureKind::RsaPkcs1, SignatureKind::RsaPkcs1Sha1);
    for (authority, signer, wanted) in [
        (strong, strong, &[][..]),
        (weak, strong, &[Weakness::Signer]),
        (strong, weak, &[Weakness::DataGroups, Weakness::Object]),
        (
            weak,
            weak,
            &[Weakness::DataGroups, Weakness::Object, Weakness::Signer],
        ),
    ] {
        let (passport, trust) = of_kinds(authority, signer);
        let document = check(&passport, &trust).unwrap();
        assert_eq!(document.security_object().weaknesses(), wanted);
    }
}

#[test]
fn keys_with_other_purposes_sign_no_documents() {
    let purpose = |text: &str| {
        let oid = der::asn1::ObjectIdentifier::new_unwrap(text);
        crate::tlv::element(0x30, &[&der::Encode::to_der(&oid).unwrap()])
    };
    let usage = Some(PassiveAuthError::SignerUsage);
    // Master lists, deviation lists; a web server's purpose where nothing else is allowed.
    for text in ["2.23.136.1.1.3", "2.23.136.1.1.8"] {
        let extension = plain(EXTENDED_KEY_USAGE, &purpose(text));
        assert_eq!(with_signer("UT", &[extension]), usage, "{text}");
    }
    let server = purpose("1.3.6.1.5.5.7.3.1");
    let strict = critical(EXTENDED_KEY_USAGE, &server);
    assert_eq!(with_signer("UT", &[strict]), usage);
    assert_eq!(
        with_signer("UT", &[plain(EXTENDED_KEY_USAGE, &server)]),
        None
    );
}
