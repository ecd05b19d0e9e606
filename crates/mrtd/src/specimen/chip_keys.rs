//! The keys of a specimen's chip, and the data groups that name them.

use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::SpecimenError;
use super::key::{ActiveKind, SpecimenKey, algorithm, bit_string, oid, unsigned_integer};
use crate::active::DG15_TAG;
use crate::cipher::Cipher;
use crate::curve::Curve;
use crate::security_info::{
    ACTIVE_AUTHENTICATION, CA_ECDH, DG14_TAG, ECDSA_PLAIN, Mapping, PACE_ECDH_GM, PACE_ECDH_IM,
    PK_ECDH, PaceInfo,
};
use crate::signature::EC_KEY;
use crate::tlv;

/// How a specimen's chip lets readers in, how it proves that it is the original one, and what it does
/// otherwise than most chips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChipOptions {
    /// Access.
    pub access: ChipAccess,
    /// Active authentication.
    pub active: Option<ActiveKind>,
    /// Chip authentication: the key's curve, and the cipher.
    pub agreement: Option<(Curve, Cipher)>,
    /// What it does where a part of a file is wanted that is long.
    pub long_answers: LongAnswers,
    /// What EF.CardAccess says of PACE.
    pub card_access: CardAccessFile,
}

/// What EF.CardAccess of a specimen's chip says of PACE, beside data group 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardAccessFile {
    /// The same.
    #[default]
    Signed,
    /// One protocol more, which the chip does not speak.
    Unsigned,
    /// The chip does not have the file.
    Hidden,
}

/// What a specimen's chip does where more than 160 octets of a file are wanted at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongAnswers {
    /// It gives them, as most chips do.
    #[default]
    Given,
    /// Status `6700`.
    WrongLength,
    /// Status `6CA0`.
    ExactLength,
    /// Status `6982`.
    NotSatisfied,
    /// Status `6700` without protection: the command was not opened, and the channel goes on.
    Unopened,
}

/// How a specimen's chip lets readers in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChipAccess {
    /// Basic access control alone.
    #[default]
    Basic,
    /// PACE with the generic mapping, and basic access control.
    PaceGeneric(Curve, Cipher),
    /// PACE with the integrated mapping, and basic access control.
    PaceIntegrated(Curve, Cipher),
}

/// The private keys of a specimen's chip, and what it does otherwise than most chips.
pub struct ChipKeys {
    pub(super) pace: Option<PaceInfo>,
    pub(super) active: Option<SpecimenKey>,
    pub(super) agreement: Option<Agreement>,
    pub(super) long_answers: LongAnswers,
    card_access: CardAccessFile,
    hashed: bool,
}

/// The key of chip authentication.
pub(super) struct Agreement {
    pub(super) curve: Curve,
    pub(super) cipher: Cipher,
    pub(super) secret: Zeroizing<Vec<u8>>,
    point: Vec<u8>,
}

impl ChipKeys {
    /// Draws keys; with the same generator the same ones.
    ///
    /// # Errors
    ///
    /// [`SpecimenError::Key`].
    pub fn generate(
        options: &ChipOptions,
        rng: &mut impl CryptoRng,
    ) -> Result<ChipKeys, SpecimenError> {
        let agreement = options.agreement.map(|(curve, cipher)| {
            let secret = curve.arithmetic().draw(rng);
            let point = curve.arithmetic().point_of(&secret);
            point.map(|point| Agreement {
                curve,
                cipher,
                secret,
                point,
            })
        });
        let active = options.active.map(|kind| SpecimenKey::of_chip(kind, rng));
        Ok(ChipKeys {
            pace: options.access.pace()?,
            active: active.transpose()?,
            agreement: agreement
                .map(|key| key.ok_or(SpecimenError::Key))
                .transpose()?,
            long_answers: options.long_answers,
            card_access: options.card_access,
            hashed: matches!(options.active, Some(ActiveKind::Ecdsa(_))),
        })
    }

    /// EF.DG14 and EF.DG15 as far as there are keys for them, by number.
    #[must_use]
    pub fn groups(&self) -> Vec<(u8, Vec<u8>)> {
        let mut groups = Vec::new();
        let mut infos: Vec<Vec<u8>> = self.pace.iter().map(pace_info).collect();
        infos.extend(self.agreement.iter().flat_map(Agreement::infos));
        if self.hashed {
            infos.push(active_info());
        }
        if !infos.is_empty() {
            groups.push((14, tlv::element(DG14_TAG, &[&set_of(infos)])));
        }
        if let Some(key) = &self.active {
            groups.push((15, tlv::element(DG15_TAG, &[&key.public_key_info()])));
        }
        groups
    }

    /// EF.CardAccess.
    pub(super) fn card_access(&self) -> Option<Vec<u8>> {
        let info = self.pace.as_ref()?;
        match self.card_access {
            CardAccessFile::Signed => Some(set_of(vec![pace_info(info)])),
            CardAccessFile::Unsigned => {
                let infos = [info, &weakened(info)].map(pace_info);
                Some(set_of(infos.to_vec()))
            }
            CardAccessFile::Hidden => None,
        }
    }
}

/// The protocol with the other mapping and the weakest cipher, as somebody would offer it who wants
/// to listen.
fn weakened(info: &PaceInfo) -> PaceInfo {
    let (parent, mapping) = match info.mapping {
        Mapping::Integrated => (PACE_ECDH_GM, Mapping::Generic),
        Mapping::Generic | Mapping::ChipAuthentication => (PACE_ECDH_IM, Mapping::Integrated),
    };
    let cipher = Cipher::TripleDes;
    PaceInfo {
        protocol: numbered(parent, cipher).unwrap_or(parent),
        mapping,
        cipher,
        parameters: info.parameters,
    }
}

impl ChipAccess {
    fn pace(self) -> Result<Option<PaceInfo>, SpecimenError> {
        let (parent, mapping, curve, cipher) = match self {
            ChipAccess::Basic => return Ok(None),
            ChipAccess::PaceGeneric(curve, cipher) => {
                (PACE_ECDH_GM, Mapping::Generic, curve, cipher)
            }
            ChipAccess::PaceIntegrated(curve, cipher) => {
                (PACE_ECDH_IM, Mapping::Integrated, curve, cipher)
            }
        };
        Ok(Some(PaceInfo {
            protocol: numbered(parent, cipher)?,
            mapping,
            cipher,
            parameters: curve.standard_number(),
        }))
    }
}

impl Agreement {
    /// The key, and the protocol that it is for. Source: ICAO Doc 9303-11, §9.2.5 and §9.2.6.
    fn infos(&self) -> Vec<Vec<u8>> {
        let identifier = algorithm(EC_KEY, &self.curve.specified());
        let info = tlv::element(SEQUENCE, &[&identifier, &bit_string(&self.point)]);
        let key = tlv::element(SEQUENCE, &[&oid(PK_ECDH), &info]);
        let protocol = numbered(CA_ECDH, self.cipher).map(oid).unwrap_or_default();
        let protocol = tlv::element(SEQUENCE, &[&protocol, &unsigned_integer(&[1])]);
        vec![key, protocol]
    }
}

/// Source: ICAO Doc 9303-11, 8th edition, §9.2.1.
fn pace_info(info: &PaceInfo) -> Vec<u8> {
    let version = unsigned_integer(&[2]);
    let parameters = unsigned_integer(&info.parameters.to_be_bytes());
    tlv::element(SEQUENCE, &[&oid(info.protocol), &version, &parameters])
}

/// ECDSA with SHA-256. Source: ICAO Doc 9303-11, 8th edition, §9.2.4.
fn active_info() -> Vec<u8> {
    let hash = ECDSA_PLAIN.push_arc(3).map(oid).unwrap_or_default();
    let version = unsigned_integer(&[1]);
    tlv::element(SEQUENCE, &[&oid(ACTIVE_AUTHENTICATION), &version, &hash])
}

fn numbered(parent: ObjectIdentifier, cipher: Cipher) -> Result<ObjectIdentifier, SpecimenError> {
    let number = cipher.protocol_number().into();
    parent.push_arc(number).map_err(|_| SpecimenError::Key)
}

/// In the order that DER wants.
fn set_of(mut entries: Vec<Vec<u8>>) -> Vec<u8> {
    entries.sort_unstable();
    tlv::element(SET, &[&entries.concat()])
}

// Source: ITU-T X.690 §8.
const SEQUENCE: u32 = 0x30;
const SET: u32 = 0x31;
