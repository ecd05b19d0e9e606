//! What no verifier can leave out, on blst directly and by its best routine.

use std::hint::black_box;
use std::ptr;

use blst::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::cases::{MSM_NYM, MSM_PLAIN, PAIRINGS, POINTS};
use crate::operation::{By, Operation};

/// Terms of both equations of a proof: P1, Q1 and the generators, for which there may be tables; then
/// Abar, Bbar and twice D.
const PLAIN_TERMS: (usize, usize) = (2 + 10, 4);
/// The same with 27 slots, and base and pseudonym of a context.
const NYM_TERMS: (usize, usize) = (2 + 27, 4 + 2);
/// Bits of a window: 128 multiples of each point.
const WINDOW: usize = 8;
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

/// A sum of products in several ways, the first points being fixed.
fn sums(
    case: &'static str,
    (fixed, others): (usize, usize),
    rng: &mut ChaCha20Rng,
) -> [Operation; 3] {
    let points: Vec<_> = (0..fixed + others).map(|_| point(rng)).collect();
    let affine: &[_] = points.iter().map(affine).collect::<Vec<_>>().leak();
    let scalars: &[_] = points
        .iter()
        .map(|_| scalar(rng))
        .collect::<Vec<_>>()
        .leak();
    let expected = one_by_one(&points, scalars);
    let holds = move |sum: &blst_p1| equal(sum, &expected);
    let (by, table) = ((case, By::Floor), Table::new(&affine[..fixed]));
    let with_table = move || {
        let (fixed, others) = black_box(scalars).split_at(fixed);
        let points = black_box(&affine[fixed.len()..]);
        add(&table.sum(fixed), &pippenger(points, others))
    };
    let single = move || one_by_one(black_box(&points), black_box(scalars));
    let together = || pippenger(black_box(affine), black_box(scalars));
    [
        Operation::new(by, together, holds).by_way("Pippenger"),
        Operation::new(by, single, holds).by_way("single"),
        Operation::new(by, with_table, holds).by_way("table of the fixed points"),
    ]
}

/// Multiples of points.
struct Table {
    points: usize,
    multiples: Vec<blst_p1_affine>,
}

impl Table {
    fn new(points: &[blst_p1_affine]) -> Table {
        let starts = [points.as_ptr(), ptr::null()];
        // SAFETY: there is as much room as blst asks for.
        let multiples = unsafe {
            let octets = blst_p1s_mult_wbits_precompute_sizeof(WINDOW, points.len());
            let room = octets.div_ceil(size_of::<blst_p1_affine>());
            let mut multiples = vec![blst_p1_affine::default(); room];
            blst_p1s_mult_wbits_precompute(
                multiples.as_mut_ptr(),
                WINDOW,
                starts.as_ptr(),
                points.len(),
            );
            multiples
        };
        Table {
            points: points.len(),
            multiples,
        }
    }

    fn sum(&self, scalars: &[[u8; 32]]) -> blst_p1 {
        assert!(scalars.len() == self.points);
        let octets = [scalars.as_ptr().cast(), ptr::null()];
        let mut out = blst_p1::default();
        // SAFETY: the table was made for as many points, a null second pointer tells blst that scalars
        // lie one behind the other, and the scratch space is of the size that it asks for.
        unsafe {
            let scratch = blst_p1s_mult_wbits_scratch_sizeof(self.points).div_ceil(8);
            let mut scratch = vec![0_u64; scratch];
            blst_p1s_mult_wbits(
                &raw mut out,
                self.multiples.as_ptr(),
                WINDOW,
                self.points,
                octets.as_ptr(),
                SCALAR_BITS,
                scratch.as_mut_ptr(),
            );
        }
        out
    }
}

fn pippenger(points: &[blst_p1_affine], scalars: &[[u8; 32]]) -> blst_p1 {
    assert!(points.len() == scalars.len());
    let starts = [points.as_ptr(), ptr::null()];
    let octets = [scalars.as_ptr().cast(), ptr::null()];
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
    let products = points.iter().zip(scalars);
    products.fold(blst_p1::default(), |sum, (point, scalar)| {
        add(&sum, &mul(point, scalar))
    })
}

fn add(a: &blst_p1, b: &blst_p1) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: all values are initialised.
    unsafe { blst_p1_add_or_double(&raw mut out, a, b) };
    out
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
