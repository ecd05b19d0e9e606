//! The browser's way through a log-in and out again.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use serde::Deserialize;

use crate::failure::Failure;
use crate::provider::{Kept, Person};
use crate::store::{self, Member, Session, Token, TokenHash};
use crate::web::{FromOwnPage, SESSION, Site, Visitor, cookie, now};

/// Tells one browser from another while it logs in.
const BROWSER: &str = "__Host-site-browser";

pub(crate) async fn log_in(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let begun = site.provider.begin().await.map_err(|error| {
        tracing::warn!("no log-in can begin: {error:#}");
        Failure::GatewayAway
    })?;
    let browser = match cookie(&headers, BROWSER) {
        Some(held) => held.to_owned(),
        None => Token::draw()?.expose().to_owned(),
    };
    let (state, hash) = (TokenHash::of(begun.state.secret()), TokenHash::of(&browser));
    let kept = serde_json::to_string(&begun.kept).map_err(anyhow::Error::from)?;
    let now = now();
    site.store
        .run(move |store| store::insert_login(store, &state, &hash, &kept, now))
        .await?;
    let set = AppendHeaders([(header::SET_COOKIE, set_cookie(BROWSER, &browser, ""))]);
    Ok((set, Redirect::to(begun.url.as_str())))
}

/// What the gateway sends back through the browser (RFC 6749 section 4.1.2).
#[derive(Deserialize)]
pub(crate) struct Back {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

pub(crate) async fn back_from_gateway(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    query: Result<Query<Back>, QueryRejection>,
) -> Result<impl IntoResponse, Failure> {
    let Query(back) = query.map_err(|_| Failure::UnknownLogin)?;
    let kept = take_login(&site, &headers, &back.state).await?;
    let code = match (back.code, back.error) {
        (Some(code), None) => code,
        (_, Some(error)) => {
            tracing::info!(%error, "a log-in was refused");
            return Err(Failure::LoginRefused);
        }
        (None, None) => return Err(Failure::LoginFailed),
    };
    let person = site.provider.finish(code, kept).await.map_err(|error| {
        tracing::warn!("a log-in failed: {error:#}");
        Failure::LoginFailed
    })?;
    let cookie = begin_session(&site, &headers, person).await?;
    let set = set_cookie(SESSION, cookie.expose(), "");
    Ok((
        AppendHeaders([(header::SET_COOKIE, set)]),
        Redirect::to("/"),
    ))
}

async fn take_login(site: &Site, headers: &HeaderMap, state: &str) -> Result<Kept, Failure> {
    let browser = cookie(headers, BROWSER).ok_or(Failure::UnknownLogin)?;
    let (state, browser, now) = (TokenHash::of(state), TokenHash::of(browser), now());
    let kept = site
        .store
        .run(move |store| store::take_login(store, &state, &browser, now))
        .await?;
    let kept = kept.ok_or(Failure::UnknownLogin)?;
    Ok(serde_json::from_str(&kept).map_err(anyhow::Error::from)?)
}

/// Replaces the session of this browser, if any, by a new one.
async fn begin_session(site: &Site, headers: &HeaderMap, person: Person) -> anyhow::Result<Token> {
    let cookie = Token::draw()?;
    let (old, new, now) = (session_hash(headers), cookie.hash(), now());
    let session = Session {
        member: Member(person.sub),
        claims: serde_json::to_string(&person.claims)?,
        id_token: person.id_token,
    };
    site.store
        .run(move |store| {
            if let Some(old) = old {
                store::delete_session(store, &old)?;
            }
            store::insert_session(store, &new, &session, now)
        })
        .await?;
    Ok(cookie)
}

pub(crate) async fn log_out(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    visitor: Visitor,
    _: FromOwnPage,
) -> Result<impl IntoResponse, Failure> {
    if let Some(hash) = session_hash(&headers) {
        site.store
            .run(move |store| store::delete_session(store, &hash))
            .await?;
    }
    let to = match visitor.session() {
        Ok(session) => site.provider.log_out(&session.id_token).await,
        Err(_) => Ok(openidconnect::url::Url::parse(&site.origin).map_err(anyhow::Error::from)?),
    };
    // Where the gateway is away, the person is logged out here all the same.
    let to = to.map_or_else(|_| "/".to_owned(), String::from);
    let remove = set_cookie(SESSION, "", "; Max-Age=0");
    Ok((
        AppendHeaders([(header::SET_COOKIE, remove)]),
        Redirect::to(&to),
    ))
}

fn session_hash(headers: &HeaderMap) -> Option<TokenHash> {
    cookie(headers, SESSION).map(TokenHash::of)
}

fn set_cookie(name: &str, value: &str, more: &str) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{more}")
}
