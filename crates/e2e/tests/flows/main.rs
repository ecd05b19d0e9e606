//! Whole flows, and the harms that must be impossible, through the real programs.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what helps a test fails it, and tests/ is not seen as test code"
)]

mod age;
mod clients;
mod data_model;
mod demo;
mod ending;
mod enrolment;
mod hostile_operator;
mod hostile_site;
mod issuer_keys;
mod linking;
mod numbers;
mod planted;
mod renewal;
mod renewal_holder;
mod renewal_hostile;
mod restored_register;
mod silence;
mod sites;
mod wallet_commands;
