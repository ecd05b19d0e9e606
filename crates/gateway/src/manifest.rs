//! The issuer keys by which certificates are checked. They come from the operator's manifest,
//! which is fetched on a timer and never because somebody logs in.

use crate::gateway::Gateway;
use crate::site::Operator;
use crate::store::{AccountStore, ManifestRow, StoreError};
use credential::manifest::{IssuerKeys, KeysChanged, Manifest, ManifestError};
use credential::time::{Epoch, UnixTime};
use std::sync::{PoisonError, RwLock};

/// The manifest in use.
pub(crate) struct Keeper {
    operator: Operator,
    current: RwLock<Option<Known>>,
}

/// A manifest, and the issuer keys that are known with it.
#[derive(Clone)]
struct Known {
    epoch: Epoch,
    /// Those of the manifest and, until a restart, of the ones before it: for some minutes after a
    /// boundary certificates are accepted whose key the new manifest no longer has.
    keys: IssuerKeys,
}

impl Known {
    fn of(manifest: &Manifest) -> Known {
        Known {
            epoch: manifest.epoch(),
            keys: manifest.keys().clone(),
        }
    }
}

/// Why a fetched manifest is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ManifestRefused {
    /// It is not the operator's, or not for us.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its keys do not follow on those in use.
    #[error(transparent)]
    KeysChanged(#[from] KeysChanged),
    /// A later one is here.
    #[error("manifest is older than the one in use")]
    Older,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keeper {
    /// Begins with the manifest that was stored, if it still verifies.
    pub(crate) async fn load(
        operator: Operator,
        store: &dyn AccountStore,
        now: UnixTime,
    ) -> Result<Keeper, StoreError> {
        let stored = store.manifest().await?;
        let current = stored.and_then(|row| verify(&row.jws, &operator, now).ok());
        let current = current.as_ref().map(Known::of);
        Ok(Keeper {
            operator,
            current: RwLock::new(current),
        })
    }

    fn current(&self) -> Option<Known> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Gateway {
    /// Where the operator publishes its manifest.
    #[must_use]
    pub fn manifest_uri(&self) -> String {
        format!(
            "{}/.well-known/bauta/manifest",
            self.manifest.operator.origin
        )
    }

    /// Whether a manifest has to be fetched: the one in use does not cover the current and the
    /// next epoch.
    #[must_use]
    pub fn needs_manifest(&self, now: UnixTime) -> bool {
        self.manifest
            .current()
            .is_none_or(|known| !known.keys.covers(now.epoch()))
    }

    /// Takes a manifest that was fetched.
    ///
    /// # Errors
    ///
    /// [`ManifestRefused`]; the one in use stays.
    pub async fn take_manifest(&self, jws: &str, now: UnixTime) -> Result<(), ManifestRefused> {
        let manifest = verify(jws, &self.manifest.operator, now)?;
        let mut next = Known::of(&manifest);
        if let Some(current) = self.manifest.current() {
            if next.epoch < current.epoch {
                return Err(ManifestRefused::Older);
            }
            next.keys = current.keys.followed_by(&next.keys, now.epoch())?;
        }
        self.store
            .replace_manifest(&ManifestRow {
                epoch: next.epoch,
                jws: jws.to_owned(),
            })
            .await?;
        *self
            .manifest
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(next);
        Ok(())
    }

    /// The keys to check a certificate with, if there are any for this epoch.
    pub(crate) fn issuer_keys(&self, now: Epoch) -> Option<IssuerKeys> {
        let known = self.manifest.current()?;
        known.keys.of(now).is_some().then_some(known.keys)
    }
}

fn verify(jws: &str, operator: &Operator, now: UnixTime) -> Result<Manifest, ManifestError> {
    Manifest::verify(jws, &operator.origin, &operator.key, now)
}
