use super::*;
use crate::authentication::Moment;
use crate::ids::Subject;
use crate::testing::rng;
use openid4vc::Secret;
use openid4vc::oauth::{AuthorizationParameters, Pkce};
use openid4vc::uri::RedirectUri;
use openid4vc::vp::UrlSafe;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn request(name: &str) -> WalletRequest {
    WalletRequest {
        nonce: UrlSafe::parse(&format!("nonce-{name}")).unwrap(),
        state: None,
        key: Zeroizing::new([7; 32]),
        object: "a.b.c".to_owned(),
    }
}

fn waiting() -> Waiting {
    Waiting {
        link: request("link"),
        qr: request("qr"),
        age: None,
    }
}

fn authentication(transport: Transport) -> Authentication {
    Authentication {
        subject: Subject::draw(&mut rng(1)),
        time: NOW,
        moment: Moment::Unlock,
        transport,
        generation: 0,
        age_over: None,
        items: Vec::new(),
    }
}

fn authorization() -> AuthorizationRequest {
    let query =
        "client_id=forum&redirect_uri=https://forum.example/back&response_type=code&scope=openid";
    let parameters = AuthorizationParameters::parse(query).unwrap();
    let registered = [RedirectUri::parse("https://forum.example/back").unwrap()];
    let target = parameters.redirect_target(&registered).unwrap();
    parameters.request(target, Pkce::Optional).unwrap()
}

fn login(browser: &Secret) -> Login {
    Login {
        errand: Errand::Client {
            request: Box::new(authorization()),
            query: "client_id=forum".to_owned(),
        },
        browser: BearerHash::of_secret(BearerKind::Browser, browser),
        expires: NOW.plus_secs(300),
        state: LoginState::Waiting(Box::new(waiting())),
    }
}

#[test]
fn after_a_qr_code_the_page_continues_by_itself() {
    let code = Secret::draw(&mut rng(2));
    let approved = waiting().approve(
        authentication(Transport::Qr),
        BearerHash::of_secret(BearerKind::ResponseCode, &code),
    );
    let refused = approved.clone().release(Arrival::Return(code.expose()));
    assert_eq!(refused, Err(ReleaseError::WrongCode));
    assert_eq!(
        approved.release(Arrival::Page),
        Ok(authentication(Transport::Qr))
    );
}

#[test]
fn after_a_link_the_browser_must_bring_the_response_code() {
    let code = Secret::draw(&mut rng(2));
    let other = Secret::draw(&mut rng(3));
    let approved = waiting().approve(
        authentication(Transport::Link),
        BearerHash::of_secret(BearerKind::ResponseCode, &code),
    );
    assert_eq!(
        approved.clone().release(Arrival::Page),
        Err(ReleaseError::NotBack)
    );
    let wrong = approved.clone().release(Arrival::Return(other.expose()));
    assert_eq!(wrong, Err(ReleaseError::WrongCode));
    let back = approved.release(Arrival::Return(code.expose()));
    assert_eq!(back, Ok(authentication(Transport::Link)));
}

#[test]
fn a_login_belongs_to_the_browser_that_began() {
    let browser = Secret::draw(&mut rng(4));
    let login = login(&browser);
    assert!(login.began_in(Some(browser.expose())));
    assert!(!login.began_in(Some("another")));
    assert!(!login.began_in(None));
}

#[test]
fn a_login_expires_at_the_second_it_says() {
    let login = login(&Secret::draw(&mut rng(4)));
    assert!(!login.has_expired(NOW.plus_secs(299)));
    assert!(login.has_expired(NOW.plus_secs(300)));
}

#[test]
fn a_login_is_read_back_as_it_was_stored() {
    let browser = Secret::draw(&mut rng(4));
    let read = Login::from_stored(&login(&browser).to_stored()).unwrap();
    assert!(read.began_in(Some(browser.expose())));
    let LoginState::Waiting(waiting) = read.state else {
        panic!("another state")
    };
    assert_eq!(waiting.request(Transport::Qr).nonce.as_str(), "nonce-qr");
    assert_eq!(waiting.request(Transport::Link).key.as_ref(), &[7; 32]);
}

#[test]
fn what_another_version_stored_is_refused() {
    assert!(Login::from_stored(b"{}").is_err());
    assert!(Login::from_stored(b"").is_err());
}
