//! What a person who is logged in can do: see devices, remove one, log out.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use gateway::devices::{Devices, DevicesError};
use gateway::discovery;
use gateway::gateway::Gateway;
use gateway::logout::{Logout, LogoutError, LogoutIntent};
use openid4vc::form::Parameters;

use super::Shared;
use super::cookies::{self, Sent};
use super::form::FormText;
use super::log_in::{Fault, begun_response};
use super::pages::{self, AskLogOut, Back, DeviceList, DeviceView, Message, Refresh, SiteView};
use super::refusal;
use crate::clock::Now;

pub(super) async fn devices(State(gateway): Shared, Now(now): Now, sent: Sent) -> Response {
    match gateway.devices(sent.get(), now).await {
        Ok(Devices::Login(begun)) => begun_response(&gateway, begun),
        Ok(Devices::Shown(devices)) => {
            let devices = devices.into_iter().map(DeviceView::from).collect();
            let site = SiteView::of(gateway.site());
            pages::page(StatusCode::OK, &DeviceList { site, devices })
        }
        Err(error) => {
            refusal::log_failure(&error);
            Fault::internal().respond(&gateway, StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

pub(super) async fn remove_device(
    State(gateway): Shared,
    Now(now): Now,
    sent: Sent,
    headers: HeaderMap,
    FormText(body): FormText,
) -> Response {
    if !is_own_page(&gateway, &headers) {
        return forbidden(&gateway);
    }
    let form = Parameters::parse(&body, FORM_MAX_BYTES).unwrap_or_default();
    let name = form.get("device").unwrap_or_default();
    match gateway.remove_device(sent.get(), name, now).await {
        // A device that is gone already is what the person wanted.
        Ok(()) | Err(DevicesError::Unknown | DevicesError::NotLoggedIn) => {
            Redirect::to(discovery::DEVICES).into_response()
        }
        Err(DevicesError::Store(error)) => {
            refusal::log_failure(&error);
            Fault::internal().respond(&gateway, StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

pub(super) async fn log_out(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    end_session(&gateway, &query, &sent, LogoutIntent::Requested, now).await
}

/// The same with the parameters in a form (RP-Initiated Logout 1.0 section 2).
pub(super) async fn log_out_posted(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    FormText(body): FormText,
) -> Response {
    end_session(&gateway, &body, &sent, LogoutIntent::Requested, now).await
}

pub(super) async fn log_out_confirmed(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    headers: HeaderMap,
    FormText(body): FormText,
) -> Response {
    if !is_own_page(&gateway, &headers) {
        return forbidden(&gateway);
    }
    let form = Parameters::parse(&body, FORM_MAX_BYTES).unwrap_or_default();
    let query = form.get("query").unwrap_or_default();
    end_session(&gateway, query, &sent, LogoutIntent::Confirmed, now).await
}

async fn end_session(
    gateway: &Gateway,
    query: &str,
    sent: &Sent,
    intent: LogoutIntent,
    Now(now): Now,
) -> Response {
    let ended = gateway.end_session(query, sent.get(), intent, now).await;
    let mut response = match (ended, intent) {
        (Ok(Logout::Ask), _) => {
            let site = SiteView::of(gateway.site());
            let ask = AskLogOut {
                site,
                query: query.to_owned(),
            };
            return pages::page(StatusCode::OK, &ask);
        }
        (Ok(Logout::Redirect(to)), LogoutIntent::Requested) => Redirect::to(&to).into_response(),
        // A form of ours may not lead elsewhere, so the page shows a link.
        (Ok(Logout::Redirect(to)), LogoutIntent::Confirmed) => logged_out(gateway, to),
        (Ok(Logout::Done), _) => {
            logged_out(gateway, gateway.site().entry().site.origin.to_string())
        }
        (Err(error), _) => return log_out_fault(gateway, &error),
    };
    response
        .headers_mut()
        .append(header::SET_COOKIE, cookies::remove_session());
    response
}

fn logged_out(gateway: &Gateway, back: String) -> Response {
    Message {
        site: SiteView::of(gateway.site()),
        state: "logged-out",
        title: "You are logged out",
        sentence: "Nobody is logged in here in this browser any more.",
        more: "",
        refresh: Refresh::Off,
        again: None,
        back: Some(Back::link(back)),
    }
    .into_response()
}

fn log_out_fault(gateway: &Gateway, error: &LogoutError) -> Response {
    const TITLE: &str = "The site sent a wrong request";
    let fault = match error {
        LogoutError::Form(_) => {
            Fault::new("malformed-request", TITLE, "The request cannot be read.")
        }
        LogoutError::Request(_) => Fault::new(
            "redirect-uri-unknown",
            TITLE,
            "The address to go back to is not registered. You are still logged in.",
        ),
        LogoutError::Store(error) => {
            refusal::log_failure(error);
            return Fault::internal().respond(gateway, StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    fault.respond(gateway, StatusCode::BAD_REQUEST)
}

/// Whether a form was sent by a page of this gateway. Browsers add `Origin` to every post, and
/// `SameSite` alone would let the site's other hosts in.
fn is_own_page(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    origin == Some(gateway.issuer().as_bytes())
}

fn forbidden(gateway: &Gateway) -> Response {
    Fault::new(
        "foreign-form",
        "This was not sent from here",
        "Nothing was changed.",
    )
    .respond(gateway, StatusCode::FORBIDDEN)
}

/// Longest form of our own pages, in bytes.
const FORM_MAX_BYTES: usize = 32 * 1024;
