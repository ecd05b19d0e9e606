//! Data group 2: the portrait, in a biometric record of ISO/IEC 19794-5:2005 in a CBEFF frame of
//! ISO/IEC 7816-11.

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::tlv::{self, TlvError};

/// The portrait of a document, as an encoded image. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Portrait {
    #[zeroize(skip)]
    format: ImageFormat,
    image: Vec<u8>,
}

impl Portrait {
    /// Reads EF.DG2 and takes the first image of the first biometric record.
    ///
    /// The image is not decoded. This says nothing about whether the data is genuine;
    /// [`crate::DocumentFiles::authenticate`] does.
    ///
    /// Source: ICAO Doc 9303-10, 8th edition, §4.7.2; ISO/IEC 19794-5:2005, §5.
    ///
    /// # Errors
    ///
    /// [`Dg2Error`] for another structure, or a file of more than 1 MiB.
    pub fn parse_dg2(file: &[u8]) -> Result<Portrait, Dg2Error> {
        if file.len() > DG2_MAX_LEN {
            return Err(Dg2Error::TooLarge);
        }
        let record = biometric_record(file)?;
        let image = first_image(record)?;
        let format = ImageFormat::of(image).ok_or(Dg2Error::UnknownImage)?;
        Ok(Portrait {
            format,
            image: image.to_vec(),
        })
    }

    /// How the image is encoded. Decided by its own first bytes, not by the header before it,
    /// which some issuers fill in wrongly.
    #[must_use]
    pub fn format(&self) -> ImageFormat {
        self.format
    }

    /// The encoded image.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        &self.image
    }
}

impl fmt::Debug for Portrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Portrait(..)")
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
    fn of(image: &[u8]) -> Option<ImageFormat> {
        const JP2_FILE: &[u8] = &[0, 0, 0, 0x0C, b'j', b'P', b' ', b' '];
        const JP2_STREAM: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51];
        if image.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(ImageFormat::Jpeg)
        } else if image.starts_with(JP2_FILE) || image.starts_with(JP2_STREAM) {
            Some(ImageFormat::Jpeg2000)
        } else {
            None
        }
    }
}

/// Writes EF.DG2 around one JPEG image of `width` times `height` pixels, for specimens.
///
/// # Errors
///
/// [`Dg2Error::UnknownImage`] for anything but JPEG, [`Dg2Error::TooLarge`] over 1 MiB.
pub fn compose_dg2(jpeg: &[u8], width: u16, height: u16) -> Result<Vec<u8>, Dg2Error> {
    if ImageFormat::of(jpeg) != Some(ImageFormat::Jpeg) {
        return Err(Dg2Error::UnknownImage);
    }
    let too_large = |_| Dg2Error::TooLarge;
    let block_len = FACE_LEN
        .saturating_add(IMAGE_LEN)
        .saturating_add(jpeg.len());
    let record_len = u32::try_from(block_len.saturating_add(HEADER_LEN)).map_err(too_large)?;
    let block_len = u32::try_from(block_len).map_err(too_large)?;
    let record = [
        MAGIC,
        &record_len.to_be_bytes(),
        &1_u16.to_be_bytes(), // one image
        &block_len.to_be_bytes(),
        &[0; 16], // no feature points; sex, eyes, hair, expression and pose unstated
        &[1, 0],  // full frontal image, JPEG
        &width.to_be_bytes(),
        &height.to_be_bytes(),
        &[1, 0, 0, 0, 0, 0], // sRGB; source, device and quality unstated
        jpeg,
    ]
    .concat();
    let header = tlv::element(
        HEADER_TAG,
        &[
            &tlv::element(0x80, &[&[0x01, 0x01]]), // version of the header
            &tlv::element(0x81, &[&[0x02]]),       // facial features
            &tlv::element(0x87, &[&[0x01, 0x01]]), // owner of the format: ISO/IEC JTC 1/SC 37
            &tlv::element(0x88, &[&[0x00, 0x08]]), // face image record
        ],
    );
    let template = tlv::element(
        TEMPLATE_TAG,
        &[&header, &tlv::element(RECORD_TAG, &[record.as_slice()])],
    );
    let group = tlv::element(GROUP_TAG, &[&tlv::element(0x02, &[&[1]]), &template]);
    let file = tlv::element(DG2_TAG, &[&group]);
    if file.len() > DG2_MAX_LEN {
        Err(Dg2Error::TooLarge)
    } else {
        Ok(file)
    }
}

/// Why a data group 2 is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Dg2Error {
    /// The frame is broken.
    #[error("malformed data group 2")]
    Frame(#[from] TlvError),
    /// More than 1 MiB.
    #[error("data group 2 is larger than 1 MiB")]
    TooLarge,
    /// There is no biometric record, or fewer than announced.
    #[error("data group 2 holds no biometric record")]
    NoRecord,
    /// The record is no face record of ISO/IEC 19794-5:2005.
    #[error("malformed face record")]
    Record,
    /// The image is neither JPEG nor JPEG 2000.
    #[error("the portrait is neither JPEG nor JPEG 2000")]
    UnknownImage,
}

/// The first record; the others must at least have a frame.
fn biometric_record(file: &[u8]) -> Result<&[u8], Dg2Error> {
    let mut inside = tlv::single(file, DG2_TAG)?.inside();
    let mut group = inside.expect(GROUP_TAG)?.inside();
    inside.end()?;
    let &[count] = group.expect(0x02)?.value else {
        return Err(Dg2Error::NoRecord);
    };
    let mut record = None;
    for _ in 0..count {
        let mut template = group.expect(TEMPLATE_TAG)?.inside();
        template.expect(HEADER_TAG)?;
        let data = template.any()?;
        if !matches!(data.tag, RECORD_TAG | RECORD_TAG_CONSTRUCTED) {
            return Err(Dg2Error::NoRecord);
        }
        template.end()?;
        record = record.or(Some(data.value));
    }
    group.end()?;
    record.ok_or(Dg2Error::NoRecord)
}

fn first_image(record: &[u8]) -> Result<&[u8], Dg2Error> {
    let mut fields = Fields { rest: record };
    if fields.take(MAGIC.len())? != MAGIC {
        return Err(Dg2Error::Record);
    }
    let record_len = fields.number(4)?;
    if record_len != record.len() || fields.number(2)? == 0 {
        return Err(Dg2Error::Record);
    }
    let block_len = fields.number(4)?;
    let block = fields.take(block_len.checked_sub(4).ok_or(Dg2Error::Record)?)?;
    let mut fields = Fields { rest: block };
    let points = fields.number(2)?;
    fields.take(FACE_LEN - 6)?;
    fields.take(points.saturating_mul(POINT_LEN))?;
    fields.take(IMAGE_LEN)?;
    Ok(fields.rest)
}

/// Fields of fixed width.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Dg2Error> {
        let (field, rest) = self.rest.split_at_checked(length).ok_or(Dg2Error::Record)?;
        self.rest = rest;
        Ok(field)
    }

    /// A big-endian number of at most four bytes.
    fn number(&mut self, length: usize) -> Result<usize, Dg2Error> {
        let value = self
            .take(length)?
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        usize::try_from(value).map_err(|_| Dg2Error::Record)
    }
}

/// The largest EF.DG2 that is read.
pub(crate) const DG2_MAX_LEN: usize = 1 << 20;

// Source: ICAO Doc 9303-10, 8th edition, §4.7.2.
const DG2_TAG: u32 = 0x75;
const GROUP_TAG: u32 = 0x7F61;
const TEMPLATE_TAG: u32 = 0x7F60;
const HEADER_TAG: u32 = 0xA1;
const RECORD_TAG: u32 = 0x5F2E;
const RECORD_TAG_CONSTRUCTED: u32 = 0x7F2E;

// Source: ISO/IEC 19794-5:2005, §5.4 to §5.7.
const MAGIC: &[u8] = b"FAC\x00010\x00";
const HEADER_LEN: usize = 14;
const FACE_LEN: usize = 20;
const POINT_LEN: usize = 8;
const IMAGE_LEN: usize = 12;

#[cfg(test)]
mod tests;
