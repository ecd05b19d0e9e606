//! `bauta gateway` as a process, over HTTPS: a browser, a wallet and a client.
#![forbid(unsafe_code)]

#[cfg(test)]
#[path = "../../../gateway/tests/gateway/person.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the gateway itself, which need more"
)]
mod person;
#[cfg(test)]
mod process;
#[cfg(test)]
mod wire;
