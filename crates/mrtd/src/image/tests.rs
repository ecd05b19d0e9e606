use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::specimen::portrait;

/// An image of OpenJPEG's, see `tests/vectors/openjpeg/README.md`.
fn vector(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/openjpeg");
    std::fs::read(folder.join(name)).unwrap()
}

fn decode(image: &[u8]) -> Result<Pixels, ImageError> {
    EncodedImage::new(image).unwrap().decode()
}

/// The part of the drawn face that the lossless images show.
fn drawn(pixel: impl Fn(&[u8]) -> [u8; 3]) -> Vec<u8> {
    let face = portrait::pixels(1);
    let rows = face.chunks(usize::from(portrait::WIDTH) * 3);
    let row = |row: &[u8]| row[60 * 3..180 * 3].chunks(3).flat_map(&pixel).collect();
    rows.skip(40)
        .take(160)
        .flat_map::<Vec<u8>, _>(row)
        .collect()
}

fn colours(pixel: &[u8]) -> [u8; 3] {
    pixel.try_into().unwrap()
}

#[test]
fn lossless_images_are_the_drawing_pixel_for_pixel() {
    for name in ["lossless.jp2", "lossless.j2k", "tiled.jp2"] {
        let pixels = decode(&vector(name)).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (120, 160), "{name}");
        assert!(pixels.rgb() == drawn(colours), "{name}");
    }
    // Weights of ITU-R BT.601 in 65,536ths, rounded, as the peer has them.
    let grey = |pixel: &[u8]| {
        let weights = [19_595, 38_470, 7_471];
        let sum: u32 = pixel
            .iter()
            .zip(weights)
            .map(|(p, w)| u32::from(*p) * w)
            .sum();
        [u8::try_from((sum + 0x8000) >> 16).unwrap(); 3]
    };
    assert!(decode(&vector("grey.jp2")).unwrap().rgb() == drawn(grey));
}

#[test]
fn a_lossy_image_has_the_pixels_that_its_peer_finds_but_for_rounding() {
    let pixels = decode(&vector("lossy.jp2")).unwrap();
    let peer = vector("lossy.ppm");
    let peer = peer.strip_prefix(b"P6\n60 40\n255\n").unwrap();
    assert_eq!(pixels.rgb().len(), peer.len());
    let difference = pixels
        .rgb()
        .iter()
        .zip(peer)
        .map(|(one, two)| one.abs_diff(*two));
    assert!(difference.max().unwrap() <= 1);
}

#[test]
fn both_decoders_of_jpeg_find_nearly_the_same_pixels() {
    for seed in 0..3 {
        let jpeg = portrait::draw(seed).unwrap();
        let pixels = decode(&jpeg).unwrap();
        let other = jpeg_decoder::Decoder::new(jpeg.as_slice())
            .decode()
            .unwrap();
        assert_eq!(pixels.rgb().len(), other.len());
        let difference = pixels
            .rgb()
            .iter()
            .zip(&other)
            .map(|(one, two)| one.abs_diff(*two));
        // Both round the cosine transform and the colours as they like.
        assert!(difference.max().unwrap() <= 4);
    }
}

#[test]
fn images_of_other_kinds_are_refused() {
    for name in ["refused-alpha.jp2", "refused-16-bit.jp2"] {
        assert_eq!(
            decode(&vector(name)).err(),
            Some(ImageError::Unsupported),
            "{name}"
        );
    }
    let with = |from: &[u8], to: &[u8]| {
        let mut image = vector("lossless.jp2");
        let place = image
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        image[place..place + to.len()].copy_from_slice(to);
        decode(&image).err()
    };
    let unsupported = Some(ImageError::Unsupported);
    assert_eq!(
        with(b"colr\x01\0\0\0\0\0\x10", b"colr\x01\0\0\0\0\0\x12"),
        unsupported
    );
    assert_eq!(with(b"colr", b"pclr"), unsupported);
    // A sign, samples for every other pixel alone, a region of interest.
    assert_eq!(with(&[0, 3, 7, 1, 1], &[0, 3, 0x87]), unsupported);
    assert_eq!(with(&[0, 3, 7, 1, 1], &[0, 3, 7, 2]), unsupported);
    assert_eq!(with(&[0xFF, 0x64], &[0xFF, 0x5E]), unsupported);
    assert_eq!(EncodedImage::new(b"GIF89a").map(|_| ()), None);
}

/// The code stream with these octets of the image's size replaced.
fn with_size(place: usize, octets: &[u8]) -> Option<ImageError> {
    let mut image = vector("lossless.j2k");
    image[place..place + octets.len()].copy_from_slice(octets);
    decode(&image).err()
}

#[test]
fn sizes_are_limited_before_anything_is_allocated() {
    let large = Some(ImageError::TooLarge);
    assert_eq!(with_size(8, &[0, 0, 0x10, 1]), large);
    assert_eq!(with_size(8, &[0, 0, 8, 1, 0, 0, 4, 0]), large);
    assert_eq!(with_size(8, &[0xFF; 8]), large);
    assert_eq!(with_size(8, &[0; 4]), Some(ImageError::Malformed));
    // Shifted; tiles without an extent; tiles of a single pixel.
    assert_eq!(with_size(16, &[0, 0, 0, 1]), Some(ImageError::Unsupported));
    assert_eq!(with_size(24, &[0; 4]), Some(ImageError::Malformed));
    assert_eq!(
        with_size(24, &[0, 0, 0, 1, 0, 0, 0, 1]),
        Some(ImageError::Unsupported)
    );

    let mut jpeg = portrait::draw(1).unwrap();
    let frame = jpeg
        .windows(2)
        .position(|window| window == [0xFF, 0xC0])
        .unwrap();
    for (height, width, wanted) in [
        (4_097_u16, 8_u16, ImageError::TooLarge),
        (2_049, 1_024, ImageError::TooLarge),
        (0, 240, ImageError::Malformed),
    ] {
        jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        assert_eq!(decode(&jpeg).err(), Some(wanted), "{width} {height}");
    }
}

#[test]
fn as_many_pixels_are_decoded_as_are_allowed() {
    for name in ["lossless.jp2", "lossless.j2k"] {
        let image = EncodedImage::new(&vector(name)).unwrap();
        assert!(image.decode_within(120 * 160).is_ok());
        let refused = image.decode_within(120 * 160 - 1);
        assert_eq!(refused.err(), Some(ImageError::TooLarge));
    }
    let jpeg = EncodedImage::new(&portrait::draw(1).unwrap()).unwrap();
    let pixels = usize::from(portrait::WIDTH) * usize::from(portrait::HEIGHT);
    assert!(jpeg.decode_within(pixels).is_ok());
    let refused = jpeg.decode_within(pixels - 1);
    assert_eq!(refused.err(), Some(ImageError::TooLarge));
}

#[test]
fn precincts_of_a_pixel_are_refused_wherever_they_are_announced() {
    let image = vector("lossless.j2k");
    let find = |marker: [u8; 2]| {
        image
            .windows(2)
            .position(|window| window == marker)
            .unwrap()
    };
    let style = find([0xFF, 0x52]);
    let length = usize::from(image[style + 3]);
    let mut precincts = image[style..style + 2 + length].to_vec();
    precincts[4] |= 1;
    precincts.extend(std::iter::repeat_n(0x11, usize::from(precincts[9]) + 1));
    precincts[3] = u8::try_from(precincts.len() - 2).unwrap();
    let mut in_main = image.clone();
    in_main.splice(style..style + 2 + length, precincts.iter().copied());
    assert_eq!(decode(&in_main).err(), Some(ImageError::Unsupported));

    let tile = find([0xFF, 0x90]);
    let mut in_tile = image.clone();
    in_tile.splice(tile + 12..tile + 12, precincts.iter().copied());
    assert_eq!(decode(&in_tile).err(), Some(ImageError::Unsupported));

    // Sizes that are fewer than resolutions, or other than the style says.
    precincts.pop();
    precincts[3] -= 1;
    in_tile = image.clone();
    in_tile.splice(tile + 12..tile + 12, precincts);
    assert_eq!(decode(&in_tile).err(), Some(ImageError::Malformed));
    in_tile = image.clone();
    in_tile[tile + 9] ^= 0xFF;
    in_tile[tile + 8] ^= 0xFF;
    assert!(matches!(
        decode(&in_tile),
        Ok(_) | Err(ImageError::Malformed)
    ));
}

#[test]
fn debug_output_shows_no_pixel() {
    let image = EncodedImage::new(&vector("grey.jp2")).unwrap();
    assert_eq!(format!("{image:?}"), "EncodedImage(..)");
    assert_eq!(format!("{:?}", image.decode().unwrap()), "Pixels(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_changed_octets_panic(
        name in prop::sample::select(vec!["grey.jp2", "lossless.j2k", "face.jpg"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        headers in any::<bool>(),
        kept in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut image = match name {
            "face.jpg" => portrait::draw(1).unwrap(),
            name => vector(name),
        };
        let range = if headers { 300 } else { image.len() };
        for (place, value) in changes {
            image[3 + place.index(range - 3)] = value;
        }
        if let Some(kept) = kept {
            image.truncate(12 + kept.index(range));
        }
        let _ = EncodedImage::new(&image).map(|image| image.decode());
    }

    #[test]
    fn no_input_panics(
        input in prop::collection::vec(any::<u8>(), 0..200),
        start in prop::sample::select(vec![JPEG, jpeg2000::FILE, jpeg2000::CODE_STREAM]),
    ) {
        let _ = EncodedImage::new(&[start, &input].concat()).map(|image| image.decode());
    }
}
