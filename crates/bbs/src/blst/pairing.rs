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
    let mut f = blst_fp12::default();
    let (r, generator) = (Zeroizing::new(-*r), Lines::of_generator());
    miller_loop([(p, q), (&r, generator)], &mut f);
    let mut out = blst_fp12::default();
    // SAFETY: all values are initialised.
    let is_one = unsafe {
        blst_final_exp(&raw mut out, &raw const f);
        blst_fp12_is_one(&raw const out)
    };
    wipe(&mut f.fp6);
    is_one
}

/// The product of the pairings of each point with the point of its lines, up to the final exponentiation
/// and an inversion. blst has the loop for one pair; in this one both share the squarings.
///
/// What is computed of the points is computed in place and wiped: of the holder's own signature it tells
/// whose it is.
fn miller_loop(pairs: [(&G1, &Lines); 2], f: &mut blst_fp12) {
    let mut factors = [blst_p1_affine::default(); 2];
    for (factors, (point, _)) in factors.iter_mut().zip(&pairs) {
        line_factors(point, factors);
    }
    let [one, other] = pairs.map(|(_, lines)| lines.0.iter());
    let mut line_at = blst_fp6::default();
    // SAFETY: blst returns a pointer to a constant that lives for the whole program; where its limbs have
    // 32 bits it is aligned to those only.
    *f = unsafe { blst_fp12_one().read_unaligned() };
    let f = &raw mut *f;
    for (step, (one, other)) in one.zip(other).enumerate() {
        if !UNSQUARED.contains(&step) {
            // SAFETY: initialised, and may be input and output.
            unsafe { blst_fp12_sqr(f, f) };
        }
        for (blst_p1_affine { x, y }, line) in factors.iter().zip([one, other]) {
            let ([a, b, c], [to_a, to_b, to_c]) = (&line.fp2, &mut line_at.fp2);
            *to_a = *a;
            scale(to_b, b, x);
            scale(to_c, c, y);
            // SAFETY: as above.
            unsafe { blst_fp12_mul_by_xy00z0(f, f, &raw const line_at) };
        }
    }
    wipe(std::slice::from_mut(&mut line_at));
    for factors in &mut factors {
        factors.x.l.zeroize();
        factors.y.l.zeroize();
    }
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

fn scale(out: &mut blst_fp2, value: &blst_fp2, factor: &blst_fp) {
    for (out, part) in out.fp.iter_mut().zip(&value.fp) {
        // SAFETY: all values are initialised.
        unsafe { blst_fp_mul(out, part, factor) };
    }
}

fn wipe(values: &mut [blst_fp6]) {
    for part in values.iter_mut().flat_map(|value| &mut value.fp2) {
        part.fp.iter_mut().for_each(|fp| fp.l.zeroize());
    }
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
    use blst::{blst_fp12_conjugate, blst_fp12_mul, blst_miller_loop_lines};

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
    fn the_loop_over_both_pairs_is_the_product_of_blsts_for_each() {
        let mut point = G1::base();
        for factor in 2..12 {
            let (p, q) = (point, G2::generator_mul(&Scalar::from_u128(factor)));
            point = point.mul(&Scalar::from_u128(u128::MAX - factor));
            let (one, other) = (Lines::of(&q), Lines::of_generator());
            let single = |point: &G1, lines: &Lines| {
                let (mut affine, mut out) = (blst_p1_affine::default(), blst_fp12::default());
                // SAFETY: all values are initialised, and there are as many lines as blst reads.
                unsafe {
                    blst_p1_to_affine(&raw mut affine, &raw const point.0);
                    blst_miller_loop_lines(&raw mut out, lines.0.as_ptr(), &raw const affine);
                }
                out
            };
            let mut product = blst_fp12::default();
            let mut both = blst_fp12::default();
            miller_loop([(&p, &one), (&point, other)], &mut both);
            // SAFETY: all values are initialised.
            unsafe {
                blst_fp12_mul(&raw mut product, &single(&p, &one), &single(&point, other));
                blst_fp12_conjugate(&raw mut both);
            }
            assert!(product == both);
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
