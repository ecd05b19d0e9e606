//! H09: what a person gives at enrolment is in no store, no log and no memory afterwards.
//!
//! There is no metric yet; one that is written to a file or a log would be searched with them.
//! Excluded are the person's own things: the passport's files and the wallet.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::scan::{Compressed, Find, Form, Scanner, birth_date_spellings, dump_core};
use e2e::world::{AUTHORITIES, GATEWAYS, World};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

const FAMILY: &str = "WOMBATQUIST";
const GIVEN: &str = "QUOKKALINDA";
const DOCUMENT: &str = "WQ7315928";
const PERSON: &str = "8846273915";
const BORN: &str = "1987-03-29";

#[test]
fn names_numbers_and_birth_dates_are_in_no_store_log_or_core_and_planted_ones_are_found() {
    let mut needles: Vec<String> = birth_date_spellings(BORN).unwrap();
    needles.extend([FAMILY, GIVEN, DOCUMENT, PERSON].map(str::to_owned));
    let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
    let scanner = Scanner::new(&needles).unwrap();

    let world = World::running().unwrap();
    let wallet = world.wallet("planted");
    let passport = planted_passport(&world);
    wallet.enrol(&passport).unwrap().unwrap();
    for gateway in GATEWAYS {
        world.log_in(gateway, &wallet).unwrap();
    }
    // The chip's files hold it all: the scanner reads the zone as it stands there.
    assert!(!scanner.search_path(&passport).unwrap().is_empty());

    let scratch = world.scratch().unwrap();
    let control = scratch.join("control");
    std::fs::write(&control, every_form(FAMILY)).unwrap();
    assert_all_forms(&scanner.search_path(&control).unwrap());
    let mut holder = process_that_holds(&every_form(FAMILY));
    let core = dump_core(holder.id(), &scratch);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_all_forms(&search_core(&scanner, &core.unwrap()));

    for party in AUTHORITIES.into_iter().chain(GATEWAYS) {
        let core = dump_core(world.process(party).unwrap(), &scratch).unwrap();
        assert_eq!(
            search_core(&scanner, &core),
            [],
            "memory of {}",
            party.name()
        );
        let folder = world.deployment().folder_of(party);
        assert_eq!(scanner.search_path(&folder).unwrap(), []);
    }
    assert_eq!(scanner.search_path(&world.logs()).unwrap(), []);
}

fn planted_passport(world: &World) -> std::path::PathBuf {
    let options = [
        "--family-name",
        FAMILY,
        "--given-names",
        GIVEN,
        "--birth-date",
        BORN,
        "--document-number",
        DOCUMENT,
        "--personal-number",
        PERSON,
    ];
    world.deployment().passport(900, &options).unwrap()
}

/// The text in each form, made here without the scanner's own code, and once more compressed.
fn every_form(text: &str) -> Vec<u8> {
    let digest = Sha256::digest(text);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let forms = [
        text.as_bytes().to_vec(),
        utf16,
        hex::encode(text).into_bytes(),
        STANDARD.encode(text).into_bytes(),
        digest.to_vec(),
        hex::encode(digest).into_bytes(),
        STANDARD.encode(digest).into_bytes(),
    ];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let mut all = forms.join(b"\n".as_slice());
    all.extend(encoder.finish().unwrap());
    all
}

fn assert_all_forms(finds: &[Find]) {
    let found: BTreeSet<_> = finds
        .iter()
        .filter(|find| find.needle == FAMILY)
        .map(|find| (find.form, find.compressed))
        .collect();
    let mut planted: BTreeSet<_> = Form::ALL.map(|form| (form, Compressed::No)).into();
    planted.insert((Form::Utf8, Compressed::Gzip));
    assert!(
        planted.is_subset(&found),
        "planted and not found: {:?}",
        planted.difference(&found)
    );
}

/// A process with these octets in its memory: `tail` keeps what it has read until its input ends.
fn process_that_holds(octets: &[u8]) -> Child {
    let mut child = Command::new("tail")
        .args(["-c", "1000000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let input = child.stdin.as_mut().unwrap();
    input.write_all(octets).unwrap();
    // A pipe holds 64 KiB: when twice as much has been taken, what came first has been read.
    input.write_all(&[b'.'; 128 << 10]).unwrap();
    child
}

fn search_core(scanner: &Scanner, core: &Path) -> Vec<Find> {
    let finds = scanner.search_path(core).unwrap();
    std::fs::remove_file(core).unwrap();
    finds
}
