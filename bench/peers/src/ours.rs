//! This project's crate, through what it offers to others.

mod certificate;
mod plain;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::operation::Operation;

pub fn operations() -> Vec<Operation> {
    let mut all = plain::operations();
    all.extend(certificate::operations());
    all
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

/// For the length of the program, as its parameters and keys are for that of a server.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
