//! The worked example of ICAO Doc 9303-11, appendix F, and what is refused.

use super::*;

fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

const REPRESENTATIVE: &str = "6A9D2784A67F8E7C659973EA1AEA25D95B6C8F91E5002F369F0FBDCE8A3CEC1991B543F1696546C5524CF23A5303CD6C98599F40B79F377B5F3A1406B3B4D8F96784D23AA88DB7E1032A405E69325FA91A6E86F5C71AEA978264C4A207446DAD4E7292E2DCDA3024B47DA8C063AA1E6D22FBD976AB0FE73D94D2D9C6D88127BC";

#[test]
fn the_worked_example_comes_out() {
    let challenge = octets("F173589974BF40C6").try_into().unwrap();
    let representative = octets(REPRESENTATIVE);
    assert!(message_fits(&representative, &challenge));
    for bit in 0..representative.len() * 8 {
        let mut changed = representative.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!message_fits(&changed, &challenge), "{bit}");
    }
    for bit in 0..64 {
        let mut other = challenge;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!message_fits(&representative, &other), "{bit}");
    }
}

#[test]
fn a_shorter_part_of_the_chips_is_taken_with_its_filling() {
    let challenge = *b"8 octets";
    let digest = Hash::Sha256.digest(&[b"own".as_slice(), &challenge].concat());
    let message = [
        &[0x6B, 0xBB, 0xBB, 0xBA],
        b"own".as_slice(),
        &digest,
        &[0x34, 0xCC],
    ]
    .concat();
    assert!(message_fits(&message, &challenge));
    for head in [
        [0x6B, 0xBB, 0xBB, 0xBB],
        [0x4B, 0xBB, 0xBB, 0xBA],
        [0x6B, 0xBB, 0xBC, 0xBA],
    ] {
        let message = [&head, b"own".as_slice(), &digest, &[0x34, 0xCC]].concat();
        assert!(!message_fits(&message, &challenge), "{head:?}");
    }
    for short in 0..message.len() {
        assert!(!message_fits(&message[..short], &challenge));
    }
}
