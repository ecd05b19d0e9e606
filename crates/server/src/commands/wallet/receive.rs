//! Fetching the certificate: OpenID4VCI 1.0 with a pre-authorized code.

use credential::attributes::Attributes;
use credential::jose::SigningKey;
use credential::manifest::{IssuerKey, ManifestError};
use getrandom::SysRng;
use openid4vc::Secret;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{
    AuthorizationServerMetadata, CredentialOffer, CredentialResponse, IssuerMetadata,
    NonceResponse, PreAuthorizedRequest, WellKnown,
};
use rand_core::UnwrapErr;
use serde::Deserialize;
use wallet::enrol;
use wallet::vault::{ManifestRefused, StoredCertificate};

use super::enrol::{call, enrol_failure, unexpected};
use super::home::Home;
use super::renew::{clock_differs, pin_manifest};
use crate::client::HttpsClient;
use crate::clock;
use crate::failure::{Failure, refused};

/// Whom the certificate is for.
pub(super) struct Identity<'a> {
    /// What will be certified.
    pub(super) attributes: &'a Attributes,
    /// The capped generation.
    pub(super) generation: &'a str,
    /// The key of this device.
    pub(super) device: &'a SigningKey,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// Redeems the offer and puts the certificate into the vault.
pub(super) async fn run(
    home: &mut Home,
    client: &HttpsClient,
    offer: &CredentialOffer,
    transaction_code: Option<String>,
    identity: &Identity<'_>,
) -> Result<(), Failure> {
    let issuer = &offer.credential_issuer;
    let base = HttpsUri::parse(home.vault.operator.origin.as_str()).map_err(|_| unexpected())?;
    if issuer.origin() != base.origin() {
        return Err(unexpected());
    }
    let (metadata, token_endpoint) = fetch_metadata(client, issuer).await?;
    pin_manifest(home, client).await?;
    let token = redeem(client, offer, transaction_code, &token_endpoint).await?;
    let nonce_endpoint = metadata.nonce_endpoint.ok_or_else(unexpected)?;
    let nonce: NonceResponse =
        call(client, client.requests().post(nonce_endpoint.as_str())).await?;

    let person = home.vault.person.as_ref().ok_or_else(unexpected)?;
    let request = enrol::request_certificate(
        person,
        (identity.attributes, identity.generation),
        (
            &home.vault.operator.origin,
            &metadata.credential_issuer,
            &nonce.c_nonce,
        ),
        (identity.device, home.keys.newest()),
        clock::now(),
    )
    .map_err(enrol_failure)?;
    // Written first: whether the request arrived is not known when its answer is lost.
    home.vault.registered = true;
    home.save_vault()?;
    let post = client
        .requests()
        .post(metadata.credential_endpoint.as_str())
        .bearer_auth(token.access_token)
        .header("content-type", "application/json")
        .body(request.body.clone());
    let issued: CredentialResponse = call(client, post).await?;
    let issued = issued.single().ok_or_else(unexpected)?;
    let stored = receive(home, &request, issued)?;
    home.keys
        .keep_enrolled(stored, clock::now(), &mut UnwrapErr(SysRng));
    home.vault.renewal_refusal = None;
    home.save_keys()?;
    home.save_vault()
}

/// The certificate, verified. The operator may have come into the next week just now.
fn receive(
    home: &Home,
    request: &enrol::CertificateRequest,
    issued: &str,
) -> Result<StoredCertificate, Failure> {
    let person = home.vault.person.as_ref().ok_or_else(unexpected)?;
    let epoch = clock::now().epoch();
    let mut failure = unexpected();
    for epoch in [epoch, epoch.next(), epoch.previous()] {
        let Some(key) = home.vault.issuer_keys.of(epoch) else {
            continue;
        };
        match enrol::receive_certificate(request, person, issued, key) {
            Ok(stored) => return Ok(stored),
            Err(error) => failure = enrol_failure(error),
        }
    }
    Err(failure)
}

async fn fetch_metadata(
    client: &HttpsClient,
    issuer: &HttpsUri,
) -> Result<(IssuerMetadata, HttpsUri), Failure> {
    let fetch = async |document: WellKnown, issuer: &HttpsUri| -> Result<Vec<u8>, Failure> {
        let uri = document.of(issuer).map_err(|_| unexpected())?;
        let answer = client.send(client.requests().get(uri.as_str())).await?;
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(refused(&answer))
        }
    };
    let metadata = fetch(WellKnown::CredentialIssuer, issuer).await?;
    let metadata = IssuerMetadata::parse(&metadata, issuer).map_err(|_| unexpected())?;
    let server = metadata.authorization_server().clone();
    let document = fetch(WellKnown::AuthorizationServer, &server).await?;
    let document =
        AuthorizationServerMetadata::parse(&document, &server).map_err(|_| unexpected())?;
    Ok((metadata, document.token_endpoint))
}

async fn redeem(
    client: &HttpsClient,
    offer: &CredentialOffer,
    transaction_code: Option<String>,
    token_endpoint: &HttpsUri,
) -> Result<Token, Failure> {
    let grant = offer
        .grants
        .pre_authorized_code
        .as_ref()
        .ok_or_else(unexpected)?;
    let request = PreAuthorizedRequest {
        pre_authorized_code: Secret::from(grant.pre_authorized_code.expose().to_owned()),
        tx_code: transaction_code.map(Secret::from),
    };
    let post = client
        .requests()
        .post(token_endpoint.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(request.to_form().as_str().to_owned());
    call(client, post).await
}

/// Fetches the manifest and gives the key of the current epoch.
pub(super) async fn fetch_manifest(
    home: &mut Home,
    client: &HttpsClient,
) -> Result<IssuerKey, Failure> {
    let origin = &home.vault.operator.origin;
    let get = client
        .requests()
        .get(format!("{origin}/.well-known/bauta/manifest"));
    let answer = client.send(get).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    let compact = String::from_utf8(answer.body).map_err(|_| unexpected())?;
    let now = clock::now();
    let key = home
        .vault
        .accept_manifest(compact.trim(), now)
        .map_err(|error| match error {
            ManifestRefused::Invalid(ManifestError::Expired(theirs)) => clock_differs(theirs, now),
            ManifestRefused::Invalid(_) | ManifestRefused::Older | ManifestRefused::NoKey => {
                let next = "No certificate was asked for. Tell the operator.";
                Failure::new("manifest-invalid", error, next)
            }
            ManifestRefused::KeysChanged(_) => {
                let next = "No certificate was asked for. Tell others, not the operator alone: a key \
                    of your own would make you recognisable at every site.";
                Failure::new("issuer-key-changed", error, next)
            }
        })?;
    home.vault.plan_manifest(now, &mut UnwrapErr(SysRng));
    // Whatever comes of it: another key for these epochs is noticed from now on.
    home.save_vault()?;
    Ok(key)
}
