use elliptic_curve::group::Group;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

/// `SpecifiedECDomain` of a curve with some of its numbers replaced.
fn specified(domain: &Domain, generator: &[u8], cofactor: &[&[u8]]) -> Vec<u8> {
    let integer = |number: &[u8]| tlv::element(INTEGER, &[&[0], number]);
    let field = [PRIME_FIELD_DER.to_vec(), integer(&domain.p)];
    let field = tlv::element(SEQUENCE, &[&field.concat()]);
    let [a, b] = [&domain.a, &domain.b].map(|number| tlv::element(OCTET_STRING, &[number]));
    let equation = tlv::element(SEQUENCE, &[&a, &b]);
    let generator = tlv::element(OCTET_STRING, &[generator]);
    let n = integer(&domain.n);
    let version = tlv::element(INTEGER, &[&[1]]);
    let mut parts: Vec<&[u8]> = vec![&version, &field, &equation, &generator, &n];
    let cofactor: Vec<_> = cofactor
        .iter()
        .map(|one| tlv::element(INTEGER, &[one]))
        .collect();
    parts.extend(cofactor.iter().map(Vec::as_slice));
    tlv::element(SEQUENCE, &parts)
}

const PRIME_FIELD_DER: [u8; 9] = [6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 1, 1];

fn uncompressed(domain: &Domain) -> Vec<u8> {
    [&[4], domain.x.as_slice(), &domain.y].concat()
}

#[test]
fn every_curve_is_recognised_by_name_and_by_its_numbers() {
    for curve in Curve::ALL {
        let named = curve.oid().to_der().unwrap();
        assert_eq!(Curve::from_parameters(&named), Ok(curve));
        let domain = curve.arithmetic().domain();
        let parity = domain.y.last().unwrap() & 1;
        let compressed = [&[2 | parity], domain.x.as_slice()].concat();
        for generator in [uncompressed(&domain), compressed] {
            assert_eq!(Curve::from_parameters(&curve.specified()), Ok(curve));
            for cofactor in [&[] as &[&[u8]], &[&[1]]] {
                let spelled = specified(&domain, &generator, cofactor);
                assert_eq!(Curve::from_parameters(&spelled), Ok(curve), "{curve:?}");
            }
        }
    }
}

#[test]
fn a_curve_with_one_other_number_is_unknown() {
    let unknown = Err(SignatureError::UnknownCurve);
    for curve in Curve::ALL {
        let domain = || curve.arithmetic().domain();
        let generator = uncompressed(&domain());
        for number in 0..4 {
            let mut changed = domain();
            let number = match number {
                0 => &mut changed.p,
                1 => &mut changed.a,
                2 => &mut changed.b,
                _ => &mut changed.n,
            };
            *number.last_mut().unwrap() ^= 2;
            let spelled = specified(&changed, &generator, &[&[1]]);
            assert_eq!(Curve::from_parameters(&spelled), unknown, "{curve:?}");
        }
        // Twice the generator generates the same group: the choice that CVE-2020-0601 rests on.
        let mut other = generator.clone();
        *other.last_mut().unwrap() ^= 1;
        let parity = domain().y.last().unwrap() & 1;
        let wrong_sign = [&[3 ^ parity], domain().x.as_slice()].concat();
        for generator in [other, wrong_sign, generator[1..].to_vec(), vec![]] {
            let spelled = specified(&domain(), &generator, &[&[1]]);
            assert_eq!(Curve::from_parameters(&spelled), unknown, "{curve:?}");
        }
        let spelled = specified(&domain(), &generator, &[&[2]]);
        assert_eq!(Curve::from_parameters(&spelled), unknown, "{curve:?}");
    }
}

/// The order of the group is the generator's: n times the generator is the point at infinity, and
/// the generator is on the curve. This finds a mistyped number.
#[test]
fn parameters_belong_together() {
    fn check<C>()
    where
        C: PrimeCurveParams,
        C::FieldBytesSize: ModulusSize,
    {
        let generator = C::ProjectivePoint::generator();
        let (x, y) = C::GENERATOR;
        assert_eq!(
            y.square(),
            x.square() * x + C::EQUATION_A * x + C::EQUATION_B
        );
        // (n - 1) G = -G
        assert_eq!(generator * -C::Scalar::ONE, -generator);
        assert_ne!(generator, C::ProjectivePoint::identity());
    }
    check::<brainpool::BrainpoolP192r1>();
    check::<brainpool::BrainpoolP224r1>();
    check::<brainpool::BrainpoolP320r1>();
    check::<brainpool::BrainpoolP512r1>();
}

#[test]
fn a_signature_fits_its_key_and_digest_alone_on_every_curve() {
    let mut rng = ChaCha20Rng::from_seed([8; 32]);
    for curve in Curve::ALL {
        let on = curve.arithmetic();
        let secret = on.draw(&mut rng);
        let point = on.point_of(&secret).unwrap();
        assert!(on.is_point(&point), "{curve:?}");
        // Shorter and longer than the order.
        for length in [20, 28, 32, 48, 64] {
            let digest: Vec<u8> = (0..length).map(|byte| byte ^ 0x5A).collect();
            let (r, s) = on.sign(&secret, &digest, &mut rng).unwrap();
            assert!(on.verify(&point, &digest, &r, &s), "{curve:?} {length}");
            let mut other = digest.clone();
            other[0] ^= 1;
            assert!(!on.verify(&point, &other, &r, &s), "{curve:?} {length}");
            assert!(!on.verify(&point, &digest, &s, &r), "{curve:?} {length}");
            let another = on.point_of(&on.draw(&mut rng)).unwrap();
            assert!(!on.verify(&another, &digest, &r, &s), "{curve:?} {length}");
        }
        let n = on.domain().n;
        for degenerate in [&[0][..], &n, &[&[1], n.as_slice()].concat()] {
            assert!(!on.verify(&point, &[7; 32], degenerate, &[1]), "{curve:?}");
            assert!(!on.verify(&point, &[7; 32], &[1], degenerate), "{curve:?}");
        }
        // Off the curve, at infinity, of another length.
        let mut off = point.clone();
        *off.last_mut().unwrap() ^= 1;
        for no_point in [off, vec![0], vec![], point[..point.len() - 1].to_vec()] {
            assert!(!on.is_point(&no_point), "{curve:?}");
        }
    }
}
