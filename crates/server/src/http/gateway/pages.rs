//! What people see: server-rendered pages that need no script.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gateway::devices::ShownDevice;
use gateway::site::Site;
use openid4vc::oauth::Answer;
use openid4vc::uri::HttpsUri;

use crate::http::problem::Problem;

/// The site as every page names it.
pub(super) struct SiteView {
    name: String,
    domain: String,
}

impl SiteView {
    pub(super) fn of(site: &Site) -> SiteView {
        let entry = site.entry();
        let origin = entry.site.origin.as_str();
        let host = origin.trim_start_matches("https://");
        let domain = host.strip_suffix(":443").unwrap_or(host).to_owned();
        SiteView {
            name: entry.site.name.clone(),
            domain,
        }
    }
}

/// The page of a log-in that waits.
#[derive(Template)]
#[template(path = "gateway/waiting.html")]
pub(super) struct Waiting {
    pub(super) site: SiteView,
    pub(super) purpose: String,
    pub(super) alternative: String,
    pub(super) link: String,
    /// What the QR code holds, for the command line.
    pub(super) request: String,
    /// The QR code, our own markup.
    pub(super) qr: String,
    pub(super) remaining_minutes: u64,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "gateway/message.html")]
pub(super) struct Message {
    pub(super) site: SiteView,
    /// Names the state for scripts: `refused`, `expired` and so on.
    pub(super) state: &'static str,
    pub(super) title: &'static str,
    pub(super) sentence: &'static str,
    pub(super) more: &'static str,
    /// Whether the page looks again by itself.
    pub(super) refresh: Refresh,
    /// Begins again.
    pub(super) again: Option<String>,
    /// Leads back to the client.
    pub(super) back: Option<Back>,
}

/// Whether a page looks again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    /// Every other second.
    On,
    /// Never.
    Off,
}

/// A way back to the client.
pub(super) struct Back {
    uri: String,
    /// Empty for a link; a form is posted.
    fields: Vec<(&'static str, String)>,
}

impl From<Answer> for Back {
    fn from(answer: Answer) -> Back {
        match answer {
            Answer::Redirect(uri) => Back {
                uri,
                fields: Vec::new(),
            },
            Answer::Post { uri, fields } => Back { uri, fields },
        }
    }
}

impl Back {
    /// A plain link.
    pub(super) fn link(uri: String) -> Back {
        Back {
            uri,
            fields: Vec::new(),
        }
    }
}

/// The devices of an account.
#[derive(Template)]
#[template(path = "gateway/devices.html")]
pub(super) struct DeviceList {
    pub(super) site: SiteView,
    pub(super) devices: Vec<DeviceView>,
}

/// One device.
pub(super) struct DeviceView {
    name: String,
    added: String,
}

impl From<ShownDevice> for DeviceView {
    fn from(device: ShownDevice) -> DeviceView {
        let seconds = i64::from(device.added.0) * 86_400;
        let date = time::OffsetDateTime::from_unix_timestamp(seconds).map(|time| time.date());
        let added = date.map(|date| {
            format!(
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            )
        });
        DeviceView {
            name: device.name,
            added: added.unwrap_or_default(),
        }
    }
}

/// Asks whether the person wants to log out.
#[derive(Template)]
#[template(path = "gateway/log_out.html")]
pub(super) struct AskLogOut {
    pub(super) site: SiteView,
    /// The parameters of the request, repeated when confirmed.
    pub(super) query: String,
}

/// The front page.
#[derive(Template)]
#[template(path = "gateway/front.html")]
pub(super) struct Front {
    pub(super) site: SiteView,
    pub(super) back: String,
}

/// Sends a page.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    send(status, template, "'self'")
}

impl IntoResponse for Message {
    fn into_response(self) -> Response {
        message(StatusCode::OK, &self)
    }
}

/// Sends a message; where it leads back by a form, the policy names where to.
pub(super) fn message(status: StatusCode, message: &Message) -> Response {
    let posted = message.back.as_ref().filter(|back| !back.fields.is_empty());
    let target = posted.and_then(|back| HttpsUri::parse(&back.uri).ok());
    match target {
        Some(target) => send(status, message, &target.origin()),
        None => page(status, message),
    }
}

fn send(status: StatusCode, template: &impl Template, form_action: &str) -> Response {
    let Ok(html) = template.render() else {
        return Problem::internal().into_response();
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let Ok(policy) = HeaderValue::try_from(policy) else {
        return Problem::internal().into_response();
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_SECURITY_POLICY, policy),
        // Not "no-referrer": with that, browsers send `Origin: null` with our own forms, which
        // are then refused.
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (status, headers, html).into_response()
}

/// The one style sheet.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

const STYLE: &str = include_str!("../../../templates/gateway/style.css");
