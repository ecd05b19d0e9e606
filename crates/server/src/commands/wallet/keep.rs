//! `bauta wallet devices`, `backup`, `restore`, `end`, `delete`.

use std::path::{Path, PathBuf};

use clap::Args;
use credential::jose;
use credential::origin::Origin;
use serde::Deserialize;
use serde_json::json;
use wallet::backup::{self, BackupError};
use wallet::seal::SealError;
use zeroize::Zeroizing;

use super::enrol::call;
use super::home::{self, Home};
use super::overview::damaged;
use super::{Output, ask, confirm};
use crate::clock;
use crate::failure::{Failure, refused};
use crate::files::{self, Access};

/// What `devices` takes.
#[derive(Debug, Args)]
pub(super) struct DevicesArgs {
    /// Forget this device's key at the site with this origin; the next sign-in there brings a new
    /// one, which needs the certificate.
    #[arg(long, value_name = "ORIGIN")]
    forget: Option<String>,
}

/// What `backup` takes.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// File to write.
    file: PathBuf,
    /// File with the passphrase. Default: one is made and printed.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

/// What `restore` takes.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup.
    file: PathBuf,
    /// File with the passphrase. Default: it is asked for.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// PEM file with the only authorities to trust for TLS. Default: the platform's.
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// What commands that cannot be undone take.
#[derive(Debug, Args)]
pub(super) struct ConfirmArgs {
    /// Agree without being asked.
    #[arg(long)]
    yes: bool,
}

/// Lists or forgets the keys of this device.
pub(super) fn devices(args: &DevicesArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut home = Home::open(folder)?;
    if let Some(text) = &args.forget {
        let origin = Origin::parse(text)
            .map_err(|error| Failure::new("origin-invalid", error, "See `bauta wallet sites`."))?;
        home.keys.forget(&origin);
        home.save_keys()?;
    }
    let mut list = Vec::new();
    for site in home.keys.sites() {
        let origin = Origin::parse(site).map_err(|_| damaged(wallet::vault::DamagedVault))?;
        if let Some(key) = home.keys.site(&origin).map_err(damaged)? {
            list.push((site.to_owned(), jose::encode(key.public().thumbprint())));
        }
    }
    let lines: Vec<_> = list
        .iter()
        .map(|(site, key)| format!("{site}  key {key}"))
        .collect();
    let text = if lines.is_empty() {
        "No site knows this device.".into()
    } else {
        lines.join("\n")
    };
    let sites: Vec<_> = list
        .iter()
        .map(|(site, key)| json!({"site": site, "key": key}))
        .collect();
    output.result(&text, &json!({ "devices": sites }));
    Ok(())
}

/// Writes a backup.
pub(super) fn backup(args: &BackupArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let home = Home::open(folder)?;
    let (passphrase, made) = match &args.passphrase_file {
        Some(path) => (read_passphrase(path)?, false),
        None => (make_passphrase(), true),
    };
    let sealed = backup::create(&home.vault, passphrase.clone()).map_err(|error| {
        let id = if error == BackupError::Empty {
            "not-registered"
        } else {
            "local-failure"
        };
        Failure::new(id, error, "")
    })?;
    files::write_new(&args.file, &sealed, Access::Private)?;
    let file = args.file.display();
    let shown = made.then(|| passphrase.as_str().to_owned());
    let text = match &shown {
        Some(passphrase) => format!(
            "Wrote {file}.\nPassphrase: {passphrase}\nWrite it down and keep it apart from the file: \
             it is shown once, and the backup is useless without it."
        ),
        None => format!("Wrote {file}."),
    };
    output.result(&text, &json!({ "file": args.file, "passphrase": shown }));
    Ok(())
}

/// Makes a wallet from a backup.
pub(super) fn restore(args: &RestoreArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let sealed = files::read(&args.file)?;
    let passphrase = match &args.passphrase_file {
        Some(path) => read_passphrase(path)?,
        None => ask("Passphrase of the backup:")
            .map(Zeroizing::new)
            .ok_or_else(|| {
                let next = "There is no terminal to ask at: give --passphrase-file.";
                Failure::new("passphrase-missing", "the passphrase is needed", next)
            })?,
    };
    let vault = backup::restore(&sealed, passphrase).map_err(|error| {
        let id = match error {
            BackupError::Seal(SealError::Key) => "passphrase-wrong",
            BackupError::Seal(_) | BackupError::Version | BackupError::Empty => "backup-invalid",
        };
        Failure::new(id, error, "")
    })?;
    let home = Home::create(folder, vault, args.ca.as_deref())?;
    let text = format!(
        "Restored {} site(s). Enrol again with your document to receive a certificate: \
         bauta wallet enrol",
        home.vault.sites.len()
    );
    output.result(&text, &json!({ "sites": home.vault.sites }));
    Ok(())
}

#[derive(Deserialize)]
struct NonceAnswer {
    c_nonce: String,
}

/// Ends the registration at the operator.
pub(super) async fn end(args: &ConfirmArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut home = Home::open(folder)?;
    let device = home.keys.holder().map_err(damaged)?;
    let Some(person) = &home.vault.person else {
        return Err(Failure::new(
            "not-registered",
            "this wallet holds no registration",
            "",
        ));
    };
    confirm(
        "End your registration? No certificate will be issued any more.",
        args.yes,
    )?;
    let client = home.client()?;
    let origin = &home.vault.operator.origin;
    let nonce: NonceAnswer =
        call(&client, client.requests().post(format!("{origin}/nonce"))).await?;
    let body = wallet::ending::end(person, (origin, &nonce.c_nonce), &device, clock::now())
        .map_err(damaged)?;
    let post = client
        .requests()
        .post(format!("{origin}/registration/end"))
        .json(&body);
    let answer = client.send(post).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    let text = "Your registration has ended. Accounts on this device stay as they are.";
    output.result(text, &json!({ "outcome": "ended" }));
    Ok(())
}

/// Removes the wallet from this device, a damaged one too.
pub(super) fn delete(args: &ConfirmArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    home::check_presence(folder)?;
    confirm(
        "Remove this wallet? Without a backup its accounts are lost.",
        args.yes,
    )?;
    home::delete(folder)?;
    output.result(
        "The wallet was removed from this device.",
        &json!({ "outcome": "deleted" }),
    );
    Ok(())
}

fn read_passphrase(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let octets = Zeroizing::new(files::read(path)?);
    let text = std::str::from_utf8(&octets)
        .map(str::trim)
        .unwrap_or_default();
    if text.is_empty() {
        return Err(Failure::new(
            "passphrase-missing",
            "the passphrase file holds no text",
            "",
        ));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// 130 random bits as 26 letters and digits in groups.
fn make_passphrase() -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = Zeroizing::new([0u8; 26]);
    rand_core::Rng::fill_bytes(
        &mut rand_core::UnwrapErr(getrandom::SysRng),
        random.as_mut(),
    );
    let mut text = Zeroizing::new(String::with_capacity(32));
    for (i, byte) in random.iter().enumerate() {
        if i > 0 && i % 5 == 0 {
            text.push('-');
        }
        let index = usize::from(byte % 32);
        text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
    }
    text
}
