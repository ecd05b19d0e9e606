//! The page on which a person sees the devices of their account and removes one.

use crate::account::Account;
use crate::begin::Begun;
use crate::gateway::{Cookies, Gateway};
use crate::login::Errand;
use crate::store::{SessionRow, StoreError};
use credential::jose::{encode, sha256};
use credential::time::{Day, UnixTime};

/// What the page shows.
pub enum Devices {
    /// Nobody is logged in: a log-in begins.
    Login(Begun),
    /// The devices, the oldest first.
    Shown(Vec<ShownDevice>),
}

/// A device as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownDevice {
    /// Names it on this page: a hash of its key.
    pub name: String,
    /// The day it was added.
    pub added: Day,
}

/// Why a device is not removed.
#[derive(Debug, thiserror::Error)]
pub enum DevicesError {
    /// No session, or it has expired.
    #[error("nobody is logged in")]
    NotLoggedIn,
    /// The account has no such device.
    #[error("account has no such device")]
    Unknown,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// The devices of the account that is logged in.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn devices(
        &self,
        cookies: Cookies<'_>,
        now: UnixTime,
    ) -> Result<Devices, StoreError> {
        match self.logged_in(cookies, now).await? {
            Some((_, account)) => Ok(Devices::Shown(shown(&account))),
            None => self
                .begin_login(Errand::Devices, cookies, now)
                .await
                .map(Devices::Login),
        }
    }

    /// Removes a device from the account that is logged in, and ends its other sessions.
    ///
    /// # Errors
    ///
    /// [`DevicesError`]; the account is as before.
    pub async fn remove_device(
        &self,
        cookies: Cookies<'_>,
        name: &str,
        now: UnixTime,
    ) -> Result<(), DevicesError> {
        let found = self.logged_in(cookies, now).await?;
        let (session, account) = found.ok_or(DevicesError::NotLoggedIn)?;
        let mut devices = account.devices.iter();
        let device = devices.find(|device| device_name(&device.key.0) == name);
        let device = device.ok_or(DevicesError::Unknown)?;
        self.store
            .remove_device(account.subject, &device.key, &session.hash)
            .await?;
        Ok(())
    }

    async fn logged_in(
        &self,
        cookies: Cookies<'_>,
        now: UnixTime,
    ) -> Result<Option<(SessionRow, Account)>, StoreError> {
        let Some(session) = self.session(cookies, now).await? else {
            return Ok(None);
        };
        let account = self.store.account(session.subject).await?;
        Ok(account.map(|account| (session, account)))
    }
}

fn shown(account: &Account) -> Vec<ShownDevice> {
    let devices = account.devices.iter();
    devices
        .map(|device| ShownDevice {
            name: device_name(&device.key.0),
            added: device.added,
        })
        .collect()
}

/// Eight bytes of a hash: enough to tell the devices of one account apart.
fn device_name(key: &[u8; 65]) -> String {
    let hash = sha256(key);
    let (name, _) = hash.split_at(8);
    encode(name)
}
