//! A wallet's files, opened with the key that lies beside them.

use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::renewal::RenewedEpochs;
use wallet::device::DeviceKeys;
use wallet::renewal::{self, Asked};
use wallet::seal::DeviceIdentity;
use wallet::vault::Vault;

use crate::world::World;
use anyhow::Context;

/// What a wallet has.
pub struct Opened {
    /// The vault.
    pub vault: Vault,
    /// The device's keys and certificates.
    pub keys: DeviceKeys,
}

impl Opened {
    /// Opens the files of the wallet `name`.
    ///
    /// # Errors
    ///
    /// When one cannot be read or opened.
    pub fn read(world: &World, name: &str) -> anyhow::Result<Opened> {
        let home = world.deployment().wallet_home(name);
        let identity = std::fs::read_to_string(home.join("identity.key"))?;
        let identity = DeviceIdentity::parse(&identity)?;
        Ok(Opened {
            vault: identity.open(&std::fs::read(home.join("vault.age"))?)?,
            keys: identity.open(&std::fs::read(home.join("device-keys.age"))?)?,
        })
    }

    /// The operator's origin.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.vault.operator.origin
    }

    /// The device key of the certificate.
    ///
    /// # Errors
    ///
    /// When it is damaged.
    pub fn device(&mut self) -> anyhow::Result<SigningKey> {
        Ok(self.keys.holder()?)
    }

    /// A renewal request with this nonce, by `device`.
    ///
    /// # Errors
    ///
    /// When there is no certificate.
    pub fn ask(
        &self,
        device: &SigningKey,
        epochs: RenewedEpochs,
        nonce: &str,
    ) -> anyhow::Result<Asked> {
        let person = self.vault.person.as_ref().context("no registration")?;
        let old = self.keys.newest().context("no certificate")?;
        let server = (self.origin(), nonce);
        Ok(renewal::ask(person, old, epochs, server, device)?)
    }
}
