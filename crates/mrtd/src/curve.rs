//! The elliptic curves of travel documents.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §9.5.1 (table of standardized domain parameters), and
//! RFC 5639, FIPS 186-4 for the parameters.

use core::marker::PhantomData;

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use ecdsa::EcdsaCurve;
use elliptic_curve::bigint::Encoding;
use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use elliptic_curve::{FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey};
use primeorder::PrimeCurveParams;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::signature::SignatureError;
use crate::tlv;

mod brainpool;

/// A curve of travel documents. The names are those of FIPS 186 and RFC 5639.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Curve {
    P192,
    P224,
    P256,
    P384,
    P521,
    BrainpoolP192r1,
    BrainpoolP224r1,
    BrainpoolP256r1,
    BrainpoolP320r1,
    BrainpoolP384r1,
    BrainpoolP512r1,
}

impl Curve {
    /// All of them.
    pub const ALL: [Curve; 11] = [
        Curve::P192,
        Curve::P224,
        Curve::P256,
        Curve::P384,
        Curve::P521,
        Curve::BrainpoolP192r1,
        Curve::BrainpoolP224r1,
        Curve::BrainpoolP256r1,
        Curve::BrainpoolP320r1,
        Curve::BrainpoolP384r1,
        Curve::BrainpoolP512r1,
    ];

    /// Reads the X9.62 `Parameters` of a key: an object identifier names the curve, a SEQUENCE
    /// spells it out.
    ///
    /// A curve that is spelled out must be, number by number, one that has a name: with a free
    /// choice of the generator anybody can make a key that fits a signature (CVE-2020-0601).
    pub(crate) fn from_parameters(der: &[u8]) -> Result<Curve, SignatureError> {
        if let Ok(oid) = ObjectIdentifier::from_der(der) {
            let named = Curve::ALL.into_iter().find(|curve| curve.oid() == oid);
            return named.ok_or_else(|| SignatureError::Unsupported(oid.to_string()));
        }
        let specified = Specified::from_der(der)?;
        let known = Curve::ALL
            .into_iter()
            .find(|curve| specified.is(&curve.arithmetic().domain()));
        known.ok_or(SignatureError::UnknownCurve)
    }

    /// Its object identifier. Source: RFC 5480 §2.1.1.1; RFC 5639 §4.1.
    pub(crate) const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Curve::P192 => "1.2.840.10045.3.1.1",
            Curve::P224 => "1.3.132.0.33",
            Curve::P256 => "1.2.840.10045.3.1.7",
            Curve::P384 => "1.3.132.0.34",
            Curve::P521 => "1.3.132.0.35",
            Curve::BrainpoolP192r1 => "1.3.36.3.3.2.8.1.1.3",
            Curve::BrainpoolP224r1 => "1.3.36.3.3.2.8.1.1.5",
            Curve::BrainpoolP256r1 => "1.3.36.3.3.2.8.1.1.7",
            Curve::BrainpoolP320r1 => "1.3.36.3.3.2.8.1.1.9",
            Curve::BrainpoolP384r1 => "1.3.36.3.3.2.8.1.1.11",
            Curve::BrainpoolP512r1 => "1.3.36.3.3.2.8.1.1.13",
        })
    }

    /// The curve of a standardized set of domain parameters.
    ///
    /// Source: ICAO Doc 9303-11, 8th edition, §9.5.1.
    pub(crate) fn standardized(number: u64) -> Option<Curve> {
        Curve::ALL
            .into_iter()
            .find(|curve| curve.standard_number() == number)
    }

    /// The number of its standardized set of domain parameters.
    pub(crate) const fn standard_number(self) -> u64 {
        match self {
            Curve::P192 => 8,
            Curve::BrainpoolP192r1 => 9,
            Curve::P224 => 10,
            Curve::BrainpoolP224r1 => 11,
            Curve::P256 => 12,
            Curve::BrainpoolP256r1 => 13,
            Curve::BrainpoolP320r1 => 14,
            Curve::P384 => 15,
            Curve::BrainpoolP384r1 => 16,
            Curve::BrainpoolP512r1 => 17,
            Curve::P521 => 18,
        }
    }

    /// Its name as standards write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Curve::P192 => "P-192",
            Curve::P224 => "P-224",
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
            Curve::BrainpoolP192r1 => "brainpoolP192r1",
            Curve::BrainpoolP224r1 => "brainpoolP224r1",
            Curve::BrainpoolP256r1 => "brainpoolP256r1",
            Curve::BrainpoolP320r1 => "brainpoolP320r1",
            Curve::BrainpoolP384r1 => "brainpoolP384r1",
            Curve::BrainpoolP512r1 => "brainpoolP512r1",
        }
    }

    /// `SpecifiedECDomain`: all its numbers, as most issuing states put them into their keys.
    ///
    /// Source: SEC 1, version 2.0, appendix C.2.
    pub(crate) fn specified(self) -> Vec<u8> {
        let domain = self.arithmetic().domain();
        let integer = |number: &[u8]| tlv::element(INTEGER, &[&[0], number]);
        let prime = PRIME_FIELD.to_der().unwrap_or_default();
        let field = tlv::element(SEQUENCE, &[&prime, &integer(&domain.p)]);
        let [a, b] = [&domain.a, &domain.b].map(|number| tlv::element(OCTET_STRING, &[number]));
        let equation = tlv::element(SEQUENCE, &[&a, &b]);
        let generator = tlv::element(OCTET_STRING, &[&[4], &domain.x, &domain.y]);
        tlv::element(
            SEQUENCE,
            &[
                &[2, 1, 1],
                &field,
                &equation,
                &generator,
                &integer(&domain.n),
                &[2, 1, 1],
            ],
        )
    }

    /// How many bits the prime of its field has.
    pub(crate) fn prime_bits(self) -> usize {
        let prime = self.arithmetic().domain().p;
        let unused = prime.first().map_or(0, |first| first.leading_zeros());
        let bits = prime.len().saturating_mul(8);
        bits.saturating_sub(usize::try_from(unused).unwrap_or(0))
    }

    /// Whether numbers can be made points of it as PACE does: its prime is 3 modulo 4.
    pub(crate) fn has_integrated_mapping(self) -> bool {
        self != Curve::P224
    }

    /// How many octets its order has, and each number of a signature.
    pub(crate) fn order_len(self) -> usize {
        self.arithmetic().domain().n.len()
    }

    /// What can be computed on it.
    pub(crate) fn arithmetic(self) -> &'static dyn Arithmetic {
        match self {
            Curve::P192 => &On::<p192::NistP192>(PhantomData),
            Curve::P224 => &On::<p224::NistP224>(PhantomData),
            Curve::P256 => &On::<p256::NistP256>(PhantomData),
            Curve::P384 => &On::<p384::NistP384>(PhantomData),
            Curve::P521 => &On::<p521::NistP521>(PhantomData),
            Curve::BrainpoolP192r1 => &On::<brainpool::BrainpoolP192r1>(PhantomData),
            Curve::BrainpoolP224r1 => &On::<brainpool::BrainpoolP224r1>(PhantomData),
            Curve::BrainpoolP256r1 => &On::<bp256::BrainpoolP256r1>(PhantomData),
            Curve::BrainpoolP320r1 => &On::<brainpool::BrainpoolP320r1>(PhantomData),
            Curve::BrainpoolP384r1 => &On::<bp384::BrainpoolP384r1>(PhantomData),
            Curve::BrainpoolP512r1 => &On::<brainpool::BrainpoolP512r1>(PhantomData),
        }
    }
}

/// What is computed on a curve. Numbers are unsigned and big-endian; points are as in SEC 1 §2.3.3.
pub(crate) trait Arithmetic {
    /// The curve's parameters.
    fn domain(&self) -> Domain;

    /// Whether `point` is a point of the curve other than the one at infinity.
    fn is_point(&self, point: &[u8]) -> bool;

    /// Whether `(r, s)` is an ECDSA signature by the key `point` over a message of this digest,
    /// of which the leftmost bits count where it is longer than the order.
    fn verify(&self, point: &[u8], digest: &[u8], r: &[u8], s: &[u8]) -> bool;

    /// A secret number: 1 to the order less one.
    fn draw(&self, rng: &mut dyn CryptoRng) -> Zeroizing<Vec<u8>>;

    /// The point of a secret number, uncompressed.
    fn point_of(&self, secret: &[u8]) -> Option<Vec<u8>>;

    /// The generator multiplied by a number of any length, uncompressed; `None` where the result is
    /// the point at infinity.
    fn generator_times(&self, number: &[u8]) -> Option<Vec<u8>>;

    /// The point multiplied by a number from 1 to the order less one, uncompressed; `None` where it
    /// is no point, or the number is out of range.
    fn multiply(&self, point: &[u8], number: &[u8]) -> Option<Zeroizing<Vec<u8>>>;

    /// The point that a number stands for, uncompressed; the prime of the field is 3 modulo 4.
    ///
    /// Source: ICAO Doc 9303-11, 8th edition, appendix B.
    fn encode(&self, number: &[u8]) -> Option<Vec<u8>>;

    /// The sum of two points, uncompressed; `None` where it is the point at infinity.
    fn add(&self, one: &[u8], other: &[u8]) -> Option<Vec<u8>>;

    /// `(r, s)` of an ECDSA signature, each in as many bytes as the curve's numbers have.
    fn sign(
        &self,
        secret: &[u8],
        digest: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<(Vec<u8>, Vec<u8>)>;
}

struct On<C>(PhantomData<fn() -> C>);

impl<C> Arithmetic for On<C>
where
    C: EcdsaCurve + PrimeCurveParams,
    C::FieldBytesSize: ModulusSize,
    C::AffinePoint: FromSec1Point<C> + ToSec1Point<C>,
{
    fn domain(&self) -> Domain {
        let number = |bytes: &[u8]| significant(bytes).to_vec();
        let (x, y) = C::GENERATOR;
        Domain {
            p: number(&modulus::<C>()),
            a: number(&C::EQUATION_A.to_repr()),
            b: number(&C::EQUATION_B.to_repr()),
            x: x.to_repr().to_vec(),
            y: y.to_repr().to_vec(),
            n: number(C::ORDER.as_ref().to_be_bytes().as_ref()),
        }
    }

    fn is_point(&self, point: &[u8]) -> bool {
        PublicKey::<C>::from_sec1_bytes(point).is_ok()
    }

    fn verify(&self, point: &[u8], digest: &[u8], r: &[u8], s: &[u8]) -> bool {
        let (Some(r), Some(s)) = (field_bytes::<C>(r), field_bytes::<C>(s)) else {
            return false;
        };
        let Ok(key) = PublicKey::<C>::from_sec1_bytes(point) else {
            return false;
        };
        ecdsa::Signature::<C>::from_scalars(r, s).is_ok_and(|signature| {
            ecdsa::hazmat::verify_prehashed(&key.to_projective(), digest, &signature).is_ok()
        })
    }

    fn draw(&self, rng: &mut dyn CryptoRng) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; FieldBytes::<C>::default().len()]);
        let order = self.domain().n;
        loop {
            rng.fill_bytes(&mut bytes);
            // Without the bits that no number of the curve has, or few would be in range.
            if let (Some(first), Some(most)) = (bytes.first_mut(), order.first()) {
                *first &= u8::MAX >> most.leading_zeros();
            }
            if scalar::<C>(&bytes).is_some() {
                return bytes;
            }
        }
    }

    fn point_of(&self, secret: &[u8]) -> Option<Vec<u8>> {
        let key = PublicKey::<C>::from_secret_scalar(&scalar::<C>(secret)?);
        Some(key.to_sec1_point(false).as_bytes().to_vec())
    }

    fn generator_times(&self, number: &[u8]) -> Option<Vec<u8>> {
        encoded::<C>(ProjectivePoint::<C>::GENERATOR * reduced::<C::Scalar>(number))
    }

    fn multiply(&self, point: &[u8], number: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let point = PublicKey::<C>::from_sec1_bytes(point).ok()?;
        let product = point.to_projective() * *scalar::<C>(number)?;
        encoded::<C>(product).map(Zeroizing::new)
    }

    fn encode(&self, number: &[u8]) -> Option<Vec<u8>> {
        let t = reduced::<C::FieldElement>(number);
        let (a, b) = (C::EQUATION_A, C::EQUATION_B);
        let curve = |x: C::FieldElement| x.square() * x + a * x + b;
        let alpha = -t.square();
        let inverse = Option::<C::FieldElement>::from(a.invert())?;
        let sum = Option::<C::FieldElement>::from((alpha + alpha.square()).invert())?;
        let first = -(b * inverse) * (C::FieldElement::ONE + sum);
        let second = alpha * first;
        // One of both has a root, because the values differ by a factor that has none. The root's
        // sign changes nothing: both sides agree on a first coordinate.
        let root = |x| Option::<C::FieldElement>::from(curve(x).sqrt()).map(|y| (x, y));
        let roots = (root(first), root(second));
        let (x, y) = roots.0.or(roots.1)?;
        let mut point = vec![4];
        point.extend_from_slice(&x.to_repr());
        point.extend_from_slice(&y.to_repr());
        self.is_point(&point).then_some(point)
    }

    fn add(&self, one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
        let [one, other] = [one, other].map(PublicKey::<C>::from_sec1_bytes);
        encoded::<C>(one.ok()?.to_projective() + other.ok()?.to_projective())
    }

    fn sign(
        &self,
        secret: &[u8],
        digest: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let once = scalar::<C>(&self.draw(rng))?;
        let (signature, _) =
            ecdsa::hazmat::sign_prehashed(&scalar::<C>(secret)?, &once, digest).ok()?;
        let (r, s) = signature.split_bytes();
        Some((r.to_vec(), s.to_vec()))
    }
}

/// A number from 1 to the order less one.
fn scalar<C: PrimeCurveParams>(bytes: &[u8]) -> Option<NonZeroScalar<C>> {
    NonZeroScalar::<C>::from_repr(field_bytes::<C>(bytes)?).into_option()
}

/// A point, uncompressed; `None` for the one at infinity.
fn encoded<C>(point: ProjectivePoint<C>) -> Option<Vec<u8>>
where
    C: EcdsaCurve + PrimeCurveParams,
    C::FieldBytesSize: ModulusSize,
    C::AffinePoint: FromSec1Point<C> + ToSec1Point<C>,
{
    let key = PublicKey::<C>::from_affine(point.into()).ok()?;
    Some(key.to_sec1_point(false).as_bytes().to_vec())
}

/// The first coordinate of an uncompressed point: what two sides agree on.
pub(crate) fn coordinate(point: &[u8]) -> &[u8] {
    let numbers = point.split_first().map_or(point, |(_, numbers)| numbers);
    numbers.get(..numbers.len() / 2).unwrap_or_default()
}

/// A number of any length as an element of a field.
fn reduced<F: PrimeField>(number: &[u8]) -> F {
    let radix = F::from(256);
    let digits = number.iter().map(|octet| F::from(u64::from(*octet)));
    digits.fold(F::ZERO, |sum, digit| sum * radix + digit)
}

/// The prime of the field.
fn modulus<C: PrimeCurveParams>() -> Vec<u8> {
    // The largest element is one less.
    let largest = (-C::FieldElement::ONE).to_repr();
    let mut prime = largest.to_vec();
    if let Some(last) = prime.last_mut() {
        *last |= 1; // an odd prime
    }
    prime
}

/// A number in as many bytes as the curve's numbers have.
fn field_bytes<C: elliptic_curve::Curve>(number: &[u8]) -> Option<FieldBytes<C>> {
    let number = significant(number);
    let mut bytes = FieldBytes::<C>::default();
    let start = bytes.len().checked_sub(number.len())?;
    bytes.get_mut(start..)?.copy_from_slice(number);
    Some(bytes)
}

/// Without leading zeros.
pub(crate) fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The numbers that make a curve, unsigned, big-endian, without leading zeros. The cofactor of all
/// curves here is 1.
#[derive(PartialEq, Eq)]
pub(crate) struct Domain {
    p: Vec<u8>,
    a: Vec<u8>,
    b: Vec<u8>,
    /// The generator's coordinates, in as many bytes as `p` has.
    x: Vec<u8>,
    y: Vec<u8>,
    n: Vec<u8>,
}

/// A curve as a key spells it out.
///
/// Source: SEC 1, version 2.0, appendix C.2.
struct Specified<'a> {
    p: &'a [u8],
    a: &'a [u8],
    b: &'a [u8],
    generator: &'a [u8],
    n: &'a [u8],
}

impl<'a> Specified<'a> {
    /// Reads `SpecifiedECDomain` over a prime field.
    fn from_der(der: &'a [u8]) -> Result<Specified<'a>, SignatureError> {
        let mut fields = tlv::single(der, SEQUENCE)?.inside();
        fields.expect(INTEGER)?; // the version tells whether a seed or a hash is among them
        let mut field = fields.expect(SEQUENCE)?.inside();
        let kind = ObjectIdentifier::from_der(field.expect(OID)?.whole);
        if kind != Ok(PRIME_FIELD) {
            return Err(SignatureError::UnknownCurve);
        }
        let p = significant(field.expect(INTEGER)?.value);
        field.end()?;
        let mut equation = fields.expect(SEQUENCE)?.inside();
        let a = significant(equation.expect(OCTET_STRING)?.value);
        let b = significant(equation.expect(OCTET_STRING)?.value);
        equation.optional(BIT_STRING)?; // the seed that the numbers were drawn from
        equation.end()?;
        let generator = fields.expect(OCTET_STRING)?.value;
        let n = significant(fields.expect(INTEGER)?.value);
        let cofactor = fields.optional(INTEGER)?;
        fields.optional(SEQUENCE)?; // the hash that the numbers were drawn with
        fields.end()?;
        if cofactor.is_some_and(|number| number.value != [1]) {
            return Err(SignatureError::UnknownCurve);
        }
        Ok(Specified {
            p,
            a,
            b,
            generator,
            n,
        })
    }

    /// Whether it is this curve, in every number.
    fn is(&self, domain: &Domain) -> bool {
        self.p == domain.p
            && self.a == domain.a
            && self.b == domain.b
            && self.n == domain.n
            && self.is_generator(domain)
    }

    /// Source: SEC 1, version 2.0, §2.3.3.
    fn is_generator(&self, domain: &Domain) -> bool {
        let Some((form, rest)) = self.generator.split_first() else {
            return false;
        };
        let parity = domain.y.last().map_or(0, |last| last & 1);
        match form {
            4 => rest.strip_prefix(domain.x.as_slice()) == Some(&domain.y),
            2 | 3 => *form == 2 | parity && rest == domain.x,
            _ => false,
        }
    }
}

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const BIT_STRING: u32 = 0x03;
const OCTET_STRING: u32 = 0x04;
const OID: u32 = 0x06;
const SEQUENCE: u32 = 0x30;

/// Source: RFC 3279 §2.3.5.
const PRIME_FIELD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.1.1");

#[cfg(test)]
mod tests;
