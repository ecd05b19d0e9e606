//! What is measured: a case, done by somebody.

use std::hint::black_box;
use std::time::Instant;

/// Who does it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A part that no implementation can leave out.
    Floor,
    Ours,
    Zkryptium,
    BbsPlus,
}

impl By {
    pub fn name(self) -> &'static str {
        match self {
            By::Floor => "floor",
            By::Ours => "bbs",
            By::Zkryptium => "zkryptium",
            By::BbsPlus => "bbs_plus",
        }
    }
}

pub struct Operation {
    pub case: &'static str,
    pub by: By,
    /// Which of several ways to do it; the fastest counts.
    pub way: &'static str,
    /// Does it once and says whether it was right, which is no part of the time.
    run: Box<dyn FnMut() -> (f64, bool)>,
}

impl Operation {
    /// `work`, whose first result has to pass `holds`.
    pub fn new<T: 'static>(
        (case, by): (&'static str, By),
        mut work: impl FnMut() -> T + 'static,
        holds: impl Fn(&T) -> bool + 'static,
    ) -> Operation {
        assert!(holds(&work()), "{case} by {}", by.name());
        Operation {
            case,
            by,
            way: "",
            run: Box::new(move || (timed(&mut work).0, true)),
        }
    }

    /// A verification, which has to hold each time.
    pub fn verifying(
        (case, by): (&'static str, By),
        mut verify: impl FnMut() -> bool + 'static,
    ) -> Operation {
        assert!(verify(), "{case} by {}", by.name());
        Operation {
            case,
            by,
            way: "",
            run: Box::new(move || timed(&mut verify)),
        }
    }

    /// Making something and verifying one that was made.
    pub fn pair<P: 'static>(
        [making, verifying]: [&'static str; 2],
        by: By,
        mut make: impl FnMut() -> P + 'static,
        verify: impl Fn(&P) -> bool + Clone + 'static,
    ) -> [Operation; 2] {
        let made = make();
        let again = verify.clone();
        [
            Operation::new((making, by), make, again),
            Operation::verifying((verifying, by), move || verify(black_box(&made))),
        ]
    }

    pub fn by_way(self, way: &'static str) -> Operation {
        Operation { way, ..self }
    }
}

/// Milliseconds, and the result.
fn timed<T>(work: &mut impl FnMut() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = black_box(work());
    (start.elapsed().as_secs_f64() * 1e3, result)
}

/// An operation with its times.
pub struct Measured {
    pub case: &'static str,
    pub by: By,
    pub way: &'static str,
    /// Milliseconds of each round.
    pub times: Vec<f64>,
}

impl Measured {
    pub fn ms(&self) -> f64 {
        median(self.times.clone())
    }

    /// The median of the rounds' ratios, so that a slow part of the run moves it little.
    pub fn over(&self, other: &Measured) -> f64 {
        let rounds = self.times.iter().zip(&other.times);
        median(rounds.map(|(one, other)| one / other).collect())
    }
}

/// Every operation once in each round, so that a change of the machine's speed meets all alike.
pub fn measure(operations: Vec<Operation>, rounds: usize) -> Vec<Measured> {
    let mut operations: Vec<_> = operations.into_iter().map(|o| (o, Vec::new())).collect();
    for _ in 0..rounds {
        for (operation, times) in &mut operations {
            let (ms, right) = (operation.run)();
            assert!(right, "{} by {}", operation.case, operation.by.name());
            times.push(ms);
        }
    }
    let measured = |(operation, times): (Operation, Vec<f64>)| Measured {
        case: operation.case,
        by: operation.by,
        way: operation.way,
        times,
    };
    operations.into_iter().map(measured).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a case by bbs_plus")]
    fn nothing_is_measured_whose_first_result_is_wrong() {
        Operation::pair(["a case", ""], By::BbsPlus, || 1, |made| *made == 2);
    }

    #[test]
    #[should_panic(expected = "a case by bbs")]
    fn a_verification_that_fails_later_ends_the_measurement() {
        let mut holding = [true, true, false].into_iter();
        let verify = move || holding.next().unwrap_or(false);
        measure(vec![Operation::verifying(("a case", By::Ours), verify)], 2);
    }

    #[test]
    fn the_median_is_not_moved_by_one_slow_round() {
        assert!(median(vec![2.0, 900.0, 1.0, 3.0, 2.5]) == 2.5);
    }

    #[test]
    fn a_ratio_is_that_of_the_rounds() {
        let measured = |times: [f64; 3]| Measured {
            case: "a case",
            by: By::Ours,
            way: "",
            times: times.to_vec(),
        };
        assert!(measured([2.0, 20.0, 4.0]).over(&measured([1.0, 10.0, 2.0])) == 2.0);
    }
}
