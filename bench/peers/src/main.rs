//! This project's crate, its peers and the floor in one process: every operation once in each round,
//! medians.
//!
//! `bbs-peers WASM.json [--quick] [--json]`, the file being what `bench/wasm/run.mjs` printed. Without an
//! option it prints tables and writes them to `docs/benchmarks.md`; `--quick` does fewer rounds and
//! writes nothing, `--json` prints the report for machines and writes nothing.

mod bbs_plus;
mod cases;
mod floor;
mod json;
mod machine;
mod operation;
mod ours;
mod report;
mod section;
mod table;
mod wasm;
mod zkryptium;

use machine::Machine;
use report::Report;
use wasm::Wasm;

const ROUNDS: usize = 201;
const QUICK_ROUNDS: usize = 21;
const DOCUMENT: &str = "docs/benchmarks.md";

fn main() -> std::io::Result<()> {
    let options: Vec<_> = std::env::args().skip(1).collect();
    let has = |option: &str| options.iter().any(|given| given == option);
    let (quick, json) = (has("--quick"), has("--json"));
    let wasm = options.iter().find(|given| !given.starts_with("--"));
    let wasm = Wasm::read(wasm.expect("the file of wasm's times"))?;
    let report = run(if quick { QUICK_ROUNDS } else { ROUNDS }, wasm);
    if json {
        println!("{:#}", json::json(&report));
        return Ok(());
    }
    let section = table::section(&report);
    println!("{section}");
    if !quick {
        let text = std::fs::read_to_string(DOCUMENT)?;
        std::fs::write(DOCUMENT, section::with_section(&text, &section))?;
    }
    Ok(())
}

fn run(rounds: usize, wasm: Wasm) -> Report {
    let mut operations = floor::operations();
    operations.extend(ours::operations());
    operations.extend(zkryptium::operations());
    operations.extend(bbs_plus::operations());
    Report {
        machine: Machine::this(),
        rounds,
        measured: operation::measure(operations, rounds),
        wasm,
    }
}
