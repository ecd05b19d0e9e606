//! Every request runs in a task of its own, so that what it began is finished.
//!
//! A step of the service is more than one write: a nonce is used up, a row is stored, a session
//! moves on. The server drops the future of a request when its client goes away or its time is
//! over; were the steps in that future, it would leave the first write without the others, and
//! the same request sent again would be refused. So the future only waits for the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::problem::Problem;

/// The requests of one server that run.
#[derive(Clone, Debug)]
pub struct RunningRequests {
    /// Every task holds a receiver until it ends.
    tasks: watch::Sender<()>,
}

impl RunningRequests {
    /// None yet.
    #[must_use]
    pub fn new() -> RunningRequests {
        RunningRequests {
            tasks: watch::Sender::new(()),
        }
    }

    /// Waits until none runs, also none whose client is gone.
    pub async fn ended(&self) {
        self.tasks.closed().await;
    }

    /// Answers a request, within `limit`, with what the inner service says. Once the request was
    /// received as a whole it is carried out to its end whatever becomes of its client; the same
    /// request sent again then finds the outcome.
    pub async fn run(&self, request: Request, next: Next, limit: Duration) -> Response {
        let received = Arc::new(AtomicBool::new(false));
        let request = note_when_received(request, Arc::clone(&received));
        let running = self.tasks.subscribe();
        let task = tokio::spawn(async move {
            let response = next.run(request).await;
            drop(running);
            response
        });
        let _guard = AbortUnlessReceived {
            task: task.abort_handle(),
            received,
        };
        match tokio::time::timeout(limit, task).await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                tracing::error!(error = &failure as &dyn std::error::Error, "request failed");
                Problem::internal().into_response()
            }
            Err(_) => Problem::request_timeout().into_response(),
        }
    }
}

impl Default for RunningRequests {
    fn default() -> RunningRequests {
        RunningRequests::new()
    }
}

/// Ends the task of a request that never came whole: handlers write nothing before they have
/// read the body, and a body that is waited for keeps its connection open.
struct AbortUnlessReceived {
    task: AbortHandle,
    received: Arc<AtomicBool>,
}

impl Drop for AbortUnlessReceived {
    fn drop(&mut self) {
        if !self.received.load(Ordering::Acquire) {
            self.task.abort();
        }
    }
}

/// Sets `received` once the body was read or is not wanted, which drops it.
fn note_when_received(request: Request, received: Arc<AtomicBool>) -> Request {
    let note = SetWhenDropped(received);
    request.map(|body| {
        if body.is_end_stream() {
            return Body::empty();
        }
        Body::new(body.map_frame(move |frame| {
            let _held = &note;
            frame
        }))
    })
}

struct SetWhenDropped(Arc<AtomicBool>);

impl Drop for SetWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
