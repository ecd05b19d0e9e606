//! Pictures of faces, as files.

use std::path::Path;

use face::Image;
use jpeg_encoder::{ColorType, Encoder};
use mrtd::EncodedImage;
use zeroize::Zeroizing;

use crate::failure::{Failure, OrFail};
use crate::files;

/// Reads a picture of the person's own: JPEG or JPEG 2000, of at most [`Image::PIXELS_MAX`] pixels.
///
/// # Errors
///
/// `file-unreadable`, `picture-unusable`.
pub(crate) fn read(path: &Path) -> Result<Image, Failure> {
    let octets = Zeroizing::new(files::read(path)?);
    decode(&octets).ok_or_else(|| {
        let what = format!(
            "{} is neither JPEG nor JPEG 2000 of at most 8 megapixels and 4,096 pixels a side",
            path.display()
        );
        Failure::of("picture-unusable", what)
    })
}

fn decode(octets: &[u8]) -> Option<Image> {
    let encoded = EncodedImage::new(octets)?;
    let pixels = encoded.decode_within(Image::PIXELS_MAX).ok()?;
    Image::new(pixels.width(), pixels.height(), pixels.rgb().to_vec()).ok()
}

/// As JPEG, with nothing in it but what it shows.
///
/// # Errors
///
/// `local-failure`.
pub(crate) fn encode(image: &Image) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut encoded = Zeroizing::new(Vec::with_capacity(image.rgb().len()));
    let encoder = Encoder::new(&mut *encoded, JPEG_QUALITY);
    encoder
        .encode(image.rgb(), image.width(), image.height(), ColorType::Rgb)
        .or_fail("local-failure", || "a picture cannot be encoded")?;
    Ok(encoded)
}

const JPEG_QUALITY: u8 = 90;
