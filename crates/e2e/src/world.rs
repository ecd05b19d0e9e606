//! A whole deployment in a temporary folder, with its processes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use server::demo::Faces;
use server::demo::deployment::{Deployment, Party, Ports, SITES, SiteOfDemo};
use tempfile::TempDir;

use crate::binaries;
use crate::browser::Browser;
use crate::faketime;
use crate::forwarder::Forwarder;
use crate::impostor::{Impostor, Real};
use crate::log_in::{LoggedIn, Way, log_in};
use crate::process::Server;
use crate::relying_party::RelyingParty;
use crate::rows::{self, Row};
use crate::wallet::{Environment, Wallet};

/// Operator and trustees: whom nobody has to ask at a sign-in.
pub const AUTHORITIES: [Party; 4] = [
    Party::Trustee1,
    Party::Trustee2,
    Party::Trustee3,
    Party::Operator,
];
/// The gateways of both sites.
pub const GATEWAYS: [Party; 2] = [Party::ForumGateway, Party::ShopGateway];

/// A deployment and the processes of it that run. Dropping it stops them and removes everything.
pub struct World {
    servers: BTreeMap<Party, Server>,
    forwarders: BTreeMap<Party, Forwarder>,
    deployment: Deployment,
    folder: TempDir,
}

/// A test that fails says how its servers are: the folder with their logs goes away with it.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for server in self.servers.values_mut() {
                eprintln!("{}", server.describe());
            }
        }
    }
}

impl World {
    /// A deployment of which nothing runs yet; in front of every party stands a forwarder that
    /// counts.
    ///
    /// # Errors
    ///
    /// When a command fails.
    pub fn new() -> anyhow::Result<World> {
        World::with(None)
    }

    /// As [`World::new`], with an operator that compares faces.
    ///
    /// # Errors
    ///
    /// When a command fails; without networks or photographs.
    pub fn with_faces() -> anyhow::Result<World> {
        let faces = Faces::from_environment();
        let faces = faces.context("no networks or photographs of faces; see tools/face-models")?;
        World::with(Some(&faces))
    }

    /// As [`World::running`], with an operator that compares faces.
    ///
    /// # Errors
    ///
    /// As [`World::with_faces`]; when a server does not become ready.
    pub fn comparing_faces() -> anyhow::Result<World> {
        World::with_faces()?.started()
    }

    fn with(faces: Option<&Faces>) -> anyhow::Result<World> {
        let folder = tempfile::tempdir()?;
        // Servers pick their ports when they start: one that was picked before can be taken then.
        let mut ports = Ports::unknown();
        let mut forwarders = BTreeMap::new();
        for party in Party::ALL {
            let forwarder = Forwarder::start()?;
            ports = ports.behind(party, forwarder.address().port());
            forwarders.insert(party, forwarder);
        }
        let deployment =
            Deployment::open_or_create(&folder.path().join("deployment"), || Ok(ports), faces)?;
        std::fs::create_dir(folder.path().join("logs"))?;
        Ok(World {
            servers: BTreeMap::new(),
            forwarders,
            deployment,
            folder,
        })
    }

    /// A deployment whose operator, trustees and gateways run.
    ///
    /// # Errors
    ///
    /// When a command fails or a server does not become ready.
    pub fn running() -> anyhow::Result<World> {
        World::new()?.started()
    }

    fn started(mut self) -> anyhow::Result<World> {
        for party in AUTHORITIES.into_iter().chain(GATEWAYS) {
            self.start(party)?;
        }
        Ok(self)
    }

    /// Its files.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// A folder of the test's own, which no party uses.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn scratch(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join("scratch");
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The folder with what all servers have written to their standard output and error, and with
    /// their temporary files.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// The folder with what operator or trustee store.
    #[must_use]
    pub fn state(&self, party: Party) -> PathBuf {
        self.deployment.folder_of(party).join("state")
    }

    /// The register's database.
    #[must_use]
    pub fn register(&self) -> PathBuf {
        self.state(Party::Operator).join("register.sqlite")
    }

    /// Every row of the register, as text.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn register_rows(&self) -> anyhow::Result<Vec<Row>> {
        rows::read(&self.register())
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When it does not become ready.
    pub fn start(&mut self, party: Party) -> anyhow::Result<()> {
        self.start_within(party, &Environment::new())
    }

    /// Starts a server in another environment.
    ///
    /// # Errors
    ///
    /// When it does not become ready.
    pub fn start_within(&mut self, party: Party, environment: &Environment) -> anyhow::Result<()> {
        let server = Server::start(
            party.name(),
            self.command(party, environment)?,
            &self.logs(),
        )?;
        self.lead(party, Some(server.address()));
        self.servers.insert(party, server);
        Ok(())
    }

    /// The command that runs a server. Whoever starts an operator knows what day it is.
    fn command(&self, party: Party, environment: &Environment) -> anyhow::Result<Command> {
        let (program, role) = match party {
            Party::Trustee1 | Party::Trustee2 | Party::Trustee3 => ("bauta", "trustee"),
            Party::Operator => ("bauta", "serve"),
            Party::ForumGateway | Party::ShopGateway => ("bauta", "gateway"),
            Party::Forum => ("bauta-sites", "forum"),
            Party::Shop => ("bauta-sites", "shop"),
        };
        let mut command = Command::new(binaries::path(program)?);
        command.arg(role).arg("--config");
        command.arg(self.deployment.config(party));
        if party == Party::Operator {
            command.args(["--today", &faketime::today(environment)?]);
        }
        // Temporary files of a server are among those that are searched.
        command.env("TMPDIR", self.logs());
        command.envs(environment.iter().cloned());
        Ok(command)
    }

    /// Moves the clock of servers, which are started anew.
    ///
    /// # Errors
    ///
    /// When one does not stop or start.
    pub fn move_to(&mut self, parties: &[Party], environment: &Environment) -> anyhow::Result<()> {
        for party in parties {
            if self.servers.contains_key(party) {
                self.stop(*party)?;
            }
            self.start_within(*party, environment)?;
        }
        Ok(())
    }

    /// Stops a server as an administrator does.
    ///
    /// # Errors
    ///
    /// When it does not run or does not stop.
    pub fn stop(&mut self, party: Party) -> anyhow::Result<()> {
        let status = self.take(party)?.stop()?;
        ensure!(status.success(), "{} ended with {status}", party.name());
        Ok(())
    }

    /// Kills a server.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn kill(&mut self, party: Party) -> anyhow::Result<()> {
        self.take(party)?.kill();
        Ok(())
    }

    fn take(&mut self, party: Party) -> anyhow::Result<Server> {
        let server = self.servers.remove(&party);
        self.lead(party, None);
        server.with_context(|| format!("{} does not run", party.name()))
    }

    /// The process id of a server.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn process(&self, party: Party) -> anyhow::Result<u32> {
        let server = self.servers.get(&party);
        Ok(server
            .with_context(|| format!("{} does not run", party.name()))?
            .id())
    }

    /// How often anybody connected to operator or trustees.
    #[must_use]
    pub fn connections(&self) -> usize {
        let counted = AUTHORITIES
            .iter()
            .filter_map(|party| self.forwarders.get(party));
        counted.map(Forwarder::connections).sum()
    }

    /// Puts an impostor in front of `party`, which runs on behind it and is asked by [`Real`].
    ///
    /// # Errors
    ///
    /// When the party does not run, or the impostor cannot start.
    pub fn impostor_before(&self, party: Party) -> anyhow::Result<(Impostor, Real)> {
        let server = self.servers.get(&party).context("the party does not run")?;
        let real = Real::new(&self.deployment, party, server.address())?;
        Ok((self.impostor_of(party)?, real))
    }

    /// Puts an impostor in the place of `party`.
    ///
    /// # Errors
    ///
    /// When it cannot start.
    pub fn impostor_of(&self, party: Party) -> anyhow::Result<Impostor> {
        let impostor = Impostor::start(&self.deployment, party)?;
        self.lead(party, Some(impostor.address()));
        Ok(impostor)
    }

    fn lead(&self, party: Party, to: Option<SocketAddr>) {
        if let Some(forwarder) = self.forwarders.get(&party) {
            forwarder.lead(to);
        }
    }

    /// The wallet `name`.
    #[must_use]
    pub fn wallet(&self, name: &str) -> Wallet<'_> {
        Wallet::new(&self.deployment, name)
    }

    /// Enrols invented person `number` in the wallet `name` at another time.
    ///
    /// # Errors
    ///
    /// When that is refused.
    pub fn enrol_within(
        &self,
        name: &str,
        number: u16,
        environment: &Environment,
    ) -> anyhow::Result<Wallet<'_>> {
        let wallet = self.wallet(name).within(environment);
        let passport = self.deployment.passport(number, &[])?;
        if let Err(refused) = wallet.enrol(&passport)? {
            bail!("{name} is not enrolled: {refused:?}");
        }
        Ok(wallet)
    }

    /// Enrols invented person `number` in the wallet `name`.
    ///
    /// # Errors
    ///
    /// When that is refused.
    pub fn enrol(&self, name: &str, number: u16) -> anyhow::Result<Wallet<'_>> {
        self.enrol_within(name, number, &Environment::new())
    }

    /// A fresh browser that trusts this deployment's authority.
    ///
    /// # Errors
    ///
    /// When the authority cannot be read.
    pub fn browser(&self) -> anyhow::Result<Browser> {
        Browser::new(&self.deployment.ca())
    }

    /// The program of the site behind `gateway`, as the gateway has it registered.
    ///
    /// # Errors
    ///
    /// When the gateway does not answer.
    pub fn relying_party(&self, gateway: Party) -> anyhow::Result<RelyingParty> {
        let site = site_of(gateway)?.site;
        RelyingParty::new(
            &self.browser()?,
            &self.deployment.origin(gateway),
            site.name(),
            &self.deployment.folder_of(site).join("client.secret"),
            format!("{}/callback", self.deployment.origin(site)),
        )
    }

    /// Logs in at the site behind `gateway` in a fresh browser.
    ///
    /// # Errors
    ///
    /// When anything on the way is refused.
    pub fn log_in(&self, gateway: Party, wallet: &Wallet<'_>) -> anyhow::Result<LoggedIn> {
        let site = self.relying_party(gateway)?;
        log_in(&site, &self.browser()?, wallet, Way::OtherDevice)
    }
}

/// The site behind a gateway.
///
/// # Errors
///
/// When `gateway` is none.
pub fn site_of(gateway: Party) -> anyhow::Result<&'static SiteOfDemo> {
    let mut sites = SITES.iter();
    let found = sites.find(|site| site.gateway == gateway);
    found.with_context(|| format!("{} is no gateway", gateway.name()))
}

/// Every file of a folder with its content.
///
/// # Errors
///
/// When one cannot be read.
pub fn snapshot(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut snapshot(&path)?);
        } else {
            files.insert(path.clone(), std::fs::read(&path)?);
        }
    }
    Ok(files)
}
