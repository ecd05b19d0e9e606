//! Renewals at an operator that does not behave.

use axum::http::StatusCode;
use bbs::SecretKey;
use bbs::certificate::KeptCommitment;
use credential::attributes::Generation;
use credential::jose::SigningKey;
use credential::manifest::{IssuerKey, Manifest};
use credential::origin::Origin;
use credential::renewal::{
    Outcome, Registered, RenewalAnswer, RenewalRefusal, RenewalRequest, sign,
};
use credential::time::{Epoch, UnixTime};
use e2e::faketime::Weeks;
use e2e::impostor::{Asked, Impostor, Real, Said};
use e2e::opened::Opened;
use e2e::rows::Content;
use e2e::wallet::Environment;
use e2e::world::{AUTHORITIES, World};
use serde_json::{Value, json};
use server::clock;
use server::demo::deployment::Party;

use crate::renewal_holder::issuer_key;

const HOUR: u64 = 3600;
const WEEK: u64 = 7 * 24 * HOUR;
const RENEWAL: &str = "/registration/renewal";

/// An hour before a week's end, an impostor before the operator, and a wallet whose renewal is due.
struct Stage {
    weeks: Weeks,
    end: Environment,
    world: World,
    impostor: Impostor,
    real: Real,
}

impl Stage {
    fn new() -> Stage {
        let weeks = Weeks::from_next();
        let begin = weeks.at(0, HOUR).unwrap();
        let mut world = World::new().unwrap();
        world.move_to(&AUTHORITIES, &begin).unwrap();
        drop(world.enrol_within("alva", 1, &begin).unwrap());
        let end = weeks.at(0, WEEK - HOUR).unwrap();
        world.move_to(&[Party::Operator], &end).unwrap();
        let (impostor, real) = world.impostor_before(Party::Operator).unwrap();
        Stage {
            weeks,
            end,
            world,
            impostor,
            real,
        }
    }

    fn opened(&self) -> Opened {
        Opened::read(&self.world, "alva").unwrap()
    }

    /// Answers to `path` are what `say` makes of the real ones; all others are the real ones.
    fn say(&self, path: &'static str, say: impl Fn(&Asked, Said) -> Said + Send + 'static) {
        let real = self.real.clone();
        self.impostor.behave(move |asked: &Asked| {
            let said = real.ask(asked);
            if asked.path.ends_with(path) {
                say(asked, said)
            } else {
                said
            }
        });
    }

    fn behave(&self) {
        self.say("never", |_, said| said);
    }

    /// The wallet refuses with this id, and its certificates are as before.
    fn refused(&self, case: &str, id: &str) {
        self.refused_within(&self.end, &["renew", "--now"], case, id);
    }

    fn refused_within(&self, now: &Environment, command: &[&str], case: &str, id: &str) {
        let alva = self.world.wallet("alva").within(now);
        let refused = alva.run(command).unwrap().expect_err(case);
        assert_eq!(refused.id, id, "{case}: {}", refused.what);
        let keys = self.opened().keys;
        let newest = keys.newest().unwrap().epoch();
        assert_eq!(newest, self.weeks.epoch(0), "{case}: changed");
    }

    /// The operator answers renewals with this refusal, signed.
    fn refuse(&self, refusal: RenewalRefusal) {
        let (origin, operator, day) = (self.origin(), self.operator_key(), self.day());
        self.say(RENEWAL, move |asked, said| {
            let request = std::str::from_utf8(&asked.body).unwrap();
            let request = RenewalRequest::read(request, &origin).unwrap();
            let answer = RenewalAnswer::to(&request, Outcome::Refused(refusal), day);
            Said {
                body: answer.sign(&origin, &operator).into_bytes(),
                ..said
            }
        });
    }

    fn operator_key(&self) -> SigningKey {
        let folder = self.world.deployment().folder_of(Party::Operator);
        let key = std::fs::read(folder.join("operator.key")).unwrap();
        SigningKey::from_pkcs8(&key).unwrap()
    }

    fn origin(&self) -> Origin {
        Origin::parse(&self.world.deployment().origin(Party::Operator)).unwrap()
    }

    /// A day in the week of the stage.
    fn day(&self) -> UnixTime {
        self.weeks.time(0, 0)
    }

    /// The commitment that the register holds for the one person in it.
    fn slot_commitment(&self) -> KeptCommitment {
        let rows = self.world.register_rows().unwrap();
        let mut columns = rows.iter().flat_map(|row| &row.columns);
        let (_, found) = columns.find(|(name, _)| name == "slot_commitment").unwrap();
        let octets = match found {
            Content::Octets(octets) => octets.as_slice(),
            Content::Null | Content::Integer(_) => &[],
        };
        KeptCommitment::from_bytes(octets.try_into().unwrap()).unwrap()
    }

    fn issuer_key(&self, week: u32) -> SecretKey {
        issuer_key(&self.world, self.weeks.epoch(week))
    }

    /// The operator certifies what it is asked for, under `key` and for `epoch`.
    fn certify(&self, key: SecretKey, epoch: Epoch) {
        let (origin, operator, day) = (self.origin(), self.operator_key(), self.day());
        let slot_commitment = self.slot_commitment();
        let old = IssuerKey {
            epoch: self.weeks.epoch(0),
            key: self.issuer_key(0).public(),
        };
        self.say(RENEWAL, move |asked, said| {
            let request = std::str::from_utf8(&asked.body).unwrap();
            let request = RenewalRequest::read(request, &origin).unwrap();
            let row = Registered {
                slot_commitment,
                generation: Generation::First,
            };
            let committed = request.verify(&origin, &old, &row).unwrap();
            let signature = sign(&committed, &key, epoch).unwrap();
            let answer = RenewalAnswer::to(&request, Outcome::Renewed(signature), day);
            Said {
                body: answer.sign(&origin, &operator).into_bytes(),
                ..said
            }
        });
    }

    /// The operator publishes these keys, signed by itself.
    fn publish(&self, keys: &[IssuerKey], now: UnixTime) {
        let manifest = Manifest::sign(&self.origin(), keys, now, &self.operator_key());
        self.say("/manifest", move |_, said| Said {
            body: manifest.clone().into_bytes(),
            ..said
        });
    }
}

fn drawn() -> SecretKey {
    SecretKey::generate(&mut rand_core::UnwrapErr(getrandom::SysRng))
}

/// Manifests by which people could be told apart, or that do not fit the week. The timer fetches
/// next week's in its first days.
fn bad_manifests(stage: &Stage) {
    let (next, after) = (stage.weeks.epoch(1), stage.weeks.epoch(2));
    let key = |secret: &SecretKey, epoch| IssuerKey {
        epoch,
        key: secret.public(),
    };
    let honest = key(&stage.issuer_key(1), next);
    let now = stage.weeks.time(1, 3 * 24 * HOUR);
    let clock = stage.weeks.at(1, 3 * 24 * HOUR).unwrap();
    let refused = |case, id| stage.refused_within(&clock, &["renew"], case, id);
    stage.publish(&[key(&drawn(), next), key(&drawn(), after)], now);
    refused("a second key for this week", "issuer-key-changed");
    stage.publish(&[key(&drawn(), after)], now);
    refused("no key for this week", "manifest-invalid");
    stage.publish(&[honest], stage.day());
    refused("a manifest of last week", "clock-differs");
    stage.publish(&[honest], clock::now());
    refused("a manifest that has ended", "clock-differs");
}

#[test]
fn a_wallet_takes_no_renewal_that_could_mark_its_holder_and_loses_nothing_by_a_bad_answer() {
    let stage = Stage::new();
    let weeks = stage.weeks;
    let (this, next) = (weeks.epoch(0), weeks.epoch(1));

    // Certificates of another key or another epoch's header.
    stage.certify(drawn(), next);
    stage.refused("a key of its own", "answer-invalid");
    stage.certify(stage.issuer_key(0), next);
    stage.refused("this week's key", "answer-invalid");
    stage.certify(stage.issuer_key(1), this);
    stage.refused("this week's header", "answer-invalid");

    // Answers that are none, or somebody else's.
    for (case, body, id) in [
        ("nothing", &b""[..], "answer-invalid"),
        ("a page", b"<html></html>", "answer-invalid"),
        ("octets", &[0xff; 64], "server-failed"),
    ] {
        stage.say(RENEWAL, move |_, said| Said {
            body: body.to_vec(),
            ..said
        });
        stage.refused(case, id);
    }
    stage.say(RENEWAL, |asked, said| Said {
        body: asked.body.to_vec(),
        ..said
    });
    stage.refused("the request itself", "answer-invalid");
    stage.say(RENEWAL, |_, mut said| {
        let at = said.body.len() / 2;
        said.body[at] = if said.body[at] == b'A' { b'B' } else { b'A' };
        said
    });
    stage.refused("a changed answer", "answer-invalid");
    stage.say(RENEWAL, |_, said| Said {
        body: vec![b'a'; 5 << 20],
        ..said
    });
    stage.refused("an endless answer", "answer-too-large");
    stage.say("/nonce", |_, said| Said {
        body: b"{}".to_vec(),
        ..said
    });
    stage.refused("no nonce", "server-failed");

    bad_manifests(&stage);

    // An answer that is lost after the row was written.
    stage.say(RENEWAL, |_, said| {
        assert!(said.status.is_success());
        Said {
            status: StatusCode::BAD_GATEWAY,
            ..Said::ok("text/plain", "")
        }
    });
    stage.refused("a lost answer", "server-failed");
    // A request that is changed on its way.
    let real = stage.real.clone();
    stage.impostor.behave(move |asked| {
        let mut asked = asked.clone();
        if asked.path.ends_with(RENEWAL) {
            let mut body = asked.body.to_vec();
            let last = body.len() - 10;
            body[last] = if body[last] == b'A' { b'B' } else { b'A' };
            asked.body = body.into();
        }
        real.ask(&asked)
    });
    stage.refused("a changed request", "malformed-request");

    stage.behave();
    let alva = stage.world.wallet("alva").within(&stage.end);
    let renewed = alva.run(&["renew", "--now"]).unwrap().unwrap();
    assert_eq!(renewed["epoch"], json!(next));
    let opened = stage.opened();
    let newest = opened.keys.newest().unwrap();
    assert_eq!(newest.epoch(), next);
    newest.open(opened.vault.person.as_ref().unwrap()).unwrap();
}

#[test]
fn a_refusal_is_over_with_the_certificate_also_where_the_wallet_was_killed_between_its_files() {
    let stage = Stage::new();
    let alva = stage.world.wallet("alva").within(&stage.end);
    let shown = || alva.run(&["show"]).unwrap().unwrap();
    stage.refuse(RenewalRefusal::Refused);
    stage.refused("a signed refusal", "renewal-refused");
    assert_eq!(shown()["renewal_refusal"]["id"], "renewal-refused");

    // The device keys with the certificate are written first, the vault after them.
    let vault = stage
        .world
        .deployment()
        .wallet_home("alva")
        .join("vault.age");
    let before = std::fs::read(&vault).unwrap();
    stage.behave();
    alva.run(&["renew", "--now"]).unwrap().unwrap();
    std::fs::write(&vault, before).unwrap();
    assert!(stage.opened().vault.renewal_refusal.is_some());
    let after = shown();
    assert_eq!(after["renewal_refusal"], Value::Null);
    assert_eq!(
        after["next_certificate"]["epoch"],
        json!(stage.weeks.epoch(1))
    );
}
