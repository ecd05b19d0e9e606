//! Lagrange interpolation over the scalar field, in the exponent.

use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};

use crate::element::Element;
use crate::share::ShareIndex;

/// The value at `x` of the polynomial of the lowest degree through `points`, in the exponent.
///
/// The indices are distinct; everything here is public.
pub(crate) fn interpolate(points: &[(ShareIndex, Element)], x: Scalar) -> RistrettoPoint {
    points
        .iter()
        .fold(RistrettoPoint::identity(), |sum, (index, element)| {
            sum + coefficient(points, *index, x) * element.point()
        })
}

/// The Lagrange basis polynomial of `index` at `x`.
fn coefficient(points: &[(ShareIndex, Element)], index: ShareIndex, x: Scalar) -> Scalar {
    let own = index.to_scalar();
    let (numerator, denominator) = points
        .iter()
        .filter(|(other, _)| *other != index)
        .map(|(other, _)| other.to_scalar())
        .fold(
            (Scalar::ONE, Scalar::ONE),
            |(numerator, denominator), other| {
                (numerator * (x - other), denominator * (own - other))
            },
        );
    numerator * denominator.invert()
}
