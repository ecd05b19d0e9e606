//! The files of a specimen passport.

use der::Encode;
use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;

use super::SpecimenError;
use super::authority::{SpecimenSigner, time};
use super::key::{NULL, algorithm, oid};
use super::portrait;
use crate::certificate::Certificate;
use crate::cms::{CONTENT_TYPE, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME};
use crate::dg1::compose_dg1;
use crate::dg2::{Dg2Error, compose_dg2};
use crate::hash::Hash;
use crate::image::EncodedImage;
use crate::mrz::{Format, Mrz, MrzFields, Sex};
use crate::sod::{SECURITY_OBJECT, SOD_TAG};
use crate::state::StateCode;
use crate::time::{CalendarDate, UnixTime};
use crate::tlv;

/// A person who does not exist. The passport is always one of Utopia.
#[derive(Clone)]
pub struct SpecimenHolder {
    /// A passport or a card.
    pub format: Format,
    /// Family name, see [`MrzFields::family_name`].
    pub family_name: String,
    /// Given names, see [`MrzFields::given_names`].
    pub given_names: String,
    /// Birth date.
    pub birth_date: CalendarDate,
    /// Sex.
    pub sex: Sex,
    /// Nationality.
    pub nationality: StateCode,
    /// 1 to 9 capital letters and digits.
    pub document_number: String,
    /// Up to 14 capital letters and digits.
    pub personal_number: Option<String>,
    /// The last day on which the passport is valid.
    pub expiry: CalendarDate,
    /// The portrait.
    pub portrait: SpecimenPortrait,
}

/// Where the portrait of a specimen comes from.
#[derive(Clone)]
pub enum SpecimenPortrait {
    /// Drawn in JPEG; the same number draws the same face, which no network takes for one.
    Drawn(u64),
    /// The drawn face number 1 in JPEG 2000, which is stored, as nothing here encodes that.
    Jpeg2000,
    /// An image file in one of the two formats.
    Image(Vec<u8>),
}

/// The files of a passport, as a chip would hold them, and what is printed on it.
#[derive(Clone, PartialEq, Eq)]
pub struct SpecimenPassport {
    /// The lines of the machine-readable zone.
    pub printed_zone: Vec<String>,
    /// EF.DG1, the machine-readable zone.
    pub dg1: Vec<u8>,
    /// EF.DG2, the portrait.
    pub dg2: Vec<u8>,
    /// Other data groups by their number, in ascending order.
    pub others: Vec<(u8, Vec<u8>)>,
    /// EF.SOD, the security object.
    pub sod: Vec<u8>,
}

pub(super) fn issue(
    signer: &SpecimenSigner,
    holder: &SpecimenHolder,
    others: Vec<(u8, Vec<u8>)>,
    signed_at: Option<UnixTime>,
    rng: &mut impl CryptoRng,
) -> Result<SpecimenPassport, SpecimenError> {
    let fields = MrzFields {
        format: holder.format,
        issuing_state: StateCode::UTOPIA,
        family_name: &holder.family_name,
        given_names: &holder.given_names,
        document_number: &holder.document_number,
        nationality: holder.nationality,
        birth_date: holder.birth_date,
        sex: holder.sex,
        expiry: holder.expiry,
        personal_number: holder.personal_number.as_deref(),
    };
    let dg1 = compose_dg1(&fields)?.to_vec();
    let zone = Mrz::compose(&fields)?;
    let lines = zone.chunks(holder.format.line_len());
    let printed_zone = lines.map(|line| String::from_utf8_lossy(line).into_owned());
    let dg2 = match &holder.portrait {
        SpecimenPortrait::Drawn(seed) => {
            let image = portrait::draw(*seed)?;
            compose_dg2(&image, portrait::WIDTH, portrait::HEIGHT)?
        }
        SpecimenPortrait::Jpeg2000 => {
            compose_dg2(portrait::JPEG_2000, portrait::WIDTH, portrait::HEIGHT)?
        }
        SpecimenPortrait::Image(octets) => {
            let pixels = EncodedImage::new(octets).and_then(|image| image.decode().ok());
            let pixels = pixels.ok_or(Dg2Error::UnknownImage)?;
            compose_dg2(octets, pixels.width(), pixels.height())?
        }
    };
    let hash = signer.key.hash();
    let mut groups = vec![(1, hash.digest(&dg1)), (2, hash.digest(&dg2))];
    groups.extend(
        others
            .iter()
            .map(|(number, file)| (*number, hash.digest(file))),
    );
    let template = ObjectTemplate {
        version: 1,
        hash,
        groups,
        signed_at,
    };
    let sod = security_object(signer, &template, rng)?;
    Ok(SpecimenPassport {
        printed_zone: printed_zone.collect(),
        dg1,
        dg2,
        others,
        sod,
    })
}

/// What a security object says.
pub(crate) struct ObjectTemplate {
    pub(crate) version: u8,
    pub(crate) hash: Hash,
    pub(crate) groups: Vec<(u8, Vec<u8>)>,
    pub(crate) signed_at: Option<UnixTime>,
}

/// Source: ICAO Doc 9303-10, 8th edition, §4.6.2.
pub(crate) fn security_object(
    signer: &SpecimenSigner,
    template: &ObjectTemplate,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SpecimenError> {
    let content = template.hash_list();
    let message = signed_message(signer, SECURITY_OBJECT, &content, template.signed_at, rng)?;
    Ok(tlv::element(SOD_TAG, &[&message]))
}

/// A `ContentInfo` with one signer. Source: RFC 5652 §5.
pub(super) fn signed_message(
    signer: &SpecimenSigner,
    content_type: ObjectIdentifier,
    content: &[u8],
    signed_at: Option<UnixTime>,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SpecimenError> {
    let hash = signer.key.hash();
    let attributes = signed_attributes(content_type, &hash.digest(content), signed_at)?;
    let signature = signer.key.sign(&tlv::element(SET, &[&attributes]), rng)?;
    let digest = algorithm(hash.oid(), NULL);
    let certificate = Certificate::parse(&signer.certificate).map_err(|_| SpecimenError::Key)?;
    let signer_id = tlv::element(
        SEQUENCE,
        &[
            &certificate.issuer,
            &tlv::element(INTEGER, &[&certificate.serial]),
        ],
    );
    let signer_info = tlv::element(
        SEQUENCE,
        &[
            &[INTEGER_TAG, 1, 1],
            &signer_id,
            &digest,
            &tlv::element(0xA0, &[&attributes]),
            &signer.key.signature_algorithm(),
            &tlv::element(OCTET_STRING, &[&signature]),
        ],
    );
    let octets = tlv::element(OCTET_STRING, &[content]);
    let signed_data = tlv::element(
        SEQUENCE,
        &[
            &[INTEGER_TAG, 1, 3],
            &tlv::element(SET, &[&digest]),
            &tlv::element(
                SEQUENCE,
                &[&oid(content_type), &tlv::element(0xA0, &[&octets])],
            ),
            &tlv::element(0xA0, &[&signer.certificate]),
            &tlv::element(SET, &[&signer_info]),
        ],
    );
    Ok(tlv::element(
        SEQUENCE,
        &[&oid(SIGNED_DATA), &tlv::element(0xA0, &[&signed_data])],
    ))
}

/// The attributes in the order that DER wants, without a tag around them.
pub(crate) fn signed_attributes(
    content_type: ObjectIdentifier,
    digest: &[u8],
    signed_at: Option<UnixTime>,
) -> Result<Vec<u8>, SpecimenError> {
    let digest = tlv::element(OCTET_STRING, &[digest]);
    let mut attributes = vec![
        attribute(&oid(CONTENT_TYPE), &oid(content_type)),
        attribute(&oid(MESSAGE_DIGEST), &digest),
    ];
    if let Some(instant) = signed_at {
        let time = time(instant)?.to_der().map_err(|_| SpecimenError::Time)?;
        attributes.push(attribute(&oid(SIGNING_TIME), &time));
    }
    attributes.sort_unstable();
    Ok(attributes.concat())
}

impl ObjectTemplate {
    /// `LDSSecurityObject`. Source: ICAO Doc 9303-10, appendix D.
    pub(crate) fn hash_list(&self) -> Vec<u8> {
        let entries: Vec<u8> = self
            .groups
            .iter()
            .flat_map(|(number, hash)| {
                let hash = tlv::element(OCTET_STRING, &[hash]);
                tlv::element(SEQUENCE, &[&[INTEGER_TAG, 1, *number], &hash])
            })
            .collect();
        let versions = tlv::element(
            SEQUENCE,
            &[
                &tlv::element(0x13, &[b"0108"]),
                &tlv::element(0x13, &[b"040000"]),
            ],
        );
        tlv::element(
            SEQUENCE,
            &[
                &[INTEGER_TAG, 1, self.version],
                &algorithm(self.hash.oid(), NULL),
                &tlv::element(SEQUENCE, &[&entries]),
                if self.version == 0 { &[] } else { &versions },
            ],
        )
    }
}

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    tlv::element(SEQUENCE, &[kind, &tlv::element(SET, &[value])])
}

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const INTEGER_TAG: u8 = 0x02;
const OCTET_STRING: u32 = 0x04;
const SEQUENCE: u32 = 0x30;
const SET: u32 = 0x31;
