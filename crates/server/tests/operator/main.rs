//! The operator and its trustees as processes, over HTTPS: enrolment from a document to a
//! certificate, and every refusal on the way.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod authority;
mod codes;
mod commands;
mod consent;
mod enrolment;
mod evidence;
mod face;
mod face_memory;
mod interrupted;
mod memory;
mod officers;
mod refusals;
mod support;
mod trustees;
