//! What the figures are of.

use std::process::Command;

/// The crates whose work is measured.
const CRATES: [&str; 5] = ["blst", "zkryptium", "bls12_381_plus", "bbs_plus", "ark-ec"];
const LOCK: &str = include_str!("../../Cargo.lock");

pub struct Machine {
    pub processor: String,
    pub rust: String,
    pub crates: Vec<(&'static str, String)>,
}

impl Machine {
    pub fn this() -> Machine {
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let named = processors
            .lines()
            .find(|line| line.starts_with("model name"));
        let name = named.and_then(|line| line.split_once(": "));
        let rust = Command::new("rustc").arg("--version").output();
        let rust = rust.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
        let version = rust.as_deref().unwrap_or_default().split(' ').nth(1);
        Machine {
            processor: name.map_or("unknown", |(_, name)| name).to_owned(),
            rust: version.unwrap_or("unknown").to_owned(),
            crates: CRATES.map(|name| (name, locked(LOCK, name))).to_vec(),
        }
    }

    pub fn line(&self) -> String {
        let crates = self
            .crates
            .iter()
            .map(|(name, version)| format!("{name} {version}"));
        let crates: Vec<_> = crates.collect();
        format!(
            "{}, Rust {}; {}",
            self.processor,
            self.rust,
            crates.join(", ")
        )
    }
}

/// The version of a crate, or all where there are several.
fn locked(lock: &str, name: &str) -> String {
    let lines: Vec<_> = lock.lines().collect();
    let named = format!("name = \"{name}\"");
    let version = |pair: &[&str]| {
        let version = pair[1].strip_prefix("version = \"")?.strip_suffix('"')?;
        (pair[0] == named).then(|| version.to_owned())
    };
    let versions: Vec<_> = lines.windows(2).filter_map(version).collect();
    versions.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.1\"\n";
        assert_eq!(locked(lock, "a"), "2.1");
        assert_eq!(locked(lock, "c"), "");
        assert!(CRATES.iter().all(|name| !locked(LOCK, name).is_empty()));
    }
}
