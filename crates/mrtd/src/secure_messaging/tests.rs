//! Both sides against each other; the worked example stands with basic access control.

use proptest::prelude::*;

use super::*;

fn channels(cipher: Cipher) -> (SecureMessaging, SecureMessaging) {
    let make = || SecureMessaging::new(cipher.session_keys(b"a shared secret"));
    (make(), make())
}

const CIPHERS: [Cipher; 4] = [
    Cipher::TripleDes,
    Cipher::Aes128,
    Cipher::Aes192,
    Cipher::Aes256,
];

proptest! {
    #[test]
    fn commands_and_answers_come_through(
        cipher in proptest::sample::select(&CIPHERS),
        instruction in any::<u8>(),
        data in proptest::collection::vec(any::<u8>(), 0..400),
        expected in proptest::option::of(1..=EXTENDED_LE),
        answered in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let (mut reader, mut chip) = channels(cipher);
        let mut command = Command::new(instruction, [1, 2], &data);
        command.expected = expected;
        let sent = Command::decode(&reader.protect(&command)).unwrap();
        let arrived = chip.open_command(&sent).unwrap();
        prop_assert_eq!(&*arrived.data, &data);
        prop_assert_eq!((arrived.class, arrived.instruction), (0, instruction));
        prop_assert_eq!(arrived.expected, expected);
        let answer = Answer { data: Zeroizing::new(answered.clone()), status: Status::END_OF_FILE };
        let protected = chip.protect_answer(&answer, instruction);
        let opened = reader.open(&protected).unwrap();
        prop_assert_eq!(&*opened.data, &answered);
        prop_assert_eq!(opened.status, Status::END_OF_FILE);
    }

    #[test]
    fn no_answer_and_no_command_panics_or_is_taken(
        cipher in proptest::sample::select(&CIPHERS),
        octets in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let (mut reader, mut chip) = channels(cipher);
        prop_assert!(reader.open(&Answer::data(octets.clone())).is_err());
        prop_assert!(chip.open_command(&Command::new(0xB0, [0, 0], &octets)).is_err());
    }
}

#[test]
fn each_changed_bit_of_an_answer_is_refused() {
    for cipher in CIPHERS {
        let protected = |chip: &mut SecureMessaging| {
            let answer = Answer::data(b"content of a file".to_vec());
            chip.protect_answer(&answer, 0xB0)
        };
        let (_, mut chip) = channels(cipher);
        let whole = protected(&mut chip);
        for bit in 0..whole.data.len() * 8 {
            let (mut reader, _) = channels(cipher);
            let mut changed = Answer::data(whole.data.to_vec());
            changed.data[bit / 8] ^= 1 << (bit % 8);
            assert!(reader.open(&changed).is_err(), "{cipher:?} {bit}");
        }
        let (mut reader, _) = channels(cipher);
        assert!(reader.open(&whole).is_ok());
        // The same answer again is one of another number.
        assert!(reader.open(&whole).is_err());
    }
}

#[test]
fn a_status_without_protection_is_not_the_chips() {
    let (mut reader, _) = channels(Cipher::Aes128);
    assert!(reader.open(&Answer::status(Status::SUCCESS)).is_err());
}
