//! The record of a face: the older one of fields of fixed width, the newer one in ASN.1.

use super::Dg2Error;
use crate::tlv::{self, Element};

/// The encoded image in a record: the first one, where there are several.
pub(super) fn first_image(record: &[u8]) -> Result<&[u8], Dg2Error> {
    if record.starts_with(MAGIC) {
        image_of_2005(record)
    } else {
        image_of_2019(record)
    }
}

/// Source: ISO/IEC 19794-5:2005, §5.4 to §5.8.
fn image_of_2005(record: &[u8]) -> Result<&[u8], Dg2Error> {
    let mut fields = Fields { rest: record };
    fields.take(MAGIC.len())?;
    // Some passports of New Zealand state eight octets too few; the block has a length of its own.
    fields.take(4)?;
    if fields.number(2)? == 0 {
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

/// The path to the image; what stands beside it is not looked at, as later editions may add to it.
///
/// Source: the ASN.1 module `ISO-IEC-39794-5-ed-1-v1` in ICAO's application profile, where the
/// face's block is tag 1 of the biometric data block.
fn image_of_2019(record: &[u8]) -> Result<&[u8], Dg2Error> {
    const PATH: [u32; 7] = [
        FACE_IMAGE_DATA,
        REPRESENTATIONS,
        REPRESENTATION,
        IMAGE_REPRESENTATION,
        BASE,
        IMAGE_2D,
        IMAGE_DATA,
    ];
    let mut at = tlv::single(record, FACE).map_err(|_| Dg2Error::Record)?;
    for tag in PATH {
        at = child(at, tag)?;
    }
    Ok(at.value)
}

fn child(of: Element<'_>, tag: u32) -> Result<Element<'_>, Dg2Error> {
    let children = of.inside().all().map_err(|_| Dg2Error::Record)?;
    let found = children.into_iter().find(|element| element.tag == tag);
    found.ok_or(Dg2Error::Record)
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

// Source: ISO/IEC 19794-5:2005, §5.4 to §5.7.
pub(super) const MAGIC: &[u8] = b"FAC\x00010\x00";
pub(super) const HEADER_LEN: usize = 14;
pub(super) const FACE_LEN: usize = 20;
const POINT_LEN: usize = 8;
pub(super) const IMAGE_LEN: usize = 12;

// Source: `ISO-IEC-39794-5-ed-1-v1`, in the order from the outside.
const FACE: u32 = 0xA1;
const FACE_IMAGE_DATA: u32 = 0x65;
const REPRESENTATIONS: u32 = 0xA1;
const REPRESENTATION: u32 = 0x30;
const IMAGE_REPRESENTATION: u32 = 0xA1;
const BASE: u32 = 0xA0;
const IMAGE_2D: u32 = 0xA0;
const IMAGE_DATA: u32 = 0x80;
