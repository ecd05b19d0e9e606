//! The plot of one error against the other, whose axes are those of the normal deviate: scores that
//! are distributed normally give a straight line there.
//!
//! Source: ISO/IEC 19795-1, detection error trade-off curve.

use core::fmt::Display;

use super::{Evaluation, Rate};

impl Evaluation {
    /// An SVG image of the false non-match rate against the false match rate at every threshold, with
    /// the bounds of 95 % of each, and a point for each of the thresholds in `marked`.
    #[must_use]
    pub fn det_plot(&self, marked: &[f32]) -> String {
        let axes = Axes::of(self);
        let errors = axes.visible(self.trade_off());
        let (genuine, impostor) = (self.genuine.len(), self.impostor.len());
        let compared = format!("Comparisons: {genuine} of one person, {impostor} of two people");
        let middle = LEFT + SIDE / 2.0;
        [
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
                 width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"14\" \
                 text-anchor=\"middle\">\n\
                 <title>Detection error trade-off</title>\n\
                 <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
            ),
            axes.grid(),
            axes.band(&errors),
            axes.curve(&errors),
            axes.marks(self, marked),
            text(
                (middle, 28.0),
                "font-size=\"18\"",
                "Detection error trade-off",
            ),
            text((middle, 50.0), "", compared),
            text((middle, BOTTOM + 46.0), "", "False match rate (%)"),
            text(
                (24.0, TOP + SIDE / 2.0),
                &format!("transform=\"rotate(-90 24 {})\"", TOP + SIDE / 2.0),
                "False non-match rate (%)",
            ),
            text(
                (middle, BOTTOM + 72.0),
                "fill=\"#555\"",
                "Band: 95 % bounds of each rate (Clopper–Pearson); points: thresholds.",
            ),
            text(
                (middle, BOTTOM + 90.0),
                "fill=\"#555\"",
                "What lies beyond an axis is drawn at its end.",
            ),
            "</svg>\n".to_owned(),
        ]
        .concat()
    }

    /// How many comparisons err at each threshold that makes a difference, the lowest first: false
    /// matches, which become fewer, and false non-matches, which become more.
    fn trade_off(&self) -> Vec<Errors> {
        let sorted = |scores: &[f32]| {
            let mut scores = scores.to_vec();
            scores.sort_by(f32::total_cmp);
            scores
        };
        let (genuine, impostor) = (sorted(&self.genuine), sorted(&self.impostor));
        let mut thresholds = [genuine.as_slice(), &impostor, &[f32::INFINITY]].concat();
        thresholds.sort_by(f32::total_cmp);
        thresholds.dedup();
        let below = |scores: &[f32], at: f32| scores.partition_point(|score| *score < at);
        let errors = thresholds.iter().map(|at| Errors {
            matches: impostor.len() - below(&impostor, *at),
            non_matches: below(&genuine, *at),
        });
        if genuine.is_empty() || impostor.is_empty() {
            return Vec::new();
        }
        errors.collect()
    }
}

/// How many comparisons err at one threshold.
#[derive(Clone, Copy)]
struct Errors {
    matches: usize,
    non_matches: usize,
}

/// Both axes are alike, so that where both errors are equal is a diagonal.
struct Axes {
    /// Normal deviate of the lowest rate that is drawn.
    low: f64,
    genuine: usize,
    impostor: usize,
}

impl Axes {
    fn of(evaluation: &Evaluation) -> Axes {
        let (genuine, impostor) = (evaluation.genuine.len(), evaluation.impostor.len());
        let one_of_most = 1.0 / genuine.max(impostor).max(1) as f64;
        let lower = LOWER_TICKS.map(|percent| percent / 100.0);
        let low = lower.into_iter().find(|rate| *rate <= one_of_most);
        Axes {
            low: deviate(low.unwrap_or(LOWEST)),
            genuine,
            impostor,
        }
    }

    /// How far a rate is from the beginning of its axis; at an end where it is beyond.
    fn along(&self, rate: f64) -> f64 {
        let part =
            (deviate(rate.clamp(LOWEST, HIGHEST)) - self.low) / (deviate(HIGHEST) - self.low);
        SIDE * part.clamp(0.0, 1.0)
    }

    fn point(&self, false_match: f64, false_non_match: f64) -> (f64, f64) {
        let (x, y) = (self.along(false_match), self.along(false_non_match));
        (LEFT + x, BOTTOM - y)
    }

    fn seen(&self, errors: Errors) -> (f64, f64) {
        let part = |errors: usize, of: usize| errors as f64 / of as f64;
        self.point(
            part(errors.matches, self.impostor),
            part(errors.non_matches, self.genuine),
        )
    }

    /// Those that are two pixels apart, and the last.
    fn visible(&self, all: Vec<Errors>) -> Vec<Errors> {
        let near = |one: Errors, other: Errors| {
            let ((x, y), (a, b)) = (self.seen(one), self.seen(other));
            (x - a).abs() < 2.0 && (y - b).abs() < 2.0
        };
        let mut visible: Vec<Errors> = Vec::new();
        for next in all {
            if let [.., before, _] = visible.as_slice()
                && near(*before, next)
            {
                visible.pop();
            }
            visible.push(next);
        }
        visible
    }

    fn grid(&self) -> String {
        let ticks = LOWER_TICKS.into_iter().chain(UPPER_TICKS);
        let ticks = ticks.filter(|percent| deviate(percent / 100.0) >= self.low);
        let lines = ticks.map(|percent| {
            let (x, y) = self.point(percent / 100.0, percent / 100.0);
            format!(
                "<path d=\"M{x:.1} {TOP}V{BOTTOM}M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#ddd\"/>\n{}{}",
                text((x, BOTTOM + 20.0), "", percent),
                text((LEFT - 8.0, y + 5.0), "text-anchor=\"end\"", percent),
            )
        });
        let lines: String = lines.collect();
        format!(
            "{lines}<path d=\"M{LEFT} {BOTTOM}L{RIGHT} {TOP}\" stroke=\"#999\" \
             stroke-dasharray=\"4 4\"/>\n\
             <rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" \
             stroke=\"#333\"/>\n"
        )
    }

    fn band(&self, errors: &[Errors]) -> String {
        let rates = errors.iter().map(|errors| {
            (
                Rate::new(errors.matches, self.impostor),
                Rate::new(errors.non_matches, self.genuine),
            )
        });
        let rates: Vec<_> = rates.collect();
        let high = rates.iter().map(|(x, y)| self.point(x.high, y.high));
        let low = rates.iter().rev().map(|(x, y)| self.point(x.low, y.low));
        // Where one rate has reached its end, the other is still anything up to its bound.
        let (end, begin) = ([(LEFT, TOP)], [(RIGHT, BOTTOM)]);
        let points = listed(high.chain(end).chain(low).chain(begin));
        format!(
            "<polygon class=\"band\" points=\"{points}\" fill=\"#2166ac\" fill-opacity=\"0.15\"/>\n"
        )
    }

    fn curve(&self, errors: &[Errors]) -> String {
        let points = listed(errors.iter().map(|errors| self.seen(*errors)));
        format!(
            "<polyline class=\"curve\" points=\"{points}\" fill=\"none\" stroke=\"#2166ac\" \
             stroke-width=\"2\"/>\n"
        )
    }

    /// A point with its threshold, or with all thresholds that lie there.
    fn marks(&self, evaluation: &Evaluation, thresholds: &[f32]) -> String {
        let mut marks: Vec<((f64, f64), Vec<String>)> = Vec::new();
        for threshold in thresholds {
            let (Some(false_match), Some(false_non_match)) = (
                evaluation.false_match(*threshold).seen(),
                evaluation.false_non_match(*threshold).seen(),
            ) else {
                continue;
            };
            let place = self.point(false_match, false_non_match);
            let label = format!("{threshold:.3}");
            match marks.iter_mut().find(|(other, _)| *other == place) {
                Some((_, labels)) => labels.push(label),
                None => marks.push((place, vec![label])),
            }
        }
        let marks = marks.into_iter().map(|((x, y), labels)| {
            let attributes = "text-anchor=\"start\" fill=\"#b2182b\" font-size=\"12\"";
            let label = text((x + 7.0, y - 6.0), attributes, labels.join(", "));
            format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#b2182b\"/>\n{label}")
        });
        marks.collect()
    }
}

fn listed(points: impl Iterator<Item = (f64, f64)>) -> String {
    let points = points.map(|(x, y)| format!("{x:.1},{y:.1}"));
    points.collect::<Vec<_>>().join(" ")
}

/// A line of text, of which nothing needs to be escaped.
fn text((x, y): (f64, f64), attributes: &str, content: impl Display) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{content}</text>\n")
}

/// The place on the normal distribution below which `rate` of it lies, to 0.0005; `rate` is above 0
/// and below 1.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23.
fn deviate(rate: f64) -> f64 {
    let tail = rate.min(1.0 - rate);
    let t = (-2.0 * tail.ln()).sqrt();
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let under = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let above = t - over / under;
    if rate < 0.5 { -above } else { above }
}

/// In percent; an axis begins at one of them.
const LOWER_TICKS: [f64; 5] = [1.0, 0.1, 0.01, 0.001, 0.0001];
const LOWEST: f64 = 0.000_001;
/// In percent.
const UPPER_TICKS: [f64; 7] = [5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 90.0];
const HIGHEST: f64 = 0.9;

// In pixels.
const LEFT: f64 = 90.0;
const TOP: f64 = 70.0;
const SIDE: f64 = 600.0;
const RIGHT: f64 = LEFT + SIDE;
const BOTTOM: f64 = TOP + SIDE;
const WIDTH: f64 = RIGHT + 40.0;
const HEIGHT: f64 = BOTTOM + 105.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> Evaluation {
        // One person scores 0.30 to 0.79, two people 0 to 0.499.
        Evaluation {
            images: 100,
            not_acquired: 0,
            genuine: (0..50).map(|n| 0.3 + n as f32 / 100.0).collect(),
            impostor: (0..500).map(|n| n as f32 / 1000.0).collect(),
            ..Evaluation::empty()
        }
    }

    /// The points of the element of this class.
    fn points(plot: &str, class: &str) -> Vec<(f64, f64)> {
        let begin = format!("class=\"{class}\" points=\"");
        let (_, rest) = plot.split_once(&begin).unwrap();
        let (points, _) = rest.split_once('"').unwrap();
        let numbers = points.split_whitespace().map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        });
        numbers.collect()
    }

    #[test]
    fn as_one_error_falls_the_other_rises() {
        let plot = evaluation().det_plot(&[]);
        let curve = points(&plot, "curve");
        assert!(curve.len() > 50);
        assert!(curve.is_sorted_by(|(x, y), (next_x, next_y)| next_x <= x && next_y <= y));
        // From no false non-match to no false match.
        assert_eq!(curve.first(), Some(&(RIGHT, BOTTOM)));
        assert_eq!(curve.last(), Some(&(LEFT, TOP)));
    }

    #[test]
    fn the_band_is_around_the_curve() {
        let evaluation = evaluation();
        let plot = evaluation.det_plot(&[]);
        let (curve, band) = (points(&plot, "curve"), points(&plot, "band"));
        assert_eq!(band.len(), 2 * curve.len() + 2);
        let (high, low) = band.split_at(curve.len());
        assert_eq!((low[0], low[low.len() - 1]), ((LEFT, TOP), (RIGHT, BOTTOM)));
        let low = &low[1..low.len() - 1];
        for (((x, y), (high_x, high_y)), (low_x, low_y)) in
            curve.iter().zip(high).zip(low.iter().rev())
        {
            assert!(low_x <= x && x <= high_x && high_y <= y && y <= low_y);
        }
    }

    #[test]
    fn a_threshold_lies_where_its_rates_are_on_the_axes() {
        // 100 of 500 are at least 0.4, 10 of 50 are less: both lie at the tick of 20 %.
        let evaluation = evaluation();
        let threshold = 0.399_99;
        assert_eq!(evaluation.false_match(threshold).seen(), Some(0.2));
        assert_eq!(evaluation.false_non_match(threshold).seen(), Some(0.2));
        let plot = evaluation.det_plot(&[threshold]);
        let tick = plot.lines().find(|line| line.ends_with(">20</text>"));
        let (_, x) = tick.unwrap().split_once("x=\"").unwrap();
        let (x, _) = x.split_once('"').unwrap();
        let y = BOTTOM - (x.parse::<f64>().unwrap() - LEFT);
        assert!(plot.contains(&format!("<circle cx=\"{x}\" cy=\"{y:.1}\"")));
    }

    #[test]
    fn every_element_is_closed_and_no_number_is_none() {
        let nothing = Evaluation {
            genuine: Vec::new(),
            impostor: Vec::new(),
            ..evaluation()
        };
        let one = Evaluation {
            genuine: vec![0.5],
            impostor: vec![0.5],
            ..evaluation()
        };
        for evaluation in [nothing, one, evaluation()] {
            let plot = evaluation.det_plot(&[-1.0, 0.5, 2.0]);
            assert!(!plot.contains("NaN") && !plot.contains("inf"), "{plot}");
            let mut open = Vec::new();
            for element in plot.split('<').skip(1) {
                let (tag, text) = element.split_once('>').unwrap();
                assert!(!text.contains(['>', '&']));
                assert_eq!(tag.matches('"').count() % 2, 0);
                let name = tag.split_whitespace().next().unwrap();
                match name.strip_prefix('/') {
                    Some(closed) => assert_eq!(open.pop(), Some(closed)),
                    None if tag.ends_with('/') => {}
                    None => open.push(name),
                }
            }
            assert!(open.is_empty());
        }
    }

    #[test]
    fn deviates_are_those_of_tables() {
        for (rate, deviation) in [
            (0.5, 0.0),
            (0.975, 1.959_96),
            (0.01, -2.326_35),
            (0.9, 1.281_55),
            (0.000_01, -4.264_89),
        ] {
            assert!((deviate(rate) - deviation).abs() < 5e-4, "{rate}");
        }
    }

    #[test]
    fn millions_of_comparisons_give_a_plot_of_a_few_points() {
        let many = Evaluation {
            genuine: (0..20_000).map(|n| 0.3 + n as f32 / 40_000.0).collect(),
            impostor: (0..1_000_000).map(|n| n as f32 / 2_000_000.0).collect(),
            ..evaluation()
        };
        let plot = many.det_plot(&[]);
        assert!(plot.len() < 60_000, "{}", plot.len());
        assert!(plot.contains(">0.0001</text>"));
    }
}
