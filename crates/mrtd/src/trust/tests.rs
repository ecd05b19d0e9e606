use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::curve::Curve;
use crate::passive::PassiveAuthError;
use crate::passive::tests::{
    DAY, KIND, NOW, authority, check, days, passport, past, refusal, rng, signer, trust,
};
use crate::specimen::{SignatureKind, SpecimenAuthority, SpecimenSigner};

#[test]
fn a_revoked_signer_is_refused_whatever_time_it_states() {
    let authority = authority();
    let (signer, other) = (signer(&authority), {
        let mut rng = ChaCha20Rng::from_seed([13; 32]);
        let made = authority.issue_signer(KIND, days(100, 100), days(100, 900), &mut rng);
        made.unwrap()
    });
    let of = |lists: &[Vec<u8>], signer: &SpecimenSigner| {
        let mut trust = trust(&authority);
        for list in lists {
            trust.add_revocation_list(list).unwrap();
        }
        let document = check(&passport(signer, Some(UnixTime(NOW.0 - 50 * DAY))), &trust)?;
        Ok(document.security_object().revocation())
    };
    let list = |signers: &[&SpecimenSigner], period| {
        authority.revoke(signers, period, &mut rng()).unwrap()
    };
    assert_eq!(of(&[], &signer), Ok(Revocation::NoList));
    let (clean, revoking) = (list(&[], days(9, 9)), list(&[&other, &signer], days(8, 9)));
    let made = days(9, 9).from;
    let clear = |stale| Ok(Revocation::NotListed { made, stale });
    assert_eq!(of(std::slice::from_ref(&clean), &signer), clear(false));
    assert_eq!(of(&[list(&[], past(9, 1))], &signer), clear(true));
    // The newer list counts, in whatever order they come.
    let revoked = Err(PassiveAuthError::Revoked);
    for lists in [[clean.clone(), revoking.clone()], [revoking, clean.clone()]] {
        assert_eq!(of(&lists, &signer), revoked);
        assert_eq!(of(&lists, &other), revoked);
    }
    let again = list(&[&other], days(1, 9));
    assert_eq!(of(std::slice::from_ref(&again), &other), revoked);
    assert!(of(&[again], &signer).is_ok());
}

#[test]
fn a_revocation_list_is_the_authoritys_alone() {
    let mut rng = ChaCha20Rng::from_seed([14; 32]);
    let other = SpecimenAuthority::generate(KIND, days(9, 9), &mut rng).unwrap();
    let foreign = other.revoke(&[], days(1, 9), &mut rng).unwrap();
    let authority = authority();
    let mut trust = trust(&authority);
    let refused = trust.add_revocation_list(&foreign).err();
    assert_eq!(refused, Some(RevocationListError::UnknownAuthority));
    let list = authority.revoke(&[&signer(&authority)], days(1, 9), &mut rng);
    let list = list.unwrap();
    for place in 0..list.len() {
        let mut changed = list.clone();
        changed[place] ^= 1;
        assert!(trust.add_revocation_list(&changed).is_err(), "byte {place}");
        assert!(trust.add_revocation_list(&list[..place]).is_err());
    }
    assert_eq!(trust.revocation_lists(), 0);
}

#[test]
fn a_new_key_is_taken_from_a_trusted_one_of_the_same_state() {
    let mut rng = ChaCha20Rng::from_seed([15; 32]);
    let kind = SignatureKind::EcdsaExplicit(Curve::BrainpoolP384r1);
    let new = SpecimenAuthority::generate(kind, days(9, 900), &mut rng).unwrap();
    let old = authority();
    let link = old.link_to(&new, days(9, 900), &mut rng).unwrap();
    assert_eq!(trust(&old).check_link(&link), Ok(()));
    // A self-signed certificate of the new key is no link, nor is one of another key or state.
    let invalid = Err(LinkError::Signature(SignatureError::Invalid));
    assert_eq!(trust(&old).check_link(new.certificate()), invalid);
    let stranger = SpecimenAuthority::generate(KIND, days(9, 900), &mut rng).unwrap();
    let link = stranger.link_to(&new, days(9, 900), &mut rng).unwrap();
    assert_eq!(trust(&old).check_link(&link), invalid);
    let foreign = SpecimenAuthority::of_country("XX", KIND, days(9, 900), &mut rng).unwrap();
    let link = old.link_to(&foreign, days(9, 900), &mut rng).unwrap();
    assert_eq!(trust(&old).check_link(&link), Err(LinkError::OtherState));
    let ended = SpecimenAuthority::generate(KIND, past(900, 100), &mut rng).unwrap();
    let link = ended.link_to(&new, days(9, 900), &mut rng).unwrap();
    assert_eq!(trust(&ended).check_link(&link), Err(LinkError::NotValid));
    let weak = SpecimenAuthority::generate(SignatureKind::RsaPkcs1Sha1, days(9, 9), &mut rng);
    let weak = weak.unwrap();
    let link = weak.link_to(&new, days(9, 900), &mut rng).unwrap();
    assert_eq!(trust(&weak).check_link(&link), Err(LinkError::Weak));
    let signer = signer(&old);
    let refused = trust(&old).check_link(signer.certificate());
    let no_authority = AuthorityError::NotAnAuthority;
    assert_eq!(refused, Err(LinkError::Authority(no_authority)));
}

#[test]
fn no_state_revokes_for_another() {
    let mut rng = ChaCha20Rng::from_seed([16; 32]);
    let utopia = authority();
    let signer = signer(&utopia);
    let foreign = SpecimenAuthority::of_country("XX", KIND, days(900, 900), &mut rng).unwrap();
    let both = [utopia.certificate(), foreign.certificate()].map(<[u8]>::to_vec);
    let revoking = utopia.revoke(&[&signer], days(2, 9), &mut rng).unwrap();
    let mut trust = TrustStore::from_der(both).unwrap();
    trust.add_revocation_list(&revoking).unwrap();
    // A newer list without the signer, under Utopia's name and with the other state's key.
    let impostor = foreign.under_the_name_of(&utopia);
    let list = impostor.revoke(&[], days(1, 9), &mut rng).unwrap();
    let refused = trust.add_revocation_list(&list).err();
    assert_eq!(refused, Some(RevocationListError::UnknownAuthority));
    let revoked = PassiveAuthError::Revoked;
    assert_eq!(refusal(&passport(&signer, Some(NOW)), &trust), revoked);
}

#[test]
fn lists_of_two_keys_of_one_state_stand_beside_each_other() {
    let mut rng = ChaCha20Rng::from_seed([17; 32]);
    let (old, new) = (
        authority(),
        SpecimenAuthority::generate(KIND, days(9, 900), &mut rng).unwrap(),
    );
    let signer = signer(&old);
    let both = [old.certificate(), new.certificate()];
    let revoking = old.revoke(&[&signer], days(2, 9), &mut rng).unwrap();
    let newer = new.revoke(&[], days(1, 9), &mut rng).unwrap();
    for lists in [[&revoking, &newer], [&newer, &revoking]] {
        let mut trust = TrustStore::from_der(both).unwrap();
        for list in lists {
            assert!(trust.add_revocation_list(list).unwrap().is_some());
        }
        assert_eq!(trust.revocation_lists(), 2);
        let revoked = PassiveAuthError::Revoked;
        assert_eq!(refusal(&passport(&signer, Some(NOW)), &trust), revoked);
    }
    // After a change of keys a state goes on with one list, signed with the new key.
    let mut trust = TrustStore::from_der(both).unwrap();
    let list = new.revoke(&[&signer], days(1, 9), &mut rng).unwrap();
    trust.add_revocation_list(&list).unwrap();
    let revoked = PassiveAuthError::Revoked;
    assert_eq!(refusal(&passport(&signer, Some(NOW)), &trust), revoked);
}

#[test]
fn any_certificate_of_the_authoritys_key_may_be_the_one_that_was_valid() {
    let mut rng = ChaCha20Rng::from_seed([18; 32]);
    let old = SpecimenAuthority::generate(KIND, days(999, 999), &mut rng).unwrap();
    let new = authority();
    let narrow = old.link_to(&new, past(900, 800), &mut rng).unwrap();
    let signer = signer(&new);
    let passport = passport(&signer, Some(UnixTime(NOW.0 - 50 * DAY)));
    let own = new.certificate().to_vec();
    for certificates in [vec![&narrow, &own], vec![&own, &narrow]] {
        let trust = TrustStore::from_der(certificates).unwrap();
        assert!(check(&passport, &trust).is_ok());
    }
    let trust = TrustStore::from_der([&narrow]).unwrap();
    assert_eq!(
        refusal(&passport, &trust),
        PassiveAuthError::AuthorityNotValid
    );
}

#[test]
fn a_master_list_is_its_own_states_and_strong() {
    let mut rng = ChaCha20Rng::from_seed([19; 32]);
    let utopia = authority();
    let own = trust(&utopia);
    let list = |authority: &SpecimenAuthority, rng: &mut ChaCha20Rng| {
        let file = authority.master_list(&[utopia.certificate()], NOW, rng);
        MasterList::parse(&file.unwrap()).unwrap()
    };
    assert_eq!(list(&utopia, &mut rng).is_signed_under(&own, NOW), Ok(()));
    // The signer's certificate names Utopia, and another trusted state has signed it.
    let foreign = SpecimenAuthority::of_country("XX", KIND, days(900, 900), &mut rng).unwrap();
    let refused = list(&foreign, &mut rng).is_signed_under(&trust(&foreign), NOW);
    assert_eq!(refused, Err(MasterListError::UnknownAuthority));
    let kind = SignatureKind::RsaPkcs1Sha1;
    let weak = SpecimenAuthority::generate(kind, days(900, 900), &mut rng).unwrap();
    let refused = list(&weak, &mut rng).is_signed_under(&trust(&weak), NOW);
    assert_eq!(refused, Err(MasterListError::Weak));
    let late = UnixTime(NOW.0 - 1);
    let refused = list(&utopia, &mut rng).is_signed_under(&own, late);
    assert_eq!(refused, Err(MasterListError::Signer));
    let ended = SpecimenAuthority::generate(KIND, past(900, 1), &mut rng).unwrap();
    let refused = list(&ended, &mut rng).is_signed_under(&trust(&ended), NOW);
    assert_eq!(refused, Err(MasterListError::UnknownAuthority));
}
