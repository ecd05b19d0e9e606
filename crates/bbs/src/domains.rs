//! Every domain-separation string of bauta's own protocols, so that no two can be alike.

/// Opening of a commitment to nym_secrets.
pub(crate) const NYM_OPENING: &[u8] = b"BAUTA_V1_NYM_OPENING_";
/// Commitment to all slots of a first certificate.
pub(crate) const FIRST_ISSUANCE: &[u8] = b"BAUTA_V1_FIRST_ISSUANCE_";
/// Renewal: a certificate with the slots of the commitment that is kept.
pub(crate) const RENEWAL: &[u8] = b"BAUTA_V1_RENEWAL_";
/// Proof of the exponent of a pseudonym at sign-in.
pub(crate) const SIGN_IN: &[u8] = b"BAUTA_V1_SIGN_IN_";
/// Digest of the commitments of an age proof.
pub(crate) const AGE_PROOF: &[u8] = b"BAUTA_V1_AGE_PROOF_";
/// Weight of the digits of an age proof.
pub(crate) const AGE_WEIGHT: &[u8] = b"BAUTA_V1_AGE_WEIGHT_";
/// Generators of age proofs.
pub(crate) const AGE_GENERATORS: &[u8] = b"BAUTA_V1_AGE_GENERATORS_";

#[cfg(test)]
mod tests {
    #[test]
    fn domain_strings_are_prefix_free_and_unique() {
        let all = [
            super::NYM_OPENING,
            super::FIRST_ISSUANCE,
            super::RENEWAL,
            super::SIGN_IN,
            super::AGE_PROOF,
            super::AGE_WEIGHT,
            super::AGE_GENERATORS,
        ];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert!(!a.starts_with(b) && !b.starts_with(a));
            }
        }
    }
}
