//! The folder of trusted authorities, as an operator fills it.

use std::fs;
use std::path::{Path, PathBuf};

use mrtd::specimen::{SignatureKind, SpecimenAuthority};
use mrtd::{AuthorityError, Period, TrustFolderError, TrustStore, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/openssl-3")
}

/// An empty folder of its own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

fn vector() -> String {
    fs::read_to_string(vectors().join("p256-sha256.pem")).expect("the vector is there")
}

#[test]
fn every_certificate_of_a_folder_is_loaded() {
    assert_eq!(TrustStore::load_folder(&vectors()).unwrap().len(), 21);
}

#[test]
fn a_pem_file_may_hold_several_certificates_and_other_files_are_left_alone() {
    let folder = folder("several");
    fs::write(
        folder.join("both.CRT"),
        format!("a comment\n{}\n{}", vector(), vector()),
    )
    .unwrap();
    fs::write(folder.join("notes.txt"), "not a certificate").unwrap();
    assert_eq!(TrustStore::load_folder(&folder).unwrap().len(), 2);
}

#[test]
fn an_empty_or_missing_folder_is_refused() {
    let folder = folder("empty");
    let refused = TrustStore::load_folder(&folder).err();
    assert!(matches!(refused, Some(TrustFolderError::Empty(_))));
    let refused = TrustStore::load_folder(&folder.join("missing")).err();
    assert!(matches!(refused, Some(TrustFolderError::Read(..))));
}

#[test]
fn one_broken_file_refuses_the_whole_folder() {
    let folder = folder("broken");
    fs::write(folder.join("good.pem"), vector()).unwrap();
    let bad = folder.join("bad.cer");
    fs::write(&bad, [0x30, 3, 1, 1, 0]).unwrap();
    let refused = TrustStore::load_folder(&folder).err();
    assert!(matches!(
        refused,
        Some(TrustFolderError::Refused(path, AuthorityError::Malformed(_))) if path == bad
    ));
    for text in ["", "-----BEGIN CERTIFICATE-----\nMIIB", "no certificate"] {
        fs::write(&bad, text).unwrap();
        let refused = TrustStore::load_folder(&folder).err();
        assert!(matches!(refused, Some(TrustFolderError::Pem(path)) if path == bad));
    }
    fs::write(&bad, vector().replace("MII", "M*I")).unwrap();
    let refused = TrustStore::load_folder(&folder).err();
    assert!(matches!(refused, Some(TrustFolderError::Pem(_))));
    fs::write(&bad, vec![0; (16 << 20) + 1]).unwrap();
    let refused = TrustStore::load_folder(&folder).err();
    assert!(matches!(refused, Some(TrustFolderError::TooLarge(path)) if path == bad));
}

#[test]
fn what_of_a_list_cannot_be_used_is_left_out_and_said() {
    let folder = folder("left-out");
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let now = UnixTime(1_780_272_000);
    let years = Period {
        from: UnixTime(now.0 - 100),
        until: UnixTime(now.0 + 900_000_000),
    };
    let kind = SignatureKind::EcdsaP256;
    let authority = SpecimenAuthority::generate(kind, years, &mut rng).unwrap();
    let signer = authority
        .issue_signer(kind, years, years, &mut rng)
        .unwrap();
    let stranger = SpecimenAuthority::generate(kind, years, &mut rng).unwrap();
    let entries = [authority.certificate(), signer.certificate()];
    let list = authority.master_list(&entries, now, &mut rng).unwrap();
    fs::write(folder.join("UT.ml"), list).unwrap();
    let list = stranger.revoke(&[], years, &mut rng).unwrap();
    fs::write(folder.join("gone.crl"), list).unwrap();
    let store = TrustStore::load_folder(&folder).unwrap();
    assert_eq!((store.len(), store.revocation_lists()), (1, 0));
    let [entry, list] = store.left_out() else {
        panic!("{:?}", store.left_out())
    };
    assert!(entry.contains("UT.ml") && list.contains("gone.crl"));
    // A broken list is refused, as is a certificate of its own that is none of an authority.
    fs::write(folder.join("gone.crl"), b"x").unwrap();
    let refused = TrustStore::load_folder(&folder);
    assert!(matches!(refused, Err(TrustFolderError::RevocationList(..))));
    fs::remove_file(folder.join("gone.crl")).unwrap();
    fs::write(folder.join("signer.cer"), signer.certificate()).unwrap();
    let refused = TrustStore::load_folder(&folder);
    assert!(matches!(refused, Err(TrustFolderError::Refused(..))));
}
