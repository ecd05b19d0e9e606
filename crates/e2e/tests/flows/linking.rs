//! H02 and H03: two people, two sites, and an attacker with everything that the operator and both
//! sites have, their keys included, cannot tell whose account is whose.
//!
//! The attacker has written down every request that reached the operator, both gateways and both
//! sites, with headers, and every answer that is no page: at the operator an enrolment and the
//! renewal after it, whose certificate is the one that is shown at the sites; has opened what was encrypted to the
//! gateways; and has every row that a visit left in their databases. What the operator certified
//! stands in its own record of the enrolment. Left out: network addresses, the connection below
//! HTTP (TLS, the order of headers), and times of arrival (`linking::TIMES`, and the order of visits:
//! the two people come to the two sites in different order).

use std::collections::BTreeMap;

use e2e::faketime::Weeks;
use e2e::gateway_keys::GatewayKeys;
use e2e::linking::{Known, links};
use e2e::recorder::{Exchange, Recorder};
use e2e::rows::{self, Row};
use e2e::wallet::{Environment, Wallet};
use e2e::world::{AUTHORITIES, GATEWAYS, World};
use openid4vc::vp::PostedResponse;
use server::demo::deployment::Party;
use wallet::present::Request;
use wallet::seal::DeviceIdentity;
use wallet::vault::Vault;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A place is all that belongs together in the attacker's eyes.
const FORUM: &[Party] = &[Party::ForumGateway, Party::Forum];
const SHOP: &[Party] = &[Party::ShopGateway, Party::Shop];
const OPERATOR: &[Party] = &[Party::Operator];
const PLACES: [(&str, &[Party]); 3] = [("forum", FORUM), ("shop", SHOP), ("operator", OPERATOR)];

/// Two people of the same sex: the shop is registered for it, and people agree to show it.
const PEOPLE: [(&str, u16); 2] = [("alva", 1), ("bero", 5)];

#[test]
fn operator_and_sites_together_cannot_link_a_person() {
    let weeks = Weeks::from_next();
    // In the last three days of a week the next one's certificates are issued.
    let begin = weeks.at(0, 5 * DAY).unwrap();
    let mut world = World::new().unwrap();
    world.move_to(&AUTHORITIES, &begin).unwrap();
    let [p, q] = PEOPLE;
    let mut known = at_the_operator(&world, &begin);

    // Past the hours after which a renewed certificate is shown.
    let later = weeks.at(1, 30 * HOUR).unwrap();
    world.move_to(&AUTHORITIES, &later).unwrap();
    world.move_to(&GATEWAYS, &later).unwrap();
    let sites = [Party::Forum, Party::Shop];
    world.move_to(&sites, &later).unwrap();
    let attacker = Attacker::of(&world, &[FORUM, SHOP, OPERATOR]);
    // Sites fetch their gateway's metadata and keys for their first visitor.
    let first = world.enrol_within("celi", 2, &later).unwrap();
    visit(&world, Party::Forum, &first);
    visit(&world, Party::Shop, &first);

    let shown = weeks.epoch(1).0.to_string();
    for (name, place) in [(p.0, FORUM), (q.0, FORUM), (q.0, SHOP), (p.0, SHOP)] {
        let wallet = world.wallet(name).within(&later);
        let visit = attacker.watch(place, || visit(&world, place[1], &wallet));
        let epochs = visit.named("decoded.epoch");
        assert!(!epochs.is_empty() && epochs.iter().all(|epoch| *epoch == shown.as_bytes()));
        let label = if place == FORUM { "forum" } else { "shop" };
        known.insert((name, label), visit);
    }
    let of = |person: (&'static str, u16), place: &'static str| &known[&(person.0, place)];

    // The control: the raw pseudonym of the forum, had the shop stored it.
    let mut careless = of(p, "shop").clone();
    careless.add_octets("control", &raw_pseudonym(&world, p.0));
    let others = (of(q, "forum"), of(q, "shop"));
    assert!(
        !links((of(p, "forum"), &careless), others).is_empty(),
        "the control was missed"
    );

    for (i, (here, _)) in PLACES.into_iter().enumerate() {
        // The operator has seen the documents: names and portraits differ in length.
        if here != "operator" {
            assert_same_shape(here, of(p, here), of(q, here));
        }
        for (there, _) in PLACES.into_iter().skip(i + 1) {
            for (person, other) in [(p, q), (q, p)] {
                let person = (of(person, here), of(person, there));
                let found = links(person, (of(other, here), of(other, there)));
                assert!(found.is_empty(), "{here} and {there}: {found:#?}");
            }
        }
    }
    // What was compared at the shop holds the proof of an age.
    for person in [p, q] {
        let shown = of(person, "shop").shape();
        let proofs = shown
            .iter()
            .filter(|(name, _)| name.ends_with("vp_token.certificate_with_age"));
        assert!(proofs.count() > 0, "no age was proved");
    }
    let [p, q] = [p, q].map(|(name, _)| attacker.register_rows_of(name));
    assert_same_shape("the register", &p, &q);
}

/// What the operator has of the two people's enrolments and renewals.
fn at_the_operator(
    world: &World,
    now: &Environment,
) -> BTreeMap<(&'static str, &'static str), Known> {
    let attacker = Attacker::of(world, &[OPERATOR]);
    let mut known = BTreeMap::new();
    for (name, number) in PEOPLE {
        let enrol = || drop(world.enrol_within(name, number, now).unwrap());
        known.insert((name, "operator"), attacker.watch(OPERATOR, enrol));
    }
    let [p, q] = PEOPLE.map(|(name, _)| {
        let wallet = world.wallet(name).within(now);
        attacker.watch(OPERATOR, || {
            let renewed = wallet.run(&["renew", "--now"]).unwrap().unwrap();
            assert_eq!(renewed["outcome"], "renewed");
        })
    });
    assert_same_shape("a renewal", &p, &q);
    for ((name, _), renewal) in PEOPLE.into_iter().zip([p, q]) {
        let request = renewal.named(", decoded.proof, decoded");
        assert!(!request.is_empty(), "no renewal was seen");
        known
            .entry((name, "operator"))
            .or_default()
            .add_all(renewal);
    }
    known
}

fn assert_same_shape(place: &str, p: &Known, q: &Known) {
    let (p, q) = (p.shape(), q.shape());
    let differs = p.iter().zip(&q).position(|(p, q)| p != q);
    let around = differs.map(|at| {
        let range = at.saturating_sub(3)..(at + 4).min(p.len()).min(q.len());
        (&p[range.clone()], &q[range])
    });
    assert!(
        around.is_none() && p.len() == q.len(),
        "{place} tells people apart: {around:#?}"
    );
}

/// Logs in twice in new browsers, brings a new device key, and uses the site.
fn visit(world: &World, site: Party, wallet: &Wallet<'_>) {
    let at = |path: &str| format!("{}{path}", world.deployment().origin(site));
    let log_in = || {
        let browser = world.browser().unwrap();
        let page = browser.open(&at("/log-in")).unwrap();
        wallet
            .sign_in(&page.request_link().unwrap())
            .unwrap()
            .unwrap();
        let back = browser.open(page.url.as_str()).unwrap();
        assert_eq!(back.url.as_str(), at("/"), "{}", back.text());
        browser
    };
    log_in();
    log_in();
    wallet
        .run(&["devices", "--forget", &at("")])
        .unwrap()
        .unwrap();
    let browser = log_in();
    assert!(browser.open(&at("/account")).unwrap().status.is_success());
    let used = if site == Party::Forum {
        browser.post(&at("/name"), &[("name", wallet.name())])
    } else {
        browser.post(&at("/basket"), &[("product", "tea")])
    };
    assert!(used.unwrap().url.as_str() == at("/"));
}

/// Whoever controls the operator and both sites.
struct Attacker<'a> {
    world: &'a World,
    recorders: BTreeMap<Party, Recorder>,
}

impl Attacker<'_> {
    fn of<'a>(world: &'a World, places: &[&[Party]]) -> Attacker<'a> {
        let parties = places.iter().flat_map(|parties| parties.iter().copied());
        let recorders = parties.map(|party| (party, Recorder::start(world, party).unwrap()));
        Attacker {
            world,
            recorders: recorders.collect(),
        }
    }

    /// What the parties of a place have of somebody after `act` and had not before.
    fn watch(&self, place: &[Party], act: impl FnOnce()) -> Known {
        for recorder in self.recorders.values() {
            drop(recorder.take());
        }
        let before = place
            .iter()
            .flat_map(|party| self.rows(*party))
            .collect::<Vec<_>>();
        act();
        let mut known = Known::default();
        for party in place {
            let exchanges = self.recorders[party].take();
            assert!(!exchanges.is_empty(), "{} heard nothing", party.name());
            for exchange in &exchanges {
                add_exchange(&mut known, exchange);
            }
            let rows = self.rows(*party);
            known.add_rows(rows.iter().filter(|row| !before.contains(row)));
        }
        for (party, recorder) in &self.recorders {
            assert!(
                place.contains(party) || recorder.take().is_empty(),
                "{}",
                party.name()
            );
        }
        known
    }

    fn rows(&self, party: Party) -> Vec<Row> {
        let folder = self.world.deployment().folder_of(party);
        let files = [
            "gateway.sqlite",
            "site.sqlite",
            "state/register.sqlite",
            "state/sessions.sqlite",
        ];
        let files = files.iter().map(|file| folder.join(file));
        let found = files.filter(|file| file.exists());
        found.flat_map(|file| rows::read(&file).unwrap()).collect()
    }

    /// What the register holds of a person, by the number that the person's own wallet shows.
    fn register_rows_of(&self, name: &str) -> Known {
        let shown = self.world.wallet(name).run(&["show"]).unwrap().unwrap();
        let number = shown["web_number"].as_str().unwrap().replace('-', "");
        let mut known = Known::default();
        let rows = self.rows(Party::Operator);
        let own = rows.iter().filter(|row| {
            let octets = |content: &rows::Content| match content {
                rows::Content::Octets(octets) => octets == number.as_bytes(),
                rows::Content::Null | rows::Content::Integer(_) => false,
            };
            row.columns.iter().any(|(_, content)| octets(content))
        });
        let own: Vec<_> = own.collect();
        assert_eq!(own.len(), 3, "a registration and two tags");
        known.add_rows(own);
        known
    }
}

fn add_exchange(known: &mut Known, exchange: &Exchange) {
    let Exchange { asked, said, keys } = exchange;
    known.add(
        "path",
        format!("{} {}", asked.method, asked.path).as_bytes(),
    );
    let mut headers: Vec<(&str, &[u8])> = asked
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    headers.sort_unstable();
    for (name, value) in headers {
        // A browser's cookies come in no order.
        let text = String::from_utf8_lossy(value);
        let mut parts: Vec<&str> = text.split("; ").collect();
        parts.sort_unstable();
        parts
            .iter()
            .for_each(|part| known.add(&format!("header {name}"), part.as_bytes()));
    }
    known.add("body", &asked.body);
    let body = std::str::from_utf8(&asked.body).unwrap_or_default();
    if let Ok(PostedResponse::Encrypted(jwe)) = PostedResponse::parse(body) {
        let opened = keys.iter().find_map(|key| jwe.decrypt(key).ok());
        known.add(
            "opened",
            &opened.expect("the gateway's keys open what it gets"),
        );
    }
    let kind = said
        .headers
        .get("content-type")
        .map(|kind| kind.as_bytes().to_vec());
    if kind.is_none_or(|kind| !kind.starts_with(b"text/html")) {
        known.add("answer", &said.body);
    }
}

fn raw_pseudonym(world: &World, name: &str) -> Vec<u8> {
    let home = world.deployment().wallet_home(name);
    let identity = std::fs::read_to_string(home.join("identity.key")).unwrap();
    let identity = DeviceIdentity::parse(&identity).unwrap();
    let vault: Vault = identity
        .open(&std::fs::read(home.join("vault.age")).unwrap())
        .unwrap();
    let keys = GatewayKeys::read(world, Party::ForumGateway).unwrap();
    let now = server::clock::now();
    let signed = keys.signer.sign(&keys.ask(now).unwrap());
    let request = Request::read(&signed, &keys.link().unwrap(), &vault.operator, now).unwrap();
    let secrets = vault.person.as_ref().unwrap().nym_secrets().unwrap();
    let pseudonym = secrets
        .pseudonym(request.entry().context().context())
        .unwrap();
    pseudonym.to_bytes().to_vec()
}
