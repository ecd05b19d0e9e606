//! Nothing of a document is left in the memory, the logs or the stores of any process.
//!
//! Looks at core dumps, so it needs `gcore`; where that is missing the test fails if `CI` is set
//! and says so otherwise.

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

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else {
        return false;
    };
    let mut from = 0;
    while let Some(found) = haystack[from..].iter().position(|byte| byte == first) {
        from += found + 1;
        if haystack[from..].starts_with(rest) {
            return true;
        }
    }
    false
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

fn dump(id: u32, folder: &Path) -> Option<Vec<u8>> {
    let prefix = folder.join("core");
    let output = Command::new("gcore")
        .arg("-o")
        .arg(&prefix)
        .arg(id.to_string())
        .output()
        .ok()?;
    let path = folder.join(format!("core.{id}"));
    let core = std::fs::read(&path)
        .ok()
        .filter(|_| output.status.success());
    if let Some(core) = core {
        std::fs::remove_file(path).unwrap();
        return Some(core);
    }
    panic!(
        "gcore cannot attach: {}",
        String::from_utf8_lossy(&output.stderr)
    );
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
    let Some(core) = dump(id, dumps.path()) else {
        assert!(std::env::var_os("CI").is_none(), "gcore is missing");
        eprintln!("skipped: gcore is missing");
        return;
    };
    assert!(
        forms("Quizzlewick")
            .iter()
            .any(|form| contains(&core, form)),
        "control not found"
    );
    drop(core);

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
        places.push((name, dump(id, dumps.path()).unwrap()));
    }
    for (path, content) in files(world.folder.path()) {
        places.push((path.display().to_string(), content));
    }
    let mut found = Vec::new();
    for value in &values {
        for form in forms(value) {
            for (place, content) in &places {
                if contains(content, &form) {
                    found.push(format!(
                        "{value} as {} in {place}",
                        String::from_utf8_lossy(&form)
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
