use proptest::prelude::*;

use super::*;

const QUERY: &str = "response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fa.example%2Fcb\
    &scope=openid+profile&state=s%26t&nonce=n";
const CHALLENGE: &str =
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
const ISSUER: &str = "https://op.example";

fn registered() -> Vec<RedirectUri> {
    ["https://b.example/cb", "https://a.example/cb"]
        .map(|uri| RedirectUri::parse(uri).unwrap())
        .to_vec()
}

fn request(query: &str, pkce: Pkce) -> Result<AuthorizationRequest, AuthorizationError> {
    let parameters = AuthorizationParameters::parse(query).unwrap();
    let target = parameters.redirect_target(&registered())?;
    parameters.request(target, pkce)
}

fn with(extra: &str) -> Result<AuthorizationRequest, AuthorizationError> {
    request(&format!("{QUERY}{extra}"), Pkce::Optional)
}

#[test]
fn a_complete_request_is_read() {
    let request = with(&format!(
        "{CHALLENGE}&max_age=60&acr_values=a+b&ui_locales=de+en&prompt=login&login_hint=x&other=1"
    ))
    .unwrap();
    assert_eq!(request.client_id, "c");
    assert!(request.scope.is_openid() && request.scope.contains("profile"));
    assert_eq!(request.scope.iter().count(), 2);
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert!(request.code_challenge.is_some());
    assert_eq!((request.max_age, request.prompt), (Some(60), Prompt::Login));
    assert_eq!(request.acr_values, ["a", "b"]);
    let stored = serde_json::to_string(&request).unwrap();
    assert_eq!(
        serde_json::from_str::<AuthorizationRequest>(&stored).unwrap(),
        request
    );
}

#[test]
fn answers_go_to_the_registered_address_with_state_and_issuer() {
    let request = with("").unwrap();
    let Answer::Redirect(uri) = request
        .target
        .succeed(ISSUER, &Secret::from("x".to_owned()))
    else {
        panic!("query is the default")
    };
    assert_eq!(
        uri,
        "https://a.example/cb?code=x&state=s%26t&iss=https%3A%2F%2Fop.example"
    );
    let Answer::Redirect(uri) = request
        .target
        .refuse(ISSUER, &ErrorCode::LoginRequired.into())
    else {
        panic!("query is the default")
    };
    assert!(
        uri.starts_with("https://a.example/cb?error=login_required&state="),
        "{uri}"
    );

    let request = with("&response_mode=form_post").unwrap();
    let error = OAuthError::from(AuthorizationError::MaxAge);
    let Answer::Post { uri, fields } = request.target.refuse(ISSUER, &error) else {
        panic!("form_post was asked for")
    };
    assert_eq!(uri, "https://a.example/cb");
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["error", "error_description", "state", "iss"]);
}

#[test]
fn an_address_that_is_not_registered_is_never_answered() {
    for (uri, error) in [
        (
            "https%3A%2F%2Fevil.example%2Fcb",
            AuthorizationError::RedirectUri,
        ),
        (
            "https%3A%2F%2Fa.example%2Fcb%2F",
            AuthorizationError::RedirectUri,
        ),
        (
            "https%3A%2F%2Fa.example%2Fcb%3Fx",
            AuthorizationError::RedirectUri,
        ),
        ("", AuthorizationError::Missing("redirect_uri")),
    ] {
        let query = format!("client_id=c&redirect_uri={uri}");
        let parameters = AuthorizationParameters::parse(&query).unwrap();
        assert_eq!(
            parameters.redirect_target(&registered()).err(),
            Some(error),
            "{uri}"
        );
    }
    let none = AuthorizationParameters::parse("").unwrap();
    assert_eq!(
        none.client_id(),
        Err(AuthorizationError::Missing("client_id"))
    );
    let twice = AuthorizationParameters::parse("client_id=a&client_id=b");
    assert_eq!(twice.err(), Some(FormError::Repeated));
}

#[test]
fn pkce_is_demanded_where_required_and_never_plain() {
    assert_eq!(
        request(QUERY, Pkce::Required),
        Err(AuthorizationError::Missing("code_challenge"))
    );
    assert!(request(&format!("{QUERY}{CHALLENGE}"), Pkce::Required).is_ok());
    assert_eq!(with("").unwrap().code_challenge, None);
    let plain = with("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(plain, Err(PkceError::Method.into()));
    let method_only = with("&code_challenge_method=S256");
    assert_eq!(
        method_only,
        Err(AuthorizationError::Missing("code_challenge"))
    );
}

#[test]
fn what_is_not_supported_is_refused_with_its_code() {
    let cases = [
        ("&request=x", ErrorCode::RequestNotSupported),
        ("&request_uri=x", ErrorCode::RequestUriNotSupported),
        ("&registration=x", ErrorCode::RegistrationNotSupported),
        ("&response_mode=fragment", ErrorCode::InvalidRequest),
        ("&prompt=none+login", ErrorCode::InvalidRequest),
        ("&max_age=-1", ErrorCode::InvalidRequest),
        ("&max_age=%2B1", ErrorCode::InvalidRequest),
        ("&max_age=99999999999999999999", ErrorCode::InvalidRequest),
    ];
    for (extra, code) in cases {
        assert_eq!(
            OAuthError::from(with(extra).unwrap_err()).error,
            code,
            "{extra}"
        );
    }
    let changed = |from, to| request(&QUERY.replace(from, to), Pkce::Optional).unwrap_err();
    assert_eq!(
        changed("=code&", "=token&"),
        AuthorizationError::ResponseType
    );
    assert_eq!(
        changed("=code&", "=code+id_token&"),
        AuthorizationError::ResponseType
    );
    assert_eq!(
        changed("=code&", "=&"),
        AuthorizationError::Missing("response_type")
    );
    assert_eq!(changed("profile", "%22"), AuthorizationError::Scope);
    assert_eq!(
        changed("client_id=c", ""),
        AuthorizationError::Missing("client_id")
    );
}

#[test]
fn prompts_are_told_apart() {
    assert_eq!(with("&prompt=none").unwrap().prompt, Prompt::Never);
    assert_eq!(with("&prompt=consent+login").unwrap().prompt, Prompt::Login);
    assert_eq!(with("&prompt=create").unwrap().prompt, Prompt::Default);
    assert_eq!(with("").unwrap().prompt, Prompt::Default);
}

proptest! {
    #[test]
    fn parsing_never_panics(extra in "[a-z_%0-9+&=]{0,80}|\\PC{0,60}") {
        let query = format!("{QUERY}&{extra}");
        let parameters = AuthorizationParameters::parse(&query);
        let _ = parameters.map(|parameters| {
            let target = parameters.redirect_target(&registered())?;
            parameters.request(target, Pkce::Optional)
        });
    }
}
