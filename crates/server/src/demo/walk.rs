//! One specimen person's way: enrol, sign up at the forum, sign in again, sign up at the shop.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::Party;
use super::browser::Browser;
use super::chip::Chip;
use super::deployment::{Deployment, run};
use super::faces::Person;
use super::seen;

/// The wallet of the specimen person.
pub const WALLET: &str = "specimen";

/// Walks the person through and tells each step with `say`; a person who is registered already is
/// signed in at the forum once more.
///
/// # Errors
///
/// When a step fails.
pub async fn walk(deployment: &Deployment, say: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    if has_certificate(deployment)? {
        say("The specimen person is registered already: signing in at the forum again.");
        sign_in(deployment, WALLET, Party::Forum, say).await?;
    } else {
        say(match deployment.faces() {
            Some(_) => "1. Enrolment: passport, its chip, face, web number, certificate",
            None => "1. Enrolment: passport, its chip, officer, web number, certificate",
        });
        enrol(deployment, WALLET, 1, say)?;
        say("\n2. Sign-up at the forum");
        sign_in(deployment, WALLET, Party::Forum, say).await?;
        say("\n3. Sign-in at the forum, in a new browser");
        sign_in(deployment, WALLET, Party::Forum, say).await?;
        say("\n4. Sign-up at the shop");
        sign_in(deployment, WALLET, Party::Shop, say).await?;
    }
    say("\nWhat each party has stored about this person");
    for (who, party, file) in [
        (
            "Operator, register",
            Party::Operator,
            "state/register.sqlite",
        ),
        ("Trustee 1", Party::Trustee1, "state/trustee.sqlite"),
        ("Forum's gateway", Party::ForumGateway, "gateway.sqlite"),
        ("Forum", Party::Forum, "site.sqlite"),
        ("Shop's gateway", Party::ShopGateway, "gateway.sqlite"),
        ("Shop", Party::Shop, "site.sqlite"),
    ] {
        say(&format!("  {who}"));
        for line in seen::rows(&deployment.folder_of(party).join(file))? {
            say(&format!("    {line}"));
        }
    }
    say(
        "Days, epochs and the published manifest are the same for everybody. Look for anything else \
         that stands in two of these lists: there should be nothing.",
    );
    Ok(())
}

/// Whether an earlier walk got as far as the certificate; an enrolment that was broken off before
/// is begun again.
fn has_certificate(deployment: &Deployment) -> anyhow::Result<bool> {
    let shown = deployment
        .wallet(WALLET)?
        .args(["--json", "show"])
        .output()?;
    let shown: Value = serde_json::from_slice(&shown.stdout)?;
    Ok(shown.get("certificate").is_some_and(Value::is_object))
}

/// Enrols invented person `number` into the wallet `name`; an officer confirms where no machine
/// compares faces.
///
/// # Errors
///
/// When a step fails.
pub fn enrol(
    deployment: &Deployment,
    name: &str,
    number: u16,
    say: &mut impl FnMut(&str),
) -> anyhow::Result<()> {
    let passport = deployment.passport(number, &[])?;
    let mut command = deployment.wallet(name)?;
    command
        .args(["--json", "enrol", "--agree", "notice", "--operator"])
        .arg(deployment.trust_file());
    command.arg("--ca").arg(deployment.ca());
    let chip = Chip::start(&passport)?;
    command.args(["--reader", chip.address(), "--access"]);
    command.arg(passport.join("zone.txt"));
    let person = deployment.faces();
    let person = person.map(|faces| Person::start(deployment, faces));
    let person = person.transpose()?;
    if let Some(person) = &person {
        command
            .args(["--agree", "face", "--face"])
            .arg(person.camera());
    }
    let mut wallet = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the wallet")?;
    let output = wallet.stdout.take().context("the output was piped")?;
    let mut lines = BufReader::new(output).lines();
    let mut next = || -> anyhow::Result<Value> {
        let line = lines
            .next()
            .context("the wallet ended without an answer")??;
        Ok(serde_json::from_str(&line)?)
    };
    let mut input = wallet.stdin.take();
    let mut proved = Some(PROVED);
    let number = loop {
        let line = next()?;
        let text = |name: &str| line.get(name).and_then(Value::as_str);
        if line.get("challenge").is_some() {
            proved.take().map(&mut *say);
            say("  The wallet says what to do before the camera:");
        } else if let Some(prompt) = text("prompt") {
            say(&format!("    {}", prompt.replace('_', " ")));
        } else if let Some(session) = text("session") {
            proved.take().map(&mut *say);
            let code = run(deployment.officer("confirm")?.arg(session))?;
            say("  The officer confirmed the person and handed over a transaction code");
            let mut input = input.take().context("the input was piped")?;
            writeln!(input, "{}", code.trim())?;
        } else if let Some(number) = text("web_number") {
            break number.to_owned();
        } else {
            let _ended = wallet.wait();
            bail!("the wallet refused: {line}");
        }
    };
    ensure!(wallet.wait()?.success(), "the wallet failed at its end");
    say(&format!(
        "  The person's web number, known to register and wallet alone: {number}"
    ));
    Ok(())
}

const PROVED: &str = "  The wallet read the passport's chip and sent what it holds; the chip proved to \
    the operator that it is the original one";

/// Logs in at `site` with a fresh browser and the wallet `name`; gives the text of the page that
/// the site shows then.
///
/// # Errors
///
/// When a step fails.
pub async fn sign_in(
    deployment: &Deployment,
    name: &str,
    site: Party,
    say: &mut impl FnMut(&str),
) -> anyhow::Result<String> {
    let browser = Browser::new(&deployment.ca())?;
    let waiting = browser
        .open(&format!("{}/log-in", deployment.origin(site)))
        .await?
        .succeeded()?;
    let link = waiting.request_link()?;
    let mut wallet: Command = deployment.wallet(name)?;
    let answer = run(wallet.args(["--json", "sign-in", "--yes", &link]))?;
    let answer: Value = serde_json::from_str(answer.trim())?;
    let outcome = answer
        .get("outcome")
        .and_then(Value::as_str)
        .unwrap_or("nothing");
    let page = browser.wait_until_left(&waiting).await?;
    if page.url.host_str() != Some(site.host()) || !page.html.contains("data-testid=\"signed-in\"")
    {
        bail!(
            "the log-in did not end at the site but at {}: {}",
            page.url,
            page.text()
        );
    }
    say(&format!(
        "  The wallet answered ({outcome}); the browser arrived at {}",
        page.url
    ));
    let account = browser
        .open(&format!("{}/account", deployment.origin(site)))
        .await?
        .succeeded()?
        .text();
    // The claims stand in a table after its head.
    let claims = account.split_once("Claim Value ");
    let claims = claims.map_or(account.as_str(), |(_, claims)| claims);
    say(&format!("  {} was told: {claims}", site.host()));
    Ok(account)
}
