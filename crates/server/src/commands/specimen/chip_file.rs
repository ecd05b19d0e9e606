//! `chip.json`: what a specimen's chip is made of, its private keys included. Whoever copies a
//! document's files alone does not have it.

use std::path::Path;

use clap::{Args, ValueEnum};
use mrtd::specimen::{
    ActiveKind, CardAccessFile, ChipAccess, ChipKeys, ChipOptions, LongAnswers, SpecimenChip,
};
use mrtd::{AccessKey, Cipher, Curve, File};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, UnwrapErr};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};

/// How a specimen's chip lets readers in, and how it proves that it is the original one.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChipSettings {
    /// How the chip lets readers in.
    #[arg(long, value_enum, default_value_t = AccessWay::PaceGm)]
    access: AccessWay,
    /// An access number printed on the document, six digits; it opens chips with PACE.
    #[arg(long)]
    access_number: Option<String>,
    /// How the chip proves that it is the original one; several are separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "chip")]
    authentication: Vec<Authentication>,
    /// The curve of all keys of the chip.
    #[arg(long, value_enum, default_value_t = CurveName::Brainpoolp256r1)]
    curve: CurveName,
    /// The cipher of access and of chip authentication.
    #[arg(long, value_enum, default_value_t = CipherName::Aes128)]
    cipher: CipherName,
    /// What EF.CardAccess says, which nobody signs: to try out what readers do where it is not what
    /// the document says that is signed.
    #[arg(long, value_enum, default_value_t = CardAccessWay::Signed)]
    #[serde(default)]
    card_access: CardAccessWay,
}

/// What EF.CardAccess says.
#[derive(Clone, Copy, Debug, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CardAccessWay {
    /// What data group 14 says.
    #[default]
    Signed,
    /// A weaker protocol as well.
    Unsigned,
    /// Nothing: the file is not there.
    Hidden,
}

/// How a chip lets readers in.
#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AccessWay {
    /// Basic access control.
    Bac,
    /// PACE with the generic mapping, or basic access control.
    PaceGm,
    /// PACE with the integrated mapping, or basic access control.
    PaceIm,
}

/// How a chip proves that it is the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Authentication {
    /// It does not.
    None,
    /// Chip authentication.
    Chip,
    /// Active authentication with RSA of 2048 bits.
    ActiveRsa,
    /// Active authentication with ECDSA.
    ActiveEcdsa,
}

/// The curves of travel documents.
#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CurveName {
    P192,
    P224,
    P256,
    P384,
    P521,
    Brainpoolp192r1,
    Brainpoolp224r1,
    Brainpoolp256r1,
    Brainpoolp320r1,
    Brainpoolp384r1,
    Brainpoolp512r1,
}

/// The ciphers of travel documents.
#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CipherName {
    #[value(name = "3des")]
    #[serde(rename = "3des")]
    TripleDes,
    Aes128,
    Aes192,
    Aes256,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChipFile {
    /// All keys come from it.
    seed: [u8; 32],
    settings: ChipSettings,
}

impl ChipFile {
    /// A new chip with these settings.
    pub(super) fn draw(settings: ChipSettings) -> ChipFile {
        let mut seed = [0; 32];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut seed);
        ChipFile { seed, settings }
    }

    /// Writes it beside the document's files.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_vec(self)?;
        files::write_new(&folder.join(NAME), &json, Access::Private)
    }

    /// Its keys.
    pub(super) fn keys(&self) -> anyhow::Result<ChipKeys> {
        let mut rng = ChaCha20Rng::from_seed(self.seed);
        Ok(ChipKeys::generate(&self.settings.options(), &mut rng)?)
    }

    /// The chip of a specimen's folder.
    pub(super) fn open(folder: &Path) -> anyhow::Result<SpecimenChip> {
        let path = folder.join(NAME);
        let file: ChipFile = serde_json::from_slice(&files::read(&path)?)
            .or_fail("file-invalid", || format!("{} is no chip", path.display()))?;
        let mut content = Vec::new();
        for number in 1..=16 {
            let path = folder.join(format!("EF.DG{number}"));
            if path.exists() {
                content.push((File::Group(number), files::read(&path)?));
            }
        }
        content.push((File::Sod, files::read(&folder.join("EF.SOD"))?));
        let zone = files::read(&folder.join(ZONE))?;
        let zone = String::from_utf8_lossy(&zone);
        let lines: Vec<&str> = zone.lines().collect();
        let zone = AccessKey::from_printed(&lines).or_fail("file-invalid", || {
            format!("{ZONE} holds no machine-readable zone")
        })?;
        let number = file.settings.access_number.as_deref();
        let number = number.map(|number| {
            AccessKey::from_number(number)
                .ok_or_else(|| Failure::of("argument-invalid", "an access number is digits"))
        });
        let passwords = std::iter::once(Ok(zone)).chain(number);
        let passwords = passwords.collect::<Result<Vec<_>, _>>()?;
        Ok(SpecimenChip::new(content, passwords, file.keys()?.into()))
    }
}

impl ChipSettings {
    fn options(&self) -> ChipOptions {
        let (curve, cipher) = (self.curve.curve(), self.cipher.cipher());
        let has = |way| self.authentication.contains(&way);
        let active = if has(Authentication::ActiveRsa) {
            Some(ActiveKind::Rsa { bits: 2048 })
        } else {
            has(Authentication::ActiveEcdsa).then_some(ActiveKind::Ecdsa(curve))
        };
        ChipOptions {
            access: match self.access {
                AccessWay::Bac => ChipAccess::Basic,
                AccessWay::PaceGm => ChipAccess::PaceGeneric(curve, cipher),
                AccessWay::PaceIm => ChipAccess::PaceIntegrated(curve, cipher),
            },
            active,
            agreement: has(Authentication::Chip).then_some((curve, cipher)),
            long_answers: LongAnswers::Given,
            card_access: match self.card_access {
                CardAccessWay::Signed => CardAccessFile::Signed,
                CardAccessWay::Unsigned => CardAccessFile::Unsigned,
                CardAccessWay::Hidden => CardAccessFile::Hidden,
            },
        }
    }
}

impl CurveName {
    fn curve(self) -> Curve {
        match self {
            CurveName::P192 => Curve::P192,
            CurveName::P224 => Curve::P224,
            CurveName::P256 => Curve::P256,
            CurveName::P384 => Curve::P384,
            CurveName::P521 => Curve::P521,
            CurveName::Brainpoolp192r1 => Curve::BrainpoolP192r1,
            CurveName::Brainpoolp224r1 => Curve::BrainpoolP224r1,
            CurveName::Brainpoolp256r1 => Curve::BrainpoolP256r1,
            CurveName::Brainpoolp320r1 => Curve::BrainpoolP320r1,
            CurveName::Brainpoolp384r1 => Curve::BrainpoolP384r1,
            CurveName::Brainpoolp512r1 => Curve::BrainpoolP512r1,
        }
    }
}

impl CipherName {
    fn cipher(self) -> Cipher {
        match self {
            CipherName::TripleDes => Cipher::TripleDes,
            CipherName::Aes128 => Cipher::Aes128,
            CipherName::Aes192 => Cipher::Aes192,
            CipherName::Aes256 => Cipher::Aes256,
        }
    }
}

const NAME: &str = "chip.json";
/// The machine-readable zone as printed.
pub(super) const ZONE: &str = "zone.txt";
