use std::fs;
use std::os::unix::fs::PermissionsExt;

use credential::time::EPOCH_SECONDS;

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All files with their content.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| {
        let octets = fs::read(folder.join(&name)).unwrap();
        (name, octets)
    };
    names(folder).into_iter().map(read).collect()
}

fn open(folder: &Path, now: UnixTime) -> Result<EpochKeys, KeyFolderError> {
    EpochKeys::open(folder, now, Clock::Unchecked)
}

/// The clock comes to `start` and stands there until earlier keys are destroyed.
fn settle(keys: &EpochKeys, start: UnixTime) {
    keys.turn(start).unwrap();
    keys.turn(start.plus_secs(SETTLE_SECS)).unwrap();
}

fn secret_of(keys: &EpochKeys, epoch: Epoch) -> [u8; 32] {
    *keys.secret(epoch).unwrap().secret().expose()
}

#[test]
fn keys_are_drawn_one_epoch_ahead_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = NOW.epoch();
    let keys = open(folder.path(), NOW).unwrap();
    let [this, next] = [epoch, epoch.next()].map(|epoch| format!("epoch-{}", epoch.0));
    let expected = [
        this.clone(),
        format!("{this}.pub"),
        next.clone(),
        format!("{next}.pub"),
    ];
    assert_eq!(names(folder.path()), expected);
    let first = keys.current(NOW).unwrap().secret().expose();
    let next = keys.secret(epoch.next()).unwrap().secret().expose();
    assert_ne!(first, next);
    let again = open(folder.path(), NOW).unwrap();
    assert_eq!(again.current(NOW).unwrap().secret().expose(), first);
    let mode = folder
        .path()
        .join(&expected[0])
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_secret_key_ends_with_its_epoch_and_its_public_key_a_year_later() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = NOW.epoch();
    let keys = open(folder.path(), NOW).unwrap();
    let first = keys.public(epoch).unwrap().key.to_bytes();
    settle(&keys, epoch.next().start());
    let secret = format!("epoch-{}", epoch.0);
    let public = format!("{secret}.pub");
    assert!(!names(folder.path()).contains(&secret));
    assert!(matches!(keys.secret(epoch), Err(KeyFolderError::Gone(e)) if e == epoch));

    let last = Epoch(epoch.0 + CATCH_UP_EPOCHS);
    let keys = EpochKeys::open(folder.path(), last.start(), Clock::Checked).unwrap();
    settle(&keys, last.start());
    assert!(keys.public(epoch).unwrap().key.to_bytes() == first);
    let again = open(folder.path(), last.start()).unwrap();
    assert!(again.public(epoch).unwrap().key.to_bytes() == first);
    settle(&keys, last.next().start());
    assert!(keys.public(epoch).is_none() && !names(folder.path()).contains(&public));
}

#[test]
fn a_secret_key_of_the_past_without_a_public_one_is_destroyed_and_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = NOW.epoch();
    let secret = SecretKey::generate(&mut secret::rng());
    let path = folder.path().join(format!("epoch-{}", epoch.0));
    fs::write(&path, *secret.expose()).unwrap();
    let start = epoch.next().start();
    let keys = EpochKeys::open(folder.path(), start, Clock::Checked).unwrap();
    settle(&keys, start);
    assert!(!path.exists() && keys.public(epoch).is_none());
}

#[test]
fn no_second_key_is_drawn_for_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = NOW.epoch();
    let keys = open(folder.path(), NOW).unwrap();
    settle(&keys, epoch.next().start());
    // A request that waited while the epoch ended.
    let late = keys.current(NOW).err();
    assert!(matches!(late, Some(KeyFolderError::Gone(e)) if e == epoch));
    // A clock that was set back, or a folder that lost a file.
    for clock in [Clock::Unchecked, Clock::Checked] {
        let refused = EpochKeys::open(folder.path(), NOW, clock).err();
        assert!(matches!(refused, Some(KeyFolderError::Gone(e)) if e == epoch));
    }
    // A clock that was set back to a time from before the first key.
    let before = content(folder.path());
    let long_ago = open(folder.path(), UnixTime(0)).err();
    assert!(matches!(long_ago, Some(KeyFolderError::Gone(Epoch(0)))));
    assert_eq!(content(folder.path()), before);
}

#[test]
fn a_clock_that_leads_by_an_epoch_for_some_minutes_destroys_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(folder.path(), NOW).unwrap();
    let (epoch, ahead) = (NOW.epoch(), NOW.plus_secs(EPOCH_SECONDS));
    let [this, next] = [epoch, epoch.next()].map(|epoch| secret_of(&keys, epoch));
    for secs in [0, 5, SETTLE_SECS - 1] {
        keys.turn(ahead.plus_secs(secs)).unwrap();
    }
    // Set right, it goes on with the keys it had.
    let now = NOW.plus_secs(SETTLE_SECS);
    assert_eq!(*keys.current(now).unwrap().secret().expose(), this);
    // The minutes are counted anew.
    keys.turn(ahead.plus_secs(SETTLE_SECS)).unwrap();
    assert_eq!(secret_of(&keys, epoch), this);
    let again = open(folder.path(), now).unwrap();
    assert_eq!(secret_of(&again, epoch), this);
    assert_eq!(secret_of(&again, epoch.next()), next);
}

#[test]
fn a_clock_that_leads_further_moves_nothing_until_somebody_has_looked_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(folder.path(), NOW).unwrap();
    let (origin, key) = (
        Origin::parse("https://op.example").unwrap(),
        SigningKey::generate(),
    );
    let before = content(folder.path());
    let newest = NOW.epoch().next();
    for weeks in [2, 3, 60, 60_000] {
        let ahead = NOW.plus_secs(weeks * EPOCH_SECONDS);
        let is_ahead = |error: Option<KeyFolderError>| {
            let found = matches!(error, Some(KeyFolderError::Ahead { now, newest: known })
                if now == ahead.epoch() && known == newest);
            assert!(found, "{weeks} {error:?}");
        };
        for _ in 0..2 {
            is_ahead(keys.turn(ahead).err());
            is_ahead(keys.turn(ahead.plus_secs(SETTLE_SECS)).err());
        }
        is_ahead(keys.current(ahead).err());
        is_ahead(keys.manifest(&origin, &key, ahead).err());
        is_ahead(open(folder.path(), ahead).err());
    }
    assert_eq!(content(folder.path()), before);
    // Set right, it goes on.
    keys.current(NOW).unwrap();

    let after_a_pause = NOW.plus_secs(5 * EPOCH_SECONDS);
    let keys = EpochKeys::open(folder.path(), after_a_pause, Clock::Checked).unwrap();
    keys.current(after_a_pause).unwrap();
    settle(&keys, after_a_pause);
    let old = format!("epoch-{}", NOW.epoch().0);
    assert!(!names(folder.path()).contains(&old));
    // From then on nobody is asked.
    open(folder.path(), after_a_pause).unwrap();
}

/// What is on the disk after a crash in each of the steps in which a key is destroyed.
#[test]
fn a_destruction_that_was_interrupted_is_ended_at_the_start_and_leaves_nothing_of_the_key() {
    let epoch = NOW.epoch();
    let old = SecretKey::generate(&mut secret::rng()).expose();
    let half: Vec<u8> = [&[0; 16], &old[16..]].concat();
    let interrupted: [(&str, &[u8]); 5] = [
        ("epoch-1", old.as_slice()),
        ("epoch-1.gone", old.as_slice()),
        ("epoch-1.gone", &half),
        ("epoch-1.gone", &[0; 32]),
        ("epoch-1.new", &old[..20]),
    ];
    for (name, octets) in interrupted {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), NOW).unwrap());
        let whole = names(folder.path());
        fs::write(folder.path().join(name), octets).unwrap();
        if name == "epoch-1" {
            // The key still has its name: nothing was begun.
            settle(&open(folder.path(), NOW).unwrap(), NOW);
        } else {
            drop(open(folder.path(), NOW).unwrap());
        }
        assert_eq!(names(folder.path()), whole, "{name}");
        let left = content(folder.path());
        let found = left.iter().any(|(_, content)| {
            content
                .windows(8)
                .any(|part| old.windows(8).any(|of_key| part == of_key))
        });
        assert!(!found, "{name}");
        assert!(names(folder.path()).contains(&format!("epoch-{}", epoch.0)));
    }
}

#[test]
fn a_file_that_was_left_is_overwritten_and_not_replaced_by_the_next_that_is_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = NOW.epoch();
    let keys = open(folder.path(), NOW).unwrap();
    let secret = secret_of(&keys, epoch);
    let name = format!("epoch-{}.gone", epoch.0);
    let left = folder.path().join(&name);
    fs::write(&left, secret).unwrap();
    // A second name of the left file shows what became of its octets.
    let seen = folder.path().join("seen");
    fs::hard_link(&left, &seen).unwrap();
    let key = folder.path().join("key");
    fs::hard_link(folder.path().join(format!("epoch-{}", epoch.0)), &key).unwrap();
    settle(&keys, epoch.next().start());
    assert!(!left.exists());
    for octets in [fs::read(seen).unwrap(), fs::read(key).unwrap()] {
        assert_eq!(octets, [0; 32]);
    }
}

#[test]
fn a_key_that_was_declared_void_renews_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = NOW.epoch();
    let keys = open(folder.path(), NOW).unwrap();
    // While the secret key is still there.
    let start = epoch.next().start();
    keys.turn(start).unwrap();
    assert!(folder.path().join(format!("epoch-{}", epoch.0)).exists());
    let public = folder.path().join(format!("epoch-{}.pub", epoch.0));
    fs::remove_file(&public).unwrap();
    let keys = open(folder.path(), start).unwrap();
    settle(&keys, start);
    assert!(keys.public(epoch).is_none() && keys.public(epoch.next()).is_some());
    assert!(!public.exists());
}

#[test]
fn a_damaged_key_is_an_error_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("epoch-{}", NOW.epoch().0));
    fs::write(&path, b"short").unwrap();
    let refused = open(folder.path(), NOW).err();
    assert!(matches!(refused, Some(KeyFolderError::Damaged(_))));
    assert_eq!(fs::read(&path).unwrap(), b"short");
}

#[test]
fn the_manifest_holds_the_keys_of_this_and_the_next_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(folder.path(), NOW).unwrap();
    let (origin, key) = (
        Origin::parse("https://op.example").unwrap(),
        SigningKey::generate(),
    );
    let signed = keys.manifest(&origin, &key, NOW).unwrap();
    let manifest = Manifest::verify(&signed, &origin, key.public(), NOW).unwrap();
    assert!(manifest.keys().covers(NOW.epoch()));
    let listed = manifest.keys().of(NOW.epoch()).unwrap().key;
    assert!(listed.to_bytes() == keys.current(NOW).unwrap().secret().public().to_bytes());
}
