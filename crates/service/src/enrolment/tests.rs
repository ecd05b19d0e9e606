mod face;

use bbs::certificate::NymSecrets;
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::issuance::{Binding, Purpose, prove_nym_commitment};
use credential::jose::SigningKey;
use mrtd::specimen::SpecimenHolder;

use super::session::Confirmed;
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
    /// As the wallet has seen the session at this version.
    fn hold(&self, version: Version) -> Hold<'_> {
        Hold {
            session: self.id,
            token: &self.token,
            version,
        }
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

    fn consent(&self, evidence: ChosenEvidence) -> Consent {
        Consent {
            notice: jose::sha256(self.enrolments.notice().json().as_bytes()),
            evidence,
            face: FaceConsent::Withheld,
        }
    }

    async fn present(&self, holder: &SpecimenHolder) -> Wallet {
        let wallet = self.begin();
        let consent = self.consent(ChosenEvidence::Document);
        let agreed = self
            .enrolments
            .consent(wallet.hold(Version(1)), consent, NOW);
        let (status, _) = agreed.await.ok().unwrap();
        let upload = upload(&self.passport(holder));
        self.enrolments
            .present_document(wallet.hold(status.version), upload, NOW)
            .await
            .ok()
            .unwrap();
        wallet
    }

    async fn status(&self, wallet: &Wallet) -> Status {
        let status = self.enrolments.status(wallet.id, &wallet.token, NOW);
        status.await.unwrap()
    }

    async fn commit(
        &self,
        wallet: &Wallet,
        request: &CommitmentRequest,
    ) -> Result<Offered, EnrolmentError> {
        let hold = wallet.hold(self.status(wallet).await.version);
        self.enrolments.commit(hold, request, NOW).await
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
    let reasons = vec![ReviewReason::ChipNotProved, ReviewReason::FaceNotChecked];
    assert_eq!(
        world.enrolments.awaiting_officer(NOW),
        [(wallet.id, reasons)]
    );
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
        let refused = world.commit(&wallet, &request).await;
        assert!(matches!(refused, Err(EnrolmentError::CommitmentMismatch)));
        let again = world.commit(&wallet, &request).await;
        assert!(matches!(again, Err(EnrolmentError::CommitmentMismatch)));
    }
    let request = world.request(&wallet, Purpose::Register).await;
    let offered = world.commit(&wallet, &request).await.unwrap();
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
        let offered = world.commit(&wallet, &request).await.unwrap();
        drawn.push(offered.entropy.unwrap());
    }
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2]);
}

#[tokio::test]
async fn nothing_is_taken_before_the_person_agrees_to_it() {
    let world = World::new().await;
    let wallet = world.begin();
    let passport = world.passport(&holder(1));
    let send = |version| {
        let hold = wallet.hold(version);
        world
            .enrolments
            .present_document(hold, upload(&passport), NOW)
    };
    let refused = send(Version(1)).await;
    assert!(matches!(refused, Err(EnrolmentError::WrongStep)));
    let agree = |consent, version| world.enrolments.consent(wallet.hold(version), consent, NOW);
    let other = Consent {
        notice: [0; 32],
        ..world.consent(ChosenEvidence::ResidentNumber)
    };
    let refused = agree(other, Version(1)).await;
    assert!(matches!(refused, Err(EnrolmentError::OtherNotice)));
    let resident = world.consent(ChosenEvidence::ResidentNumber);
    let (status, receipt) = agree(resident, Version(1)).await.ok().unwrap();
    assert_eq!(status.state, StateName::AwaitingEvidence);
    assert_eq!(receipt.session, session_text(wallet.id));
    assert_eq!(receipt.evidence, ChosenEvidence::ResidentNumber);
    let refused = send(status.version).await;
    assert!(matches!(refused, Err(EnrolmentError::NotChosen)));
    let again = agree(resident, status.version).await;
    assert!(matches!(again, Err(EnrolmentError::WrongStep)));
}

#[tokio::test]
async fn a_request_for_another_version_of_the_session_changes_nothing() {
    let world = World::new().await;
    let wallet = world.begin();
    for version in [Version(0), Version(2)] {
        let consent = world.consent(ChosenEvidence::Document);
        let refused = world.enrolments.consent(wallet.hold(version), consent, NOW);
        assert!(matches!(refused.await, Err(EnrolmentError::Moved)));
        assert_eq!(world.state(&wallet).await, StateName::AwaitingConsent);
    }
    let wallet = world.present(&holder(1)).await;
    world.decide(&wallet, Verdict::Confirm).await.unwrap();
    let request = world.request(&wallet, Purpose::Register).await;
    let Version(version) = world.status(&wallet).await.version;
    let stale = wallet.hold(Version(version - 1));
    let refused = world.enrolments.commit(stale, &request, NOW).await;
    assert!(matches!(refused, Err(EnrolmentError::Moved)));
    let offered = world.commit(&wallet, &request).await.unwrap();
    // The answer was lost: the very same request gets it again.
    let again = world
        .enrolments
        .commit(wallet.hold(Version(version)), &request, NOW);
    assert_eq!(*again.await.unwrap().code, *offered.code);
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_ends_the_session() {
    let world = World::new().await;
    let wallet = world.present(&holder(1)).await;
    let withdraw = || world.enrolments.withdraw((wallet.id, &wallet.token), NOW);
    withdraw().await.unwrap();
    withdraw().await.unwrap();
    let status = world.status(&wallet).await;
    assert_eq!(status.refusal, Some(Refusal::Withdrawn));
    assert!(world.enrolments.awaiting_officer(NOW).is_empty());
}

#[tokio::test]
async fn a_namesake_of_the_same_birth_date_and_sex_is_looked_at_again() {
    let world = World::new().await;
    register(&world, &holder(1)).await;
    let namesake = SpecimenHolder {
        document_number: "NEW4711".to_owned(),
        personal_number: None,
        ..holder(1)
    };
    let wallet = world.present(&namesake).await;
    let first = world.decide(&wallet, Verdict::Confirm).await;
    assert!(matches!(first, Err(EnrolmentError::LookAgain)));
    let view = world.enrolments.evidence(wallet.id, NOW).await.unwrap();
    assert!(view.reasons.contains(&ReviewReason::PossibleDuplicate));
    assert!(view.review.is_some());
    let second = world.decide(&wallet, Verdict::Confirm).await;
    assert!(matches!(second, Ok(OfficerCode::Transaction(_))));
    assert_eq!(
        world.status(&wallet).await.confirmed.unwrap().registration,
        Registration::None
    );
}

#[tokio::test]
async fn two_namesakes_at_the_same_moment_do_not_pass_the_review() {
    let world = World::new().await;
    let namesake = SpecimenHolder {
        document_number: "NEW4711".to_owned(),
        personal_number: None,
        ..holder(1)
    };
    let wallet = world.present(&namesake).await;
    world.decide(&wallet, Verdict::Confirm).await.unwrap();
    register(&world, &holder(1)).await;
    let request = world.request(&wallet, Purpose::Register).await;
    world.commit(&wallet, &request).await.unwrap();
    assert_eq!(insert(&world, &wallet).await, store::Inserted::ReviewNeeded);
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
    world.commit(&wallet, &request).await.unwrap();
    assert_eq!(insert(world, &wallet).await, store::Inserted::Done);
}

/// Writes the row of a session to which a certificate is offered.
async fn insert(world: &World, wallet: &Wallet) -> store::Inserted {
    let session = world.enrolments.locked(wallet.id, NOW).await.unwrap();
    let session::Step::Offered(step) = session.step() else {
        panic!("a certificate is offered")
    };
    let row = commitment::first_row(&step.commitment, [0; 48], [0; 32], NOW.epoch());
    let Confirmed {
        tags, review_tag, ..
    } = &*step.confirmed;
    let inserted = world.register.insert(&row, tags, Some(review_tag)).await;
    inserted.unwrap()
}
