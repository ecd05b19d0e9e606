//! `bauta document`, `bauta trust` and `bauta face` as an operator runs them.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod document;
mod face;
#[path = "../operator/support/faces.rs"]
mod faces;

use std::ffi::OsStr;
use std::process::Command;

/// What a command said: exit code, output, errors.
struct Said {
    code: i32,
    output: String,
    errors: String,
}

impl Said {
    fn assert_refused(&self, id: &str) {
        let named = self.errors.contains(&format!("[{id}]"));
        assert!(self.code == 1 && named, "{} {}", self.code, self.errors);
    }
}

fn bauta(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
    let done = Command::new(env!("CARGO_BIN_EXE_bauta"))
        .args(arguments)
        .output()
        .unwrap();
    Said {
        code: done.status.code().unwrap(),
        output: String::from_utf8(done.stdout).unwrap(),
        errors: String::from_utf8(done.stderr).unwrap(),
    }
}
