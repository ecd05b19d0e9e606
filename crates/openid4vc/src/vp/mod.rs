//! OpenID for Verifiable Presentations 1.0: requests by reference, DCQL, encrypted responses.
//!
//! The profile: the link names a `request_uri`; the request object is signed with ES256 under a
//! certificate whose hash is the client id (`x509_hash`); the response is encrypted
//! (`direct_post.jwt`, ECDH-ES on P-256). Requests by value, other client id prefixes, `scope` and
//! `transaction_data` are refused.

mod client;
pub mod dcql;
mod link;
mod metadata;
mod request;
mod response;
pub mod sign_in;

pub use client::{CertificateError, ClientId, RequestCertificate};
pub use link::{LinkError, RequestLink};
pub use metadata::{ClientMetadata, EncryptionKeys, MetadataError};
pub use request::{
    RESPONSE_MODE, RESPONSE_TYPE, RequestError, RequestObject, RequestSigner, SELF_ISSUED_AUDIENCE,
    UnverifiedRequest, UrlSafe, VerifiedRequest, VerifierInfo,
};
pub use response::{
    AuthorizationResponse, ErrorResponse, PostAnswer, PostedResponse, Presentation, ResponseError,
    VpToken,
};
