//! OpenSSL verifies the security objects of our specimens, as far as it knows their curves: those of
//! RSA, and of a curve that is named. It refuses every key that spells its curve out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mrtd::specimen::{SignatureKind, SpecimenAuthority, specimen_holder};
use mrtd::{CalendarDate, Curve, Period, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// 2026-06-01.
const NOW: UnixTime = UnixTime(1_780_272_000);

/// Whether the command is there; if not, the reason is printed.
fn openssl_is_there() -> bool {
    let found = Command::new("openssl").arg("version").output();
    let there = found.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: there is no command openssl");
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "openssl must be there"
        );
    }
    there
}

/// An empty folder of its own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

/// A security object without the tag around it, and its authority.
fn specimen(kind: SignatureKind) -> (Vec<u8>, Vec<u8>) {
    let mut rng = ChaCha20Rng::from_seed([8; 32]);
    let years = Period {
        from: UnixTime(NOW.0 - 1_000_000),
        until: UnixTime(NOW.0 + 100_000_000),
    };
    let authority = SpecimenAuthority::generate(kind, years, &mut rng).expect("an authority");
    let signer = authority
        .issue_signer(kind, years, years, &mut rng)
        .expect("a signer");
    let today = CalendarDate::from_unix(NOW).expect("a day");
    let holder = specimen_holder(1, today).expect("a person");
    let passport = signer.issue(&holder, Some(NOW), &mut rng);
    let sod = passport.expect("a passport").sod;
    // Tag 77, then a length in two octets after the one that says so.
    let message = sod.strip_prefix(&[0x77, 0x82]).expect("its tag");
    let message = message.get(2..).expect("its length");
    (message.to_vec(), authority.certificate().to_vec())
}

/// What OpenSSL says of the message under this authority: its content, or nothing.
fn verified(folder: &Path, message: &[u8], authority: &[u8]) -> Option<Vec<u8>> {
    let (input, trust, output) = (
        folder.join("message.der"),
        folder.join("authority.pem"),
        folder.join("content"),
    );
    let mut pem = STANDARD.encode(authority);
    for place in (1..pem.len().div_ceil(64)).rev() {
        pem.insert(place * 64, '\n');
    }
    let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
    fs::write(&input, message).expect("the build folder can be written");
    fs::write(&trust, pem).expect("the build folder can be written");
    let _ = fs::remove_file(&output);
    let status = Command::new("openssl")
        .args([
            "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any",
        ])
        .args(["-attime", &NOW.0.to_string()])
        .arg("-in")
        .arg(input)
        .arg("-CAfile")
        .arg(trust)
        .arg("-out")
        .arg(&output)
        .output()
        .expect("openssl");
    let read = || fs::read(&output).expect("what openssl has written");
    status.status.success().then(read)
}

#[test]
fn openssl_takes_objects_of_rsa_and_of_a_named_curve() {
    if !openssl_is_there() {
        return;
    }
    let folder = folder("openssl-takes");
    for kind in [
        SignatureKind::RsaPkcs1,
        SignatureKind::RsaPss,
        SignatureKind::EcdsaP256,
    ] {
        let (message, authority) = specimen(kind);
        let content = verified(&folder, &message, &authority).unwrap_or_else(|| panic!("{kind:?}"));
        // The list of hashes, version 1.
        assert_eq!((content[0], &content[2..5]), (0x30, &[0x02, 1, 1][..]));
        assert!(
            message
                .windows(content.len())
                .any(|window| window == content)
        );
    }
}

#[test]
fn openssl_notices_a_flipped_bit_and_another_authority() {
    if !openssl_is_there() {
        return;
    }
    let folder = folder("openssl-refuses");
    for kind in [SignatureKind::RsaPkcs1, SignatureKind::RsaPss] {
        let (mut message, authority) = specimen(kind);
        let (_, other) = specimen(SignatureKind::EcdsaP256);
        assert_eq!(verified(&folder, &message, &other), None, "{kind:?}");
        let content = verified(&folder, &message, &authority).unwrap();
        let mut windows = message.windows(content.len());
        let start = windows.position(|window| window == content).unwrap();
        // In the list of hashes, and in the signature, which comes last.
        for place in [start + content.len() / 2, message.len() - 1] {
            message[place] ^= 1;
            assert_eq!(verified(&folder, &message, &authority), None, "{kind:?}");
            message[place] ^= 1;
        }
    }
}

#[test]
fn openssl_refuses_what_a_curve_that_is_spelled_out_has_signed() {
    if !openssl_is_there() {
        return;
    }
    let folder = folder("openssl-explicit");
    let (message, authority) = specimen(SignatureKind::EcdsaExplicit(Curve::P256));
    assert_eq!(verified(&folder, &message, &authority), None);
}
