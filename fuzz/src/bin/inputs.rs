//! Names the fuzz targets, writes the inputs they begin with, and runs stored ones.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use fuzz::{Target, targets};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["names"] => targets().for_each(|target| println!("{}", target.name)),
        ["write", folder] => targets().for_each(|target| write(target, Path::new(folder))),
        ["replay", folder] => return replay(Path::new(folder)),
        _ => {
            eprintln!("inputs names | write FOLDER | replay FOLDER");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Writes a target's first inputs, unless it has stored ones that still do.
fn write(target: &Target, folder: &Path) {
    let folder = folder.join(target.name);
    fs::create_dir_all(&folder).expect("a writable folder");
    if stored(&folder).iter().any(|input| (target.run)(input)) {
        return;
    }
    for (number, input) in (target.seeds)().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), input).expect("a writable folder");
    }
}

fn stored(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a readable file"))
        .collect()
}

/// Runs all stored inputs of every target. Each must take one: else its inputs are of yesterday's
/// form, and a fuzzer that begins with them stays at the surface.
fn replay(folder: &Path) -> ExitCode {
    let mut failed = false;
    for target in targets() {
        let inputs = stored(&folder.join(target.name));
        let taken = inputs.iter().filter(|input| (target.run)(input)).count();
        if taken == 0 {
            eprintln!(
                "{}: none of its {} inputs is taken",
                target.name,
                inputs.len()
            );
            failed = true;
        }
    }
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let name = entry.expect("a readable folder").file_name();
        if !targets().any(|target| name == target.name) {
            eprintln!("{}: no such target", name.display());
            failed = true;
        }
    }
    ExitCode::from(u8::from(failed))
}
