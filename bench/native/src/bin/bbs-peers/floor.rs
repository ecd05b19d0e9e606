//! What no verifier can leave out, on blst directly and by its best routine.

use std::hint::black_box;
use std::ptr;

use blst::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::cases::{MSM_NYM, MSM_PLAIN, PAIRINGS, POINTS};
use crate::operation::{By, Operation};

/// Terms of both equations of a proof: Abar, Bbar, D and D, P1, Q1, the generators.
const PLAIN_TERMS: usize = 3 + 3 + 10;
/// The same with 27 slots, and the two of the pseudonym.
const NYM_TERMS: usize = 3 + 3 + 27 + 2;
const SCALAR_BITS: usize = 255;
/// As blst has it for a point of G2.
const LINES: usize = 68;

pub fn operations() -> Vec<Operation> {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let mut all = vec![pairings(&mut rng), points(&mut rng)];
    all.extend(sums(MSM_PLAIN, PLAIN_TERMS, &mut rng));
    all.extend(sums(MSM_NYM, NYM_TERMS, &mut rng));
    all
}

/// e(a · P, Q) = e(P, a · Q).
fn pairings(rng: &mut ChaCha20Rng) -> Operation {
    let scalar = scalar(rng);
    let p = point(rng);
    let scaled = affine(&mul(&p, &scalar));
    let p = affine(&p);
    // SAFETY: all values are initialised, the scalar has the 255 bits announced.
    let (q, scaled_q) = unsafe {
        let mut out = blst_p2::default();
        blst_p2_mult(
            &raw mut out,
            blst_p2_generator(),
            scalar.as_ptr(),
            SCALAR_BITS,
        );
        let mut scaled = blst_p2_affine::default();
        blst_p2_to_affine(&raw mut scaled, &raw const out);
        (*blst_p2_affine_generator(), scaled)
    };
    let (left, right) = (lines(&q), lines(&scaled_q));
    Operation::verifying((PAIRINGS, By::Floor), move || {
        let (left, right) = (black_box(&left), black_box(&right));
        let (scaled, p) = (black_box(&scaled), black_box(&p));
        let (mut one, mut two) = (blst_fp12::default(), blst_fp12::default());
        // SAFETY: both have as many lines as blst reads.
        unsafe {
            blst_miller_loop_lines(&raw mut one, left.as_ptr(), scaled);
            blst_miller_loop_lines(&raw mut two, right.as_ptr(), p);
            blst_fp12_finalverify(&raw const one, &raw const two)
        }
    })
}

fn lines(q: &blst_p2_affine) -> [blst_fp6; LINES] {
    let mut lines = [blst_fp6::default(); LINES];
    // SAFETY: there is room for all lines.
    unsafe { blst_precompute_lines(lines.as_mut_ptr(), q) };
    lines
}

fn points(rng: &mut ChaCha20Rng) -> Operation {
    let compressed: [[u8; 48]; 3] = std::array::from_fn(|_| {
        let (point, mut out) = (affine(&point(rng)), [0; 48]);
        // SAFETY: 48 writable octets out.
        unsafe { blst_p1_affine_compress(out.as_mut_ptr(), &raw const point) };
        out
    });
    Operation::verifying((POINTS, By::Floor), move || {
        black_box(&compressed).iter().all(|octets| {
            let mut point = blst_p1_affine::default();
            // SAFETY: 48 readable octets in, an initialised value out.
            unsafe {
                blst_p1_uncompress(&raw mut point, octets.as_ptr()) == BLST_ERROR::BLST_SUCCESS
                    && blst_p1_affine_in_g1(black_box(&raw const point))
            }
        })
    })
}

/// The sum of `count` products, by the routine for that and one product after the other.
fn sums(case: &'static str, count: usize, rng: &mut ChaCha20Rng) -> [Operation; 2] {
    let points: Vec<_> = (0..count).map(|_| point(rng)).collect();
    let affine: Vec<_> = points.iter().map(affine).collect();
    let scalars: Vec<_> = (0..count).map(|_| scalar(rng)).collect();
    let flat = scalars.concat();
    let expected = one_by_one(&points, &scalars);
    let by = (case, By::Floor);
    [
        Operation::new(
            by,
            move || pippenger(black_box(&affine), black_box(&flat)),
            move |sum| equal(sum, &expected),
        )
        .by_way("Pippenger"),
        Operation::new(
            by,
            move || one_by_one(black_box(&points), black_box(&scalars)),
            move |sum| equal(sum, &expected),
        )
        .by_way("single"),
    ]
}

fn pippenger(points: &[blst_p1_affine], scalars: &[u8]) -> blst_p1 {
    let starts = [points.as_ptr(), ptr::null()];
    let octets = [scalars.as_ptr(), ptr::null()];
    let mut out = blst_p1::default();
    // SAFETY: a null second pointer tells blst that points and scalars lie one behind the other; the
    // scratch space is of the size that it asks for.
    unsafe {
        let scratch = blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8);
        let mut scratch = vec![0_u64; scratch];
        blst_p1s_mult_pippenger(
            &raw mut out,
            starts.as_ptr(),
            points.len(),
            octets.as_ptr(),
            SCALAR_BITS,
            scratch.as_mut_ptr(),
        );
    }
    out
}

fn one_by_one(points: &[blst_p1], scalars: &[[u8; 32]]) -> blst_p1 {
    let mut sum = blst_p1::default();
    for (point, scalar) in points.iter().zip(scalars) {
        let product = mul(point, scalar);
        let before = sum;
        // SAFETY: all values are initialised.
        unsafe {
            blst_p1_add_or_double(&raw mut sum, &raw const before, &raw const product);
        }
    }
    sum
}

fn equal(a: &blst_p1, b: &blst_p1) -> bool {
    // SAFETY: both values are initialised.
    unsafe { blst_p1_is_equal(a, b) }
}

fn mul(point: &blst_p1, scalar: &[u8; 32]) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: 32 readable octets hold the bits announced.
    unsafe { blst_p1_mult(&raw mut out, point, scalar.as_ptr(), SCALAR_BITS) };
    out
}

fn affine(point: &blst_p1) -> blst_p1_affine {
    let mut out = blst_p1_affine::default();
    // SAFETY: both values are initialised.
    unsafe { blst_p1_to_affine(&raw mut out, point) };
    out
}

fn point(rng: &mut ChaCha20Rng) -> blst_p1 {
    let seed = scalar(rng);
    let mut out = blst_p1::default();
    // SAFETY: each pointer is valid for the length that follows it.
    unsafe {
        blst_hash_to_g1(
            &raw mut out,
            seed.as_ptr(),
            seed.len(),
            ptr::null(),
            0,
            ptr::null(),
            0,
        );
    }
    out
}

/// Of 254 bits, little-endian, and so below r.
fn scalar(rng: &mut ChaCha20Rng) -> [u8; 32] {
    let mut octets = [0; 32];
    rng.fill_bytes(&mut octets);
    octets[31] &= 0x3f;
    octets
}
