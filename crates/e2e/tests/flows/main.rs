//! Whole flows, and the harms that must be impossible, through the real programs.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what helps a test fails it, and tests/ is not seen as test code"
)]

// The longest flow; by its name it starts first and is no tail of the others.
mod absent_operator;
mod age;
mod chips;
mod clients;
mod data_model;
mod demo;
mod ending;
mod enrolment;
mod face;
mod hostile_operator;
mod hostile_site;
mod issuer_keys;
mod linking;
mod numbers;
mod openapi;
mod planted;
mod readers;
mod renewal;
mod renewal_holder;
mod renewal_hostile;
mod residents;
mod restored_register;
mod sites;
mod wallet_commands;
