//! What both sites have: who is there, the account page, and what stands around every answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{
    DefaultBodyLimit, Form, FromRef, FromRequest, FromRequestParts, Request, State,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use tower_http::timeout::TimeoutLayer;

use crate::config::Config;
use crate::failure::Failure;
use crate::login;
use crate::page::{self, Frame};
use crate::provider::{self, Provider};
use crate::store::{self, Member, Session, Store, TokenHash};

/// A browser that is logged in.
pub(crate) const SESSION: &str = "__Host-site-session";
/// Largest form, in bytes.
const BODY_MAX_BYTES: usize = 16 * 1024;
/// Longer than a log-in that waits for a slow gateway.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What a site is made of.
pub(crate) struct Site {
    title: String,
    pub(crate) origin: String,
    pub(crate) provider: Provider,
    pub(crate) store: Store,
    policy: HeaderValue,
}

impl Site {
    /// Opens a site whose own tables are `schema`.
    pub(crate) fn new(config: &Config, schema: &str) -> anyhow::Result<Site> {
        let issuer = config.issuer.origin().ascii_serialization();
        // Logging out is a form that leads on to the gateway.
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self' {issuer}; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        Ok(Site {
            title: config.title.clone(),
            origin: config.origin.origin().ascii_serialization(),
            provider: Provider::new(config)?,
            store: Store::open(&config.data_file, schema)?,
            policy: HeaderValue::try_from(policy)?,
        })
    }
}

/// Puts the common routes and limits around a site's own `routes`.
pub(crate) fn around(routes: Router, site: &Arc<Site>) -> Router {
    let common = Router::new()
        .route("/log-in", get(login::log_in))
        .route(provider::BACK, get(login::back_from_gateway))
        .route("/log-out", post(login::log_out))
        .route("/account", get(account))
        .route("/style.css", get(style))
        .fallback(async || Failure::NothingHere)
        .with_state(Arc::clone(site));
    routes
        .merge(common)
        .method_not_allowed_fallback(async || Failure::WrongMethod)
        .layer(from_fn_with_state(Arc::clone(site), finish_answer))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST_TIMEOUT,
        ))
}

/// Gives failures their page, and every answer its headers.
async fn finish_answer(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.page(visitor.frame(&site));
    }
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not "no-referrer": with that, browsers say in forms that they come from nowhere.
        (header::REFERRER_POLICY, "same-origin"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, site.policy.clone());
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who sent a request.
pub(crate) struct Visitor(Option<Session>);

impl Visitor {
    /// The session of a browser that is logged in.
    pub(crate) fn session(&self) -> Result<&Session, Failure> {
        self.0.as_ref().ok_or(Failure::NotLoggedIn)
    }

    /// The account of a browser that is logged in.
    pub(crate) fn member(&self) -> Result<Member, Failure> {
        Ok(self.session()?.member.clone())
    }

    /// The top of the page for this visitor.
    pub(crate) fn frame(&self, site: &Site) -> Frame {
        Frame {
            site: site.title.clone(),
            member: self.0.as_ref().map(|session| session.member.short()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor
where
    Arc<Site>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Visitor, Failure> {
        let Some(cookie) = cookie(&parts.headers, SESSION).map(TokenHash::of) else {
            return Ok(Visitor(None));
        };
        let now = now();
        let find = move |store: &mut rusqlite::Connection| store::session(store, &cookie, now);
        let found = Arc::<Site>::from_ref(state).store.run(find).await?;
        Ok(Visitor(found))
    }
}

/// Shows that a page of this site sent the request.
pub(crate) struct FromOwnPage;

impl<S: Send + Sync> FromRequestParts<S> for FromOwnPage
where
    Arc<Site>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<FromOwnPage, Failure> {
        let site = Arc::<Site>::from_ref(state);
        let sent_by = parts.headers.get(header::ORIGIN);
        // Browsers add it to every post; SameSite alone would let the site's other hosts in.
        if sent_by.map(HeaderValue::as_bytes) != Some(site.origin.as_bytes()) {
            return Err(Failure::ForeignForm);
        }
        Ok(FromOwnPage)
    }
}

/// A form that a page of this site sent.
pub(crate) struct OwnForm<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OwnForm<T>
where
    Arc<Site>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<OwnForm<T>, Failure> {
        let (mut parts, body) = request.into_parts();
        FromOwnPage::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let form: Result<Form<T>, FormRejection> = Form::from_request(request, state).await;
        let Form(form) =
            form.map_err(|_| Failure::BadForm("The form is not complete, or too long."))?;
        Ok(OwnForm(form))
    }
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    claims: Vec<(String, String)>,
}

async fn account(State(site): State<Arc<Site>>, visitor: Visitor) -> Result<Response, Failure> {
    let session = visitor.session()?;
    let claims: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&session.claims).map_err(anyhow::Error::from)?;
    let sub = ("sub".to_owned(), session.member.0.clone());
    let others = claims.into_iter().filter(|(name, _)| name != "sub");
    let others = others.map(|(name, value)| shown(name, &value));
    let page = AccountPage {
        frame: visitor.frame(&site),
        claims: std::iter::once(sub).chain(others).collect(),
    };
    Ok(page::render(&page))
}

/// A claim as the page shows it; an age in words.
fn shown(name: String, value: &serde_json::Value) -> (String, String) {
    match (name.strip_prefix("age_over_"), value.as_bool()) {
        (Some(years), Some(true)) => (format!("at least {years}"), "yes".to_owned()),
        _ => (name, text_of(value)),
    }
}

fn text_of(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

async fn style() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../templates/style.css"))
}

/// The time, in seconds since 1970.
pub(crate) fn now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the clock is read"
    )]
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// A cookie that the browser sent.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let sent = headers.get_all(header::COOKIE).into_iter();
    let pairs = sent
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().split_once('='));
    found.find_map(|(found, value)| (found == name).then_some(value))
}
