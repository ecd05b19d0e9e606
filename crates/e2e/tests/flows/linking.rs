//! H02 and H03: two people, two sites, and an attacker with every key of the operator and both
//! sites cannot tell whose account is whose.
//!
//! The attacker's bytes: each gateway's rows; what a site learns as claims; what wallets present,
//! opened with a key of the attacker's own in requests signed with the gateway's own key; the
//! operator's rows and what it certified. Left out: network addresses and times.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use credential::jose;
use credential::time::UnixTime;
use e2e::gateway_keys::GatewayKeys;
use e2e::linking::{Known, links};
use e2e::log_in::LoggedIn;
use e2e::world::World;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use server::demo::deployment::Party;
use wallet::present::Request;
use wallet::seal::DeviceIdentity;
use wallet::vault::{DeviceKeys, Vault};

const PLACES: [Party; 3] = [Party::ForumGateway, Party::ShopGateway, Party::Operator];

#[test]
fn operator_and_sites_together_cannot_link_a_person() {
    let world = World::running().unwrap();
    let people = ["alva", "bero"];
    let known: Vec<BTreeMap<Party, Known>> = people
        .iter()
        .zip(1..)
        .map(|(name, number)| knowledge(&world, name, number).unwrap())
        .collect();
    let [p, q] = known.as_slice() else {
        panic!("two people")
    };

    // The control: the raw pseudonym of the forum, had the shop stored it.
    let mut careless = p[&Party::ShopGateway].clone();
    careless.add("control", &raw_pseudonym(&world, "alva"));
    let others = (&q[&Party::ForumGateway], &q[&Party::ShopGateway]);
    assert!(
        !links((&p[&Party::ForumGateway], &careless), others).is_empty(),
        "the control was missed"
    );

    for (i, here) in PLACES.iter().enumerate() {
        assert_eq!(
            p[here].shape(),
            q[here].shape(),
            "{} tells people apart by form",
            here.name()
        );
        for there in &PLACES[i + 1..] {
            for (person, other) in [(p, q), (q, p)] {
                let found = links(
                    (&person[here], &person[there]),
                    (&other[here], &other[there]),
                );
                assert!(
                    found.is_empty(),
                    "{} and {}: {found:#?}",
                    here.name(),
                    there.name()
                );
            }
        }
    }
}

/// Everything that the three places have about invented person `number`.
fn knowledge(world: &World, name: &str, number: u16) -> anyhow::Result<BTreeMap<Party, Known>> {
    let wallet = world.enrol(name, number)?;
    let mut all = BTreeMap::new();
    for gateway in [Party::ForumGateway, Party::ShopGateway] {
        let mut known = Known::default();
        for _ in 0..2 {
            let login = world.log_in(gateway, &wallet)?;
            add_claims(&mut known, &login);
            if known
                .shape()
                .iter()
                .all(|(name, _)| !name.starts_with("accounts"))
            {
                add_rows(&mut known, world, gateway, login.subject())?;
            }
        }
        add_presentations(&mut known, world, gateway, name)?;
        all.insert(gateway, known);
    }
    all.insert(Party::Operator, operators_knowledge(world, name)?);
    Ok(all)
}

fn add_claims(known: &mut Known, login: &LoggedIn) {
    for (claim, value) in login.claims.as_object().into_iter().flatten() {
        let is_time = matches!(claim.as_str(), "iat" | "exp" | "auth_time");
        // The nonce is the site's own, drawn anew for every log-in.
        if !is_time && claim != "nonce" && claim != "at_hash" {
            known.add(claim, value.to_string().as_bytes());
        }
    }
}

/// The rows of account and devices in the gateway's own store.
fn add_rows(known: &mut Known, world: &World, gateway: Party, subject: &str) -> anyhow::Result<()> {
    let file = world.deployment().folder_of(gateway).join("gateway.sqlite");
    let subject = jose::decode(subject)?;
    for table in ["accounts", "devices"] {
        add_table(known, &file, table, ("subject", &subject))?;
    }
    Ok(())
}

fn operators_knowledge(world: &World, name: &str) -> anyhow::Result<Known> {
    let (vault, keys) = open(&world.deployment().wallet_home(name))?;
    let person = vault.person.as_ref().context("not enrolled")?;
    let number = person.web_number()?;
    let mut known = Known::default();
    let attributes = keys
        .certificate
        .as_ref()
        .context("no certificate")?
        .attributes();
    for text in [
        &attributes.family_name,
        &attributes.given_name,
        &attributes.document_number,
    ] {
        known.add("web number", number.as_str().as_bytes());
        // Names may differ in length; the shape compares the rest.
        known.add("attribute", format!("{text:<40}").as_bytes());
    }
    known.add("commitment", &person.commitment()?.to_bytes());
    let register = world.register();
    for table in ["registration", "tag"] {
        add_table(
            &mut known,
            &register,
            table,
            ("web_number", number.as_str().as_bytes()),
        )?;
    }
    Ok(known)
}

fn add_table(
    known: &mut Known,
    file: &Path,
    table: &str,
    (column, value): (&str, &[u8]),
) -> anyhow::Result<()> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let query = format!("SELECT * FROM {table} WHERE CAST({column} AS BLOB) = ?1");
    let mut statement = connection.prepare(&query)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([value])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        for (i, column) in columns.iter().enumerate() {
            let piece = match row.get_ref(i)? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.to_vec(),
                // Days and epochs are the same for both people or not: either way a number.
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Vec::new(),
            };
            known.add(&format!("{table}.{column}"), &piece);
        }
    }
    anyhow::ensure!(count > 0, "{table} has no row of this person");
    Ok(())
}

/// What the person's wallet presents to this gateway: a sign-in and a sign-up, opened.
fn add_presentations(
    known: &mut Known,
    world: &World,
    gateway: Party,
    name: &str,
) -> anyhow::Result<()> {
    let (vault, keys) = open(&world.deployment().wallet_home(name))?;
    let now = server::clock::now();
    let eavesdropper = GatewayKeys::read(world, gateway)?;
    let request = read(&eavesdropper, &vault, now)?;
    let device = keys
        .site(&request.entry().site.origin)?
        .context("no key for the site")?;
    for body in [
        request.sign_in(&vault, &device)?,
        request.sign_up(&vault, (&keys, &device), now)?,
    ] {
        // As it is sent, and opened.
        known.add("form", body.as_bytes());
        known.add("response", &eavesdropper.open(&body)?);
    }
    Ok(())
}

/// The request of somebody who has a gateway's keys, as the person's wallet reads it.
fn read(keys: &GatewayKeys, vault: &Vault, now: UnixTime) -> anyhow::Result<Request> {
    let signed = keys.signer.sign(&keys.ask(now)?);
    Ok(Request::read(&signed, &keys.link()?, &vault.operator, now)?)
}

fn raw_pseudonym(world: &World, name: &str) -> Vec<u8> {
    let (vault, _) = open(&world.deployment().wallet_home(name)).unwrap();
    let keys = GatewayKeys::read(world, Party::ForumGateway).unwrap();
    let request = read(&keys, &vault, server::clock::now()).unwrap();
    let secrets = vault.person.as_ref().unwrap().nym_secrets().unwrap();
    secrets
        .pseudonym(request.entry().context().context())
        .unwrap()
        .to_bytes()
        .to_vec()
}

fn open(home: &Path) -> anyhow::Result<(Vault, DeviceKeys)> {
    let identity = DeviceIdentity::parse(&std::fs::read_to_string(home.join("identity.key"))?)?;
    let vault = identity.open(&std::fs::read(home.join("vault.age"))?)?;
    Ok((
        vault,
        identity.open(&std::fs::read(home.join("device-keys.age"))?)?,
    ))
}
