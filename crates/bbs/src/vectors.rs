//! The drafts' fixtures, byte for byte, and refusals derived from each of them.
//!
//! They are read from `$BAUTA_VECTORS` or `../shared/vectors` beside the project; where they are
//! absent the tests say so and pass, except with `CI=true`.

mod source;

use rand_core::SeedableRng;
use serde_json::Value;

use crate::blind::CommitmentWithProof;
use crate::blst::{EXPAND_LEN, G1, Scalar, expand_message};
use crate::proof::{
    NymStatement, Proof, ProofRandomness, Statement, header_with_nym, prove_with, verify,
};
use crate::pseudonym::{Context, Pseudonym};
use crate::suite::{CIPHERSUITE_ID, hash_to_scalar, p1};
use crate::{Interface, PublicKey, SecretKey, Signature, blind, signature};

const SUITE: &str = "bls12-381-sha-256";
/// Every so many octets one is changed; wasm has no assembly and would take minutes.
const STEP: usize = if cfg!(target_family = "wasm") { 61 } else { 1 };

/// The fixtures of one folder, by file name; `None` where the vectors are absent.
fn fixtures(folder: &str) -> Option<Vec<(String, Value)>> {
    let mut all: Vec<_> = source::read(folder)?
        .into_iter()
        .map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!all.is_empty());
    Some(all)
}

fn fixture(folder: &str, name: &str) -> Option<Value> {
    fixtures(folder)?
        .into_iter()
        .find(|(n, _)| n == name)
        .map(|(_, v)| v)
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    // Some scalars in the pseudonym fixtures lack their leading zero digit.
    let padded = if text.len() % 2 == 1 {
        format!("0{text}")
    } else {
        text.to_owned()
    };
    hex::decode(padded).unwrap()
}

fn optional_bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str().map(|_| bytes(value))
}

fn scalar(value: &Value) -> Scalar {
    let bytes = bytes(value);
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(&bytes);
    Scalar::from_bytes(&padded).unwrap()
}

fn list(value: &Value) -> Vec<Vec<u8>> {
    value
        .as_array()
        .map(|all| all.iter().map(bytes).collect())
        .unwrap_or_default()
}

fn scalars(interface: &Interface, messages: &[Vec<u8>]) -> Vec<Scalar> {
    messages
        .iter()
        .map(|m| interface.message_to_scalar(m))
        .collect()
}

/// The map index → message of the disclosed ones.
fn revealed(value: &Value) -> Vec<(usize, Vec<u8>)> {
    let mut all: Vec<_> = value
        .as_object()
        .map(|map| {
            map.iter()
                .map(|(k, v)| (k.parse().unwrap(), bytes(v)))
                .collect()
        })
        .unwrap_or_default();
    all.sort();
    all
}

fn seeded(seed: &[u8], dst: &[u8], count: usize) -> Vec<Scalar> {
    let mut out = vec![0; EXPAND_LEN * count];
    expand_message(seed, dst, &mut out);
    out.chunks(EXPAND_LEN).map(Scalar::reduce).collect()
}

fn mocked(fixture: &Value, step: &str, count: usize) -> Vec<Scalar> {
    let rng = &fixture["mockRngParameters"];
    let seed = rng["SEED"].as_str().unwrap().as_bytes();
    seeded(seed, rng[step]["DST"].as_str().unwrap().as_bytes(), count)
}

fn point_bytes(value: &Value) -> [u8; 48] {
    bytes(value).try_into().unwrap()
}

fn public_key(value: &Value) -> PublicKey {
    PublicKey::from_bytes(&bytes(value).try_into().unwrap()).unwrap()
}

fn parse_signature(value: &Value) -> Signature {
    Signature::from_bytes(&bytes(value).try_into().unwrap()).unwrap()
}

#[test]
fn keys_hashes_and_generators_are_those_of_the_fixtures() {
    let folder = format!("bbs/{SUITE}");
    let Some(keypair) = fixture(&folder, "keypair") else {
        return;
    };
    let key =
        SecretKey::from_key_material(&bytes(&keypair["keyMaterial"]), &bytes(&keypair["keyInfo"]))
            .unwrap();
    assert_eq!(
        key.expose().to_vec(),
        bytes(&keypair["keyPair"]["secretKey"])
    );
    assert_eq!(
        key.public().to_bytes().to_vec(),
        bytes(&keypair["keyPair"]["publicKey"])
    );

    let h2s = fixture(&folder, "h2s").unwrap();
    let hashed = hash_to_scalar(&bytes(&h2s["message"]), &bytes(&h2s["dst"]));
    assert_eq!(hashed.to_bytes().to_vec(), bytes(&h2s["scalar"]));

    let map = fixture(&folder, "MapMessageToScalarAsHash").unwrap();
    for case in map["cases"].as_array().unwrap() {
        let mapped = Interface::core().message_to_scalar(&bytes(&case["message"]));
        assert_eq!(mapped.to_bytes().to_vec(), bytes(&case["scalar"]));
    }
    let rng = fixture(&folder, "mockedRng").unwrap();
    let drawn = seeded(&bytes(&rng["seed"]), &bytes(&rng["dst"]), 10);
    assert_eq!(
        drawn
            .iter()
            .map(|s| s.to_bytes().to_vec())
            .collect::<Vec<_>>(),
        list(&rng["mockedScalars"])
    );

    let generators = fixture(&folder, "generators").unwrap();
    same_generators(&generators, &Interface::core());
    for (folder, interface) in [
        ("blind", Interface::blind()),
        ("pseudonym", Interface::pseudonym()),
    ] {
        let generators = fixture(&format!("{folder}/{SUITE}"), "generators").unwrap();
        same_generators(&generators["generators"], &interface);
        let expected = &generators["blindGenerators"];
        let ours = interface.blind_generators(list(&expected["MsgGenerators"]).len());
        assert_eq!(ours.points()[0].to_bytes(), point_bytes(&expected["Q1"]));
        assert_same_points(&ours.points()[1..], &expected["MsgGenerators"]);
    }
}

fn same_generators(expected: &Value, interface: &Interface) {
    let parameters = interface.parameters(list(&expected["MsgGenerators"]).len(), None);
    assert_eq!(p1().to_bytes(), point_bytes(&expected["P1"]));
    assert_eq!(parameters.q1().to_bytes(), point_bytes(&expected["Q1"]));
    assert_same_points(parameters.message_generators(), &expected["MsgGenerators"]);
}

fn assert_same_points(ours: &[G1], expected: &Value) {
    assert_eq!(
        ours.iter()
            .map(|g| g.to_bytes().to_vec())
            .collect::<Vec<_>>(),
        list(expected)
    );
}

#[test]
fn core_signatures_are_those_of_the_fixtures() {
    let Some(all) = fixtures(&format!("bbs/{SUITE}/signature")) else {
        return;
    };
    let interface = Interface::core();
    for (name, f) in all {
        let messages = scalars(&interface, &list(&f["messages"]));
        let parameters = interface.parameters(messages.len(), None);
        let key =
            SecretKey::from_bytes(&bytes(&f["signerKeyPair"]["secretKey"]).try_into().unwrap())
                .unwrap();
        let public = public_key(&f["signerKeyPair"]["publicKey"]);
        let header = bytes(&f["header"]);
        let given = parse_signature(&f["signature"]);
        let valid = f["result"]["valid"].as_bool().unwrap();
        let verified = signature::verify(&parameters, &public, &header, &messages, &given);
        assert_eq!(verified.is_ok(), valid, "{name}");
        if valid {
            let ours = signature::sign(&parameters, &key, &header, &messages).unwrap();
            assert_eq!(ours.to_bytes(), given.to_bytes(), "{name}");
        }
    }
}

#[test]
fn core_proofs_are_those_of_the_fixtures() {
    let Some(all) = fixtures(&format!("bbs/{SUITE}/proof")) else {
        return;
    };
    let interface = Interface::core();
    for (name, f) in all {
        let messages = scalars(&interface, &list(&f["messages"]));
        let parameters = interface.parameters(messages.len(), None);
        let issuer = public_key(&f["signerPublicKey"]);
        let (header, ph) = (bytes(&f["header"]), bytes(&f["presentationHeader"]));
        let statement = Statement {
            parameters: &parameters,
            issuer: &issuer,
            header: &header,
            ph: &ph,
            nym: None,
        };
        let disclosed: Vec<usize> = f["disclosedIndexes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| usize::try_from(i.as_u64().unwrap()).unwrap())
            .collect();
        let shown: Vec<_> = disclosed
            .iter()
            .filter_map(|i| Some((*i, *messages.get(*i)?)))
            .collect();
        let valid = f["result"]["valid"].as_bool().unwrap();
        let verified = Proof::from_bytes(&bytes(&f["proof"]))
            .and_then(|proof| verify(&statement, None, &proof, &shown));
        assert_eq!(verified.is_ok(), valid, "{name}: {}", f["caseName"]);
        if valid {
            let trace = &f["trace"]["random_scalars"];
            let mut random: Vec<_> = ["r1", "r2", "e_tilde", "r1_tilde", "r3_tilde"]
                .iter()
                .map(|key| scalar(&trace[*key]))
                .collect();
            random.extend(
                trace["m_tilde_scalars"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(scalar),
            );
            let given = parse_signature(&f["signature"]);
            let random = ProofRandomness::given(&random);
            let (ours, _) = prove_with(&statement, &given, &messages, &disclosed, random).unwrap();
            assert_eq!(ours.to_bytes(), bytes(&f["proof"]), "{name}");
        }
    }
}

#[test]
fn commitments_are_those_of_the_fixtures_and_refused_when_changed() {
    for (folder, interface) in [
        ("blind", Interface::blind()),
        ("pseudonym", Interface::pseudonym()),
    ] {
        let sub = if folder == "blind" {
            "commit"
        } else {
            "nymCommit"
        };
        let Some(all) = fixtures(&format!("{folder}/{SUITE}/{sub}")) else {
            return;
        };
        for (name, f) in all {
            let mut messages = scalars(&interface, &list(&f["committedMessages"]));
            if let Some(nyms) = f["proverNyms"].as_array() {
                messages.extend(nyms.iter().map(scalar));
            }
            let random = mocked(&f, "commit", messages.len() + 2);
            let (ours, blind) = CommitmentWithProof::commit_with(&interface, &messages, &random);
            let expected = bytes(&f["commitmentWithProof"]);
            assert_eq!(ours.to_bytes(), expected, "{name}");
            assert_eq!(
                blind.to_bytes().to_vec(),
                bytes(&f["proverBlind"]),
                "{name}"
            );

            let parameters = interface.parameters(0, Some(messages.len()));
            let key = SecretKey::generate(&mut rng());
            let sign = |octets: &[u8]| {
                CommitmentWithProof::from_bytes(octets)
                    .and_then(|c| blind::sign(&parameters, &key, b"", &[], Some(&c), None))
                    .map(|_| ())
            };
            assert!(sign(&expected).is_ok(), "{name}");
            for at in (0..expected.len()).step_by(STEP) {
                let mut changed = expected.clone();
                changed[at] ^= 1;
                assert!(sign(&changed).is_err(), "{name}: octet {at} changed");
            }
            assert!(
                sign(&expected[..expected.len() - 32]).is_err(),
                "{name}: truncated"
            );
        }
    }
}

#[test]
fn blind_signatures_are_those_of_the_fixtures() {
    let blind_set = fixtures(&format!("blind/{SUITE}/signature"));
    let nym_set = fixtures(&format!("pseudonym/{SUITE}/nymSignature"));
    let (Some(blind_set), Some(nym_set)) = (blind_set, nym_set) else {
        return;
    };
    let cases = blind_set.into_iter().chain(nym_set);
    for (name, f) in cases {
        let is_nym = f["proverNyms"].is_array();
        let interface = if is_nym {
            Interface::pseudonym()
        } else {
            Interface::blind()
        };
        let messages = scalars(&interface, &list(&f["messages"]));
        let mut committed = scalars(&interface, &list(&f["committedMessages"]));
        let nyms: Vec<_> = f["proverNyms"]
            .as_array()
            .into_iter()
            .flatten()
            .map(scalar)
            .collect();
        committed.extend(&nyms);
        let header = if is_nym {
            header_with_nym(&bytes(&f["header"]), nyms.len())
        } else {
            bytes(&f["header"])
        };
        let entropy = is_nym.then(|| scalar(&f["signer_nym_entropy"]));
        let parameters = interface.parameters(messages.len(), Some(committed.len()));
        let key =
            SecretKey::from_bytes(&bytes(&f["signerKeyPair"]["secretKey"]).try_into().unwrap())
                .unwrap();
        let commitment = optional_bytes(&f["commitmentWithProof"])
            .map(|octets| CommitmentWithProof::from_bytes(&octets).unwrap());
        let ours = blind::sign(
            &parameters,
            &key,
            &header,
            &messages,
            commitment.as_ref(),
            entropy.as_ref(),
        )
        .unwrap();
        assert_eq!(ours.to_bytes().to_vec(), bytes(&f["signature"]), "{name}");

        let blind = optional_bytes(&f["proverBlind"])
            .map_or(Scalar::default(), |_| scalar(&f["proverBlind"]));
        if let (Some(last), Some(entropy)) = (committed.last_mut(), entropy) {
            *last = *last + entropy;
            assert_eq!(
                last.to_bytes(),
                scalar(f["nym_secrets"].as_array().unwrap().last().unwrap()).to_bytes()
            );
        }
        let all = [messages, vec![blind], committed].concat();
        assert!(
            signature::verify(&parameters, &key.public(), &header, &all, &ours).is_ok(),
            "{name}"
        );
        assert!(
            signature::verify(&parameters, &key.public(), b"other", &all, &ours).is_err(),
            "{name}"
        );
    }
}

/// One blind or pseudonym proof fixture, ready to prove and verify.
struct ProofCase {
    name: String,
    fixture: Value,
    parameters: crate::Parameters,
    messages: Vec<Scalar>,
    disclosed: Vec<(usize, Scalar)>,
    nym_secrets: usize,
}

fn proof_cases() -> Vec<ProofCase> {
    let blind_set = fixtures(&format!("blind/{SUITE}/proof")).unwrap_or_default();
    let nym_set = fixtures(&format!("pseudonym/{SUITE}/nymProof")).unwrap_or_default();
    blind_set
        .into_iter()
        .chain(nym_set)
        .map(|(name, f)| proof_case(name, f))
        .collect()
}

fn proof_case(name: String, f: Value) -> ProofCase {
    let nyms: Vec<_> = f["nym_secrets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(scalar)
        .collect();
    let interface = if nyms.is_empty() {
        Interface::blind()
    } else {
        Interface::pseudonym()
    };
    let l = usize::try_from(f["L"].as_u64().unwrap()).unwrap();
    let mut disclosed: Vec<_> = revealed(&f["revealedMessages"])
        .into_iter()
        .map(|(i, m)| (i, interface.message_to_scalar(&m)))
        .collect();
    disclosed.extend(
        revealed(&f["revealedCommittedMessages"])
            .into_iter()
            .map(|(j, m)| (l + 1 + j, interface.message_to_scalar(&m))),
    );
    // The blind fixtures do not repeat the messages: those that are not revealed are the first
    // ones of the drafts' common list, which `messages` of the others holds.
    let blind = f["proverBlind"]
        .as_str()
        .map_or(Scalar::default(), |_| scalar(&f["proverBlind"]));
    let messages = [
        scalars(&interface, &list(&f["messages"])),
        vec![blind],
        scalars(&interface, &list(&f["committedMessages"])),
        nyms.clone(),
    ]
    .concat();
    let hidden = (bytes(&f["proof"]).len() - 3 * 48 - 4 * 32) / 32;
    let total = hidden + disclosed.len();
    let parameters = interface.parameters(l, Some(total - l - 1));
    ProofCase {
        name,
        fixture: f,
        parameters,
        messages,
        disclosed,
        nym_secrets: nyms.len(),
    }
}

#[test]
fn blind_and_pseudonym_proofs_are_those_of_the_fixtures_and_refused_when_changed() {
    for case in proof_cases() {
        let f = &case.fixture;
        let issuer = public_key(&f["signerPublicKey"]);
        let (header, ph) = (bytes(&f["header"]), bytes(&f["presentationHeader"]));
        let statement = Statement {
            parameters: &case.parameters,
            issuer: &issuer,
            header: &header,
            ph: &ph,
            nym: None,
        };
        let octets = bytes(&f["proof"]);
        assert!(
            check(&case, &statement, &octets, &case.disclosed),
            "{}",
            case.name
        );

        for at in (0..octets.len()).step_by(7 * STEP) {
            let mut changed = octets.clone();
            changed[at] ^= 1;
            assert!(
                !check(&case, &statement, &changed, &case.disclosed),
                "{}: octet {at}",
                case.name
            );
        }
        assert!(!check(
            &case,
            &statement,
            &octets[..octets.len() - 32],
            &case.disclosed
        ));
        for i in 0..case.disclosed.len() {
            let mut other = case.disclosed.clone();
            other[i].1 = other[i].1 + Scalar::from_u128(1);
            assert!(
                !check(&case, &statement, &octets, &other),
                "{}: message {i}",
                case.name
            );
            let mut fewer = case.disclosed.clone();
            fewer.remove(i);
            assert!(
                !check(&case, &statement, &octets, &fewer),
                "{}: without {i}",
                case.name
            );
        }
        let other_header = Statement {
            header: b"other",
            ..statement
        };
        assert!(
            !check(&case, &other_header, &octets, &case.disclosed),
            "{}",
            case.name
        );
        let other_ph = Statement {
            ph: b"other",
            ..statement
        };
        assert!(
            !check(&case, &other_ph, &octets, &case.disclosed),
            "{}",
            case.name
        );
        let stranger = SecretKey::generate(&mut rng()).public();
        let other_issuer = Statement {
            issuer: &stranger,
            ..statement
        };
        assert!(
            !check(&case, &other_issuer, &octets, &case.disclosed),
            "{}",
            case.name
        );
    }
}

fn check(
    case: &ProofCase,
    statement: &Statement<'_>,
    octets: &[u8],
    shown: &[(usize, Scalar)],
) -> bool {
    let Ok(proof) = Proof::from_bytes(octets) else {
        return false;
    };
    if case.nym_secrets == 0 {
        return verify(statement, None, &proof, shown).is_ok();
    }
    let context = Context::new(&bytes(&case.fixture["context_id"]));
    let statement = Statement {
        nym: Some(NymStatement {
            context: &context,
            nym_secrets: case.nym_secrets,
        }),
        ..*statement
    };
    let pseudonym = Pseudonym::from_bytes(&point_bytes(&case.fixture["pseudonym"])).unwrap();
    verify(&statement, Some(&pseudonym), &proof, shown).is_ok()
}

#[test]
fn proofs_with_the_fixtures_randomness_are_equal_to_the_octet() {
    let mut proved = 0;
    for case in proof_cases() {
        let f = &case.fixture;
        if case.messages.len() != case.parameters.message_generators().len() {
            continue; // blind fixtures without their hidden messages
        }
        let issuer = public_key(&f["signerPublicKey"]);
        let (header, ph) = (bytes(&f["header"]), bytes(&f["presentationHeader"]));
        let statement = Statement {
            parameters: &case.parameters,
            issuer: &issuer,
            header: &header,
            ph: &ph,
            nym: None,
        };
        let trace = &f["trace"]["random_scalars"];
        let key = |a: &str, b: &str| {
            scalar(if trace[a].is_string() {
                &trace[a]
            } else {
                &trace[b]
            })
        };
        let mut random = vec![
            key("r1", "r1"),
            key("r2", "r2"),
            key("e_tilde", "e_Tilde"),
            key("r1_tilde", "r1_Tilde"),
            key("r3_tilde", "r3_Tilde"),
        ];
        random.extend(
            trace["m_tilde_scalars"]
                .as_array()
                .unwrap()
                .iter()
                .map(scalar),
        );
        let random = ProofRandomness::given(&random);
        let indexes: Vec<_> = case.disclosed.iter().map(|(i, _)| *i).collect();
        let context = Context::new(&optional_bytes(&f["context_id"]).unwrap_or_default());
        let nym = NymStatement {
            context: &context,
            nym_secrets: case.nym_secrets,
        };
        let statement = Statement {
            nym: (case.nym_secrets > 0).then_some(nym),
            ..statement
        };
        let given = parse_signature(&f["signature"]);
        let (ours, pseudonym) =
            prove_with(&statement, &given, &case.messages, &indexes, random).unwrap();
        assert_eq!(
            hex::encode(ours.to_bytes()),
            f["proof"].as_str().unwrap(),
            "{}",
            case.name
        );
        if let Some(pseudonym) = pseudonym {
            assert_eq!(
                pseudonym.to_bytes(),
                point_bytes(&f["pseudonym"]),
                "{}",
                case.name
            );
        }
        proved += 1;
    }
    let present = fixtures(&format!("pseudonym/{SUITE}/nymProof")).is_some();
    assert!(
        !present || proved >= 11,
        "only {proved} fixtures could be proved again"
    );
}

#[test]
fn a_pseudonym_fixture_is_refused_with_another_context_pseudonym_or_window() {
    for case in proof_cases()
        .into_iter()
        .filter(|case| case.nym_secrets > 0)
    {
        let f = &case.fixture;
        let issuer = public_key(&f["signerPublicKey"]);
        let (header, ph) = (bytes(&f["header"]), bytes(&f["presentationHeader"]));
        let statement = Statement {
            parameters: &case.parameters,
            issuer: &issuer,
            header: &header,
            ph: &ph,
            nym: None,
        };
        let proof = Proof::from_bytes(&bytes(&f["proof"])).unwrap();
        let pseudonym = Pseudonym::from_bytes(&point_bytes(&f["pseudonym"])).unwrap();
        let right = Context::new(&bytes(&f["context_id"]));
        let wrong = Context::new(b"another context");
        let n = case.nym_secrets;
        let verify = |context: &Context, n: usize, pseudonym: &Pseudonym| {
            let nym = Some(NymStatement {
                context,
                nym_secrets: n,
            });
            let statement = Statement { nym, ..statement };
            verify(&statement, Some(pseudonym), &proof, &case.disclosed)
        };
        assert!(verify(&right, n, &pseudonym).is_ok(), "{}", case.name);
        assert!(verify(&wrong, n, &pseudonym).is_err(), "{}", case.name);
        assert!(verify(&right, n + 1, &pseudonym).is_err(), "{}", case.name);
        assert!(verify(&right, n - 1, &pseudonym).is_err(), "{}", case.name);
        let secrets = [Scalar::from_u128(7), Scalar::from_u128(9)];
        assert!(
            verify(&right, n, &right.pseudonym(&secrets).unwrap()).is_err(),
            "{}",
            case.name
        );
    }
}

#[test]
fn the_suite_identifier_is_the_one_of_the_drafts() {
    assert!(
        String::from_utf8(Interface::pseudonym().api_id().to_vec())
            .unwrap()
            .starts_with(CIPHERSUITE_ID)
    );
}

fn rng() -> impl rand_core::CryptoRng {
    rand_chacha::ChaCha20Rng::from_seed([5; 32])
}
