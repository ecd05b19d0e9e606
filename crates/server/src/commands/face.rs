//! `bauta face`: how often faces are confused.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use face::engine::Rten;
use face::{Evaluation, FaceError, FalseMatchRate, Models, Rate, Recognizer, Templates};

use super::say;
use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};
use crate::picture;

/// What `bauta face` can do.
#[derive(Debug, Subcommand)]
pub enum FaceCommand {
    /// Measure on photographs how often two people are taken for one and one for two, and how often
    /// there is no face to be taken. An operator's threshold follows from that.
    Evaluate(EvaluateArgs),
}

/// What is evaluated.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Folder with one folder a person, in each that person's photographs: JPEG or JPEG 2000, upright,
    /// up to 8 million pixels. Names that begin with a dot are passed over.
    people: PathBuf,
    /// Folder of the networks, which `tools/face-models` makes.
    #[arg(long, env = "BAUTA_FACE_MODELS")]
    networks: PathBuf,
    /// A score from which on two images count as one person; may be given several times. Default:
    /// several.
    #[arg(long, value_name = "SCORE", value_parser = score, allow_negative_numbers = true)]
    threshold: Vec<f32>,
    /// A rate of false matches such as 0.001: the lowest threshold is sought that keeps it with
    /// 95 % confidence. May be given several times.
    #[arg(long, value_name = "RATE")]
    false_match_rate: Vec<FalseMatchRate>,
    /// The scores on standard output, for `face.evaluation_file` of an operator; the report goes to
    /// standard error.
    #[arg(long)]
    json: bool,
    /// File for a plot of both errors (SVG).
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Name the images of which no face could be taken.
    #[arg(long)]
    verbose: bool,
}

impl FaceCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// See [`EvaluateArgs`].
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            FaceCommand::Evaluate(args) => args.evaluate(),
        }
    }
}

impl EvaluateArgs {
    /// Evaluates.
    ///
    /// # Errors
    ///
    /// `too-few-people`, `networks-missing`, `file-unreadable`, `picture-unusable`, `file-unwritable`;
    /// `false-match-rate-unsupported` after everything else was done.
    fn evaluate(&self) -> anyhow::Result<()> {
        let people = people(&self.people)?;
        if let Some(plot) = self.plot.as_ref().filter(|plot| plot.exists()) {
            // Said before the work, not after it.
            let what = format!("{} exists", plot.display());
            return Err(Failure::of("file-unwritable", what).into());
        }
        let evaluation = Evaluation::of(&self.look_at(&people)?);
        let points = self.operating_points(&evaluation);
        self.report(&evaluation, people.len(), &points);
        if let Some(plot) = &self.plot {
            let thresholds: Vec<_> = points.iter().filter_map(|point| point.threshold).collect();
            let plotted = evaluation.det_plot(&thresholds);
            files::write_new(plot, plotted.as_bytes(), Access::Public)?;
        }
        if self.json {
            say(&serde_json::to_string(&evaluation)?);
        }
        let unknown = points.iter().find(|point| point.threshold.is_none());
        match unknown.and_then(|point| point.rate) {
            None => Ok(()),
            Some(rate) => Err(unsupported("--false-match-rate", rate, &evaluation).into()),
        }
    }

    /// What is to be compared of each person's images.
    fn look_at(&self, people: &[Vec<PathBuf>]) -> anyhow::Result<Vec<Vec<Option<Templates>>>> {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let recognizer = recognizer(&self.networks, threads)?;
        let of_all: usize = people.iter().map(Vec::len).sum();
        let mut looked_at = 0;
        let mut look = |path: &PathBuf| -> anyhow::Result<Option<Templates>> {
            let found = Templates::of(&recognizer, &picture::read(path)?);
            looked_at += 1;
            if looked_at % PROGRESS == 0 {
                eprintln!("{looked_at} of {of_all} images");
            }
            match found {
                Ok(templates) => Ok(Some(templates)),
                Err(FaceError::NotAcquired(why)) => {
                    if self.verbose {
                        eprintln!("{}: {why}", path.display());
                    }
                    Ok(None)
                }
                Err(FaceError::Engine(error)) => Err(error.into()),
            }
        };
        let people = people.iter();
        people
            .map(|images| images.iter().map(&mut look).collect())
            .collect()
    }

    fn operating_points(&self, evaluation: &Evaluation) -> Vec<OperatingPoint> {
        let asked = self.threshold.iter().map(|at| OperatingPoint::at(*at));
        let rates = self.false_match_rate.iter().map(|rate| OperatingPoint {
            rate: Some(*rate),
            threshold: evaluation.threshold(*rate),
        });
        let points: Vec<_> = asked.chain(rates).collect();
        if points.is_empty() {
            THRESHOLDS.map(OperatingPoint::at).to_vec()
        } else {
            points
        }
    }

    fn report(&self, evaluation: &Evaluation, people: usize, points: &[OperatingPoint]) {
        let tell = |line: &str| {
            if self.json {
                eprintln!("{line}");
            } else {
                say(line);
            }
        };
        let Evaluation {
            images,
            genuine,
            impostor,
            ..
        } = evaluation;
        tell(&format!("{images} images of {people} people"));
        tell(&format!(
            "{} comparisons of one person, {} of two people\n",
            genuine.len(),
            impostor.len(),
        ));
        tell(&row("", "errors", "of", ["rate", "95 % bounds"]));
        tell(&of_rate(
            "failure to acquire",
            evaluation.failure_to_acquire(),
        ));
        for point in points {
            let Some(threshold) = point.threshold else {
                continue;
            };
            tell(&point.title(threshold));
            tell(&of_rate("  false match", evaluation.false_match(threshold)));
            tell(&of_rate(
                "  false non-match",
                evaluation.false_non_match(threshold),
            ));
        }
        tell(
            "\nThe bounds (Clopper and Pearson) take each comparison for a trial of its own. Those of \
             one image with\nothers are not: with few people the true bounds are wider.",
        );
    }
}

/// A threshold, and the rate it was sought for.
#[derive(Clone)]
struct OperatingPoint {
    rate: Option<FalseMatchRate>,
    /// `None` where no threshold is known to keep the rate.
    threshold: Option<f32>,
}

impl OperatingPoint {
    fn at(threshold: f32) -> OperatingPoint {
        OperatingPoint {
            rate: None,
            threshold: Some(threshold),
        }
    }

    fn title(&self, threshold: f32) -> String {
        let sought = self.rate.map(|rate| {
            let rate = percent(rate.get());
            format!(", the lowest for a false match rate of at most {rate}")
        });
        format!("threshold {threshold}{}", sought.unwrap_or_default())
    }
}

/// What finds and compares faces, from the folder of its networks.
///
/// # Errors
///
/// `networks-missing`.
pub(super) fn recognizer(networks: &Path, threads: NonZeroUsize) -> anyhow::Result<Recognizer> {
    let missing = || "the face networks";
    let models = Models::load(networks).or_fail("networks-missing", missing)?;
    Recognizer::new(&Rten::new(threads), &models).or_fail("networks-missing", missing)
}

/// That data do not show a rate; `asked_by` names the option or the field that asks for it.
pub(super) fn unsupported(
    asked_by: &str,
    rate: FalseMatchRate,
    evaluation: &Evaluation,
) -> Failure {
    let rate = rate.get();
    let what = format!(
        "{asked_by} = {rate} is not supported: {} comparisons of two people show no rate below {:.6} \
         (95 %)",
        evaluation.impostor.len(),
        evaluation.lowest_rate(),
    );
    Failure::of("false-match-rate-unsupported", what)
}

fn of_rate(name: &str, rate: Rate) -> String {
    let seen = rate.seen().map_or("-".to_owned(), percent);
    let bounds = format!("{} to {}", percent(rate.low), percent(rate.high));
    row(
        name,
        &rate.errors.to_string(),
        &rate.of.to_string(),
        [&seen, &bounds],
    )
}

fn row(name: &str, errors: &str, of: &str, [rate, bounds]: [&str; 2]) -> String {
    format!("{name:<20}{errors:>9}{of:>11}{rate:>13}   {bounds}")
}

fn percent(rate: f64) -> String {
    format!("{:.4} %", 100.0 * rate)
}

/// The images of each person, in the order of their names.
fn people(folder: &Path) -> anyhow::Result<Vec<Vec<PathBuf>>> {
    let mut people = Vec::new();
    for person in entries(folder)? {
        if person.is_dir() {
            people.push(entries(&person)?);
        }
    }
    people.retain(|images| !images.is_empty());
    if people.len() < 2 {
        let what = format!(
            "{} has folders with photographs of {} people, and at least two are needed",
            folder.display(),
            people.len(),
        );
        return Err(Failure::of("too-few-people", what).into());
    }
    Ok(people)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).or_fail("file-unreadable", unreadable)? {
        let entry = entry.or_fail("file-unreadable", unreadable)?;
        if !hidden(&entry.file_name()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn score(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score: &f32| score.is_finite());
    score.ok_or_else(|| "a score is a number such as 0.55".to_owned())
}

/// After so many images it is said how many there were.
const PROGRESS: usize = 50;
/// Around where the two kinds of comparisons part.
const THRESHOLDS: [f32; 5] = [0.3, 0.4, 0.5, 0.55, 0.6];
