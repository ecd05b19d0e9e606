//! The manifest of an epoch: the only issuer keys that wallets and gateways accept.

use bbs::certificate::NYM_SECRETS;
use bbs::{G2_LEN, PublicKey as BbsPublicKey};
use serde::{Deserialize, Serialize};

use crate::jose::{self, PublicKey, SigningKey, jws};
use crate::origin::Origin;
use crate::time::{Epoch, UnixTime};

/// The certificate's layout and its version (`vct`).
pub const LAYOUT: &str = "urn:bauta:certificate:1";
/// The suite of certificates and their presentations (`alg`).
pub const SUITE: &str = "BAUTA-BBS-NYM-1";
/// `typ` of the signed manifest.
const TYP: &str = "bauta-manifest+jwt";

/// The issuer's key of one epoch.
#[derive(Clone, Copy)]
pub struct IssuerKey {
    /// The epoch whose certificates it signs.
    pub epoch: Epoch,
    /// The key.
    pub key: BbsPublicKey,
}

/// The issuer keys of a verified manifest.
#[derive(Clone)]
pub struct IssuerKeys(Vec<IssuerKey>);

impl IssuerKeys {
    /// The key of `epoch`.
    #[must_use]
    pub fn of(&self, epoch: Epoch) -> Option<&IssuerKey> {
        self.0.iter().find(|key| key.epoch == epoch)
    }

    /// The keys whose certificates are accepted in `now`: this epoch's and the one before.
    pub fn accepted(&self, now: Epoch) -> impl Iterator<Item = &IssuerKey> {
        [now, now.previous()]
            .into_iter()
            .filter_map(|epoch| self.of(epoch))
    }

    /// Whether no epoch has one key here and another one there.
    #[must_use]
    pub fn agree_with(&self, other: &IssuerKeys) -> bool {
        let same =
            |ours: &IssuerKey, theirs: &IssuerKey| ours.key.to_bytes() == theirs.key.to_bytes();
        self.0
            .iter()
            .all(|ours| other.of(ours.epoch).is_none_or(|theirs| same(ours, theirs)))
    }

    /// Whether certificates of `now` and of the next epoch can be checked without another
    /// manifest.
    #[must_use]
    pub fn covers(&self, now: Epoch) -> bool {
        self.of(now).is_some() && self.of(now.next()).is_some()
    }
}

/// A manifest whose signature holds.
#[derive(Clone)]
pub struct Manifest {
    epoch: Epoch,
    keys: IssuerKeys,
}

/// Why a manifest is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The signature is not the operator's, or the form is another one.
    #[error("manifest is not signed by the operator")]
    Signature,
    /// It is another operator's.
    #[error("manifest belongs to another operator")]
    Issuer,
    /// Layout or number of secrets are not the ones this program knows.
    #[error("manifest is for another certificate layout")]
    Layout,
    /// A key is no point of G2 or stands for an epoch twice.
    #[error("manifest holds a bad issuer key")]
    Key,
    /// It is past its end, or its epoch has not begun.
    #[error("manifest is not valid at this time")]
    Expired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: Origin,
    epoch: Epoch,
    layout: String,
    nym_secrets: usize,
    issuer_keys: Vec<KeyClaim>,
    iat: UnixTime,
    exp: UnixTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyClaim {
    epoch: Epoch,
    key: String,
}

impl Manifest {
    /// Signs the manifest of the epoch of `now` with the issuer keys of that epoch and its
    /// neighbours; it expires with the next epoch.
    #[must_use]
    pub fn sign(origin: &Origin, keys: &[IssuerKey], now: UnixTime, key: &SigningKey) -> String {
        let epoch = now.epoch();
        let issuer_keys = keys
            .iter()
            .map(|k| KeyClaim {
                epoch: k.epoch,
                key: jose::encode(k.key.to_bytes()),
            })
            .collect();
        let claims = Claims {
            iss: origin.clone(),
            epoch,
            layout: LAYOUT.to_owned(),
            nym_secrets: NYM_SECRETS,
            issuer_keys,
            iat: epoch.start(),
            exp: epoch.next().next().start(),
        };
        jws::sign(key, TYP, &claims)
    }

    /// Verifies a manifest under the pinned operator key.
    ///
    /// # Errors
    ///
    /// The variants of [`ManifestError`].
    pub fn verify(
        compact: &str,
        origin: &Origin,
        operator_key: &PublicKey,
        now: UnixTime,
    ) -> Result<Manifest, ManifestError> {
        let claims: Claims = jws::UnverifiedJws::parse(compact)
            .and_then(|jws| jws.verify(operator_key, TYP))
            .map_err(|_| ManifestError::Signature)?;
        if claims.iss != *origin {
            return Err(ManifestError::Issuer);
        }
        if claims.layout != LAYOUT || claims.nym_secrets != NYM_SECRETS {
            return Err(ManifestError::Layout);
        }
        let end = claims.epoch.next().next().start();
        if now < claims.epoch.start() || now >= claims.exp || claims.exp > end {
            return Err(ManifestError::Expired);
        }
        let keys = claims
            .issuer_keys
            .iter()
            .map(parse_key)
            .collect::<Result<Vec<_>, _>>()?;
        if !keys.is_sorted_by(|a, b| a.epoch < b.epoch) {
            return Err(ManifestError::Key);
        }
        Ok(Manifest {
            epoch: claims.epoch,
            keys: IssuerKeys(keys),
        })
    }

    /// The epoch it was made for.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Its issuer keys.
    #[must_use]
    pub fn keys(&self) -> &IssuerKeys {
        &self.keys
    }
}

fn parse_key(claim: &KeyClaim) -> Result<IssuerKey, ManifestError> {
    let octets: [u8; G2_LEN] = jose::decode(&claim.key)
        .ok()
        .and_then(|octets| octets.try_into().ok())
        .ok_or(ManifestError::Key)?;
    let key = BbsPublicKey::from_bytes(&octets).map_err(|_| ManifestError::Key)?;
    Ok(IssuerKey {
        epoch: claim.epoch,
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn keys(epochs: &[u32]) -> Vec<IssuerKey> {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let key = |e: &u32| IssuerKey {
            epoch: Epoch(*e),
            key: bbs::SecretKey::generate(&mut rng).public(),
        };
        epochs.iter().map(key).collect()
    }

    #[test]
    fn a_manifest_gives_the_keys_of_its_epochs_and_no_others() {
        let (origin, key) = (
            Origin::parse("https://op.example").unwrap(),
            SigningKey::generate(),
        );
        let e = NOW.epoch().0;
        let compact = Manifest::sign(&origin, &keys(&[e - 1, e, e + 1]), NOW, &key);
        let manifest = Manifest::verify(&compact, &origin, key.public(), NOW).unwrap();
        let accepted: Vec<_> = manifest
            .keys()
            .accepted(Epoch(e))
            .map(|k| k.epoch.0)
            .collect();
        assert_eq!(accepted, [e, e - 1]);
        assert!(manifest.keys().covers(Epoch(e)) && !manifest.keys().covers(Epoch(e + 1)));
    }

    #[test]
    fn a_manifest_of_others_or_of_another_time_is_refused() {
        let (origin, key) = (
            Origin::parse("https://op.example").unwrap(),
            SigningKey::generate(),
        );
        let e = NOW.epoch().0;
        let compact = Manifest::sign(&origin, &keys(&[e, e + 1]), NOW, &key);
        let check = |compact: &str, origin: &Origin, key: &PublicKey, now: UnixTime| {
            Manifest::verify(compact, origin, key, now).err()
        };
        let other = Origin::parse("https://other.example").unwrap();
        assert_eq!(
            check(&compact, &other, key.public(), NOW),
            Some(ManifestError::Issuer)
        );
        let stranger = SigningKey::generate();
        assert_eq!(
            check(&compact, &origin, stranger.public(), NOW),
            Some(ManifestError::Signature)
        );
        let other_keys = Manifest::sign(&origin, &keys(&[e, e + 1]), NOW, &key);
        let read = |compact: &str| Manifest::verify(compact, &origin, key.public(), NOW).unwrap();
        assert!(read(&compact).keys().agree_with(read(&compact).keys()));
        assert!(!read(&compact).keys().agree_with(read(&other_keys).keys()));
        let early = UnixTime(Epoch(e).start().0 - 1);
        assert_eq!(
            check(&compact, &origin, key.public(), early),
            Some(ManifestError::Expired)
        );
        let late = Epoch(e + 2).start();
        assert_eq!(
            check(&compact, &origin, key.public(), late),
            Some(ManifestError::Expired)
        );
        let twice = Manifest::sign(&origin, &keys(&[e, e]), NOW, &key);
        assert_eq!(
            check(&twice, &origin, key.public(), NOW),
            Some(ManifestError::Key)
        );
        assert_eq!(
            check("a.b.c", &origin, key.public(), NOW),
            Some(ManifestError::Signature)
        );
    }
}
