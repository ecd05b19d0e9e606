//! `/registration/end`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::Operator;
use crate::clock::Now;
use crate::http::body::StrictJson;
use crate::http::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndRequest {
    web_number: String,
    statement: String,
}

pub(super) async fn end(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
    StrictJson(request): StrictJson<EndRequest>,
) -> Result<StatusCode, Problem> {
    operator
        .registrations
        .end(&request.web_number, &request.statement, now)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
