//! Sums of products in variable time, for public scalars only: Straus' method on halves of the
//! scalars, with odd multiples of each point, which are computed once for points that stay.
//!
//! G1 has a cheap map φ(x, y) = (βx, y) with −φ(P) = x²·P, where x is the parameter of the curve. With
//! k = k0 + x²·k1 both halves have 128 bits, so half of the doublings go. Source: Gallant, Lambert,
//! Vanstone, CRYPTO 2001.

use std::hint::black_box;
use std::sync::OnceLock;

use blst::{
    blst_fp, blst_fp_cneg, blst_fp_from_bendian, blst_fp_mul, blst_p1, blst_p1_add_affine,
    blst_p1_add_or_double_affine, blst_p1_affine, blst_p1_double, blst_p1_from_affine,
    blst_p1_is_inf, blst_p1s_mult_pippenger, blst_p1s_mult_pippenger_scratch_sizeof,
    blst_p1s_to_affine,
};

use super::{G1, SCALAR_BITS, Scalar};

/// P, 3P, 5P, … of a point that is not the identity, and the same times x².
#[derive(Clone)]
pub(crate) struct Multiples {
    low: Vec<blst_p1_affine>,
    high: Vec<blst_p1_affine>,
    width: u32,
}

impl Multiples {
    /// Of points that stay, none of which is the identity.
    pub(crate) fn to_keep(points: &[G1]) -> Vec<Multiples> {
        Multiples::of(points, WIDTH_KEPT)
    }

    /// Of points that are met once, none of which is the identity unless it is alone.
    pub(crate) fn for_once(points: &[G1]) -> Vec<Multiples> {
        Multiples::of(points, WIDTH)
    }

    fn of(points: &[G1], width: u32) -> Vec<Multiples> {
        // Digits of this width are odd and below 2^(width − 1).
        let count = 1 << (width - 2);
        let mut odd = Vec::with_capacity(points.len() * count);
        for point in points {
            let twice = double(point);
            let each = std::iter::successors(Some(*point), |last| Some(*last + twice));
            odd.extend(each.take(count));
        }
        // An odd multiple of a point of prime order is not the identity.
        let odd = normalized(&odd);
        let of_each = odd.chunks(count).map(|low| {
            let (low, mut high) = (low.to_vec(), low.to_vec());
            high.iter_mut().for_each(times_x2);
            Multiples { low, high, width }
        });
        of_each.collect()
    }
}

/// Σ scalar · point.
pub(crate) fn sum_vartime(terms: &[(&Multiples, Scalar)]) -> G1 {
    let mut halves_left = Vec::with_capacity(2 * terms.len());
    for (multiples, scalar) in terms {
        let (low, high) = halves(scalar);
        for (half, multiples_of) in [(low, &multiples.low), (high, &multiples.high)] {
            halves_left.push((multiples_of, digits(half, multiples.width)));
        }
    }
    let highest = halves_left.iter().filter_map(|(_, left)| left.last());
    let places = highest.map(|digit| digit.place + 1).max().unwrap_or(0);
    let mut sum = G1::default();
    for place in (0..places).rev() {
        sum = double(&sum);
        for (multiples, left) in &mut halves_left {
            if let Some(digit) = left.pop_if(|digit| digit.place == place)
                && let Some(multiple) = multiples.get(usize::from(digit.value.unsigned_abs() / 2))
            {
                add_vartime(&mut sum, multiple, digit.value < 0);
            }
        }
    }
    sum
}

/// Σ points\[i\] · scalars\[i\] in variable time, for public scalars only.
pub(crate) fn msm_vartime(terms: &[(G1, Scalar)]) -> G1 {
    // Neither way knows identities.
    let terms = terms.iter().filter(|(point, _)| !point.is_identity());
    let (points, scalars): (Vec<G1>, Vec<Scalar>) = terms.copied().unzip();
    if points.len() >= PIPPENGER_MIN {
        return pippenger(&points, &scalars);
    }
    let multiples = Multiples::for_once(&points);
    sum_vartime(&multiples.iter().zip(scalars).collect::<Vec<_>>())
}

/// blst's own way, for many points, none of which is the identity.
fn pippenger(points: &[G1], scalars: &[Scalar]) -> G1 {
    let affine = normalized(points);
    let scalars: Vec<u8> = scalars
        .iter()
        .flat_map(|scalar| scalar.to_blst().b)
        .collect();
    let count = affine.len();
    let points = [affine.as_ptr(), std::ptr::null()];
    let bytes = [scalars.as_ptr(), std::ptr::null()];
    let mut out = blst_p1::default();
    // SAFETY: A null second pointer tells blst that points and scalars (32 octets each) lie one behind
    // the other. The scratch space is in the unit and of the size that blst asks for.
    unsafe {
        let mut scratch: Vec<u64> =
            vec![0; blst_p1s_mult_pippenger_scratch_sizeof(count).div_ceil(8)];
        blst_p1s_mult_pippenger(
            &raw mut out,
            points.as_ptr(),
            count,
            bytes.as_ptr(),
            SCALAR_BITS,
            scratch.as_mut_ptr(),
        );
    }
    G1(out)
}

/// Makes every later serialisation of these points, none the identity, one without a division.
pub(crate) fn normalize(points: &mut [G1]) {
    let affine = normalized(points);
    for (point, affine) in points.iter_mut().zip(&affine) {
        // SAFETY: both values are initialised.
        unsafe { blst_p1_from_affine(&raw mut point.0, affine) };
    }
}

/// With one division for all; none is the identity, and an odd multiple of a point of prime order is
/// not.
pub(super) fn normalized(points: &[G1]) -> Vec<blst_p1_affine> {
    let mut affine = vec![blst_p1_affine::default(); points.len()];
    let pointers: Vec<*const blst_p1> = points.iter().map(|point| &raw const point.0).collect();
    if !points.is_empty() {
        // SAFETY: there are as many pointers as places in `affine`.
        unsafe {
            blst_p1s_to_affine(affine.as_mut_ptr(), pointers.as_ptr(), pointers.len());
        }
    }
    affine
}

/// k0 and k1 with k = k0 + x²·k1, both below 2^128: long division, a bit at a time, in constant time.
pub(super) fn halves(scalar: &Scalar) -> (u128, u128) {
    let scalar = scalar.to_blst();
    let (low, high) = scalar.b.split_at(16);
    let number = |octets: &[u8]| {
        octets
            .iter()
            .rev()
            .fold(0, |n: u128, o| n << 8 | u128::from(*o))
    };
    // r < x⁴, so the upper half is below x² and takes no digit of the quotient.
    let (low, mut rest) = (number(low), number(high));
    let mut quotient = 0;
    for place in (0..128).rev() {
        let carry = rest >> 127;
        rest = rest << 1 | (low >> place & 1);
        let (less, borrow) = rest.overflowing_sub(X2);
        // Or a compiler might see a condition in it.
        let taken = black_box(carry | u128::from(!borrow));
        // All ones where x² goes into what is left.
        let mask = taken.wrapping_neg();
        rest = (less & mask) | (rest & !mask);
        quotient = quotient << 1 | taken;
    }
    (rest, quotient)
}

/// A digit that is not zero, in its place among the bits.
struct Digit {
    place: u32,
    value: i16,
}

/// The digits of a number that are not zero, the lowest first: odd, below 2^(width − 1) on both sides,
/// and one in `width` + 1 places in the mean.
fn digits(number: u128, width: u32) -> Vec<Digit> {
    let mut number = number;
    let mut digits = Vec::with_capacity(DIGITS_MAX);
    let mut place = 0;
    while number != 0 {
        let zeros = number.trailing_zeros();
        place += zeros;
        number >>= zeros;
        let low = i16::try_from(number & ((1 << width) - 1)).unwrap_or_default();
        let value = if low >= 1 << (width - 1) {
            low - (1 << width)
        } else {
            low
        };
        digits.push(Digit { place, value });
        // `number` stays below x² + 2^width, far from 2^128.
        number = number.wrapping_sub(i128::from(value).cast_unsigned());
    }
    digits
}

/// −φ, which is a multiplication by x².
pub(super) fn times_x2(point: &mut blst_p1_affine) {
    // SAFETY: all values are initialised, and blst allows a result in the place of an operand.
    unsafe {
        blst_fp_mul(&raw mut point.x, &raw const point.x, beta());
        blst_fp_cneg(&raw mut point.y, &raw const point.y, true);
    }
}

pub(super) fn double(point: &G1) -> G1 {
    let mut out = blst_p1::default();
    // SAFETY: both values are initialised.
    unsafe { blst_p1_double(&raw mut out, &raw const point.0) };
    G1(out)
}

/// A third root of one in the base field.
fn beta() -> *const blst_fp {
    static BETA: OnceLock<blst_fp> = OnceLock::new();
    BETA.get_or_init(|| {
        let mut beta = blst_fp::default();
        // SAFETY: 48 readable octets in.
        unsafe { blst_fp_from_bendian(&raw mut beta, BETA_OCTETS.as_ptr()) };
        beta
    })
}

/// Adds a point or its opposite. blst's shorter addition gives the identity for a point and itself, too.
fn add_vartime(sum: &mut G1, term: &blst_p1_affine, opposite: bool) {
    let mut out = blst_p1::default();
    let mut negated;
    let mut term = term;
    if opposite {
        negated = *term;
        // SAFETY: the value is initialised, and blst allows a result in the place of an operand.
        unsafe { blst_fp_cneg(&raw mut negated.y, &raw const negated.y, true) };
        term = &negated;
    }
    // SAFETY: all values are initialised.
    unsafe {
        blst_p1_add_affine(&raw mut out, &raw const sum.0, term);
        if blst_p1_is_inf(&raw const out) {
            blst_p1_add_or_double_affine(&raw mut out, &raw const sum.0, term);
        }
    }
    sum.0 = out;
}

/// Of 32 terms blst's way takes 1.1 times as long as Straus', of 64 0.9 times.
const PIPPENGER_MIN: usize = 48;
/// The square of the curve's parameter x = −0xd201000000010000.
const X2: u128 = 0xd201_0000_0001_0000 * 0xd201_0000_0001_0000;
/// The one of both roots for which −φ multiplies by x²; a test says so.
const BETA_OCTETS: [u8; 48] = [
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x5f, 0x19, 0x67, 0x2f, 0xdf, 0x76, 0xce, 0x51,
    0xba, 0x69, 0xc6, 0x07, 0x6a, 0x0f, 0x77, 0xea, 0xdd, 0xb3, 0xa9, 0x3b, 0xe6, 0xf8, 0x96, 0x88,
    0xde, 0x17, 0xd8, 0x13, 0x62, 0x0a, 0x00, 0x02, 0x2e, 0x01, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xfe,
];
/// Of digits for points that are met once: eight multiples are computed for each.
const WIDTH: u32 = 5;
/// For points that stay: 256 multiples, 24 kB each.
const WIDTH_KEPT: u32 = 9;
/// More than a half has in digits of the smaller width, of which each takes as many bits at least.
const DIGITS_MAX: usize = 27;

#[cfg(test)]
pub(super) mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::blst::tests::simple_sum;

    fn random(count: usize, seed: u8) -> Vec<Scalar> {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        (0..count).map(|_| Scalar::random(&mut rng)).collect()
    }

    /// Scalars at which a half is zero or at its largest, and others.
    pub(in crate::blst) fn scalars() -> Vec<Scalar> {
        let (one, x2) = (Scalar::one(), Scalar::from_u128(X2));
        let edges = [
            Scalar::default(),
            one,
            -one,
            x2,
            -x2,
            x2 - one,
            x2 * x2,
            x2 * x2 - x2,
        ];
        let more = [
            Scalar::from_u128(u128::MAX),
            Scalar::from_u128(255),
            Scalar::from_u128(128),
        ];
        [edges.to_vec(), more.to_vec(), random(20, 1)].concat()
    }

    #[test]
    fn halves_are_short_and_make_the_scalar() {
        for scalar in scalars() {
            let (low, high) = halves(&scalar);
            assert!(low < X2 && high <= X2);
            let whole = Scalar::from_u128(low) + Scalar::from_u128(high) * Scalar::from_u128(X2);
            assert!(whole == scalar);
        }
    }

    #[test]
    fn digits_are_odd_and_make_the_number() {
        for scalar in scalars() {
            for (number, width) in [(halves(&scalar).0, WIDTH), (halves(&scalar).1, WIDTH_KEPT)] {
                let mut sum = Scalar::default();
                for Digit { place, value } in digits(number, width) {
                    assert!(value % 2 != 0 && value.abs() < 1 << (width - 1));
                    let size = Scalar::from_u128(value.unsigned_abs().into());
                    let bit = Scalar::from_u128(1 << (place / 2));
                    let power = bit * bit * Scalar::from_u128(1 << (place % 2));
                    sum = sum + power * if value < 0 { -size } else { size };
                }
                assert!(sum == Scalar::from_u128(number));
            }
        }
    }

    #[test]
    fn the_map_multiplies_by_the_square_of_the_parameter() {
        let multiples = Multiples::for_once(&[G1::base()]);
        let mut times_x2 = G1::default();
        add_vartime(&mut times_x2, &multiples[0].high[0], false);
        assert!(times_x2 == G1::base().mul(&Scalar::from_u128(X2)));
    }

    #[test]
    fn sums_of_multiples_are_those_in_constant_time() {
        let points: Vec<G1> = random(5, 2)
            .iter()
            .map(|scalar| G1::base().mul(scalar))
            .collect();
        // Also a point twice, and its opposite.
        let once = [points[0], -points[1], points[4], G1::base()];
        let both = [Multiples::to_keep(&points), Multiples::for_once(&once)].concat();
        let points = [points.as_slice(), &once].concat();
        let scalars = scalars();
        for begin in 0..scalars.len() {
            let scalars: Vec<_> = scalars
                .iter()
                .cycle()
                .skip(begin)
                .take(9)
                .copied()
                .collect();
            let terms: Vec<_> = both.iter().zip(scalars.iter().copied()).collect();
            assert!(
                sum_vartime(&terms) == simple_sum(&points, &scalars),
                "{begin}"
            );
        }
        // Sums that come to the identity, or to the next point, on the way.
        let (p, one) = (G1::base(), Scalar::one());
        let two = Multiples::for_once(&[p, -p, double(&p)]);
        for (factors, wanted) in [
            ([1, 1, 0], 0),
            ([1, 0, 1], 3),
            ([3, 1, 1], 4),
            ([0, 2, 1], 0),
        ] {
            let terms: Vec<_> = two.iter().zip(factors.map(Scalar::from_u128)).collect();
            assert!(
                sum_vartime(&terms) == p.mul(&(Scalar::from_u128(wanted) * one)),
                "{factors:?}"
            );
        }
        assert!(sum_vartime(&[]).is_identity());
        // The identity by itself: what a verifier may come to who takes an opened part away.
        let kept = Multiples::to_keep(&[p]);
        for identity in [G1::default(), p - p] {
            let identity = Multiples::for_once(&[identity]);
            assert!(sum_vartime(&[(&identity[0], -one), (&kept[0], one)]) == p);
        }
    }

    /// Numbers of terms around those at which blst takes another way, and the cases that a
    /// multi-scalar multiplication can get wrong.
    #[test]
    fn sums_in_variable_time_are_those_in_constant_time() {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let point = |rng: &mut ChaCha20Rng| G1::base().mul(&Scalar::random(rng));
        let (zero, one) = (Scalar::default(), Scalar::one());
        for count in [0, 1, 2, 3, 20, 47, 48, 49, 128] {
            let (p, q) = (point(&mut rng), point(&mut rng));
            let plain: Vec<G1> = (0..count).map(|_| point(&mut rng)).collect();
            let scalars: Vec<Scalar> = (0..count).map(|_| Scalar::random(&mut rng)).collect();
            let of = |choose: &dyn Fn(usize) -> G1| (0..count).map(choose).collect::<Vec<_>>();
            let points = [
                plain,
                of(&|_| p),
                of(&|i| if i % 2 == 0 { p } else { -p }),
                of(&|i| if i % 3 == 0 { G1::default() } else { q }),
                of(&|_| G1::default()),
            ];
            let with =
                |choose: &dyn Fn(usize) -> Scalar| (0..count).map(choose).collect::<Vec<_>>();
            let edges = [zero, one, -one];
            let scalars = [
                scalars,
                with(&|_| one),
                with(&|_| zero),
                with(&|i| edges.get(i % 3).copied().unwrap_or(one)),
            ];
            for points in &points {
                for scalars in &scalars {
                    let terms: Vec<_> = points
                        .iter()
                        .copied()
                        .zip(scalars.iter().copied())
                        .collect();
                    assert!(
                        msm_vartime(&terms) == simple_sum(points, scalars),
                        "{count}"
                    );
                }
            }
        }
    }
}
