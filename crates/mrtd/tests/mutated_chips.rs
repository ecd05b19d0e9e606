//! Ten thousand chips, each with something changed: in its files, its keys, or on the way to the
//! reader. None is accepted, and none makes the reader panic.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::ops::Range;
use std::sync::Arc;

use mrtd::specimen::{
    ActiveKind, ChipAccess, ChipKeys, ChipOptions, SignatureKind, SpecimenAuthority, SpecimenChip,
    SpecimenPassport, SpecimenSigner, specimen_holder,
};
use mrtd::{
    AccessKey, ActiveKey, CalendarDate, ChipAuthentication, ChipReader, Cipher, Curve,
    DocumentFiles, File, Period, SecurityInfos, Transport, TransportError, TrustStore, UnixTime,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime(1_780_272_000);
const CHIPS: u64 = 10_000;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A number below `end`.
fn below(end: usize, rng: &mut ChaCha20Rng) -> usize {
    usize::try_from(rng.next_u64() % u64::try_from(end).unwrap()).unwrap()
}

/// A document with its chip's keys, and keys of the same kind that another chip has.
struct Original {
    files: Vec<(File, Vec<u8>)>,
    keys: Arc<ChipKeys>,
    other_keys: Arc<ChipKeys>,
    password: [String; 3],
    /// The places of EF.SOD that its signature covers.
    signed: [Range<usize>; 2],
}

struct World {
    trust: TrustStore,
    documents: Vec<Original>,
    /// The same data as the first document's, signed by an authority that nobody trusts.
    forged: Vec<u8>,
}

fn signer(seed: u64) -> (SpecimenAuthority, SpecimenSigner) {
    let mut rng = rng(seed);
    let years = Period {
        from: UnixTime(NOW.0 - 86_400),
        until: UnixTime(NOW.0 + 315_576_000),
    };
    let authority = SpecimenAuthority::generate(SignatureKind::EcdsaP256, years, &mut rng);
    let authority = authority.unwrap();
    let signer = authority.issue_signer(SignatureKind::EcdsaP256, years, years, &mut rng);
    (authority, signer.unwrap())
}

fn issue(signer: &SpecimenSigner, number: u16, keys: &ChipKeys) -> SpecimenPassport {
    let mut holder = specimen_holder(number, CalendarDate::from_unix(NOW).unwrap()).unwrap();
    holder.given_names = format!(
        "NUMBER {}",
        ["ONE", "TWO", "THREE"][usize::from(number % 3)]
    );
    let issued = signer.issue_with(&holder, keys.groups(), Some(NOW), &mut rng(number.into()));
    issued.unwrap()
}

fn world() -> World {
    let (authority, honest) = signer(1);
    let (_, forger) = signer(2);
    let proofs = [
        (None, Some((Curve::P256, Cipher::Aes128))),
        (Some(ActiveKind::Ecdsa(Curve::P256)), None),
        (Some(ActiveKind::Rsa { bits: 1024 }), None),
    ];
    let mut forged = Vec::new();
    let documents = proofs
        .into_iter()
        .zip(1..)
        .map(|((active, agreement), number)| {
            let options = ChipOptions {
                access: ChipAccess::Basic,
                active,
                agreement,
                ..ChipOptions::default()
            };
            let keys = |seed| Arc::new(ChipKeys::generate(&options, &mut rng(seed)).unwrap());
            let (keys, other_keys) = (keys(number.into()), keys(100));
            let passport = issue(&honest, number, &keys);
            if number == 1 {
                forged = issue(&forger, number, &keys).sod;
            }
            let zone = passport.printed_zone[1].clone();
            let mut files = vec![
                (File::Sod, passport.sod),
                (File::Group(1), passport.dg1),
                (File::Group(2), passport.dg2),
            ];
            let others = passport.others.into_iter();
            files.extend(others.map(|(number, file)| (File::Group(number), file)));
            Original {
                signed: signed(&files[0].1, honest.certificate()),
                files,
                keys,
                other_keys,
                password: [&zone[..9], &zone[13..19], &zone[21..27]].map(str::to_owned),
            }
        });
    let documents = documents.collect();
    World {
        trust: TrustStore::from_der([authority.certificate()])
            .map_err(|(_, error)| error)
            .unwrap(),
        documents,
        forged,
    }
}

/// What of a security object its signature covers: content and certificate, and what stands from
/// the signed attributes on. The rest are the list of digest algorithms, and the signer's name, by
/// which the certificate is found if it is the right one.
fn signed(sod: &[u8], certificate: &[u8]) -> [Range<usize>; 2] {
    let find = |part: &[u8], from: usize| {
        let mut windows = sod[from..].windows(part.len());
        from + windows.position(|window| window == part).unwrap()
    };
    let content = find(&[0x67, 0x81, 0x08, 0x01, 0x01, 0x01], 0);
    let certificate_end = find(certificate, 0) + certificate.len();
    let attribute = |last| {
        find(
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, last],
            certificate_end,
        )
    };
    let attributes = [3, 4, 5].map(attribute).into_iter().min().unwrap();
    [content..certificate_end, attributes..sod.len()]
}

/// A chip with something changed.
struct Case {
    /// Which document it has.
    which: usize,
    way: Way,
    /// Whether the portrait is read, which takes the longest.
    portrait: bool,
    /// For the failure.
    what: String,
}

/// The way to a chip, on which one answer may be changed.
struct Way {
    chip: SpecimenChip,
    rng: ChaCha20Rng,
    /// Which of the protected answers is changed.
    changed: Option<usize>,
    answers: usize,
    last: Vec<u8>,
}

impl Transport for Way {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let mut answer = self.chip.answer(command, &mut self.rng);
        if command[0] & 0x0C != 0 {
            self.answers += 1;
            if self.changed == Some(self.answers) {
                self.change(&mut answer);
            }
            self.last.clone_from(&answer);
        }
        Ok(Zeroizing::new(answer))
    }
}

impl Way {
    fn change(&mut self, answer: &mut Vec<u8>) {
        let end = answer.len();
        match below(5, &mut self.rng) {
            // The status after a protected answer is not part of it: bits of the others only.
            0 => answer[below(end - 2, &mut self.rng)] ^= 1 << below(8, &mut self.rng),
            1 => answer.truncate(below(end, &mut self.rng)),
            2 => answer.insert(below(end - 1, &mut self.rng), 0),
            3 if self.answers > 1 => answer.clone_from(&self.last),
            _ => *answer = vec![0x90, 0x00],
        }
    }
}

fn mutate(world: &World, rng: &mut ChaCha20Rng) -> Case {
    let which = below(world.documents.len(), rng);
    let original = &world.documents[which];
    let other = &world.documents[(which + 1) % world.documents.len()];
    let mut files = original.files.clone();
    let (mut keys, mut changed) = (&original.keys, None);
    let place = below(files.len(), rng);
    let file = &mut files[place].1;
    let at = if place == 0 {
        let [content, attributes] = &original.signed;
        let at = content.start + below(content.len() + attributes.len(), rng);
        if content.contains(&at) {
            at
        } else {
            at - content.end + attributes.start
        }
    } else {
        below(file.len(), rng)
    };
    let kind = below(9, rng);
    match kind {
        0 | 1 => file[at] ^= 1 << below(8, rng),
        2 => file.truncate(at),
        3 => file.insert(at, 0),
        4 => {
            let end = (at + 1 + below(16, rng)).min(file.len());
            let before = file.clone();
            rng.fill_bytes(&mut file[at..end]);
            if *file == before {
                file[at] ^= 1;
            }
        }
        5 => {
            let name = files[place].0;
            match other.files.iter().find(|(known, _)| *known == name) {
                Some((_, content)) => files[place].1.clone_from(content),
                None => drop(files.remove(place)),
            }
        }
        6 => keys = &original.other_keys,
        7 if which == 0 => files[0].1.clone_from(&world.forged),
        _ => changed = Some(1 + below(60, rng)),
    }
    let [number, birth, expiry] = &original.password;
    let password = AccessKey::from_zone(number, birth, expiry).unwrap();
    let way = Way {
        chip: SpecimenChip::new(files, vec![password], Arc::clone(keys)),
        rng: self::rng(rng.next_u64()),
        changed,
        answers: 0,
        last: Vec::new(),
    };
    Case {
        which,
        way,
        portrait: place == 2 || below(8, rng) == 0,
        what: format!("kind {kind}, file {place}, at {at}, answer {changed:?}"),
    }
}

/// Reads the chip and judges it as the service does; an error is a refusal.
fn judge(world: &World, case: &mut Case) -> Result<(), Box<dyn std::error::Error>> {
    let [number, birth, expiry] = &world.documents[case.which].password;
    let password = AccessKey::from_zone(number, birth, expiry).unwrap();
    let mut reader = ChipReader::open(&mut case.way, &password, &mut rng(3))?;
    let mut read = |file| {
        let content = reader.read(file, &mut |_, _| {});
        content.map_err(|error| error.to_string())
    };
    let sod = read(File::Sod)?.ok_or("no security object")?;
    let dg1 = read(File::Group(1))?.ok_or("no group 1")?;
    let dg2 = case.portrait.then(|| read(File::Group(2))).transpose()?;
    let dg2 = dg2.map(|file| file.ok_or("no group 2")).transpose()?;
    let [dg14, dg15] = [14, 15].map(|number| read(File::Group(number)));
    let (dg14, dg15) = (dg14?, dg15?);
    let others = [(14, &dg14), (15, &dg15)];
    let others: Vec<(u8, &[u8])> = others
        .into_iter()
        .filter_map(|(number, file)| Some((number, file.as_ref()?.as_slice())))
        .collect();
    let files = DocumentFiles {
        dg1: &dg1,
        dg2: dg2.as_ref().map(|file| file.as_slice()),
        others: &others,
        sod: &sod,
    };
    let document = files.authenticate(&world.trust, NOW)?;
    let mut listed = document.security_object().data_groups();
    if listed.any(|number| number == 14) && dg14.is_none() {
        return Err("group 14 is left out".into());
    }
    let infos = match &dg14 {
        Some(file) => SecurityInfos::parse_dg14(file)?,
        None => SecurityInfos::default(),
    };
    if infos.offers_chip_authentication() {
        let (asker, question) = ChipAuthentication::begin(&infos, &mut rng(4))?;
        return Ok(asker.verify(&reader.ask(&question, &infos)?)?);
    }
    let key = ActiveKey::parse(&dg15.ok_or("no key")?, &infos)?;
    let signature = reader.sign(b"8 octets", key.signature_len())?;
    Ok(key.verify(b"8 octets", &signature)?)
}

/// The control: each document as it was issued.
fn unchanged(world: &World, which: usize) -> Case {
    let original = &world.documents[which];
    let [number, birth, expiry] = &original.password;
    let password = AccessKey::from_zone(number, birth, expiry).unwrap();
    let way = Way {
        chip: SpecimenChip::new(
            original.files.clone(),
            vec![password],
            Arc::clone(&original.keys),
        ),
        rng: rng(5),
        changed: None,
        answers: 0,
        last: Vec::new(),
    };
    Case {
        which,
        way,
        portrait: true,
        what: String::new(),
    }
}

#[test]
fn no_mutated_chip_is_accepted() {
    let world = world();
    for which in 0..world.documents.len() {
        let judged = judge(&world, &mut unchanged(&world, which));
        judged.unwrap_or_else(|error| panic!("the control: {error}"));
    }
    let threads = 2;
    std::thread::scope(|scope| {
        for first in 0..threads {
            let world = &world;
            scope.spawn(move || {
                for seed in (first..CHIPS).step_by(usize::try_from(threads).unwrap()) {
                    let mut case = mutate(world, &mut rng(seed));
                    let accepted = judge(world, &mut case).is_ok();
                    // A change that comes after the last answer is none.
                    let way = &case.way;
                    let happened = way.changed.is_none_or(|place| place <= way.answers);
                    let Case { which, what, .. } = &case;
                    assert!(
                        !(accepted && happened),
                        "chip {seed}, document {which}: {what}"
                    );
                }
            });
        }
    });
}
