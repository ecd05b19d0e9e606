//! The site's own programs that log people in through this gateway.

use crate::bearer::{BearerHash, BearerKind};
use openid4vc::oauth::Pkce;
use openid4vc::oidc::SigningAlgorithm;
use openid4vc::uri::RedirectUri;
use openid4vc::{Secret, oauth};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `client_id` of a registered client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

/// A registered client.
///
/// Source: OpenID Connect Dynamic Client Registration 1.0 section 2, for the names.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name on the wire.
    pub id: ClientId,
    /// How it proves who it is at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Where a log-in may lead back to, compared character by character (RFC 9700 section 2.1).
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a log-out may lead back to.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `id_token_signed_response_alg`.
    pub id_token_alg: SigningAlgorithm,
    /// Whether it must use PKCE.
    pub pkce: Pkce,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug)]
pub enum ClientAuthentication {
    /// It cannot keep a secret; `token_endpoint_auth_method` is `none`.
    Public,
    /// By a shared secret, in the header or in the body.
    Secret(BearerHash),
}

impl ClientAuthentication {
    /// Takes the secret of a confidential client; only its hash stays.
    #[must_use]
    pub fn secret(secret: &str) -> ClientAuthentication {
        ClientAuthentication::Secret(BearerHash::of(BearerKind::ClientSecret, secret))
    }

    fn accepts(self, presented: Option<&Secret>) -> bool {
        match (self, presented) {
            (ClientAuthentication::Public, None) => true,
            (ClientAuthentication::Secret(hash), Some(presented)) => {
                BearerHash::of(BearerKind::ClientSecret, presented.expose()) == hash
            }
            // A public client that sends a secret is taken for another one.
            (ClientAuthentication::Public, Some(_)) | (ClientAuthentication::Secret(_), None) => {
                false
            }
        }
    }
}

/// All clients of the site.
#[derive(Clone, Debug)]
pub struct Clients(BTreeMap<ClientId, Client>);

impl Clients {
    /// Checks the registered clients.
    ///
    /// # Errors
    ///
    /// [`ClientsError`], with the client it is about.
    pub fn new(clients: Vec<Client>) -> Result<Clients, ClientsError> {
        let mut all = BTreeMap::new();
        for client in clients {
            check(&client)?;
            let id = client.id.clone();
            if all.insert(id.clone(), client).is_some() {
                return Err(ClientsError::Twice(id));
            }
        }
        Ok(Clients(all))
    }

    /// The client of this name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Client> {
        self.0.get(&ClientId(id.to_owned()))
    }

    /// The client that shows itself at the token endpoint; `None` where it fails to.
    #[must_use]
    pub fn authenticate(&self, presented: &oauth::ClientAuthentication) -> Option<&Client> {
        let client = self.find(presented.client_id())?;
        client
            .authentication
            .accepts(presented.secret())
            .then_some(client)
    }
}

/// Why a set of clients is unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientsError {
    /// Two clients have one name.
    #[error("client {} is registered twice", .0.0)]
    Twice(ClientId),
    /// A client has nowhere to lead back to.
    #[error("client {} has no redirect URI", .0.0)]
    NoRedirectUri(ClientId),
    /// A client without a secret is told that it needs no PKCE.
    #[error("client {} is public and must use PKCE", .0.0)]
    PublicWithoutPkce(ClientId),
}

fn check(client: &Client) -> Result<(), ClientsError> {
    if client.redirect_uris.is_empty() {
        return Err(ClientsError::NoRedirectUri(client.id.clone()));
    }
    match (client.authentication, client.pkce) {
        (ClientAuthentication::Public, Pkce::Optional) => {
            Err(ClientsError::PublicWithoutPkce(client.id.clone()))
        }
        (ClientAuthentication::Public, Pkce::Required)
        | (ClientAuthentication::Secret(_), Pkce::Required | Pkce::Optional) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(redirect_uri: &str) -> Client {
        Client {
            id: ClientId("forum".to_owned()),
            authentication: ClientAuthentication::secret("s"),
            redirect_uris: vec![RedirectUri::parse(redirect_uri).unwrap()],
            post_logout_redirect_uris: Vec::new(),
            id_token_alg: SigningAlgorithm::Es256,
            pkce: Pkce::Required,
        }
    }

    #[test]
    fn a_client_is_found_by_its_whole_name() {
        let clients = Clients::new(vec![client("https://forum.example/back")]).unwrap();
        assert!(clients.find("forum").is_some());
        assert!(clients.find("Forum").is_none());
        assert!(clients.find("").is_none());
    }

    #[test]
    fn a_name_stands_once_and_leads_somewhere() {
        let one = client("https://forum.example/back");
        let twice = Clients::new(vec![one.clone(), one.clone()]).unwrap_err();
        assert!(matches!(twice, ClientsError::Twice(_)));
        let nowhere = Client {
            redirect_uris: Vec::new(),
            ..one
        };
        let refused = Clients::new(vec![nowhere]).unwrap_err();
        assert!(matches!(refused, ClientsError::NoRedirectUri(_)));
    }

    fn with_secret(id: &str, secret: Option<&str>) -> oauth::ClientAuthentication {
        let client_id = id.to_owned();
        match secret {
            Some(secret) => oauth::ClientAuthentication::Post {
                client_id,
                secret: Secret::from(secret.to_owned()),
            },
            None => oauth::ClientAuthentication::Public { client_id },
        }
    }

    #[test]
    fn a_client_shows_itself_by_its_own_secret_or_none() {
        let mut public = client("https://forum.example/back");
        public.id = ClientId("public".to_owned());
        public.authentication = ClientAuthentication::Public;
        let clients = Clients::new(vec![client("https://forum.example/back"), public]).unwrap();
        let accepted = |id, secret| clients.authenticate(&with_secret(id, secret)).is_some();
        assert!(accepted("forum", Some("s")));
        assert!(accepted("public", None));
        assert!(!accepted("forum", Some("S")));
        assert!(!accepted("forum", None));
        assert!(!accepted("public", Some("s")));
        assert!(!accepted("other", Some("s")));
    }

    #[test]
    fn a_public_client_cannot_do_without_pkce() {
        let mut public = client("https://forum.example/back");
        public.authentication = ClientAuthentication::Public;
        public.pkce = Pkce::Optional;
        let refused = Clients::new(vec![public]).unwrap_err();
        assert!(matches!(refused, ClientsError::PublicWithoutPkce(_)));
    }
}
