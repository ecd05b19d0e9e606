//! Answering a query: which credentials, which claims, and whether an answer will do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ClaimQuery, CredentialQuery, CredentialSetQuery, Query, QueryId};

impl Query {
    /// The credential queries to answer: all of them, or of each required set the first option
    /// that can be answered. Optional sets are left out, which discloses the least.
    ///
    /// `can_answer` says whether the wallet holds a credential for a credential query.
    ///
    /// Source: OpenID4VP 1.0 §6.4.2.
    ///
    /// # Errors
    ///
    /// [`Unanswerable`] if something required cannot be answered; then nothing may be.
    pub fn choose(
        &self,
        can_answer: impl Fn(&CredentialQuery) -> bool,
    ) -> Result<Vec<&CredentialQuery>, Unanswerable> {
        let able = self.credentials.iter().filter(|query| can_answer(query));
        let able: BTreeSet<&QueryId> = able.map(|query| &query.id).collect();
        let mut chosen = BTreeSet::new();
        match &self.credential_sets {
            None => chosen.extend(self.credentials.iter().map(|query| &query.id)),
            Some(sets) => {
                for set in sets.iter().filter(|set| set.required) {
                    chosen.extend(set.first_within(&able).ok_or(Unanswerable)?);
                }
            }
        }
        if !chosen.is_subset(&able) {
            return Err(Unanswerable);
        }
        Ok(self
            .credentials
            .iter()
            .filter(|query| chosen.contains(&query.id))
            .collect())
    }

    /// Whether answers to the credential queries `answered` satisfy the query as a whole.
    #[must_use]
    pub fn is_satisfied_by(&self, answered: &BTreeSet<&QueryId>) -> bool {
        match &self.credential_sets {
            None => self
                .credentials
                .iter()
                .all(|query| answered.contains(&query.id)),
            Some(sets) => {
                let mut required = sets.iter().filter(|set| set.required);
                required.all(|set| set.first_within(answered).is_some())
            }
        }
    }
}

impl CredentialSetQuery {
    fn first_within(&self, ids: &BTreeSet<&QueryId>) -> Option<&[QueryId]> {
        let mut options = self.options.iter();
        options
            .find(|option| option.iter().all(|id| ids.contains(id)))
            .map(Vec::as_slice)
    }
}

impl CredentialQuery {
    /// The claims to disclose of a credential of JSON: all that are wanted, or those of the first
    /// claim set it has. `None` if the credential does not answer this query.
    ///
    /// Source: OpenID4VP 1.0 §6.4.1.
    #[must_use]
    pub fn claims_of(&self, credential: &Value) -> Option<Vec<&ClaimQuery>> {
        let claims = self.claims.as_deref().unwrap_or_default();
        let has = |claim: &ClaimQuery| claim.matches(credential);
        let Some(sets) = &self.claim_sets else {
            return claims.iter().all(has).then(|| claims.iter().collect());
        };
        sets.iter().find_map(|set| {
            let named = |claim: &&ClaimQuery| claim.id.as_ref().is_some_and(|id| set.contains(id));
            let wanted: Vec<&ClaimQuery> = claims.iter().filter(named).collect();
            wanted.iter().all(|claim| has(claim)).then_some(wanted)
        })
    }
}

impl ClaimQuery {
    /// Whether the credential has the claim, and with one of the wanted values.
    fn matches(&self, credential: &Value) -> bool {
        let Ok(found) = self.path.select(credential) else {
            return false;
        };
        match &self.values {
            None => true,
            Some(values) => found.iter().any(|value| values.contains(value)),
        }
    }
}

/// The wallet cannot answer everything that is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no credentials answer this request")]
pub struct Unanswerable;
