//! What a chip says to its reader, and a reader to a chip.

use std::sync::{Arc, LazyLock};

use mrtd::specimen::{ActiveKind, ChipAccess, ChipKeys, ChipOptions, SpecimenChip};
use mrtd::{
    AccessKey, ActiveKey, CardAccess, ChipAuthentication, ChipReader, Cipher, Curve, File,
    SecurityInfos, Transport, TransportError,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::Target;

pub(crate) const TARGETS: [Target; 4] = [
    Target::new("mrtd_protocols", protocols, protocols_seeds),
    Target::new("mrtd_chip_key", chip_key, chip_key_seeds),
    Target::new("mrtd_chip_command", chip_command, chip_command_seeds),
    Target::new("mrtd_chip_answers", chip_answers, chip_answers_seeds),
];

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

static KEYS: LazyLock<Arc<ChipKeys>> = LazyLock::new(|| {
    let options = ChipOptions {
        access: ChipAccess::PaceGeneric(Curve::P256, Cipher::Aes128),
        active: Some(ActiveKind::Ecdsa(Curve::P256)),
        agreement: Some((Curve::P256, Cipher::Aes128)),
        ..ChipOptions::default()
    };
    let keys = ChipKeys::generate(&options, &mut rng());
    Arc::new(keys.expect("keys for these options"))
});

fn password() -> AccessKey {
    AccessKey::from_number("123456").expect("six digits")
}

fn chip() -> SpecimenChip {
    let groups = KEYS.groups().into_iter();
    let files: Vec<_> = groups
        .map(|(number, file)| (File::Group(number), file))
        .collect();
    SpecimenChip::new(files, vec![password()], Arc::clone(&KEYS))
}

fn group(number: u8) -> Vec<u8> {
    let groups = KEYS.groups();
    let found = groups.into_iter().find(|(known, _)| *known == number);
    found.expect("a chip with both keys").1
}

/// EF.DG14, and a question for the chip that it describes.
fn protocols(input: &[u8]) -> bool {
    let _ = SecurityInfos::parse(input);
    // As EF.CardAccess, and as the group that is signed.
    let _ = CardAccess::compare(Some(input), &group(14));
    let _ = CardAccess::compare(Some(input.get(2..).unwrap_or_default()), input);
    let Ok(infos) = SecurityInfos::parse_dg14(input) else {
        return false;
    };
    let begun = ChipAuthentication::begin(&infos, &mut rng());
    assert_eq!(begun.is_ok(), infos.offers_chip_authentication());
    if let Ok((asker, question)) = begun {
        assert!(
            asker.verify(&question.command).is_err(),
            "its own question is no answer"
        );
    }
    true
}

fn protocols_seeds() -> Vec<Vec<u8>> {
    vec![group(14)]
}

/// EF.DG15, and the input as a signature by the key in it.
fn chip_key(input: &[u8]) -> bool {
    let infos = SecurityInfos::parse_dg14(&group(14)).expect("our own list");
    let Ok(key) = ActiveKey::parse(input, &infos) else {
        return false;
    };
    let signature = input.get(..key.signature_len()).unwrap_or(input);
    assert!(key.verify(b"8 octets", signature).is_err());
    true
}

fn chip_key_seeds() -> Vec<Vec<u8>> {
    vec![group(15)]
}

/// Commands to a chip, each after its length in one octet.
fn chip_command(input: &[u8]) -> bool {
    let (mut chip, mut rng, mut rest, mut done) = (chip(), rng(), input, false);
    while let Some((length, after)) = rest.split_first() {
        let (command, after) = after.split_at(usize::from(*length).min(after.len()));
        let answer = chip.answer(command, &mut rng);
        assert!(answer.len() >= 2, "every answer has a status");
        done |= answer.ends_with(&[0x90, 0x00]);
        rest = after;
    }
    done
}

fn chip_command_seeds() -> Vec<Vec<u8>> {
    let commands: [&[u8]; 3] = [
        &[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x01, 0x1C],
        &[0x00, 0xB0, 0x00, 0x00, 0x06],
        &[0x00, 0x84, 0x00, 0x00, 0x08],
    ];
    let sized = |command: &&[u8]| {
        let length = u8::try_from(command.len()).expect("short commands");
        [&[length], *command].concat()
    };
    vec![commands.iter().flat_map(sized).collect()]
}

/// A chip that answers what the input has, each answer after its length in one octet.
struct Scripted<'a>(&'a [u8]);

impl Transport for Scripted<'_> {
    fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let Some((length, after)) = self.0.split_first() else {
            return Err(TransportError("the script has ended".to_owned()));
        };
        let (answer, rest) = after.split_at(usize::from(*length).min(after.len()));
        self.0 = rest;
        Ok(Zeroizing::new(answer.to_vec()))
    }
}

/// A reader never opens a chip that does not know the password.
fn chip_answers(input: &[u8]) -> bool {
    let mut way = Scripted(input);
    let zone = AccessKey::from_zone("L898902C3", "740812", "120415").expect("a zone's numbers");
    assert!(ChipReader::open(&mut way, &zone, &mut rng()).is_err());
    way.0.len() < input.len()
}

fn chip_answers_seeds() -> Vec<Vec<u8>> {
    // EF.CardAccess of the chip, and that PACE begins.
    let mut chip = chip();
    let mut script = Vec::new();
    let mut last = Vec::new();
    let commands: [&[u8]; 2] = [
        &[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x01, 0x1C],
        &[0x00, 0xB0, 0x00, 0x00, 0x06],
    ];
    for command in commands {
        last = chip.answer(command, &mut rng());
        script.push(u8::try_from(last.len()).expect("short answers"));
        script.extend_from_slice(&last);
    }
    let whole = u8::try_from(last.get(1).map_or(0, |length| length + 2) - 6).expect("short");
    let rest = chip.answer(&[0x00, 0xB0, 0x00, 0x06, whole], &mut rng());
    script.push(u8::try_from(rest.len()).expect("short answers"));
    script.extend_from_slice(&rest);
    script.extend_from_slice(&[2, 0x90, 0x00]);
    vec![script]
}
