//! Nothing of a document is left in the memory, the logs or the stores of any process.
//!
//! Looks at core dumps, so it needs `gcore`, which `./check` installs. The flows search the same
//! processes after whole log-ins; here an officer refuses a person, and a dump taken while the
//! officer has to decide shows that the search finds what is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use credential::jose;
use mrtd::specimen::SpecimenHolder;

use crate::support::World;

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

/// The forms in which a value may have been kept: text in both cases, hexadecimal, base64 in
/// both alphabets at all three alignments, SHA-256.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for text in [value.to_owned(), value.to_uppercase(), value.to_lowercase()] {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        forms.push(hex.to_uppercase().into_bytes());
        forms.push(hex.into_bytes());
        let digest = jose::sha256(text.as_bytes());
        forms.push(digest.to_vec());
        forms.push(
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into(),
        );
        forms.push(jose::encode(digest).into_bytes());
        for shift in 0..3 {
            let shifted = [&b"\0\0"[..shift], text.as_bytes()].concat();
            let encoded = jose::encode(&shifted);
            // The characters at both ends depend on the neighbours.
            let first = [0, 2, 3][shift];
            let full = shifted.len() / 3 * 4;
            let inner = encoded[first..full].to_owned();
            forms.push(inner.replace('-', "+").replace('_', "/").into_bytes());
            forms.push(inner.into_bytes());
        }
        forms.push(text.into_bytes());
    }
    forms
}

const PAGE: usize = 4096;

/// All values in all forms, found in one pass: by the first two bytes of a form, then in full.
struct Markers {
    by_start: Vec<Vec<usize>>,
    forms: Vec<(String, Vec<u8>)>,
}

impl Markers {
    fn of(values: &[String]) -> Markers {
        let mut markers = Markers {
            by_start: vec![Vec::new(); 1 << 16],
            forms: Vec::new(),
        };
        for value in values {
            for form in forms(value) {
                let start = usize::from(form[0]) << 8 | usize::from(form[1]);
                markers.by_start[start].push(markers.forms.len());
                markers.forms.push((value.clone(), form));
            }
        }
        markers
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

fn dump(id: u32, folder: &Path) -> Vec<u8> {
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

#[tokio::test]
async fn nothing_of_an_enrolment_is_left_behind() {
    let mut world = World::new();
    let holder = marked(&world);
    let passport = world.utopia.issue(&holder);
    let birth = holder.birth_date;
    let values = [
        "Quizzlewick".to_owned(),
        "Zephyrine".to_owned(),
        "Marmaduke".to_owned(),
        holder.document_number.clone(),
        "7391558264".to_owned(),
        format!(
            "{:04}-{:02}-{:02}",
            birth.year(),
            birth.month(),
            birth.day()
        ),
    ];
    let dumps = tempfile::tempdir().unwrap();
    let id = world.operator.id();

    // The control: while an officer has to decide, the name is there.
    let session = world.present(&passport).await;
    let core = dump(id, dumps.path());
    let markers = Markers::of(&values);
    assert!(!markers.find(&core).is_empty(), "the control was not found");
    drop(core);
    world.close_connections();

    let code = world.confirm(&session).await;
    let (person, offer) = world.commit(&session).await;
    world.receive(&session, &person, (&offer, &code)).await;
    // The same person once more, and refused.
    let second = world.present(&passport).await;
    world
        .decide(&second, service::officer::Verdict::Refuse)
        .await
        .ok();
    world.close_connections();
    world.settle().await;

    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, id) in world.processes() {
        places.push((name, dump(id, dumps.path())));
    }
    for (path, content) in files(world.folder.path()) {
        places.push((path.display().to_string(), content));
    }
    let mut found = Vec::new();
    for (place, content) in &places {
        found.extend(
            markers
                .find(content)
                .into_iter()
                .map(|hit| format!("{place}: {hit}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
