//! Keys, a person and a site that are the same in every process, so that stored inputs stay good.
//! Everything here is made up and protects nothing.

use std::sync::LazyLock;

use bbs::certificate::{
    Blind, Certificate, KeptCommitment, NymCommitment, NymSecrets, SignerEntropy,
};
use credential::attributes::{Attributes, BirthDate, Generation, IssuedSlots};
use credential::issuance::{self, SlotRequest};
use credential::jose::jwe::DecryptionKey;
use credential::jose::jws::{self, Header};
use credential::jose::{SigningKey, encode};
use credential::manifest::{IssuerKey, IssuerKeys, Manifest};
use credential::origin::{Origin, SiteContext};
use credential::presentation::RequestBinding;
use credential::site_entry::{Gateway, Site, SiteEntry};
use credential::time::UnixTime;
use credential::web_number::WebNumber;
use openid4vc::vp::ClientId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);

/// A generator that draws the same in every process.
pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

pub(crate) fn origin() -> Origin {
    Origin::parse("https://operator.example:443").expect("an origin")
}

pub(crate) fn decryption_key() -> DecryptionKey {
    DecryptionKey::from_bytes(&[9; 32]).expect("a scalar")
}

/// The operator's, an officer's, a gateway's and a device's key.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    // PKCS #8 of a P-256 key: a fixed frame around scalar and point.
    const HEAD: &[u8] = b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
        \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20";
    const MIDDLE: &[u8] = b"\xa1\x44\x03\x42\x00";
    let scalar = [5; 32];
    let public = *DecryptionKey::from_bytes(&scalar)
        .expect("a scalar")
        .public();
    let der = [HEAD, &scalar, MIDDLE, &public.sec1()].concat();
    SigningKey::from_pkcs8(&der).expect("a key")
});

/// A person with a certificate, and the operator's keys.
pub(crate) struct World {
    pub(crate) issuer: bbs::SecretKey,
    pub(crate) secrets: NymSecrets,
    pub(crate) blind: Blind,
    pub(crate) commitment: NymCommitment,
    pub(crate) k: KeptCommitment,
    pub(crate) slots: IssuedSlots,
    pub(crate) request: SlotRequest,
    pub(crate) signature: Vec<u8>,
    pub(crate) certificate: Certificate,
    pub(crate) keys: IssuerKeys,
    pub(crate) site: SiteContext,
}

impl World {
    pub(crate) fn issuer_key(&self) -> IssuerKey {
        IssuerKey {
            epoch: NOW.epoch(),
            key: self.issuer.public(),
        }
    }
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut rng = rng();
    let issuer = bbs::SecretKey::generate(&mut rng);
    let drawn = NymSecrets::draw(&mut rng);
    let (first, blind) = NymCommitment::commit(&drawn, &mut rng);
    let entropy = SignerEntropy::draw(&mut rng);
    let (secrets, commitment) = (drawn.add_entropy(&entropy), first.add_entropy(&entropy));
    let slots = IssuedSlots {
        attributes: attributes(),
        web_number: WebNumber::of(&commitment),
        generation: Generation::First,
        device_key: *KEY.public(),
    };
    let (opening, origin) = ((&secrets, &blind), origin());
    let server = (&origin, b"n".as_slice());
    let request = issuance::request(&slots, &commitment, opening, server, &mut rng);
    let sent = (request.commitment.as_slice(), request.proof.as_slice());
    let epoch = NOW.epoch();
    let issued = issuance::issue(&issuer, epoch, &slots, &commitment, sent, server)
        .expect("an honest request");
    let issuer_key = IssuerKey {
        epoch,
        key: issuer.public(),
    };
    let own = (&secrets, &request.blind);
    let certificate =
        issuance::receive(&issued.signature, &issuer_key, &slots, own).expect("an honest issuer");
    let manifest = Manifest::sign(&origin, &[issuer_key], NOW, &KEY);
    let manifest =
        Manifest::verify(&manifest, &origin, KEY.public(), NOW).expect("an honest operator");
    World {
        keys: manifest.keys().clone(),
        site: site_entry().context(),
        signature: issued.signature.to_vec(),
        k: KeptCommitment::from_bytes(&issued.commitment).expect("an honest issuer"),
        issuer,
        secrets,
        blind,
        commitment,
        slots,
        request,
        certificate,
    }
});

pub(crate) fn attributes() -> Attributes {
    Attributes {
        family_name: "SPECIMEN".into(),
        given_name: "ADA".into(),
        birthdate: BirthDate::new(1990, 2, 28).expect("a date"),
        sex: "F".into(),
        nationality: "UTO".into(),
        document_class: "P".into(),
        document_number: "X0000001".into(),
        assurance_level: "substantial".into(),
        guardianship: None,
        place_of_birth: None,
    }
}

pub(crate) fn binding() -> RequestBinding<'static> {
    RequestBinding {
        nonce: "n1",
        client_id: "x509_hash:abc",
        response_uri: "https://login.forum.example/response/1",
        request_sha256: [7; 32],
    }
}

pub(crate) fn site_entry() -> SiteEntry {
    SiteEntry {
        iss: origin(),
        jti: "1".into(),
        iat: UnixTime(NOW.0 - 100),
        exp: UnixTime(NOW.0 + 1_000_000),
        site: Site {
            origin: Origin::parse("https://forum.example").expect("an origin"),
            name: "Forum".into(),
            purpose: "one account per person".into(),
            alternative: "at the desk".into(),
        },
        gateway: Gateway {
            origin: Origin::parse("https://login.forum.example").expect("an origin"),
            x509_hash: encode(client_id().hash()),
        },
        items: vec![credential::attributes::Item::Sex],
        requires_certificate: false,
        age_over: None,
    }
}

pub(crate) fn client_id() -> ClientId {
    ClientId::of_certificate(&REQUEST_CERTIFICATE)
}

/// A certificate over [`KEY`]; nobody judges who signed it.
pub(crate) static REQUEST_CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let ecdsa = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let name = b"\x30\x13\x31\x11\x30\x0f\x06\x03\x55\x04\x03\x0c\x08specimen";
    let validity = b"\x30\x1e\x17\x0d260101000000Z\x17\x0d360101000000Z";
    let key = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
        \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let body = [
        b"\xa0\x03\x02\x01\x02\x02\x01\x01".as_slice(),
        ecdsa,
        name,
        validity,
        name,
        key,
        &KEY.public().sec1(),
    ];
    let signature = b"\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01";
    sequence(&[&sequence(&body), ecdsa, signature])
});

/// A SEQUENCE in DER of 128 to 65,535 octets.
fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("a certificate is short");
    let head = match length.to_be_bytes() {
        [0, low] => vec![0x30, 0x81, low],
        [high, low] => vec![0x30, 0x82, high, low],
    };
    [head, content].concat()
}

/// The first part of a JWS with this header.
pub(crate) fn jws_header(header: &Header) -> String {
    let compact = jws::sign_with_header(&KEY, header, &());
    let (header, _) = compact.split_once('.').expect("a JWS has parts");
    header.to_owned()
}

/// `payload`, whatever it is, under a signature that holds.
pub(crate) fn signed(header: &Header, payload: &[u8]) -> String {
    let input = format!("{}.{}", jws_header(header), encode(payload));
    let signature = KEY.sign(input.as_bytes());
    format!("{input}.{}", encode(signature))
}

/// As [`signed`], with a header of the type alone.
pub(crate) fn signed_as(typ: &str, payload: &[u8]) -> String {
    signed(&Header::of_type(typ), payload)
}

/// The payload that a JWS carries, for seeds.
pub(crate) fn payload_of(compact: &str) -> Vec<u8> {
    let payload = compact.split('.').nth(1).expect("a JWS has parts");
    credential::jose::decode(payload).expect("a JWS is in base64url")
}
