//! `/enrolment`: the wallet's side of a session.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use credential::attributes::Attributes;
use credential::jose::{self, PublicKey};
use openid4vc::Secret;
use openid4vc::vci::CredentialOffer;
use serde::{Deserialize, Serialize};
use service::enrolment::{
    self, ChipChallenge, CommitmentRequest, DocumentUpload, Offered, Registration, ResidentUpload,
    Status, TRANSACTION_CODE_DIGITS,
};
use service::residents::{CardDates, IsoDate, LastDay, NumberKind};
use store::SessionId;
use zeroize::Zeroizing;

use super::Operator;
use crate::clock::Now;
use crate::http::bearer::Bearer;
use crate::http::body::StrictJson;
use crate::http::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeginRequest {
    device_key: PublicKey,
}

#[derive(Serialize)]
pub(super) struct BeginResponse {
    session: String,
    token: Zeroizing<String>,
    nonce: String,
    expires_in: u64,
}

pub(super) async fn begin(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
    StrictJson(request): StrictJson<BeginRequest>,
) -> Result<(StatusCode, Json<BeginResponse>), Problem> {
    let begun = operator.enrolments.begin(request.device_key, now)?;
    let response = BeginResponse {
        session: enrolment::session_text(begun.session),
        token: begun.token,
        nonce: begun.nonce,
        expires_in: begun.expires_in,
    };
    Ok((StatusCode::CREATED, Json(response)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentRequest {
    dg1: Zeroizing<String>,
    dg2: Zeroizing<String>,
    dg11: Option<Zeroizing<String>>,
    dg14: Option<Zeroizing<String>>,
    dg15: Option<Zeroizing<String>>,
    sod: Zeroizing<String>,
}

#[derive(Serialize)]
pub(super) struct DocumentResponse {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    chip: Option<ChipBody>,
}

pub(super) async fn document(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
    StrictJson(request): StrictJson<DocumentRequest>,
) -> Result<Json<DocumentResponse>, Problem> {
    let file = |text: &Zeroizing<String>| decode(text).map(Zeroizing::new);
    let others = [
        (11, &request.dg11),
        (14, &request.dg14),
        (15, &request.dg15),
    ];
    let others = others.into_iter().filter_map(|(number, text)| {
        let text = text.as_ref()?;
        Some(file(text).map(|file| (number, file)))
    });
    let upload = DocumentUpload {
        dg1: file(&request.dg1)?,
        dg2: file(&request.dg2)?,
        others: others.collect::<Result<_, Problem>>()?,
        sod: file(&request.sod)?,
    };
    let status = operator
        .enrolments
        .present_document((session.0, &token), upload, now)
        .await?;
    Ok(Json(DocumentResponse {
        state: status.state.as_str(),
        chip: status.chip.map(ChipBody::of),
    }))
}

/// What the wallet passes on to the chip.
#[derive(Serialize)]
#[serde(tag = "protocol", rename_all = "snake_case")]
enum ChipBody {
    ChipAuthentication {
        cipher: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        public_key: String,
        command: String,
    },
    ActiveAuthentication {
        nonce: String,
    },
}

impl ChipBody {
    fn of(challenge: ChipChallenge) -> ChipBody {
        match challenge {
            ChipChallenge::ChipAuthentication(question) => ChipBody::ChipAuthentication {
                cipher: question.cipher,
                key_id: question.key_id.map(jose::encode),
                public_key: jose::encode(question.public_key),
                command: jose::encode(question.command),
            },
            ChipChallenge::ActiveAuthentication(nonce) => ChipBody::ActiveAuthentication {
                nonce: jose::encode(nonce),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResidentRequest {
    kind: NumberKind,
    number: Zeroizing<String>,
    name: Zeroizing<String>,
    birth: Option<IsoDate>,
    valid_from: Option<IsoDate>,
    valid_to: Option<LastDay>,
}

pub(super) async fn resident(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
    StrictJson(request): StrictJson<ResidentRequest>,
) -> Result<Json<StateResponse>, Problem> {
    let upload = ResidentUpload {
        kind: request.kind,
        number: request.number,
        name: request.name,
        dates: CardDates {
            birth: request.birth,
            valid_from: request.valid_from,
            valid_to: request.valid_to,
        },
    };
    let status = operator
        .enrolments
        .present_resident((session.0, &token), upload, now)
        .await?;
    Ok(Json(StateResponse {
        state: status.state.as_str(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChipAnswer {
    answer: String,
}

#[derive(Serialize)]
pub(super) struct StateResponse {
    state: &'static str,
}

pub(super) async fn chip(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
    StrictJson(request): StrictJson<ChipAnswer>,
) -> Result<Json<StateResponse>, Problem> {
    let answer = decode(&request.answer)?;
    let state = operator
        .enrolments
        .answer_for_chip((session.0, &token), answer, now)
        .await?;
    Ok(Json(StateResponse {
        state: state.as_str(),
    }))
}

#[derive(Serialize)]
pub(super) struct StatusResponse {
    state: &'static str,
    nonce: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chip: Option<ChipBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'static str>,
}

pub(super) async fn status(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
) -> Result<Json<StatusResponse>, Problem> {
    let status = operator.enrolments.status(session.0, &token, now).await?;
    Ok(Json(StatusResponse::of(status)))
}

impl StatusResponse {
    fn of(status: Status) -> StatusResponse {
        let mut response = StatusResponse {
            state: status.state.as_str(),
            nonce: status.nonce,
            chip: status.chip.map(ChipBody::of),
            registered: None,
            generation: None,
            attributes: None,
            refusal: status.refusal.map(enrolment::Refusal::as_str),
        };
        if let Some(confirmed) = status.confirmed {
            response.registered = Some(match confirmed.registration {
                Registration::Exists => true,
                Registration::None => false,
            });
            response.generation = Some(confirmed.generation.as_str());
            response.attributes = Some(confirmed.attributes);
        }
        response
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommitmentBody {
    commitment: String,
    proof: String,
}

#[derive(Serialize)]
pub(super) struct OfferResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    entropy: Option<String>,
    commitment: String,
    web_number: String,
    credential_offer: CredentialOffer,
}

pub(super) async fn commit(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
    StrictJson(body): StrictJson<CommitmentBody>,
) -> Result<Json<OfferResponse>, Problem> {
    let request = body.parse()?;
    let offered = operator
        .enrolments
        .commit((session.0, &token), &request, now)
        .await?;
    Ok(Json(OfferResponse::of(&operator, &offered)))
}

pub(super) async fn restore(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
    StrictJson(body): StrictJson<CommitmentBody>,
) -> Result<Json<OfferResponse>, Problem> {
    let request = body.parse()?;
    let offered = operator
        .enrolments
        .restore((session.0, &token), &request, now)
        .await?;
    Ok(Json(OfferResponse::of(&operator, &offered)))
}

impl CommitmentBody {
    fn parse(&self) -> Result<CommitmentRequest, Problem> {
        Ok(CommitmentRequest {
            commitment: decode(&self.commitment)?,
            proof: decode(&self.proof)?,
        })
    }
}

impl OfferResponse {
    fn of(operator: &Operator, offered: &Offered) -> OfferResponse {
        let issuer = operator.issuer.identifier().clone();
        let code = Secret::from(offered.code.to_string());
        OfferResponse {
            entropy: offered.entropy.map(jose::encode),
            commitment: jose::encode(offered.commitment),
            web_number: offered.web_number.to_string(),
            credential_offer: CredentialOffer::of_certificate(
                issuer,
                code,
                TRANSACTION_CODE_DIGITS,
            ),
        }
    }
}

/// The session in a request's path.
pub(super) struct SessionPath(pub(super) SessionId);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for SessionPath {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Problem> {
        let path: Path<String> = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        enrolment::parse_session(&path)
            .map(SessionPath)
            .ok_or_else(Problem::not_found)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    jose::decode(text).map_err(|_| {
        Problem::malformed_request().with_detail("a value is not base64url without padding")
    })
}
