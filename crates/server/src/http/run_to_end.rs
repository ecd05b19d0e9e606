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
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::problem::Problem;

/// The requests of one server that run, at most so many at a time.
#[derive(Clone, Debug)]
pub struct RunningRequests {
    /// Every task holds a slot until it ends: clients that go away make no room for more.
    slots: Arc<Semaphore>,
    max: u32,
}

impl RunningRequests {
    /// None yet; there will be at most `max`, the others wait.
    #[must_use]
    pub fn new(max: usize) -> RunningRequests {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        RunningRequests {
            slots: Arc::new(Semaphore::new(usize::try_from(max).unwrap_or(usize::MAX))),
            max,
        }
    }

    /// Waits until none runs, also none whose client is gone.
    pub async fn ended(&self) {
        let _all = self.slots.acquire_many(self.max).await;
    }

    /// Answers a request, within `limit`, with what the inner service says. Once the request was
    /// received as a whole it is carried out to its end whatever becomes of its client; the same
    /// request sent again then finds the outcome.
    pub async fn run(&self, request: Request, next: Next, limit: Duration) -> Response {
        match tokio::time::timeout(limit, self.run_in_slot(request, next)).await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                tracing::error!(error = &*failure, "request failed");
                Problem::internal().into_response()
            }
            Err(_) => Problem::request_timeout().into_response(),
        }
    }

    async fn run_in_slot(&self, request: Request, next: Next) -> Result<Response, Failure> {
        let slot = Arc::clone(&self.slots).acquire_owned().await?;
        let received = Arc::new(AtomicBool::new(false));
        let request = note_when_received(request, Arc::clone(&received));
        let task = tokio::spawn(async move {
            let response = next.run(request).await;
            drop(slot);
            response
        });
        let _guard = AbortUnlessReceived {
            task: task.abort_handle(),
            received,
        };
        Ok(task.await?)
    }
}

/// Why a request has no answer, which is no fault of its client.
type Failure = Box<dyn std::error::Error + Send + Sync>;

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
