//! Waiting for another process, with a limit and a name for what is waited for.

use std::time::{Duration, Instant};

use anyhow::bail;

/// The longest that anything may take.
pub const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(25);

/// Asks again and again until there is an answer.
///
/// # Errors
///
/// What `ask` answers; and after [`LIMIT`], naming `what`.
pub fn until<T>(
    what: &str,
    mut ask: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if begun.elapsed() > LIMIT {
            bail!("waited {} s for {what}", LIMIT.as_secs());
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process has no clock that a test could move"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
