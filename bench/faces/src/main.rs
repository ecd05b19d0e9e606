//! What the evidence of one person costs beside the networks that it runs.

mod counted;
mod report;
mod stage;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use face::engine::{Engine, OnnxRuntime, Rten};
use face::{Models, Recognizer};

use counted::{Counted, Runs};
use report::Report;
use stage::Stage;

/// As the server's, which wipes what is freed: that is a part of the cost.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

const ROUNDS: usize = 21;
const ROUNDS_QUICK: usize = 3;

fn main() -> anyhow::Result<()> {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| options.iter().any(|given| given == option);
    let rounds = if has("--quick") { ROUNDS_QUICK } else { ROUNDS };
    let networks = folder("BAUTA_FACE_MODELS")?;
    let mut candidates = vec![Candidate::load(
        "rten",
        &networks,
        Box::new(Rten::new(ONE)),
    )?];
    if let Some(library) = std::env::var_os("BAUTA_ONNXRUNTIME") {
        let runtime = OnnxRuntime::open(Path::new(&library), ONE)?;
        candidates.push(Candidate::load("ort", &networks, Box::new(runtime))?);
    }
    let stage = Stage::new(
        &candidates[0].recognizer,
        &folder("BAUTA_FACE_PHOTOGRAPHS")?,
    )?;
    for candidate in &mut candidates {
        candidate.count(&stage)?;
    }
    let mut document = Vec::new();
    let mut decoding = Vec::new();
    for _ in 0..rounds {
        for candidate in &mut candidates {
            candidate.round(&stage)?;
        }
        document.push(timed(|| stage.authenticate())?);
        decoding.push(timed(|| stage.decode_all())?);
    }
    let report = Report {
        rounds,
        frames: stage.frames(),
        size: stage::SIZE,
        document_ms: median(document),
        decoding_ms: median(decoding),
        engines: candidates.into_iter().map(Candidate::found).collect(),
    };
    if has("--json") {
        println!("{}", report.json());
    } else {
        report.print();
    }
    Ok(())
}

/// An engine with the networks in it, and what was measured of it.
struct Candidate {
    name: &'static str,
    recognizer: Recognizer,
    runs: Runs,
    loaded_kib: i64,
    used_kib: i64,
    counted: [usize; NETWORKS.len()],
    networks_ms: [Vec<f64>; NETWORKS.len()],
    evidence_ms: Vec<f64>,
    with_decoding_ms: Vec<f64>,
}

impl Candidate {
    fn load(
        name: &'static str,
        networks: &Path,
        engine: Box<dyn Engine>,
    ) -> anyhow::Result<Candidate> {
        let before = resident_kib()?;
        let counted = Counted::new(engine);
        let recognizer = Recognizer::new(&counted, &Models::load(networks)?)?;
        Ok(Candidate {
            name,
            recognizer,
            runs: counted.runs(),
            loaded_kib: resident_kib()? - before,
            used_kib: 0,
            counted: Default::default(),
            networks_ms: Default::default(),
            evidence_ms: Vec::new(),
            with_decoding_ms: Vec::new(),
        })
    }

    /// How often each network runs for one person, and what memory the first time takes.
    fn count(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let before = resident_kib()?;
        self.runs.reset();
        stage.examine_encoded(&self.recognizer)?;
        self.counted = self.runs.read();
        self.used_kib = resident_kib()? - before;
        Ok(())
    }

    fn round(&mut self, stage: &Stage) -> anyhow::Result<()> {
        for (network, times) in self.networks_ms.iter_mut().enumerate() {
            times.push(stage.time_network(&self.recognizer, network)?);
        }
        let frames = stage.decoded();
        let recognizer = &self.recognizer;
        self.evidence_ms
            .push(timed(|| stage.examine(recognizer, frames))?);
        self.with_decoding_ms
            .push(timed(|| stage.examine_encoded(recognizer))?);
        Ok(())
    }

    fn found(self) -> report::Measured {
        report::Measured {
            name: self.name,
            loaded_kib: self.loaded_kib,
            used_kib: self.used_kib,
            counted: self.counted,
            networks_ms: self.networks_ms.map(median),
            evidence_ms: median(self.evidence_ms),
            with_decoding_ms: median(self.with_decoding_ms),
        }
    }
}

/// In the order in which they are loaded.
const NETWORKS: [&str; 5] = ["detector", "landmarks", "eyes", "matcher A", "matcher B"];
const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// Milliseconds.
fn timed<T>(run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let result = run()?;
    let time = begun.elapsed().as_secs_f64() * 1e3;
    drop(result);
    Ok(time)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn folder(variable: &str) -> anyhow::Result<PathBuf> {
    match std::env::var_os(variable) {
        Some(folder) if folder != OsString::new() => Ok(folder.into()),
        _ => bail!("{variable} names no folder; ./bench/evidence sets it"),
    }
}

/// What of this process is in memory.
fn resident_kib() -> anyhow::Result<i64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("the system does not say")?.parse()?)
}
