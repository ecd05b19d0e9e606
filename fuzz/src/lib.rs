//! Fuzz targets: one for each parser of data from outside.
//!
//! A target never panics unless it has found something. Beside that it asserts what its parser
//! claims: that what was read and is written again is read as the same, and that a canonical form
//! is the only one. Where a signature stands before a parser, the target signs the input itself.
//!
//! Not here, because they would double the time to build: `server`, whose configuration comes from
//! who runs it and whose HTTP is hyper's, and `gateway`, whose own parsers read identifiers of
//! 16 octets. Nor the document in a backup: each try of a passphrase takes a second.
#![forbid(unsafe_code)]

mod input;
mod planted;
mod stores;
mod targets_bbs;
mod targets_credential;
mod targets_jose;
mod targets_mrtd;
mod targets_mrtd_chip;
mod targets_mrtd_groups;
mod targets_oauth;
mod targets_oprf;
mod targets_residents;
mod targets_service;
mod targets_vci;
mod targets_vp;
mod targets_wallet;
mod world;

/// A parser, or a few that read the same.
pub struct Target {
    /// Its name, and that of its folder of inputs.
    pub name: &'static str,
    /// Runs it on an input; whether the input was taken.
    pub run: fn(&[u8]) -> bool,
    /// Inputs to begin with, at least one of which is taken.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    const fn new(
        name: &'static str,
        run: fn(&[u8]) -> bool,
        seeds: fn() -> Vec<Vec<u8>>,
    ) -> Target {
        Target { name, run, seeds }
    }
}

/// All targets.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    let groups: [&[Target]; 13] = [
        &targets_bbs::TARGETS,
        &targets_oprf::TARGETS,
        &targets_mrtd::TARGETS,
        &targets_mrtd_chip::TARGETS,
        &targets_mrtd_groups::TARGETS,
        &targets_jose::TARGETS,
        &targets_credential::TARGETS,
        &targets_oauth::TARGETS,
        &targets_vci::TARGETS,
        &targets_vp::TARGETS,
        &targets_service::TARGETS,
        &targets_residents::TARGETS,
        &targets_wallet::TARGETS,
    ];
    groups.into_iter().flatten()
}

/// The target of this name; [`PLANTED`] is one, too, though not among [`targets`].
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    targets()
        .chain([&planted::TARGET])
        .find(|target| target.name == name)
}

/// A target with a panic that a fuzzer must find.
pub const PLANTED: &str = planted::TARGET.name;
