//! Leaving nothing of a document behind in memory.

use zeroize::Zeroize;

/// How much of a stack is overwritten; more than reading a document and verifying its signature
/// uses.
const STACK_BYTES: usize = 256 * 1024;

/// Runs work on personal data on a thread of its own kind, and overwrites the stack that it
/// used. The result must not carry personal data by value: it is moved through other stacks.
///
/// # Errors
///
/// When the work panicked.
pub(crate) async fn run_wiped<T, F>(work: F) -> Result<T, WorkFailed>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let task = tokio::task::spawn_blocking(move || {
        let _wiped = WipedAfter;
        run_apart(work)
    });
    task.await.map_err(|_| WorkFailed)
}

/// The work did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("work on a document did not end")]
pub struct WorkFailed;

/// Overwrites the stack also when the work panics: its frames are gone by then, what they held not.
struct WipedAfter;

impl Drop for WipedAfter {
    fn drop(&mut self) {
        wipe_stack();
    }
}

/// In a frame of its own, so that all of it lies where [`wipe_stack`] writes.
#[inline(never)]
fn run_apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites what earlier calls left on the stack below the caller.
#[inline(never)]
pub fn wipe_stack() {
    // In words: they are written one by one.
    let mut area = [0xA5A5_A5A5_A5A5_A5A5_u64; STACK_BYTES / 8];
    area.zeroize();
    std::hint::black_box(&area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_has_failed_and_the_next_one_runs() {
        let failed: Result<(), WorkFailed> = run_wiped(|| panic!("of the test")).await;
        assert_eq!(failed, Err(WorkFailed));
        assert_eq!(run_wiped(|| 1).await, Ok(1));
    }
}
