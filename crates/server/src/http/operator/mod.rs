//! The operator's routes.

#[cfg(test)]
mod description;
mod ending;
mod enrolment;
mod error;
mod issuer;
mod officer;
mod public;
mod renewal;
mod upload;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Extension, Router};
use credential::jose::SigningKey;
use credential::origin::Origin;
use service::enrolment::Enrolments;
use service::issuer::{EpochKeys, Issuer};
use service::officer::Officers;
use service::register::Registrations;
use service::renewal::Renewals;
use service::sites::Sites;
use tower_http::set_header::SetResponseHeaderLayer;

use super::aside::aside;
use super::body::BodyMax;
use super::problem::Problem;

/// The largest document upload in bytes: EF.DG2 of 1 MiB and the others, in base64.
const DOCUMENT_MAX_BYTES: usize = 1_600_000;
/// The largest upload of frames in bytes: 160 of 60 kB, in base64.
const FACE_MAX_BYTES: usize = 13_000_000;
/// The largest renewal request in bytes; one has about 2,400.
const RENEWAL_MAX_BYTES: usize = 4096;

/// What the handlers need.
pub struct Operator {
    /// The origin under which wallets reach this server.
    pub origin: Origin,
    /// The key that signs manifests.
    pub key: Arc<SigningKey>,
    /// Enrolment sessions.
    pub enrolments: Arc<Enrolments>,
    /// The officers.
    pub officers: Officers,
    /// Codes, tokens and certificates.
    pub issuer: Issuer,
    /// The issuer's keys.
    pub keys: Arc<EpochKeys>,
    /// Ending of registrations.
    pub registrations: Registrations,
    /// Renewal of certificates.
    pub renewals: Renewals,
    /// The register of sites.
    pub sites: Sites,
}

/// All routes.
pub fn routes(operator: Arc<Operator>) -> Router {
    let computing = || middleware::from_fn(aside);
    let expected = middleware::from_fn_with_state(Arc::clone(&operator), upload::expect_document);
    let document = put(upload::document).route_layer(expected);
    let document = document.layer(Extension(BodyMax(DOCUMENT_MAX_BYTES)));
    let expected = middleware::from_fn_with_state(Arc::clone(&operator), upload::expect_face);
    let face = put(upload::face).route_layer(expected);
    let face = face.delete(enrolment::leave_face_out);
    let face = face.layer(Extension(BodyMax(FACE_MAX_BYTES)));
    let renewal = post(renewal::renew).layer(Extension(BodyMax(RENEWAL_MAX_BYTES)));
    Router::new()
        // wallets
        .route("/enrolment", post(enrolment::begin))
        .route(
            "/enrolment/{id}",
            get(enrolment::status).delete(enrolment::withdraw),
        )
        .route("/enrolment/{id}/consent", put(enrolment::consent))
        .route(
            "/enrolment/{id}/chip",
            post(enrolment::chip).layer(computing()),
        )
        .route(
            "/enrolment/{id}/face/challenge",
            post(enrolment::challenge_face),
        )
        .route("/enrolment/{id}/face", face.layer(computing()))
        .route(
            "/enrolment/{id}/decision",
            post(enrolment::decide_by_machine).layer(computing()),
        )
        .route(
            "/enrolment/{id}/commitment",
            post(enrolment::commit).layer(computing()),
        )
        .route(
            "/enrolment/{id}/restore",
            post(enrolment::restore).layer(computing()),
        )
        .route("/token", post(issuer::token))
        .route("/nonce", post(issuer::nonce))
        .route("/credential", post(issuer::credential).layer(computing()))
        .route("/registration/end", post(ending::end))
        .route("/registration/renewal", renewal.layer(computing()))
        // officers
        .route("/officer/enrolments", get(officer::list))
        .route("/officer/enrolments/{id}", get(officer::evidence))
        .route(
            "/officer/enrolments/{id}/decision",
            post(officer::decide).layer(computing()),
        )
        // everybody
        .route("/.well-known/bauta/manifest", get(public::manifest))
        .route("/.well-known/bauta/notice", get(public::notice))
        .route(
            "/.well-known/openid-credential-issuer",
            get(public::issuer_metadata),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            get(public::server_metadata),
        )
        .route("/sites", get(public::sites))
        .route("/enrolment/{id}/resident", put(enrolment::resident))
        .route("/enrolment/{id}/document", document.layer(computing()))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(wipe_after))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(operator)
}

/// Requests and answers may hold personal data; what handling them left on this thread's stack
/// is overwritten.
async fn wipe_after(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    service::memory::wipe_stack();
    response
}
