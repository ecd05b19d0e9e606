//! The wall clock, read once per request.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use credential::time::UnixTime;
use service::enrolment::UnixMillis;

/// The time at which a request arrived; a handler takes it and passes it on.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub UnixTime);

/// Reads the clock.
#[must_use]
pub fn now() -> UnixTime {
    UnixTime(since_1970().as_secs())
}

/// Reads the clock, for what is over within seconds.
#[must_use]
pub fn now_millis() -> UnixMillis {
    UnixMillis(u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX))
}

fn since_1970() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the clock is read"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The day of a time in UTC, `YYYY-MM-DD`; the seconds where the calendar ends.
#[must_use]
pub fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| time.0.to_string(),
        |calendar| calendar.date().to_string(),
    )
}

impl<S: Sync> FromRequestParts<S> for Now {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Now(now()))
    }
}
