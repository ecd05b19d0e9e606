//! What a wallet keeps in its vault, and the form of what it stores.
//!
//! The vault may be copied (a backup holds its secrets); device keys and certificate stay on the
//! device ([`DeviceKeys`](crate::device::DeviceKeys)). Whoever has a copied vault alone knows all
//! pseudonyms, but opens no account and signs up nowhere.

use std::collections::BTreeMap;

use bbs::certificate::{Blind, Certificate, NymCommitment, NymSecrets};
use credential::age::Years;
use credential::attributes::{Attributes, Generation, IssuedSlots};
use credential::issuance;
use credential::jose::{self, PublicKey};
use credential::manifest::{IssuerKey, IssuerKeys, KeysChanged, Manifest, ManifestError};
use credential::origin::Origin;
use credential::site_entry::{Site, SiteEntry};
use credential::time::{Day, Epoch, UnixTime};
use credential::web_number::WebNumber;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// The operator as the wallet pinned it when it was set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorTrust {
    /// Where it is reached.
    pub origin: Origin,
    /// The key that signs its manifests and site entries.
    pub operator_key: PublicKey,
}

/// Everything that is sealed in the vault file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The pinned operator.
    pub operator: OperatorTrust,
    /// The issuer keys of all manifests that were accepted: one an epoch.
    pub issuer_keys: IssuerKeys,
    /// The epoch of the newest of them.
    pub manifest_epoch: Option<Epoch>,
    /// When that of the next epoch is fetched.
    #[serde(default)]
    pub(crate) manifest_at: Option<UnixTime>,
    /// The secrets, once a registration has begun.
    pub person: Option<Person>,
    /// Whether the register may know the secrets: a certificate was asked for, or they are from a
    /// backup. They are never overwritten then.
    pub registered: bool,
    /// The sites at which this wallet has an account.
    pub sites: Vec<SiteRecord>,
    /// The age that each site has asked for first, by its origin.
    #[serde(default)]
    pub(crate) ages_asked: BTreeMap<String, Years>,
    /// The operator's last signed refusal of a renewal, unless one was granted since.
    #[serde(default)]
    pub renewal_refusal: Option<String>,
    /// The operator's receipts of what was agreed to, the oldest first.
    #[serde(default)]
    pub consents: Vec<String>,
}

/// A person's secrets and the register's name for them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    nym_secrets: String,
    blind: String,
    commitment: String,
    web_number: String,
    /// Which registration of the person this is, as certificates say it.
    generation: String,
}

/// A received certificate.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredCertificate {
    epoch: Epoch,
    issuer_key: String,
    signature: String,
    blind: String,
    attributes: Attributes,
    generation: String,
    device_key: PublicKey,
}

/// A site at which this wallet has an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRecord {
    /// The site.
    pub origin: Origin,
    /// Its registered name.
    pub name: String,
    /// The gateway it was joined through. Another one for the same site would be shown the same
    /// pseudonym, so it is refused.
    pub gateway: Origin,
    /// The day of the sign-up.
    pub since: Day,
    /// Whether the site has confirmed the key of this device.
    pub state: SiteState,
    /// The highest age that was proved there, so that it is not proved again.
    #[serde(default)]
    pub age_over: Option<Years>,
}

/// How far the account at a site has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteState {
    /// The key was made and perhaps sent; no answer has come.
    Pending,
    /// The site has accepted this device.
    Joined,
    /// Known from a backup: the account exists, this device is new to it.
    NewDevice,
}

/// Something in the vault does not have the form that this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the vault holds a damaged value")]
pub struct DamagedVault;

/// Why a manifest is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestRefused {
    /// It does not verify.
    #[error(transparent)]
    Invalid(#[from] ManifestError),
    /// Its keys do not follow on those that are known.
    #[error(transparent)]
    KeysChanged(#[from] KeysChanged),
    /// A later one was accepted before.
    #[error("the operator sent an older manifest than before")]
    Older,
    /// It has no key for this epoch.
    #[error("the manifest has no key for this epoch")]
    NoKey,
}

impl Vault {
    /// An empty vault for this operator.
    #[must_use]
    pub fn new(operator: OperatorTrust) -> Vault {
        Vault {
            operator,
            issuer_keys: IssuerKeys::default(),
            manifest_epoch: None,
            manifest_at: None,
            person: None,
            registered: false,
            sites: Vec::new(),
            ages_asked: BTreeMap::new(),
            renewal_refusal: None,
            consents: Vec::new(),
        }
    }

    /// The record of the site at `origin`.
    #[must_use]
    pub fn site(&self, origin: &Origin) -> Option<&SiteRecord> {
        self.sites.iter().find(|site| site.origin == *origin)
    }

    /// Writes down how far the account at a site has come; a new site gets today's date.
    pub fn set_site(&mut self, entry: &SiteEntry, state: SiteState, now: UnixTime) {
        let Site { origin, name, .. } = &entry.site;
        if let Some(site) = self.sites.iter_mut().find(|site| site.origin == *origin) {
            site.state = state;
            name.clone_into(&mut site.name);
            return;
        }
        self.sites.push(SiteRecord {
            origin: origin.clone(),
            name: name.clone(),
            gateway: entry.gateway.origin.clone(),
            since: now.day(),
            state,
            age_over: None,
        });
    }

    /// Writes down the age that a site says it has been shown, or that it says it has not.
    pub fn set_age_over(&mut self, origin: &Origin, age_over: Option<Years>) {
        if let Some(site) = self.sites.iter_mut().find(|site| site.origin == *origin) {
            site.age_over = age_over;
        }
    }

    /// Takes a newer manifest, unless it contradicts the last one: two keys for one epoch would
    /// mean that people are told apart by them.
    ///
    /// # Errors
    ///
    /// [`ManifestRefused`].
    pub fn accept_manifest(
        &mut self,
        compact: &str,
        now: UnixTime,
    ) -> Result<IssuerKey, ManifestRefused> {
        let OperatorTrust {
            origin,
            operator_key,
        } = &self.operator;
        let next = Manifest::verify(compact, origin, operator_key, now)?;
        if self.manifest_epoch.is_some_and(|last| next.epoch() < last) {
            return Err(ManifestRefused::Older);
        }
        let key = *next.keys().of(now.epoch()).ok_or(ManifestRefused::NoKey)?;
        self.issuer_keys = self.issuer_keys.followed_by(next.keys(), now.epoch())?;
        self.manifest_epoch = Some(next.epoch());
        Ok(key)
    }
}

impl Person {
    /// The stored form of these secrets.
    #[must_use]
    pub fn new(secrets: &NymSecrets, blind: &Blind, commitment: &NymCommitment) -> Person {
        Person {
            nym_secrets: jose::encode(secrets.expose()),
            blind: jose::encode(blind.expose()),
            commitment: jose::encode(commitment.to_bytes()),
            web_number: WebNumber::of(commitment).as_str().to_owned(),
            // A later generation comes by a registration without backup, which does not exist yet.
            generation: Generation::First.as_str().to_owned(),
        }
    }

    /// The secret scalars.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn nym_secrets(&self) -> Result<NymSecrets, DamagedVault> {
        let octets = Zeroizing::new(jose::decode(&self.nym_secrets).map_err(|_| DamagedVault)?);
        NymSecrets::from_bytes(&octets).map_err(|_| DamagedVault)
    }

    /// The blind of the commitment.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn blind(&self) -> Result<Blind, DamagedVault> {
        Blind::from_bytes(&*secret_octets(&self.blind)?).map_err(|_| DamagedVault)
    }

    /// The final commitment.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn commitment(&self) -> Result<NymCommitment, DamagedVault> {
        let octets: [u8; 48] = octets(&self.commitment)?;
        NymCommitment::from_bytes(&octets).map_err(|_| DamagedVault)
    }

    /// Which registration of the person this is. It is shown at every sign-up, so an operator who
    /// could choose it could mark people with it.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// The register's name for the person.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn web_number(&self) -> Result<WebNumber, DamagedVault> {
        WebNumber::parse(&self.web_number).map_err(|_| DamagedVault)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        for text in [&mut self.nym_secrets, &mut self.blind, &mut self.commitment] {
            text.zeroize();
        }
        self.web_number.zeroize();
    }
}

impl Drop for StoredCertificate {
    fn drop(&mut self) {
        self.signature.zeroize();
        self.blind.zeroize();
    }
}

impl StoredCertificate {
    /// The stored form of a received signature.
    #[must_use]
    pub fn new(
        signature: &[u8],
        issuer: &IssuerKey,
        slots: &IssuedSlots,
        blind: &Blind,
    ) -> StoredCertificate {
        StoredCertificate {
            epoch: issuer.epoch,
            issuer_key: jose::encode(issuer.key.to_bytes()),
            signature: jose::encode(signature),
            blind: jose::encode(blind.expose()),
            attributes: slots.attributes.clone(),
            generation: slots.generation.as_str().to_owned(),
            device_key: slots.device_key,
        }
    }

    /// The epoch it belongs to.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether it is of the issuer key that everybody has for its epoch.
    #[must_use]
    pub fn is_of(&self, known: &IssuerKeys) -> bool {
        let key = known.of(self.epoch);
        key.is_some_and(|known| jose::encode(known.key.to_bytes()) == self.issuer_key)
    }

    /// The first second at which no site accepts it any more.
    #[must_use]
    pub fn accepted_until(&self) -> UnixTime {
        self.epoch.next().next().start()
    }

    /// Whether sites accept it at `now`: throughout its epoch and the next.
    #[must_use]
    pub fn is_accepted(&self, now: UnixTime) -> bool {
        self.epoch == now.epoch() || self.epoch == now.epoch().previous()
    }

    /// The person's attributes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Slot 0 if this is a certificate of the person with exactly these slots.
    pub(crate) fn blind_of(&self, person: &Person, slots: &IssuedSlots) -> Option<Blind> {
        let (own, _) = self.open(person).ok()?;
        (own == *slots).then(|| self.blind().ok()).flatten()
    }

    /// Slot 0, the same in every certificate since the enrolment.
    pub(crate) fn blind(&self) -> Result<Blind, DamagedVault> {
        Blind::from_bytes(&*secret_octets(&self.blind)?).map_err(|_| DamagedVault)
    }

    /// The slots and the certificate, verified once more.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn open(&self, person: &Person) -> Result<(IssuedSlots, Certificate), DamagedVault> {
        let slots = IssuedSlots {
            attributes: self.attributes.clone(),
            web_number: person.web_number()?,
            generation: Generation::parse(&self.generation).ok_or(DamagedVault)?,
            device_key: self.device_key,
        };
        let key =
            bbs::PublicKey::from_bytes(&octets(&self.issuer_key)?).map_err(|_| DamagedVault)?;
        let issuer = IssuerKey {
            epoch: self.epoch,
            key,
        };
        let blind = self.blind()?;
        let secrets = person.nym_secrets()?;
        let signature = jose::decode(&self.signature).map_err(|_| DamagedVault)?;
        let certificate = issuance::receive(&signature, &issuer, &slots, (&secrets, &blind))
            .map_err(|_| DamagedVault)?;
        Ok((slots, certificate))
    }
}

fn octets<const N: usize>(text: &str) -> Result<[u8; N], DamagedVault> {
    jose::decode(text)
        .ok()
        .and_then(|octets| octets.try_into().ok())
        .ok_or(DamagedVault)
}

fn secret_octets<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, DamagedVault> {
    let decoded = Zeroizing::new(jose::decode(text).map_err(|_| DamagedVault)?);
    let mut out = Zeroizing::new([0; N]);
    if decoded.len() != N {
        return Err(DamagedVault);
    }
    out.copy_from_slice(&decoded);
    Ok(out)
}
