//! A seeded generator for the tests of this crate.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// A generator that always draws the same from the same seed.
pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}
