//! What somebody can ask wallets who has a gateway's keys and site entry.

use std::path::Path;

use credential::age::AgeAsked;
use credential::jose::SigningKey;
use credential::jose::jwe::DecryptionKey;
use credential::time::UnixTime;
use openid4vc::uri::HttpsUri;
use openid4vc::vp::sign_in::{self, Ask, SITE_ENTRY_FORMAT};
use openid4vc::vp::{ClientMetadata, PostedResponse, RequestLink, RequestObject, RequestSigner};
use serde_json::json;
use server::demo::deployment::Party;
use zeroize::Zeroizing;

use crate::world::{World, site_of};

/// How long a request is good for, in seconds.
const TTL_SECS: u64 = 60;

/// Somebody with a gateway's request key.
pub struct GatewayKeys {
    /// Signs like the gateway.
    pub signer: RequestSigner,
    /// The gateway's origin.
    pub origin: String,
    /// The site entry as the gateway carries it.
    pub entry: String,
    /// The items the site may ask for, the generation among them.
    pub items: Vec<&'static str>,
    key: DecryptionKey,
}

impl GatewayKeys {
    /// Reads the keys from the gateway's folder.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub fn read(world: &World, gateway: Party) -> anyhow::Result<GatewayKeys> {
        let folder = world.deployment().folder_of(gateway);
        let key = SigningKey::from_pkcs8(&pem(&folder.join("request.key"))?)?;
        Ok(GatewayKeys {
            signer: RequestSigner::new(key, vec![pem(&folder.join("request.pem"))?])?,
            origin: world.deployment().origin(gateway),
            entry: std::fs::read_to_string(folder.join("site-entry.jwt"))?
                .trim()
                .to_owned(),
            items: [&["generation"], site_of(gateway)?.items].concat(),
            key: DecryptionKey::generate(),
        })
    }

    /// What the gateway would ask, answered to a key of this reader's own.
    ///
    /// # Errors
    ///
    /// When the origin is no address.
    pub fn ask(&self, now: UnixTime) -> anyhow::Result<RequestObject> {
        Ok(self
            .ask_without_entry(&self.items, now)?
            .with_attestation(SITE_ENTRY_FORMAT, json!(self.entry)))
    }

    /// The same for other items, with nobody who vouches for the site.
    ///
    /// # Errors
    ///
    /// As [`GatewayKeys::ask`].
    pub fn ask_without_entry(
        &self,
        items: &[&str],
        now: UnixTime,
    ) -> anyhow::Result<RequestObject> {
        self.ask_for(items, None, now)
    }

    /// The same for items and an age, with nobody who vouches for the site.
    ///
    /// # Errors
    ///
    /// As [`GatewayKeys::ask`].
    pub fn ask_for(
        &self,
        items: &[&str],
        age: Option<AgeAsked>,
        now: UnixTime,
    ) -> anyhow::Result<RequestObject> {
        let metadata =
            ClientMetadata::new(*self.key.public(), &["bauta_account", "bauta_certificate"]);
        let query = sign_in::query(Ask::AccountOrCertificate, items, age)?;
        let uri = HttpsUri::parse(&format!("{}/wallet/x/qr/response", self.origin))?;
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let object = self.signer.request(uri, metadata, query, &mut rng);
        Ok(object.valid_for(now, TTL_SECS))
    }

    /// The link to a request.
    ///
    /// # Errors
    ///
    /// As [`GatewayKeys::ask`].
    pub fn link(&self) -> anyhow::Result<RequestLink> {
        Ok(RequestLink {
            client_id: self.signer.client_id(),
            request_uri: HttpsUri::parse(&format!("{}/wallet/x/qr/request", self.origin))?,
        })
    }

    /// What was encrypted to this reader, as it was written.
    ///
    /// # Errors
    ///
    /// When it was not, or to somebody else.
    pub fn open(&self, body: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let PostedResponse::Encrypted(jwe) = PostedResponse::parse(body)? else {
            anyhow::bail!("the wallet did not encrypt its response");
        };
        Ok(jwe.decrypt(&self.key)?)
    }
}

/// The DER in a PEM file.
///
/// # Errors
///
/// When the file cannot be read.
fn pem(path: &Path) -> anyhow::Result<Vec<u8>> {
    use base64::Engine as _;
    let text = std::fs::read_to_string(path)?;
    let lines: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    Ok(base64::engine::general_purpose::STANDARD.decode(lines)?)
}
