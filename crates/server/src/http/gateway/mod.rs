//! The gateway over HTTP: pages for people, OpenID Connect for the site, OpenID4VP for wallets.

mod browser;
mod cookies;
mod form;
mod log_in;
mod pages;
mod provider;
mod qr;
mod refusal;
mod wallet;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::routing::{get, post};
use gateway::discovery;
use gateway::gateway::Gateway;
use tower_http::set_header::SetResponseHeaderLayer;

use super::aside::aside;

/// What the handlers share.
type Shared = axum::extract::State<Arc<Gateway>>;

/// All routes of a gateway.
pub fn routes(gateway: Arc<Gateway>) -> Router {
    let cached = cache("public, max-age=300");
    let published = Router::new()
        .route(discovery::METADATA, get(provider::metadata))
        .route(discovery::JWKS, get(provider::jwks))
        .route("/style.css", get(pages::style))
        .method_not_allowed_fallback(log_in::wrong_method)
        .layer(cached);
    let clients = Router::new()
        .route(discovery::TOKEN, post(provider::token))
        .route(
            discovery::USERINFO,
            get(provider::userinfo).post(provider::userinfo),
        )
        .method_not_allowed_fallback(async || refusal::wrong_method());
    let wallets = Router::new()
        .route("/wallet/{login}/{transport}/request", get(wallet::request))
        .route(
            "/wallet/{login}/{transport}/response",
            post(wallet::response).layer(middleware::from_fn(aside)),
        )
        .method_not_allowed_fallback(async || refusal::wrong_method());
    let pages = Router::new()
        .route("/", get(log_in::front))
        .route(
            discovery::AUTHORIZE,
            get(log_in::authorize).post(log_in::authorize_posted),
        )
        .route("/login/{login}", get(log_in::page))
        .route("/login/{login}/return", get(log_in::back_from_wallet))
        .route(discovery::DEVICES, get(browser::devices))
        .route("/devices/remove", post(browser::remove_device))
        .route(
            discovery::END_SESSION,
            get(browser::log_out).post(browser::log_out_posted),
        )
        .route("/logout/confirm", post(browser::log_out_confirmed))
        .method_not_allowed_fallback(log_in::wrong_method)
        .fallback(log_in::nothing_here);
    let uncached = clients.merge(wallets).merge(pages).layer(cache("no-store"));
    published
        .merge(uncached)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(gateway)
}

fn cache(policy: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static(policy))
}

/// Largest body of any request, in bytes; a wallet's answer is below 8,000.
const BODY_MAX_BYTES: usize = 64 * 1024;
