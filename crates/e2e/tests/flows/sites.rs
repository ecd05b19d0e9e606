//! The demonstration's forum and shop: what members do there, a ban that holds, and what is
//! refused.

use e2e::browser::{Browser, Page};
use e2e::wallet::Wallet;
use e2e::world::World;
use reqwest::StatusCode;
use server::demo::deployment::Party;

fn world() -> World {
    let mut world = World::running().unwrap();
    world.start(Party::Forum).unwrap();
    world.start(Party::Shop).unwrap();
    world
}

/// A browser in which the person is logged in at `site`.
fn log_in(world: &World, site: Party, wallet: &Wallet<'_>) -> Browser {
    let browser = world.browser().unwrap();
    let page = browser.open(&at(world, site, "/log-in")).unwrap();
    wallet
        .sign_in(&page.request_link().unwrap())
        .unwrap()
        .unwrap();
    let back = browser.open(page.url.as_str()).unwrap();
    assert_eq!(back.url.host_str(), Some(site.host()), "{}", back.text());
    browser
}

fn at(world: &World, site: Party, path: &str) -> String {
    format!("{}{path}", world.deployment().origin(site))
}

/// The page reports this failure.
fn assert_failed(page: &Page, status: StatusCode, id: &str) {
    let told = page.html.contains(&format!("data-error-id=\"{id}\""));
    assert!(
        told && page.status == status,
        "{id}: {} {}",
        page.status,
        page.html
    );
}

#[test]
fn a_ban_holds_at_its_site_for_every_device_and_nowhere_else() {
    let world = world();
    let (alva, bero) = (
        world.enrol("alva", 1).unwrap(),
        world.enrol("bero", 2).unwrap(),
    );
    let forum = |path: &str| at(&world, Party::Forum, path);

    let browser = log_in(&world, Party::Forum, &alva);
    browser
        .post(&forum("/name"), &[("name", "Alva <b>")])
        .unwrap();
    let page = browser
        .post(&forum("/posts"), &[("text", "<script>first</script>")])
        .unwrap();
    assert!(page.text().contains("<script>first</script>") && !page.html.contains("<script>"));
    let others = log_in(&world, Party::Forum, &bero);
    assert!(
        others
            .open(&forum("/"))
            .unwrap()
            .text()
            .contains("Alva <b>")
    );
    // A name is taken once.
    let taken = others
        .post(&forum("/name"), &[("name", "Alva <b>")])
        .unwrap();
    assert!(taken.status.is_client_error(), "{}", taken.html);

    let token = std::fs::read_to_string(world.deployment().moderator_token()).unwrap();
    let ban = |token: &str| {
        let form = [("post", "1"), ("decision", "ban"), ("token", token)];
        others.post(&forum("/moderation"), &form).unwrap()
    };
    assert_failed(&ban("wrong"), StatusCode::FORBIDDEN, "wrong-token");
    assert_eq!(ban(&token).status, StatusCode::OK);
    let banned = |browser: &Browser| {
        let page = browser.open(&forum("/")).unwrap();
        assert_failed(&page, StatusCode::FORBIDDEN, "banned");
        let page = browser
            .post(&forum("/posts"), &[("text", "again")])
            .unwrap();
        assert_failed(&page, StatusCode::FORBIDDEN, "banned");
    };
    banned(&browser);
    // Neither a new browser nor a new device key makes another account.
    banned(&log_in(&world, Party::Forum, &alva));
    alva.run(&["devices", "--forget", &forum("")])
        .unwrap()
        .unwrap();
    banned(&log_in(&world, Party::Forum, &alva));
    assert!(!others.open(&forum("/")).unwrap().text().contains("again"));

    let shop = log_in(&world, Party::Shop, &alva);
    assert!(
        shop.open(&at(&world, Party::Shop, "/account"))
            .unwrap()
            .status
            .is_success()
    );
    let lift = [("post", "1"), ("decision", "lift"), ("token", &token)];
    others.post(&forum("/moderation"), &lift).unwrap();
    assert!(browser.open(&forum("/")).unwrap().status.is_success());
}

#[test]
fn log_ins_that_did_not_begin_here_are_refused() {
    let world = world();
    let alva = world.enrol("alva", 1).unwrap();
    let forum = |path: &str| at(&world, Party::Forum, path);

    let browser = world.browser().unwrap();
    let callbacks = [
        "/callback",
        "/callback?state=x&code=y",
        "/callback?code=y",
        "/callback?state=",
    ];
    for path in callbacks {
        let page = browser.open(&forum(path)).unwrap();
        assert_failed(&page, StatusCode::BAD_REQUEST, "unknown-login");
    }

    // The answer of a genuine log-in, as it comes back: in another browser, in its own, twice.
    let page = browser.open(&forum("/log-in")).unwrap();
    alva.sign_in(&page.request_link().unwrap())
        .unwrap()
        .unwrap();
    let back = browser
        .open_until(page.url.as_str(), &forum("/callback"))
        .unwrap();
    let stranger = world.browser().unwrap();
    let page = stranger.open(back.url.as_str()).unwrap();
    assert_failed(&page, StatusCode::BAD_REQUEST, "unknown-login");
    let state = back.parameter("state").unwrap();
    let page = browser.open(back.url.as_str()).unwrap();
    assert_eq!(page.url.path(), "/", "{}", page.text());
    let page = browser.open(back.url.as_str()).unwrap();
    assert_failed(&page, StatusCode::BAD_REQUEST, "unknown-login");
    let page = stranger
        .open(&forum(&format!("/callback?state={state}&code=x")))
        .unwrap();
    assert_failed(&page, StatusCode::BAD_REQUEST, "unknown-login");

    // A code of somebody else, put into a log-in that did begin here.
    for (query, status, id) in [
        ("code=stolen", StatusCode::BAD_GATEWAY, "login-failed"),
        ("", StatusCode::BAD_GATEWAY, "login-failed"),
        ("error=access_denied", StatusCode::OK, "login-refused"),
    ] {
        let stranger = world.browser().unwrap();
        let waiting = stranger.open(&forum("/log-in")).unwrap();
        alva.sign_in(&waiting.request_link().unwrap())
            .unwrap()
            .unwrap();
        let back = stranger
            .open_until(waiting.url.as_str(), &forum("/callback"))
            .unwrap();
        let state = back.parameter("state").unwrap();
        let page = stranger
            .open(&forum(&format!("/callback?state={state}&{query}")))
            .unwrap();
        assert_failed(&page, status, id);
    }
    let page = stranger.open(&forum("/account")).unwrap();
    assert_failed(&page, StatusCode::UNAUTHORIZED, "not-logged-in");
}

type Fields = &'static [(&'static str, &'static str)];

#[test]
fn forms_are_for_members_from_own_pages_complete_and_small() {
    let world = world();
    let alva = world.enrol("alva", 1).unwrap();
    let long = "a".repeat(2001);
    let huge = "a".repeat(20_000);
    let cases: [(Party, &str, Fields); 6] = [
        (Party::Forum, "/name", &[("name", "Alva")]),
        (Party::Forum, "/posts", &[("text", "x")]),
        (Party::Shop, "/basket", &[("product", "x")]),
        (Party::Shop, "/basket/remove", &[("product", "x")]),
        (Party::Shop, "/orders", &[]),
        (Party::Shop, "/log-out", &[]),
    ];
    let visitor = world.browser().unwrap();
    for (site, path, fields) in cases {
        let url = at(&world, site, path);
        let page = visitor
            .post_from("https://elsewhere.example", &url, fields)
            .unwrap();
        assert_failed(&page, StatusCode::FORBIDDEN, "foreign-form");
        if path != "/log-out" {
            let page = visitor.post(&url, fields).unwrap();
            assert_failed(&page, StatusCode::UNAUTHORIZED, "not-logged-in");
        }
    }

    let forum = log_in(&world, Party::Forum, &alva);
    let posts = at(&world, Party::Forum, "/posts");
    let name = at(&world, Party::Forum, "/name");
    for (url, fields) in [
        (&name, ("name", "")),
        (&name, ("name", "a\u{1b}b")),
        (&name, ("other", "Alva")),
        (&name, ("name", &long)),
        (&posts, ("text", " ")),
        (&posts, ("text", &long)),
        (&posts, ("text", &huge)),
    ] {
        let page = forum.post(url, &[fields]).unwrap();
        assert_failed(&page, StatusCode::UNPROCESSABLE_ENTITY, "bad-form");
    }
    let foreign = forum.post_from("https://login.forum.localhost", &posts, &[("text", "x")]);
    assert_failed(&foreign.unwrap(), StatusCode::FORBIDDEN, "foreign-form");
    let front = forum.open(&at(&world, Party::Forum, "/")).unwrap();
    assert!(front.html.contains("no-posts"), "{}", front.html);
    for path in ["/nothing", "/moderation/1", "/style.css/x"] {
        let page = forum.open(&at(&world, Party::Forum, path)).unwrap();
        assert_failed(&page, StatusCode::NOT_FOUND, "nothing-here");
    }

    let shop = log_in(&world, Party::Shop, &alva);
    let shop_at = |path: &str| at(&world, Party::Shop, path);
    let page = shop
        .post(&shop_at("/basket"), &[("product", "nothing")])
        .unwrap();
    assert_failed(&page, StatusCode::NOT_FOUND, "nothing-here");
    let empty = shop.post(&shop_at("/orders"), &[]).unwrap();
    assert!(empty.status.is_client_error(), "{}", empty.html);
    let product = shop.open(&shop_at("/")).unwrap().html;
    let product = product.split("name=\"product\" value=\"").nth(1).unwrap();
    let product = product.split('"').next().unwrap();
    shop.post(&shop_at("/basket"), &[("product", product)])
        .unwrap();
    let page = shop.post(&shop_at("/orders"), &[]).unwrap();
    assert!(page.html.contains("placed-order"), "{}", page.html);
    // Logged out here and at the gateway: the next log-in asks the wallet again.
    shop.post(&shop_at("/log-out"), &[]).unwrap();
    let page = shop.open(&shop_at("/account")).unwrap();
    assert_failed(&page, StatusCode::UNAUTHORIZED, "not-logged-in");
    assert!(
        shop.open(&shop_at("/log-in"))
            .unwrap()
            .request_link()
            .is_ok()
    );
}

#[test]
fn a_site_whose_gateway_is_away_says_so() {
    let mut world = world();
    world.kill(Party::ForumGateway).unwrap();
    let page = world
        .browser()
        .unwrap()
        .open(&at(&world, Party::Forum, "/log-in"))
        .unwrap();
    assert_failed(&page, StatusCode::SERVICE_UNAVAILABLE, "gateway-away");
}
