//! The crate `dmrtd` verifies the same documents as we do: those it brings along, which OpenSSL
//! signed, with RSA, PSS and six curves that their keys spell out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dmrtd::auth::passive::{DataGroup, TrustAnchor};
use mrtd::{SecurityObject, TrustStore, UnixTime};
use sha2::{Digest, Sha256};

/// 2027-01-01, within the validity of all certificates.
const NOW: UnixTime = UnixTime(1_798_761_600);

/// Object and authority of each, and the authority of another.
const DOCUMENTS: [[&str; 3]; 8] = [
    ["efsod.bin", "csca.der", "other_csca.der"],
    ["rsa_pss/efsod.bin", "rsa_pss/csca.der", "csca.der"],
    ["ec/p256_efsod.bin", "ec/p256_csca.der", "ec/p384_csca.der"],
    ["ec/p384_efsod.bin", "ec/p384_csca.der", "ec/p521_csca.der"],
    ["ec/p521_efsod.bin", "ec/p521_csca.der", "ec/p256_csca.der"],
    [
        "ec/bp256_efsod.bin",
        "ec/bp256_csca.der",
        "ec/p256_csca.der",
    ],
    [
        "ec/bp384_efsod.bin",
        "ec/bp384_csca.der",
        "ec/p384_csca.der",
    ],
    [
        "ec/bp512_efsod.bin",
        "ec/bp512_csca.der",
        "ec/bp384_csca.der",
    ],
];

/// The peer's documents, where cargo keeps its source.
fn fixtures() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata.get("packages").and_then(|list| list.as_array());
    let manifest = packages
        .into_iter()
        .flatten()
        .find(|package| package.get("name").is_some_and(|name| name == "dmrtd"))
        .and_then(|package| package.get("manifest_path")?.as_str())
        .expect("the peer is a dependency");
    Path::new(manifest).with_file_name("tests").join("fixtures")
}

struct Document {
    sod: Vec<u8>,
    authority: Vec<u8>,
    groups: [Vec<u8>; 2],
}

fn ours(document: &Document) -> bool {
    let Ok(trust) = TrustStore::from_der([&document.authority]) else {
        return false;
    };
    let object = SecurityObject::parse(&document.sod);
    let Ok(verified) = object
        .map_err(Into::into)
        .and_then(|object| object.verify(&trust, NOW))
    else {
        return false;
    };
    let [one, two] = &document.groups;
    verified.check_group(1, one).is_ok() && verified.check_group(2, two).is_ok()
}

fn theirs(document: &Document) -> bool {
    let Ok(anchor) = TrustAnchor::from_certificate(&document.authority) else {
        return false;
    };
    let [one, two] = &document.groups;
    let groups = [(1, one), (2, two)].map(|(number, bytes)| DataGroup { number, bytes });
    dmrtd::auth::passive::verify(&document.sod, &groups, &[anchor])
        .is_ok_and(|verdict| verdict.is_authentic())
}

#[test]
fn both_take_and_refuse_the_same_documents() {
    let folder = fixtures();
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    for [sod, authority, other] in DOCUMENTS {
        let document = || Document {
            sod: read(sod),
            authority: read(authority),
            groups: [read("dg1.bin"), read("dg2.bin")],
        };
        assert!(ours(&document()), "{sod}: ours");
        assert!(theirs(&document()), "{sod}: theirs");

        let mut changed = [document(), document(), document(), document()];
        changed[0].groups[0][0] ^= 1;
        changed[1].groups.swap(0, 1);
        changed[2].authority = read(other);
        // The signature comes last.
        *changed[3].sod.last_mut().unwrap() ^= 1;
        for (way, changed) in changed.iter().enumerate() {
            assert!(!ours(changed), "{sod}, way {way}: ours");
            assert!(!theirs(changed), "{sod}, way {way}: theirs");
        }
    }
}

#[test]
fn both_notice_a_flipped_bit_of_a_signed_hash() {
    let folder = fixtures();
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    for [sod, authority, _] in DOCUMENTS {
        let mut document = Document {
            sod: read(sod),
            authority: read(authority),
            groups: [read("dg1.bin"), read("dg2.bin")],
        };
        let hash = Sha256::digest(&document.groups[0]);
        let mut windows = document.sod.windows(hash.len());
        let start = windows.position(|window| window == &hash[..]).unwrap();
        for (bit, place) in (start..start + hash.len()).step_by(5).enumerate() {
            let flip = 1_u8 << (bit % 8);
            document.sod[place] ^= flip;
            assert!(!ours(&document), "{sod}, octet {place}: ours");
            assert!(!theirs(&document), "{sod}, octet {place}: theirs");
            document.sod[place] ^= flip;
        }
        assert!(ours(&document) && theirs(&document));
    }
}
