use credential::jose::{self, SigningKey};

use super::*;
use crate::testing::{NOW, World, desk};

fn statement(origin: &Origin) -> OfficerRequest {
    OfficerRequest {
        iss: desk(),
        aud: origin.clone(),
        iat: NOW,
        exp: NOW.plus_secs(60),
        jti: jose::encode(secret::random::<16>()),
        htm: "GET".to_owned(),
        htu: format!("{origin}/officer/enrolments"),
    }
}

#[tokio::test]
async fn a_statement_is_taken_once_until_the_second_it_expires() {
    let world = World::new().await;
    let signed = statement(&world.origin).sign(&world.officer_key);
    let path = "/officer/enrolments";
    let at = |now| world.officers.authenticate(&signed, "GET", path, now);
    assert!(matches!(
        at(NOW.plus_secs(60)).await,
        Err(OfficerError::Refused)
    ));
    assert_eq!(at(NOW.plus_secs(59)).await.unwrap(), desk());
    assert!(matches!(
        at(NOW.plus_secs(59)).await,
        Err(OfficerError::Replayed)
    ));
}

#[tokio::test]
async fn a_refused_statement_is_not_used_up() {
    let world = World::new().await;
    let signed = statement(&world.origin).sign(&world.officer_key);
    let wrong = world
        .officers
        .authenticate(&signed, "POST", "/officer/enrolments", NOW)
        .await;
    assert!(matches!(wrong, Err(OfficerError::Refused)));
    let forged = statement(&world.origin).sign(&SigningKey::generate());
    let forged = world
        .officers
        .authenticate(&forged, "GET", "/officer/enrolments", NOW)
        .await;
    assert!(matches!(forged, Err(OfficerError::Refused)));
    let right = world
        .officers
        .authenticate(&signed, "GET", "/officer/enrolments", NOW)
        .await;
    assert_eq!(right.unwrap(), desk());
}

#[tokio::test]
async fn of_racing_uses_of_one_statement_one_is_taken() {
    let world = World::new().await;
    let signed = statement(&world.origin).sign(&world.officer_key);
    let attempt = || {
        world
            .officers
            .authenticate(&signed, "GET", "/officer/enrolments", NOW)
    };
    let (one, two) = tokio::join!(attempt(), attempt());
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test]
async fn a_decision_is_of_the_officer_who_sends_it_and_fresh() {
    let world = World::new().await;
    let decision = Decision {
        iss: desk(),
        session: "s".to_owned(),
        evidence_digest: "d".to_owned(),
        decision: Verdict::Confirm,
        reason: "r".to_owned(),
        iat: NOW,
    };
    let signed = decision.sign(&world.officer_key);
    let at = |officer: &OfficerId, now| world.officers.decision(&signed, officer, now);
    assert!(at(&desk(), NOW.plus_secs(299)).is_ok());
    assert!(at(&desk(), NOW.plus_secs(300)).is_err());
    assert!(at(&desk(), UnixTime(NOW.0 - 31)).is_err());
    assert!(at(&OfficerId("desk-2".to_owned()), NOW).is_err());
    // A request's statement is no decision, whoever signed it.
    let request = statement(&world.origin).sign(&world.officer_key);
    assert!(world.officers.decision(&request, &desk(), NOW).is_err());
}
