//! Pictures of faces, as files.

use std::path::Path;

use face::Image;
use jpeg_encoder::{ColorType, Encoder};
use mrtd::EncodedImage;
use zeroize::Zeroizing;

use crate::failure::Failure;
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
            "{} is neither JPEG nor JPEG 2000 of at most 8 megapixels",
            path.display()
        );
        Failure::of("picture-unusable", what)
    })
}

fn decode(octets: &[u8]) -> Option<Image> {
    let encoded = EncodedImage::new(octets)?;
    let pixels = encoded.decode_within(Image::PIXELS_MAX).ok()?;
    let (width, height) = (pixels.width().into(), pixels.height().into());
    Image::new(width, height, pixels.rgb().to_vec()).ok()
}

/// As JPEG, with nothing in it but what it shows.
pub(crate) fn encode((width, height): (u16, u16), rgb: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut encoded = Zeroizing::new(Vec::with_capacity(rgb.len()));
    let encoder = Encoder::new(&mut *encoded, JPEG_QUALITY);
    encoder.encode(rgb, width, height, ColorType::Rgb).ok()?;
    Some(encoded)
}

const JPEG_QUALITY: u8 = 90;
