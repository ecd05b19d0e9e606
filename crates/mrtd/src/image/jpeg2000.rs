//! JPEG 2000. The decoder gets the code stream alone, after what decides how much it allocates was
//! read here: it takes precincts of a single pixel and thousands of tiles, of which an image of a
//! few kilobytes can have as many as fill the memory.
//!
//! Source: ISO/IEC 15444-1, annex A for the code stream and annex I for the file around it.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use zeroize::Zeroizing;

use super::{ImageError, Pixels, limited};

pub(super) fn decode(image: &[u8], pixels_max: usize) -> Result<Pixels, ImageError> {
    let stream = code_stream(image)?;
    let (width, height, components) = examine(stream, pixels_max)?;
    let settings = DecodeSettings::default();
    let image = Image::new(stream, &settings).map_err(|_| ImageError::Malformed)?;
    let mut context = DecoderContext::default();
    let decoded = image
        .decode(&mut context)
        .map_err(|_| ImageError::Malformed)?;
    let samples = Zeroizing::new(decoded.data_u8());
    let rgb = match components {
        Components::Grey => samples.iter().flat_map(|grey| [*grey; 3]).collect(),
        Components::Rgb => samples.to_vec(),
    };
    Pixels::new(width, height, rgb).ok_or(ImageError::Malformed)
}

/// What the samples of a pixel are.
#[derive(Clone, Copy)]
enum Components {
    Grey,
    Rgb,
}

/// The code stream of a file, or the image itself if it is one.
fn code_stream(image: &[u8]) -> Result<&[u8], ImageError> {
    if image.starts_with(CODE_STREAM) {
        return Ok(image);
    }
    let mut fields = Fields(image);
    while !fields.0.is_empty() {
        let (kind, content) = fields.next_box()?;
        match kind {
            b"jp2h" => header_boxes(content)?,
            b"jp2c" => return Ok(content),
            _ => {}
        }
    }
    Err(ImageError::Malformed)
}

/// Refuses what gives samples another meaning than grey or red, green and blue.
fn header_boxes(boxes: &[u8]) -> Result<(), ImageError> {
    let mut fields = Fields(boxes);
    while !fields.0.is_empty() {
        match fields.next_box()? {
            (b"pclr" | b"cmap" | b"cdef", _) => return Err(ImageError::Unsupported),
            // Enumerated: 16 is sRGB, 17 grey. A profile (method 2) is of either kind.
            (b"colr", [1, _, _, colours @ ..]) if !matches!(colours, [0, 0, 0, 16 | 17]) => {
                return Err(ImageError::Unsupported);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Width, height and components, where every part of the stream is within the limits.
fn examine(stream: &[u8], pixels_max: usize) -> Result<(u16, u16, Components), ImageError> {
    let mut fields = Fields(stream);
    if fields.take(CODE_STREAM.len())? != CODE_STREAM {
        return Err(ImageError::Malformed);
    }
    let size = image_size(fields.segment()?, pixels_max)?;
    fields.header_until(START_OF_TILE)?;
    // Each part of a tile has a header of its own, which may say the same things.
    loop {
        let part = fields.0;
        let &[_, _, a, b, c, d, _, _] = fields.segment()? else {
            return Err(ImageError::Malformed);
        };
        let length = Fields(&[a, b, c, d]).number(4)?;
        fields.header_until(START_OF_DATA)?;
        // Counted from the marker before; 0 stands for all that is left.
        let rest = part.get(length.saturating_sub(2)..).unwrap_or_default();
        if length == 0 || rest.is_empty() {
            break;
        }
        if rest.len() > fields.0.len() {
            return Err(ImageError::Malformed);
        }
        fields.0 = rest;
        match fields.number(2)? {
            START_OF_TILE => {}
            END => break,
            _ => return Err(ImageError::Malformed),
        }
    }
    Ok(size)
}

/// Source: ISO/IEC 15444-1, §A.5.1.
fn image_size(segment: &[u8], pixels_max: usize) -> Result<(u16, u16, Components), ImageError> {
    let mut fields = Fields(segment);
    fields.take(2)?; // capabilities
    let mut numbers = [0; 8];
    for number in &mut numbers {
        *number = fields.number(4)?;
    }
    let [
        right,
        bottom,
        left,
        top,
        tile_width,
        tile_height,
        tiles_left,
        tiles_top,
    ] = numbers;
    let side = |length| u32::try_from(length).map_err(|_| ImageError::TooLarge);
    let (width, height) = limited(side(right)?, side(bottom)?, pixels_max)?;
    if tile_width == 0 || tile_height == 0 {
        return Err(ImageError::Malformed);
    }
    let tiles = right.div_ceil(tile_width) * bottom.div_ceil(tile_height);
    let components = match fields.number(2)? {
        1 => Components::Grey,
        3 => Components::Rgb,
        _ => return Err(ImageError::Unsupported),
    };
    let shifted = [left, top, tiles_left, tiles_top] != [0; 4];
    // Eight bits without a sign, one sample for each pixel.
    let other = fields.0.chunks(3).any(|component| component != [7, 1, 1]);
    if shifted || other || tiles > TILES_MAX {
        return Err(ImageError::Unsupported);
    }
    let described = match components {
        Components::Grey => 3,
        Components::Rgb => 9,
    };
    if fields.0.len() == described {
        Ok((width, height, components))
    } else {
        Err(ImageError::Malformed)
    }
}

/// Refuses precincts that are smaller than portraits have them.
///
/// Their sizes stand behind five other parameters, one for each resolution: half an octet is the
/// exponent of the width, the other that of the height.
///
/// Source: ISO/IEC 15444-1, §A.6.1 and §A.6.2.
fn coding_style(style: u8, parameters: &[u8]) -> Result<(), ImageError> {
    let [levels, _, _, _, _, precincts @ ..] = parameters else {
        return Err(ImageError::Malformed);
    };
    let resolutions = match style & 1 {
        0 => 0,
        _ => usize::from(*levels).saturating_add(1),
    };
    let small = |size: &u8| size & 0x0F < PRECINCT_MIN || size >> 4 < PRECINCT_MIN;
    if precincts.len() != resolutions {
        Err(ImageError::Malformed)
    } else if precincts.iter().any(small) {
        Err(ImageError::Unsupported)
    } else {
        Ok(())
    }
}

/// Refuses a length that the style does not have: the decoder goes by the style, and would find
/// another marker within.
///
/// Source: ISO/IEC 15444-1, §A.6.4 and §A.6.5.
fn quantisation(segment: &[u8]) -> Result<(), ImageError> {
    let (style, steps) = segment.split_first().ok_or(ImageError::Malformed)?;
    let fits = match style & 0x1F {
        0 => true,
        1 => steps.len() == 2,
        2 => steps.len().is_multiple_of(2),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(ImageError::Malformed)
    }
}

/// What is left to read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ImageError> {
        let (field, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(ImageError::Malformed)?;
        self.0 = rest;
        Ok(field)
    }

    /// A big-endian number of at most four octets.
    fn number(&mut self, length: usize) -> Result<usize, ImageError> {
        let octets = self.take(length)?;
        let value = octets
            .iter()
            .fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet));
        usize::try_from(value).map_err(|_| ImageError::TooLarge)
    }

    /// Kind and content of the next box. Source: ISO/IEC 15444-1, §I.4.
    fn next_box(&mut self) -> Result<(&'a [u8], &'a [u8]), ImageError> {
        let length = self.number(4)?;
        let kind = self.take(4)?;
        let content = match length {
            // The last one.
            0 => core::mem::take(&mut self.0),
            // A longer length follows, which no image within the limits has.
            1..8 => return Err(ImageError::Unsupported),
            _ => self.take(length - 8)?,
        };
        Ok((kind, content))
    }

    /// What belongs to a marker: a length, which counts itself, then the values.
    fn segment(&mut self) -> Result<&'a [u8], ImageError> {
        let length = self.number(2)?;
        self.take(length.checked_sub(2).ok_or(ImageError::Malformed)?)
    }

    /// Reads a header up to and with the marker `end`.
    fn header_until(&mut self, end: usize) -> Result<(), ImageError> {
        loop {
            match self.number(2)? {
                marker if marker == end => return Ok(()),
                ALONE_FIRST..=ALONE_LAST => {}
                CODING_STYLE => match self.segment()? {
                    [style, _, _, _, _, parameters @ ..] => coding_style(*style, parameters)?,
                    _ => return Err(ImageError::Malformed),
                },
                CODING_STYLE_OF_COMPONENT => match self.segment()? {
                    [_, style, parameters @ ..] => coding_style(*style, parameters)?,
                    _ => return Err(ImageError::Malformed),
                },
                QUANTISATION => quantisation(self.segment()?)?,
                QUANTISATION_OF_COMPONENT => {
                    quantisation(self.segment()?.get(1..).unwrap_or_default())?;
                }
                REGION => return Err(ImageError::Unsupported),
                _ => drop(self.segment()?),
            }
        }
    }
}

/// The signature box. Source: ISO/IEC 15444-1, §I.5.1.
pub(super) const FILE: &[u8] = b"\0\0\0\x0CjP  ";
/// Start of code stream and image size. Source: ISO/IEC 15444-1, §A.4.1 and §A.5.1.
pub(super) const CODE_STREAM: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51];

// Source: ISO/IEC 15444-1, table A.2.
const CODING_STYLE: usize = 0xFF52;
const CODING_STYLE_OF_COMPONENT: usize = 0xFF53;
const QUANTISATION: usize = 0xFF5C;
const QUANTISATION_OF_COMPONENT: usize = 0xFF5D;
const REGION: usize = 0xFF5E;
const START_OF_TILE: usize = 0xFF90;
const START_OF_DATA: usize = 0xFF93;
const END: usize = 0xFFD9;
/// Markers without a segment.
const ALONE_FIRST: usize = 0xFF30;
const ALONE_LAST: usize = 0xFF3F;

/// More than any portrait is cut into.
const TILES_MAX: usize = 1_024;
/// Sixteen pixels, as an exponent of two.
const PRECINCT_MIN: u8 = 4;
