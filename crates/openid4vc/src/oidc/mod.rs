//! OpenID Connect, the provider's side: metadata, keys, ID tokens and logging out.

mod discovery;
mod id_token;
mod keys;
mod logout;
mod rsa;

pub use discovery::{Endpoints, ProviderMetadata};
pub use id_token::{Audience, IdTokenClaims, at_hash};
pub use keys::{IdTokenError, JwkSet, ProviderKeys, PublicJwk, RsaJwk, SigningAlgorithm};
pub use logout::{EndSessionRequest, LogoutError};
pub use rsa::{RsaKeyError, RsaPublicKey, RsaSigningKey};
