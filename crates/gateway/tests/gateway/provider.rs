//! What a client can and cannot do at a gateway.

use crate::site::{BACK, Browser, Fixture, ISSUER, NOW, fixture, location, parameter, token_form};
use credential::jose::SigningKey;
use gateway::begin::{BeginError, Begun};
use gateway::logout::{Logout, LogoutError, LogoutIntent};
use gateway::token::RedeemError;
use gateway::userinfo::UserinfoError;
use openid4vc::form::compose;
use openid4vc::oidc::IdTokenClaims;
use std::sync::Arc;

/// A browser that has just logged in, with its code.
async fn logged_in(at: &Fixture) -> (Browser, String) {
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::new();
    let code = at
        .code(&mut browser, |request| person.sign_up(&device, request))
        .await;
    (browser, code)
}

fn id_token(at: &Fixture, token: Option<&String>) -> IdTokenClaims {
    at.gateway.jwks().verify(token.unwrap()).unwrap()
}

async fn answer(at: &Fixture, browser: &Browser, query: &str) -> String {
    match at
        .gateway
        .authorize(query, browser.cookies(), NOW.plus_secs(100))
        .await
        .unwrap()
    {
        Begun::Answer(answer) => location(answer),
        Begun::Login { .. } => "log-in".to_owned(),
    }
}

#[tokio::test]
async fn the_id_token_names_the_login_and_nothing_that_was_disclosed() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let tokens = at.redeem(&browser, &code).await;
    let claims = id_token(&at, tokens.id_token.as_ref());
    assert_eq!(
        (claims.iss.as_str(), claims.aud.0.as_slice()),
        (ISSUER, &["forum".to_owned()][..])
    );
    assert_eq!((claims.iat, claims.exp), (NOW, NOW.plus_secs(600)));
    assert_eq!(claims.auth_time, Some(NOW));
    assert_eq!(claims.nonce.as_deref(), Some("the nonce"));
    assert_eq!(claims.acr.as_deref(), Some("urn:bauta:acr:unlock"));
    assert_eq!(claims.amr, ["pop", "qr"]);
    assert_eq!(
        claims.at_hash,
        Some(openid4vc::oidc::at_hash(&tokens.access_token))
    );
    assert_eq!(claims.others.keys().collect::<Vec<_>>(), ["generation"]);
    let userinfo = at
        .gateway
        .userinfo(tokens.access_token.expose(), NOW)
        .await
        .unwrap();
    assert_eq!(userinfo["sub"], claims.sub);
}

#[tokio::test]
async fn the_answer_repeats_the_state_and_names_the_issuer() {
    let at = fixture().await;
    let (browser, _) = logged_in(&at).await;
    let back = answer(&at, &browser, &browser.query("forum")).await;
    assert!(back.starts_with(&format!("{BACK}?code=")));
    assert_eq!(parameter(&back, "state"), "the state");
    assert_eq!(parameter(&back, "iss"), ISSUER);
}

#[tokio::test]
async fn each_client_gets_its_algorithm() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let forum = at.redeem(&browser, &code).await.id_token.unwrap();
    let back = answer(&at, &browser, &browser.query("old")).await;
    let body = token_form(&parameter(&back, "code"), browser.verifier.expose())
        .replace("client_id=forum", "client_id=old")
        .replace("forum-secret", "old-secret");
    let old = at
        .gateway
        .redeem(None, &body, NOW)
        .await
        .unwrap()
        .id_token
        .unwrap();
    let alg = |token: &str| {
        let header = credential::jose::decode(token.split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        header["alg"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (alg(&forum).as_str(), alg(&old).as_str()),
        ("ES256", "RS256")
    );
    assert_eq!(
        id_token(&at, Some(&forum)).sub,
        id_token(&at, Some(&old)).sub
    );
}

#[tokio::test]
async fn without_a_known_return_address_the_browser_stays() {
    let at = fixture().await;
    let browser = Browser::new();
    let good = browser.query("forum");
    let authorize = async |query: &str| {
        at.gateway
            .authorize(query, browser.cookies(), NOW)
            .await
            .err()
            .unwrap()
    };
    let unknown = good.replace("client_id=forum", "client_id=other");
    assert!(matches!(
        authorize(&unknown).await,
        BeginError::UnknownClient
    ));
    assert!(matches!(authorize("").await, BeginError::UnknownClient));
    for uri in [
        "https%3A%2F%2Fforum.example%2Fback%2F",
        "https%3A%2F%2Fevil.example%2Fback",
        "",
    ] {
        let query = good.replace("https%3A%2F%2Fforum.example%2Fback", uri);
        assert!(
            matches!(authorize(&query).await, BeginError::UnknownRedirectUri),
            "{uri}"
        );
    }
    let twice = format!("{good}&state=x");
    assert!(matches!(authorize(&twice).await, BeginError::Form(_)));
}

#[tokio::test]
async fn other_faults_are_told_to_the_client() {
    let at = fixture().await;
    let browser = Browser::new();
    let good = browser.query("forum");
    let no_challenge: String = good.split("&code_challenge=").next().unwrap().to_owned();
    for (query, error) in [
        (
            good.replace("response_type=code", "response_type=token"),
            "unsupported_response_type",
        ),
        (
            good.replace("scope=openid", "scope=profile"),
            "invalid_scope",
        ),
        (good.replace("S256", "plain"), "invalid_request"),
        (no_challenge, "invalid_request"),
        (format!("{good}&prompt=none"), "login_required"),
        (format!("{good}&prompt=none+login"), "invalid_request"),
        (format!("{good}&max_age=-1"), "invalid_request"),
        (format!("{good}&request=e30"), "request_not_supported"),
    ] {
        let back = answer(&at, &browser, &query).await;
        assert!(back.starts_with(BACK), "{back}");
        assert_eq!(parameter(&back, "error"), error, "{query}");
        assert_eq!(parameter(&back, "state"), "the state");
    }
}

#[tokio::test]
async fn a_session_answers_unless_the_client_wants_a_fresh_login() {
    let at = fixture().await;
    let (browser, _) = logged_in(&at).await;
    let good = browser.query("forum");
    for more in [
        "",
        "&prompt=none",
        "&max_age=100",
        "&prompt=none&max_age=1000",
    ] {
        let back = answer(&at, &browser, &format!("{good}{more}")).await;
        assert!(!parameter(&back, "code").is_empty(), "{more}");
    }
    for more in ["&prompt=login", "&max_age=99", "&max_age=0"] {
        assert_eq!(
            answer(&at, &browser, &format!("{good}{more}")).await,
            "log-in",
            "{more}"
        );
    }
    let back = answer(&at, &browser, &format!("{good}&prompt=none&max_age=99")).await;
    assert_eq!(parameter(&back, "error"), "login_required");
    let later = NOW.plus_secs(1800);
    let begun = at
        .gateway
        .authorize(&good, browser.cookies(), later)
        .await
        .unwrap();
    assert!(matches!(begun, Begun::Login { .. }));
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_a_second_try_takes_the_token_back() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let tokens = at.redeem(&browser, &code).await;
    let access_token = tokens.access_token.expose();
    assert!(at.gateway.userinfo(access_token, NOW).await.is_ok());
    let again = at
        .gateway
        .redeem(None, &token_form(&code, browser.verifier.expose()), NOW)
        .await;
    assert!(matches!(again, Err(RedeemError::InvalidGrant)));
    let userinfo = at.gateway.userinfo(access_token, NOW).await;
    assert!(matches!(userinfo, Err(UserinfoError::InvalidToken)));
}

#[tokio::test]
async fn of_racing_redemptions_of_one_code_one_succeeds() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let body = token_form(&code, browser.verifier.expose());
    let tries = [0, 1, 2, 3].map(|_| {
        let (gateway, body) = (Arc::clone(&at.gateway), body.clone());
        tokio::spawn(async move { gateway.redeem(None, &body, NOW).await.is_ok() })
    });
    let mut redeemed = 0;
    for one in tries {
        redeemed += usize::from(one.await.unwrap());
    }
    assert_eq!(redeemed, 1);
}

#[tokio::test]
async fn a_code_of_others_or_with_other_parameters_is_refused_and_stays() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let good = token_form(&code, browser.verifier.expose());
    let stranger = Browser::new();
    let no_verifier = good.split("&code_verifier=").next().unwrap().to_owned();
    for body in [
        token_form(&code, stranger.verifier.expose()),
        token_form("unknown", browser.verifier.expose()),
        no_verifier,
        good.replace("forum.example%2Fback", "forum.example%2Fother"),
        good.replace("client_id=forum", "client_id=old")
            .replace("forum-secret", "old-secret"),
    ] {
        let refused = at.gateway.redeem(None, &body, NOW).await;
        assert!(matches!(refused, Err(RedeemError::InvalidGrant)), "{body}");
    }
    for body in [
        good.replace("forum-secret", "wrong"),
        good.replace("&client_secret=forum-secret", ""),
        good.replace("client_id=forum", "client_id=nobody"),
    ] {
        let refused = at.gateway.redeem(None, &body, NOW).await;
        assert!(matches!(refused, Err(RedeemError::InvalidClient)), "{body}");
    }
    assert!(at.gateway.redeem(None, &good, NOW).await.is_ok());
}

#[tokio::test]
async fn codes_and_tokens_end_at_the_second_they_say() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let body = token_form(&code, browser.verifier.expose());
    let late = at.gateway.redeem(None, &body, NOW.plus_secs(60)).await;
    assert!(matches!(late, Err(RedeemError::InvalidGrant)));
    let last = NOW.plus_secs(59);
    let tokens = at.gateway.redeem(None, &body, last).await.unwrap();
    let token = tokens.access_token.expose();
    assert!(
        at.gateway
            .userinfo(token, last.plus_secs(599))
            .await
            .is_ok()
    );
    let late = at.gateway.userinfo(token, last.plus_secs(600)).await;
    assert!(matches!(late, Err(UserinfoError::InvalidToken)));
}

#[tokio::test]
async fn a_secret_in_the_header_is_as_good_as_in_the_body() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let body = token_form(&code, browser.verifier.expose())
        .replace("client_id=forum&client_secret=forum-secret&", "");
    // forum:forum-secret
    let header = "Basic Zm9ydW06Zm9ydW0tc2VjcmV0";
    assert!(at.gateway.redeem(Some(header), &body, NOW).await.is_ok());
}

#[tokio::test]
async fn logging_out_ends_the_session_and_its_tokens() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let tokens = at.redeem(&browser, &code).await;
    let hint = tokens.id_token.unwrap();
    let query = compose([
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", "https://forum.example/out"),
        ("state", "bye"),
    ]);
    let requested = LogoutIntent::Requested;
    let done = at
        .gateway
        .end_session(&query, browser.cookies(), requested, NOW)
        .await
        .unwrap();
    assert_eq!(
        done,
        Logout::Redirect("https://forum.example/out?state=bye".to_owned())
    );
    assert_eq!(
        answer(&at, &browser, &browser.query("forum")).await,
        "log-in"
    );
    let userinfo = at.gateway.userinfo(tokens.access_token.expose(), NOW).await;
    assert!(matches!(userinfo, Err(UserinfoError::InvalidToken)));
}

#[tokio::test]
async fn a_logout_that_nobody_vouches_for_asks_the_person_first() {
    let at = fixture().await;
    let (browser, _) = logged_in(&at).await;
    let (other, code) = logged_in(&at).await;
    let others = at.redeem(&other, &code).await.id_token.unwrap();
    for query in [String::new(), compose([("id_token_hint", others.as_str())])] {
        let asked = at
            .gateway
            .end_session(&query, browser.cookies(), LogoutIntent::Requested, NOW)
            .await;
        assert_eq!(asked.unwrap(), Logout::Ask);
    }
    assert!(
        answer(&at, &browser, &browser.query("forum"))
            .await
            .starts_with(BACK)
    );
    let confirmed = LogoutIntent::Confirmed;
    let done = at
        .gateway
        .end_session("", browser.cookies(), confirmed, NOW)
        .await
        .unwrap();
    assert_eq!(done, Logout::Done);
    assert_eq!(
        answer(&at, &browser, &browser.query("forum")).await,
        "log-in"
    );
}

#[tokio::test]
async fn a_logout_leads_to_registered_addresses_only() {
    let at = fixture().await;
    let (browser, code) = logged_in(&at).await;
    let hint = at.redeem(&browser, &code).await.id_token.unwrap();
    for uri in ["https://evil.example/out", BACK] {
        let query = compose([
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", uri),
        ]);
        let refused = at
            .gateway
            .end_session(&query, browser.cookies(), LogoutIntent::Requested, NOW)
            .await;
        assert!(matches!(refused, Err(LogoutError::Request(_))), "{uri}");
    }
    assert!(
        answer(&at, &browser, &browser.query("forum"))
            .await
            .starts_with(BACK)
    );
}

#[tokio::test]
async fn the_metadata_offers_what_the_gateway_does() {
    let at = fixture().await;
    let metadata = serde_json::to_value(at.gateway.metadata()).unwrap();
    assert_eq!(metadata["issuer"], ISSUER);
    assert_eq!(
        metadata["authorization_endpoint"],
        format!("{ISSUER}/authorize")
    );
    assert_eq!(
        metadata["subject_types_supported"],
        serde_json::json!(["pairwise"])
    );
    let algorithms = serde_json::json!(["ES256", "RS256"]);
    assert_eq!(
        metadata["id_token_signing_alg_values_supported"],
        algorithms
    );
}
