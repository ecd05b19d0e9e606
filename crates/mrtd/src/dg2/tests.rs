use proptest::prelude::*;

use super::*;
use crate::specimen::portrait;

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
fn a_stated_length_of_the_record_that_is_too_small_does_no_harm() {
    let mut record = record();
    let stated = u32::try_from(record.len() - 8).unwrap();
    record[8..12].copy_from_slice(&stated.to_be_bytes());
    let portrait = Portrait::parse_dg2(&with_record(&record)).unwrap();
    assert_eq!(portrait.image(), JPEG);
}

#[test]
fn the_first_of_several_faces_is_taken() {
    let other = [JPEG, &[7]].concat();
    let templates = [JPEG, &other].map(|image| {
        let file = compose_dg2(image, 1, 1).unwrap();
        let group = tlv::single(&file, DG2_TAG).unwrap();
        let group = group.inside().expect(GROUP_TAG).unwrap();
        group.inside().all().unwrap()[1].whole.to_vec()
    });
    let group = tlv::element(GROUP_TAG, &[&[0x02, 1, 2], &templates[0], &templates[1]]);
    let file = tlv::element(DG2_TAG, &[&group]);
    assert_eq!(Portrait::parse_dg2(&file).unwrap().image(), JPEG);
    // Several images in one record.
    let mut record = record();
    record[13] = 2;
    let second = record[HEADER_LEN..].to_vec();
    record.extend(second);
    assert_eq!(
        Portrait::parse_dg2(&with_record(&record)).unwrap().image(),
        JPEG
    );
}

/// A record of ISO/IEC 39794-5 with optional parts or without.
fn record_of_2019(image: &[u8], with_options: bool) -> Vec<u8> {
    let date = tlv::element(0xA2, &[&[0x80, 2, 0x07, 0xE8]]);
    let option = |element: Vec<u8>| if with_options { element } else { Vec::new() };
    let format = [0xA0, 3, 0x80, 1, 2];
    let of_image = tlv::element(
        0xA1,
        &[&format, &option(vec![0xA7, 6, 0x80, 1, 9, 0x81, 1, 9])],
    );
    let image = tlv::element(0xA0, &[&tlv::element(0x80, &[image]), &of_image]);
    let image = tlv::element(0xA1, &[&tlv::element(0xA0, &[&image])]);
    let face = tlv::element(0x30, &[&[0x80, 1, 0], &image, &option(date)]);
    let version = [0xA0, 7, 0x80, 1, 3, 0x81, 2, 0x07, 0xE3];
    let faces = tlv::element(0xA1, &[&face]);
    tlv::element(0xA1, &[&tlv::element(0x65, &[&version, &faces])])
}

#[test]
fn the_newer_record_is_read_too() {
    for with_options in [false, true] {
        let record = record_of_2019(JPEG, with_options);
        let portrait = Portrait::parse_dg2(&with_record(&record)).unwrap();
        assert_eq!(portrait.image(), JPEG);
        for length in 0..record.len() {
            assert_eq!(refusal(&with_record(&record[..length])), Dg2Error::Record);
        }
    }
    let other = record_of_2019(b"GIF89a", false);
    assert_eq!(refusal(&with_record(&other)), Dg2Error::UnknownImage);
    // Another kind of biometric data in the same coding.
    let mut finger = record_of_2019(JPEG, false);
    let place = finger.iter().position(|octet| *octet == 0x65).unwrap();
    finger[place] = 0x64;
    assert_eq!(refusal(&with_record(&finger)), Dg2Error::Record);
}

#[test]
fn the_portrait_of_a_specimen_decodes_in_both_encodings() {
    for (image, wanted) in [
        (portrait::draw(1).unwrap(), ImageFormat::Jpeg),
        (portrait::JPEG_2000.to_vec(), ImageFormat::Jpeg2000),
    ] {
        let file = compose_dg2(&image, portrait::WIDTH, portrait::HEIGHT).unwrap();
        let read = Portrait::parse_dg2(&file).unwrap();
        assert_eq!(read.format(), wanted);
        let pixels = read.decode().unwrap();
        let near = |(one, two): (&u8, &u8)| one.abs_diff(*two) < 40;
        let drawing = portrait::pixels(1);
        let alike = pixels
            .rgb()
            .iter()
            .zip(&drawing)
            .filter(|pair| near(*pair))
            .count();
        assert!(alike * 100 > drawing.len() * 98, "{alike}");
    }
    assert_eq!(
        Portrait::parse_dg2(&file()).unwrap().decode().err(),
        Some(ImageError::Malformed)
    );
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
