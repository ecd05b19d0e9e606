//! The reader against a specimen's chip.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::access_procedure::CARD_ACCESS;
use super::*;
use crate::active::{ActiveAuthError, ActiveKey};
use crate::chip_authentication::{ChipAuthError, ChipAuthentication};
use crate::cipher::Cipher;
use crate::curve::Curve;
use crate::security_info::card_access::{CardAccess, CardAccessError};
use crate::specimen::{
    ActiveKind, CardAccessFile, ChipAccess, ChipKeys, ChipOptions, LongAnswers, SpecimenChip,
};
use crate::tlv;

/// The chip itself as the way to it.
struct Direct {
    chip: SpecimenChip,
    rng: ChaCha20Rng,
    commands: usize,
}

impl Transport for Direct {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        self.commands += 1;
        Ok(Zeroizing::new(self.chip.answer(command, &mut self.rng)))
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

fn zone() -> AccessKey {
    AccessKey::from_zone("UTO000001", "740812", "300101").unwrap()
}

fn number() -> AccessKey {
    AccessKey::from_number("123456").unwrap()
}

/// A group that is longer than offsets of two octets reach.
fn long_group() -> Vec<u8> {
    let content: Vec<u8> = (0..70_000_u32)
        .map(|place| place.to_be_bytes()[2])
        .collect();
    tlv::element(0x75, &[&content])
}

const SHORT_GROUP: [u8; 4] = [0x61, 2, 1, 7];

fn keys(options: &ChipOptions) -> ChipKeys {
    ChipKeys::generate(options, &mut rng()).unwrap()
}

fn chip(options: &ChipOptions) -> Direct {
    let keys = keys(options);
    let groups = keys.groups();
    chip_of(groups, keys)
}

fn chip_of(groups: Vec<(u8, Vec<u8>)>, keys: ChipKeys) -> Direct {
    let mut files = vec![
        (File::Group(1), SHORT_GROUP.to_vec()),
        (File::Group(2), long_group()),
    ];
    files.extend(
        groups
            .into_iter()
            .map(|(number, file)| (File::Group(number), file)),
    );
    Direct {
        chip: SpecimenChip::new(files, vec![zone(), number()], keys.into()),
        rng: ChaCha20Rng::from_seed([8; 32]),
        commands: 0,
    }
}

fn basic() -> ChipOptions {
    ChipOptions {
        access: ChipAccess::Basic,
        active: None,
        agreement: None,
        long_answers: LongAnswers::Given,
        card_access: CardAccessFile::Signed,
    }
}

fn read(reader: &mut ChipReader<'_>, number: u8) -> Option<Zeroizing<Vec<u8>>> {
    reader.read(File::Group(number), &mut |_, _| {}).unwrap()
}

#[test]
fn every_curve_mapping_and_cipher_opens_for_zone_and_number() {
    for (curve, cipher) in Curve::ALL.into_iter().zip(CIPHERS.into_iter().cycle()) {
        let accesses = [
            ChipAccess::PaceGeneric(curve, cipher),
            ChipAccess::PaceIntegrated(curve, cipher),
        ];
        for access in accesses {
            let options = ChipOptions { access, ..basic() };
            for password in [zone(), number()] {
                let mut chip = chip(&options);
                let opened = ChipReader::open(&mut chip, &password, &mut rng());
                let integrated = matches!(access, ChipAccess::PaceIntegrated(..));
                if integrated && curve == Curve::P224 && password.basic_seed().is_none() {
                    assert!(matches!(opened, Err(ReadError::NoAccess)), "{access:?}");
                    continue;
                }
                let mut reader = opened.unwrap_or_else(|error| panic!("{access:?}: {error}"));
                assert_eq!(read(&mut reader, 1).unwrap().as_slice(), SHORT_GROUP);
                let pace = !(integrated && curve == Curve::P224);
                assert_eq!(reader.access().starts_with("PACE"), pace, "{access:?}");
            }
        }
    }
}

const CIPHERS: [Cipher; 4] = [
    Cipher::Aes128,
    Cipher::Aes256,
    Cipher::TripleDes,
    Cipher::Aes192,
];

#[test]
fn long_files_are_read_to_their_end_with_progress() {
    for access in [
        ChipAccess::Basic,
        ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128),
    ] {
        let mut chip = chip(&ChipOptions { access, ..basic() });
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        let mut last = (0, 0);
        let mut progress = |done, total| {
            assert!(done > last.0 && done <= total);
            last = (done, total);
        };
        let file = reader.read(File::Group(2), &mut progress).unwrap().unwrap();
        assert_eq!(*file, long_group());
        assert_eq!(last, (file.len(), file.len()));
        assert!(read(&mut reader, 3).is_none());
    }
}

/// A chip with the long group that does this where more than 160 octets are wanted.
fn short_of_breath(access: ChipAccess, long_answers: LongAnswers) -> Direct {
    chip(&ChipOptions {
        access,
        long_answers,
        ..basic()
    })
}

#[test]
fn a_chip_that_gives_no_long_answers_is_asked_for_shorter_ones() {
    let accesses = [
        ChipAccess::Basic,
        ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128),
    ];
    let ways = [
        LongAnswers::WrongLength,
        LongAnswers::ExactLength,
        LongAnswers::NotSatisfied,
        LongAnswers::Unopened,
    ];
    for (access, way) in accesses
        .into_iter()
        .flat_map(|access| ways.map(|way| (access, way)))
    {
        let mut chip = short_of_breath(access, way);
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        assert_eq!(*read(&mut reader, 2).unwrap(), long_group(), "{way:?}");
        assert_eq!(*read(&mut reader, 1).unwrap(), SHORT_GROUP, "{way:?}");
        // It learns it once for a file, not with each part.
        assert!(chip.commands < long_group().len() / 157 + 24, "{way:?}");
    }
}

/// Refuses to read within the channel after as many parts as `from`; `count` is how often it was asked.
fn refusing(
    status: u16,
    from: usize,
    count: &std::cell::Cell<usize>,
) -> impl FnMut(&[u8]) -> Option<Vec<u8>> {
    move |command: &[u8]| {
        let reads = command[0] & 0x0C != 0 && matches!(command[1], 0xB0 | 0xB1);
        count.set(count.get() + usize::from(reads));
        (reads && count.get() > from).then(|| status.to_be_bytes().to_vec())
    }
}

#[test]
fn a_chip_that_refuses_shorter_answers_too_is_asked_twice_and_no_more() {
    for status in [0x6700, 0x6C10] {
        let count = std::cell::Cell::new(0);
        let mut chip = Changed(chip(&basic()), refusing(status, 1, &count));
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        let refused = reader.read(File::Group(2), &mut |_, _| {}).unwrap_err();
        assert!(
            matches!(refused, ReadError::Refused(_, Status(found)) if found == status),
            "{refused}"
        );
        assert_eq!(count.get(), 3);
    }
    // What ends the session is not asked again.
    for status in [0x6982, 0x6987, 0x6988, 0x6C00, 0x6CFF] {
        let count = std::cell::Cell::new(0);
        let mut chip = Changed(chip(&basic()), refusing(status, 1, &count));
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        assert!(reader.read(File::Group(2), &mut |_, _| {}).is_err());
        assert_eq!(count.get(), 2, "{status:04X}");
    }
}

#[test]
fn octets_after_a_file_are_not_part_of_it() {
    // Around each place at which the commands to read it change.
    for length in [
        0x7FF0_usize,
        0x7FFC,
        0x8000,
        0x8001,
        0x8080,
        0x80FF,
        0x1_0000,
    ] {
        let content = tlv::element(0x75, &[&vec![7; length]]);
        let padded = [content.as_slice(), &[0; 512]].concat();
        let mut chip = chip_of(vec![(5, padded)], keys(&basic()));
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        let file = read(&mut reader, 5).unwrap();
        assert!(*file == content, "{length:X}");
    }
}

#[test]
fn a_file_that_can_be_selected_and_not_read_is_shown_to_nobody() {
    let mut refusing = |_: &Command| Ok(Answer::status(Status::NOT_SATISFIED));
    let read = read_selected(&mut refusing, FILE_MAX_LEN, &mut |_, _| {});
    assert!(read.unwrap().is_none());
}

#[test]
fn another_password_does_not_open() {
    let others = [
        AccessKey::from_zone("UTO000002", "740812", "300101").unwrap(),
        AccessKey::from_number("123457").unwrap(),
    ];
    for access in [
        ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128),
        ChipAccess::PaceIntegrated(Curve::P256, Cipher::Aes128),
    ] {
        for other in &others {
            let mut chip = chip(&ChipOptions { access, ..basic() });
            let opened = ChipReader::open(&mut chip, other, &mut rng());
            assert!(
                matches!(opened, Err(ReadError::WrongPassword)),
                "{access:?}"
            );
        }
    }
    let mut chip = chip(&basic());
    let opened = ChipReader::open(&mut chip, &others[0], &mut rng());
    assert!(matches!(opened, Err(ReadError::WrongPassword)));
    let opened = ChipReader::open(&mut chip, &number(), &mut rng());
    assert!(matches!(opened, Err(ReadError::NoAccess)));
}

#[test]
fn without_access_no_file_is_shown() {
    let mut chip = chip(&basic());
    let commands: [&[u8]; 4] = [
        &[0x00, 0xA4, 0x02, 0x0C, 2, 0x01, 0x01],
        &[0x00, 0xB0, 0x00, 0x00, 0x00],
        &[0x00, 0x88, 0x00, 0x00, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0],
        &[0x0C, 0xB0, 0x00, 0x00, 0x00],
    ];
    for command in commands {
        let answer = chip.transmit(command).unwrap();
        assert_eq!(answer.len(), 2, "{command:?}");
        assert_ne!(answer[0], 0x90, "{command:?}");
    }
}

#[test]
fn active_authentication_holds_for_rsa_and_every_curve_and_not_for_a_copy() {
    let kinds = [1024, 2048].map(|bits| ActiveKind::Rsa { bits });
    let kinds = kinds.into_iter().chain(Curve::ALL.map(ActiveKind::Ecdsa));
    for kind in kinds {
        let options = ChipOptions {
            active: Some(kind),
            ..basic()
        };
        let challenge = *b"\x01\x02\x03\x04\x05\x06\x07\x08";
        let sign = |mut chip: Direct| {
            let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
            let protocols = match read(&mut reader, 14) {
                Some(file) => SecurityInfos::parse_dg14(&file).unwrap(),
                None => SecurityInfos::default(),
            };
            let key = read(&mut reader, 15).unwrap();
            let key = ActiveKey::parse(&key, &protocols).unwrap();
            let signature = reader.sign(&challenge, key.signature_len()).unwrap();
            assert_eq!(signature.len(), key.signature_len());
            (key, signature)
        };
        let (key, signature) = sign(chip(&options));
        assert_eq!(key.verify(&challenge, &signature), Ok(()), "{kind:?}");
        let refused = Err(ActiveAuthError::Signature);
        assert_eq!(
            key.verify(b"\x01\x02\x03\x04\x05\x06\x07\x09", &signature),
            refused
        );
        for place in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            assert_eq!(
                key.verify(&challenge, &changed),
                refused,
                "{kind:?} {place}"
            );
        }
        for other in [
            &[][..],
            &signature[1..],
            &vec![0xFF; signature.len()],
            &vec![0; signature.len()],
        ] {
            assert_eq!(key.verify(&challenge, other), refused, "{kind:?}");
        }

        let own = ChipKeys::generate(&options, &mut ChaCha20Rng::from_seed([9; 32])).unwrap();
        let (key, signature) = sign(chip_of(keys(&options).groups(), own));
        assert_eq!(
            key.verify(&challenge, &signature),
            refused,
            "a copy, {kind:?}"
        );
    }
}

#[test]
fn chip_authentication_holds_on_every_curve_and_not_for_a_copy() {
    for (curve, cipher) in Curve::ALL.into_iter().zip(CIPHERS.into_iter().cycle()) {
        let options = ChipOptions {
            agreement: Some((curve, cipher)),
            ..basic()
        };
        let run = |mut chip: Direct| {
            let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
            let protocols = read(&mut reader, 14).unwrap();
            let protocols = SecurityInfos::parse_dg14(&protocols).unwrap();
            let (asker, question) = ChipAuthentication::begin(&protocols, &mut rng()).unwrap();
            let answer = reader.ask(&question, &protocols).unwrap();
            (asker, question, answer)
        };
        let (asker, question, answer) = run(chip(&options));
        assert_eq!(asker.verify(&answer), Ok(()), "{curve:?} {cipher:?}");

        // The answer to another key is no answer to this one.
        let mut other = rng();
        let protocols = SecurityInfos::parse_dg14(&keys(&options).groups()[0].1).unwrap();
        other.fill_bytes(&mut [0; 8]);
        let (asker, another) = ChipAuthentication::begin(&protocols, &mut other).unwrap();
        assert_ne!(question.public_key, another.public_key);
        assert_eq!(asker.verify(&answer), Err(ChipAuthError::Answer));

        let own = ChipKeys::generate(&options, &mut ChaCha20Rng::from_seed([9; 32])).unwrap();
        let (asker, _, answer) = run(chip_of(keys(&options).groups(), own));
        let refused = Err(ChipAuthError::Answer);
        assert_eq!(
            asker.verify(&answer),
            refused,
            "a copy, {curve:?} {cipher:?}"
        );
    }
}

#[test]
fn only_questions_of_chip_authentication_reach_the_chip() {
    let options = ChipOptions {
        agreement: Some((Curve::P256, Cipher::Aes128)),
        ..basic()
    };
    let protocols = SecurityInfos::parse_dg14(&keys(&options).groups()[0].1).unwrap();
    let (_, question) = ChipAuthentication::begin(&protocols, &mut rng()).unwrap();
    let mut reads = question.clone();
    reads.command[1] = 0xB0; // READ BINARY
    let mut open = question.clone();
    open.command[0] = 0;
    let mut cipher = question.clone();
    cipher.cipher = 5;
    let mut weaker = question.clone();
    weaker.cipher = 1;
    let mut off = question.clone();
    *off.public_key.last_mut().unwrap() ^= 1;
    let mut named = question.clone();
    named.key_id = Some(vec![7]);
    for question in [reads, open, cipher, weaker, off, named] {
        let mut chip = chip(&options);
        let reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        assert!(matches!(
            reader.ask(&question, &protocols),
            Err(ReadError::Question)
        ));
    }
}

/// A chip some of whose answers are others.
struct Changed<F>(Direct, F);

impl<F: FnMut(&[u8]) -> Option<Vec<u8>>> Transport for Changed<F> {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        match (self.1)(command) {
            Some(answer) => Ok(Zeroizing::new(answer)),
            None => self.0.transmit(command),
        }
    }
}

#[test]
fn where_pace_cannot_be_begun_or_goes_wrong_basic_access_opens() {
    let options = ChipOptions {
        access: ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128),
        ..basic()
    };
    let refusals: [(u8, &[u8]); 4] = [
        (0x22, &[0x6A, 0x88]),
        (0x86, &[0x69, 0x85]),
        (0x86, &[0x7C, 0x00, 0x90, 0x00]),
        (0xB0, &[0x01, 0x90, 0x00]), // EF.CardAccess is nothing that can be read
    ];
    for (instruction, answer) in refusals {
        let broken = |command: &[u8]| {
            let plain = command[0] & 0x0C == 0;
            (plain && command[1] == instruction).then(|| answer.to_vec())
        };
        let mut chip = Changed(chip(&options), broken);
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        assert_eq!(reader.access(), "basic access control");
        assert!(read(&mut reader, 1).is_some());
    }
}

#[test]
fn what_was_offered_before_a_channel_is_compared_with_what_is_signed() {
    let access = ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128);
    let compared = |options: &ChipOptions| {
        let mut chip = chip(options);
        let mut reader = ChipReader::open(&mut chip, &zone(), &mut rng()).unwrap();
        let group = read(&mut reader, 14).unwrap();
        let compared = CardAccess::compare(reader.card_access(), &group);
        (reader.access().to_owned(), compared)
    };
    let options = ChipOptions { access, ..basic() };
    let name = "PACE ECDH-GM P-256 with AES-128".to_owned();
    assert_eq!(compared(&options), (name.clone(), Ok(CardAccess::Signed)));

    let card_access = CardAccessFile::Unsigned;
    let more = "PACE ECDH-IM P-256 with 3DES".to_owned();
    let differs = Err(CardAccessError::NotSigned(more));
    let changed = ChipOptions {
        card_access,
        ..options
    };
    assert_eq!(compared(&changed), (name.clone(), differs));

    let card_access = CardAccessFile::Hidden;
    let hidden = ChipOptions {
        card_access,
        ..options
    };
    let differs = Err(CardAccessError::Hidden(name));
    let basic_access = "basic access control".to_owned();
    assert_eq!(compared(&hidden), (basic_access.clone(), differs));

    let agreement = Some((Curve::P256, Cipher::Aes128));
    let without = ChipOptions {
        agreement,
        ..basic()
    };
    let nothing = Ok(CardAccess::NothingSigned);
    assert_eq!(compared(&without), (basic_access, nothing));
}

#[test]
fn a_chip_in_which_the_application_is_selected_already_is_opened() {
    let options = ChipOptions {
        access: ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128),
        ..basic()
    };
    let mut root = false;
    let preselected = |command: &[u8]| {
        root |= command.starts_with(&[0x00, 0xA4, 0x00]);
        let card_access = command.ends_with(&CARD_ACCESS) && command[1] == SELECT;
        (card_access && !root).then(|| vec![0x6A, 0x82])
    };
    let mut chip = Changed(chip(&options), preselected);
    let reader = ChipReader::open(&mut chip, &number(), &mut rng()).unwrap();
    assert!(reader.access().starts_with("PACE"));
}

#[test]
fn a_zone_with_an_unknown_birth_date_opens_its_chip() {
    let names = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    let digits = |line: &str| {
        // The overall digit of this zone, which the published example does not have.
        let of = [&line[..10], &line[13..20], &line[21..43]].concat();
        format!(
            "{}{}",
            &line[..43],
            crate::check_digit(of.as_bytes()).unwrap()
        )
    };
    let birth = crate::check_digit(b"74<<<<").unwrap();
    let line = format!("L898902C36UTO74<<<<{birth}F1204159ZE184226B<<<<<1");
    let line = digits(&format!("{line}0"));
    assert_eq!(names.len(), line.len());
    let printed = AccessKey::from_printed(&[names, &line]).unwrap();
    let typed = AccessKey::from_printed(&[&names.to_lowercase(), &line]).unwrap();
    let fields = AccessKey::from_zone("L898902C3", "74<<<<", "120415").unwrap();
    assert_eq!(printed.basic_seed(), fields.basic_seed());
    assert_eq!(typed.basic_seed(), fields.basic_seed());
    let mistyped = line.replace("L898902C3", "L898902C4");
    assert!(AccessKey::from_printed(&[names, &mistyped]).is_err());
}
