//! The Brainpool curves that no crate of RustCrypto has: parameters for its generic arithmetic.
//!
//! Source: RFC 5639 §3. `not_a_square` is the smallest number that has no square root, from which
//! the arithmetic derives its roots of unity.

use elliptic_curve::bigint::Odd;
use elliptic_curve::consts::{U24, U28, U40, U64};

macro_rules! brainpool {
    (
        module: $module:ident,
        curve: $curve:ident,
        doc: $doc:literal,
        uint: $uint:ident,
        size: $size:ident,
        p: $p:literal,
        not_a_square_mod_p: $generator_p:literal,
        a: $a:literal,
        b: $b:literal,
        generator: ($x:literal, $y:literal $(,)?),
        n: $n:literal,
        not_a_square_mod_n: $generator_n:literal $(,)?
    ) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(unnameable_types, reason = "the macros implement public traits for it")]
        pub struct $curve;

        mod $module {
            use elliptic_curve::bigint::$uint;
            use elliptic_curve::ff::PrimeField;
            use elliptic_curve::hazmat::FieldArithmetic;
            use elliptic_curve::ops::{BatchInvert, Reduce};
            use elliptic_curve::point::PointCompression;
            use elliptic_curve::scalar::{FromUintUnchecked, IsHigh};
            use elliptic_curve::subtle::{Choice, ConstantTimeEq, ConstantTimeGreater, CtOption};
            use elliptic_curve::{
                Curve, CurveArithmetic, FieldBytes, PrimeCurve, PrimeCurveArithmetic,
            };
            use primeorder::{PrimeCurveParams, mul_backend, point_arithmetic, wnaf};

            use super::*;

            primefield::monty_field_params! {
                name: FieldParams,
                modulus: $p,
                uint: $uint,
                byte_order: primefield::ByteOrder::BigEndian,
                multiplicative_generator: $generator_p,
                doc: "The field."
            }

            primefield::monty_field_element! {
                name: FieldElement,
                params: FieldParams,
                uint: $uint,
                doc: "An element of the field."
            }

            primefield::monty_field_arithmetic! {
                name: FieldElement,
                params: FieldParams,
                uint: $uint
            }

            impl BatchInvert for FieldElement {}

            // In a module, because the macro imports a name each time.
            mod order {
                use elliptic_curve::bigint::$uint;

                primefield::monty_field_params! {
                    name: ScalarParams,
                    modulus: $n,
                    uint: $uint,
                    byte_order: primefield::ByteOrder::BigEndian,
                    multiplicative_generator: $generator_n,
                    doc: "The order."
                }
            }
            use order::ScalarParams;

            primefield::monty_field_element! {
                name: Scalar,
                params: ScalarParams,
                uint: $uint,
                doc: "A number modulo the order."
            }

            primefield::monty_field_arithmetic! {
                name: Scalar,
                params: ScalarParams,
                uint: $uint
            }

            impl Reduce<$uint> for Scalar {
                fn reduce(number: &$uint) -> Scalar {
                    Scalar::from_uint_unchecked(number.rem($curve::ORDER.as_nz_ref()))
                }
            }

            impl Reduce<FieldBytes<$curve>> for Scalar {
                fn reduce(bytes: &FieldBytes<$curve>) -> Scalar {
                    let mut padded = [0; <$uint>::BYTES];
                    let start = padded.len().saturating_sub(bytes.len());
                    if let Some(end) = padded.get_mut(start..) {
                        end.copy_from_slice(bytes);
                    }
                    Scalar::reduce(&<$uint>::from_be_slice(&padded))
                }
            }

            elliptic_curve::scalar_impls!($curve, Scalar);
            wnaf::impl_wnaf_size_for_scalar!(Scalar);

            impl AsRef<Scalar> for Scalar {
                fn as_ref(&self) -> &Scalar {
                    self
                }
            }

            impl FromUintUnchecked for Scalar {
                type Uint = $uint;

                fn from_uint_unchecked(uint: $uint) -> Scalar {
                    Scalar::from_uint_unchecked(uint)
                }
            }

            impl IsHigh for Scalar {
                fn is_high(&self) -> Choice {
                    const HALF: $uint = $curve::ORDER.as_ref().shr_vartime(1);
                    self.to_canonical().ct_gt(&HALF)
                }
            }

            impl Curve for $curve {
                type FieldBytesSize = $size;
                type Uint = $uint;
                const ORDER: Odd<$uint> = Odd::<$uint>::from_be_hex($n);
            }

            impl PrimeCurve for $curve {}

            impl PointCompression for $curve {
                const COMPRESS_POINTS: bool = false;
            }

            impl CurveArithmetic for $curve {
                type AffinePoint = primeorder::AffinePoint<$curve>;
                type ProjectivePoint = primeorder::ProjectivePoint<$curve>;
                type Scalar = Scalar;
            }

            impl FieldArithmetic for $curve {
                type FieldElement = FieldElement;
            }

            impl PrimeCurveArithmetic for $curve {
                type CurveGroup = primeorder::ProjectivePoint<$curve>;
            }

            impl PrimeCurveParams for $curve {
                type PointArithmetic = point_arithmetic::EquationAIsGeneric;
                type Backend = mul_backend::VariableOnly;
                const EQUATION_A: FieldElement = FieldElement::from_hex_vartime($a);
                const EQUATION_B: FieldElement = FieldElement::from_hex_vartime($b);
                const GENERATOR: (FieldElement, FieldElement) = (
                    FieldElement::from_hex_vartime($x),
                    FieldElement::from_hex_vartime($y),
                );
            }

            impl ecdsa::EcdsaCurve for $curve {
                const NORMALIZE_S: bool = false;
            }
        }
    };
}

brainpool! {
    module: p192,
    curve: BrainpoolP192r1,
    doc: "brainpoolP192r1.",
    uint: U192,
    size: U24,
    p: "c302f41d932a36cda7a3463093d18db78fce476de1a86297",
    not_a_square_mod_p: 3,
    a: "6a91174076b1e0e19c39c031fe8685c1cae040e5c69a28ef",
    b: "469a28ef7c28cca3dc721d044f4496bcca7ef4146fbf25c9",
    generator: (
        "c0a0647eaab6a48753b033c56cb0f0900a2f5c4853375fd6",
        "14b690866abd5bb88b5f4828c1490002e6773fa2fa299b8f",
    ),
    n: "c302f41d932a36cda7a3462f9e9e916b5be8f1029ac4acc1",
    not_a_square_mod_n: 7,
}

brainpool! {
    module: p224,
    curve: BrainpoolP224r1,
    doc: "brainpoolP224r1.",
    uint: U256,
    size: U28,
    p: "00000000d7c134aa264366862a18302575d1d787b09f075797da89f57ec8c0ff",
    not_a_square_mod_p: 3,
    a: "68a5e62ca9ce6c1c299803a6c1530b514e182ad8b0042a59cad29f43",
    b: "2580f63ccfe44138870713b1a92369e33e2135d266dbb372386c400b",
    generator: (
        "0d9029ad2c7e5cf4340823b2a87dc68c9e4ce3174c1e6efdee12c07d",
        "58aa56f772c0726f24c6b89e4ecdac24354b9e99caa3f6d3761402cd",
    ),
    n: "00000000d7c134aa264366862a18302575d0fb98d116bc4b6ddebca3a5a7939f",
    not_a_square_mod_n: 3,
}

brainpool! {
    module: p320,
    curve: BrainpoolP320r1,
    doc: "brainpoolP320r1.",
    uint: U384,
    size: U40,
    p: "0000000000000000d35e472036bc4fb7e13c785ed201e065f98fcfa6f6f40def4f92b9ec7893ec28fcd412b1f1b32e27",
    not_a_square_mod_p: 5,
    a: "3ee30b568fbab0f883ccebd46d3f3bb8a2a73513f5eb79da66190eb085ffa9f492f375a97d860eb4",
    b: "520883949dfdbc42d3ad198640688a6fe13f41349554b49acc31dccd884539816f5eb4ac8fb1f1a6",
    generator: (
        "43bd7e9afb53d8b85289bcc48ee5bfe6f20137d10a087eb6e7871e2a10a599c710af8d0d39e20611",
        "14fdd05545ec1cc8ab4093247f77275e0743ffed117182eaa9c77877aaac6ac7d35245d1692e8ee1",
    ),
    n: "0000000000000000d35e472036bc4fb7e13c785ed201e065f98fcfa5b68f12a32d482ec7ee8658e98691555b44c59311",
    not_a_square_mod_n: 3,
}

brainpool! {
    module: p512,
    curve: BrainpoolP512r1,
    doc: "brainpoolP512r1.",
    uint: U512,
    size: U64,
    p: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
    not_a_square_mod_p: 2,
    a: "7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca",
    b: "3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723",
    generator: (
        "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f822",
        "7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892",
    ),
    n: "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069",
    not_a_square_mod_n: 7,
}
