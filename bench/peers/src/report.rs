//! Ratios of what was measured, and what is wanted of them.

use crate::cases::{
    ALL, BATCHES, MSM_NYM, MSM_PLAIN, NYM, PAIRINGS, POINTS, RENEWAL, SIGN_IN, TWO,
};
use crate::machine::Machine;
use crate::operation::{By, Measured};
use crate::wasm::Wasm;

pub struct Report {
    pub machine: Machine,
    pub rounds: usize,
    pub measured: Vec<Measured>,
    pub wasm: Wasm,
}

pub struct Target {
    pub name: String,
    pub wanted: Wanted,
    /// Nothing where it is not built yet.
    pub ratio: Option<f64>,
}

#[derive(Clone, Copy)]
pub enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub fn met(&self) -> Option<bool> {
        let ratio = self.ratio?;
        Some(match self.wanted {
            Wanted::AtMost(most) => ratio <= most,
            Wanted::AtLeast(least) => ratio >= least,
        })
    }
}

impl Report {
    /// The median, of the fastest way that was measured.
    pub fn ms(&self, case: &str, by: By) -> Option<f64> {
        self.fastest(case, by).map(Measured::ms)
    }

    fn fastest(&self, case: &str, by: By) -> Option<&Measured> {
        let same = |m: &&Measured| m.case == case && m.by == by;
        let ways = self.measured.iter().filter(same);
        ways.min_by(|a, b| a.ms().total_cmp(&b.ms()))
    }

    /// How many products of two pairings this crate could have computed instead.
    pub fn products(&self, case: &str) -> Option<f64> {
        let ours = self.fastest(case, By::Ours)?;
        Some(ours.over(self.fastest(PAIRINGS, By::Floor)?))
    }

    /// How many times as long as this crate `peer` takes.
    pub fn times(&self, case: &str, peer: By) -> Option<f64> {
        let ours = self.fastest(case, By::Ours)?;
        Some(self.fastest(case, peer)?.over(ours))
    }

    /// All that a verification needs at least, with these sums.
    pub fn floor_ms(&self, sums: &str) -> Option<f64> {
        let parts = [PAIRINGS, POINTS, sums];
        parts.into_iter().map(|part| self.ms(part, By::Floor)).sum()
    }

    /// Verifications with their floors.
    pub fn floors(&self) -> [(&'static str, &'static str); 2] {
        [(TWO[1], MSM_PLAIN), (NYM[1].1[1], MSM_NYM)]
    }

    pub fn targets(&self) -> Vec<Target> {
        let products = |case: &'static str, most| Target {
            name: format!("{case}, in products of two pairings"),
            wanted: Wanted::AtMost(most),
            ratio: self.products(case),
        };
        vec![
            products(TWO[1], 1.75),
            products(TWO[0], 1.6),
            products(NYM[1].1[1], 2.6),
            products(SIGN_IN[1], 0.4),
            Target {
                name: "batch of 64, each in single verifications".to_owned(),
                wanted: Wanted::AtMost(0.6),
                ratio: self.batch_of_64(),
            },
            products(RENEWAL[1], 6.0),
            self.faster_than(By::Zkryptium, 8.0),
            self.faster_than(By::BbsPlus, 1.8),
        ]
    }

    /// A proof of it, by itself verified ones.
    fn batch_of_64(&self) -> Option<f64> {
        let [_, (count, batch), _] = BATCHES;
        let single = self.fastest(TWO[1], By::Ours)?;
        Some(self.fastest(batch, By::Ours)?.over(single) / count as f64)
    }

    /// In the case that is closest.
    fn faster_than(&self, peer: By, least: f64) -> Target {
        let both = ALL
            .iter()
            .filter_map(|case| Some((case, self.times(case, peer)?)));
        let closest = both.min_by(|a, b| a.1.total_cmp(&b.1));
        let case = closest.map_or("no case", |(case, _)| case);
        Target {
            name: format!(
                "times faster than {} everywhere (closest: {case})",
                peer.name()
            ),
            wanted: Wanted::AtLeast(least),
            ratio: closest.map(|(_, times)| times),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::SIGN;

    fn report(measured: &[(&'static str, By, f64)]) -> Report {
        let measured = measured.iter().map(|(case, by, ms)| Measured {
            case,
            by: *by,
            way: "",
            times: vec![*ms],
        });
        Report {
            machine: Machine::this(),
            rounds: 1,
            measured: measured.collect(),
            wasm: Wasm {
                node: String::new(),
                rounds: 1,
                once_ms: 1.0,
                proofs: Vec::new(),
            },
        }
    }

    #[test]
    fn the_fastest_way_and_the_closest_case_count() {
        let report = report(&[
            (SIGN, By::Ours, 2.0),
            (SIGN, By::BbsPlus, 5.0),
            (SIGN, By::BbsPlus, 3.0),
            (TWO[0], By::Ours, 1.0),
            (TWO[0], By::BbsPlus, 9.0),
        ]);
        let target = report.faster_than(By::BbsPlus, 1.8);
        assert_eq!(target.ratio, Some(1.5));
        assert!(target.name.contains(SIGN));
        assert_eq!(target.met(), Some(false));
    }

    #[test]
    fn a_target_whose_case_is_missing_is_neither_met_nor_missed() {
        let report = report(&[(TWO[1], By::Ours, 3.0), (PAIRINGS, By::Floor, 2.0)]);
        let met: Vec<_> = report.targets().iter().map(Target::met).collect();
        assert_eq!(met[..2], [Some(true), None]);
        assert!(met[2..].iter().all(Option::is_none));
    }
}
