//! The worked example of ICAO Doc 9303-11, appendix D, and what is refused.

use super::*;
use crate::apdu::{Answer, Command, Status};

fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn drawn(nonce: &str, key: &str) -> Drawn {
    let key: [u8; 16] = octets(key).try_into().unwrap();
    Drawn {
        nonce: octets(nonce).try_into().unwrap(),
        key: Zeroizing::new(key),
    }
}

fn reader() -> Drawn {
    drawn("781723860C06C226", "0B795240CB7049B01C19B33E32804F0B")
}

fn chip() -> Drawn {
    drawn("4608F91988702212", "0B4F80323EB3191CB04970CB4052790B")
}

fn access() -> BasicAccess {
    let key = AccessKey::from_zone("L898902C<", "690806", "940623").unwrap();
    BasicAccess::new(&key).unwrap()
}

const REQUEST: &str =
    "72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A7";
const ANSWER: &str =
    "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449";

#[test]
fn the_worked_example_comes_out() {
    let access = access();
    assert_eq!(
        access.keys.encryption.octets(),
        octets("AB94FDECF2674FDFB9B391F85D7F76F2")
    );
    assert_eq!(
        access.keys.authentication.octets(),
        octets("7962D9ECE03D1ACD4C76089DCE131543")
    );
    let request = access.request(&reader(), &chip().nonce);
    assert_eq!(request, octets(REQUEST));
    let (answer, _) = access.accept(&request, &chip()).unwrap();
    assert_eq!(answer, octets(ANSWER));
    let mut channel = access.finish(&reader(), &chip().nonce, &answer).unwrap();
    let steps = [
        (
            Command::new(0xA4, [0x02, 0x0C], &[0x01, 0x1E]),
            "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800",
            "990290008E08FA855A5D4C50A8ED9000",
            "",
        ),
        (
            Command::new(0xB0, [0, 0], &[]).expecting(4),
            "0CB000000D9701048E08ED6705417E96BA5500",
            "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000",
            "60145F01",
        ),
        (
            Command::new(0xB0, [0, 4], &[]).expecting(18),
            "0CB000040D9701128E082EA28A70F3C7B53500",
            "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000",
            "04303130365F36063034303030305C026175",
        ),
    ];
    for (command, protected, answered, text) in steps {
        assert_eq!(*channel.protect(&command), octets(protected));
        let answer = channel.open(&Answer::decode(&octets(answered)).unwrap());
        let answer = answer.unwrap();
        assert_eq!(answer.status, Status::SUCCESS);
        assert_eq!(*answer.data, octets(text));
    }
}

#[test]
fn zones_of_cards_with_long_numbers_give_the_key_of_the_whole_number() {
    // Source: appendix D.2, the TD1 zone whose check digits hold.
    let key = AccessKey::from_zone("D23145890734", "340712", "950712").unwrap();
    assert_eq!(
        key.basic_seed().unwrap(),
        octets("B366AD857DDCA2B08C0E299811714730")
    );
}

#[test]
fn each_changed_bit_of_request_and_answer_is_refused() {
    let access = access();
    for bit in 0..REQUEST.len() * 4 {
        let mut changed = octets(REQUEST);
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(access.accept(&changed, &chip()).is_none(), "{bit}");
        let mut changed = octets(ANSWER);
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            access.finish(&reader(), &chip().nonce, &changed).is_none(),
            "{bit}"
        );
    }
}

#[test]
fn answers_to_another_run_are_refused() {
    let access = access();
    let other = drawn("0000000000000000", "00000000000000000000000000000000");
    assert!(access.accept(&octets(REQUEST), &other).is_none());
    assert!(
        access
            .finish(&other, &chip().nonce, &octets(ANSWER))
            .is_none()
    );
    assert!(
        access
            .finish(&reader(), &other.nonce, &octets(ANSWER))
            .is_none()
    );
}
