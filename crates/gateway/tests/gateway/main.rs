//! The gateway as a whole: a wallet on one side, a client on the other, no HTTP between.
#![forbid(unsafe_code)]

#[cfg(test)]
mod age;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod person;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod set_up;
#[cfg(test)]
mod site;
#[cfg(test)]
mod wallet;
