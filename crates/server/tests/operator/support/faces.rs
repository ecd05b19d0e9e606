//! What faces are compared with.

use server::demo::Faces;

/// Networks and photographs; `None` where there are none, which CI does not accept.
pub(crate) fn given() -> Option<Faces> {
    let faces = Faces::from_environment();
    if faces.is_none() {
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!ci, "{MISSING}");
        eprintln!("skipped: {MISSING}");
    }
    faces
}

const MISSING: &str = "no networks or photographs of faces; see tools/face-models";
