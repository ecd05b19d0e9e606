//! Pictures of faces, as files.

use std::path::Path;

use face::Image;
use jpeg_encoder::{ColorType, Encoder};
use zeroize::Zeroizing;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::failure::Failure;
use crate::files;

/// Reads a JPEG file of at most [`Image::PIXELS_MAX`] pixels.
///
/// # Errors
///
/// `file-unreadable`, `picture-unusable`.
pub(crate) fn read(path: &Path) -> Result<Image, Failure> {
    let octets = Zeroizing::new(files::read(path)?);
    decode(&octets).ok_or_else(|| {
        let what = format!("{} is no JPEG of at most 8 megapixels", path.display());
        Failure::of("picture-unusable", what)
    })
}

fn decode(octets: &[u8]) -> Option<Image> {
    let side = usize::from(Image::SIDE_MAX);
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(side)
        .set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(octets), options);
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    if width * height > Image::PIXELS_MAX {
        return None;
    }
    let rgb = decoder.decode().ok()?;
    Image::new(width.try_into().ok()?, height.try_into().ok()?, rgb).ok()
}

/// As JPEG, with nothing in it but what it shows.
pub(crate) fn encode((width, height): (u16, u16), rgb: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut encoded = Zeroizing::new(Vec::with_capacity(rgb.len()));
    let encoder = Encoder::new(&mut *encoded, JPEG_QUALITY);
    encoder.encode(rgb, width, height, ColorType::Rgb).ok()?;
    Some(encoded)
}

const JPEG_QUALITY: u8 = 90;
