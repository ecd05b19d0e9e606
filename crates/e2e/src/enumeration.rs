//! The attacker who has the register's database and some shares, and tries all numbers.
//!
//! It follows `docs/specs.md` and RFC 9497 on its own, without the crate `oprf`: the tag of a
//! number is `H1(number)^k`, a row is found by SHA-256 of the tag. With fewer shares than the
//! threshold the attacker does not know `k`; it can only guess what to put in its place.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, bail};
use curve25519_dalek::{RistrettoPoint, Scalar};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256, Sha512};

/// `"HashToGroup-" || contextString`. Source: RFC 9497 §4.1, mode 1.
const HASH_TO_GROUP: &[u8] = b"HashToGroup-OPRFV1-\x01-ristretto255-SHA512";
/// What begins the hash of a tag.
const TAG_INDEX: &[u8] = b"BAUTA-OPRF-TAG-INDEX-V1";
/// What begins the canonical bytes of a number.
const NUMBER: &[u8] = b"bauta/v1/tag";

/// A stolen share: where it lies on the polynomial, and its value.
pub struct Share {
    index: Scalar,
    value: Scalar,
}

impl Share {
    /// Reads a trustee's share file: the index, then the scalar.
    ///
    /// # Errors
    ///
    /// When it is no share.
    pub fn read(path: &Path) -> anyhow::Result<Share> {
        let octets = std::fs::read(path).with_context(|| format!("no {}", path.display()))?;
        let Some(([index], value)) = octets.split_first_chunk::<1>() else {
            bail!("the share is empty");
        };
        let value: [u8; 32] = value.try_into().context("a share has 33 bytes")?;
        let value = Option::from(Scalar::from_canonical_bytes(value));
        Ok(Share {
            index: Scalar::from(*index),
            value: value.context("the share is no scalar")?,
        })
    }

    /// What interpolation multiplies this share by, when the others are `others`.
    fn weight(&self, others: &[Scalar]) -> Scalar {
        others
            .iter()
            .map(|other| other * (other - self.index).invert())
            .product()
    }
}

/// What the attacker may take for the key when it has these shares of `trustees` with the
/// threshold `threshold`: the right one if there are enough, guesses otherwise.
///
/// The guesses for a single share are the share itself, and the share as interpolation would
/// weigh it beside each other trustee.
#[must_use]
pub fn key_candidates(shares: &[Share], threshold: usize, trustees: u8) -> Vec<Scalar> {
    if shares.len() >= threshold {
        let enough = shares.get(..threshold).unwrap_or_default();
        let key = enough.iter().map(|share| {
            let others = enough.iter().map(|other| other.index);
            let others: Vec<_> = others.filter(|other| *other != share.index).collect();
            share.value * share.weight(&others)
        });
        return vec![key.sum()];
    }
    let mut candidates: Vec<Scalar> = Vec::new();
    for share in shares {
        candidates.push(share.value);
        let others = (1..=trustees).map(Scalar::from);
        for other in others.filter(|other| *other != share.index) {
            candidates.push(share.value * share.weight(&[other]));
        }
    }
    candidates
}

/// The look-up indexes of all tags in a stolen register.
///
/// # Errors
///
/// When it cannot be read, or holds none.
pub fn stolen_indexes(register: &Path) -> anyhow::Result<HashSet<[u8; 32]>> {
    let database = Connection::open_with_flags(register, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut query = database.prepare("SELECT tag_index FROM tag")?;
    let rows = query.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
    let indexes: HashSet<_> = rows.collect::<Result<_, _>>()?;
    if indexes.is_empty() {
        bail!("the register holds no tag");
    }
    Ok(indexes)
}

/// The document numbers among `numbers` whose tag is in `indexes` under one of `keys`; on all
/// processors.
#[must_use]
pub fn search(
    numbers: &[String],
    state: &str,
    keys: &[Scalar],
    indexes: &HashSet<[u8; 32]>,
) -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = numbers.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = numbers
            .chunks(share)
            .map(|part| scope.spawn(move || search_part(part, state, keys, indexes)))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_default())
            .collect()
    })
}

fn search_part(
    numbers: &[String],
    state: &str,
    keys: &[Scalar],
    indexes: &HashSet<[u8; 32]>,
) -> Vec<String> {
    let hit = |number: &&String| {
        let point = hash_to_group(&document_number(state, number));
        keys.iter()
            .any(|key| indexes.contains(&tag_index(&(key * point))))
    };
    numbers.iter().filter(hit).cloned().collect()
}

/// The canonical bytes of a document number.
fn document_number(state: &str, number: &str) -> Vec<u8> {
    let mut canonical = Vec::new();
    for part in [
        NUMBER,
        b"document-number",
        state.as_bytes(),
        number.as_bytes(),
    ] {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        canonical.extend_from_slice(&length.to_be_bytes());
        canonical.extend_from_slice(part);
    }
    canonical
}

/// H1. Source: RFC 9380 §5.3.1 with SHA-512 for 64 bytes, which is one block.
fn hash_to_group(input: &[u8]) -> RistrettoPoint {
    let length = u8::try_from(HASH_TO_GROUP.len()).unwrap_or(u8::MAX);
    let first = Sha512::new()
        .chain_update([0; 128])
        .chain_update(input)
        .chain_update([0, 64, 0])
        .chain_update(HASH_TO_GROUP)
        .chain_update([length])
        .finalize();
    let block = Sha512::new()
        .chain_update(first)
        .chain_update([1])
        .chain_update(HASH_TO_GROUP)
        .chain_update([length])
        .finalize();
    RistrettoPoint::from_uniform_bytes(&block.into())
}

/// H2.
fn tag_index(tag: &RistrettoPoint) -> [u8; 32] {
    Sha256::new()
        .chain_update(TAG_INDEX)
        .chain_update(tag.compress().as_bytes())
        .finalize()
        .into()
}
