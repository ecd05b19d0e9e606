//! An operator that issues certificates and a person whose wallet answers requests, without any
//! of the processes around them.

use bbs::certificate::{Certificate, NymCommitment, NymSecrets};
use credential::age::AgeAsked;
use credential::attributes::{Attributes, BirthDate, Generation, IssuedSlots, Item, ItemSet};
use credential::issuance::{self, Binding, Purpose, SignerEntropy};
use credential::jose::jws::UnverifiedJws;
use credential::jose::{Jwk, SigningKey, jwe, sha256};
use credential::manifest::{IssuerKey, Manifest};
use credential::origin::{Origin, SiteContext};
use credential::presentation::{Moment, RequestBinding, Wanted, create_sign_in, create_sign_up};
use credential::site_entry::{self, SiteEntry};
use credential::time::{Epoch, UnixTime};
use credential::web_number::WebNumber;
use getrandom::SysRng;
use openid4vc::form::compose;
use rand_core::UnwrapErr;
use serde_json::{Value, json};

/// Signs site entries and manifests, issues certificates.
pub(crate) struct Operator {
    pub(crate) origin: Origin,
    pub(crate) key: SigningKey,
    issuer: bbs::SecretKey,
}

impl Operator {
    pub(crate) fn new(origin: &str) -> Operator {
        Operator {
            origin: Origin::parse(origin).unwrap(),
            key: SigningKey::generate(),
            issuer: bbs::SecretKey::generate(&mut UnwrapErr(SysRng)),
        }
    }

    /// A manifest in which the same key serves the epoch of `now` and its neighbours.
    pub(crate) fn manifest(&self, now: UnixTime) -> String {
        let epoch = now.epoch();
        let keys = [epoch.previous(), epoch, epoch.next()].map(|epoch| self.issuer_key(epoch));
        Manifest::sign(&self.origin, &keys, now, &self.key)
    }

    pub(crate) fn issuer_key(&self, epoch: Epoch) -> IssuerKey {
        IssuerKey {
            epoch,
            key: self.issuer.public(),
        }
    }

    /// The entry of a site whose gateway is at `gateway` with this certificate hash.
    pub(crate) fn entry(&self, site: &str, gateway: (&str, &str), now: UnixTime) -> SiteEntry {
        SiteEntry {
            iss: self.origin.clone(),
            jti: "entry-1".into(),
            iat: now,
            exp: now.plus_secs(365 * 86_400),
            site: site_entry::Site {
                origin: Origin::parse(site).unwrap(),
                name: "Forum".into(),
                purpose: "One account for each person".into(),
                alternative: "Write to the desk".into(),
            },
            gateway: site_entry::Gateway {
                origin: Origin::parse(gateway.0).unwrap(),
                x509_hash: gateway.1.to_owned(),
            },
            items: vec![Item::FamilyName, Item::Birthdate],
            requires_certificate: false,
            age_over: None,
        }
    }

    /// Registers a person and issues a certificate of the epoch of `now`.
    pub(crate) fn enrol(&self, now: UnixTime) -> Person {
        let mut rng = UnwrapErr(SysRng);
        let wallet_key = SigningKey::generate();
        let binding = Binding {
            issuer: &self.origin,
            nonce: b"n1",
            purpose: Purpose::Register,
            device_key: wallet_key.public(),
        };
        let drawn = NymSecrets::draw(&mut rng);
        let (c, blind) = NymCommitment::commit(&drawn, &mut rng);
        let proof = issuance::prove_nym_commitment(&c, (&drawn, &blind), &binding, &mut rng);
        let c = issuance::verify_nym_commitment(&c.to_bytes(), &proof, &binding).unwrap();
        let entropy = SignerEntropy::draw(&mut rng);
        let (secrets, c) = (drawn.add_entropy(&entropy), c.add_entropy(&entropy));
        let slots = IssuedSlots {
            attributes: attributes(),
            web_number: WebNumber::of(&c),
            generation: Generation::First,
            device_key: *wallet_key.public(),
        };
        let challenge = (&self.origin, b"n2".as_slice());
        let asked = issuance::request(&slots, &c, (&secrets, &blind), challenge, &mut rng);
        let sent = (asked.commitment.as_slice(), asked.proof.as_slice());
        let epoch = now.epoch();
        let issued = issuance::issue(&self.issuer, epoch, &slots, &c, sent, challenge).unwrap();
        let key = IssuerKey {
            epoch,
            key: self.issuer.public(),
        };
        let own = (&secrets, &asked.blind);
        let certificate = issuance::receive(&issued.signature, &key, &slots, own).unwrap();
        Person {
            certificate,
            slots,
            secrets,
            epoch,
        }
    }
}

fn attributes() -> Attributes {
    Attributes {
        family_name: "SPECIMEN".into(),
        given_name: "ADA".into(),
        birthdate: BirthDate::new(1990, 2, 28).unwrap(),
        sex: "F".into(),
        nationality: "UTO".into(),
        document_class: "P".into(),
        document_number: "X0000001".into(),
        assurance_level: "substantial".into(),
        guardianship: None,
        place_of_birth: None,
    }
}

/// A person with a certificate.
pub(crate) struct Person {
    certificate: Certificate,
    slots: IssuedSlots,
    secrets: NymSecrets,
    epoch: Epoch,
}

/// A request as a wallet received it. Fields can be changed to answer something else.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) object: String,
    pub(crate) nonce: String,
    pub(crate) client_id: String,
    pub(crate) response_uri: String,
    pub(crate) state: String,
    pub(crate) key: Jwk,
    pub(crate) entry: SiteEntry,
    pub(crate) payload: Value,
}

impl Request {
    pub(crate) fn read(object: &str) -> Request {
        let jws = UnverifiedJws::parse(object).unwrap();
        let payload: Value = jws.unverified_payload().unwrap();
        let text = |name: &str| payload[name].as_str().unwrap().to_owned();
        let entry = payload["verifier_info"][0]["data"].as_str().unwrap();
        Request {
            object: object.to_owned(),
            nonce: text("nonce"),
            client_id: text("client_id"),
            response_uri: text("response_uri"),
            state: text("state"),
            key: serde_json::from_value(payload["client_metadata"]["jwks"]["keys"][0].clone())
                .unwrap(),
            entry: UnverifiedJws::parse(entry)
                .unwrap()
                .unverified_payload()
                .unwrap(),
            payload,
        }
    }

    fn binding(&self) -> RequestBinding<'_> {
        RequestBinding {
            nonce: &self.nonce,
            client_id: &self.client_id,
            response_uri: &self.response_uri,
            request_sha256: sha256(self.object.as_bytes()),
        }
    }

    fn context(&self) -> SiteContext {
        self.entry.context()
    }

    /// Encrypts an answer to the request's key and writes it as a form.
    pub(crate) fn seal(&self, payload: &Value) -> String {
        let parameters = jwe::Parameters {
            kid: self.key.kid.as_deref(),
            ..jwe::Parameters::A256GCM
        };
        let payload = serde_json::to_vec(payload).unwrap();
        let jwe = jwe::encrypt(&self.key.key, &parameters, &payload).unwrap();
        compose([("response", jwe.as_str())])
    }

    /// The form in which one presentation travels.
    pub(crate) fn form(&self, id: &str, presentation: &str) -> String {
        self.seal(&json!({ "vp_token": { id: [presentation] }, "state": self.state }))
    }

    /// The form by which a holder refuses.
    pub(crate) fn refusal(&self) -> String {
        self.seal(&json!({ "error": "access_denied", "state": self.state }))
    }

    /// The age the request asks to have proved.
    pub(crate) fn age(&self) -> Option<AgeAsked> {
        let credentials = self.payload["dcql_query"]["credentials"].as_array();
        let mut ages = credentials.unwrap().iter();
        let asked = ages.find_map(|c| c["meta"].get("age_over"))?;
        Some(serde_json::from_value(asked.clone()).unwrap())
    }

    /// The items the request asks a certificate for.
    pub(crate) fn items(&self) -> ItemSet {
        let credentials = self.payload["dcql_query"]["credentials"]
            .as_array()
            .unwrap();
        let certificate = credentials
            .iter()
            .find(|c| c["id"] == "certificate")
            .unwrap();
        let claims = certificate["claims"].as_array().unwrap();
        ItemSet::new(
            claims
                .iter()
                .map(|c| Item::parse(c["path"][0].as_str().unwrap()).unwrap()),
        )
    }
}

impl Person {
    /// Answers with the certificate: signs up, or brings a new device.
    pub(crate) fn sign_up(&self, device: &SigningKey, request: &Request) -> String {
        self.sign_up_with(device, request, &request.items())
    }

    pub(crate) fn sign_up_with(
        &self,
        device: &SigningKey,
        request: &Request,
        items: &ItemSet,
    ) -> String {
        request.form("certificate", &self.certificate(device, request, items))
    }

    /// The presentation of a certificate, not yet in its envelope.
    pub(crate) fn certificate(
        &self,
        device: &SigningKey,
        request: &Request,
        items: &ItemSet,
    ) -> String {
        self.showing(device, request, &Wanted { items, age: None })
    }

    /// Answers with the certificate and the proof of this age.
    pub(crate) fn prove_age(
        &self,
        device: &SigningKey,
        request: &Request,
        age: AgeAsked,
    ) -> String {
        let (items, age) = (&request.items(), Some(age));
        let presentation = self.showing(device, request, &Wanted { items, age });
        request.form("certificate_with_age", &presentation)
    }

    /// The presentation of a certificate that shows this.
    pub(crate) fn showing(
        &self,
        device: &SigningKey,
        request: &Request,
        wanted: &Wanted<'_>,
    ) -> String {
        create_sign_up(
            &self.certificate,
            (&self.slots, self.epoch),
            (&request.context(), &self.secrets),
            (&request.binding(), wanted),
            (device, Moment::Unlock),
            &mut UnwrapErr(SysRng),
        )
        .unwrap()
    }

    /// Answers with the account this device has.
    pub(crate) fn sign_in(&self, device: &SigningKey, request: &Request) -> String {
        request.form("account", &self.account(device, request))
    }

    /// The presentation of an account, not yet in its envelope.
    pub(crate) fn account(&self, device: &SigningKey, request: &Request) -> String {
        let device = (device, Moment::Possession);
        let binding = request.binding();
        create_sign_in(
            &self.secrets,
            &request.context(),
            &binding,
            device,
            &mut UnwrapErr(SysRng),
        )
        .unwrap()
    }
}
