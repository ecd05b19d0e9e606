//! Certificates are renewed week after week, with the clock moved: by a timer, in time, without a
//! trace but the epoch in the register's row, and the new ones look like the first.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use credential::jose;
use credential::jose::jwe::DecryptionKey;
use e2e::faketime::Weeks;
use e2e::recorder::{Exchange, Recorder};
use e2e::rows::{self, Content, Row};
use e2e::wallet::{Environment, Wallet};
use e2e::world::{AUTHORITIES, GATEWAYS, World, snapshot};
use openid4vc::vp::PostedResponse;
use serde_json::{Value, json};
use server::demo::deployment::Party;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

fn world_at(now: &Environment) -> World {
    let mut world = World::new().unwrap();
    world.move_to(&AUTHORITIES, now).unwrap();
    world.move_to(&GATEWAYS, now).unwrap();
    world
}

fn wallet<'a>(world: &'a World, name: &str, now: &Environment) -> Wallet<'a> {
    world.wallet(name).within(now)
}

fn done(wallet: &Wallet<'_>, arguments: &[&str]) -> Value {
    wallet.run(arguments).unwrap().unwrap()
}

fn refused(wallet: &Wallet<'_>, arguments: &[&str]) -> String {
    let answer = wallet.run(arguments).unwrap();
    answer.expect_err(&arguments.join(" ")).id
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// The clock at a second since 1970.
fn clock_at(weeks: Weeks, time: u64) -> Environment {
    weeks.at(0, time - weeks.time(0, 0).0).unwrap()
}

/// When the wallet's next renewal is due.
fn planned(wallet: &Wallet<'_>) -> u64 {
    number(&done(wallet, &["show"])["renewal_at"])
}

/// The epochs of the certificates that a wallet has.
fn certificates(wallet: &Wallet<'_>) -> Value {
    let shown = done(wallet, &["show"]);
    json!([shown["certificate"]["epoch"], shown["next_certificate"]])
}

/// The register without the epochs of its rows.
fn register_without_epochs(world: &World) -> Vec<Row> {
    let mut rows = world.register_rows().unwrap();
    for row in &mut rows {
        row.columns.retain(|(name, _)| name != "last_epoch");
    }
    rows
}

fn epochs_of(world: &World) -> Vec<i64> {
    let columns = world.register_rows().unwrap().into_iter();
    let columns = columns.flat_map(|row| row.columns);
    let epoch = |(name, content): (String, Content)| match content {
        Content::Integer(epoch) if name == "last_epoch" => Some(epoch),
        Content::Integer(_) | Content::Null | Content::Octets(_) => None,
    };
    columns.filter_map(epoch).collect()
}

/// What a network observer sees of a request and its answer: address, sizes, names of headers. Of
/// the answer's headers the values, too: they are the same for everybody, but for the time.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    path: String,
    headers: Vec<(String, usize)>,
    body: usize,
    status: u16,
    said: Vec<(String, String)>,
    answer: usize,
}

fn seen(exchanges: &[Exchange]) -> Vec<Seen> {
    let see = |exchange: &Exchange| {
        let Exchange { asked, said, .. } = exchange;
        let headers = asked.headers.iter();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_string(), value.len()))
            .collect();
        headers.sort();
        Seen {
            path: format!("{} {}", asked.method, asked.path),
            headers,
            body: asked.body.len(),
            status: said.status.as_u16(),
            said: answer_headers(&said.headers),
            answer: said.body.len(),
        }
    };
    exchanges.iter().map(see).collect()
}

/// In their order; the time is there in any case, and has one length.
fn answer_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        let mut text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == header::DATE {
            text = text.len().to_string();
        }
        (name.to_string(), text)
    };
    headers.iter().map(text).collect()
}

/// The certificate presentation among what reached a gateway.
fn presented(exchanges: &[Exchange]) -> String {
    let open = |exchange: &Exchange| {
        let body = std::str::from_utf8(&exchange.asked.body).ok()?;
        let Ok(PostedResponse::Encrypted(jwe)) = PostedResponse::parse(body) else {
            return None;
        };
        let opens = |key: &DecryptionKey| jwe.decrypt(key).ok();
        let plain: Value = serde_json::from_slice(&exchange.keys.iter().find_map(opens)?).ok()?;
        Some(plain["vp_token"]["certificate"][0].as_str()?.to_owned())
    };
    exchanges.iter().find_map(open).unwrap()
}

fn json_part(presentation: &str, part: usize) -> Value {
    let part = presentation.split('.').nth(part).unwrap();
    serde_json::from_slice(&jose::decode(part).unwrap()).unwrap()
}

fn epoch_of(presentation: &str) -> u64 {
    number(&json_part(presentation, 1)["epoch"])
}

/// A presentation with everything random replaced by its length, and without its epoch.
fn shape(presentation: &str) -> Value {
    let mut header = json_part(presentation, 0);
    for name in ["nonce", "pseudonym", "request_sha256", "response_uri"] {
        header[name] = json!(header[name].as_str().unwrap().len());
    }
    for name in ["x", "y"] {
        header["device_key"][name] = json!(header["device_key"][name].as_str().unwrap().len());
    }
    let mut issuer = json_part(presentation, 1);
    issuer["epoch"] = json!(issuer["epoch"].to_string().len());
    let parts: Vec<&str> = presentation.split('.').collect();
    let (proof, signature) = parts[3].split_once('~').unwrap();
    json!([header, issuer, parts[2], proof.len(), signature.len()])
}

/// Shows the certificate at the forum with a new device key.
fn present(world: &World, wallet: &Wallet<'_>) -> String {
    let recorder = Recorder::start(world, Party::ForumGateway).unwrap();
    let login = world.log_in(Party::ForumGateway, wallet).unwrap();
    assert_eq!(login.outcome, "signed-up");
    let forum = world.deployment().origin(Party::Forum);
    done(wallet, &["devices", "--forget", &forum]);
    presented(&recorder.take())
}

#[test]
fn certificates_are_renewed_across_the_end_of_a_week_and_look_like_the_first() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(0, HOUR).unwrap();
    let mut world = world_at(&begin);
    let first_epoch = u64::from(weeks.epoch(0).0);
    for (name, person) in [("alva", 1), ("bero", 2)] {
        drop(world.enrol_within(name, person, &begin).unwrap());
    }
    let alva = wallet(&world, "alva", &begin);
    let first = present(&world, &alva);
    assert_eq!(epoch_of(&first), first_epoch);

    // Before its time: nothing is sent, nothing written.
    let shown = done(&alva, &["show"]);
    assert_eq!(number(&shown["certificate"]["epoch"]), first_epoch);
    let moment = number(&shown["renewal_at"]);
    assert!(weeks.time(0, 4 * DAY).0 <= moment && moment < weeks.time(1, 0).0);
    let home = world.deployment().wallet_home("alva");
    let before = snapshot(&home).unwrap();
    let calls = world.connections();
    assert_eq!(done(&alva, &["renew"])["outcome"], "not-due");
    assert_eq!(refused(&alva, &["renew", "--now"]), "renewal-too-early");
    assert_eq!(snapshot(&home).unwrap(), before);
    assert_eq!(world.connections(), calls);

    // The timer finds each renewal at its moment.
    let end = weeks.at(0, WEEK - HOUR).unwrap();
    world.move_to(&[Party::Operator], &end).unwrap();
    world.move_to(&GATEWAYS, &end).unwrap();
    let register = register_without_epochs(&world);
    let recorder = Recorder::start(&world, Party::Operator).unwrap();
    let mut sizes = Vec::new();
    for name in ["alva", "bero"] {
        let moment = planned(&wallet(&world, name, &begin)) + 60;
        let renewed = done(&wallet(&world, name, &clock_at(weeks, moment)), &["renew"]);
        assert_eq!(renewed["outcome"], "renewed");
        assert_eq!(number(&renewed["epoch"]), first_epoch + 1);
        let from = number(&renewed["usable_from"]);
        assert!(weeks.time(1, 0).0 <= from && from <= weeks.time(1, 24 * HOUR).0);
        assert!(number(&renewed["renewal_at"]) >= weeks.time(1, 4 * DAY).0);
        sizes.push(seen(&recorder.take()));
    }
    // The manifest came days before.
    let paths: Vec<_> = sizes[0].iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["POST /nonce", "POST /registration/renewal"]);
    let has = |name: &str| sizes[0][1].said.iter().any(|(known, _)| known == name);
    assert!(has("content-type") && has("cache-control"), "{sizes:?}");
    assert_eq!(sizes[0], sizes[1], "an observer tells two people apart");
    assert_eq!(register_without_epochs(&world), register);
    let next_epoch = i64::try_from(first_epoch).unwrap() + 1;
    assert_eq!(epochs_of(&world), [next_epoch, next_epoch]);
    let sessions = world.state(Party::Operator).join("sessions.sqlite");
    assert!(rows::read(&sessions).unwrap().is_empty());

    // The next week's certificate is here and not shown yet.
    let alva = wallet(&world, "alva", &end);
    let shown = done(&alva, &["show"]);
    assert_eq!(number(&shown["certificate"]["epoch"]), first_epoch);
    let next = &shown["next_certificate"];
    assert_eq!(number(&next["epoch"]), first_epoch + 1);
    assert_eq!(epoch_of(&present(&world, &alva)), first_epoch);

    // A day and some hours into the new week it is shown, and looks like the first one.
    let later = weeks.at(1, 30 * HOUR).unwrap();
    world.move_to(&[Party::Operator], &later).unwrap();
    world.move_to(&GATEWAYS, &later).unwrap();
    let alva = wallet(&world, "alva", &later);
    let renewed = present(&world, &alva);
    assert_eq!(epoch_of(&renewed), first_epoch + 1);
    assert_eq!(shape(&renewed), shape(&first));
    assert_eq!(done(&alva, &["renew"])["outcome"], "not-due");

    the_week_after(&mut world, weeks, &later);
}

/// Once more; who has ended the registration hears so, and keeps what is there.
fn the_week_after(world: &mut World, weeks: Weeks, now: &Environment) {
    let bero = wallet(world, "bero", now);
    done(&bero, &["end", "--yes"]);
    let end = weeks.at(1, WEEK - HOUR).unwrap();
    world.move_to(&[Party::Operator], &end).unwrap();
    let recorder = Recorder::start(world, Party::Operator).unwrap();
    let [alva, bero] = ["alva", "bero"].map(|name| wallet(world, name, &end));
    for overdue in [&alva, &bero] {
        let said = done(overdue, &["renew"]);
        assert_eq!(said["outcome"], "not-due");
        assert_eq!(number(&said["manifest_epoch"]), u64::from(weeks.epoch(1).0));
    }
    drop(recorder.take());
    let before = certificates(&bero);
    assert_eq!(refused(&bero, &["renew", "--now"]), "registration-ended");
    let ended = seen(&recorder.take());
    assert_eq!(certificates(&bero), before);
    let shown = done(&bero, &["show"]);
    assert_eq!(shown["renewal_refusal"]["id"], "registration-ended");
    assert_eq!(number(&shown["renewal_refusal"]["day"]) % DAY, 0);
    let renewed = done(&alva, &["renew", "--now"]);
    assert_eq!(number(&renewed["epoch"]), u64::from(weeks.epoch(2).0));
    assert_eq!(seen(&recorder.take()), ended, "a refusal looks different");
}

#[test]
fn who_was_away_for_weeks_renews_hours_later_or_when_they_say_so() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(0, HOUR).unwrap();
    let mut world = world_at(&begin);
    for (name, person) in [("alva", 1), ("bero", 2)] {
        drop(world.enrol_within(name, person, &begin).unwrap());
    }
    let account = world
        .log_in(Party::ForumGateway, &wallet(&world, "alva", &begin))
        .unwrap();

    let back = weeks.at(5, 3 * HOUR).unwrap();
    world.move_to(&[Party::Operator], &back).unwrap();
    world.move_to(&GATEWAYS, &back).unwrap();
    let [alva, bero] = ["alva", "bero"].map(|name| wallet(&world, name, &back));
    let found = world.log_in(Party::ForumGateway, &alva).unwrap();
    assert_eq!(found.subject(), account.subject());
    // The site asks for a certificate: the renewal is planned, hours away from that.
    let refused = world.log_in(Party::ShopGateway, &alva).unwrap_err();
    assert!(refused.to_string().contains("certificate-missing"));
    let moment = planned(&alva);
    assert!(weeks.time(5, 4 * HOUR).0 <= moment && moment <= weeks.time(5, 16 * HOUR).0);
    let said = done(&alva, &["renew"]);
    assert_eq!(said["outcome"], "not-due");
    assert_eq!(number(&said["manifest_epoch"]), u64::from(weeks.epoch(5).0));
    assert_eq!(planned(&alva), moment);

    // Who asks for nothing is put off too, once; who says so is not.
    let put_off = number(&done(&bero, &["renew"])["renewal_at"]);
    assert!(weeks.time(5, 4 * HOUR).0 <= put_off && put_off <= weeks.time(5, 28 * HOUR).0);
    assert_eq!(number(&done(&bero, &["renew"])["renewal_at"]), put_off);
    done(&bero, &["renew", "--now", "--use-at-once"]);
    let login = world.log_in(Party::ShopGateway, &bero).unwrap();
    assert_eq!(login.outcome, "signed-up");

    let then = clock_at(weeks, moment + 60);
    let renewed = done(&wallet(&world, "alva", &then), &["renew"]);
    assert_eq!(number(&renewed["epoch"]), u64::from(weeks.epoch(5).0));
    let from = number(&renewed["usable_from"]);
    assert!(moment + HOUR <= from && from <= moment + 13 * HOUR);
    world.move_to(&GATEWAYS, &then).unwrap();
    let alva = wallet(&world, "alva", &then);
    let waiting = world.log_in(Party::ShopGateway, &alva).unwrap_err();
    assert!(
        waiting.to_string().contains("certificate-waiting"),
        "{waiting}"
    );
    assert_eq!(done(&alva, &["renew"])["outcome"], "not-due");

    let later = clock_at(weeks, from + 60);
    world.move_to(&GATEWAYS, &later).unwrap();
    let login = world.log_in(Party::ShopGateway, &wallet(&world, "alva", &later));
    assert_eq!(login.unwrap().outcome, "signed-up");
}

/// The request link of a new log-in.
fn link(world: &World, gateway: Party) -> String {
    let site = world.relying_party(gateway).unwrap();
    let page = world.browser().unwrap().open(&site.begin().unwrap().url);
    page.unwrap().request_link().unwrap()
}

/// How many answers of wallets a gateway got.
fn answers(recorder: &Recorder) -> usize {
    let heard = recorder.take();
    let posts = heard.iter().filter(|one| one.asked.method == "POST");
    posts
        .filter(|one| one.asked.path.ends_with("/response"))
        .count()
}

#[test]
fn a_sign_up_and_a_renewal_are_kept_hours_apart_whichever_comes_first() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(0, HOUR).unwrap();
    let mut world = world_at(&begin);
    drop(world.enrol_within("alva", 1, &begin).unwrap());
    let moment = planned(&wallet(&world, "alva", &begin));

    // Ten minutes before its moment a sign-up moves the renewal.
    let before = clock_at(weeks, moment - 600);
    world.move_to(&GATEWAYS, &before).unwrap();
    let alva = wallet(&world, "alva", &before);
    let login = world.log_in(Party::ForumGateway, &alva).unwrap();
    assert_eq!(login.outcome, "signed-up");
    let moved = planned(&alva);
    assert!(
        moment + 3000 <= moved && moved <= moment + DAY,
        "{moment} {moved}"
    );
    let alva = wallet(&world, "alva", &clock_at(weeks, moment + 60));
    assert_eq!(done(&alva, &["renew"])["outcome"], "not-due");
    assert_eq!(planned(&alva), moved);

    let renewed_at = renew_by_the_timer(&mut world, weeks, moved).unwrap();
    // Ten minutes after it a sign-up is held back; a sign-in to an account is not.
    let after = clock_at(weeks, renewed_at + 600);
    world.move_to(&GATEWAYS, &after).unwrap();
    let alva = wallet(&world, "alva", &after);
    let login = world.log_in(Party::ForumGateway, &alva).unwrap();
    assert_eq!(login.outcome, "signed-in");
    let recorder = Recorder::start(&world, Party::ShopGateway).unwrap();
    let link = link(&world, Party::ShopGateway);
    let held = alva.sign_in(&link).unwrap().unwrap_err();
    assert_eq!(held.id, "renewed-lately", "{}", held.what);
    assert!(held.what.contains("UTC"), "{}", held.what);
    assert_eq!(answers(&recorder), 0);
    let signed_up = done(&alva, &["sign-in", &link, "--yes", "--use-at-once"]);
    assert_eq!(signed_up["outcome"], "signed-up");
    assert_eq!(answers(&recorder), 1);

    let later = clock_at(weeks, renewed_at + 2 * HOUR);
    world.move_to(&GATEWAYS, &later).unwrap();
    let alva = wallet(&world, "alva", &later);
    let forum = world.deployment().origin(Party::Forum);
    done(&alva, &["devices", "--forget", &forum]);
    let login = world.log_in(Party::ForumGateway, &alva).unwrap();
    assert_eq!(login.outcome, "signed-up");
}

/// Runs the timer at each planned moment until it renews, and gives the second of that, if it does.
/// In a new week the manifest comes first and puts the renewal off.
fn renew_by_the_timer(world: &mut World, weeks: Weeks, mut moment: u64) -> Option<u64> {
    for _ in 0..3 {
        let now = clock_at(weeks, moment + 60);
        world.move_to(&[Party::Operator], &now).unwrap();
        let said = done(&wallet(world, "alva", &now), &["renew"]);
        if said["outcome"] == "renewed" {
            return Some(moment + 60);
        }
        moment = number(&said["renewal_at"]);
    }
    None
}

#[test]
fn last_weeks_certificate_is_shown_late_in_a_week_only_to_who_agrees_to_stand_out() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(0, HOUR).unwrap();
    let mut world = world_at(&begin);
    drop(world.enrol_within("alva", 1, &begin).unwrap());
    let late = weeks.at(1, 2 * DAY + HOUR).unwrap();
    world.move_to(&[Party::Operator], &late).unwrap();
    world.move_to(&GATEWAYS, &late).unwrap();
    let alva = wallet(&world, "alva", &late);
    let recorder = Recorder::start(&world, Party::ForumGateway).unwrap();
    let asked = link(&world, Party::ForumGateway);
    let refused = alva.sign_in(&asked).unwrap().unwrap_err();
    assert_eq!(refused.id, "certificate-of-last-week", "{}", refused.what);
    assert_eq!(answers(&recorder), 0);
    let signed_up = done(&alva, &["sign-in", &asked, "--yes", "--use-old"]);
    assert_eq!(signed_up["outcome"], "signed-up");
    // The account is there, and no certificate is shown any more.
    let again = alva.sign_in(&link(&world, Party::ForumGateway)).unwrap();
    assert_eq!(again.unwrap()["outcome"], "signed-in");
}

#[test]
fn a_wallet_whose_clock_is_wrong_says_so_and_asks_for_nothing() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(1, HOUR).unwrap();
    let world = world_at(&begin);
    drop(world.enrol_within("alva", 1, &begin).unwrap());
    let register = world.register_rows().unwrap();
    // A week behind, a week ahead, and years ahead.
    for (week, id) in [
        (0, "renewal-too-early"),
        (2, "clock-differs"),
        (4, "clock-differs"),
        (300, "certificate-too-old"),
    ] {
        let wrong = weeks.at(week, 5 * DAY).unwrap();
        let alva = wallet(&world, "alva", &wrong);
        let answer = alva.run(&["renew", "--now"]).unwrap().unwrap_err();
        assert_eq!(answer.id, id, "{}", answer.what);
        let named = answer.what.contains(&weeks.epoch(1).0.to_string());
        assert!(named || id != "clock-differs", "{}", answer.what);
    }
    // Nor for the certificate of an enrolment, which would take the place of the one that is there.
    let ahead = weeks.at(2, 5 * DAY).unwrap();
    let passport = world.deployment().passport(1, &[]).unwrap();
    let alva = wallet(&world, "alva", &ahead);
    let enrolment = alva.begin_enrolment(&passport).unwrap().unwrap();
    let code = enrolment.confirm_within(&begin).unwrap().unwrap();
    let refused = enrolment.finish(&code).unwrap().unwrap_err();
    assert_eq!(refused.id, "clock-differs");
    assert_eq!(world.register_rows().unwrap(), register);
}
