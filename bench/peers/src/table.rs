//! The report as tables.

use crate::cases::{ALL, FLOOR, OURS_ALONE};
use crate::operation::By;
use crate::report::{Report, Wanted};

pub fn section(report: &Report) -> String {
    let blocks = [
        heading(report),
        cases(report),
        wasm(report),
        floor(report),
        targets(report),
    ];
    blocks.join("\n")
}

fn heading(report: &Report) -> String {
    format!(
        "## Signatures and proofs beside other crates

`./bench/bbs`, one process on one core, medians of {} interleaved rounds; {}.

Verifications begin with the octets of a proof. Messages are octets for bbs and zkryptium and hashed in
each call, scalars for bbs_plus; slots are scalars for bbs. zkryptium makes its generators in every
call, as its interface has it. bbs_plus has its parameters and keys prepared, has BBS and BBS+, of which
the faster counts, and multiplies secrets in variable time. Where N is not 10, bbs proves the same
slots by its general interface. A product is one of two pairings with precomputed lines as blst has it,
with a loop for each; bbs has one for both. The best of three ways to sum products is in the floor. Ratios
are medians of the rounds' ratios.
",
        report.rounds,
        report.machine.line()
    )
}

fn cases(report: &Report) -> String {
    let mut out = String::from(
        "| case | bbs: ms | products | zkryptium: ms | times bbs | bbs_plus: ms | times bbs |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for case in ALL.into_iter().chain(OURS_ALONE) {
        let cells = [
            report.ms(case, By::Ours),
            report.products(case),
            report.ms(case, By::Zkryptium),
            report.times(case, By::Zkryptium),
            report.ms(case, By::BbsPlus),
            report.times(case, By::BbsPlus),
        ];
        let cells = cells.map(|cell| cell.map_or(String::new(), |value| format!("{value:.2}")));
        out += &format!("| {case} | {} |\n", cells.join(" | "));
    }
    out
}

fn wasm(report: &Report) -> String {
    let wasm = &report.wasm;
    let mut out = format!(
        "| prove in wasm under Node {} | ms | times outside wasm | octets |\n|---|---|---|---|\n",
        wasm.node
    );
    for proof in &wasm.proofs {
        let native = proof.native().and_then(|case| report.ms(case, By::Ours));
        let times = native.map_or(String::new(), |native| format!("{:.1}", proof.ms / native));
        let name = proof.name.replace('_', " ");
        out += &format!(
            "| {name} | {:.1} | {times} | {} |\n",
            proof.ms, proof.octets
        );
    }
    out += &format!(
        "\nThese are measured in a process of Node's on the same core, medians of {} rounds; blst has no assembly
there, as in a browser. Generators and one certificate take {:.0} ms once.\n",
        wasm.rounds, wasm.once_ms
    );
    out
}

fn floor(report: &Report) -> String {
    let mut out = String::from("| floor | ms | products |\n|---|---|---|\n");
    let products = |ms: f64| ms / report.ms(FLOOR[0], By::Floor).unwrap_or(f64::NAN);
    for part in FLOOR {
        let ms = report.ms(part, By::Floor).unwrap_or(f64::NAN);
        out += &format!("| {part} | {ms:.2} | {:.2} |\n", products(ms));
    }
    for (case, sums) in report.floors() {
        let ms = report.floor_ms(sums).unwrap_or(f64::NAN);
        let over = report.ms(case, By::Ours).unwrap_or(f64::NAN) / ms;
        out += &format!(
            "| together for: {case} (bbs takes {over:.2} times that) | {ms:.2} | {:.2} |\n",
            products(ms)
        );
    }
    out
}

fn targets(report: &Report) -> String {
    let mut out = String::from("| target | wanted | measured | |\n|---|---|---|---|\n");
    for target in report.targets() {
        let wanted = match target.wanted {
            Wanted::AtMost(most) => format!("at most {most}"),
            Wanted::AtLeast(least) => format!("at least {least}"),
        };
        let ratio = target
            .ratio
            .map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let met = if target.met() == Some(true) {
            "met"
        } else {
            "not met"
        };
        out += &format!("| {} | {wanted} | {ratio} | {met} |\n", target.name);
    }
    out
}
