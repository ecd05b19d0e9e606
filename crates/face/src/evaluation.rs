//! How often the comparison errs, as far as data show: the rates of ISO/IEC 19795-1.

mod det;
mod people;

use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::models::Models;

/// The scores of many comparisons; nothing of the faces is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The networks that made the scores, see [`Models::name`].
    networks: String,
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

/// Why octets are no evaluation of these networks.
#[derive(Debug, Error)]
pub enum NotAnEvaluation {
    /// They have another form.
    #[error("not an evaluation as `bauta face evaluate --json` writes it")]
    Form,
    /// Other networks give other scores.
    #[error("an evaluation of other networks; run `bauta face evaluate` again")]
    OtherNetworks,
}

/// How often two people may be taken for one: above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct FalseMatchRate(f64);

/// A number is no rate of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a rate is a number above 0 and below 1 such as 0.001")]
pub struct NotARate;

impl TryFrom<f64> for FalseMatchRate {
    type Error = NotARate;

    fn try_from(rate: f64) -> Result<FalseMatchRate, NotARate> {
        if rate > 0.0 && rate < 1.0 {
            Ok(FalseMatchRate(rate))
        } else {
            Err(NotARate)
        }
    }
}

impl FromStr for FalseMatchRate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<FalseMatchRate, NotARate> {
        text.parse::<f64>().map_err(|_| NotARate)?.try_into()
    }
}

impl FalseMatchRate {
    /// As a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Rate {
    /// `errors` of `of`; of more than those, all.
    #[must_use]
    pub fn new(errors: usize, of: usize) -> Rate {
        let errors = errors.min(of);
        // The lower bound of what errs is the upper one of what does not.
        let low = 1.0 - upper_bound(of - errors, of);
        let high = upper_bound(errors, of);
        Rate {
            errors,
            of,
            low,
            high,
        }
    }

    /// The rate that was seen, 0 to 1; `None` where nothing was compared.
    #[must_use]
    pub fn seen(&self) -> Option<f64> {
        (self.of > 0).then(|| self.errors as f64 / self.of as f64)
    }
}

/// The probability with which at most `some` of `of` are as rare as a tail.
fn upper_bound(some: usize, of: usize) -> f64 {
    if some == of {
        return 1.0;
    }
    let log_ways = log_factorial(of) - log_factorial(some) - log_factorial(of - some);
    let (mut low, mut high) = (some as f64 / of as f64, 1.0);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if at_most((some, of), log_ways, middle) > TAIL {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The probability of at most `some` of `of`, where each is with probability `p`, which is not less
/// than `some` of `of`: what is summed falls from `some` on, and ends where it adds nothing, since
/// there may be millions.
fn at_most((some, of): (usize, usize), log_ways: f64, p: f64) -> f64 {
    let log_term = log_ways + some as f64 * p.ln() + (of - some) as f64 * (1.0 - p).ln();
    let mut term = log_term.exp();
    let mut sum = 0.0;
    for k in (0..=some).rev() {
        sum += term;
        if term <= sum * f64::EPSILON {
            break;
        }
        term *= k as f64 / (of - k + 1) as f64 * (1.0 - p) / p;
    }
    sum
}

/// Source: Stirling's series, DLMF 5.11.1, whose next term is below 10^-9.
fn log_factorial(of: usize) -> f64 {
    if of < 16 {
        return (1..=of).map(|k| (k as f64).ln()).sum();
    }
    let n = of as f64;
    let rest = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3));
    n * n.ln() - n + (core::f64::consts::TAU * n).sqrt().ln() + rest
}

impl Evaluation {
    /// Reads what `bauta face evaluate --json` has written.
    ///
    /// # Errors
    ///
    /// [`NotAnEvaluation`].
    pub fn parse(json: &[u8]) -> Result<Evaluation, NotAnEvaluation> {
        let read: Result<Evaluation, _> = serde_json::from_slice(json);
        let evaluation = read.map_err(|_| NotAnEvaluation::Form)?;
        let mut scores = evaluation.genuine.iter().chain(&evaluation.impostor);
        if !scores.all(|score| score.is_finite()) || evaluation.not_acquired > evaluation.images {
            Err(NotAnEvaluation::Form)
        } else if evaluation.networks != Models::name() {
            Err(NotAnEvaluation::OtherNetworks)
        } else {
            Ok(evaluation)
        }
    }

    /// Nothing was compared yet.
    #[must_use]
    pub fn empty() -> Evaluation {
        Evaluation {
            networks: Models::name(),
            images: 0,
            not_acquired: 0,
            genuine: Vec::new(),
            impostor: Vec::new(),
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
    pub fn threshold(&self, rate: FalseMatchRate) -> Option<f32> {
        let mut scores = self.impostor.clone();
        scores.sort_by(|a, b| b.total_cmp(a));
        // The more errors, the higher the bound: how many are allowed is found by halving.
        let (mut allowed, mut refused) = (0, scores.len());
        while allowed < refused {
            let errors = usize::midpoint(allowed, refused);
            if Rate::new(errors, scores.len()).high <= rate.get() {
                allowed = errors + 1;
            } else {
                refused = errors;
            }
        }
        let errors = allowed.checked_sub(1)?;
        // With so many errors allowed, the next score below is the first that is not a match.
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
const BISECTIONS: usize = 50;

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
        assert_eq!(Rate::new(0, 0).seen(), None);
        assert_eq!(Rate::new(1, 4).seen(), Some(0.25));
    }

    #[test]
    fn bounds_of_millions_are_those_of_the_normal_distribution() {
        for (errors, of) in [(40_000, 4_000_000), (2_000_000, 4_000_000)] {
            let rate = Rate::new(errors, of);
            let seen = rate.seen().unwrap();
            let deviation = (seen * (1.0 - seen) / of as f64).sqrt();
            for bound in [rate.low, rate.high] {
                let apart = (bound - seen).abs() / deviation;
                assert!((apart - 1.96).abs() < 0.02, "{rate:?}");
            }
        }
    }

    #[test]
    fn a_threshold_is_given_only_where_the_data_show_the_rate() {
        let evaluation = Evaluation {
            images: 100,
            not_acquired: 1,
            genuine: vec![0.7, 0.8],
            impostor: (0..1000).map(|n| n as f32 / 2000.0).collect(),
            ..Evaluation::empty()
        };
        let threshold = |rate| evaluation.threshold(FalseMatchRate(rate));
        assert_eq!(threshold(0.001), None);
        let strict = threshold(0.004).unwrap();
        assert_eq!(evaluation.false_match(strict).errors, 0);
        let lax = threshold(0.05).unwrap();
        let found = evaluation.false_match(lax);
        assert!(
            found.high <= 0.05 && found.errors > 20 && lax < strict,
            "{found:?}"
        );
        assert_eq!(evaluation.false_non_match(0.75).errors, 1);
    }

    #[test]
    fn what_is_no_evaluation_is_refused() {
        let with = |networks: &str, members: &str| {
            let json = format!(r#"{{"networks":"{networks}","images":2,{members}}}"#);
            Evaluation::parse(json.as_bytes())
        };
        let ours = Models::name();
        let good = r#""not_acquired":0,"genuine":[0.5],"impostor":[]"#;
        let read = with(&ours, good).unwrap();
        assert_eq!(read.threshold(FalseMatchRate(0.5)), None);
        for bad in [
            r#""not_acquired":3,"genuine":[],"impostor":[]"#,
            r#""not_acquired":0,"genuine":[1e99],"impostor":[]"#,
            r#""not_acquired":0,"genuine":[],"impostor":[],"more":1"#,
        ] {
            assert!(matches!(with(&ours, bad), Err(NotAnEvaluation::Form)));
        }
        let other = with(&ours.replace('0', "1"), good);
        assert!(matches!(other, Err(NotAnEvaluation::OtherNetworks)));
    }

    #[test]
    fn nothing_but_a_part_of_all_is_a_rate() {
        assert_eq!("0.001".parse(), Ok(FalseMatchRate(0.001)));
        for text in ["0", "1", "5", "-0.1", "NaN", "inf", "", "0.1 %"] {
            assert_eq!(text.parse::<FalseMatchRate>(), Err(NotARate), "{text}");
        }
        assert!(serde_json::from_str::<FalseMatchRate>("1.0").is_err());
    }
}
