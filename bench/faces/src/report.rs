//! What was measured, as a table or for machines.

use serde_json::{Value, json};

use crate::NETWORKS;

/// Medians of all rounds.
pub struct Report {
    pub rounds: usize,
    pub frames: usize,
    pub size: (u16, u16),
    pub document_ms: f64,
    /// Of all frames and the portrait.
    pub decoding_ms: f64,
    pub engines: Vec<Measured>,
}

/// Of one engine.
pub struct Measured {
    pub name: &'static str,
    pub loaded_kib: i64,
    pub used_kib: i64,
    pub counted: [usize; NETWORKS.len()],
    pub networks_ms: [f64; NETWORKS.len()],
    pub evidence_ms: f64,
    pub with_decoding_ms: f64,
}

impl Measured {
    fn together(&self) -> impl Iterator<Item = (&'static str, usize, f64, f64)> {
        let runs = NETWORKS.into_iter().zip(self.counted).zip(self.networks_ms);
        runs.map(|((name, runs), ms)| (name, runs, ms, runs as f64 * ms))
    }

    fn sum_ms(&self) -> f64 {
        self.together().map(|(.., ms)| ms).sum()
    }

    fn ratio(&self) -> f64 {
        self.evidence_ms / self.sum_ms()
    }
}

impl Report {
    pub fn print(&self) {
        let (width, height) = self.size;
        println!(
            "{} frames of {width} by {height} pixels, medians of {} rounds",
            self.frames, self.rounds
        );
        for engine in &self.engines {
            println!(
                "\n| {} | runs | ms each | ms |\n|---|---|---|---|",
                engine.name
            );
            for (name, runs, each, ms) in engine.together() {
                println!("| {name} | {runs} | {each:.2} | {ms:.1} |");
            }
            println!("| networks together | | | {:.1} |", engine.sum_ms());
            println!(
                "| evidence of the face, frames decoded | | | {:.1} |",
                engine.evidence_ms
            );
            println!(
                "| the same with decoding | | | {:.1} |",
                engine.with_decoding_ms
            );
            println!(
                "\nevidence / networks: {:.3} (at most 1.3 is wanted)",
                engine.ratio()
            );
            println!(
                "memory: {:.0} MB once loaded (at most 150 is wanted), {:.0} MB more once used",
                megabytes(engine.loaded_kib),
                megabytes(engine.used_kib),
            );
        }
        println!(
            "\ndecoding all frames and the portrait: {:.1} ms\npassive authentication of the \
             document: {:.2} ms",
            self.decoding_ms, self.document_ms
        );
    }

    pub fn json(&self) -> Value {
        let engines = self.engines.iter().map(|engine| {
            let networks = engine.together().map(|(name, runs, each, ms)| {
                json!({ "name": name, "runs": runs, "each_ms": each, "together_ms": ms })
            });
            json!({
                "name": engine.name,
                "networks": networks.collect::<Vec<_>>(),
                "networks_ms": engine.sum_ms(),
                "evidence_ms": engine.evidence_ms,
                "evidence_with_decoding_ms": engine.with_decoding_ms,
                "ratio": engine.ratio(),
                "loaded_kib": engine.loaded_kib,
                "used_kib": engine.used_kib,
            })
        });
        json!({
            "rounds": self.rounds,
            "frames": self.frames,
            "decoding_ms": self.decoding_ms,
            "document_ms": self.document_ms,
            "engines": engines.collect::<Vec<_>>(),
        })
    }
}

fn megabytes(kib: i64) -> f64 {
    kib as f64 * 1_024.0 / 1e6
}
