//! Targets of `openid4vc::vp`.

use credential::jose;
use credential::jose::jwe::{self, Jwe};
use credential::jose::jws::Header;
use openid4vc::uri::HttpsUri;
use openid4vc::vp::dcql::Query;
use openid4vc::vp::sign_in::{self, Ask, SITE_ENTRY_FORMAT};
use openid4vc::vp::{
    AuthorizationResponse, ClientId, ClientMetadata, PostAnswer, PostedResponse,
    RequestCertificate, RequestLink, RequestObject, RequestSigner, UnverifiedRequest, UrlSafe,
};
use serde_json::Value;

use crate::Target;
use crate::input::{json_both_ways, text};
use crate::world::{self, KEY, NOW, REQUEST_CERTIFICATE, rng};

pub(crate) const TARGETS: [Target; 6] = [
    Target::new("request_link", request_link, request_link_seeds),
    Target::new("request_certificate", certificate, certificate_seeds),
    Target::new("request_object", request_object, request_object_seeds),
    Target::new("dcql", dcql, dcql_seeds),
    Target::new("posted_response", posted_response, posted_response_seeds),
    Target::new("response_payload", response_payload, response_payload_seeds),
];

pub(crate) fn link() -> RequestLink {
    RequestLink {
        client_id: world::client_id(),
        request_uri: address("https://login.forum.example/request/1"),
    }
}

fn address(text: &str) -> HttpsUri {
    HttpsUri::parse(text).expect("an address")
}

/// A link; its parts: client identifier, nonce or state.
fn request_link(data: &[u8]) -> bool {
    let Some(text) = text(data) else {
        return false;
    };
    if let Ok(id) = ClientId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(value) = UrlSafe::parse(text) {
        assert_eq!(value.as_str(), text);
    }
    RequestLink::parse(text).is_ok_and(|link| {
        let composed = link.compose();
        assert_eq!(RequestLink::parse(&composed), Ok(link));
        true
    })
}

fn request_link_seeds() -> Vec<Vec<u8>> {
    vec![
        link().compose().into_bytes(),
        world::client_id().to_string().into_bytes(),
    ]
}

fn certificate(data: &[u8]) -> bool {
    RequestCertificate::parse(data).is_ok_and(|certificate| {
        let _ = certificate.is_valid_at(NOW);
        certificate.key() == KEY.public()
    })
}

fn certificate_seeds() -> Vec<Vec<u8>> {
    vec![REQUEST_CERTIFICATE.clone()]
}

/// The header of a request by the gateway.
pub(crate) fn request_header() -> Header {
    Header {
        x5c: vec![REQUEST_CERTIFICATE.clone()],
        ..Header::of_type("oauth-authz-req+jwt")
    }
}

/// The payload of a request, under the gateway's signature.
fn request_object(data: &[u8]) -> bool {
    json_both_ways::<RequestObject>(data);
    let compact = world::signed(&request_header(), data);
    let verified = UnverifiedRequest::parse(&compact)
        .and_then(|request| request.verify(world::client_id(), NOW));
    verified.is_ok_and(|verified| {
        let request = verified.request();
        let _ = request.attestation(SITE_ENTRY_FORMAT);
        request
            .client_metadata
            .encryption()
            .expect("a request that was accepted");
        true
    })
}

/// A request as this project's gateway makes it.
pub(crate) fn a_request() -> RequestObject {
    // The chain and key fit: that is all a signer asks.
    let key = jose::SigningKey::from_pkcs8(&KEY.to_pkcs8()).expect("its own encoding");
    let signer = RequestSigner::new(key, vec![REQUEST_CERTIFICATE.clone()]).expect("a signer");
    let formats = [sign_in::ACCOUNT_FORMAT, sign_in::CERTIFICATE_FORMAT];
    let metadata = ClientMetadata::new(*world::decryption_key().public(), &formats);
    let uri = address("https://login.forum.example/response/1");
    let entry = world::site_entry().sign(&KEY).expect("an entry");
    signer
        .request(uri, metadata, a_query(), &mut rng())
        .valid_for(NOW, 300)
        .with_attestation(SITE_ENTRY_FORMAT, Value::String(entry))
}

fn a_query() -> Query {
    sign_in::query(Ask::AccountOrCertificate, &["generation", "sex"], None).expect("a query")
}

pub(crate) fn request_object_seeds() -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&a_request()).expect("a request is JSON")]
}

/// A query; its own JSON is the credential in which claims are looked up.
fn dcql(data: &[u8]) -> bool {
    let Some(query) = json_both_ways::<Query>(data) else {
        return false;
    };
    let ids = || query.credentials().iter().map(|asked| &asked.id);
    assert!(
        query.is_satisfied_by(&ids().collect()),
        "no answer would do"
    );
    let chosen = query
        .choose(|_| true)
        .expect("who can answer all can answer");
    for one in &chosen {
        assert_eq!(query.credential(one.id.as_str()), Some(*one));
    }
    // What a query leaves unread, half a surrogate pair for one, need not be a value.
    if let Ok(credential) = serde_json::from_slice::<Value>(data) {
        for asked in query.credentials() {
            let _ = asked.claims_of(&credential);
            for claim in asked.claims.iter().flatten() {
                let _ = claim.path.select(&credential);
            }
        }
    }
    for id in ids() {
        if let Ok(chosen) = query.choose(|asked| asked.id != *id) {
            assert!(chosen.iter().all(|one| one.id != *id));
        }
    }
    true
}

fn dcql_seeds() -> Vec<Vec<u8>> {
    let own = serde_json::to_vec(&a_query()).expect("a query is JSON");
    vec![own, CLAIMS.as_bytes().to_vec()]
}

const CLAIMS: &str = r#"{"credentials":[{"id":"a","format":"f","meta":{},"multiple":true,
"trusted_authorities":[{"type":"aki","values":["x"]}],"claims":[{"id":"c","path":["credentials",0,"claims",null,"id"]},
{"id":"d","path":["credentials",1,"id"],"values":["b",1,true]}],"claim_sets":[["c"],["d"]]},{"id":"b","format":"f",
"meta":{}}],"credential_sets":[{"options":[["a"],["b"]]},{"options":[["b"]],"required":false}]}"#;

/// The form that a wallet posts, and what it is answered.
fn posted_response(data: &[u8]) -> bool {
    json_both_ways::<PostAnswer>(data);
    let Some(text) = text(data) else {
        return false;
    };
    match PostedResponse::parse(text) {
        Ok(PostedResponse::Encrypted(jwe)) => {
            AuthorizationResponse::decrypt(&jwe, &world::decryption_key()).is_ok()
        }
        Ok(PostedResponse::Error(_)) => true,
        Err(_) => false,
    }
}

fn posted_response_seeds() -> Vec<Vec<u8>> {
    let metadata = ClientMetadata::new(*world::decryption_key().public(), &["f"]);
    let response: AuthorizationResponse = response_of(PRESENTED.as_bytes()).expect("a response");
    let encrypted = response
        .encrypt(&metadata)
        .expect("a response is encrypted");
    vec![
        encrypted.into_bytes(),
        b"error=access_denied&error_description=no&state=s".to_vec(),
        br#"{"redirect_uri":"https://a.example/1"}"#.to_vec(),
    ]
}

/// The plaintext of a response, encrypted to the gateway.
fn response_payload(data: &[u8]) -> bool {
    let Some(response) = response_of(data) else {
        return false;
    };
    if let AuthorizationResponse::Presented { vp_token, .. } = &response {
        let _ = (
            vp_token.check(&a_query()),
            vp_token.single(),
            vp_token.get("account"),
        );
        json_both_ways::<Value>(data);
    }
    let _ = response.state();
    true
}

fn response_of(plaintext: &[u8]) -> Option<AuthorizationResponse> {
    let key = world::decryption_key();
    let parameters = jwe::Parameters::A256GCM;
    let compact = jwe::encrypt(key.public(), &parameters, plaintext).expect("encrypted");
    let jwe = Jwe::parse(&compact).ok()?;
    AuthorizationResponse::decrypt(&jwe, &key).ok()
}

const PRESENTED: &str = r#"{"vp_token":{"certificate":["a.b.c.d~e"]},"state":"s"}"#;

fn response_payload_seeds() -> Vec<Vec<u8>> {
    [
        PRESENTED,
        r#"{"vp_token":{"a":[{"x":1},"y"],"b":[]}}"#,
        r#"{"error":"access_denied","error_description":"no","state":"s"}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
