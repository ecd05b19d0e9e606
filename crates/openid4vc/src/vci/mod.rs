//! OpenID for Verifiable Credential Issuance 1.0 with a pre-authorized code.
//!
//! The profile: the offer travels by value; the code is redeemed without client authentication and
//! with a transaction code; one credential per request, whose proof is the extension
//! `bauta_commitment`. Requests and responses are not encrypted beyond TLS.

mod credential;
mod metadata;
mod offer;
mod proof;
mod token;

pub use credential::{CredentialRequest, CredentialRequestError, CredentialResponse};
pub use metadata::{
    AuthorizationServerMetadata, CredentialConfiguration, IssuerMetadata, MetadataError,
    NonceResponse, ProofType, WellKnown,
};
pub use offer::{
    CredentialOffer, Grants, InputMode, OfferError, OfferLink, PreAuthorizedGrant, TxCodeForm,
};
pub use proof::{CommitmentProof, ProofError, UnverifiedProof};
pub use token::{PreAuthorizedRequest, PreAuthorizedRequestError};

/// Id of the web certificate's credential configuration, and its format.
pub const CERTIFICATE: &str = "bauta_certificate";
/// Name of the proof type.
pub const COMMITMENT_PROOF: &str = "bauta_commitment";
/// The grant type.
pub const PRE_AUTHORIZED_CODE: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
