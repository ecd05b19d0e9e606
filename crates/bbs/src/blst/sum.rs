//! Sums of products in constant time in the scalars: every table is read as a whole, and every place
//! of every scalar costs one addition. Doublings are shared by all terms, and by both halves of a scalar
//! (see `msm`).

use std::hint::black_box;

use blst::{blst_fp_cneg, blst_p1, blst_p1_add_or_double_affine, blst_p1_affine};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::msm::{double, halves, normalized, times_x2};
use super::{G1, Scalar};

/// P, 2P, … 16P of a point that is not the identity.
#[derive(Clone)]
pub(crate) struct Table([blst_p1_affine; ENTRIES]);

impl Table {
    /// Of each of these points, none of which is the identity.
    pub(crate) fn of(points: &[G1]) -> Vec<Table> {
        let mut all = Vec::with_capacity(points.len() * ENTRIES);
        for point in points {
            let each = std::iter::successors(Some(*point), |last| Some(*last + *point));
            all.extend(each.take(ENTRIES));
        }
        // No such multiple of a point of prime order is the identity.
        let all = normalized(&all);
        let (tables, _) = all.as_chunks();
        tables.iter().copied().map(Table).collect()
    }

    /// `digit` times the point; for zero what blst takes for the identity.
    fn times(&self, digit: Digit, out: &mut blst_p1_affine) {
        *out = blst_p1_affine::default();
        for (entry, number) in self.0.iter().zip(1_u64..) {
            let chosen = number.ct_eq(&digit.size);
            for (limb, value) in out.x.l.iter_mut().zip(&entry.x.l) {
                limb.conditional_assign(value, chosen);
            }
            for (limb, value) in out.y.l.iter_mut().zip(&entry.y.l) {
                limb.conditional_assign(value, chosen);
            }
        }
        // SAFETY: the value is initialised, and blst allows a result in the place of an operand.
        unsafe { blst_fp_cneg(&raw mut out.y, &raw const out.y, digit.negative != 0) };
    }
}

/// Σ table · scalar; there are as many of the one as of the other.
pub(crate) fn sum_of_tables<'t>(
    tables: impl IntoIterator<Item = &'t Table>,
    scalars: &[Scalar],
) -> G1 {
    let tables: Vec<&Table> = tables.into_iter().collect();
    assert_eq!(tables.len(), scalars.len(), "a scalar for each point");
    // Written in place: a copy of them would stay behind.
    let mut digits = Zeroizing::new(vec![[Digit::default(); PLACES]; 2 * scalars.len()]);
    for (scalar, digits) in scalars.iter().zip(digits.as_chunks_mut().0) {
        let (low, high) = halves(scalar);
        let [of_low, of_high] = digits;
        recode(low, of_low);
        recode(high, of_high);
    }
    let mut sum = G1::default();
    let mut term = blst_p1_affine::default();
    for place in (0..PLACES).rev() {
        for _ in 0..WINDOW {
            sum = double(&sum);
        }
        for (table, halves) in tables.iter().zip(digits.chunks(2)) {
            for (digits, is_high) in halves.iter().zip([false, true]) {
                table.times(digits.get(place).copied().unwrap_or_default(), &mut term);
                if is_high {
                    times_x2(&mut term);
                }
                sum = add(&sum, &term);
            }
        }
    }
    term.x.l.zeroize();
    term.y.l.zeroize();
    sum
}

/// From −15 to 16.
#[derive(Clone, Copy, Default)]
struct Digit {
    size: u64,
    /// 1 below zero.
    negative: u64,
}

impl Zeroize for Digit {
    fn zeroize(&mut self) {
        self.size.zeroize();
        self.negative.zeroize();
    }
}

/// Digits in places of five bits, the lowest first.
fn recode(number: u128, digits: &mut [Digit; PLACES]) {
    let (mut rest, mut carry) = (number, 0);
    for digit in digits {
        let [low, ..] = (rest & 31).to_le_bytes();
        let low = u64::from(low).wrapping_add(carry);
        rest >>= WINDOW;
        // 1 where the digit would be larger than 16: it is 32 less then, and the next one more.
        // A compiler might see a condition in it.
        carry = black_box(16_u64.wrapping_sub(low) >> 63);
        let mask = carry.wrapping_neg();
        *digit = Digit {
            size: (low & !mask) | (32_u64.wrapping_sub(low) & mask),
            negative: carry,
        };
    }
}

fn add(sum: &G1, term: &blst_p1_affine) -> G1 {
    let mut out = blst_p1::default();
    // SAFETY: all values are initialised. blst knows the identity on both sides.
    unsafe { blst_p1_add_or_double_affine(&raw mut out, &raw const sum.0, term) };
    G1(out)
}

/// Bits of a place.
const WINDOW: u32 = 5;
/// Places of half a scalar.
const PLACES: usize = 26;
const ENTRIES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blst::msm::tests::scalars;

    #[test]
    fn digits_make_the_number() {
        let small = [0, 1, 15, 16, 17, 31, 32, u128::MAX >> 1, u128::MAX].into_iter();
        let halves = scalars().into_iter().flat_map(|scalar| {
            let (low, high) = halves(&scalar);
            [low, high]
        });
        for number in small.chain(halves) {
            let mut digits = [Digit::default(); PLACES];
            recode(number, &mut digits);
            let signed = |digit: &Digit| {
                assert!(digit.size + digit.negative <= 16);
                let size = Scalar::from_u128(digit.size.into());
                if digit.negative == 1 { -size } else { size }
            };
            let base = Scalar::from_u128(32);
            let sum = digits
                .iter()
                .rev()
                .fold(Scalar::default(), |sum, d| sum * base + signed(d));
            assert!(sum == Scalar::from_u128(number), "{number}");
        }
    }

    #[test]
    fn sums_of_tables_are_sums_of_products() {
        let scalars = scalars();
        let points: Vec<G1> = (2..7)
            .map(|n| G1::base().mul(&Scalar::from_u128(n)))
            .collect();
        let points = [points.as_slice(), &[-points[0], points[1]]].concat();
        let tables = Table::of(&points);
        for begin in 0..scalars.len() {
            let scalars: Vec<_> = scalars
                .iter()
                .cycle()
                .skip(begin)
                .take(7)
                .copied()
                .collect();
            let simple = points.iter().zip(&scalars);
            let simple = simple.fold(G1::default(), |sum, (point, s)| sum + point.mul(s));
            assert!(sum_of_tables(&tables, &scalars) == simple, "{begin}");
        }
        assert!(sum_of_tables(&[], &[]).is_identity());
    }
}
