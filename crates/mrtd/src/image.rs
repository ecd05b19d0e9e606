//! Encoded images of a chip, and their pixels.
//!
//! What is decoded was mostly signed by a state, but not always yet. Sizes are therefore read and
//! limited before anything is allocated, and a decoder sees only a form that issuers use.

mod jpeg2000;

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// An image in one of the two encodings that documents use. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct EncodedImage {
    #[zeroize(skip)]
    format: ImageFormat,
    octets: Vec<u8>,
}

impl EncodedImage {
    /// Takes an image of either encoding; nothing but its beginning is looked at. `None` for any
    /// other.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<EncodedImage> {
        Some(EncodedImage {
            format: ImageFormat::of(octets)?,
            octets: octets.to_vec(),
        })
    }

    /// How the image is encoded. Decided by its own first octets, not by the header before it,
    /// which some issuers fill in wrongly.
    #[must_use]
    pub fn format(&self) -> ImageFormat {
        self.format
    }

    /// The image as it stands in the file.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Its pixels.
    ///
    /// # Errors
    ///
    /// [`ImageError`].
    pub fn decode(&self) -> Result<Pixels, ImageError> {
        self.decode_within(PIXELS_MAX)
    }

    /// Its pixels, where there are at most `pixels_max`: for images that come from nobody else, whose
    /// owner may have larger ones decoded than a stranger.
    ///
    /// # Errors
    ///
    /// [`ImageError`].
    pub fn decode_within(&self, pixels_max: usize) -> Result<Pixels, ImageError> {
        match self.format {
            ImageFormat::Jpeg => jpeg(&self.octets, pixels_max),
            ImageFormat::Jpeg2000 => jpeg2000::decode(&self.octets, pixels_max),
        }
    }
}

impl fmt::Debug for EncodedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodedImage(..)")
    }
}

/// The two encodings that documents use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG.
    Jpeg,
    /// JPEG 2000, as a file or as a bare code stream.
    Jpeg2000,
}

impl ImageFormat {
    pub(crate) fn of(image: &[u8]) -> Option<ImageFormat> {
        if image.starts_with(JPEG) {
            Some(ImageFormat::Jpeg)
        } else if image.starts_with(jpeg2000::FILE) || image.starts_with(jpeg2000::CODE_STREAM) {
            Some(ImageFormat::Jpeg2000)
        } else {
            None
        }
    }
}

/// The pixels of an image: eight bits each of red, green and blue. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pixels {
    #[zeroize(skip)]
    width: u16,
    #[zeroize(skip)]
    height: u16,
    rgb: Vec<u8>,
}

impl Pixels {
    /// `None` where the samples are not those of as many pixels.
    fn new(width: u16, height: u16, rgb: Vec<u8>) -> Option<Pixels> {
        let pixels = Pixels { width, height, rgb };
        (pixels.rgb.len() == count(width, height).checked_mul(3)?).then_some(pixels)
    }

    /// Pixels in a row, 1 to 4,096.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Rows, 1 to 4,096.
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Red, green and blue of each pixel, row by row from the top, each row from the left: three
    /// times width times height octets.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pixels(..)")
    }
}

/// Why an image is not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ImageError {
    /// A side is longer than 4,096 pixels, or there are more than 2,097,152, or than were allowed.
    #[error("the image is too large")]
    TooLarge,
    /// It uses a part of its standard that portraits do not, such as more than eight bits for a
    /// colour, transparency, or precincts of less than 16 pixels.
    #[error("the image uses what portraits do not")]
    Unsupported,
    /// It is broken.
    #[error("malformed image")]
    Malformed,
}

/// Width and height within the limits.
fn limited(width: u32, height: u32, pixels_max: usize) -> Result<(u16, u16), ImageError> {
    let side = |length: u32| {
        let length = u16::try_from(length).map_err(|_| ImageError::TooLarge)?;
        match length {
            0 => Err(ImageError::Malformed),
            1..=SIDE_MAX => Ok(length),
            _ => Err(ImageError::TooLarge),
        }
    };
    let (width, height) = (side(width)?, side(height)?);
    if count(width, height) > pixels_max {
        return Err(ImageError::TooLarge);
    }
    Ok((width, height))
}

fn count(width: u16, height: u16) -> usize {
    usize::from(width).saturating_mul(usize::from(height))
}

/// Source: ISO/IEC 10918-1.
fn jpeg(image: &[u8], pixels_max: usize) -> Result<Pixels, ImageError> {
    let options = DecoderOptions::new_safe()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(image), options);
    decoder
        .decode_headers()
        .map_err(|_| ImageError::Malformed)?;
    let info = decoder.info().ok_or(ImageError::Malformed)?;
    let (width, height) = limited(info.width.into(), info.height.into(), pixels_max)?;
    let length = decoder.output_buffer_size().ok_or(ImageError::Malformed)?;
    if length != count(width, height).saturating_mul(3) {
        return Err(ImageError::Unsupported);
    }
    let mut rgb = Zeroizing::new(vec![0; length]);
    decoder
        .decode_into(&mut rgb)
        .map_err(|_| ImageError::Malformed)?;
    Pixels::new(width, height, core::mem::take(&mut *rgb)).ok_or(ImageError::Malformed)
}

/// The longest side that is decoded, several times that of any portrait known.
const SIDE_MAX: u16 = 4_096;
/// The most pixels that are decoded unless more are allowed.
const PIXELS_MAX: usize = 1 << 21;
/// Source: ISO/IEC 10918-1, §B.1.1.3: start of image, then another marker.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];

#[cfg(test)]
mod tests;
