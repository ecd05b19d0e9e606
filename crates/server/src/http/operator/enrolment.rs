//! `/enrolment`: the wallet's side of a session.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use credential::attributes::Attributes;
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::jose::{self, PublicKey};
use face::Prompt;
use openid4vc::Secret;
use openid4vc::vci::CredentialOffer;
use serde::{Deserialize, Serialize};
use service::enrolment::{
    self, ChipChallenge, CommitmentRequest, Consent, FaceStatus, Hold, Offered, Registration,
    ResidentUpload, ReviewReason, Status, TRANSACTION_CODE_DIGITS, UnlockedBy, Version,
};
use service::residents::{CardDates, IsoDate, LastDay, NumberKind};
use store::SessionId;
use zeroize::Zeroizing;

use super::Operator;
use crate::clock::{self, Now};
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
pub(super) struct ConsentRequest {
    notice_sha256: String,
    evidence: ChosenEvidence,
    face: FaceConsent,
}

#[derive(Serialize)]
pub(super) struct ConsentResponse {
    #[serde(flatten)]
    status: StatusResponse,
    receipt: String,
}

pub(super) async fn consent(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
    StrictJson(request): StrictJson<ConsentRequest>,
) -> Result<Response, Problem> {
    let digest = decode(&request.notice_sha256)?;
    let consent = Consent {
        notice: digest
            .try_into()
            .map_err(|_| Problem::malformed_request())?,
        evidence: request.evidence,
        face: request.face,
    };
    let (status, receipt) = operator
        .enrolments
        .consent(held.hold(), consent, now)
        .await?;
    let version = status.version;
    let response = ConsentResponse {
        status: StatusResponse::of(status),
        receipt: receipt.sign(&operator.key),
    };
    Ok((etag(version), Json(response)).into_response())
}

pub(super) async fn withdraw(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Bearer(token): Bearer,
    Now(now): Now,
) -> Result<StatusCode, Problem> {
    operator
        .enrolments
        .withdraw((session.0, &token), now)
        .await?;
    Ok(StatusCode::NO_CONTENT)
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
    held: Held,
    Now(now): Now,
    StrictJson(request): StrictJson<ResidentRequest>,
) -> Result<Stated, Problem> {
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
    let enrolments = &operator.enrolments;
    let status = enrolments
        .present_resident(held.hold(), upload, now)
        .await?;
    Ok(Stated(status))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChipAnswer {
    answer: String,
}

pub(super) async fn chip(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
    StrictJson(request): StrictJson<ChipAnswer>,
) -> Result<Stated, Problem> {
    let answer = decode(&request.answer)?;
    let enrolments = &operator.enrolments;
    let status = enrolments.answer_for_chip(held.hold(), answer, now).await?;
    Ok(Stated(status))
}

pub(super) async fn challenge_face(
    State(operator): State<Arc<Operator>>,
    held: Held,
) -> Result<Stated, Problem> {
    let now = clock::now_millis();
    let status = operator.enrolments.challenge_face(held.hold(), now).await?;
    Ok(Stated(status))
}

pub(super) async fn leave_face_out(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
) -> Result<Stated, Problem> {
    let status = operator.enrolments.leave_face_out(held.hold(), now).await?;
    Ok(Stated(status))
}

pub(super) async fn decide_by_machine(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
) -> Result<Stated, Problem> {
    let enrolments = &operator.enrolments;
    Ok(Stated(
        enrolments.decide_by_machine(held.hold(), now).await?,
    ))
}

/// How far the face check is.
#[derive(Serialize)]
struct FaceBody {
    tries_left: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompts: Vec<Prompt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_ms: Option<u32>,
}

impl FaceBody {
    fn of(status: FaceStatus) -> FaceBody {
        let asked = status.challenge;
        let prompts = asked.as_ref().map(|asked| asked.challenge.prompts());
        FaceBody {
            tries_left: status.tries_left,
            prompts: prompts.unwrap_or_default().to_vec(),
            end_ms: asked.as_ref().map(|asked| asked.challenge.end_ms()),
            nonce: asked.map(|asked| asked.nonce),
        }
    }
}

/// Where a session is, with its version as the entity tag.
pub(super) struct Stated(pub(super) Status);

impl IntoResponse for Stated {
    fn into_response(self) -> Response {
        let version = self.0.version;
        (etag(version), Json(StatusResponse::of(self.0))).into_response()
    }
}

fn etag(version: Version) -> [(header::HeaderName, String); 1] {
    [(header::ETAG, tag_text(version))]
}

#[derive(Serialize)]
struct StatusResponse {
    state: &'static str,
    nonce: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chip: Option<ChipBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face: Option<FaceBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<Vec<&'static str>>,
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
) -> Result<Stated, Problem> {
    let status = operator.enrolments.status(session.0, &token, now).await?;
    Ok(Stated(status))
}

impl StatusResponse {
    fn of(status: Status) -> StatusResponse {
        let mut response = StatusResponse {
            state: status.state.as_str(),
            nonce: status.nonce,
            chip: status.chip.map(ChipBody::of),
            face: status.face.map(FaceBody::of),
            review: status.review.as_deref().map(reason_names),
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

pub(super) fn reason_names(reasons: &[ReviewReason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.as_str()).collect()
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
    held: Held,
    Now(now): Now,
    StrictJson(body): StrictJson<CommitmentBody>,
) -> Result<Json<OfferResponse>, Problem> {
    let request = body.parse()?;
    let enrolments = &operator.enrolments;
    let offered = enrolments.commit(held.hold(), &request, now).await?;
    Ok(Json(OfferResponse::of(&operator, &offered)))
}

pub(super) async fn restore(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
    StrictJson(body): StrictJson<CommitmentBody>,
) -> Result<Json<OfferResponse>, Problem> {
    let request = body.parse()?;
    let enrolments = &operator.enrolments;
    let offered = enrolments.restore(held.hold(), &request, now).await?;
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
        let digits = match offered.unlocked_by {
            UnlockedBy::TransactionCode => Some(TRANSACTION_CODE_DIGITS),
            UnlockedBy::Nothing => None,
        };
        OfferResponse {
            entropy: offered.entropy.map(jose::encode),
            commitment: jose::encode(offered.commitment),
            web_number: offered.web_number.to_string(),
            credential_offer: CredentialOffer::of_certificate(issuer, code, digits),
        }
    }
}

/// Session, token and the version that the wallet has seen.
pub(super) struct Held {
    session: SessionId,
    token: String,
    version: Version,
}

impl Held {
    pub(super) fn hold(&self) -> Hold<'_> {
        Hold {
            session: self.session,
            token: &self.token,
            version: self.version,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Held {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let SessionPath(session) = SessionPath::from_request_parts(parts, state).await?;
        let Bearer(token) = Bearer::from_request_parts(parts, state).await?;
        Ok(Held {
            session,
            token,
            version: if_match(&parts.headers)?,
        })
    }
}

/// The one entity tag that the request is made for.
fn if_match(headers: &HeaderMap) -> Result<Version, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        let title = "The version of the session has to be named (If-Match)";
        let status = StatusCode::PRECONDITION_REQUIRED;
        return Err(Problem::new(status, "version-missing", title));
    };
    let tag = value.to_str().ok();
    tag.and_then(parse_tag).ok_or_else(|| {
        Problem::malformed_request().with_detail("If-Match is no entity tag of ours")
    })
}

/// The version of a tag as [`tag_text`] writes it; a number also reads `+1` and `01`.
fn parse_tag(tag: &str) -> Option<Version> {
    let number = tag.strip_prefix('"')?.strip_suffix('"')?;
    let version = Version(number.parse().ok()?);
    (tag_text(version) == tag).then_some(version)
}

fn tag_text(Version(version): Version) -> String {
    format!("\"{version}\"")
}

/// The session in a request's path.
pub(super) struct SessionPath(pub(super) SessionId);

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Path<String> = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        enrolment::parse_session(&path)
            .map(SessionPath)
            .ok_or_else(Problem::not_found)
    }
}

pub(super) fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    jose::decode(text).map_err(|_| {
        Problem::malformed_request().with_detail("a value is not base64url without padding")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_tag() {
        assert_eq!(parse_tag("\"12\""), Some(Version(12)));
        for other in [
            "12",
            "\"+12\"",
            "\"012\"",
            "W/\"12\"",
            "*",
            "\"\"",
            "\"4294967296\"",
        ] {
            assert_eq!(parse_tag(other), None, "{other}");
        }
    }
}
