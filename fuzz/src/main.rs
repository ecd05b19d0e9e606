//! The fuzzer of the target named in the environment variable `BAUTA_FUZZ_TARGET`; its arguments
//! are libFuzzer's.
#![no_main]

use std::sync::OnceLock;

use fuzz::{Target, find};

static TARGET: OnceLock<&Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("BAUTA_FUZZ_TARGET").unwrap_or_default();
        let target = find(&name).unwrap_or_else(|| panic!("no target '{name}'"));
        let _ = TARGET.set(target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
