//! `/enrolment`: document and frames, the bodies of more than some octets. They are taken only where the
//! session awaits them: whether it does is asked before they are read.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use credential::jose;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use service::enrolment::{CaptureUpload, DocumentUpload};
use zeroize::Zeroizing;

use super::Operator;
use super::enrolment::{Held, Stated, decode};
use crate::clock::{self, Now};
use crate::http::body::{self, StrictJson};
use crate::http::problem::Problem;

/// Lets a request pass whose session awaits a document.
pub(super) async fn expect_document(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
    request: Request,
    next: Next,
) -> Response {
    match operator.enrolments.expects_document(held.hold(), now).await {
        Ok(()) => next.run(request).await,
        Err(error) => refuse(request, error.into()).await,
    }
}

/// Lets a request pass whose session awaits frames, one at a time.
pub(super) async fn expect_face(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
    request: Request,
    next: Next,
) -> Response {
    match operator.enrolments.expects_face(held.hold(), now).await {
        Ok(upload) => {
            let response = next.run(request).await;
            drop(upload);
            response
        }
        Err(error) => refuse(request, error.into()).await,
    }
}

async fn refuse(request: Request, problem: Problem) -> Response {
    body::discard(request).await;
    problem.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentRequest {
    dg1: Zeroizing<String>,
    dg2: Zeroizing<String>,
    dg11: Option<Zeroizing<String>>,
    dg14: Option<Zeroizing<String>>,
    dg15: Option<Zeroizing<String>>,
    sod: Zeroizing<String>,
}

pub(super) async fn document(
    State(operator): State<Arc<Operator>>,
    held: Held,
    Now(now): Now,
    StrictJson(request): StrictJson<DocumentRequest>,
) -> Result<Stated, Problem> {
    let file = |text: &Zeroizing<String>| decode(text).map(Zeroizing::new);
    let others = [
        (11, &request.dg11),
        (14, &request.dg14),
        (15, &request.dg15),
    ];
    let others = others.into_iter().filter_map(|(number, text)| {
        let text = text.as_ref()?;
        Some(file(text).map(|file| (number, file)))
    });
    let upload = DocumentUpload {
        dg1: file(&request.dg1)?,
        dg2: file(&request.dg2)?,
        others: others.collect::<Result<_, Problem>>()?,
        sod: file(&request.sod)?,
    };
    let enrolments = &operator.enrolments;
    let status = enrolments
        .present_document(held.hold(), upload, now)
        .await?;
    Ok(Stated(status))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaceRequest {
    statement: String,
    #[serde(deserialize_with = "frames")]
    frames: Vec<Zeroizing<Vec<u8>>>,
}

pub(super) async fn face(
    State(operator): State<Arc<Operator>>,
    held: Held,
    StrictJson(request): StrictJson<FaceRequest>,
) -> Result<Stated, Problem> {
    let upload = CaptureUpload {
        statement: request.statement,
        frames: request.frames,
    };
    // Frames that were all there before the challenge was over are not frames of it.
    let now = clock::now_millis();
    let enrolments = &operator.enrolments;
    let status = enrolments.present_face(held.hold(), upload, now).await?;
    Ok(Stated(status))
}

fn frames<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Zeroizing<Vec<u8>>>, D::Error> {
    deserializer.deserialize_seq(FramesVisitor)
}

struct FramesVisitor;

impl<'de> Visitor<'de> for FramesVisitor {
    type Value = Vec<Zeroizing<Vec<u8>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("frames in base64url")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sent: A) -> Result<Self::Value, A::Error> {
        let mut frames = Vec::new();
        while frames.len() < *face::FRAMES.end() {
            match sent.next_element()? {
                Some(Frame(frame)) => frames.push(frame),
                None => return Ok(frames),
            }
        }
        match sent.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::custom("more frames than are looked at")),
            None => Ok(frames),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "Zeroizing<String>")]
struct Frame(Zeroizing<Vec<u8>>);

impl TryFrom<Zeroizing<String>> for Frame {
    type Error = &'static str;

    fn try_from(text: Zeroizing<String>) -> Result<Frame, &'static str> {
        if text.len() > FRAME_MAX {
            return Err("a frame is shorter");
        }
        let frame = jose::decode(&text).map_err(|_| "no base64url")?;
        Ok(Frame(Zeroizing::new(frame)))
    }
}

/// The longest frame in characters of base64url: 300,000 octets, more than a picture of as many
/// pixels as are looked at needs.
const FRAME_MAX: usize = 400_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(statement: &str, frames: &[String]) -> Option<FaceRequest> {
        let body = json!({ "statement": statement, "frames": frames }).to_string();
        serde_json::from_slice(body.as_bytes()).ok()
    }

    #[test]
    fn frames_are_taken_up_to_their_number_and_length_and_no_further() {
        let (short, long) = (jose::encode(b"frame"), "A".repeat(FRAME_MAX));
        let most = vec![short.clone(); *face::FRAMES.end()];
        let taken = parse("a.b.c", &most).unwrap();
        assert_eq!(
            (taken.statement.as_str(), taken.frames.len()),
            ("a.b.c", 160)
        );
        assert_eq!(**taken.frames.last().unwrap(), b"frame");
        assert!(parse("a.b.c", &[most.as_slice(), &[short]].concat()).is_none());
        assert!(parse("a.b.c", &[]).unwrap().frames.is_empty());
        assert!(parse("a.b.c", std::slice::from_ref(&long)).is_some());
        assert!(parse("a.b.c", &[long + "AAAA"]).is_none());
        assert!(parse("a.b.c", &["no base64url".to_owned()]).is_none());
    }
}
