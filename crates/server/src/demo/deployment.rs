//! The folder of a demonstration: keys, certificates and one configuration file a process.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use openid4vc::Secret;
use rand_core::UnwrapErr;
use serde::Deserialize;

use super::faces::Faces;
pub use super::party::{Party, Ports, SITES, SiteOfDemo};
use crate::files::{self, Access};

/// The folder of a demonstration.
#[derive(Clone, Debug)]
pub struct Deployment {
    folder: PathBuf,
    ports: Ports,
    faces: Option<Faces>,
}

const PORTS: &str = "ports.json";
const FACES: &str = "faces.json";
/// The id of the officer.
pub const OFFICER: &str = "officer-1";

impl Deployment {
    /// Opens the deployment in `folder`, or makes it as a whole with `ports`, and with a face check
    /// where there are `faces`.
    ///
    /// # Errors
    ///
    /// When a file cannot be made, or what is there is damaged or not a demonstration's.
    pub fn open_or_create(
        folder: &Path,
        ports: impl FnOnce() -> anyhow::Result<Ports>,
        faces: Option<&Faces>,
    ) -> anyhow::Result<Deployment> {
        if !folder.join(PORTS).exists() {
            refuse_foreign(folder)?;
            // Made beside and moved as a whole: a start that was killed leaves no half of it.
            let next = folder.with_extension("next");
            if next.exists() {
                std::fs::remove_dir_all(&next)?;
            }
            files::make_private_folder(&next)?;
            let made = Deployment {
                folder: next.clone(),
                ports: ports()?,
                faces: faces.cloned(),
            };
            made.create()?;
            // Takes the place of an empty folder too.
            std::fs::rename(&next, folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let ports = serde_json::from_slice(&files::read(&folder.join(PORTS))?).context(DAMAGED)?;
        let faces = serde_json::from_slice(&files::read(&folder.join(FACES))?).context(DAMAGED)?;
        Ok(Deployment {
            folder: folder.to_owned(),
            ports,
            faces,
        })
    }

    /// Removes the deployment in `folder`, if there is one.
    ///
    /// # Errors
    ///
    /// When the folder holds something else, or cannot be removed.
    pub fn remove(folder: &Path) -> anyhow::Result<()> {
        refuse_foreign(folder)?;
        let leftover = folder.with_extension("removed");
        // What a kill left of an earlier removal is in the way of this one.
        if leftover.exists() {
            std::fs::remove_dir_all(&leftover)?;
        }
        if folder.exists() {
            // Moved as a whole first: what a kill leaves of it is never taken for a deployment.
            std::fs::rename(folder, &leftover)?;
            std::fs::remove_dir_all(&leftover)?;
        }
        Ok(())
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one party.
    #[must_use]
    pub fn folder_of(&self, party: Party) -> PathBuf {
        self.folder.join(party.name())
    }

    /// The origin at which `party` is reached.
    #[must_use]
    pub fn origin(&self, party: Party) -> String {
        self.ports.origin(party)
    }

    /// What its operator compares faces with.
    #[must_use]
    pub fn faces(&self) -> Option<&Faces> {
        self.faces.as_ref()
    }

    /// The ports.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The certificate of the loopback CA.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca/ca.pem")
    }

    /// The operator's public trust file.
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.folder_of(Party::Operator).join("operator.json")
    }

    /// The configuration of a party.
    #[must_use]
    pub fn config(&self, party: Party) -> PathBuf {
        self.folder_of(party).join(format!("{}.toml", party.name()))
    }

    /// The officer's key.
    #[must_use]
    pub fn officer_key(&self) -> PathBuf {
        self.folder.join("officer.key")
    }

    /// What a moderator of the forum enters to ban somebody.
    #[must_use]
    pub fn moderator_token(&self) -> PathBuf {
        self.folder_of(Party::Forum).join("moderator.token")
    }

    /// Makes the passport of invented person `number` (or gives the one made before); `more` are
    /// further options of `bauta specimen passport`.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn passport(&self, number: u16, more: &[&str]) -> anyhow::Result<PathBuf> {
        let out = self.folder.join(format!("specimen/person-{number}"));
        if !out.join("EF.SOD").exists() {
            let number = number.to_string();
            let mut command = bauta()?;
            command.args(["specimen", "passport", "--person", &number, "--authority"]);
            command
                .arg(self.folder.join("specimen"))
                .arg("--out")
                .arg(&out)
                .args(more);
            if let Some(faces) = &self.faces {
                command.arg("--image").arg(faces.portrait());
            }
            run(&mut command)?;
        }
        Ok(out)
    }

    /// `bauta officer ACTION` with this deployment's officer; the arguments follow.
    ///
    /// # Errors
    ///
    /// When the program's own path is not known.
    pub fn officer(&self, action: &str) -> anyhow::Result<Command> {
        let mut command = bauta()?;
        command.args([
            "officer",
            action,
            "--operator",
            &self.origin(Party::Operator),
            "--id",
            OFFICER,
        ]);
        command
            .arg("--key")
            .arg(self.officer_key())
            .arg("--ca")
            .arg(self.ca());
        Ok(command)
    }

    /// `bauta wallet` on the wallet `name`; the arguments follow.
    ///
    /// # Errors
    ///
    /// When the program's own path is not known.
    pub fn wallet(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = bauta()?;
        command
            .arg("wallet")
            .arg("--home")
            .arg(self.wallet_home(name));
        Ok(command)
    }

    /// The folder of the wallet `name`.
    #[must_use]
    pub fn wallet_home(&self, name: &str) -> PathBuf {
        self.folder.join("wallets").join(name)
    }

    fn create(&self) -> anyhow::Result<()> {
        for party in Party::ALL {
            files::make_private_folder(&self.folder_of(party))?;
            self.make_leaf(party)?;
        }
        files::make_private_folder(&self.folder.join("wallets"))?;
        let mut specimen = bauta()?;
        specimen
            .args(["specimen", "authority", "--out"])
            .arg(self.folder.join("specimen"));
        run(&mut specimen)?;
        self.create_trustees_and_operator()?;
        for site in &SITES {
            self.create_site(site)?;
        }
        let faces = serde_json::to_vec_pretty(&self.faces)?;
        files::write_new(&self.folder.join(FACES), &faces, Access::Private)?;
        let ports = serde_json::to_vec_pretty(&self.ports)?;
        files::write_new(&self.folder.join(PORTS), &ports, Access::Private)
    }

    fn make_leaf(&self, party: Party) -> anyhow::Result<()> {
        let mut leaf = bauta()?;
        leaf.args(["tls", "leaf", "--name", party.host(), "--ca"])
            .arg(self.folder.join("ca"));
        leaf.arg("--certificate")
            .arg(self.folder_of(party).join("tls.pem"));
        leaf.arg("--key").arg(self.folder_of(party).join("tls.key"));
        run(&mut leaf).map(drop)
    }

    fn server_section(&self, party: Party) -> String {
        format!(
            "[server]\nlisten = \"127.0.0.1:{}\"\ncertificate_file = \"tls.pem\"\n\
             private_key_file = \"tls.key\"\nstop_with_stdin = true\n",
            self.ports.listen(party)
        )
    }

    fn create_trustees_and_operator(&self) -> anyhow::Result<()> {
        let operator = self.folder_of(Party::Operator);
        let mut init = bauta()?;
        init.args([
            "operator",
            "init",
            "--origin",
            &self.origin(Party::Operator),
            "--out",
        ]);
        run(init.arg(&operator))?;
        let mut deal = bauta()?;
        deal.args([
            "trustee",
            "deal",
            "--threshold",
            "2",
            "--trustees",
            "3",
            "--out",
        ]);
        run(deal.arg(self.folder.join("dealing")))?;
        let mut keygen = bauta()?;
        keygen.args(["officer", "keygen", "--id", OFFICER, "--out"]);
        let officer = run(keygen.arg(self.officer_key()))?;

        let attester = inline(&String::from_utf8(files::read(
            &operator.join("attester.json"),
        )?)?)?;
        for (party, number) in Party::TRUSTEES.into_iter().zip(1..) {
            self.create_trustee(party, number, &attester)?;
        }
        std::fs::copy(
            self.folder.join("dealing/group.json"),
            operator.join("group.json"),
        )?;
        std::fs::remove_dir_all(self.folder.join("dealing"))?;
        let members: Vec<String> = Party::TRUSTEES
            .into_iter()
            .zip(1..)
            .map(|(party, index)| {
                format!("{{ index = {index}, origin = \"{}\" }}", self.origin(party))
            })
            .collect();
        let config = format!(
            "origin = \"{}\"\nstate_folder = \"state\"\nkey_file = \"operator.key\"\n\
             tag_key_file = \"tag.key\"\ntrust_folder = \"../specimen/trust\"\nofficers = [{}]\n\n\
             [trustees]\ngroup_file = \"group.json\"\nattester = \"enrolment\"\n\
             attester_key_file = \"attester.key\"\nmembers = [{}]\n\n\
             [client]\nca_file = \"../ca/ca.pem\"\n\n{}{}",
            self.origin(Party::Operator),
            inline(officer.trim())?,
            members.join(", "),
            self.faces
                .as_ref()
                .map_or(Ok(String::new()), |faces| faces.configure(&operator))?,
            self.server_section(Party::Operator),
        );
        self.write_config(Party::Operator, &config)
    }

    fn create_trustee(&self, party: Party, number: u8, attester: &str) -> anyhow::Result<()> {
        let dealt = self
            .folder
            .join(format!("dealing/trustee-{number}/share.key"));
        let folder = self.folder_of(party);
        std::fs::rename(dealt, folder.join("share.key"))?;
        std::fs::copy(
            self.folder.join("dealing/group.json"),
            folder.join("group.json"),
        )?;
        let config = format!(
            "state_folder = \"state\"\nshare_file = \"share.key\"\ngroup_file = \"group.json\"\n\
             attester = {attester}\n\n{}",
            self.server_section(party)
        );
        self.write_config(party, &config)
    }

    fn create_site(&self, site: &SiteOfDemo) -> anyhow::Result<()> {
        let (folder, origin) = (self.folder_of(site.gateway), self.origin(site.site));
        let mut init = bauta()?;
        init.args([
            "gateway",
            "init",
            "--origin",
            &self.origin(site.gateway),
            "--folder",
        ]);
        let made: Made = serde_json::from_str(&run(init.arg(&folder))?)?;
        let mut add = bauta()?;
        add.args([
            "site",
            "add",
            "--name",
            site.name,
            "--purpose",
            site.purpose,
        ]);
        add.args(["--alternative", "Register at the counter with any document"]);
        add.args(["--origin", &origin, "--gateway", &self.origin(site.gateway)]);
        add.args(["--x509-hash", &made.x509_hash]);
        for item in site.items {
            add.args(["--item", item]);
        }
        if let Some(years) = site.age_over {
            add.args(["--age-over", &years.to_string()]);
        }
        add.arg("--config").arg(self.config(Party::Operator));
        run(add.arg("--out").arg(folder.join("site-entry.jwt")))?;
        std::fs::copy(self.trust_file(), folder.join("operator.json"))?;

        let secret = Secret::draw(&mut UnwrapErr(getrandom::SysRng));
        for party in [site.gateway, site.site] {
            let file = self.folder_of(party).join("client.secret");
            files::write_new(&file, secret.expose().as_bytes(), Access::Private)?;
        }
        let items: Vec<String> = site
            .items
            .iter()
            .map(|item| format!("\"{item}\""))
            .collect();
        let config = format!(
            "[gateway]\norigin = \"{}\"\nstore_file = \"gateway.sqlite\"\n\
             operator_file = \"operator.json\"\nsite_entry_file = \"site-entry.jwt\"\n\
             request_key_file = \"request.key\"\nrequest_certificate_file = \"request.pem\"\n\
             es256_key_file = \"es256.key\"\nrs256_key_file = \"rs256.key\"\n\
             site_keys = [{{ version = 1, file = \"site-1.key\" }}]\nitems = [{}]\n\n\
             [[gateway.clients]]\nid = \"{}\"\nsecret_file = \"client.secret\"\n\
             redirect_uris = [\"{origin}/callback\"]\npost_logout_redirect_uris = [\"{origin}/\"]\n\
             id_token_signed_response_alg = \"ES256\"\n\n[client]\nca_file = \"../ca/ca.pem\"\n\n{}",
            self.origin(site.gateway),
            items.join(", "),
            site.site.name(),
            self.server_section(site.gateway),
        );
        self.write_config(site.gateway, &config)?;
        let moderator = if site.site == Party::Forum {
            let token = Secret::draw(&mut UnwrapErr(getrandom::SysRng));
            let file = self.moderator_token();
            files::write_new(&file, token.expose().as_bytes(), Access::Private)?;
            "moderator_token_file = \"moderator.token\"\n"
        } else {
            ""
        };
        let scopes = if site.age_over.is_some() {
            "scopes = [\"age\"]\n"
        } else {
            ""
        };
        let config = format!(
            "origin = \"{origin}\"\ntitle = \"{}\"\ndata_file = \"site.sqlite\"\n\
             ca_file = \"../ca/ca.pem\"\nissuer = \"{}\"\nclient_id = \"{}\"\n\
             client_secret_file = \"client.secret\"\n{scopes}{moderator}\n{}",
            site.name,
            self.origin(site.gateway),
            site.site.name(),
            self.server_section(site.site),
        );
        self.write_config(site.site, &config)
    }

    fn write_config(&self, party: Party, config: &str) -> anyhow::Result<()> {
        files::write_new(&self.config(party), config.as_bytes(), Access::Private)
    }
}

const DAMAGED: &str = "the demonstration's folder is damaged: start with --reset";

#[derive(Deserialize)]
struct Made {
    x509_hash: String,
}

/// A JSON object of texts and objects as a TOML inline table.
fn inline(json: &str) -> anyhow::Result<String> {
    let table: toml::Table = serde_json::from_str(json)?;
    Ok(toml::Value::Table(table).to_string())
}

/// A folder with files of somebody else is not touched.
fn refuse_foreign(folder: &Path) -> anyhow::Result<()> {
    let is_empty = || Ok::<_, std::io::Error>(std::fs::read_dir(folder)?.next().is_none());
    if folder.exists() && !folder.join(PORTS).exists() && !is_empty()? {
        bail!(
            "{} holds files that are not a demonstration's: give another --folder",
            folder.display()
        );
    }
    Ok(())
}

/// This program, or the file beside it that is `bauta` where another program asks.
pub(super) fn bauta() -> anyhow::Result<Command> {
    Ok(Command::new(program("bauta")?))
}

/// A program of this project, looked for beside the running one (and above `deps`, where test
/// programs are).
pub(super) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own path is not known")?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not beside {}", own.display()))
}

/// Runs a command to its end and gives its standard output.
pub(super) fn run(command: &mut Command) -> anyhow::Result<String> {
    let done = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        bail!("{command:?} failed: {said}");
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// A folder's exclusive lock; released when dropped or when the process ends.
///
/// # Errors
///
/// When another process holds it.
pub fn lock(folder: &Path) -> anyhow::Result<std::fs::File> {
    files::make_private_folder(folder)?;
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    if file.try_lock().is_err() {
        bail!(
            "a demonstration already runs on {}: stop it first (Ctrl-C there)",
            folder.display()
        );
    }
    Ok(file)
}
