//! Requests that compute for milliseconds: proofs, documents.
//!
//! A thread of the runtime that computes answers nobody meanwhile, and there are as many of them as
//! processors. So these requests give their thread's other work to another thread while they run.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Carries out a request whose handler computes. Needs the runtime with many threads.
pub async fn aside(request: Request, next: Next) -> Response {
    Aside(Box::pin(next.run(request))).await
}

/// A future that computes while it is polled.
struct Aside<F>(Pin<Box<F>>);

impl<F: Future> Future for Aside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        tokio::task::block_in_place(|| {
            let polled = self.0.as_mut().poll(context);
            // This thread may be idle from now on, with what it has read on its stack.
            service::memory::wipe_stack();
            polled
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn others_go_on_while_one_request_computes() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build();
        runtime.unwrap().block_on(async {
            let (begun, computes) = channel();
            let (other, waits) = channel();
            let heavy = tokio::spawn(Aside(Box::pin(async move {
                begun.send(()).unwrap();
                // Computes until the other has had its turn.
                waits.recv_timeout(Duration::from_secs(60))
            })));
            computes.recv().unwrap();
            let light = tokio::spawn(async move { other.send(()) });
            assert_eq!(heavy.await.unwrap(), Ok(()));
            light.await.unwrap().unwrap();
        });
    }
}
