//! The one equation of pairings that signatures and proofs are checked by.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use blst::{
    blst_final_exp, blst_fp6, blst_fp12, blst_fp12_is_one, blst_fp12_mul, blst_miller_loop_lines,
    blst_p2_affine, blst_precompute_lines,
};

use super::{G1, G2};

/// What a pairing with a point of G2 computes of that point alone: a quarter of its first half.
pub(crate) struct Lines(Vec<blst_fp6>);

impl Lines {
    fn of(point: &G2) -> Lines {
        let mut lines = vec![blst_fp6::default(); LINES];
        // SAFETY: blst writes so many, and the point is initialised.
        unsafe { blst_precompute_lines(lines.as_mut_ptr(), &raw const point.0) };
        Lines(lines)
    }

    /// The same for a point that will come again: an issuer's key. The last few are kept.
    pub(crate) fn kept(point: &G2) -> Arc<Lines> {
        static KEPT: Mutex<Vec<(blst_p2_affine, Arc<Lines>)>> = Mutex::new(Vec::new());
        let lock = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |(of, _): &(blst_p2_affine, _)| *of == point.0;
        let found = lock()
            .iter()
            .find(|one| is_same(one))
            .map(|(_, lines)| Arc::clone(lines));
        // Nobody else waits for that.
        let lines = found.unwrap_or_else(|| Arc::new(Lines::of(point)));
        let mut kept = lock();
        kept.retain(|one| !is_same(one));
        kept.insert(0, (point.0, Arc::clone(&lines)));
        kept.truncate(KEPT_MAX);
        lines
    }

    fn of_generator() -> &'static Lines {
        static LINES: OnceLock<Lines> = OnceLock::new();
        LINES.get_or_init(|| Lines::of(&G2::generator()))
    }

    fn miller_loop(&self, point: &G1) -> blst_fp12 {
        let affine = point.to_affine();
        let mut out = blst_fp12::default();
        // SAFETY: all values are initialised, and there are as many lines as blst reads.
        unsafe { blst_miller_loop_lines(&raw mut out, self.0.as_ptr(), &raw const affine) };
        out
    }
}

/// Whether e(p, q) is e(r, the generator of G2), for the point q with these lines. No point may be the
/// identity, which the loop does not know; no point that is parsed is, and none that is computed but
/// with negligible probability.
pub(crate) fn pairs_as_with_generator((p, q): (&G1, &Lines), r: &G1) -> bool {
    let (left, right) = (q.miller_loop(p), Lines::of_generator().miller_loop(&-*r));
    let mut product = blst_fp12::default();
    let mut out = blst_fp12::default();
    // SAFETY: all values are initialised.
    unsafe {
        blst_fp12_mul(&raw mut product, &raw const left, &raw const right);
        blst_final_exp(&raw mut out, &raw const product);
        blst_fp12_is_one(&raw const out)
    }
}

/// As many as the loop takes, for the 64 bits of the curve's parameter.
const LINES: usize = 68;
/// The keys of this epoch and the last, and others of tests; 20 kB each.
const KEPT_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blst::Scalar;

    #[test]
    fn a_pairing_of_multiples_is_that_of_their_product_and_no_other() {
        let (two, three) = (Scalar::from_u128(2), Scalar::from_u128(3));
        let (p, q) = (G1::base().mul(&two), G2::generator_mul(&three));
        for lines in [Arc::new(Lines::of(&q)), Lines::kept(&q), Lines::kept(&q)] {
            assert!(pairs_as_with_generator(
                (&p, &lines),
                &G1::base().mul(&(two * three))
            ));
            assert!(!pairs_as_with_generator(
                (&p, &lines),
                &G1::base().mul(&three)
            ));
        }
    }

    #[test]
    fn each_point_has_its_own_lines_whichever_were_kept() {
        for factor in (2..9).chain(2..9) {
            let factor = Scalar::from_u128(factor);
            let lines = Lines::kept(&G2::generator_mul(&factor));
            assert!(pairs_as_with_generator(
                (&G1::base(), &lines),
                &G1::base().mul(&factor)
            ));
        }
    }
}
