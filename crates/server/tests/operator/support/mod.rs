//! A whole operator with three trustees as processes of their own, and the people around it.

pub(crate) mod chip;
pub(crate) mod faces;
pub(crate) mod officer;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod register;
pub(crate) mod specimen;
pub(crate) mod wallet;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use credential::origin::Origin;
use face::Models;
use process::{Running, bauta, run_bauta};
use serde_json::Value;
use server::client::HttpsClient;
use server::config::ClientConfig;
use specimen::Utopia;
use tempfile::TempDir;

/// How long any condition is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An operator and its trustees, all running.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) operator: Running,
    pub(crate) trustees: Vec<Option<Running>>,
    pub(crate) origin: Origin,
    pub(crate) utopia: Utopia,
    pub(crate) client: HttpsClient,
}

/// What differs between worlds.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// How long enrolment sessions live.
    pub(crate) session_secs: u64,
    /// How many pieces of evidence a trustee evaluates in a minute.
    pub(crate) evaluations_per_minute: u32,
    /// How many enrolment sessions there may be at a time.
    pub(crate) sessions_max: usize,
    /// How many nonces the operator hands out in five minutes.
    pub(crate) nonces_max: u64,
    /// How long any server takes over a request at most.
    pub(crate) request_timeout_secs: u64,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            session_secs: 900,
            evaluations_per_minute: 60,
            sessions_max: 2000,
            nonces_max: 1000,
            request_timeout_secs: 30,
        }
    }
}

impl World {
    pub(crate) fn new() -> World {
        World::with(Terms::default())
    }

    pub(crate) fn with(terms: Terms) -> World {
        World::founded(terms, |_| String::new())
    }

    /// One whose operator compares faces with these networks.
    pub(crate) fn comparing_faces(networks: &Path, terms: Terms) -> World {
        World::founded(terms, |root| {
            face_section(root, networks, "false_match_rate = 0.004")
        })
    }

    /// `more` gives the operator's other sections of the configuration.
    fn founded(terms: Terms, more: impl FnOnce(&Path) -> String) -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        make_keys(root);
        let utopia = Utopia::found(&root.join("csca"));
        let trustees: Vec<_> = (1..=3)
            .map(|index| {
                write_trustee_config(root, index, "127.0.0.1:0", terms);
                Running::start(&["trustee", "--config"], &trustee_config(root, index))
            })
            .collect();
        let ports: Vec<u16> = trustees.iter().map(Running::port).collect();
        let config = write_operator_config(root, &ports, terms);
        let text = fs::read_to_string(&config).unwrap() + &more(root);
        fs::write(&config, text).unwrap();
        let operator = Running::start(&["serve", "--config"], &config);
        let origin = format!("https://operator.localhost:{}", operator.port());
        let client = new_client(root);
        World {
            operator,
            trustees: trustees.into_iter().map(Some).collect(),
            origin: Origin::parse(&origin).unwrap(),
            utopia,
            client,
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Kills a trustee, 1 to 3.
    pub(crate) fn kill_trustee(&mut self, index: usize) {
        self.trustees[index - 1].take().unwrap().kill();
    }

    /// Starts a killed trustee again at its old address.
    pub(crate) fn revive_trustee(&mut self, index: usize) {
        let root = self.folder.path();
        let port = operator_trustee_port(root, index);
        let terms = Terms::default();
        write_trustee_config(root, index, &format!("127.0.0.1:{port}"), terms);
        let started = Running::start(&["trustee", "--config"], &trustee_config(root, index));
        self.trustees[index - 1] = Some(started);
    }

    /// Ends the operator without notice and starts it again at its old address, under which the
    /// wallets know it.
    pub(crate) fn restart_operator(self) -> World {
        let config = self.path("operator.toml");
        let listen = format!("listen = '127.0.0.1:{}'", self.operator.port());
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replace("listen = '127.0.0.1:0'", &listen)).unwrap();
        self.operator.kill();
        World {
            operator: Running::start(&["serve", "--config"], &config),
            client: new_client(self.folder.path()),
            ..self
        }
    }

    /// Closes all connections to the servers.
    pub(crate) fn close_connections(&mut self) {
        self.client = new_client(self.folder.path());
    }

    /// Waits until the operator serves on a new connection; by then it has seen the old ones end.
    pub(crate) async fn settle(&self) {
        for _ in 0..8 {
            let client = new_client(self.folder.path());
            let request = client.requests().get(self.url("/sites"));
            assert!(client.send(request).await.unwrap().status.is_success());
        }
    }

    /// The processes by name.
    pub(crate) fn processes(&self) -> Vec<(String, u32)> {
        let trustees = self.trustees.iter().flatten().zip(1..);
        let trustees = trustees.map(|(trustee, index)| (format!("trustee {index}"), trustee.id()));
        std::iter::once(("operator".to_owned(), self.operator.id()))
            .chain(trustees)
            .collect()
    }

    /// How many rows a table of the register has.
    pub(crate) fn count(&self, table: &str) -> i64 {
        count_rows(&self.path("state/register.sqlite"), table)
    }

    /// How many rows a table of codes, tokens or nonces has.
    pub(crate) fn count_sessions(&self, table: &str) -> i64 {
        count_rows(&self.path("state/sessions.sqlite"), table)
    }

    /// Moves the end of every row of a table of codes, tokens or nonces into the past. It stands
    /// for waiting: the operator's clock goes on as before.
    pub(crate) fn expire(&self, table: &str) {
        let db = rusqlite::Connection::open(self.path("state/sessions.sqlite")).unwrap();
        db.busy_timeout(PATIENCE).unwrap();
        let changed = db.execute(&format!("UPDATE {table} SET expires = 1"), []);
        assert_ne!(changed.unwrap(), 0);
    }
}

fn count_rows(file: &Path, table: &str) -> i64 {
    let db = rusqlite::Connection::open(file).unwrap();
    db.busy_timeout(PATIENCE).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    db.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn new_client(root: &Path) -> HttpsClient {
    let config = ClientConfig {
        ca_file: Some(root.join("ca/ca.pem")),
        timeout_secs: 30,
    };
    HttpsClient::new(&config).unwrap()
}

/// Polls until `condition` gives something.
pub(crate) async fn wait_for<T, F: AsyncFnMut() -> Option<T>>(what: &str, mut condition: F) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn make_keys(root: &Path) {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let group = text(&root.join("group"));
    run_bauta(&[
        "trustee",
        "deal",
        "--out",
        &group,
        "--threshold",
        "2",
        "--trustees",
        "3",
    ]);
    let origin = "https://operator.localhost:0";
    run_bauta(&[
        "operator",
        "init",
        "--out",
        &text(&root.join("keys")),
        "--origin",
        origin,
    ]);
    let officer = text(&root.join("officer.key"));
    let printed = run_bauta(&["officer", "keygen", "--id", "desk-1", "--out", &officer]);
    fs::write(root.join("officer.json"), printed).unwrap();
    for name in ["operator", "trustee-1", "trustee-2", "trustee-3"] {
        let (certificate, key) = (
            root.join(format!("{name}.pem")),
            root.join(format!("{name}.tls")),
        );
        let output = bauta()
            .args(["tls", "leaf", "--ca", &text(&root.join("ca"))])
            .args(["--name", &format!("{name}.localhost")])
            .args(["--certificate", &text(&certificate), "--key", &text(&key)])
            .output()
            .unwrap();
        assert!(output.status.success());
    }
}

fn trustee_config(root: &Path, index: usize) -> PathBuf {
    root.join(format!("trustee-{index}.toml"))
}

fn write_trustee_config(root: &Path, index: usize, listen: &str, terms: Terms) {
    let attester = read_json(&root.join("keys/attester.json"));
    let text = format!(
        "state_folder = 'trustee-{index}'\n\
         share_file = 'group/trustee-{index}/share.key'\n\
         group_file = 'group/group.json'\n\
         evaluations_per_minute = {}\n\
         [server]\n\
         listen = '{listen}'\n\
         certificate_file = 'trustee-{index}.pem'\n\
         private_key_file = 'trustee-{index}.tls'\n\
         request_timeout_secs = {}\n\
         [attester]\n\
         name = {}\n\
         key = {}\n",
        terms.evaluations_per_minute,
        terms.request_timeout_secs,
        attester["name"],
        inline(&attester["key"]),
    );
    fs::write(trustee_config(root, index), text).unwrap();
}

fn write_operator_config(root: &Path, trustee_ports: &[u16], terms: Terms) -> PathBuf {
    let officer = read_json(&root.join("officer.json"));
    let members: String = trustee_ports
        .iter()
        .zip(1..)
        .map(|(port, index)| {
            format!(
                "[[trustees.members]]\nindex = {index}\n\
                 origin = 'https://trustee-{index}.localhost:{port}'\n"
            )
        })
        .collect();
    let text = format!(
        "origin = 'https://operator.localhost:0'\n\
         state_folder = 'state'\n\
         key_file = 'keys/operator.key'\n\
         tag_key_file = 'keys/tag.key'\n\
         trust_folder = 'csca'\n\
         [server]\n\
         listen = '127.0.0.1:0'\n\
         certificate_file = 'operator.pem'\n\
         private_key_file = 'operator.tls'\n\
         request_timeout_secs = {}\n\
         [client]\n\
         ca_file = 'ca/ca.pem'\n\
         [enrolment]\n\
         session_secs = {}\n\
         sessions_max = {}\n\
         nonces_max = {}\n\
         [[officers]]\n\
         id = {}\n\
         key = {}\n\
         [trustees]\n\
         group_file = 'group/group.json'\n\
         attester = 'enrolment'\n\
         attester_key_file = 'keys/attester.key'\n\
         {members}",
        terms.request_timeout_secs,
        terms.session_secs,
        terms.sessions_max,
        terms.nonces_max,
        officer["id"],
        inline(&officer["key"]),
    );
    let path = root.join("operator.toml");
    fs::write(&path, text).unwrap();
    fs::write(
        root.join("ports"),
        serde_json::to_vec(trustee_ports).unwrap(),
    )
    .unwrap();
    path
}

/// An operator's section about faces, of which `more` are further fields. The scores of its evaluation
/// are made up: two people score below 0.55.
pub(crate) fn face_section(root: &Path, networks: &Path, more: &str) -> String {
    let scores: Vec<f64> = (0..1000).map(|n| 0.55 * f64::from(n) / 1000.0).collect();
    let evaluation = serde_json::json!({
        "networks": Models::name(), "images": 100, "not_acquired": 0,
        "genuine": [0.8], "impostor": scores,
    });
    fs::write(root.join("evaluation.json"), evaluation.to_string()).unwrap();
    format!(
        "[face]\nnetworks = '{}'\nevaluation_file = 'evaluation.json'\n{more}\n",
        networks.display()
    )
}

fn operator_trustee_port(root: &Path, index: usize) -> u16 {
    let ports: Vec<u16> = serde_json::from_slice(&fs::read(root.join("ports")).unwrap()).unwrap();
    ports[index - 1]
}

pub(crate) fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A flat JSON object of strings as a TOML inline table.
fn inline(object: &Value) -> String {
    let pairs = object.as_object().unwrap().iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}
