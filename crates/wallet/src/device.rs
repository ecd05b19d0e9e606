//! What stays on one device, apart from the vault.

use std::collections::BTreeMap;

use credential::jose::{self, SigningKey};
use credential::origin::Origin;
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::certificates::NextCertificate;
use crate::enrol::OngoingEnrolment;
use crate::vault::{DamagedVault, StoredCertificate};

/// What stays on this device: the key that the certificate is bound to, the certificates, and one
/// key for each site.
///
/// It stands in for a platform's key store, lives in a file of its own and is in no backup. The
/// certificate is here because with the vault's secrets it would bring a thief's device to every
/// account.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceKeys {
    holder: Option<StoredKey>,
    /// The certificate that is shown, once it was received.
    pub(crate) certificate: Option<StoredCertificate>,
    /// The one that takes its place later.
    #[serde(default)]
    pub(crate) next: Option<NextCertificate>,
    /// When the next renewal is due.
    #[serde(default)]
    pub(crate) renewal_at: Option<UnixTime>,
    /// Whether that moment was drawn in place of one that came to nothing.
    #[serde(default)]
    pub(crate) put_off: bool,
    /// Until when no certificate is shown, because the operator has just seen a renewal.
    #[serde(default)]
    pub(crate) apart_until: Option<UnixTime>,
    /// The enrolment that is going on.
    #[serde(default)]
    pub enrolment: Option<OngoingEnrolment>,
    sites: BTreeMap<String, StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredKey(String);

impl StoredKey {
    fn new(key: &SigningKey) -> StoredKey {
        StoredKey(jose::encode(key.to_pkcs8()))
    }

    fn open(&self) -> Result<SigningKey, DamagedVault> {
        let der = Zeroizing::new(jose::decode(&self.0).map_err(|_| DamagedVault)?);
        SigningKey::from_pkcs8(&der).map_err(|_| DamagedVault)
    }
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl DeviceKeys {
    /// The key that the certificate is bound to; made at the first call.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn holder(&mut self) -> Result<SigningKey, DamagedVault> {
        self.holder
            .get_or_insert_with(|| StoredKey::new(&SigningKey::generate()))
            .open()
    }

    /// The key of this device at a site, if there is one.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn site(&self, origin: &Origin) -> Result<Option<SigningKey>, DamagedVault> {
        self.sites
            .get(origin.as_str())
            .map(StoredKey::open)
            .transpose()
    }

    /// The key of this device at a site; made at the first call.
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn site_or_new(&mut self, origin: &Origin) -> Result<SigningKey, DamagedVault> {
        self.sites
            .entry(origin.as_str().to_owned())
            .or_insert_with(|| StoredKey::new(&SigningKey::generate()))
            .open()
    }

    /// Forgets the key at a site, so that the next sign-in there is a device change.
    pub fn forget(&mut self, origin: &Origin) {
        self.sites.remove(origin.as_str());
    }

    /// Forgets all sites: keys of one registration must not be shown under the next.
    pub fn forget_all(&mut self) {
        self.sites.clear();
    }

    /// The sites with a key, in the order of their origins.
    pub fn sites(&self) -> impl Iterator<Item = &str> {
        self.sites.keys().map(String::as_str)
    }
}
