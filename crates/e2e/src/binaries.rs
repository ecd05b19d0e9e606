//! Where the programs under test are.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The path of a program of this workspace, such as `bauta`.
///
/// It is looked for in `$BAUTA_BIN_DIR`, or beside the folder of the running test.
///
/// # Errors
///
/// When it was not built.
pub fn path(name: &str) -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("BAUTA_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => beside_the_test()?,
    };
    let path = folder.join(name);
    if !path.is_file() {
        bail!(
            "{} is not built: run `cargo build --workspace --bins --features server/pcsc`",
            path.display()
        );
    }
    Ok(path)
}

/// The folder of a prepared foreign client or interpreter that `./check` names.
///
/// # Errors
///
/// When the variable is not set.
pub fn prepared(variable: &str) -> anyhow::Result<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .with_context(|| format!("{variable} is not set: run the flows by `./check flows`"))
}

/// Tests are in `target/PROFILE/deps`, programs in `target/PROFILE`.
fn beside_the_test() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("the path of the test is not known")?;
    let folder = test.parent().and_then(Path::parent);
    Ok(folder.context("the test lies in no folder")?.to_owned())
}
