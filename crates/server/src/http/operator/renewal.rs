//! `/registration/renewal`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::Operator;
use crate::clock::Now;
use crate::http::body::{JWT, Jwt};
use crate::http::problem::Problem;

/// Certificate or refusal: the answer looks the same from outside.
pub(super) async fn renew(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
    Jwt(request): Jwt,
) -> Result<impl IntoResponse, Problem> {
    let answer = operator.renewals.renew(&request, now).await?;
    Ok(([(header::CONTENT_TYPE, JWT)], answer))
}
