//! What everybody may read, the same for all.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{AuthorizationServerMetadata, IssuerMetadata};
use serde::Serialize;

use super::{Operator, error};
use crate::clock::Now;
use crate::http::problem::Problem;

/// Documents may be kept for an hour.
const CACHE: &str = "public, max-age=3600";

pub(super) async fn manifest(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
) -> Result<impl IntoResponse, Problem> {
    let signed = operator
        .keys
        .manifest(&operator.origin, &operator.key, now)?;
    Ok((
        [
            (header::CONTENT_TYPE, "application/jwt"),
            (header::CACHE_CONTROL, CACHE),
        ],
        signed,
    ))
}

pub(super) async fn notice(State(operator): State<Arc<Operator>>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, operator.enrolments.notice().json().to_owned())
}

pub(super) async fn issuer_metadata(
    State(operator): State<Arc<Operator>>,
) -> Result<impl IntoResponse, Problem> {
    let issuer = operator.issuer.identifier().clone();
    let (credential, nonce) = (
        endpoint(&operator, "/credential")?,
        endpoint(&operator, "/nonce")?,
    );
    Ok((
        [(header::CACHE_CONTROL, CACHE)],
        Json(IssuerMetadata::new(issuer, credential, nonce)),
    ))
}

pub(super) async fn server_metadata(
    State(operator): State<Arc<Operator>>,
) -> Result<impl IntoResponse, Problem> {
    let issuer = operator.issuer.identifier().clone();
    let token = endpoint(&operator, "/token")?;
    Ok((
        [(header::CACHE_CONTROL, CACHE)],
        Json(AuthorizationServerMetadata::new(issuer, token)),
    ))
}

#[derive(Serialize)]
pub(super) struct SitesResponse {
    entries: Vec<String>,
}

pub(super) async fn sites(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
) -> Result<impl IntoResponse, Problem> {
    let entries = operator
        .sites
        .list(now)
        .await
        .map_err(|failure| error::internal(&failure))?;
    Ok(Json(SitesResponse { entries }))
}

fn endpoint(operator: &Operator, path: &str) -> Result<HttpsUri, Problem> {
    let text = format!("{}{path}", operator.issuer.identifier().as_str());
    HttpsUri::parse(&text).map_err(|failure| error::internal(&failure))
}
