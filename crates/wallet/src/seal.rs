//! Sealing of the vault, the device keys and backups, in the age format.

use age::secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// A file could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is sealed to another key or passphrase.
    #[error("wrong key or passphrase")]
    Key,
    /// It is no sealed file, or not whole.
    #[error("the file is damaged")]
    Damaged,
    /// Its contents are not what this program writes.
    #[error("the file opens, but its contents are of another form or version")]
    Contents,
    /// Sealing failed.
    #[error("sealing failed")]
    Seal,
}

impl From<age::DecryptError> for SealError {
    fn from(error: age::DecryptError) -> SealError {
        use age::DecryptError as Error;
        let wrong_key = matches!(
            error,
            Error::DecryptionFailed | Error::KeyDecryptionFailed | Error::NoMatchingKeys
        );
        if wrong_key {
            SealError::Key
        } else {
            SealError::Damaged
        }
    }
}

/// The key that seals the files of this device.
pub struct DeviceIdentity(age::x25519::Identity);

impl DeviceIdentity {
    /// A fresh key.
    #[must_use]
    pub fn generate() -> DeviceIdentity {
        DeviceIdentity(age::x25519::Identity::generate())
    }

    /// The text form, for the key file alone.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// Parses the text form.
    ///
    /// # Errors
    ///
    /// [`SealError::Damaged`] for anything else.
    pub fn parse(text: &str) -> Result<DeviceIdentity, SealError> {
        text.trim()
            .parse()
            .map(DeviceIdentity)
            .map_err(|_| SealError::Damaged)
    }

    /// Seals a value to this key.
    ///
    /// # Errors
    ///
    /// [`SealError::Seal`].
    pub fn seal(&self, value: &impl Serialize) -> Result<Vec<u8>, SealError> {
        let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|_| SealError::Seal)?);
        age::encrypt(&self.0.to_public(), &plain).map_err(|_| SealError::Seal)
    }

    /// Opens what [`DeviceIdentity::seal`] made.
    ///
    /// # Errors
    ///
    /// [`SealError::Key`], [`SealError::Damaged`] or [`SealError::Contents`].
    pub fn open<T: DeserializeOwned>(&self, sealed: &[u8]) -> Result<T, SealError> {
        let plain = Zeroizing::new(age::decrypt(&self.0, sealed)?);
        serde_json::from_slice(&plain).map_err(|_| SealError::Contents)
    }
}

/// Seals a value under a passphrase (scrypt).
///
/// # Errors
///
/// [`SealError::Seal`].
pub fn seal_with_passphrase(
    value: &impl Serialize,
    passphrase: Zeroizing<String>,
) -> Result<Vec<u8>, SealError> {
    let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|_| SealError::Seal)?);
    let recipient = age::scrypt::Recipient::new(secret(&passphrase));
    drop(passphrase);
    age::encrypt(&recipient, &plain).map_err(|_| SealError::Seal)
}

/// Opens what [`seal_with_passphrase`] made.
///
/// # Errors
///
/// [`SealError::Key`], [`SealError::Damaged`] or [`SealError::Contents`].
pub fn open_with_passphrase<T: DeserializeOwned>(
    sealed: &[u8],
    passphrase: Zeroizing<String>,
) -> Result<T, SealError> {
    let identity = age::scrypt::Identity::new(secret(&passphrase));
    drop(passphrase);
    let plain = Zeroizing::new(age::decrypt(&identity, sealed)?);
    serde_json::from_slice(&plain).map_err(|_| SealError::Contents)
}

fn secret(passphrase: &str) -> SecretString {
    SecretString::from(passphrase.to_owned())
}
