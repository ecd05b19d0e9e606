//! Pages.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// What stands at the top of every page.
pub(crate) struct Frame {
    /// What the site calls itself.
    pub(crate) site: String,
    /// The member who is logged in, shortened.
    pub(crate) member: Option<String>,
}

/// Renders a page.
pub(crate) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
