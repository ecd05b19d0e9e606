//! Clients that go away or are too slow: what was begun is finished, and can be asked for again.

use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use ::wallet::enrol;
use openid4vc::vci::CredentialResponse;
use reqwest::Method;
use rusqlite::Connection;
use serde_json::json;

use crate::support::raw::{RawConnection, half_a_request};
use crate::support::wallet::{Offer, Reply, assert_refused};
use crate::support::{PATIENCE, Terms, World, wait_for};

impl World {
    fn raw(&self) -> RawConnection {
        let port = self.operator.port();
        RawConnection::open(&self.path("ca/ca.pem"), "operator.localhost", port)
    }

    /// Holds up every write into a file of the operator until what is returned is dropped.
    fn hold(&self, file: &str) -> Connection {
        let held = Connection::open(self.path("state").join(file)).unwrap();
        held.busy_timeout(PATIENCE).unwrap();
        held.execute_batch("BEGIN IMMEDIATE").unwrap();
        held
    }

    /// Begins a request whose answer is not waited for.
    fn send_raw(&self, (path, more): (&str, &str), token: &str, body: &str) -> RawConnection {
        let mut connection = self.raw();
        connection.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: operator.localhost\r\n\
             authorization: Bearer {token}\r\ncontent-type: application/json\r\n{more}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ));
        connection
    }

    /// Sends the credential request and goes away while the operator waits for the register.
    async fn ask_and_leave(&self, token: &str, body: &str) {
        let held = self.hold("register.sqlite");
        let connection = self.send_raw(("/credential", ""), token, body);
        wait_for("the nonce to be used up", async || {
            (self.count_sessions("nonce") == 0).then_some(())
        })
        .await;
        leave(connection);
        drop(held);
    }

    /// The same, going away while the operator uses up the nonce; returned is what keeps it from
    /// going on.
    async fn ask_and_leave_early(&self, token: &str, body: &str) -> Connection {
        let held = self.hold("sessions.sqlite");
        let connection = self.send_raw(("/credential", ""), token, body);
        // An unknown token is looked up at once unless a write waits for the file.
        blocked(async || self.send_credential_request("unknown", body).await).await;
        leave(connection);
        held
    }
}

/// Goes away, and waits until the server has taken notice and closed its side.
fn leave(mut connection: RawConnection) {
    let tls = &mut connection.0;
    tls.conn.send_close_notify();
    tls.flush().unwrap();
    tls.sock.shutdown(Shutdown::Write).unwrap();
    connection.read_to_end();
}

/// Calls until there is no answer at once, because a step before it is under way. Should the
/// server only be slow, or be done already, the client goes away at another moment, which must do
/// no harm either.
async fn blocked(mut call: impl AsyncFnMut() -> Reply) {
    for _ in 0..1000 {
        let answered = tokio::time::timeout(Duration::from_millis(300), call()).await;
        if answered.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_wallet_that_goes_away_gets_its_certificate_by_the_same_request() {
    for early in [true, false] {
        let world = World::new();
        let (session, person, token) = world.offered(1).await;
        let request = world.certificate_request(&session, &person).await;
        match early {
            true => drop(world.ask_and_leave_early(&token, &request.body).await),
            false => world.ask_and_leave(&token, &request.body).await,
        }

        let answer = world.send_credential_request(&token, &request.body).await;
        let response: CredentialResponse = serde_json::from_value(answer.ok()).unwrap();
        let manifest = world.manifest().await;
        let issuer = manifest.keys().of(server::clock::now().epoch()).unwrap();
        let issued = response.single().unwrap();
        assert!(enrol::receive_certificate(&request, &person, issued, issuer).is_ok());
        assert_eq!(world.status(&session).await["state"], "issued");
        assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
    }
}

#[tokio::test]
async fn a_wallet_that_goes_away_for_good_is_restored_with_its_commitment() {
    let world = World::new();
    let (session, person, token) = world.offered(1).await;
    let request = world.certificate_request(&session, &person).await;
    world.ask_and_leave(&token, &request.body).await;
    wait_for("the registration", async || {
        (world.count("registration") == 1).then_some(())
    })
    .await;

    let second = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&second).await;
    assert_eq!(world.status(&second).await["registered"], json!(true));
    let restored = world.restore(&second, &person).await.ok();
    world
        .receive(&second, &person, (&Offer::parse(&restored), &code))
        .await;
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
}

#[tokio::test]
async fn a_wallet_that_goes_away_when_it_commits_gets_its_offer_by_the_same_request() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let nonce = world.nonce(&session).await;
    let draft = enrol::register(&world.origin, &nonce, &session.device);
    let body = serde_json::to_value(&draft.request).unwrap();

    let held = world.hold("sessions.sqlite");
    let path = format!("/enrolment/{}", session.id);
    let to = format!("{path}/commitment");
    let version = world.version(&session).await.unwrap();
    let version = format!("if-match: \"{version}\"\r\n");
    let connection = world.send_raw((&to, &version), &session.token, &body.to_string());
    blocked(async || {
        let token = Some(session.token.as_str());
        world.call(Method::GET, &path, token, None).await
    })
    .await;
    leave(connection);
    drop(held);

    let answer = world.post(&session, "commitment", &body).await.ok();
    let committed = serde_json::from_value(answer.clone()).unwrap();
    let person = draft.finish(&committed).unwrap();
    let offer = Offer::parse(&answer);
    world.receive(&session, &person, (&offer, &code)).await;
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_first_finishes_for_a_wallet_that_is_gone() {
    let mut world = World::new();
    let (session, person, token) = world.offered(1).await;
    let request = world.certificate_request(&session, &person).await;
    let held = world.ask_and_leave_early(&token, &request.body).await;
    world.operator.tell_to_stop();
    wait_for("the server to take no connection", async || {
        let address = (Ipv4Addr::LOCALHOST, world.operator.port());
        TcpStream::connect(address).is_err().then_some(())
    })
    .await;
    drop(held);
    assert!(world.operator.wait().success());
    // Both or neither: the nonce is used up and the person registered.
    assert_eq!(
        world.count_sessions("nonce") + world.count("registration"),
        1
    );
}

#[tokio::test]
async fn what_the_operator_failed_to_write_is_written_by_the_same_request() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let nonce = world.nonce(&session).await;
    let draft = enrol::register(&world.origin, &nonce, &session.device);
    let body = serde_json::to_value(&draft.request).unwrap();
    let held = world.hold("sessions.sqlite");
    let failed = world.post(&session, "commitment", &body).await;
    assert_refused(&failed, 500, "internal-error");
    drop(held);
    let answer = world.post(&session, "commitment", &body).await.ok();
    let committed = serde_json::from_value(answer.clone()).unwrap();
    let person = draft.finish(&committed).unwrap();

    let token = world.redeem(&Offer::parse(&answer).code, &code).await.ok();
    let token = token["access_token"].as_str().unwrap();
    let request = world.certificate_request(&session, &person).await;
    let held = world.hold("register.sqlite");
    let failed = world.send_credential_request(token, &request.body).await;
    assert_refused(&failed, 500, "internal-error");
    drop(held);
    world
        .send_credential_request(token, &request.body)
        .await
        .ok();
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
}

#[tokio::test]
async fn a_request_that_does_not_come_whole_is_told_that_its_time_is_over() {
    let world = World::with(Terms {
        request_timeout_secs: 1,
        ..Terms::default()
    });
    let trustee = world.trustees[0].as_ref().unwrap();
    let (ca, name) = (world.path("ca/ca.pem"), "trustee-1.localhost");
    let connections = [
        (world.raw(), "/enrolment", "operator.localhost"),
        (
            RawConnection::open(&ca, name, trustee.port()),
            "/evaluate",
            name,
        ),
    ];
    for (mut connection, path, host) in connections {
        connection.send(&half_a_request(path, host));
        let answer = connection.read_to_end();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(
            answer.contains("application/problem+json") && answer.contains("\"request-timeout\""),
            "{answer}"
        );
    }
}
