//! `bauta wallet sign-in`: fetch the request, show what it asks, answer.

use std::path::Path;

use clap::Args;
use credential::age::AgeAsked;
use credential::time::UnixTime;
use getrandom::SysRng;
use openid4vc::vp::{PostAnswer, RequestLink};
use rand_core::UnwrapErr;
use serde_json::json;
use wallet::present::{Answer as Choice, Caution, Refusal, Request};
use wallet::vault::SiteState;

use super::home::Home;
use super::overview::minute;
use super::{Output, confirm};
use crate::client::{Answer, HttpsClient};
use crate::clock;
use crate::failure::{Failure, refused};

/// What `sign-in` takes.
#[derive(Debug, Args)]
pub(super) struct SignInArgs {
    /// The request link of the site's page.
    link: String,
    /// Agree to what the site asks without being asked.
    #[arg(long)]
    yes: bool,
    /// Decline. The site is told that the log-in was declined, and nothing else. It is told the same
    /// of whoever has no certificate, or not the age.
    #[arg(long, conflicts_with = "yes")]
    decline: bool,
    /// Show the certificate although one was renewed within the last hour: the operator and the
    /// site could compare the two times.
    #[arg(long)]
    use_at_once: bool,
    /// Show last week's certificate although most people show this week's by now: the site sees that
    /// you are one of few, and the operator may know whom it has not renewed.
    #[arg(long)]
    use_old: bool,
}

const LATELY: &str = "Your certificate was renewed within the last hour: if it is shown now, the site and the operator \
     could compare the times.";
const OLD: &str = "Your certificate is last week's, and most people show this week's by now: the site sees that you \
     are one of few, and the operator may know whom it has not renewed.";

/// Errors of a gateway after which the certificate has to be shown instead of the account.
const NEW_TO_GATEWAY: [&str; 2] = ["device-unknown", "account-unknown"];
/// Error of a gateway that has not been shown, or has lost, the age that its site asks for.
const AGE_REQUIRED: &str = "age-required";

/// Runs the command.
pub(super) async fn run(args: SignInArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut home = Home::open(folder)?;
    let client = home.client()?;
    let link = RequestLink::parse(&args.link).map_err(|error| {
        let next = "Copy the whole link of the page, in quotes: it begins with openid4vp://";
        Failure::new("link-invalid", error, next)
    })?;
    let compact = fetch(&client, &link).await?;
    let request = Request::read(&compact, &link, &home.vault.operator, clock::now())
        .map_err(|refusal| failure(&refusal))?;
    keep_age_asked(&mut home, &request)?;
    if args.decline {
        // Before anything is looked up: who declines looks like who could not have gone on.
        output.progress(&head(&request));
        return decline(&request, &client, output).await;
    }
    let choice = request
        .choose(&home.vault, &home.keys)
        .map_err(|refusal| failure(&refusal))?;
    let question = question(&request, choice);
    output.progress(&question);
    // The answer is computed while the person reads.
    let now = clock::now();
    let ready = request
        .check(&home.vault, &home.keys, choice, now)
        .and_then(|cautions| Ok((cautions, compose(&mut home, &request, choice, now)?)));
    let (cautions, body) = match ready {
        Ok(ready) => ready,
        Err(refusal) => {
            let failure = cannot_answer(&mut home, &refusal)?;
            return Err(decline_for(failure, &request, &client, (args.yes, output)).await);
        }
    };
    if let Err(declined) = agree(&args, &question, &cautions, output) {
        if declined.id == "declined" {
            decline(&request, &client, output).await?;
        }
        return Err(declined);
    }
    // The certificate's time may have ended meanwhile.
    request
        .check(&home.vault, &home.keys, choice, clock::now())
        .map_err(|refusal| failure(&refusal))?;
    let answer = match choice {
        Choice::SignIn => sign_in(&mut home, &client, &request, body).await?,
        Choice::SignUp { age } => sign_up(&mut home, &client, &request, age, body).await?,
    };
    report(&request, choice, &answer, output)
}

async fn fetch(client: &HttpsClient, link: &RequestLink) -> Result<String, Failure> {
    let answer = client
        .send(client.requests().get(link.request_uri.as_str()))
        .await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    String::from_utf8(answer.body)
        .map_err(|_| Failure::new("request-invalid", "the site's request is not text", ""))
}

/// A site that asks for another age later is refused, also by who has not proved the first.
fn keep_age_asked(home: &mut Home, request: &Request) -> Result<(), Failure> {
    let Some(age) = request.age() else {
        return Ok(());
    };
    let origin = &request.entry().site.origin;
    if home.vault.keep_age_asked(origin, age.years) {
        home.save_vault()?;
    }
    Ok(())
}

/// Asks for the person's consent to what is disclosed, and to what should be thought of.
fn agree(
    args: &SignInArgs,
    question: &str,
    cautions: &[Caution],
    output: Output,
) -> Result<(), Failure> {
    // Nobody agrees to what was not shown.
    let asked = match output {
        Output::Text => "Go on?".to_owned(),
        Output::Json => format!("{question}\nGo on?"),
    };
    confirm(&asked, args.yes)?;
    for caution in cautions {
        heed(*caution, args, output)?;
    }
    Ok(())
}

/// Goes on only where the person has agreed to this as well.
fn heed(caution: Caution, args: &SignInArgs, output: Output) -> Result<(), Failure> {
    let (warning, agreed) = match caution {
        Caution::RenewedLately(_) => (LATELY, args.use_at_once),
        Caution::LastEpoch => (OLD, args.use_old),
    };
    if agreed {
        output.progress(warning);
    }
    confirm(&format!("{warning}\nShow it all the same?"), agreed).map_err(|failure| {
        if failure.id == "declined" {
            failure
        } else {
            unheeded(caution)
        }
    })
}

/// The failure where nobody can be asked. Nothing was sent, so that the person can decide.
fn unheeded(caution: Caution) -> Failure {
    match caution {
        Caution::RenewedLately(until) => {
            let what = format!(
                "a certificate was renewed within the last hour, and site and operator could compare \
                 the times; nothing was sent. It is shown from {} on",
                minute(until)
            );
            let next =
                "Run the same command with a new link then; with --use-at-once it is shown now.";
            Failure::new(caution.id(), what, next)
        }
        Caution::LastEpoch => {
            let what = "the certificate is last week's, and few people still show one of those; nothing \
                        was sent";
            let next = "Run `bauta wallet renew`, by a timer every hour, and try again tomorrow; with \
                        --use-old it is shown now.";
            Failure::new(caution.id(), what, next)
        }
    }
}

/// What keeps the person from answering. A certificate that is too old is renewed hours later.
fn cannot_answer(home: &mut Home, refusal: &Refusal) -> Result<Failure, Failure> {
    let Refusal::OldCertificate = refusal else {
        return Ok(failure(refusal));
    };
    let Ok(plan) = home.keys.wanted(clock::now(), &mut UnwrapErr(SysRng)) else {
        let next = "Run `bauta wallet enrol` with your document to receive one.";
        return Ok(Failure::new("certificate-too-old", refusal, next));
    };
    home.save_keys()?;
    let what = format!(
        "{refusal}; its renewal is planned for {}",
        minute(plan.moment)
    );
    let next = "`bauta wallet renew`, by a timer every hour, renews it then, and it is shown some hours \
                later. With --now and --use-at-once it does so at once: the operator and the site could \
                compare the times.";
    Ok(Failure::new(refusal.id(), what, next))
}

/// Tells the site what it is told when somebody declines, once the person has read what it asks.
async fn decline_for(
    mut failure: Failure,
    request: &Request,
    client: &HttpsClient,
    (yes, output): (bool, Output),
) -> Failure {
    output.progress(&format!("You cannot go on here: {}.", failure.what));
    let told = match confirm("Decline? The site is told that, and not why.", yes) {
        Err(_) => "nothing was sent",
        Ok(()) if send_refusal(request, client).await.is_ok() => {
            "the site was told that you declined"
        }
        Ok(()) => "the site could not be told that you declined",
    };
    failure.what = format!("{}; {told}", failure.what);
    failure
}

/// The answer's body. A key that it is the first to need is not on the disk yet.
fn compose(
    home: &mut Home,
    request: &Request,
    choice: Choice,
    now: UnixTime,
) -> Result<String, Refusal> {
    let origin = &request.entry().site.origin;
    match choice {
        Choice::SignIn => {
            let device = home.keys.site(origin)?.ok_or(Refusal::Query)?;
            request.sign_in(&home.vault, &device)
        }
        Choice::SignUp { age } => {
            let device = home.keys.site_or_new(origin)?;
            request.sign_up(&home.vault, (&home.keys, &device), age, now)
        }
    }
}

/// Sends the answer. A gateway that does not know this device gets no certificate in its place
/// until the person has seen what that discloses: the next run of the command asks.
async fn sign_in(
    home: &mut Home,
    client: &HttpsClient,
    request: &Request,
    body: String,
) -> Result<Answer, Failure> {
    let answer = post(client, request, body).await?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    let mut failure = refused(&answer);
    if NEW_TO_GATEWAY.contains(&failure.id.as_str()) {
        home.vault
            .set_site(request.entry(), SiteState::NewDevice, clock::now());
        home.save_vault()?;
        failure.next = "Run the same command again to show the certificate instead: \
            it says first what that discloses.";
    }
    forget_age(home, request, &mut failure)?;
    Err(failure)
}

/// A gateway that does not know of an age gets it only when the person has seen that it is asked.
fn forget_age(home: &mut Home, request: &Request, failure: &mut Failure) -> Result<(), Failure> {
    if failure.id == AGE_REQUIRED {
        home.vault.set_age_over(&request.entry().site.origin, None);
        home.save_vault()?;
        failure.next = "Run the same command again: it says first what it proves.";
    }
    Ok(())
}

async fn sign_up(
    home: &mut Home,
    client: &HttpsClient,
    request: &Request,
    age: Option<AgeAsked>,
    body: String,
) -> Result<Answer, Failure> {
    let site = &request.entry().site;
    let now = clock::now();
    home.keys.presented(now, &mut UnwrapErr(SysRng));
    // Key and record go to the disk first: an answer that is lost must not leave the site with a
    // key that this wallet has forgotten.
    home.save_keys()?;
    if home.vault.site(&site.origin).is_none() {
        home.vault
            .set_site(request.entry(), SiteState::Pending, now);
        home.save_vault()?;
    }
    let answer = post(client, request, body).await?;
    if !answer.status.is_success() {
        let mut failure = refused(&answer);
        forget_age(home, request, &mut failure)?;
        return Err(failure);
    }
    home.vault.set_site(request.entry(), SiteState::Joined, now);
    if let Some(age) = age {
        home.vault.set_age_over(&site.origin, Some(age.years));
    }
    home.save_vault()?;
    Ok(answer)
}

/// The one message for everybody who does not go on.
async fn send_refusal(request: &Request, client: &HttpsClient) -> Result<(), Failure> {
    let body = request.decline().map_err(|refusal| failure(&refusal))?;
    let answer = post(client, request, body).await?;
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(refused(&answer))
    }
}

async fn decline(request: &Request, client: &HttpsClient, output: Output) -> Result<(), Failure> {
    send_refusal(request, client).await?;
    output.result(
        "Declined. The site learns nothing about you.",
        &json!({ "outcome": "declined" }),
    );
    Ok(())
}

async fn post(client: &HttpsClient, request: &Request, body: String) -> Result<Answer, Failure> {
    let post = client
        .requests()
        .post(request.response_uri())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    Ok(client.send(post).await?)
}

/// Who asks.
fn head(request: &Request) -> String {
    let site = &request.entry().site;
    let gateway = &request.entry().gateway.origin;
    format!(
        "{} ({})\nthrough {gateway}\nPurpose: {}\n",
        site.name, site.origin, site.purpose
    )
}

fn question(request: &Request, choice: Choice) -> String {
    let head = head(request);
    match choice {
        Choice::SignIn => head + "Signs in to your account there. Nothing about you is disclosed.",
        Choice::SignUp { age } => {
            let items: Vec<_> = request.items().iter().map(|item| item.as_str()).collect();
            let law = if request.entry().requires_certificate {
                "A law demands your certificate here at every sign-in.\n"
            } else {
                ""
            };
            let items = items.join(", ");
            let age = age.map(|age| {
                let (years, on) = (age.years.number(), age.on_iso());
                format!(
                    "\nProves that you are at least {years} years old on {on}; \
                     not your birth date."
                )
            });
            format!(
                "{head}{law}Signs up, or brings this device to your account. \
                 Disclosed: {items}{}",
                age.unwrap_or_default()
            )
        }
    }
}

fn report(request: &Request, done: Choice, answer: &Answer, output: Output) -> Result<(), Failure> {
    let posted: PostAnswer = answer.json().map_err(|_| {
        Failure::new(
            "server-failed",
            "the gateway's answer is of another form",
            "",
        )
    })?;
    let site = &request.entry().site;
    let outcome = match done {
        Choice::SignIn => "signed-in",
        Choice::SignUp { .. } => "signed-up",
    };
    let mut text = match done {
        Choice::SignIn => format!("Signed in at {}.", site.name),
        Choice::SignUp { .. } => format!("Signed up at {} with this device.", site.name),
    };
    if let Some(uri) = &posted.redirect_uri {
        text.push_str(&format!("\nGo on in the browser that began: {uri}"));
    }
    let mut value =
        json!({ "outcome": outcome, "site": site.origin, "redirect_uri": posted.redirect_uri });
    if let Choice::SignUp { age: Some(age) } = done {
        let years = age.years.number();
        text.push_str(&format!("\nProved: at least {years} years old."));
        if let Some(members) = value.as_object_mut() {
            members.insert("age_over".to_owned(), json!(years));
        }
    }
    output.result(&text, &value);
    Ok(())
}

fn failure(refusal: &Refusal) -> Failure {
    let next = match refusal {
        Refusal::IssuerKey => "No certificate was shown. Tell others, not the operator alone.",
        Refusal::NoCertificate => "Run `bauta wallet enrol` with your document to receive one.",
        Refusal::OldCertificate => {
            "`bauta wallet renew`, by a timer every hour, renews it at a moment that it draws."
        }
        Refusal::NewCertificate => "Check this machine's date, then try again.",
        Refusal::Waiting(from) => {
            let what = format!("{refusal}; it is shown from {} on", minute(*from));
            return Failure::new(refusal.id(), what, "Try again then.");
        }
        Refusal::Unregistered(_)
        | Refusal::NeedlessCertificate
        | Refusal::UnregisteredAge
        | Refusal::AgeAgain
        | Refusal::OtherAge => "Nothing was sent. You can report the site to the operator.",
        Refusal::AgeDay(_) => {
            "Nothing was sent. Check this device's date; if it is right, report the site."
        }
        Refusal::TooYoung { .. } => "The site learns nothing about your age.",
        Refusal::NoEntry | Refusal::Entry(_) | Refusal::Gateway | Refusal::OtherGateway => {
            "Nothing was sent. Do not go on with this page."
        }
        Refusal::Request(_) => "Reload the site's page and use its new link.",
        Refusal::Vault(_) => "Bring back your backup: bauta wallet restore FILE",
        Refusal::Query | Refusal::Response => "",
    };
    Failure::new(refusal.id(), refusal, next)
}
