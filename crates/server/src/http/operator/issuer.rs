//! OpenID4VCI: token, nonce and credential endpoint.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use openid4vc::Secret;
use openid4vc::oauth::TokenResponse;
use openid4vc::vci::{CredentialResponse, NonceResponse, PreAuthorizedRequest};

use super::{Operator, error};
use crate::clock::Now;
use crate::http::bearer;
use crate::http::body::RawBody;
use crate::http::problem::OAuthError;

pub(super) async fn token(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
    RawBody(body): RawBody,
) -> Result<Json<TokenResponse>, OAuthError> {
    let body = std::str::from_utf8(&body).unwrap_or_default();
    let request = PreAuthorizedRequest::parse(body).map_err(error::token_request)?;
    let tx_code = request.tx_code.as_ref().map_or("", Secret::expose);
    let code = request.pre_authorized_code.expose();
    let token = operator.issuer.redeem(code, tx_code, now).await?;
    Ok(Json(TokenResponse {
        access_token: Secret::from(token.token.to_string()),
        token_type: "Bearer".to_owned(),
        expires_in: Some(token.expires_in),
        scope: None,
        id_token: None,
    }))
}

pub(super) async fn nonce(
    State(operator): State<Arc<Operator>>,
    Now(now): Now,
) -> Result<Json<NonceResponse>, OAuthError> {
    let c_nonce = operator.issuer.nonce(now).await?;
    Ok(Json(NonceResponse { c_nonce }))
}

pub(super) async fn credential(
    State(operator): State<Arc<Operator>>,
    headers: HeaderMap,
    Now(now): Now,
    RawBody(body): RawBody,
) -> Result<Json<CredentialResponse>, OAuthError> {
    let token = bearer::credentials(&headers, "Bearer").unwrap_or_default();
    let certificate = operator.issuer.issue(token, &body, now).await?;
    Ok(Json(CredentialResponse::of(certificate)))
}
