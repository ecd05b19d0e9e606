//! Targets of `openid4vc`: forms, addresses, OAuth and OpenID Connect.

use openid4vc::Secret;
use openid4vc::form::{Parameters, compose};
use openid4vc::oauth::{
    Answer, AuthorizationParameters, AuthorizationRequest, OAuthError, Pkce, Scope, TokenRequest,
    TokenResponse, bearer_token,
};
use openid4vc::oidc::{
    EndSessionRequest, Endpoints, IdTokenClaims, JwkSet, ProviderMetadata, PublicJwk,
};
use openid4vc::uri::{HttpsUri, RedirectUri};
use openid4vc::vci::WellKnown;
use openid4vc::vp::ClientMetadata;

use crate::Target;
use crate::input::{cut, join, json_both_ways, text};
use crate::world::{self, KEY, NOW};
use credential::jose::jws::Header;
use credential::jose::{Jwk, encode};

pub(crate) const TARGETS: [Target; 8] = [
    Target::new("form", form, form_seeds),
    Target::new("uri", uri, uri_seeds),
    Target::new("authorization", authorization, authorization_seeds),
    Target::new("token_request", token_request, token_request_seeds),
    Target::new("oauth_answers", oauth_answers, oauth_answers_seeds),
    Target::new("end_session", end_session, end_session_seeds),
    Target::new("id_token", id_token, id_token_seeds),
    Target::new("provider", provider, provider_seeds),
];

const BACK: &str = "https://forum.example/back?a=1";

fn back() -> RedirectUri {
    RedirectUri::parse(BACK).expect("an address")
}

fn https(text: &str) -> HttpsUri {
    HttpsUri::parse(text).expect("an address")
}

/// A form whose value is read, written and read again.
fn form(data: &[u8]) -> bool {
    let Some(text) = text(data) else {
        return false;
    };
    let composed = compose([("a", text)]);
    let again = Parameters::parse(&composed, usize::MAX).expect("a form that was composed");
    assert_eq!(again.get("a").unwrap_or_default(), text);
    Parameters::parse(text, 1024).is_ok_and(|form| {
        let _ = (
            form.text("b"),
            form.secret("c"),
            form.json::<serde_json::Value>("d"),
        );
        form.has("a")
    })
}

fn form_seeds() -> Vec<Vec<u8>> {
    vec![b"a=1&b=x+y%20z&c=%C3%BC&d=%7B%7D&e".to_vec()]
}

/// Addresses, and what is made of them.
fn uri(data: &[u8]) -> bool {
    let Some(text) = text(data) else {
        return false;
    };
    let https = HttpsUri::parse(text);
    if let Ok(uri) = &https {
        assert_eq!(uri.as_str(), text);
        HttpsUri::parse(&uri.origin()).expect("the origin of an address is one");
        for document in [WellKnown::CredentialIssuer, WellKnown::AuthorizationServer] {
            let _ = document.of(uri);
        }
    }
    let redirect = RedirectUri::parse(text);
    if let Ok(uri) = &redirect {
        assert!(uri.matches(text));
        let more = uri.with_query("state=1");
        assert!(more.starts_with(text) && more.ends_with("state=1"));
        RedirectUri::parse(&more).map_or_else(|_| assert!(more.len() > 2048), drop);
    }
    https.is_ok() || redirect.is_ok()
}

fn uri_seeds() -> Vec<Vec<u8>> {
    [
        BACK,
        "https://op.example:8443/a/b?",
        "http://127.0.0.1:3000/cb",
        "http://[::1]/",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn authorization(data: &[u8]) -> bool {
    let Some(text) = text(data) else {
        return false;
    };
    let _ = Scope::parse(text);
    let Ok(parameters) = AuthorizationParameters::parse(text) else {
        return false;
    };
    let Ok(target) = parameters.redirect_target(&[back()]) else {
        return false;
    };
    let refused = target.refuse("https://login.example", &back_error());
    assert_leads_back(&refused);
    let _ = parameters.request(target.clone(), Pkce::Required);
    parameters
        .request(target, Pkce::Optional)
        .is_ok_and(|request| {
            let stored = serde_json::to_vec(&request).expect("a request is stored as JSON");
            let again = serde_json::from_slice::<AuthorizationRequest>(&stored).ok();
            assert_eq!(again.as_ref(), Some(&request));
            assert_leads_back(&request.target.succeed("https://login.example", &code()));
            true
        })
}

fn code() -> Secret {
    Secret::from("c".to_owned())
}

fn back_error() -> OAuthError {
    openid4vc::oauth::ErrorCode::AccessDenied.into()
}

fn assert_leads_back(answer: &Answer) {
    match answer {
        Answer::Redirect(uri) => assert!(uri.starts_with(BACK), "an open redirect"),
        Answer::Post { uri, .. } => assert_eq!(uri, BACK),
    }
}

fn authorization_seeds() -> Vec<Vec<u8>> {
    let challenge = encode([3; 32]);
    let all = [
        ("client_id", "forum"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
        ("max_age", "60"),
        ("acr_values", "a b"),
        ("ui_locales", "en"),
        ("id_token_hint", "x.y.z"),
        ("login_hint", "h"),
        ("response_mode", "form_post"),
    ];
    vec![
        compose(all).into_bytes(),
        compose(all.into_iter().take(4)).into_bytes(),
    ]
}

/// An authorization header, or none where it is empty, then the form.
fn token_request(data: &[u8]) -> bool {
    let (header, body) = cut(data);
    let (Some(header), Some(body)) = (text(header), text(body)) else {
        return false;
    };
    let _ = bearer_token(header);
    let header = (!header.is_empty()).then_some(header);
    TokenRequest::parse(header, body).is_ok_and(|request| {
        let client = &request.client;
        assert_eq!(client.secret().is_none(), client.method() == "none");
        assert!(!client.client_id().is_empty());
        true
    })
}

fn token_request_seeds() -> Vec<Vec<u8>> {
    let verifier = encode([4; 32]);
    let all = [
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("redirect_uri", BACK),
        ("code_verifier", &verifier),
        ("client_id", "forum"),
        ("client_secret", "s"),
    ];
    let (posted, public) = (compose(all), compose(all.into_iter().take(5)));
    vec![
        join(b"Basic Zm9ydW06cw==", public.as_bytes()),
        join(b"", posted.as_bytes()),
        join(b"", public.as_bytes()),
        join(b"Bearer abc", b""),
    ]
}

/// What a client is answered, in JSON.
fn oauth_answers(data: &[u8]) -> bool {
    let token = json_both_ways::<TokenResponse>(data).is_some();
    let error = json_both_ways::<OAuthError>(data);
    if let Some(error) = &error {
        let _ = error.error.as_str();
    }
    token || error.is_some()
}

fn oauth_answers_seeds() -> Vec<Vec<u8>> {
    let token = TokenResponse::bearer(code(), 600);
    let token = serde_json::to_vec(&token).expect("an answer is JSON");
    let error = br#"{"error":"invalid_grant","error_description":"used"}"#.to_vec();
    vec![token, error, br#"{"error":"an-unknown-one"}"#.to_vec()]
}

fn end_session(data: &[u8]) -> bool {
    let Some(request) = text(data).and_then(|text| EndSessionRequest::parse(text).ok()) else {
        return false;
    };
    let hint = IdTokenClaims::new("https://login.example", "p", "forum", NOW, 60);
    let _ = (request.client(None), request.client(Some(&hint)));
    request.destination(&[back()]).is_ok_and(|uri| {
        uri.is_some_and(|uri| {
            assert!(uri.starts_with(BACK), "an open redirect");
            true
        })
    })
}

fn end_session_seeds() -> Vec<Vec<u8>> {
    let all = [
        ("id_token_hint", "x.y.z"),
        ("client_id", "forum"),
        ("post_logout_redirect_uri", BACK),
        ("state", "s"),
    ];
    vec![compose(all).into_bytes()]
}

/// A token as it arrives, or the payload of one that is signed.
fn id_token(data: &[u8]) -> bool {
    let kid = Some(encode(KEY.public().thumbprint()));
    let keys = JwkSet {
        keys: vec![PublicJwk::Ec(Jwk::for_signatures(*KEY.public()))],
    };
    if let Some(token) = text(data) {
        let _ = keys.verify(token);
    }
    let header = Header {
        kid,
        ..Header::of_type("JWT")
    };
    let claims = keys.verify(&world::signed(&header, data));
    claims.is_ok_and(|claims| {
        let written = serde_json::to_vec(&claims).expect("claims are JSON");
        let read = json_both_ways::<IdTokenClaims>(&written);
        read.is_some_and(|read| read.aud == claims.aud && read.sub == claims.sub)
    })
}

fn id_token_seeds() -> Vec<Vec<u8>> {
    let mut claims = IdTokenClaims::new("https://login.example", "p", "forum", NOW, 60);
    claims.auth_time = Some(NOW);
    claims.nonce = Some("n".into());
    claims.amr = vec!["pop".into(), "qr".into()];
    claims.sid = Some("s".into());
    claims
        .others
        .insert("birthdate".into(), "1990-02-28".into());
    let header = encode(r#"{"alg":"RS256","typ":"JWT","kid":"k"}"#);
    let rs256 = format!("{header}.{}.{}", encode("{}"), encode([0; 256]));
    let several = br#"{"iss":"i","sub":"s","aud":["a","b"],"exp":2,"iat":1}"#.to_vec();
    let claims = serde_json::to_vec(&claims).expect("claims are JSON");
    vec![claims, several, rs256.into_bytes()]
}

/// What a provider publishes, metadata or keys; what a verifier says of itself.
fn provider(data: &[u8]) -> bool {
    let keys = json_both_ways::<JwkSet>(data);
    if let Some(keys) = &keys {
        let token = world::signed_as("JWT", b"{}");
        let _ = keys.verify(&token);
    }
    let verifier = json_both_ways::<ClientMetadata>(data);
    let encrypts = verifier.is_some_and(|metadata| metadata.encryption().is_ok());
    encrypts || keys.is_some() || json_both_ways::<ProviderMetadata>(data).is_some()
}

fn provider_seeds() -> Vec<Vec<u8>> {
    let endpoints = Endpoints {
        authorization: https("https://login.example/authorize"),
        token: https("https://login.example/token"),
        userinfo: https("https://login.example/userinfo"),
        jwks: https("https://login.example/jwks"),
        end_session: https("https://login.example/end"),
    };
    let metadata = ProviderMetadata::new(https("https://login.example"), endpoints);
    let ec = serde_json::to_string(&Jwk::for_signatures(*KEY.public())).expect("a key is JSON");
    let rsa = format!(
        r#"{{"kty":"RSA","n":"{}","e":"AQAB","use":"sig"}}"#,
        encode([0xC1; 256])
    );
    let verifier = ClientMetadata::new(*KEY.public(), &["f"]);
    let encryption = Jwk::for_encryption(*KEY.public());
    let encryption = serde_json::to_string(&encryption).expect("a key is JSON");
    vec![
        serde_json::to_vec(&verifier).expect("metadata is JSON"),
        format!(r#"{{"jwks":{{"keys":[{{"kty":"oct"}},{encryption}]}}}}"#).into_bytes(),
        serde_json::to_vec(&metadata).expect("metadata is JSON"),
        format!(r#"{{"keys":[{ec},{rsa},{{"kty":"oct"}}]}}"#).into_bytes(),
    ]
}
