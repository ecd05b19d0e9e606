use bbs::certificate::NymSecrets;
use credential::issuance::{Binding, Purpose, prove_nym_commitment};
use credential::jose::SigningKey;
use mrtd::specimen::SpecimenHolder;

use super::*;
use crate::officer::{Decision, Verdict};
use crate::testing::{NOW, SESSION_SECS, World, desk, holder, upload};

/// A session in a wallet's hands.
struct Wallet {
    device: SigningKey,
    id: SessionId,
    token: zeroize::Zeroizing<String>,
}

impl Wallet {
    fn session(&self) -> (SessionId, &str) {
        (self.id, self.token.as_str())
    }
}

impl World {
    fn begin(&self) -> Wallet {
        let device = SigningKey::generate();
        let begun = self.enrolments.begin(*device.public(), NOW).unwrap();
        Wallet {
            device,
            id: begun.session,
            token: begun.token,
        }
    }

    async fn present(&self, holder: &SpecimenHolder) -> Wallet {
        let wallet = self.begin();
        let upload = upload(&self.passport(holder));
        self.enrolments
            .present_document(wallet.session(), upload, NOW)
            .await
            .unwrap();
        wallet
    }

    async fn decide(
        &self,
        wallet: &Wallet,
        decision: Verdict,
    ) -> Result<OfficerCode, EnrolmentError> {
        let evidence = self.enrolments.evidence(wallet.id, NOW).await?;
        let decision = Decision {
            iss: desk(),
            session: session_text(wallet.id),
            evidence_digest: jose::encode(evidence.digest),
            decision,
            reason: "test".to_owned(),
            iat: NOW,
        };
        let signed = decision.sign(&self.officer_key);
        self.enrolments
            .decide(&self.officers, (wallet.id, &desk()), &signed, NOW)
            .await
    }

    async fn state(&self, wallet: &Wallet) -> StateName {
        self.enrolments
            .status(wallet.id, &wallet.token, NOW)
            .await
            .unwrap()
            .state
    }

    /// A commitment to fresh secrets with its proof for this purpose.
    async fn request(&self, wallet: &Wallet, purpose: Purpose) -> CommitmentRequest {
        let mut rng = secret::rng();
        let status = self
            .enrolments
            .status(wallet.id, &wallet.token, NOW)
            .await
            .unwrap();
        let binding = Binding {
            issuer: &self.origin,
            nonce: status.nonce.as_bytes(),
            purpose,
            device_key: wallet.device.public(),
        };
        let secrets = NymSecrets::draw(&mut rng);
        let (commitment, blind) = bbs::certificate::NymCommitment::commit(&secrets, &mut rng);
        let proof = prove_nym_commitment(&commitment, (&secrets, &blind), &binding, &mut rng);
        CommitmentRequest {
            commitment: commitment.to_bytes().to_vec(),
            proof,
        }
    }
}

#[tokio::test]
async fn a_session_is_unknown_from_the_second_it_expires() {
    let world = World::new().await;
    let wallet = world.begin();
    let at = |now| world.enrolments.status(wallet.id, &wallet.token, now);
    assert!(at(NOW.plus_secs(SESSION_SECS - 1)).await.is_ok());
    let late = at(NOW.plus_secs(SESSION_SECS)).await;
    assert!(matches!(late, Err(EnrolmentError::UnknownSession)));
    world
        .enrolments
        .forget_expired(NOW.plus_secs(SESSION_SECS - 1));
    assert!(at(NOW).await.is_ok());
    world.enrolments.forget_expired(NOW.plus_secs(SESSION_SECS));
    assert!(at(NOW).await.is_err());
}

#[tokio::test]
async fn there_are_no_more_sessions_than_configured_until_one_expires() {
    let world = World::with_sessions(2).await;
    let key = *SigningKey::generate().public();
    let begin = |now| world.enrolments.begin(key, now);
    assert!(begin(NOW).is_ok() && begin(NOW).is_ok());
    assert!(matches!(begin(NOW), Err(EnrolmentError::TooManySessions)));
    let later = NOW.plus_secs(SESSION_SECS);
    world.enrolments.forget_expired(later);
    assert!(begin(later).is_ok());
}

#[tokio::test]
async fn the_wrong_token_is_as_good_as_no_session() {
    let world = World::new().await;
    let (wallet, other) = (world.begin(), world.begin());
    for token in [other.token.as_str(), "", &session_text(wallet.id)] {
        let refused = world.enrolments.status(wallet.id, token, NOW).await;
        assert!(matches!(refused, Err(EnrolmentError::UnknownSession)));
    }
}

#[tokio::test]
async fn the_officer_sees_what_the_document_says_and_the_portrait_ends_with_the_decision() {
    let world = World::new().await;
    let person = holder(3);
    let wallet = world.present(&person).await;
    assert_eq!(world.enrolments.awaiting_officer(NOW), [wallet.id]);
    let view = world.enrolments.evidence(wallet.id, NOW).await.unwrap();
    assert_eq!(view.attributes.document_number, person.document_number);
    assert_eq!(
        view.attributes.family_name,
        person.family_name.to_uppercase()
    );
    let (portrait, _) = view.portrait.unwrap();
    assert!(portrait.starts_with(&[0xFF, 0xD8]));
    assert!(matches!(
        world.decide(&wallet, Verdict::Confirm).await.unwrap(),
        OfficerCode::Transaction(code) if code.len() == 6
    ));
    assert!(matches!(
        world.enrolments.evidence(wallet.id, NOW).await,
        Err(EnrolmentError::WrongStep)
    ));
    assert!(world.enrolments.awaiting_officer(NOW).is_empty());
}

#[tokio::test]
async fn numbers_that_lead_to_two_persons_end_the_session() {
    let world = World::new().await;
    for number in [1, 2] {
        register(&world, &holder(number)).await;
    }
    let mixed = SpecimenHolder {
        personal_number: holder(2).personal_number,
        ..holder(1)
    };
    let wallet = world.present(&mixed).await;
    assert!(matches!(
        world.decide(&wallet, Verdict::Confirm).await,
        Ok(OfficerCode::None)
    ));
    let status = world
        .enrolments
        .status(wallet.id, &wallet.token, NOW)
        .await
        .unwrap();
    assert_eq!(status.refusal, Some(Refusal::ConflictingNumbers));
}

#[tokio::test]
async fn a_document_without_a_person_number_has_one_tag() {
    let world = World::new().await;
    let person = SpecimenHolder {
        personal_number: None,
        ..holder(1)
    };
    register(&world, &person).await;
    let wallet = world.present(&person).await;
    world.decide(&wallet, Verdict::Confirm).await.unwrap();
    let status = world
        .enrolments
        .status(wallet.id, &wallet.token, NOW)
        .await
        .unwrap();
    assert_eq!(status.confirmed.unwrap().registration, Registration::Exists);
}

#[tokio::test]
async fn too_few_trustees_leave_the_session_as_it_was() {
    let world = World::new().await;
    let wallet = world.present(&holder(1)).await;
    world.group.trustees[0].switch_off();
    world.group.trustees[1].switch_off();
    let failed = world.decide(&wallet, Verdict::Confirm).await;
    assert!(matches!(failed, Err(EnrolmentError::TrusteesUnavailable)));
    assert_eq!(world.state(&wallet).await, StateName::AwaitingOfficer);
    world.group.trustees[0].switch_on();
    assert!(world.decide(&wallet, Verdict::Confirm).await.is_ok());
    assert_eq!(world.state(&wallet).await, StateName::Confirmed);
}

#[tokio::test]
async fn a_proof_for_another_purpose_or_nonce_is_refused() {
    let world = World::new().await;
    let wallet = world.present(&holder(1)).await;
    world.decide(&wallet, Verdict::Confirm).await.unwrap();
    for purpose in [Purpose::Restore, Purpose::Issue] {
        let request = world.request(&wallet, purpose).await;
        let refused = world
            .enrolments
            .commit(wallet.session(), &request, NOW)
            .await;
        assert!(matches!(refused, Err(EnrolmentError::CommitmentMismatch)));
        let again = world
            .enrolments
            .commit(wallet.session(), &request, NOW)
            .await;
        assert!(matches!(again, Err(EnrolmentError::CommitmentMismatch)));
    }
    let request = world.request(&wallet, Purpose::Register).await;
    let offered = world
        .enrolments
        .commit(wallet.session(), &request, NOW)
        .await
        .unwrap();
    assert!(offered.entropy.is_some());
    assert_ne!(offered.commitment.to_vec(), request.commitment);
}

#[tokio::test]
async fn the_entropy_is_fresh_for_every_commitment() {
    let world = World::new().await;
    let mut drawn = Vec::new();
    for number in 1..=3 {
        let wallet = world.present(&holder(number)).await;
        world.decide(&wallet, Verdict::Confirm).await.unwrap();
        let request = world.request(&wallet, Purpose::Register).await;
        let offered = world
            .enrolments
            .commit(wallet.session(), &request, NOW)
            .await
            .unwrap();
        drawn.push(offered.entropy.unwrap());
    }
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2]);
}

#[test]
fn a_session_identifier_has_one_spelling() {
    let id = SessionId([7; 16]);
    assert_eq!(parse_session(&session_text(id)), Some(id));
    for text in [
        "",
        "AAAA",
        "BwcHBwcHBwcHBwcHBwcHBx",
        "BwcHBwcHBwcHBwcHBwcHBw==",
    ] {
        assert_eq!(parse_session(text), None, "{text}");
    }
}

/// Puts a person into the register as the confirmed session of one would.
async fn register(world: &World, person: &SpecimenHolder) {
    let wallet = world.present(person).await;
    world.decide(&wallet, Verdict::Confirm).await.unwrap();
    let request = world.request(&wallet, Purpose::Register).await;
    world
        .enrolments
        .commit(wallet.session(), &request, NOW)
        .await
        .unwrap();
    let session = world.enrolments.locked(wallet.id, NOW).await.unwrap();
    let Step::Offered(step) = &session.step else {
        panic!("a certificate is offered")
    };
    let row = commitment::first_row(&step.commitment, [0; 48], [0; 32], NOW.epoch());
    world
        .register
        .insert(&row, &step.confirmed.tags)
        .await
        .unwrap();
}
