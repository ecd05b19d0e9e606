//! Data group 7: the holder's signature, or usual mark, as the document shows it.

use thiserror::Error;

use crate::details::GROUP_MAX_LEN;
use crate::image::EncodedImage;
use crate::tlv::{self, TlvError};

/// Reads EF.DG7, at most 1 MiB: the images in it, at least one. None is decoded.
///
/// This says nothing about whether the data is genuine; [`crate::DocumentFiles::authenticate`]
/// does.
///
/// Source: ICAO Doc 9303-10, 8th edition, §4.7.7.
///
/// # Errors
///
/// [`Dg7Error`].
pub fn parse_dg7(file: &[u8]) -> Result<Vec<EncodedImage>, Dg7Error> {
    if file.len() > GROUP_MAX_LEN {
        return Err(Dg7Error::TooLarge);
    }
    let mut inside = tlv::single(file, DG7_TAG)?.inside();
    // How many there are is seen without being told.
    inside.optional(COUNT)?;
    let mut images = Vec::new();
    for element in inside.all()? {
        if element.tag != IMAGE {
            return Err(Dg7Error::Frame(TlvError::Tag(IMAGE)));
        }
        images.push(EncodedImage::new(element.value).ok_or(Dg7Error::UnknownImage)?);
    }
    if images.is_empty() {
        return Err(Dg7Error::NoImage);
    }
    Ok(images)
}

/// Writes EF.DG7 around 1 to 9 images, for specimens.
///
/// # Errors
///
/// [`Dg7Error::NoImage`] for none, [`Dg7Error::TooLarge`] for more than nine or over 1 MiB,
/// [`Dg7Error::UnknownImage`] for anything but JPEG and JPEG 2000.
pub fn compose_dg7(images: &[&[u8]]) -> Result<Vec<u8>, Dg7Error> {
    let count = u8::try_from(images.len()).map_err(|_| Dg7Error::TooLarge)?;
    match count {
        0 => return Err(Dg7Error::NoImage),
        1..=9 => {}
        _ => return Err(Dg7Error::TooLarge),
    }
    let mut inside = tlv::element(COUNT, &[&[count]]);
    for image in images {
        if EncodedImage::new(image).is_none() {
            return Err(Dg7Error::UnknownImage);
        }
        inside.extend(tlv::element(IMAGE, &[image]));
    }
    let file = tlv::element(DG7_TAG, &[&inside]);
    if file.len() > GROUP_MAX_LEN {
        Err(Dg7Error::TooLarge)
    } else {
        Ok(file)
    }
}

/// Why a data group 7 is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Dg7Error {
    /// The frame is broken.
    #[error("malformed data group 7")]
    Frame(#[from] TlvError),
    /// More than 1 MiB, or more than nine images.
    #[error("data group 7 is too large")]
    TooLarge,
    /// There is no image in it.
    #[error("data group 7 holds no image")]
    NoImage,
    /// An image is neither JPEG nor JPEG 2000.
    #[error("the signature is neither JPEG nor JPEG 2000")]
    UnknownImage,
}

// Source: ICAO Doc 9303-10, 8th edition, §4.7.7.
const DG7_TAG: u32 = 0x67;
const COUNT: u32 = 0x02;
const IMAGE: u32 = 0x5F43;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::ImageFormat;

    const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 1, 2];
    const STREAM: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51, 3];

    #[test]
    fn images_come_back_as_they_went_in() {
        let images = parse_dg7(&compose_dg7(&[JPEG, STREAM]).unwrap()).unwrap();
        let read: Vec<_> = images.iter().map(|i| (i.format(), i.octets())).collect();
        let wanted = [(ImageFormat::Jpeg, JPEG), (ImageFormat::Jpeg2000, STREAM)];
        assert_eq!(read, wanted);
    }

    #[test]
    fn a_missing_or_wrong_count_does_no_harm() {
        let image = tlv::element(IMAGE, &[JPEG]);
        for count in [&[][..], &[2, 1, 9]] {
            let file = tlv::element(DG7_TAG, &[count, &image]);
            assert_eq!(parse_dg7(&file).unwrap().len(), 1);
        }
    }

    #[test]
    fn other_contents_are_refused() {
        let refusal = |content: &[u8]| parse_dg7(&tlv::element(DG7_TAG, &[content])).err();
        assert_eq!(refusal(&[]), Some(Dg7Error::NoImage));
        assert_eq!(refusal(&[2, 1, 0]), Some(Dg7Error::NoImage));
        let gif = tlv::element(IMAGE, &[b"GIF89a"]);
        assert_eq!(refusal(&gif), Some(Dg7Error::UnknownImage));
        // The portrait of data group 5.
        let portrait = tlv::element(0x5F40, &[JPEG]);
        let other = Dg7Error::Frame(TlvError::Tag(IMAGE));
        assert_eq!(refusal(&portrait), Some(other));
        let large = vec![0x67; GROUP_MAX_LEN + 1];
        assert_eq!(parse_dg7(&large).err(), Some(Dg7Error::TooLarge));
        assert_eq!(compose_dg7(&[]), Err(Dg7Error::NoImage));
        assert_eq!(compose_dg7(&[JPEG; 10]), Err(Dg7Error::TooLarge));
        assert_eq!(compose_dg7(&[b"GIF89a"]), Err(Dg7Error::UnknownImage));
    }

    #[test]
    fn every_truncation_is_refused() {
        let file = compose_dg7(&[JPEG]).unwrap();
        for length in 0..file.len() {
            let error = parse_dg7(&file[..length]).unwrap_err();
            assert_eq!(error, Dg7Error::Frame(TlvError::Truncated));
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_dg7(&input);
            let _ = parse_dg7(&tlv::element(DG7_TAG, &[&input]));
        }
    }
}
