//! `bauta document` and `bauta trust`.

use std::path::{Path, PathBuf};

use credential::jose;
use mrtd::specimen::{SignatureKind, SpecimenAuthority, SpecimenSigner, specimen_holder};
use mrtd::{CalendarDate, Curve, Period, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::Value;
use server::clock;

use crate::{Said, bauta};

const DAY: u64 = 86_400;

/// A folder with the files of a state, and what makes them.
struct State {
    folder: tempfile::TempDir,
    authority: SpecimenAuthority,
    signer: SpecimenSigner,
    rng: ChaCha20Rng,
}

fn now() -> UnixTime {
    UnixTime(clock::now().0)
}

fn days(before: u64, after: u64) -> Period {
    Period {
        from: UnixTime(now().0 - before * DAY),
        until: UnixTime(now().0 + after * DAY),
    }
}

impl State {
    fn new(seed: u8, authority: SignatureKind, signer: SignatureKind) -> State {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let authority = SpecimenAuthority::generate(authority, days(900, 900), &mut rng).unwrap();
        let signer = authority
            .issue_signer(signer, days(100, 100), days(100, 900), &mut rng)
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("trust")).unwrap();
        State {
            folder,
            authority,
            signer,
            rng,
        }
    }

    fn utopia(seed: u8) -> State {
        let kind = SignatureKind::EcdsaExplicit(Curve::BrainpoolP384r1);
        State::new(seed, kind, SignatureKind::EcdsaP256)
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        text(&path)
    }

    fn trust(&self) -> String {
        text(&self.folder.path().join("trust"))
    }

    fn files_of_trust(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.trust()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The security object of a new passport.
    fn object(&mut self) -> String {
        let today = CalendarDate::from_unix(now()).unwrap();
        let holder = specimen_holder(1, today).unwrap();
        let signed = Some(UnixTime(now().0 - 10 * DAY));
        let passport = self.signer.issue(&holder, signed, &mut self.rng).unwrap();
        self.write("EF.SOD", &passport.sod)
    }

    fn certificate(&self) -> String {
        self.write("csca.cer", self.authority.certificate())
    }

    fn fingerprint(&self) -> String {
        hex::encode(jose::sha256(self.authority.certificate()))
    }

    fn import(&self, file: &str, more: &[&str]) -> Said {
        let trust = self.trust();
        bauta([&["trust", "import", file, "--into", &trust], more].concat())
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn verify(object: &str, trust: &str) -> (i32, Value) {
    let said = bauta(["document", "verify", object, "--trust", trust, "--json"]);
    (said.code, serde_json::from_str(&said.output).unwrap())
}

#[test]
fn the_exit_code_tells_valid_weak_and_refused_apart() {
    let (strong, weak) = (SignatureKind::RsaPkcs1, SignatureKind::RsaPkcs1Sha1);
    for (signer, code, verdict) in [(strong, 0, "valid"), (weak, 3, "weak")] {
        let mut state = State::new(1, strong, signer);
        let (object, trust) = (state.object(), state.certificate());
        let (said, report) = verify(&object, &trust);
        assert_eq!(said, code);
        assert_eq!(report["verdict"], verdict);
        assert_eq!(report["country"], "UT");
        assert_eq!(report["time_basis"], "stated by the signer");
        let lines = bauta(["document", "verify", &object, "--trust", &trust]);
        assert_eq!(lines.code, code);
        assert!(
            lines.output.contains("RSA 2048 with SHA-"),
            "{}",
            lines.output
        );
        assert_eq!(lines.errors.contains("[document-weak]"), code == 3);
    }
    let mut state = State::utopia(2);
    let object = state.object();
    let (code, report) = verify(&object, &State::utopia(3).certificate());
    assert_eq!((code, report["verdict"].as_str()), (1, Some("refused")));
    assert_eq!(report["algorithm"], "ECDSA P-256 with SHA-256");
    let nothing = state.write("nothing", b"");
    let (code, report) = verify(&nothing, &state.certificate());
    assert_eq!((code, report["verdict"].as_str()), (1, Some("refused")));
    let said = bauta([
        "document",
        "verify",
        "missing",
        "--trust",
        &state.certificate(),
    ]);
    said.assert_refused("file-unreadable");
    let said = bauta(["document", "verify", &object, "--trust", &nothing]);
    said.assert_refused("file-invalid");
}

#[test]
fn a_first_list_needs_the_authority_known_from_elsewhere_and_later_ones_do_not() {
    let mut state = State::utopia(4);
    let list = |state: &mut State, before: u64| {
        let State { authority, rng, .. } = state;
        let made = UnixTime(now().0 - before * DAY);
        let list = authority.master_list(&[authority.certificate()], made, rng);
        let list = list.unwrap();
        state.write(&format!("{before}.ml"), &list)
    };
    let (old, new) = (list(&mut state, 20), list(&mut state, 10));
    let said = state.import(&old, &[]);
    said.assert_refused("list-not-trusted");
    assert!(
        said.errors.contains(&state.fingerprint()),
        "{}",
        said.errors
    );
    assert!(state.files_of_trust().is_empty());
    let wrong = state.import(&old, &["--root", &"0".repeat(64)]);
    wrong.assert_refused("list-not-trusted");
    let no_digits = state.import(&old, &["--root", "abc"]);
    no_digits.assert_refused("argument-invalid");
    assert!(state.files_of_trust().is_empty());

    // That its authority is trusted for passports does not make it one for lists.
    let root = state.fingerprint();
    let certificate = state.certificate();
    assert_eq!(state.import(&certificate, &["--root", &root]).code, 0);
    state.import(&old, &[]).assert_refused("list-not-trusted");
    for path in state.files_of_trust() {
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(state.import(&old, &["--root", &root]).code, 0);
    for _ in 0..2 {
        assert_eq!(state.import(&new, &[]).code, 0);
    }
    let older = state.import(&old, &[]);
    older.assert_refused("list-older");
    let object = state.object();
    assert_eq!(verify(&object, &state.trust()).0, 0);
    let listed = bauta(["trust", "list", &state.trust(), "--json"]);
    let row: Value = serde_json::from_str(&listed.output).unwrap();
    assert_eq!(row["sha256"], Value::String(root));
    assert_eq!(row["key"], "ECDSA brainpoolP384r1");
    let listed = bauta(["trust", "list", &state.trust()]);
    let end = "1 certificates of 1 countries, 0 revocation lists\n";
    assert!(listed.output.ends_with(end), "{}", listed.output);
}

#[test]
fn a_new_key_comes_with_a_link_and_a_revocation_with_the_authoritys_signature() {
    let mut state = State::utopia(5);
    let mut new = State::utopia(6);
    let certificate = state.certificate();
    let stranger = state.import(&certificate, &[]);
    stranger.assert_refused("list-not-trusted");
    let root = state.fingerprint();
    assert_eq!(state.import(&certificate, &["--root", &root]).code, 0);

    let object = new.object();
    assert_eq!(verify(&object, &state.trust()).0, 1);
    let link = state
        .authority
        .link_to(&new.authority, days(50, 900), &mut state.rng)
        .unwrap();
    let link = state.write("link.cer", &link);
    assert_eq!(state.import(&link, &[]).code, 0);
    let (code, report) = verify(&object, &state.trust());
    assert_eq!(code, 0);
    assert_eq!(
        report["revocation"],
        "not looked up: no list of UT is there"
    );

    let revoke = |state: &mut State, signers: &[&SpecimenSigner], period: Period| {
        let list = state.authority.revoke(signers, period, &mut state.rng);
        state.write("list.crl", &list.unwrap())
    };
    let mut another = State::utopia(7);
    let foreign = revoke(&mut another, &[], days(1, 9));
    let foreign = state.import(&foreign, &[]);
    foreign.assert_refused("list-not-trusted");
    let clean = revoke(&mut new, &[], days(2, 9));
    let imported = state.import(&clean, &[]);
    assert_eq!(imported.code, 0, "{}", imported.errors);
    let (code, report) = verify(&object, &state.trust());
    let clear = format!(
        "not on the list of UT of {}",
        clock::date(credential::time::UnixTime(days(2, 9).from.0))
    );
    assert_eq!((code, &report["revocation"]), (0, &Value::String(clear)));
    let signer = State::utopia(6).signer;
    let revoking = revoke(&mut new, &[&signer], days(1, 9));
    assert_eq!(state.import(&revoking, &[]).code, 0);
    let (code, report) = verify(&object, &state.trust());
    assert_eq!((code, report["verdict"].as_str()), (1, Some("refused")));
    let clean = revoke(&mut new, &[], days(2, 9));
    let older = state.import(&clean, &[]);
    older.assert_refused("list-older");
    assert_eq!(verify(&object, &state.trust()).0, 1);
}
