//! The query a gateway asks to sign a person in, and the names it uses.
//!
//! A wallet that has an account here answers `account` with a signature of its device key; any
//! other answers `certificate` and discloses exactly the items asked for. Where an age has to be
//! proved, `certificate_with_age` is for those who have not proved it here, and `certificate` for
//! those who have.

use credential::age::AgeAsked;
use serde_json::json;

use super::dcql::{ClaimQuery, CredentialQuery, CredentialSetQuery, DcqlError, Query, QueryId};

/// Id of the credential query for an account.
pub const ACCOUNT: &str = "account";
/// Id of the credential query for a certificate.
pub const CERTIFICATE: &str = "certificate";
/// Id of the credential query for a certificate with the proof of an age.
pub const CERTIFICATE_WITH_AGE: &str = "certificate_with_age";
/// Member of a certificate query's `meta` that asks for the proof of an age. `meta` is where a
/// format puts its own demands; `claims` can name values, but no bound and no day (§6.1, §6.3).
pub const AGE_OVER: &str = "age_over";
/// Format of a presentation by an account that exists.
pub const ACCOUNT_FORMAT: &str = "bauta_account";
/// Format of a presentation of the web certificate.
pub const CERTIFICATE_FORMAT: &str = "bauta_certificate";
/// Type of the web certificate.
pub const CERTIFICATE_TYPE: &str = "urn:bauta:certificate:1";
/// Format of the site entry in `verifier_info`.
pub const SITE_ENTRY_FORMAT: &str = "bauta_site_entry";

/// What may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// An account where there is one, else a certificate.
    AccountOrCertificate,
    /// A certificate in any case.
    Certificate,
}

/// Makes the query. `items` are the names of the certificate's items to disclose, in order, at
/// least one. `age` is proved by those who have not done so at this site.
///
/// # Errors
///
/// [`DcqlError::Empty`] if there are no items.
pub fn query(ask: Ask, items: &[&str], age: Option<AgeAsked>) -> Result<Query, DcqlError> {
    let mut credentials = Vec::new();
    if ask == Ask::AccountOrCertificate {
        let account = CredentialQuery::new(QueryId::parse(ACCOUNT)?, ACCOUNT_FORMAT);
        credentials.push(account);
    }
    credentials.push(certificate(CERTIFICATE, items)?);
    if let Some(age) = age {
        let mut query = certificate(CERTIFICATE_WITH_AGE, items)?;
        query.meta.insert(AGE_OVER.to_owned(), json!(age));
        credentials.push(query);
    }
    let options: Vec<_> = credentials.iter().map(|one| vec![one.id.clone()]).collect();
    let set = CredentialSetQuery {
        options,
        required: true,
    };
    // Without sets every credential of the query is wanted.
    let sets = (credentials.len() > 1).then(|| vec![set]);
    Query::new(credentials, sets)
}

fn certificate(id: &str, items: &[&str]) -> Result<CredentialQuery, DcqlError> {
    let mut query = CredentialQuery::new(QueryId::parse(id)?, CERTIFICATE_FORMAT);
    query
        .meta
        .insert("vct_values".to_owned(), json!([CERTIFICATE_TYPE]));
    query.claims = Some(items.iter().map(|item| ClaimQuery::of(item)).collect());
    Ok(query)
}

/// The age that a certificate query asks to have proved.
///
/// # Errors
///
/// [`BadAge`] if that is asked in a form that this version does not know.
pub fn age_asked(query: &CredentialQuery) -> Result<Option<AgeAsked>, BadAge> {
    let asked = query.meta.get(AGE_OVER).cloned();
    asked
        .map(|asked| serde_json::from_value(asked).map_err(|_| BadAge))
        .transpose()
}

/// An age is asked for in an unknown form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an age is asked for in an unknown form")]
pub struct BadAge;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_offers_an_account_before_a_certificate() {
        let query = query(
            Ask::AccountOrCertificate,
            &["generation", "birthdate"],
            None,
        )
        .unwrap();
        let value = json!({
            "credentials": [
                {"id": "account", "format": "bauta_account", "meta": {}},
                {"id": "certificate", "format": "bauta_certificate",
                 "meta": {"vct_values": ["urn:bauta:certificate:1"]},
                 "claims": [{"path": ["generation"]}, {"path": ["birthdate"]}]}
            ],
            "credential_sets": [{"options": [["account"], ["certificate"]]}]
        });
        assert_eq!(serde_json::to_value(&query).unwrap(), value);
        let chosen = |able: &[&str]| {
            let chosen = query.choose(|one| able.contains(&one.format.as_str()))?;
            Ok(chosen
                .into_iter()
                .map(|one| one.id.as_str())
                .collect::<Vec<_>>())
        };
        assert_eq!(
            chosen(&[ACCOUNT_FORMAT, CERTIFICATE_FORMAT]),
            Ok(vec!["account"])
        );
        assert_eq!(chosen(&[CERTIFICATE_FORMAT]), Ok(vec!["certificate"]));
        assert_eq!(
            chosen(&["dc+sd-jwt"]),
            Err(super::super::dcql::Unanswerable)
        );
    }

    #[test]
    fn a_certificate_can_be_demanded_but_never_without_items() {
        let query = query(Ask::Certificate, &["generation"], None).unwrap();
        assert_eq!(query.credentials().len(), 1);
        assert!(query.credential_sets().is_none());
        assert!(super::query(Ask::Certificate, &[], None).is_err());
    }

    #[test]
    fn an_age_is_asked_of_those_who_have_not_proved_it() {
        let age: AgeAsked =
            serde_json::from_value(json!({"years": 18, "on": "2026-11-22"})).unwrap();
        let query = query(Ask::AccountOrCertificate, &["generation"], Some(age)).unwrap();
        let value = json!({
            "credentials": [
                {"id": "account", "format": "bauta_account", "meta": {}},
                {"id": "certificate", "format": "bauta_certificate",
                 "meta": {"vct_values": ["urn:bauta:certificate:1"]},
                 "claims": [{"path": ["generation"]}]},
                {"id": "certificate_with_age", "format": "bauta_certificate",
                 "meta": {"vct_values": ["urn:bauta:certificate:1"],
                          "age_over": {"years": 18, "on": "2026-11-22"}},
                 "claims": [{"path": ["generation"]}]}
            ],
            "credential_sets": [
                {"options": [["account"], ["certificate"], ["certificate_with_age"]]}
            ]
        });
        assert_eq!(serde_json::to_value(&query).unwrap(), value);
        let read = |id: &str| age_asked(query.credential(id).unwrap());
        assert_eq!(read("certificate_with_age"), Ok(Some(age)));
        assert_eq!(read("certificate"), Ok(None));

        let by_law = super::query(Ask::Certificate, &["generation"], Some(age)).unwrap();
        let value = serde_json::to_value(&by_law).unwrap();
        let options = json!([["certificate"], ["certificate_with_age"]]);
        assert_eq!(value["credential_sets"][0]["options"], options);
        let mut other = by_law.credentials()[1].clone();
        other.meta[AGE_OVER] = json!({"years": [16, 18], "on": "2026-11-22"});
        assert_eq!(age_asked(&other), Err(BadAge));
    }
}
