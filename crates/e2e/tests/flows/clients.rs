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
    let mut world = World::running().unwrap();
    world.start(Party::Forum).unwrap();
    let wallet = world.enrol("alva", 1).unwrap();

    let mut node = Command::new("node");
    node.arg(prepared("BAUTA_NODE_CLIENT").unwrap().join("client.js"));
    let mut python = Command::new(prepared("BAUTA_PYTHON").unwrap());
    python.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/clients/python/client.py"
    ));
    let by_node = log_in_with(&world, &wallet, node).unwrap();
    let by_python = log_in_with(&world, &wallet, python).unwrap();
    let by_site = log_in_at_the_forum(&world, &wallet).unwrap();
    assert!(!by_node.is_empty());
    assert_eq!(by_python, by_node);
    assert!(
        by_site.contains(&by_node),
        "the forum shows another account"
    );
}

/// Runs a client program, answers the request that it prints, and gives the `sub` it read.
fn log_in_with(world: &World, wallet: &Wallet<'_>, mut client: Command) -> anyhow::Result<String> {
    let deployment = world.deployment();
    let secret = deployment.folder_of(Party::Forum).join("client.secret");
    client
        .env("ISSUER", deployment.origin(Party::ForumGateway))
        .env("CLIENT_ID", Party::Forum.name())
        .env("CLIENT_SECRET", std::fs::read_to_string(secret)?.trim())
        .env("CA_FILE", deployment.ca())
        .env(
            "REDIRECT_URI",
            format!("{}/callback", deployment.origin(Party::Forum)),
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
    Ok(done["claims"]["sub"].as_str().context("no sub")?.to_owned())
}

/// The way through the forum's own pages; gives what it shows of the account.
fn log_in_at_the_forum(world: &World, wallet: &Wallet<'_>) -> anyhow::Result<String> {
    let forum = world.deployment().origin(Party::Forum);
    let browser = world.browser()?;
    let page = browser.open(&format!("{forum}/log-in"))?;
    let answer = wallet.sign_in(&page.request_link()?)?;
    ensure!(answer.is_ok(), "the wallet: {answer:?}");
    let back = browser.open(page.url.as_str())?;
    ensure!(
        back.url.as_str().starts_with(&forum),
        "still at {}: {}",
        back.url,
        back.text()
    );
    Ok(browser.open(&format!("{forum}/account"))?.text())
}
