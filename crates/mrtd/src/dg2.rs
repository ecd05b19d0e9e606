//! Data group 2: the portrait, in a biometric record of ISO/IEC 19794-5:2005 or of ISO/IEC
//! 39794-5:2019, in a CBEFF frame of ISO/IEC 7816-11.

mod record;

use core::fmt;

use thiserror::Error;

use crate::image::{EncodedImage, ImageError, ImageFormat, Pixels};
use crate::tlv::{self, TlvError};
use record::{FACE_LEN, HEADER_LEN, IMAGE_LEN, MAGIC};

/// The portrait of a document, as an encoded image. Wiped when dropped.
pub struct Portrait(EncodedImage);

impl Portrait {
    /// Reads EF.DG2 and takes the first image of the first biometric record.
    ///
    /// The image is not decoded. This says nothing about whether the data is genuine;
    /// [`crate::DocumentFiles::authenticate`] does.
    ///
    /// Source: ICAO Doc 9303-10, 8th edition, §4.7.2; ISO/IEC 19794-5:2005, §5; ISO/IEC
    /// 39794-5:2019 in ICAO's application profile.
    ///
    /// # Errors
    ///
    /// [`Dg2Error`] for another structure, or a file of more than 1 MiB.
    pub fn parse_dg2(file: &[u8]) -> Result<Portrait, Dg2Error> {
        if file.len() > DG2_MAX_LEN {
            return Err(Dg2Error::TooLarge);
        }
        let image = record::first_image(biometric_record(file)?)?;
        EncodedImage::new(image)
            .map(Portrait)
            .ok_or(Dg2Error::UnknownImage)
    }

    /// How the image is encoded, see [`EncodedImage::format`].
    #[must_use]
    pub fn format(&self) -> ImageFormat {
        self.0.format()
    }

    /// The encoded image.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        self.0.octets()
    }

    /// The pixels of the image.
    ///
    /// # Errors
    ///
    /// [`ImageError`] for an image that is broken, too large or of another kind than portraits.
    pub fn decode(&self) -> Result<Pixels, ImageError> {
        self.0.decode()
    }
}

impl fmt::Debug for Portrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Portrait(..)")
    }
}

/// Writes EF.DG2 around one image of `width` times `height` pixels, for specimens.
///
/// # Errors
///
/// [`Dg2Error::UnknownImage`] for anything but JPEG and JPEG 2000, [`Dg2Error::TooLarge`] over
/// 1 MiB.
pub fn compose_dg2(image: &[u8], width: u16, height: u16) -> Result<Vec<u8>, Dg2Error> {
    let data_type = match ImageFormat::of(image).ok_or(Dg2Error::UnknownImage)? {
        ImageFormat::Jpeg => 0,
        ImageFormat::Jpeg2000 => 1,
    };
    let too_large = |_| Dg2Error::TooLarge;
    let block_len = FACE_LEN
        .saturating_add(IMAGE_LEN)
        .saturating_add(image.len());
    let record_len = u32::try_from(block_len.saturating_add(HEADER_LEN)).map_err(too_large)?;
    let block_len = u32::try_from(block_len).map_err(too_large)?;
    let record = [
        MAGIC,
        &record_len.to_be_bytes(),
        &1_u16.to_be_bytes(), // one image
        &block_len.to_be_bytes(),
        &[0; 16],        // no feature points; sex, eyes, hair, expression and pose unstated
        &[1, data_type], // full frontal image
        &width.to_be_bytes(),
        &height.to_be_bytes(),
        &[1, 0, 0, 0, 0, 0], // sRGB; source, device and quality unstated
        image,
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
    /// The record is no face record of ISO/IEC 19794-5:2005 or 39794-5:2019.
    #[error("malformed face record")]
    Record,
    /// The image is neither JPEG nor JPEG 2000.
    #[error("the portrait is neither JPEG nor JPEG 2000")]
    UnknownImage,
}

/// The first record; the others must at least have a frame.
///
/// The header before a record says what it is, in ways that differ between issuers; the record's
/// own beginning is relied on instead.
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

/// The largest EF.DG2 that is read.
pub(crate) const DG2_MAX_LEN: usize = 1 << 20;

// Source: ICAO Doc 9303-10, 8th edition, §4.7.2.
const DG2_TAG: u32 = 0x75;
const GROUP_TAG: u32 = 0x7F61;
const TEMPLATE_TAG: u32 = 0x7F60;
const HEADER_TAG: u32 = 0xA1;
const RECORD_TAG: u32 = 0x5F2E;
const RECORD_TAG_CONSTRUCTED: u32 = 0x7F2E;

#[cfg(test)]
mod tests;
