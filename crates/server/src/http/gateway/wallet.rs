//! The endpoints that wallets call.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use gateway::authentication::Transport;
use gateway::ids::LoginId;
use serde::Serialize;

use super::Shared;
use super::form::FormText;
use super::refusal;
use crate::clock::Now;
use crate::http::problem::OAuthError;

/// What a wallet reads after an answer that was taken.
///
/// Source: OpenID4VP 1.0 section 8.2.
#[derive(Serialize)]
pub(super) struct Taken {
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
}

pub(super) async fn request(
    State(gateway): Shared,
    Now(now): Now,
    address: Address,
) -> Result<impl IntoResponse, OAuthError> {
    let (login, transport) = parse(&address)?;
    let object = gateway.request_object(login, transport, now).await;
    let object = object.map_err(|error| refusal::of_fetch(&error))?;
    Ok((
        [(header::CONTENT_TYPE, "application/oauth-authz-req+jwt")],
        object,
    ))
}

pub(super) async fn response(
    State(gateway): Shared,
    Now(now): Now,
    address: Address,
    FormText(body): FormText,
) -> Result<Json<Taken>, OAuthError> {
    let (login, transport) = parse(&address)?;
    let received = gateway.respond(login, transport, &body, now).await;
    let received = received.map_err(|error| refusal::of_respond(&error))?;
    Ok(Json(Taken {
        redirect_uri: received.redirect_uri,
    }))
}

/// A log-in and the way its request came, if the path is text.
type Address = Result<Path<(String, String)>, PathRejection>;

fn parse(address: &Address) -> Result<(LoginId, Transport), OAuthError> {
    let address = address.as_ref().map_err(|_| refusal::unknown_request());
    let Path((login, transport)) = address?;
    let login = LoginId::parse(login).map_err(|_| refusal::unknown_request())?;
    let transport = Transport::parse(transport).ok_or_else(refusal::unknown_request)?;
    Ok((login, transport))
}
