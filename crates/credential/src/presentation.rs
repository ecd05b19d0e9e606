//! What a wallet shows a site: the sign-up by certificate and the sign-in to an account.
//!
//! Both are bound to the request as received: nonce, client, response address, SHA-256 of the
//! request, and to the key that this device keeps for this site alone.
//! Source: `docs/specs.md`, section "presentation".

use bbs::certificate::{
    self, AGE_PROOF_LEN, Asked, Certificate, Expected, NymSecrets, Presented, SIGN_IN_PROOF_LEN,
    SLOTS, prove_sign_in,
};
use bbs::pseudonym::Pseudonym;
use bbs::{G1_LEN, Scalar};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::age::AgeAsked;
use crate::attributes::{Generation, IssuedSlots, Item, ItemSet, item_text, slot_value};
use crate::issuance::issuer_header;
use crate::jose::{self, PublicKey, SigningKey, sha256};
use crate::manifest::{IssuerKeys, SUITE};
use crate::origin::SiteContext;
use crate::time::{Epoch, UnixTime};

/// `typ` of a sign-up.
const SIGN_UP: &str = "bauta-sign-up+jwp";
/// `typ` of a sign-in.
const SIGN_IN: &str = "bauta-sign-in";
/// Longest presentation that is looked at, in octets.
pub const PRESENTATION_MAX: usize = 16 * 1024;

/// What binds a presentation to one request.
#[derive(Clone, Debug)]
pub struct RequestBinding<'a> {
    /// The request's nonce.
    pub nonce: &'a str,
    /// Its `client_id`.
    pub client_id: &'a str,
    /// Its `response_uri`.
    pub response_uri: &'a str,
    /// SHA-256 over the request object's compact octets as sent.
    pub request_sha256: [u8; 32],
}

/// What a sign-up shows beside the pseudonym, fixed by the request.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The items to disclose.
    pub items: &'a ItemSet,
    /// The age to prove.
    pub age: Option<AgeAsked>,
}

impl Wanted<'_> {
    /// The latest day of birth, as a number in its slot.
    fn born_by(&self) -> Result<Option<u16>, PresentationError> {
        let born_by = self.age.map(AgeAsked::born_by).transpose();
        let born_by = born_by.map_err(|_| PresentationError::Invalid)?;
        Ok(born_by.map(|date| date.day_number()))
    }
}

/// How the wallet was opened for this presentation, as the wallet states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The device was at hand.
    Possession,
    /// The wallet was opened with its unlock secret.
    Unlock,
}

/// A sign-up that was verified.
pub struct SignUp {
    /// The person at this site.
    pub pseudonym: Pseudonym,
    /// First or later registration of the person.
    pub generation: Generation,
    /// The key this device keeps for this site.
    pub device_key: PublicKey,
    /// How the wallet was opened.
    pub moment: Moment,
    /// The disclosed items other than the generation; empty where the certificate has none.
    pub items: Vec<(Item, Zeroizing<String>)>,
}

/// A sign-in that was verified; whether the device belongs to the account is for the caller.
pub struct SignIn {
    /// The person at this site.
    pub pseudonym: Pseudonym,
    /// The key this device keeps for this site.
    pub device_key: PublicKey,
    /// How the wallet was opened.
    pub moment: Moment,
}

/// A presentation was refused. It says no more on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PresentationError {
    /// It answers another request: nonce, client, response address or request differ.
    #[error("presentation answers another request")]
    Binding,
    /// It discloses other items than were asked for.
    #[error("presentation discloses other items than requested")]
    Items,
    /// It proves an age that was not asked for, or none where one was.
    #[error("presentation proves an age unasked, or not the one requested")]
    Age,
    /// Form, proof or signature do not hold.
    #[error("presentation is not valid")]
    Invalid,
}

impl From<bbs::Invalid> for PresentationError {
    fn from(_: bbs::Invalid) -> PresentationError {
        PresentationError::Invalid
    }
}

/// The presentation header, in this order of members for everybody.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    nonce: String,
    aud: String,
    response_uri: String,
    request_sha256: String,
    pseudonym: String,
    device_key: PublicKey,
    moment: Moment,
}

impl Header {
    fn new(
        typ: &str,
        binding: &RequestBinding<'_>,
        pseudonym: &Pseudonym,
        device: (&SigningKey, Moment),
    ) -> Header {
        Header {
            alg: SUITE.to_owned(),
            typ: typ.to_owned(),
            nonce: binding.nonce.to_owned(),
            aud: binding.client_id.to_owned(),
            response_uri: binding.response_uri.to_owned(),
            request_sha256: jose::encode(binding.request_sha256),
            pseudonym: jose::encode(pseudonym.to_bytes()),
            device_key: *device.0.public(),
            moment: device.1,
        }
    }

    fn to_octets(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings serialise")
    }

    /// Reads a header and checks that it answers the request of `binding`.
    fn parse(
        octets: &[u8],
        typ: &str,
        binding: &RequestBinding<'_>,
    ) -> Result<Header, PresentationError> {
        let header: Header =
            serde_json::from_slice(octets).map_err(|_| PresentationError::Invalid)?;
        // Members in another order, or spelt otherwise, would tell people apart.
        if header.to_octets() != octets || header.alg != SUITE || header.typ != typ {
            return Err(PresentationError::Invalid);
        }
        let same = header.nonce == binding.nonce
            && header.aud == binding.client_id
            && header.response_uri == binding.response_uri
            && header.request_sha256 == jose::encode(binding.request_sha256);
        if same {
            Ok(header)
        } else {
            Err(PresentationError::Binding)
        }
    }

    fn pseudonym(&self) -> Result<Pseudonym, PresentationError> {
        let octets: [u8; G1_LEN] = octets(&self.pseudonym)?;
        Ok(Pseudonym::from_bytes(&octets)?)
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        self.pseudonym.zeroize();
    }
}

/// Wallet: signs up at (or brings a new device to) the site of `context`.
///
/// # Errors
///
/// [`PresentationError::Invalid`] where the holder is too young for the age asked for, the age is
/// outside its range or asked for beside the date of birth; else with negligible probability.
pub fn create_sign_up(
    certificate: &Certificate,
    slots: (&IssuedSlots, Epoch),
    context: (&SiteContext, &NymSecrets),
    request: (&RequestBinding<'_>, &Wanted<'_>),
    device: (&SigningKey, Moment),
    rng: &mut impl CryptoRng,
) -> Result<String, PresentationError> {
    let (binding, wanted) = request;
    let (site, secrets) = context;
    let pseudonym = secrets.pseudonym(site.context())?;
    let header = Header::new(SIGN_UP, binding, &pseudonym, device).to_octets();
    let asked = Asked {
        context: site.context(),
        ph: &header,
        disclosed: &wanted.items.slots(),
        born_by: wanted.born_by()?,
    };
    let Presented { proof, age, .. } = certificate.present(&asked, rng)?;
    let signature = device.0.sign(&device_message(&header, &proof));
    let proofs = [Some(jose::encode(&proof)), age.map(jose::encode)];
    let proofs = proofs.into_iter().chain([Some(jose::encode(signature))]);
    let proofs: Vec<String> = proofs.flatten().collect();
    Ok(format!(
        "{}.{}.{}.{}",
        jose::encode(&header),
        jose::encode(issuer_header(slots.1)),
        payloads(slots.0, wanted.items),
        proofs.join("~"),
    ))
}

/// One payload a slot, disclosed ones in base64url, the others empty.
fn payloads(slots: &IssuedSlots, items: &ItemSet) -> String {
    let mut all = vec![String::new(); SLOTS];
    for item in items.iter() {
        if let Some(payload) = all.get_mut(item.slot()) {
            *payload = jose::encode(slots.payload(item));
        }
    }
    all.join("~")
}

/// Verifier: checks a sign-up against exactly what was asked for, at the time beside the keys.
///
/// # Errors
///
/// The variants of [`PresentationError`].
pub fn verify_sign_up(
    presentation: &str,
    issuer: (&IssuerKeys, UnixTime),
    context: &SiteContext,
    binding: &RequestBinding<'_>,
    wanted: &Wanted<'_>,
) -> Result<SignUp, PresentationError> {
    let parts = SignUpParts::parse(presentation)?;
    let header = Header::parse(&parts.header, SIGN_UP, binding)?;
    let disclosed = disclosed_payloads(parts.payloads, wanted.items)?;
    if parts.age.is_some() != wanted.age.is_some() {
        return Err(PresentationError::Age);
    }
    let pseudonym = header.pseudonym()?;
    let key = issuer
        .0
        .accepted(issuer.1)
        .find(|key| issuer_header(key.epoch) == parts.issuer_header)
        .ok_or(PresentationError::Invalid)?;
    let expected = Expected {
        issuer: &key.key,
        header: &parts.issuer_header,
        context: context.context(),
        ph: &parts.header,
        born_by: wanted.born_by()?,
    };
    let values = disclosed
        .iter()
        .map(|(item, payload)| Some((item.slot(), slot_value(*item, payload)?)))
        .collect::<Option<Vec<(usize, Scalar)>>>()
        .ok_or(PresentationError::Invalid)?;
    let presented = Presented {
        pseudonym,
        proof: parts.proof,
        age: parts.age,
    };
    certificate::verify_presentation(&expected, &presented, &values)?;
    header
        .device_key
        .verify(
            &device_message(&parts.header, &presented.proof),
            &parts.signature,
        )
        .map_err(|_| PresentationError::Invalid)?;
    accepted_sign_up(&header, presented.pseudonym, &disclosed)
}

fn accepted_sign_up(
    header: &Header,
    pseudonym: Pseudonym,
    disclosed: &[Disclosed],
) -> Result<SignUp, PresentationError> {
    let mut generation = None;
    let mut items = Vec::new();
    for (item, payload) in disclosed {
        let text = item_text(*item, payload).ok_or(PresentationError::Invalid)?;
        if *item == Item::Generation {
            generation = Generation::parse(&text);
        } else {
            items.push((*item, text));
        }
    }
    Ok(SignUp {
        pseudonym,
        generation: generation.ok_or(PresentationError::Invalid)?,
        device_key: header.device_key,
        moment: header.moment,
        items,
    })
}

/// The parts of a presented form.
struct SignUpParts<'a> {
    header: Vec<u8>,
    issuer_header: Vec<u8>,
    payloads: &'a str,
    proof: Vec<u8>,
    age: Option<[u8; AGE_PROOF_LEN]>,
    signature: Vec<u8>,
}

impl<'a> SignUpParts<'a> {
    fn parse(presentation: &'a str) -> Result<SignUpParts<'a>, PresentationError> {
        if presentation.len() > PRESENTATION_MAX {
            return Err(PresentationError::Invalid);
        }
        let parts: Vec<&str> = presentation.split('.').collect();
        let [header, issuer_header, payloads, proofs] = parts.as_slice() else {
            return Err(PresentationError::Invalid);
        };
        let (proof, rest) = proofs.split_once('~').ok_or(PresentationError::Invalid)?;
        let (age, signature) = match rest.split_once('~') {
            Some((age, signature)) => (Some(octets(age)?), signature),
            None => (None, rest),
        };
        let decode = |text: &str| jose::decode(text).map_err(|_| PresentationError::Invalid);
        Ok(SignUpParts {
            header: decode(header)?,
            issuer_header: decode(issuer_header)?,
            payloads,
            proof: decode(proof)?,
            age,
            signature: decode(signature)?,
        })
    }
}

/// A disclosed item and its payload.
type Disclosed = (Item, Zeroizing<Vec<u8>>);

/// The payloads of exactly the asked-for items, in slot order.
fn disclosed_payloads(
    payloads: &str,
    items: &ItemSet,
) -> Result<Vec<Disclosed>, PresentationError> {
    let all: Vec<&str> = payloads.split('~').collect();
    if all.len() != SLOTS {
        return Err(PresentationError::Invalid);
    }
    let mut disclosed = Vec::new();
    for (slot, payload) in all
        .iter()
        .enumerate()
        .filter(|(_, payload)| !payload.is_empty())
    {
        let item = items
            .iter()
            .find(|item| item.slot() == slot)
            .ok_or(PresentationError::Items)?;
        let octets = jose::decode(payload).map_err(|_| PresentationError::Invalid)?;
        disclosed.push((item, Zeroizing::new(octets)));
    }
    if disclosed.len() == items.iter().count() {
        Ok(disclosed)
    } else {
        Err(PresentationError::Items)
    }
}

/// Wallet: signs in to the account that this device has at the site of `context`.
///
/// # Errors
///
/// [`PresentationError::Invalid`] with negligible probability.
pub fn create_sign_in(
    secrets: &NymSecrets,
    context: &SiteContext,
    binding: &RequestBinding<'_>,
    device: (&SigningKey, Moment),
    rng: &mut impl CryptoRng,
) -> Result<String, PresentationError> {
    let pseudonym = secrets.pseudonym(context.context())?;
    let header = Header::new(SIGN_IN, binding, &pseudonym, device).to_octets();
    let (_, proof) = prove_sign_in(secrets, context.context(), &header, rng)?;
    let signature = device.0.sign(&device_message(&header, &proof));
    let parts = [
        jose::encode(&header),
        jose::encode(proof),
        jose::encode(signature),
    ];
    Ok(parts.join("."))
}

/// Verifier: checks a sign-in. It needs no key of the operator and no certificate.
///
/// # Errors
///
/// [`PresentationError::Binding`] or [`PresentationError::Invalid`].
pub fn verify_sign_in(
    presentation: &str,
    context: &SiteContext,
    binding: &RequestBinding<'_>,
) -> Result<SignIn, PresentationError> {
    if presentation.len() > PRESENTATION_MAX {
        return Err(PresentationError::Invalid);
    }
    let parts: Vec<&str> = presentation.split('.').collect();
    let [header_text, proof, signature] = parts.as_slice() else {
        return Err(PresentationError::Invalid);
    };
    let header_octets = jose::decode(header_text).map_err(|_| PresentationError::Invalid)?;
    let header = Header::parse(&header_octets, SIGN_IN, binding)?;
    let proof: [u8; SIGN_IN_PROOF_LEN] = octets(proof)?;
    let signature: [u8; 64] = octets(signature)?;
    header
        .device_key
        .verify(&device_message(&header_octets, &proof), &signature)
        .map_err(|_| PresentationError::Invalid)?;
    let pseudonym = header.pseudonym()?;
    certificate::verify_sign_in(&pseudonym, context.context(), &header_octets, &proof)?;
    Ok(SignIn {
        pseudonym,
        device_key: header.device_key,
        moment: header.moment,
    })
}

/// What the site device key signs: the header, and the proof made for it.
fn device_message(header: &[u8], proof: &[u8]) -> Vec<u8> {
    [
        b"bauta/v1/device".as_slice(),
        &sha256(header),
        &sha256(proof),
    ]
    .concat()
}

fn octets<const N: usize>(text: &str) -> Result<[u8; N], PresentationError> {
    jose::decode(text)
        .ok()
        .and_then(|octets| octets.try_into().ok())
        .ok_or(PresentationError::Invalid)
}

#[cfg(test)]
mod tests;
