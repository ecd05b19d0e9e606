//! The one equation of pairings that signatures and proofs are checked by.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use blst::{
    blst_final_exp, blst_fp, blst_fp_add, blst_fp_cneg, blst_fp_mul, blst_fp2, blst_fp6, blst_fp12,
    blst_fp12_is_one, blst_fp12_mul_by_xy00z0, blst_fp12_one, blst_fp12_sqr, blst_p1_affine,
    blst_p1_to_affine, blst_p2_affine, blst_precompute_lines,
};

use zeroize::{Zeroize, Zeroizing};

use super::{G1, G2};

/// What a pairing with a point of G2 computes of that point alone: a quarter of its first half.
pub(crate) struct Lines(Box<[blst_fp6; LINES]>);

impl Lines {
    fn of(point: &G2) -> Lines {
        let mut lines = Box::new([blst_fp6::default(); LINES]);
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
}

/// Whether e(p, q) is e(r, the generator of G2), for the point q with these lines. No point may be the
/// identity, which the loop does not know; no point that is parsed is, and none that is computed but
/// with negligible probability.
pub(crate) fn pairs_as_with_generator((p, q): (&G1, &Lines), r: &G1) -> bool {
    let f = miller_loop([(p, q), (&Zeroizing::new(-*r), Lines::of_generator())]);
    let mut out = blst_fp12::default();
    // SAFETY: all values are initialised.
    unsafe {
        blst_final_exp(&raw mut out, &raw const f);
        blst_fp12_is_one(&raw const out)
    }
}

/// The product of the pairings of each point with the point of its lines, up to the final exponentiation
/// and an inversion. blst has the loop for one pair; in this one both share the squarings.
fn miller_loop(pairs: [(&G1, &Lines); 2]) -> blst_fp12 {
    // In place, and wiped: of the holder's own signature they tell whose it is.
    let mut factors = [blst_p1_affine::default(); 2];
    for (factors, (point, _)) in factors.iter_mut().zip(&pairs) {
        line_factors(point, factors);
    }
    let [one, other] = pairs.map(|(_, lines)| lines.0.iter());
    // SAFETY: blst returns a pointer to a constant that lives for the whole program; where its limbs have
    // 32 bits it is aligned to those only.
    let mut f = unsafe { blst_fp12_one().read_unaligned() };
    for (step, (one, other)) in one.zip(other).enumerate() {
        if !UNSQUARED.contains(&step) {
            // SAFETY: initialised, and may be input and output.
            unsafe { blst_fp12_sqr(&raw mut f, &raw const f) };
        }
        for (factors, line) in factors.iter().zip([one, other]) {
            let [a, b, c] = &line.fp2;
            let line = blst_fp6 {
                fp2: [*a, scaled(b, &factors.x), scaled(c, &factors.y)],
            };
            // SAFETY: as above.
            unsafe { blst_fp12_mul_by_xy00z0(&raw mut f, &raw const f, &raw const line) };
        }
    }
    for factors in &mut factors {
        factors.x.l.zeroize();
        factors.y.l.zeroize();
    }
    f
}

/// What a point gives to each line: -2x and 2y.
fn line_factors(point: &G1, factors: &mut blst_p1_affine) {
    // SAFETY: all values are initialised, and may be input and output.
    unsafe {
        blst_p1_to_affine(factors, &raw const point.0);
        let (x, y) = (&raw mut factors.x, &raw mut factors.y);
        blst_fp_add(x, x, x);
        blst_fp_cneg(x, x, true);
        blst_fp_add(y, y, y);
    }
}

fn scaled(value: &blst_fp2, factor: &blst_fp) -> blst_fp2 {
    let fp = value.fp.map(|part| {
        let mut out = blst_fp::default();
        // SAFETY: all values are initialised.
        unsafe { blst_fp_mul(&raw mut out, &raw const part, factor) };
        out
    });
    blst_fp2 { fp }
}

/// As many as the loop takes, for the 64 bits of the curve's parameter.
const LINES: usize = 68;
/// The steps without a squaring before them: the first, and those that add, one for each further bit of
/// the parameter that is set.
const UNSQUARED: [usize; 6] = [0, 1, 4, 8, 18, 51];
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
