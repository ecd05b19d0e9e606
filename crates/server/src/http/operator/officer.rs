//! `/officer`: evidence to compare, and decisions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use credential::attributes::Attributes;
use credential::jose;
use mrtd::ImageFormat;
use serde::{Deserialize, Serialize};
use service::enrolment::{self, OfficerCode};
use service::officer::OfficerId;
use zeroize::Zeroizing;

use super::Operator;
use super::enrolment::{SessionPath, reason_names};
use crate::clock::{self, Now};
use crate::http::bearer;
use crate::http::body::StrictJson;
use crate::http::problem::Problem;

/// The officer who sent a request.
pub(super) struct Officer(OfficerId);

impl FromRequestParts<Arc<Operator>> for Officer {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        operator: &Arc<Operator>,
    ) -> Result<Self, Problem> {
        let statement = bearer::credentials(&parts.headers, "Officer").unwrap_or_default();
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let now = clock::now();
        let officer = operator
            .officers
            .authenticate(statement, method, path, now)
            .await?;
        Ok(Officer(officer))
    }
}

#[derive(Serialize)]
pub(super) struct ListResponse {
    sessions: Vec<WaitingSession>,
}

#[derive(Serialize)]
struct WaitingSession {
    session: String,
    reasons: Vec<&'static str>,
}

pub(super) async fn list(
    State(operator): State<Arc<Operator>>,
    Officer(_): Officer,
    Now(now): Now,
) -> Json<ListResponse> {
    let waiting = operator.enrolments.awaiting_officer(now);
    let sessions = waiting
        .into_iter()
        .map(|(session, reasons)| WaitingSession {
            session: enrolment::session_text(session),
            reasons: reason_names(&reasons),
        });
    Json(ListResponse {
        sessions: sessions.collect(),
    })
}

#[derive(Serialize)]
pub(super) struct EvidenceResponse {
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    portrait: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portrait_type: Option<&'static str>,
    chip: &'static str,
    face: &'static str,
    reasons: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<String>,
    evidence_digest: String,
}

pub(super) async fn evidence(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Officer(_): Officer,
    Now(now): Now,
) -> Result<Json<EvidenceResponse>, Problem> {
    let view = operator.enrolments.evidence(session.0, now).await?;
    let (portrait, portrait_type) = view
        .portrait
        .map(|(image, format)| {
            let portrait = Zeroizing::new(jose::encode(image.as_slice()));
            (portrait, media_type(format))
        })
        .unzip();
    Ok(Json(EvidenceResponse {
        attributes: view.attributes,
        portrait,
        portrait_type,
        chip: view.chip.as_str(),
        face: view.face.as_str(),
        reasons: reason_names(&view.reasons),
        review: view.review.map(|review| jose::encode(review.0)),
        evidence_digest: jose::encode(view.digest),
    }))
}

fn media_type(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Jpeg2000 => "image/jp2",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionRequest {
    decision: String,
}

#[derive(Serialize)]
pub(super) struct DecisionResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_code: Option<Zeroizing<String>>,
}

pub(super) async fn decide(
    State(operator): State<Arc<Operator>>,
    session: SessionPath,
    Officer(officer): Officer,
    Now(now): Now,
    StrictJson(request): StrictJson<DecisionRequest>,
) -> Result<Json<DecisionResponse>, Problem> {
    let subject = (session.0, &officer);
    let (officers, enrolments) = (&operator.officers, &operator.enrolments);
    let transaction_code = match enrolments
        .decide(officers, subject, &request.decision, now)
        .await?
    {
        OfficerCode::Transaction(code) => Some(code),
        OfficerCode::None => None,
    };
    Ok(Json(DecisionResponse { transaction_code }))
}
