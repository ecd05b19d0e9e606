//! The way of a browser through a log-in.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use gateway::begin::{BeginError, Begun};
use gateway::gateway::Gateway;
use gateway::ids::LoginId;
use gateway::login::Arrival;
use gateway::page::{LoginPage, PageError, WayOut};
use openid4vc::form::Parameters;
use openid4vc::oauth::Answer;

use super::Shared;
use super::cookies::{self, Sent};
use super::form::FormText;
use super::pages::{self, Back, Front, Message, Refresh, SiteView, Waiting};
use super::{qr, refusal};
use crate::clock::Now;

pub(super) async fn front(State(gateway): Shared) -> Response {
    let back = gateway.site().entry().site.origin.to_string();
    pages::page(
        StatusCode::OK,
        &Front {
            site: SiteView::of(gateway.site()),
            back,
        },
    )
}

pub(super) async fn nothing_here(State(gateway): Shared) -> Response {
    let fault = Fault::new(
        "not-found",
        "Nothing is here",
        "There is no page at this address.",
    );
    fault.respond(&gateway, StatusCode::NOT_FOUND)
}

pub(super) async fn wrong_method(State(gateway): Shared) -> Response {
    let fault = Fault::new(
        "method-not-allowed",
        "That does not work here",
        "This address is not called in this way.",
    );
    fault.respond(&gateway, StatusCode::METHOD_NOT_ALLOWED)
}

pub(super) async fn authorize(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    RawQuery(query): RawQuery,
) -> Response {
    begin(&gateway, &query.unwrap_or_default(), &sent, now).await
}

/// The same with the parameters in a form (OpenID Connect Core 1.0 section 3.1.2.1).
pub(super) async fn authorize_posted(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    FormText(body): FormText,
) -> Response {
    begin(&gateway, &body, &sent, now).await
}

pub(super) async fn page(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    login: LoginPath,
) -> Response {
    show(&gateway, &login, &sent, Arrival::Page, now).await
}

/// The log-in that a path names; none where the path is no text.
type LoginPath = Result<Path<String>, PathRejection>;

pub(super) async fn back_from_wallet(
    State(gateway): Shared,
    now: Now,
    sent: Sent,
    login: LoginPath,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let Ok(returned) = Parameters::parse(&query, RETURN_MAX_BYTES) else {
        let title = "This link does not belong to your log-in";
        let fault = Fault::new("malformed-request", title, "The link cannot be read.");
        return fault.respond(&gateway, StatusCode::BAD_REQUEST);
    };
    let arrival = Arrival::Return(returned.get("response_code").unwrap_or_default());
    show(&gateway, &login, &sent, arrival, now).await
}

async fn begin(gateway: &Gateway, query: &str, sent: &Sent, Now(now): Now) -> Response {
    match gateway.authorize(query, sent.get(), now).await {
        Ok(begun) => begun_response(gateway, begun),
        Err(error) => begin_fault(gateway, &error),
    }
}

/// Sends the browser to where a log-in begins, or back with an answer.
pub(super) fn begun_response(gateway: &Gateway, begun: Begun) -> Response {
    match begun {
        Begun::Answer(answer) => answer_response(gateway, answer),
        Begun::Login { id, browser } => {
            let mut response = Redirect::to(&format!("/login/{id}")).into_response();
            if let Some(browser) = browser {
                let cookie = cookies::set_browser(&browser);
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

async fn show(
    gateway: &Gateway,
    login: &LoginPath,
    sent: &Sent,
    arrival: Arrival<'_>,
    Now(now): Now,
) -> Response {
    let login = login.as_ref().ok();
    let Some(id) = login.and_then(|Path(login)| LoginId::parse(login).ok()) else {
        return page_fault(gateway, &PageError::Unknown);
    };
    match gateway
        .login_page(id, sent.get().browser, arrival, now)
        .await
    {
        Ok(page) => page_response(gateway, page),
        Err(error) => page_fault(gateway, &error),
    }
}

fn page_response(gateway: &Gateway, page: LoginPage) -> Response {
    let site = SiteView::of(gateway.site());
    match page {
        LoginPage::Waiting { link, qr: request, remaining_secs } => {
            waiting(gateway, link, request, remaining_secs)
        }
        LoginPage::LeadingBack => Message {
            site,
            state: "approved",
            title: "You approved in your wallet",
            sentence: "Go on in the window that your wallet has opened.",
            more: "If no window opened, go back to your wallet and follow its link in this browser.",
            refresh: Refresh::On,
            again: None,
            back: None,
        }
        .into_response(),
        LoginPage::Refused(way_out) => ended(
            site,
            ("refused", "You refused in your wallet"),
            "Nothing was sent. You are not logged in.",
            way_out,
        ),
        LoginPage::Expired(way_out) => ended(
            site,
            ("expired", "The time is over"),
            "No wallet answered in time. You are not logged in.",
            way_out,
        ),
        LoginPage::Finished => Message {
            site,
            state: "finished",
            title: "This log-in is done",
            sentence: "You can close this page.",
            more: "If you are not where you wanted to go, begin again at the site.",
            refresh: Refresh::Off,
            again: None,
            back: Some(Back::link(gateway.site().entry().site.origin.to_string())),
        }
        .into_response(),
        LoginPage::Continue { answer, session } => {
            let mut response = answer_response(gateway, answer);
            let cookie = cookies::set_session(&session);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
    }
}

fn waiting(gateway: &Gateway, link: String, request: String, remaining_secs: u64) -> Response {
    let entry = gateway.site().entry();
    let template = Waiting {
        site: SiteView::of(gateway.site()),
        purpose: entry.site.purpose.clone(),
        alternative: entry.site.alternative.clone(),
        qr: qr::svg(&request).unwrap_or_default(),
        link,
        request,
        remaining_minutes: remaining_secs.div_ceil(60),
    };
    pages::page(StatusCode::OK, &template)
}

fn ended(
    site: SiteView,
    (state, title): (&'static str, &'static str),
    sentence: &'static str,
    way_out: WayOut,
) -> Response {
    Message {
        site,
        state,
        title,
        sentence,
        more: "",
        refresh: Refresh::Off,
        again: Some(way_out.again),
        back: way_out.back.map(Back::from),
    }
    .into_response()
}

/// Leads the browser to a client, by itself where HTTP can.
fn answer_response(gateway: &Gateway, answer: Answer) -> Response {
    match answer {
        Answer::Redirect(location) => match HeaderValue::try_from(location) {
            Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
            Err(_) => Fault::internal().respond(gateway, StatusCode::INTERNAL_SERVER_ERROR),
        },
        answer @ Answer::Post { .. } => Message {
            site: SiteView::of(gateway.site()),
            state: "continue",
            title: "One more step",
            sentence: "Go back to the site to finish.",
            more: "",
            refresh: Refresh::Off,
            again: None,
            back: Some(Back::from(answer)),
        }
        .into_response(),
    }
}

/// A page about something that went wrong.
pub(super) struct Fault {
    id: &'static str,
    title: &'static str,
    sentence: &'static str,
}

impl Fault {
    pub(super) fn new(id: &'static str, title: &'static str, sentence: &'static str) -> Fault {
        Fault {
            id,
            title,
            sentence,
        }
    }

    pub(super) fn internal() -> Fault {
        Fault::new(
            "internal-error",
            "That did not work",
            "Please try again in a moment.",
        )
    }

    pub(super) fn respond(self, gateway: &Gateway, status: StatusCode) -> Response {
        let message = Message {
            site: SiteView::of(gateway.site()),
            state: self.id,
            title: self.title,
            sentence: self.sentence,
            more: "",
            refresh: Refresh::Off,
            again: None,
            back: Some(Back::link(gateway.site().entry().site.origin.to_string())),
        };
        pages::message(status, &message)
    }
}

fn begin_fault(gateway: &Gateway, error: &BeginError) -> Response {
    const TITLE: &str = "The site sent a wrong request";
    let fault = match error {
        BeginError::Form(_) => {
            Fault::new("malformed-request", TITLE, "The request cannot be read.")
        }
        BeginError::UnknownClient => Fault::new(
            "client-unknown",
            TITLE,
            "The program that sent you is not registered.",
        ),
        BeginError::UnknownRedirectUri => Fault::new(
            "redirect-uri-unknown",
            TITLE,
            "The address to go back to is not registered, so nobody is sent there.",
        ),
        BeginError::Store(error) => {
            refusal::log_failure(error);
            return Fault::internal().respond(gateway, StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    fault.respond(gateway, StatusCode::BAD_REQUEST)
}

fn page_fault(gateway: &Gateway, error: &PageError) -> Response {
    match error {
        PageError::Unknown => Fault::new(
            "login-unknown",
            "This log-in is over",
            "It was forgotten or never existed. Begin again at the site.",
        )
        .respond(gateway, StatusCode::NOT_FOUND),
        PageError::OtherBrowser => Fault::new(
            "other-browser",
            "This log-in began in another browser",
            "Open it in the browser in which you began, or begin again at the site.",
        )
        .respond(gateway, StatusCode::FORBIDDEN),
        PageError::WrongResponseCode => Fault::new(
            "response-code-wrong",
            "This link does not belong to your log-in",
            "Begin again at the site.",
        )
        .respond(gateway, StatusCode::FORBIDDEN),
        PageError::Store(error) => {
            refusal::log_failure(error);
            Fault::internal().respond(gateway, StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Longest query with which a wallet leads back, in bytes.
const RETURN_MAX_BYTES: usize = 4 * 1024;
