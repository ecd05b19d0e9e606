//! Targets of `openid4vc::vci`.

use credential::jose::jws;
use credential::jose::jws::Header;
use openid4vc::Secret;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{
    AuthorizationServerMetadata, CERTIFICATE, CommitmentProof, CredentialOffer, CredentialRequest,
    CredentialResponse, IssuerMetadata, NonceResponse, OfferLink, PreAuthorizedRequest,
    UnverifiedProof,
};

use crate::Target;
use crate::input::{json_both_ways, text};
use crate::world::{self, KEY, NOW};

pub(crate) const TARGETS: [Target; 5] = [
    Target::new("offer", offer, offer_seeds),
    Target::new("issuer_metadata", metadata, metadata_seeds),
    Target::new(
        "credential_request",
        credential_request,
        credential_request_seeds,
    ),
    Target::new("commitment_proof", commitment_proof, commitment_proof_seeds),
    Target::new("pre_authorized", pre_authorized, pre_authorized_seeds),
];

fn issuer() -> HttpsUri {
    HttpsUri::parse("https://operator.example").expect("an address")
}

fn json_of(offer: &CredentialOffer) -> String {
    serde_json::to_string(offer).expect("an offer is JSON")
}

/// An offer in JSON, or a link that holds one.
fn offer(data: &[u8]) -> bool {
    let Some(text) = text(data) else {
        return false;
    };
    let linked = OfferLink::parse(text).is_ok();
    let offer = CredentialOffer::parse(text);
    if let Ok(offer) = &offer {
        let link = offer.to_link().expect("an offer that was read");
        match OfferLink::parse(&link) {
            Ok(OfferLink::ByValue(again)) => assert_eq!(json_of(&again), json_of(offer)),
            Ok(OfferLink::ByReference(_)) => panic!("an offer became an address"),
            // Longer than links may be.
            Err(_) => assert!(link.len() > 16 * 1024),
        }
    }
    linked || offer.is_ok()
}

fn an_offer() -> CredentialOffer {
    CredentialOffer::of_certificate(issuer(), Secret::from("code".to_owned()), Some(6))
}

fn offer_seeds() -> Vec<Vec<u8>> {
    let text = br#"{"credential_issuer":"https://a.example","credential_configuration_ids":["x"],
        "grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c",
        "tx_code":{"input_mode":"text","length":4,"description":"as shown"}}}}"#;
    let by_value = an_offer().to_link().expect("an offer");
    let by_reference =
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa.example%2F1";
    vec![
        json_of(&an_offer()).into_bytes(),
        text.to_vec(),
        by_value.as_bytes().to_vec(),
        by_reference.into(),
    ]
}

/// Of an issuer, of its authorization server; a nonce.
fn metadata(data: &[u8]) -> bool {
    let issuing = IssuerMetadata::parse(data, &issuer());
    if let Ok(metadata) = &issuing {
        let _ = metadata.authorization_server();
        json_both_ways::<IssuerMetadata>(data);
    }
    let server = AuthorizationServerMetadata::parse(data, &issuer());
    if server.is_ok() {
        json_both_ways::<AuthorizationServerMetadata>(data);
    }
    let nonce = json_both_ways::<NonceResponse>(data);
    issuing.is_ok() || server.is_ok() || nonce.is_some()
}

fn metadata_seeds() -> Vec<Vec<u8>> {
    let at = |path: &str| HttpsUri::parse(&format!("{}{path}", issuer())).expect("an address");
    let issuing = IssuerMetadata::new(issuer(), at("/credential"), at("/nonce"));
    let server = AuthorizationServerMetadata::new(issuer(), at("/token"));
    vec![
        serde_json::to_vec(&issuing).expect("metadata is JSON"),
        serde_json::to_vec(&server).expect("metadata is JSON"),
        br#"{"c_nonce":"n"}"#.to_vec(),
    ]
}

/// The request for a certificate, and its answer.
fn credential_request(data: &[u8]) -> bool {
    if let Some(response) = json_both_ways::<CredentialResponse>(data) {
        let _ = response.single();
    }
    CredentialRequest::parse(data, &[CERTIFICATE])
        .is_ok_and(|request| request.proof.verify(&issuer()).is_ok())
}

fn credential_request_seeds() -> Vec<Vec<u8>> {
    let response = CredentialResponse::of("a..b".to_owned());
    let request = CredentialRequest::compose(CERTIFICATE, &a_proof().sign(&issuer(), &KEY));
    vec![
        request.into_bytes(),
        serde_json::to_vec(&response).expect("an answer is JSON"),
    ]
}

fn a_proof() -> CommitmentProof {
    CommitmentProof {
        nonce: "n".to_owned(),
        iat: NOW,
        commitment: vec![1; 48],
        proof: vec![2; 416],
    }
}

/// The payload of a proof, under the device's signature.
fn commitment_proof(data: &[u8]) -> bool {
    let header = Header {
        jwk: Some(*KEY.public()),
        ..Header::of_type("bauta-commitment+jwt")
    };
    let verify = |compact: &str| UnverifiedProof::parse(compact)?.verify(&issuer());
    let compact = world::signed(&header, data);
    match verify(&compact) {
        Ok((device, proof)) => {
            // A text at the limit of a JWS may grow beyond it when it is escaped.
            let again = proof.sign(&issuer(), &KEY);
            assert!(again.len() > jws::MAX_BYTES || verify(&again) == Ok((device, proof)));
            true
        }
        Err(_) => false,
    }
}

fn commitment_proof_seeds() -> Vec<Vec<u8>> {
    vec![world::payload_of(&a_proof().sign(&issuer(), &KEY))]
}

fn pre_authorized(data: &[u8]) -> bool {
    let Some(request) = text(data).and_then(|text| PreAuthorizedRequest::parse(text).ok()) else {
        return false;
    };
    let form = request.to_form();
    match PreAuthorizedRequest::parse(&form) {
        Ok(again) => assert_eq!(again.to_form(), form),
        // Escaped, it may grow beyond what is read.
        Err(_) => assert!(form.len() > 8 * 1024),
    }
    true
}

fn pre_authorized_seeds() -> Vec<Vec<u8>> {
    let request = PreAuthorizedRequest {
        pre_authorized_code: Secret::from("c".to_owned()),
        tx_code: Some(Secret::from("123456".to_owned())),
    };
    vec![request.to_form().as_bytes().to_vec()]
}
