//! The endpoints that the site's own programs call.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use openid4vc::oauth::{TokenResponse, bearer_token};
use openid4vc::oidc::{JwkSet, ProviderMetadata};
use serde_json::{Map, Value};

use super::Shared;
use super::form::FormText;
use super::refusal;
use crate::clock::Now;
use crate::http::problem::OAuthError;

pub(super) async fn metadata(State(gateway): Shared) -> Json<ProviderMetadata> {
    Json(gateway.metadata().clone())
}

pub(super) async fn jwks(State(gateway): Shared) -> Json<JwkSet> {
    Json(gateway.jwks().clone())
}

pub(super) async fn token(
    State(gateway): Shared,
    Now(now): Now,
    headers: HeaderMap,
    FormText(body): FormText,
) -> Result<Json<TokenResponse>, Response> {
    let redeemed = gateway.redeem(authorization(&headers), &body, now).await;
    redeemed
        .map(Json)
        .map_err(|error| refusal::of_redeem(&error, authorization(&headers)))
}

pub(super) async fn userinfo(
    State(gateway): Shared,
    Now(now): Now,
    headers: HeaderMap,
) -> Result<Json<Map<String, Value>>, Response> {
    let Some(token) = authorization(&headers).and_then(bearer_token) else {
        return Err(no_token().into_response());
    };
    let claims = gateway.userinfo(token.expose(), now).await;
    claims
        .map(Json)
        .map_err(|error| refusal::of_userinfo(&error).into_response())
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
}

fn no_token() -> OAuthError {
    OAuthError::new(
        StatusCode::UNAUTHORIZED,
        "invalid_token",
        "token-missing",
        "the request carries no bearer token",
    )
}
