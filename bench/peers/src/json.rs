//! The report for machines.

use serde_json::{Value, json};

use crate::report::{Report, Wanted};

pub fn json(report: &Report) -> Value {
    let machine = &report.machine;
    let crates = machine.crates.iter();
    let crates: serde_json::Map<_, _> = crates
        .map(|(name, version)| ((*name).to_owned(), version.clone().into()))
        .collect();
    let measured = report
        .measured
        .iter()
        .map(|m| json!({ "case": m.case, "by": m.by.name(), "way": m.way, "ms": m.ms() }));
    let targets = report.targets().into_iter().map(|target| {
        let (bound, ratio) = match target.wanted {
            Wanted::AtMost(most) => ("at_most", most),
            Wanted::AtLeast(least) => ("at_least", least),
        };
        json!({ "name": target.name, bound: ratio, "ratio": target.ratio, "met": target.met() })
    });
    json!({
        "processor": machine.processor,
        "rust": machine.rust,
        "crates": crates,
        "rounds": report.rounds,
        "measured": measured.collect::<Vec<_>>(),
        "wasm": report.wasm,
        "targets": targets.collect::<Vec<_>>(),
    })
}
