//! Certificates of which epochs are accepted when.

use crate::person::{Person, Request};
use crate::site::{Browser, Fixture, NOW, Setting, fixture_with};
use credential::jose::SigningKey;
use credential::time::UnixTime;
use gateway::authentication::Transport;
use gateway::begin::Begun;
use gateway::wallet_response::RespondError;

/// How far a wallet's clock may be wrong.
const SKEW: u64 = 300;

/// Signs up at `now`.
async fn sign_up(at: &Fixture, person: &Person, now: UnixTime) -> Result<(), RespondError> {
    let browser = Browser::new();
    let begun = at
        .gateway
        .authorize(&browser.query("forum"), browser.cookies(), now)
        .await;
    let Begun::Login { id, .. } = begun.unwrap() else {
        panic!("no log-in")
    };
    let object = at.gateway.request_object(id, Transport::Qr, now).await;
    let request = Request::read(&object.unwrap());
    let body = person.sign_up(&SigningKey::generate(), &request);
    let answer = at.gateway.respond(id, Transport::Qr, &body, now).await;
    answer.map(|_| ())
}

fn is_refused(answer: &Result<(), RespondError>) -> bool {
    matches!(answer, Err(RespondError::Invalid))
}

#[tokio::test]
async fn a_certificate_is_accepted_through_its_epoch_and_the_next_give_or_take_a_wrong_clock() {
    let at = fixture_with(Setting {
        manifest: false,
        ..Setting::default()
    })
    .await;
    let epoch = NOW.epoch();
    let (begin, end) = (epoch.start(), epoch.next().next().start());
    let person = at.operator.enrol(NOW);
    // The manifest of the epoch before has the key already.
    let early = begin.minus_secs(SKEW + 1);
    let manifest = at.operator.manifest(early);
    at.gateway.take_manifest(&manifest, early).await.unwrap();
    assert!(is_refused(&sign_up(&at, &person, early).await));
    let early = begin.minus_secs(SKEW);
    sign_up(&at, &person, early).await.unwrap();

    let manifest = at.operator.manifest(begin);
    at.gateway.take_manifest(&manifest, begin).await.unwrap();
    for now in [begin, NOW, epoch.next().start().minus_secs(1)] {
        sign_up(&at, &person, now).await.unwrap();
    }
    let next = epoch.next().start();
    let manifest = at.operator.manifest(next);
    at.gateway.take_manifest(&manifest, next).await.unwrap();
    for now in [next, end.minus_secs(1)] {
        sign_up(&at, &person, now).await.unwrap();
    }
    // The manifest of the epoch after no longer has the key; it is known for the minutes left.
    let manifest = at.operator.manifest(end);
    at.gateway.take_manifest(&manifest, end).await.unwrap();
    for now in [end, end.plus_secs(SKEW - 1)] {
        sign_up(&at, &person, now).await.unwrap();
    }
    assert!(is_refused(
        &sign_up(&at, &person, end.plus_secs(SKEW)).await
    ));
}
