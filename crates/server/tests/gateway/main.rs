//! `bauta gateway` as a process, over HTTPS: a browser, a wallet and a client.
#![forbid(unsafe_code)]

#[cfg(test)]
mod age;
#[cfg(test)]
#[path = "../../../gateway/tests/gateway/person.rs"]
mod person;
#[cfg(test)]
mod process;
#[cfg(test)]
#[path = "../operator/support/raw.rs"]
mod raw;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod wire;
