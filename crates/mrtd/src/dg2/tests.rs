use proptest::prelude::*;

use super::*;

/// The beginning of a JPEG file; the parser does not decode it.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3, 4, 5, 0xFF, 0xD9];

fn file() -> Vec<u8> {
    compose_dg2(JPEG, 240, 320).unwrap()
}

fn refusal(file: &[u8]) -> Dg2Error {
    Portrait::parse_dg2(file).expect_err("must be refused")
}

/// A file around another record.
fn with_record(record: &[u8]) -> Vec<u8> {
    let header = tlv::element(HEADER_TAG, &[&[]]);
    let template = tlv::element(
        TEMPLATE_TAG,
        &[&header, &tlv::element(RECORD_TAG, &[record])],
    );
    let group = tlv::element(GROUP_TAG, &[&[0x02, 1, 1], &template]);
    tlv::element(DG2_TAG, &[&group])
}

fn record() -> Vec<u8> {
    biometric_record(&file()).unwrap().to_vec()
}

#[test]
fn the_image_comes_back_as_it_went_in() {
    let portrait = Portrait::parse_dg2(&file()).unwrap();
    assert_eq!(portrait.image(), JPEG);
    assert_eq!(portrait.format(), ImageFormat::Jpeg);
    assert_eq!(format!("{portrait:?}"), "Portrait(..)");
}

#[test]
fn feature_points_before_the_image_are_skipped() {
    let plain = record();
    let mut with_points = plain.clone();
    with_points.splice(34..34, [7; 16]);
    with_points[19] = 2;
    let (record_len, block_len) = (with_points.len(), with_points.len() - HEADER_LEN);
    with_points[8..12].copy_from_slice(&u32::try_from(record_len).unwrap().to_be_bytes());
    with_points[14..18].copy_from_slice(&u32::try_from(block_len).unwrap().to_be_bytes());
    let portrait = Portrait::parse_dg2(&with_record(&with_points)).unwrap();
    assert_eq!(portrait.image(), JPEG);
}

#[test]
fn jpeg_2000_is_recognised() {
    let mut record = record();
    let start = record.len() - JPEG.len();
    record[start..start + 4].copy_from_slice(&[0xFF, 0x4F, 0xFF, 0x51]);
    let portrait = Portrait::parse_dg2(&with_record(&record)).unwrap();
    assert_eq!(portrait.format(), ImageFormat::Jpeg2000);
}

#[test]
fn every_truncation_is_refused() {
    let file = file();
    for length in 0..file.len() {
        assert_eq!(
            refusal(&file[..length]),
            Dg2Error::Frame(TlvError::Truncated)
        );
    }
    let record = record();
    for length in 0..record.len() {
        assert_eq!(refusal(&with_record(&record[..length])), Dg2Error::Record);
    }
}

#[test]
fn trailing_bytes_and_oversized_files_are_refused() {
    let mut file = file();
    file.push(0);
    assert_eq!(refusal(&file), Dg2Error::Frame(TlvError::Trailing));
    assert_eq!(refusal(&vec![0x75; DG2_MAX_LEN + 1]), Dg2Error::TooLarge);
    let mut image = JPEG.to_vec();
    image.resize(DG2_MAX_LEN, 0);
    assert_eq!(compose_dg2(&image, 1, 1), Err(Dg2Error::TooLarge));
}

#[test]
fn announced_records_must_be_there() {
    let mut none = file();
    let place = none
        .windows(3)
        .position(|window| window == [0x02, 1, 1])
        .unwrap();
    none[place + 2] = 2;
    assert_eq!(refusal(&none), Dg2Error::Frame(TlvError::Truncated));
    none[place + 2] = 0;
    assert_eq!(refusal(&none), Dg2Error::Frame(TlvError::Trailing));
}

#[test]
fn other_records_and_images_are_refused() {
    let mut other = record();
    other[0] = b'I';
    assert_eq!(refusal(&with_record(&other)), Dg2Error::Record);
    let mut no_image = record();
    no_image[13] = 0;
    assert_eq!(refusal(&with_record(&no_image)), Dg2Error::Record);
    let mut short_block = record();
    short_block[14..18].copy_from_slice(&[0, 0, 0, 3]);
    assert_eq!(refusal(&with_record(&short_block)), Dg2Error::Record);
    let mut gif = record();
    let start = gif.len() - JPEG.len();
    gif[start..start + 3].copy_from_slice(b"GIF");
    assert_eq!(refusal(&with_record(&gif)), Dg2Error::UnknownImage);
    assert_eq!(compose_dg2(b"GIF89a", 1, 1), Err(Dg2Error::UnknownImage));
}

proptest! {
    #[test]
    fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Portrait::parse_dg2(&input);
        let _ = Portrait::parse_dg2(&with_record(&input));
    }

    #[test]
    fn no_changed_byte_panics(place in 0_usize..100, value in any::<u8>()) {
        let mut file = file();
        let place = place % file.len();
        file[place] = value;
        let _ = Portrait::parse_dg2(&file);
    }
}
