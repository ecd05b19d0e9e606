use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::*;

const NEEDLE: &str = "Wombatquist";

fn forms_in(octets: &[u8]) -> Vec<(Form, Compressed)> {
    let scanner = Scanner::new(&[NEEDLE, "Other Name"]).unwrap();
    let finds = scanner.search(Path::new("here"), octets);
    assert!(finds.iter().all(|find| find.needle == NEEDLE));
    finds
        .into_iter()
        .map(|find| (find.form, find.compressed))
        .collect()
}

fn embedded(octets: &[u8]) -> Vec<u8> {
    [b"before ".as_slice(), octets, b" after"].concat()
}

#[test]
fn every_form_is_found_in_the_middle_of_other_bytes() {
    let digest = Sha256::digest(NEEDLE);
    let utf16: Vec<u8> = NEEDLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (form, octets) in [
        (Form::Utf8, NEEDLE.as_bytes().to_vec()),
        (Form::Utf8, NEEDLE.to_uppercase().into_bytes()),
        (Form::Utf16, utf16),
        (Form::Hex, hex::encode_upper(NEEDLE).into_bytes()),
        (Form::Base64, STANDARD.encode(NEEDLE).into_bytes()),
        (Form::Sha256, digest.to_vec()),
        (Form::Sha256Hex, hex::encode(digest).into_bytes()),
        (Form::Sha256Base64, URL_SAFE_NO_PAD.encode(digest).into_bytes()),
    ] {
        assert_eq!(forms_in(&embedded(&octets)), [(form, Compressed::No)]);
    }
}

#[test]
fn base64_is_found_whatever_was_encoded_before_and_after() {
    for before in ["", "x", "xy", "xyz"] {
        for after in ["", "v", "vw"] {
            let text = STANDARD.encode(format!("{before}{NEEDLE}{after}"));
            let found = forms_in(text.as_bytes());
            assert_eq!(found, [(Form::Base64, Compressed::No)], "{before} {after}");
        }
    }
}

#[test]
fn compressed_data_is_opened_and_a_broken_stream_as_far_as_it_goes() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&embedded(NEEDLE.as_bytes())).unwrap();
    let packed = encoder.finish().unwrap();
    assert!(!packed.windows(6).any(|w| NEEDLE.as_bytes().starts_with(w) && w.len() == NEEDLE.len()));
    for octets in [embedded(&packed), embedded(&packed[..packed.len() - 8])] {
        assert!(forms_in(&octets).contains(&(Form::Utf8, Compressed::Gzip)));
    }
    assert_eq!(forms_in(&[GZIP_MAGIC, b"no gzip"].concat()), []);
}

#[test]
fn other_bytes_hold_nothing_and_a_short_needle_is_refused() {
    assert_eq!(forms_in(b"Wombatquis, tsiuqtabmow, Wombat quist"), []);
    assert!(Scanner::new(&["short"]).is_err());
}

#[test]
fn files_of_folders_in_folders_are_searched_and_an_empty_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = Scanner::new(&[NEEDLE]).unwrap();
    assert!(scanner.search_path(folder.path()).is_err());
    let inner = folder.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("c"), embedded(NEEDLE.as_bytes())).unwrap();
    let finds = scanner.search_path(folder.path()).unwrap();
    assert_eq!(finds.len(), 1);
    assert_eq!(finds[0].place, inner.join("c"));
}

#[test]
fn a_date_of_birth_has_many_spellings() {
    let spellings = birth_date_spellings("1987-03-29").unwrap();
    for text in ["1987-03-29", "19870329", "870329", "29.03.1987", "03/29/1987"] {
        assert!(spellings.iter().any(|one| one == text), "{text}");
    }
    assert!(birth_date_spellings("1987").is_err());
}
