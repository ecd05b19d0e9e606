//! How often the comparison errs, as far as data show: the rates of ISO/IEC 19795-1.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The scores of many comparisons; nothing of the faces is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// How many images there were.
    pub images: usize,
    /// Of how many of them no face could be taken.
    pub not_acquired: usize,
    /// The common score of each two images of one person.
    pub genuine: Vec<f32>,
    /// The common score of each two images of two people.
    pub impostor: Vec<f32>,
}

/// How many of how many, with the bounds of 95 % after Clopper and Pearson.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// How many erred.
    pub errors: usize,
    /// Of how many.
    pub of: usize,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// The octets are no evaluation.
#[derive(Debug, Error)]
#[error("not an evaluation as `bauta face evaluate --json` writes it")]
pub struct NotAnEvaluation;

impl Rate {
    /// `errors` of `of`.
    #[must_use]
    pub fn new(errors: usize, of: usize) -> Rate {
        let low = match errors {
            0 => 0.0,
            errors => bound(|p| 1.0 - at_most(errors - 1, of, p) < TAIL),
        };
        let high = if errors >= of {
            1.0
        } else {
            bound(|p| at_most(errors, of, p) > TAIL)
        };
        Rate {
            errors,
            of,
            low,
            high,
        }
    }
}

/// The largest probability for which `holds`, which is so for all smaller ones.
fn bound(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

/// The probability of at most `errors` of `of`, where each errs with probability `p`.
fn at_most(errors: usize, of: usize, p: f64) -> f64 {
    let mut log_term = of as f64 * (1.0 - p).ln();
    let mut sum = log_term.exp();
    for k in 0..errors {
        log_term += ((of - k) as f64 / (k + 1) as f64 * p / (1.0 - p)).ln();
        sum += log_term.exp();
    }
    sum
}

impl Evaluation {
    /// Reads what `bauta face evaluate --json` has written.
    ///
    /// # Errors
    ///
    /// [`NotAnEvaluation`].
    pub fn parse(json: &[u8]) -> Result<Evaluation, NotAnEvaluation> {
        let evaluation: Evaluation = serde_json::from_slice(json).map_err(|_| NotAnEvaluation)?;
        let mut scores = evaluation.genuine.iter().chain(&evaluation.impostor);
        if scores.all(|score| score.is_finite()) && evaluation.not_acquired <= evaluation.images {
            Ok(evaluation)
        } else {
            Err(NotAnEvaluation)
        }
    }

    /// How many images no face could be taken from.
    #[must_use]
    pub fn failure_to_acquire(&self) -> Rate {
        Rate::new(self.not_acquired, self.images)
    }

    /// How often two people score at least `threshold`.
    #[must_use]
    pub fn false_match(&self, threshold: f32) -> Rate {
        let errors = self.impostor.iter().filter(|score| **score >= threshold);
        Rate::new(errors.count(), self.impostor.len())
    }

    /// How often one person scores less than `threshold`.
    #[must_use]
    pub fn false_non_match(&self, threshold: f32) -> Rate {
        let errors = self.genuine.iter().filter(|score| **score < threshold);
        Rate::new(errors.count(), self.genuine.len())
    }

    /// The lowest threshold at which two people are taken for one at most as often as `rate`, with 95 %
    /// confidence; `None` where the data do not show that for any.
    #[must_use]
    pub fn threshold(&self, rate: f64) -> Option<f32> {
        let mut scores = self.impostor.clone();
        scores.sort_by(|a, b| b.total_cmp(a));
        let most =
            (0..scores.len()).take_while(|errors| Rate::new(*errors, scores.len()).high <= rate);
        // With so many errors allowed, the next score below is the first that is not a match.
        let errors = most.last()?;
        scores.get(errors).map(|score| score.next_up())
    }

    /// The lowest rate that so many comparisons could show.
    #[must_use]
    pub fn lowest_rate(&self) -> f64 {
        Rate::new(0, self.impostor.len()).high
    }
}

/// Outside of the bounds at each end.
const TAIL: f64 = 0.025;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_tables() {
        // 3/n of the rule of three is one-sided; two-sided 0 of 100 is 0.0362.
        let none = Rate::new(0, 100);
        assert!(
            none.low == 0.0 && (none.high - 0.036_217).abs() < 1e-5,
            "{none:?}"
        );
        let some = Rate::new(5, 100);
        assert!((some.low - 0.016_432).abs() < 1e-5 && (some.high - 0.112_835).abs() < 1e-5);
        let all = Rate::new(10, 10);
        assert!(
            (all.low - 0.691_503).abs() < 1e-5 && all.high == 1.0,
            "{all:?}"
        );
        assert_eq!(Rate::new(0, 0).high, 1.0);
    }

    #[test]
    fn a_threshold_is_given_only_where_the_data_show_the_rate() {
        let evaluation = Evaluation {
            images: 100,
            not_acquired: 1,
            genuine: vec![0.7, 0.8],
            impostor: (0..1000).map(|n| n as f32 / 2000.0).collect(),
        };
        assert_eq!(evaluation.threshold(0.001), None);
        let strict = evaluation.threshold(0.004).unwrap();
        assert_eq!(evaluation.false_match(strict).errors, 0);
        let lax = evaluation.threshold(0.05).unwrap();
        let found = evaluation.false_match(lax);
        assert!(
            found.high <= 0.05 && found.errors > 20 && lax < strict,
            "{found:?}"
        );
        assert_eq!(evaluation.false_non_match(0.75).errors, 1);
    }

    #[test]
    fn what_is_no_evaluation_is_refused() {
        let good = br#"{"images":2,"not_acquired":0,"genuine":[0.5],"impostor":[]}"#;
        assert!(Evaluation::parse(good).unwrap().threshold(0.5).is_none());
        for bad in [
            &b""[..],
            br#"{"images":2,"not_acquired":3,"genuine":[],"impostor":[]}"#,
            br#"{"images":2,"not_acquired":0,"genuine":[1e99],"impostor":[]}"#,
            br#"{"images":2,"not_acquired":0,"genuine":[],"impostor":[],"more":1}"#,
        ] {
            assert!(Evaluation::parse(bad).is_err());
        }
    }
}
