//! Why a wallet command failed, for a person and for a script.

use std::fmt;

use credential::site_entry::is_control;
use serde::Deserialize;

use crate::client::{Answer, CallError};

/// A refusal with its stable id, what happened and what to do next.
#[derive(Debug)]
pub(super) struct Failure {
    /// Stable id, kebab-case.
    pub(super) id: String,
    /// What happened.
    pub(super) what: String,
    /// What to do next; empty where there is nothing.
    pub(super) next: &'static str,
}

impl Failure {
    /// A failure with a next step.
    #[must_use]
    pub(super) fn new(id: &str, what: impl fmt::Display, next: &'static str) -> Failure {
        Failure {
            id: id.to_owned(),
            what: what.to_string(),
            next,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.what, self.id)?;
        if self.next.is_empty() {
            Ok(())
        } else {
            write!(f, "\n{}", self.next)
        }
    }
}

impl std::error::Error for Failure {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        match error {
            CallError::Unreachable(_) => {
                let next = "Check the address and the connection, then run the same command again.";
                Failure::new("server-unreachable", error, next)
            }
            CallError::TooLarge => Failure::new("answer-too-large", error, ""),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(error) => Failure::new("local-failure", format!("{error:#}"), ""),
        }
    }
}

/// The members that this program reads of a refusal over HTTP.
#[derive(Deserialize)]
struct Refused {
    id: Option<String>,
    error: Option<String>,
    detail: Option<String>,
    title: Option<String>,
    error_description: Option<String>,
}

/// The failure that a refusing answer tells of. It is a stranger's text: only a well-formed id
/// counts as one, and nothing of it may steer the terminal.
#[must_use]
pub(super) fn refused(answer: &Answer) -> Failure {
    let status = answer.status;
    let unknown = || Failure::new("server-failed", format!("the server answered {status}"), "");
    let Ok(body) = answer.json::<Refused>() else {
        return unknown();
    };
    let Some(id) = body.id.or(body.error).filter(|id| is_id(id)) else {
        return unknown();
    };
    let what = body.detail.or(body.error_description).or(body.title);
    let plain = |text: String| text.chars().filter(|c| !is_control(*c)).take(300).collect();
    Failure {
        id,
        what: what.map_or_else(|| format!("the server answered {status}"), plain),
        next: "",
    }
}

/// Ids of this project have hyphens, those of OAuth underscores.
fn is_id(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    (1..=60).contains(&text.len()) && text.bytes().all(allowed)
}
