//! Nothing of a document is left in the memory, the logs or the stores of any process.
//!
//! Looks at core dumps, so it needs `gcore`, which `./check` installs. The flows search the same
//! processes after whole log-ins; here enrolments end in every way, and a dump taken while the officer
//! has to decide shows that the search finds what is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use credential::jose;
use mrtd::specimen::{SpecimenChip, SpecimenHolder, SpecimenPassport};
use serde_json::Value;
use service::officer::Verdict;

use crate::support::specimen::Utopia;
use crate::support::wallet::Session;
use crate::support::{Terms, World, wait_for};

/// A holder whose every text is found by itself.
fn marked(world: &World) -> SpecimenHolder {
    SpecimenHolder {
        family_name: "Quizzlewick".to_owned(),
        given_names: "Zephyrine Marmaduke".to_owned(),
        document_number: "QX84W7ZK2".to_owned(),
        personal_number: Some("7391558264".to_owned()),
        ..world.utopia.holder(1)
    }
}

fn values(holder: &SpecimenHolder) -> Vec<String> {
    let birth = holder.birth_date;
    let (year, month, day) = (birth.year(), birth.month(), birth.day());
    let mut values = [
        "Quizzlewick",
        "Zephyrine",
        "Marmaduke",
        "7391558264",
        "KUMQUAT",
        "OXBOWVILLE",
        "8372046",
        "GLOCKENSPIELER",
        "WOBBLETHORPE",
    ]
    .map(str::to_owned)
    .to_vec();
    values.push(holder.document_number.clone());
    values.push(format!("{year:04}-{month:02}-{day:02}"));
    values
}

/// Pieces from the middle of the portrait and of the security object.
fn pieces(passport: &SpecimenPassport) -> Vec<Vec<u8>> {
    let piece = |file: &[u8], at: usize| file[at..at + 24].to_vec();
    let (portrait, object) = (&passport.dg2, &passport.sod);
    vec![
        piece(portrait, portrait.len() / 3),
        piece(portrait, portrait.len() / 3 * 2),
        piece(object, 60), // the hashes of the data groups
    ]
}

/// The forms in which octets may have been kept: as they are, hexadecimal, base64 in both alphabets
/// at all three alignments.
fn forms_of_octets(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![octets.to_vec(), hex::encode(octets).into_bytes()];
    forms.push(hex::encode_upper(octets).into_bytes());
    for shift in 0..3 {
        let shifted = [&b"\0\0"[..shift], octets].concat();
        let encoded = jose::encode(&shifted);
        // The characters at both ends depend on the neighbours.
        let first = [0, 2, 3][shift];
        let inner = encoded[first..shifted.len() / 3 * 4].to_owned();
        forms.push(inner.replace('-', "+").replace('_', "/").into_bytes());
        forms.push(inner.into_bytes());
    }
    forms
}

/// The forms in which a text may have been kept: those of its octets in both cases, and SHA-256.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for text in [value.to_owned(), value.to_uppercase(), value.to_lowercase()] {
        forms.extend(forms_of_octets(text.as_bytes()));
        let digest = jose::sha256(text.as_bytes());
        forms.push(digest.to_vec());
        forms.push(hex::encode(digest).into_bytes());
        forms.push(jose::encode(digest).into_bytes());
    }
    forms
}

const PAGE: usize = 4096;

/// All values in all forms, found in one pass: by the first two bytes of a form, then in full.
pub(crate) struct Markers {
    by_start: Vec<Vec<usize>>,
    forms: Vec<(String, Vec<u8>)>,
}

impl Markers {
    pub(crate) fn of(values: &[String], pieces: &[Vec<u8>]) -> Markers {
        let mut markers = Markers {
            by_start: vec![Vec::new(); 1 << 16],
            forms: Vec::new(),
        };
        for value in values {
            markers.add(value, forms(value));
        }
        for (number, piece) in pieces.iter().enumerate() {
            markers.add(&format!("piece {number}"), forms_of_octets(piece));
        }
        markers
    }

    fn add(&mut self, name: &str, forms: Vec<Vec<u8>>) {
        for form in forms {
            let start = usize::from(form[0]) << 8 | usize::from(form[1]);
            self.by_start[start].push(self.forms.len());
            self.forms.push((name.to_owned(), form));
        }
    }

    /// What is found in the processes and in every file.
    pub(crate) fn found(&self, world: &World) -> Vec<String> {
        let dumps = tempfile::tempdir().unwrap();
        let dump = |(name, id)| (name, dump(id, dumps.path()));
        let processes = world.processes().into_iter().map(dump);
        let mut found: Vec<_> = processes.flat_map(|place| self.found_in(&place)).collect();
        found.extend(self.found_in_files(world));
        found
    }

    /// What is found in the servers' stores, logs, configurations and temporary files.
    fn found_in_files(&self, world: &World) -> Vec<String> {
        let files = files(world.folder.path()).into_iter();
        let places = files.map(|(path, content)| (path.display().to_string(), content));
        places.flat_map(|place| self.found_in(&place)).collect()
    }

    fn found_in(&self, (place, content): &(String, Vec<u8>)) -> Vec<String> {
        let hits = self.find(content).into_iter();
        hits.map(|hit| format!("{place}: {hit}")).collect()
    }

    /// The values found, with the form in which each was found.
    fn find(&self, content: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for page in (0..content.len()).step_by(PAGE) {
            let end = content.len().min(page + PAGE);
            // Most of a dump is zeros.
            if content[page..end] != [0; PAGE][..end - page] {
                (page..end).for_each(|at| self.find_at(content, at, &mut found));
            }
        }
        found
    }

    fn find_at(&self, content: &[u8], at: usize, found: &mut Vec<String>) {
        let [first, second, ..] = content[at..] else {
            return;
        };
        for marker in &self.by_start[usize::from(first) << 8 | usize::from(second)] {
            let (value, form) = &self.forms[*marker];
            if content[at..].starts_with(form) {
                let around = &content[at.saturating_sub(40)..content.len().min(at + 80)];
                let around = String::from_utf8_lossy(around);
                found.push(format!("{value} at {at}: {around:?}"));
            }
        }
    }
}

/// Everything under a folder, read.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found
}

pub(crate) fn dump(id: u32, folder: &Path) -> Vec<u8> {
    let prefix = folder.join("core");
    let output = Command::new("gcore")
        .arg("-o")
        .arg(&prefix)
        .arg(id.to_string())
        .output()
        .expect("gcore can be run; it is in the Debian package gdb");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "gcore cannot attach: {errors}");
    let path = folder.join(format!("core.{id}"));
    let core = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    core
}

/// A person with a chip, and what is looked for afterwards.
struct Planted {
    passport: SpecimenPassport,
    chip: SpecimenChip,
    markers: Markers,
}

impl Planted {
    fn new(world: &World) -> Planted {
        let holder = marked(world);
        let (passport, chip) = world.utopia.issue_with_chip(&holder);
        let markers = Markers::of(&values(&holder), &pieces(&passport));
        Planted {
            passport,
            chip,
            markers,
        }
    }

    /// A session with the document, whose chip is asked.
    async fn send(&self, world: &World) -> (Session, Value) {
        let session = world.begin().await;
        let taken = world.send_document(&session, &self.passport).await.ok();
        assert_eq!(taken["state"], "awaiting_chip");
        (session, taken["chip"].clone())
    }

    /// A session that waits for an officer.
    async fn present(&mut self, world: &World) -> Session {
        let (session, question) = self.send(world).await;
        let proved = world.prove(&session, (&self.passport, &mut self.chip), &question);
        proved.await.ok();
        session
    }

    /// The controls: while an officer has to decide, the person is in the operator's memory; and a
    /// temporary file would be found.
    fn is_found(&self, world: &World) {
        let control = world.path("tmp/control");
        std::fs::write(&control, jose::encode("Quizzlewick")).unwrap();
        let found = self.markers.found_in_files(world);
        std::fs::remove_file(control).unwrap();
        assert!(!found.is_empty(), "the control in a file was not found");
        let dumps = tempfile::tempdir().unwrap();
        let core = dump(world.operator.id(), dumps.path());
        let found = self.markers.find(&core);
        for what in ["Quizzlewick", "piece 0"] {
            let hit = found.iter().any(|hit| hit.starts_with(what));
            assert!(hit, "the control {what} was not found");
        }
    }
}

#[tokio::test]
async fn nothing_of_an_enrolment_is_left_behind_however_it_was_decided() {
    let mut world = World::new();
    let mut person = Planted::new(&world);
    let session = person.present(&world).await;
    person.is_found(&world);
    world.close_connections();

    let code = world.confirm(&session).await;
    let (secrets, offer) = world.commit(&session).await;
    world.receive(&session, &secrets, (&offer, &code)).await;
    // The same person once more, and refused.
    let second = person.present(&world).await;
    world.decide(&second, Verdict::Refuse).await.ok();
    // A chip without the key.
    let (third, _) = person.send(&world).await;
    let refused = world.answer_for_chip(&third, &[0x69, 0x88]).await;
    assert_eq!(refused.refusal(), (422, "chip-not-genuine"));
    // A document that no state has signed.
    let (forged, _) = Utopia::pretend().issue_with_chip(&marked(&world));
    let fourth = world.begin().await;
    let refused = world.send_document(&fourth, &forged).await;
    assert_eq!(refused.refusal(), (422, "document-not-authentic"));
    world.close_connections();
    world.settle().await;
    let found = person.markers.found(&world);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn nothing_of_an_enrolment_is_left_behind_when_nobody_ends_it() {
    let mut world = World::with(Terms {
        session_secs: 4,
        ..Terms::default()
    });
    let mut person = Planted::new(&world);
    person.present(&world).await;
    person.is_found(&world);
    person.send(&world).await;
    world.close_connections();
    world.settle().await;
    wait_for("the sessions to be wiped", async || {
        person.markers.found(&world).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn nothing_of_an_enrolment_is_left_behind_by_an_operator_that_was_killed() {
    let world = World::new();
    let mut person = Planted::new(&world);
    person.present(&world).await;
    person.is_found(&world);
    let world = world.restart_operator(); // kill -9
    world.settle().await;
    let found = person.markers.found(&world);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
