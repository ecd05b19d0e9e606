//! The main job: enrol, sign up, sign in, sign up elsewhere; and what must not be possible twice.

use e2e::world::{GATEWAYS, Way, World, log_in};
use server::demo::deployment::Party;

#[test]
fn a_person_enrols_signs_up_signs_in_again_and_signs_up_elsewhere() {
    let world = World::running().unwrap();
    let wallet = world.enrol("alva", 1).unwrap();
    let forum = world.relying_party(Party::ForumGateway).unwrap();

    let first = world.log_in(Party::ForumGateway, &wallet).unwrap();
    assert_eq!(first.outcome, "signed-up");
    let mut browser = world.browser().unwrap();
    let again = log_in(&forum, &mut browser, &wallet, Way::SameDevice).unwrap();
    assert_eq!(again.outcome, "signed-in");
    assert_eq!(again.subject(), first.subject());

    let shop = world.log_in(Party::ShopGateway, &wallet).unwrap();
    assert_eq!(shop.outcome, "signed-up");
    assert_ne!(shop.subject(), first.subject());
    assert!(shop.claims.get("name").is_none());
    let _ = GATEWAYS;
}
