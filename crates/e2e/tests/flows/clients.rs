//! Foreign OpenID Connect clients, unchanged, log a person in: npm openid-client, PyPI Authlib and
//! the crate openidconnect, which the demo's sites are made with.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use e2e::binaries::prepared;
use e2e::wallet::Wallet;
use e2e::world::World;
use serde_json::Value;
use server::demo::deployment::Party;

#[test]
fn three_foreign_clients_log_the_same_person_in_to_the_same_account() {
    let mut world = World::new().unwrap();
    // Both algorithms of ID tokens: the forum's gateway as it is made, the shop's changed to RS256.
    let config = world.deployment().config(Party::ShopGateway);
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("\"ES256\""), "{text}");
    std::fs::write(&config, text.replace("\"ES256\"", "\"RS256\"")).unwrap();
    for party in Party::ALL {
        world.start(party).unwrap();
    }
    let wallet = world.enrol("alva", 1).unwrap();

    for (site, gateway, alg) in [
        (Party::Forum, Party::ForumGateway, "ES256"),
        (Party::Shop, Party::ShopGateway, "RS256"),
    ] {
        let mut node = Command::new("node");
        node.arg(prepared("BAUTA_NODE_CLIENT").unwrap().join("client.js"));
        let mut python = Command::new(prepared("BAUTA_PYTHON").unwrap());
        python.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/clients/python/client.py"
        ));
        let by_node = log_in_with(&world, &wallet, (site, gateway, alg), node).unwrap();
        let by_python = log_in_with(&world, &wallet, (site, gateway, alg), python).unwrap();
        let by_site = log_in_at(&world, &wallet, site).unwrap();
        assert!(!by_node.is_empty());
        assert_eq!(by_python, by_node);
        assert!(by_site.contains(&by_node), "the site shows another account");
        let told = by_site.contains("at least 18 yes");
        assert_eq!(told, site == Party::Shop, "{by_site}");
    }
}

/// Runs a client program, answers the request that it prints, and gives the `sub` it read.
fn log_in_with(
    world: &World,
    wallet: &Wallet<'_>,
    (site, gateway, alg): (Party, Party, &str),
    mut client: Command,
) -> anyhow::Result<String> {
    let deployment = world.deployment();
    let secret = deployment.folder_of(site).join("client.secret");
    client
        .env("ISSUER", deployment.origin(gateway))
        .env("ALG", alg)
        .env("CLIENT_ID", site.name())
        .env("CLIENT_SECRET", std::fs::read_to_string(secret)?.trim())
        .env("CA_FILE", deployment.ca())
        .env("SCOPE", "openid age")
        .env(
            "REDIRECT_URI",
            format!("{}/callback", deployment.origin(site)),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = client
        .spawn()
        .with_context(|| format!("cannot run {client:?}"))?;
    let output = child.stdout.take().context("the output is piped")?;
    let mut lines = BufReader::new(output).lines();
    let mut next = || -> anyhow::Result<Value> {
        let line = lines.next().context("the client ended")??;
        Ok(serde_json::from_str(&line)?)
    };
    let begun = next()?;
    let link = begun["link"].as_str().with_context(|| format!("{begun}"))?;
    let answer = wallet.sign_in(link)?;
    ensure!(answer.is_ok(), "the wallet: {answer:?}");
    let done = next()?;
    ensure!(child.wait()?.success(), "{client:?} failed: {done}");
    ensure!(done["userinfo"]["sub"] == done["claims"]["sub"], "{done}");
    // The shop asks for an age, the forum does not; the client wants to know at both.
    let age = (site == Party::Shop).then_some(true);
    for told in ["claims", "userinfo"] {
        ensure!(done[told]["age_over_18"].as_bool() == age, "{done}");
    }
    Ok(done["claims"]["sub"].as_str().context("no sub")?.to_owned())
}

/// The way through the site's own pages; gives what it shows of the account.
fn log_in_at(world: &World, wallet: &Wallet<'_>, site: Party) -> anyhow::Result<String> {
    let origin = world.deployment().origin(site);
    let browser = world.browser()?;
    let page = browser.open(&format!("{origin}/log-in"))?;
    let answer = wallet.sign_in(&page.request_link()?)?;
    ensure!(answer.is_ok(), "the wallet: {answer:?}");
    let back = browser.open(page.url.as_str())?;
    ensure!(
        back.url.as_str().starts_with(&origin),
        "still at {}: {}",
        back.url,
        back.text()
    );
    Ok(browser.open(&format!("{origin}/account"))?.text())
}
