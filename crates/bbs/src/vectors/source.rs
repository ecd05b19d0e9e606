//! Where the fixtures come from: a folder, or under wasm the program that runs the tests.

/// Names and texts of the JSON files of one folder; `None` where the vectors are absent.
#[cfg(not(target_family = "wasm"))]
pub(super) fn read(folder: &str) -> Option<Vec<(String, String)>> {
    use std::path::PathBuf;

    let root = std::env::var_os("BAUTA_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let path = root.join(folder);
    let Ok(entries) = std::fs::read_dir(&path) else {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "no vectors at {path:?}"
        );
        eprintln!("skipped: no vectors at {}", path.display());
        return None;
    };
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            (name.to_owned(), std::fs::read_to_string(&path).unwrap())
        });
    Some(files.collect())
}

/// As above, from `crates/bbs/wasm/run_tests.mjs`.
#[cfg(target_family = "wasm")]
pub(super) fn read(folder: &str) -> Option<Vec<(String, String)>> {
    let names = host::read(folder);
    let files = names.lines().map(|name| {
        (
            name.to_owned(),
            host::read(&format!("{folder}/{name}.json")),
        )
    });
    Some(files.collect())
}

#[cfg(target_family = "wasm")]
mod host {
    #![expect(unsafe_code, reason = "functions of the host are foreign")]

    #[link(wasm_import_module = "vectors")]
    unsafe extern "C" {
        /// Copies at most `room` octets of a file, or the names in a folder, and returns how many
        /// there are.
        #[link_name = "read"]
        safe fn length(path: *const u8, path_len: usize, out: *mut u8, room: usize) -> usize;
    }

    pub(super) fn read(path: &str) -> String {
        let mut text = vec![0; length(path.as_ptr(), path.len(), std::ptr::null_mut(), 0)];
        length(path.as_ptr(), path.len(), text.as_mut_ptr(), text.len());
        String::from_utf8(text).unwrap()
    }
}
