//! The manifest of an epoch: the only issuer keys that wallets and gateways accept.

use bbs::certificate::NYM_SECRETS;
use bbs::{G2_LEN, PublicKey as BbsPublicKey};
use serde::{Deserialize, Serialize};

use crate::jose::{self, PublicKey, SigningKey, jws};
use crate::origin::Origin;
use crate::time::{CLOCK_SKEW_SECS, Epoch, UnixTime};

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

/// Issuer keys by epoch, in ascending order: those of a verified manifest, or all that are known.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<KeyClaim>", into = "Vec<KeyClaim>")]
pub struct IssuerKeys(Vec<IssuerKey>);

/// Why the keys of a manifest do not follow on those that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysChanged {
    /// An epoch has another key than before.
    #[error("the operator published another issuer key for the same epoch")]
    Other,
    /// A key that is still good is gone, so that another could take its place.
    #[error("the operator no longer publishes an issuer key that is still good")]
    Gone,
}

impl IssuerKeys {
    /// The key of `epoch`.
    #[must_use]
    pub fn of(&self, epoch: Epoch) -> Option<&IssuerKey> {
        self.0.iter().find(|key| key.epoch == epoch)
    }

    /// The keys whose certificates are accepted at `now`: those of this epoch and the one before,
    /// as any clock shows it that differs from this one by [`CLOCK_SKEW_SECS`] at most.
    pub fn accepted(&self, now: UnixTime) -> impl Iterator<Item = &IssuerKey> {
        let oldest = now.minus_secs(CLOCK_SKEW_SECS).epoch().previous();
        let newest = now.plus_secs(CLOCK_SKEW_SECS).epoch();
        self.0
            .iter()
            .filter(move |key| (oldest..=newest).contains(&key.epoch))
    }

    /// All that is known after `next`: whoever keeps it takes one key an epoch, whatever manifests
    /// come in between. Keys from before the previous epoch but one are forgotten.
    ///
    /// # Errors
    ///
    /// [`KeysChanged`] when `next` has another key for a known epoch, or none for `now` or later.
    pub fn followed_by(&self, next: &IssuerKeys, now: Epoch) -> Result<IssuerKeys, KeysChanged> {
        for ours in &self.0 {
            match next.of(ours.epoch) {
                Some(theirs) if ours.key.to_bytes() == theirs.key.to_bytes() => {}
                Some(_) => return Err(KeysChanged::Other),
                None if ours.epoch >= now => return Err(KeysChanged::Gone),
                None => {}
            }
        }
        let oldest = now.previous().previous();
        let kept = self.0.iter().filter(|key| key.epoch >= oldest);
        let mut all: Vec<IssuerKey> = kept
            .filter(|key| next.of(key.epoch).is_none())
            .copied()
            .collect();
        all.extend(&next.0);
        all.sort_by_key(|key| key.epoch);
        Ok(IssuerKeys(all))
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
    /// It is past its end, or its epoch, which is given, has not begun.
    #[error("manifest is not valid at this time")]
    Expired(Epoch),
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
        let issuer_keys = keys.iter().map(KeyClaim::of).collect();
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
            return Err(ManifestError::Expired(claims.epoch));
        }
        Ok(Manifest {
            epoch: claims.epoch,
            keys: IssuerKeys::try_from(claims.issuer_keys)?,
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

impl TryFrom<Vec<KeyClaim>> for IssuerKeys {
    type Error = ManifestError;

    fn try_from(claims: Vec<KeyClaim>) -> Result<IssuerKeys, ManifestError> {
        let keys = claims
            .iter()
            .map(parse_key)
            .collect::<Result<Vec<_>, _>>()?;
        if !keys.is_sorted_by(|a, b| a.epoch < b.epoch) {
            return Err(ManifestError::Key);
        }
        Ok(IssuerKeys(keys))
    }
}

impl From<IssuerKeys> for Vec<KeyClaim> {
    fn from(keys: IssuerKeys) -> Vec<KeyClaim> {
        keys.0.iter().map(KeyClaim::of).collect()
    }
}

impl KeyClaim {
    fn of(key: &IssuerKey) -> KeyClaim {
        KeyClaim {
            epoch: key.epoch,
            key: jose::encode(key.key.to_bytes()),
        }
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
        let accepted = |now: UnixTime| -> Vec<_> {
            let keys = manifest.keys().accepted(now);
            keys.map(|key| key.epoch.0).collect()
        };
        assert_eq!(accepted(NOW), [e - 1, e]);
        // Five minutes around a boundary count for both sides of it.
        let boundary = Epoch(e + 1).start();
        assert_eq!(accepted(boundary.minus_secs(301)), [e - 1, e]);
        assert_eq!(accepted(boundary.minus_secs(300)), [e - 1, e, e + 1]);
        assert_eq!(accepted(boundary.plus_secs(299)), [e - 1, e, e + 1]);
        assert_eq!(accepted(boundary.plus_secs(300)), [e, e + 1]);
        assert!(manifest.keys().covers(Epoch(e)) && !manifest.keys().covers(Epoch(e + 1)));
    }

    #[test]
    fn known_keys_are_neither_replaced_nor_dropped_nor_forgotten_in_between() {
        let e = NOW.epoch().0;
        let all = keys(&[e - 3, e - 1, e, e + 1, e + 2]);
        let some = |epochs: &[u32]| {
            let chosen = all.iter().filter(|key| epochs.contains(&key.epoch.0));
            IssuerKeys(chosen.copied().collect())
        };
        let known = some(&[e - 1, e, e + 1]);
        let follow = |next: &IssuerKeys| known.followed_by(next, Epoch(e));
        let epochs = |keys: IssuerKeys| keys.0.iter().map(|key| key.epoch.0).collect::<Vec<_>>();
        assert_eq!(follow(&known).map(epochs), Ok(vec![e - 1, e, e + 1]));
        let later = follow(&some(&[e, e + 1, e + 2])).map(epochs);
        assert_eq!(later, Ok(vec![e - 1, e, e + 1, e + 2]));
        assert_eq!(follow(&some(&[])).err(), Some(KeysChanged::Gone));
        assert_eq!(follow(&some(&[e - 1, e])).err(), Some(KeysChanged::Gone));
        let other = IssuerKeys(keys(&[e - 1, e, e + 1]));
        assert_eq!(follow(&other).err(), Some(KeysChanged::Other));
        // What is too old to be accepted anywhere is forgotten.
        let old = some(&[e - 3, e - 1]);
        let after = old.followed_by(&some(&[e]), Epoch(e)).map(epochs);
        assert_eq!(after, Ok(vec![e - 1, e]));
        // Kept in a vault, they are the same.
        let text = serde_json::to_string(&known).unwrap();
        let read: IssuerKeys = serde_json::from_str(&text).unwrap();
        assert!(read.followed_by(&known, Epoch(e)).is_ok());
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
        let early = UnixTime(Epoch(e).start().0 - 1);
        assert_eq!(
            check(&compact, &origin, key.public(), early),
            Some(ManifestError::Expired(Epoch(e)))
        );
        let late = Epoch(e + 2).start();
        assert_eq!(
            check(&compact, &origin, key.public(), late),
            Some(ManifestError::Expired(Epoch(e)))
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
