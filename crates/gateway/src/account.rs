//! What is kept about an account, and the index it is found by.

use crate::ids::Subject;
use aws_lc_rs::hmac;
use credential::age::Years;
use credential::time::Day;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Length of a pseudonym, a compressed point of G1, in bytes.
pub const PSEUDONYM_BYTES: usize = 48;

/// The public key of one device, as an uncompressed P-256 point (65 bytes, SEC 1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceKey(pub [u8; 65]);

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("DeviceKey(..)")
    }
}

/// A device that opens an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its key, made for this site on that device.
    pub key: DeviceKey,
    /// The day it was added.
    pub added: Day,
}

/// An account with its devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name towards the site's clients.
    pub subject: Subject,
    /// The index it stands under; of an older key version after the site key changed.
    pub index: PseudonymIndex,
    /// 1 for the first registration of the person, 2 for a later one.
    pub generation: u8,
    /// The day of sign-up.
    pub created: Day,
    /// The highest age that was proved for it. When is not kept: it would narrow the birth date.
    pub age_over: Option<Years>,
    /// Its devices, the oldest first.
    pub devices: Vec<Device>,
}

impl Account {
    /// Whether the device with this key may open the account.
    #[must_use]
    pub fn has_device(&self, key: &DeviceKey) -> bool {
        self.devices.iter().any(|device| device.key == *key)
    }
}

/// HMAC-SHA-256 of a pseudonym under one version of the site key. The pseudonym itself is
/// never stored: a copied database alone cannot be compared with anything a wallet sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PseudonymIndex {
    /// The version of the site key.
    pub version: u32,
    /// The value.
    pub value: [u8; 32],
}

/// One version of the site key: 32 secret bytes.
pub struct SiteKey {
    version: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl SiteKey {
    /// Takes the bytes of a key file.
    #[must_use]
    pub fn new(version: u32, secret: Zeroizing<[u8; 32]>) -> SiteKey {
        SiteKey { version, secret }
    }

    /// Draws a new key.
    pub fn draw(version: u32, rng: &mut impl CryptoRng) -> SiteKey {
        let mut secret = Zeroizing::new([0_u8; 32]);
        rng.fill_bytes(secret.as_mut());
        SiteKey { version, secret }
    }

    /// The bytes for the key file.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.secret
    }

    fn index(&self, pseudonym: &[u8; PSEUDONYM_BYTES]) -> PseudonymIndex {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_ref());
        let mut context = hmac::Context::with_key(&key);
        context.update(INDEX_DOMAIN);
        context.update(pseudonym);
        let mut value = [0_u8; 32];
        value.copy_from_slice(context.sign().as_ref());
        PseudonymIndex {
            version: self.version,
            value,
        }
    }
}

/// All versions of the site key that accounts may still stand under.
pub struct SiteKeys {
    current: SiteKey,
    older: Vec<SiteKey>,
}

impl SiteKeys {
    /// The newest version is the current one.
    ///
    /// # Errors
    ///
    /// [`SiteKeysError`] where there is no key or two have one version.
    pub fn new(mut keys: Vec<SiteKey>) -> Result<SiteKeys, SiteKeysError> {
        keys.sort_by_key(|key| key.version);
        let same = keys
            .iter()
            .zip(keys.iter().skip(1))
            .any(|(one, next)| one.version == next.version);
        if same {
            return Err(SiteKeysError::SameVersion);
        }
        let current = keys.pop().ok_or(SiteKeysError::None)?;
        Ok(SiteKeys {
            current,
            older: keys,
        })
    }

    /// Where the account of this pseudonym is looked up, in this order, and where it belongs.
    #[must_use]
    pub fn lookup(&self, pseudonym: &[u8; PSEUDONYM_BYTES]) -> IndexLookup {
        IndexLookup {
            current: self.current.index(pseudonym),
            older: self
                .older
                .iter()
                .rev()
                .map(|key| key.index(pseudonym))
                .collect(),
        }
    }
}

/// The indices one pseudonym has under the site keys.
#[derive(Clone, Debug)]
pub struct IndexLookup {
    /// Where the account belongs.
    pub current: PseudonymIndex,
    /// Where it stands if the person was not here since the key changed, the newest first.
    pub older: Vec<PseudonymIndex>,
}

/// Why a set of site keys is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteKeysError {
    /// The list is empty.
    #[error("no site key")]
    None,
    /// Two keys claim one version.
    #[error("two site keys have the same version")]
    SameVersion,
}

const INDEX_DOMAIN: &[u8] = b"bauta/gateway/pseudonym-index/1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn the_newest_key_is_the_current_one() {
        let keys = [2, 1, 3].map(|version| SiteKey::draw(version, &mut rng(u64::from(version))));
        let lookup = SiteKeys::new(keys.into())
            .unwrap()
            .lookup(&[7; PSEUDONYM_BYTES]);
        assert_eq!(lookup.current.version, 3);
        let older: Vec<u32> = lookup.older.iter().map(|index| index.version).collect();
        assert_eq!(older, [2, 1]);
    }

    #[test]
    fn an_index_depends_on_the_key_and_on_the_pseudonym() {
        let one = SiteKey::draw(1, &mut rng(1));
        let two = SiteKey::draw(1, &mut rng(2));
        assert_eq!(one.index(&[7; 48]), one.index(&[7; 48]));
        assert_ne!(one.index(&[7; 48]), one.index(&[8; 48]));
        assert_ne!(one.index(&[7; 48]), two.index(&[7; 48]));
    }

    #[test]
    fn no_key_or_two_of_one_version_are_refused() {
        assert_eq!(SiteKeys::new(Vec::new()).err(), Some(SiteKeysError::None));
        let twice = [1, 2].map(|seed| SiteKey::draw(5, &mut rng(seed)));
        assert_eq!(
            SiteKeys::new(twice.into()).err(),
            Some(SiteKeysError::SameVersion)
        );
    }
}
