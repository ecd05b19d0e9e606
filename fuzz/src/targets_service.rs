//! Targets of `service`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use credential::jose::jws::Header;
use credential::jose::{self, encode};
use credential::time::UnixTime;
use mrtd::StateCode;
use service::attestation::{Attestation, EvidenceKind, EvidenceLevel, elements_hash};
use service::enrolment;
use service::officer::{Decision, OfficerId, OfficerRequest, Officers, Verdict};
use service::register::Registrations;
use service::tags::{EvidenceNumber, TagKey};
use service::trustee::{EvaluationRequest, EvaluationResponse, Trustee};
use store::{RateLimit, TagKind};

use crate::Target;
use crate::input::{cut, join, json_both_ways, take, text};
use crate::stores::{Forgetful, OneRow, at_once};
use crate::world::{self, KEY, NOW, WORLD, rng, signed_as};

pub(crate) const TARGETS: [Target; 6] = [
    Target::new("attestation", attestation, attestation_seeds),
    Target::new(
        "evaluation_request",
        evaluation_request,
        evaluation_request_seeds,
    ),
    Target::new("officer_request", officer_request, officer_request_seeds),
    Target::new("officer_decision", officer_decision, officer_decision_seeds),
    Target::new("ending", ending, ending_seeds),
    Target::new("evidence_number", evidence_number, evidence_number_seeds),
];

const ATTESTER: &str = "operator";

/// The payload of an attestation, under the enrolment service's signature.
fn attestation(data: &[u8]) -> bool {
    let verify = |compact: &str| Attestation::verify(compact, ATTESTER, KEY.public(), NOW);
    verify(&signed_as("bauta-evidence+jwt", data)).is_ok_and(|attestation| {
        let again = attestation.sign(&KEY);
        assert!(again.len() > jose::jws::MAX_BYTES || verify(&again) == Ok(attestation));
        true
    })
}

fn an_attestation(elements: &[[u8; 32]]) -> Attestation {
    Attestation {
        iss: ATTESTER.to_owned(),
        evidence_id: "e".to_owned(),
        kind: EvidenceKind::Passport,
        level: EvidenceLevel::SubstantialOfficer,
        elements_sha256: encode(elements_hash(elements)),
        iat: NOW,
        exp: UnixTime(NOW.0 + 60),
    }
}

fn attestation_seeds() -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&an_attestation(&[])).expect("an attestation is JSON")]
}

static TRUSTEE: LazyLock<Trustee> = LazyLock::new(|| {
    let (mut shares, group) = oprf::deal(1, 1, &mut rng()).expect("1 of 1");
    let share = shares.pop().expect("a share");
    let limit = RateLimit {
        evaluations: 1,
        seconds: 1,
    };
    let attester = (ATTESTER.to_owned(), *KEY.public());
    Trustee::new(share, group, attester, limit, Arc::new(Forgetful)).expect("a trustee")
});

/// What a trustee is asked, and what it answers.
fn evaluation_request(data: &[u8]) -> bool {
    json_both_ways::<EvaluationResponse>(data);
    json_both_ways::<EvaluationRequest>(data)
        .is_some_and(|request| at_once(TRUSTEE.evaluate(&request, NOW)).is_ok())
}

fn evaluation_request_seeds() -> Vec<Vec<u8>> {
    let (_, blinded) = oprf::blind(b"number", &mut rng()).expect("a blind");
    let element = blinded.to_bytes();
    let request = EvaluationRequest {
        attestation: an_attestation(&[element]).sign(&KEY),
        elements: vec![encode(element)],
    };
    vec![
        serde_json::to_vec(&request).expect("a request is JSON"),
        br#"{"evaluations":["AA"]}"#.to_vec(),
    ]
}

static OFFICERS: LazyLock<Officers> = LazyLock::new(|| {
    let keys = BTreeMap::from([(officer(), *KEY.public())]);
    Officers::new(keys, world::origin(), Arc::new(Forgetful))
});

fn officer() -> OfficerId {
    OfficerId("o1".to_owned())
}

/// The payload of a request, under an officer's signature; before that, the whole statement.
fn officer_request(data: &[u8]) -> bool {
    let authenticate =
        |statement: &str| at_once(OFFICERS.authenticate(statement, "GET", "/officer/list", NOW));
    if let Some(statement) = text(data) {
        let _ = authenticate(statement);
    }
    authenticate(&signed_as("bauta-officer+jwt", data)).is_ok_and(|who| {
        assert_eq!(who, officer());
        true
    })
}

fn officer_request_seeds() -> Vec<Vec<u8>> {
    let request = OfficerRequest {
        iss: officer(),
        aud: world::origin(),
        iat: NOW,
        exp: UnixTime(NOW.0 + 30),
        jti: encode([6; 16]),
        htm: "GET".to_owned(),
        htu: format!("{}/officer/list", world::origin()),
    };
    let payload = serde_json::to_vec(&request).expect("a request is JSON");
    vec![payload, request.sign(&KEY).into_bytes()]
}

/// The payload of a decision, under an officer's signature.
fn officer_decision(data: &[u8]) -> bool {
    let statement = signed_as("bauta-officer-decision+jwt", data);
    OFFICERS
        .decision(&statement, &officer(), NOW)
        .is_ok_and(|decision| {
            assert_eq!(decision.iss, officer());
            if let Some(id) = enrolment::parse_session(&decision.session) {
                assert_eq!(enrolment::session_text(id), decision.session);
            }
            true
        })
}

fn officer_decision_seeds() -> Vec<Vec<u8>> {
    let decision = |verdict| Decision {
        iss: officer(),
        session: encode([1; 16]),
        evidence_digest: encode([2; 32]),
        decision: verdict,
        reason: "as seen".to_owned(),
        iat: NOW,
    };
    let json = |verdict| serde_json::to_vec(&decision(verdict)).expect("a decision is JSON");
    vec![json(Verdict::Confirm), json(Verdict::Refuse)]
}

/// A web number, then the payload of a statement under the device's signature.
fn ending(data: &[u8]) -> bool {
    let (web_number, payload) = cut(data);
    let Some(web_number) = text(web_number) else {
        return false;
    };
    let header = Header {
        jwk: Some(*KEY.public()),
        ..Header::of_type("bauta-end+jwt")
    };
    let row = Arc::new(OneRow(KEY.public().thumbprint()));
    let registrations = Registrations::new(world::origin(), row, Arc::new(Forgetful));
    at_once(registrations.end(web_number, &world::signed(&header, payload), NOW)).is_ok()
}

fn ending_seeds() -> Vec<Vec<u8>> {
    let number = WORLD.slots.web_number.as_str();
    let claims = format!(
        r#"{{"aud":"{}","web_number":"{number}","nonce":"n","iat":{}}}"#,
        world::origin(),
        NOW.0
    );
    vec![join(number.as_bytes(), claims.as_bytes())]
}

/// A state, then a number as a document shows it; and keys over tags.
fn evidence_number(data: &[u8]) -> bool {
    let _ = TagKey::from_bytes(data);
    let (state, number) = take(data);
    let (Ok(state), Some(number)) = (StateCode::from_mrz(state), text(number)) else {
        return false;
    };
    let kinds = [TagKind::DocumentNumber, TagKind::PersonNumber];
    kinds.into_iter().all(|kind| {
        EvidenceNumber::new(kind, state, number).is_ok_and(|number| {
            assert_eq!(number.kind(), kind);
            true
        })
    })
}

fn evidence_number_seeds() -> Vec<Vec<u8>> {
    ["UTOX0000001<", "CHN130503670401001", "D<<C01X00T47"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}
