//! Tags are stored encrypted; only re-keying by the trustees ever opens them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use oprf::Tag;
use store::{NewTag, TagIndex, TagKind};

use crate::secret;

/// The operator's key over stored tags: AES-256-GCM.
pub struct TagKey(LessSafeKey);

/// The bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tag key has 32 bytes")]
pub struct BadTagKey;

impl TagKey {
    /// Length of the key in bytes.
    pub const LENGTH: usize = 32;

    /// The key of these 32 bytes.
    ///
    /// # Errors
    ///
    /// [`BadTagKey`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<TagKey, BadTagKey> {
        UnboundKey::new(&AES_256_GCM, bytes)
            .map(|key| TagKey(LessSafeKey::new(key)))
            .map_err(|_| BadTagKey)
    }

    /// What is stored of a tag: its index, and the tag sealed as nonce, ciphertext and
    /// authenticator, bound to the index.
    pub(crate) fn seal(&self, kind: TagKind, tag: &Tag) -> NewTag {
        let index = *tag.index().as_bytes();
        let nonce: [u8; NONCE_LEN] = secret::random();
        let mut sealed = nonce.to_vec();
        let mut body = tag.expose().to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        // 32 bytes are far below the limit of the mode, the only reason to fail.
        self.0
            .seal_in_place_append_tag(nonce, Aad::from(index), &mut body)
            .expect("32 bytes can be sealed");
        sealed.append(&mut body);
        NewTag {
            index: TagIndex(index),
            kind,
            sealed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_tag_shows_nothing_and_opens_with_its_key_and_index_alone() {
        let mut rng = secret::rng();
        let (shares, group) = oprf::deal(1, 1, &mut rng).unwrap();
        let (blind, blinded) = oprf::blind(b"x", &mut rng).unwrap();
        let evaluation = shares[0].evaluate(&blinded, &mut rng);
        let tag = blind
            .unblind(&group.combine(&blinded, &[evaluation]).unwrap())
            .unwrap();
        let key = TagKey::from_bytes(&[7; 32]).unwrap();
        let stored = key.seal(TagKind::DocumentNumber, &tag);
        assert_eq!(stored.index.0, *tag.index().as_bytes());
        assert_eq!(stored.sealed.len(), NONCE_LEN + 32 + 16);
        assert!(
            !stored
                .sealed
                .windows(8)
                .any(|w| tag.expose().windows(8).any(|t| t == w))
        );

        let (nonce, body) = stored.sealed.split_at(NONCE_LEN);
        let open = |index: [u8; 32]| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
            let mut body = body.to_vec();
            let opened = key.0.open_in_place(nonce, Aad::from(index), &mut body);
            opened.map(|tag| tag.to_vec()).ok()
        };
        assert_eq!(
            open(stored.index.0).as_deref(),
            Some(tag.expose().as_slice())
        );
        assert_eq!(open([0; 32]), None);
    }
}
