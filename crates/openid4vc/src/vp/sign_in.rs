//! The query a gateway asks to sign a person in, and the names it uses.
//!
//! A wallet that has an account here answers `account` with a signature of its device key; any
//! other answers `certificate` and discloses exactly the items asked for.

use serde_json::json;

use super::dcql::{ClaimQuery, CredentialQuery, CredentialSetQuery, DcqlError, Query, QueryId};

/// Id of the credential query for an account.
pub const ACCOUNT: &str = "account";
/// Id of the credential query for a certificate.
pub const CERTIFICATE: &str = "certificate";
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
/// least one.
///
/// # Errors
///
/// [`DcqlError::Empty`] if there are no items.
pub fn query(ask: Ask, items: &[&str]) -> Result<Query, DcqlError> {
    let mut certificate = CredentialQuery::new(QueryId::parse(CERTIFICATE)?, CERTIFICATE_FORMAT);
    certificate
        .meta
        .insert("vct_values".to_owned(), json!([CERTIFICATE_TYPE]));
    certificate.claims = Some(items.iter().map(|item| ClaimQuery::of(item)).collect());
    match ask {
        Ask::Certificate => Query::new(vec![certificate], None),
        Ask::AccountOrCertificate => {
            let account = CredentialQuery::new(QueryId::parse(ACCOUNT)?, ACCOUNT_FORMAT);
            let options = vec![vec![account.id.clone()], vec![certificate.id.clone()]];
            let set = CredentialSetQuery {
                options,
                required: true,
            };
            Query::new(vec![account, certificate], Some(vec![set]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_offers_an_account_before_a_certificate() {
        let query = query(Ask::AccountOrCertificate, &["generation", "birthdate"]).unwrap();
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
        let query = query(Ask::Certificate, &["generation"]).unwrap();
        assert_eq!(query.credentials().len(), 1);
        assert!(query.credential_sets().is_none());
        assert!(super::query(Ask::Certificate, &[]).is_err());
    }
}
