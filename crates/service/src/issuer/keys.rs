//! The issuer's keys, one for each epoch, drawn independently. Secret keys exist for this and the
//! next epoch alone; public keys stay for renewals of certificates that are a year old.
//!
//! What is destroyed is gone for good, so the clock is not believed at once: it may lead on by one
//! epoch, and only when it has stood there for a while is anything destroyed. Where it leads
//! further, nothing is drawn, destroyed or signed until somebody has looked at it.

mod folder;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bbs::SecretKey;
use credential::jose::SigningKey;
use credential::manifest::{IssuerKey, Manifest};
use credential::origin::Origin;
use credential::renewal::CATCH_UP_EPOCHS;
use credential::time::{Epoch, UnixTime};
use folder::{KeyFolder, Secrecy};

use crate::secret;

/// So many seconds the clock has to stand in an epoch before the keys of earlier ones are
/// destroyed: a clock that was wrong for a moment costs nothing.
const SETTLE_SECS: u64 = 600;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// The folder or a file in it cannot be read or written.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
    /// A file holds no key.
    #[error("{0} holds no issuer key")]
    Damaged(PathBuf),
    /// The epoch had a key and its secret part is gone, or the epoch is before the newest key:
    /// another one would part people.
    #[error("there is no secret issuer key of epoch {}, and none is drawn any more", .0.0)]
    Gone(Epoch),
    /// The clock is in a later epoch than any key: more than an epoch was missed, or it is wrong.
    #[error("the clock is in epoch {}, the newest issuer key is of epoch {}", .now.0, .newest.0)]
    Ahead {
        /// The epoch of the clock.
        now: Epoch,
        /// The epoch of the newest key.
        newest: Epoch,
    },
}

/// Whether somebody has compared the clock with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Nobody has: it may lead on by one epoch.
    Unchecked,
    /// Somebody has: it may lead on to any epoch.
    Checked,
}

/// The keys of the present epoch and those around it, kept in a folder.
pub struct EpochKeys {
    folder: KeyFolder,
    keys: RwLock<Keys>,
}

#[derive(Default)]
struct Keys {
    /// The latest epoch that was seen. A request that is older by a moment moves nothing back.
    turned: Option<Epoch>,
    /// Since when the clock has stood in that epoch.
    since: Option<UnixTime>,
    /// The epoch before which everything was destroyed.
    destroyed: Option<Epoch>,
    secret: BTreeMap<Epoch, Arc<EpochKey>>,
    public: BTreeMap<Epoch, IssuerKey>,
}

/// The secret key of one epoch.
pub struct EpochKey {
    epoch: Epoch,
    secret: SecretKey,
}

impl EpochKey {
    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The key.
    #[must_use]
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl Keys {
    /// The latest epoch that has a key.
    fn newest(&self) -> Option<Epoch> {
        let last = [
            self.secret.keys().next_back(),
            self.public.keys().next_back(),
        ];
        last.into_iter().flatten().max().copied()
    }
}

impl EpochKeys {
    /// Opens the folder, which must exist, ends what a crash interrupted, and brings its keys up
    /// to date.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn open(folder: &Path, now: UnixTime, clock: Clock) -> Result<EpochKeys, KeyFolderError> {
        let folder = KeyFolder::new(folder);
        folder.sweep()?;
        let mut keys = Keys::default();
        folder.read(&mut keys.secret, &mut keys.public)?;
        lead_on(&folder, &mut keys, now.epoch(), clock)?;
        let keys = EpochKeys {
            folder,
            keys: RwLock::new(keys),
        };
        keys.turn(now)?;
        Ok(keys)
    }

    /// Draws the keys of this and the next epoch where they are missing. When the clock has stood
    /// in this epoch for some minutes, destroys the secret keys of all epochs before it, and
    /// forgets public keys that are too old for a renewal. Writes nothing when all is as it
    /// should be.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn turn(&self, now: UnixTime) -> Result<(), KeyFolderError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = now.epoch();
        match keys.turned {
            Some(turned) if turned > epoch => {
                // A request that waited, or a clock that was set right again.
                keys.since = None;
                return Ok(());
            }
            Some(turned) if turned == epoch => {}
            Some(_) | None => lead_on(&self.folder, &mut keys, epoch, Clock::Unchecked)?,
        }
        self.destroy_when_settled(&mut keys, now)
    }

    /// The secret key of the present epoch.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn current(&self, now: UnixTime) -> Result<Arc<EpochKey>, KeyFolderError> {
        self.turn(now)?;
        self.secret(now.epoch())
    }

    /// The secret key of an epoch whose certificates are issued: the present one or the next. Those
    /// of past epochs are there until they are destroyed; nobody may ask for them.
    ///
    /// # Errors
    ///
    /// [`KeyFolderError::Gone`] for another epoch.
    pub fn secret(&self, epoch: Epoch) -> Result<Arc<EpochKey>, KeyFolderError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.secret.get(&epoch).map(Arc::clone);
        key.ok_or(KeyFolderError::Gone(epoch))
    }

    /// The public key of an epoch, if certificates of it are renewed.
    #[must_use]
    pub fn public(&self, epoch: Epoch) -> Option<IssuerKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.public.get(&epoch).copied()
    }

    /// The signed manifest of the present epoch.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn manifest(
        &self,
        origin: &Origin,
        operator_key: &SigningKey,
        now: UnixTime,
    ) -> Result<String, KeyFolderError> {
        self.turn(now)?;
        let epoch = now.epoch();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let around = keys.public.range(epoch.previous()..=epoch.next());
        let around: Vec<IssuerKey> = around.map(|(_, key)| *key).collect();
        Ok(Manifest::sign(origin, &around, now, operator_key))
    }

    fn destroy_when_settled(&self, keys: &mut Keys, now: UnixTime) -> Result<(), KeyFolderError> {
        let epoch = now.epoch();
        if keys.destroyed == Some(epoch) {
            return Ok(());
        }
        let since = *keys.since.get_or_insert(now);
        if now < since.plus_secs(SETTLE_SECS) {
            return Ok(());
        }
        self.folder.destroy_before(epoch, Secrecy::Secret)?;
        keys.secret.retain(|of, _| *of >= epoch);
        let oldest = Epoch(epoch.0.saturating_sub(CATCH_UP_EPOCHS));
        self.folder.destroy_before(oldest, Secrecy::Public)?;
        keys.public.retain(|of, _| *of >= oldest);
        keys.destroyed = Some(epoch);
        Ok(())
    }
}

/// Draws and publishes the keys of `epoch` and the next where they are missing, if the clock may be
/// believed so far.
fn lead_on(
    folder: &KeyFolder,
    keys: &mut Keys,
    epoch: Epoch,
    clock: Clock,
) -> Result<(), KeyFolderError> {
    let newest = keys.newest();
    if let (Clock::Unchecked, Some(newest)) = (clock, newest.filter(|newest| *newest < epoch)) {
        return Err(KeyFolderError::Ahead { now: epoch, newest });
    }
    for of in [epoch, epoch.next()] {
        if keys.secret.contains_key(&of) {
            continue;
        }
        if newest.is_some_and(|newest| newest >= of) {
            return Err(KeyFolderError::Gone(of));
        }
        let secret = SecretKey::generate(&mut secret::rng());
        folder.write(of, Secrecy::Secret, &*secret.expose())?;
        keys.secret
            .insert(of, Arc::new(EpochKey { epoch: of, secret }));
    }
    publish(folder, keys, epoch)?;
    keys.turned = Some(epoch);
    keys.since = None;
    Ok(())
}

/// Writes the public keys of `present` and the epochs after it where they are missing, before
/// anybody can use the secret ones. That of a past epoch was declared void.
fn publish(folder: &KeyFolder, keys: &mut Keys, present: Epoch) -> Result<(), KeyFolderError> {
    let Keys { secret, public, .. } = keys;
    for (epoch, secret) in secret.range(present..) {
        let (epoch, key) = (*epoch, secret.secret.public());
        match public.get(&epoch) {
            Some(known) if known.key.to_bytes() == key.to_bytes() => continue,
            Some(_) => {
                let path = folder.path(epoch, Secrecy::Public);
                return Err(KeyFolderError::Damaged(path));
            }
            None => folder.write(epoch, Secrecy::Public, &key.to_bytes())?,
        }
        public.insert(epoch, IssuerKey { epoch, key });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
