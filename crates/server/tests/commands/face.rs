//! `bauta face`, with the real networks and photographs.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use face::engine::Rten;
use face::{Evaluation, Matcher, Models, Recognizer, common_score};
use jpeg_encoder::{ColorType, Encoder};

use crate::{Said, bauta, faces};

fn evaluate(networks: &Path, people: &Path, more: &[&str]) -> Said {
    let command = ["face", "evaluate", "--networks"].map(OsStr::new);
    let folders = [networks, people].map(Path::as_os_str);
    let arguments = command.into_iter().chain(folders);
    bauta(arguments.chain(more.iter().map(OsStr::new)))
}

impl Said {
    /// The numbers of a row of the report that begins with this name, the first after `after`.
    fn row(&self, after: &str, name: &str) -> Vec<f64> {
        let (_, rest) = self.output.split_once(after).unwrap();
        let row = rest.lines().find(|line| line.trim().starts_with(name));
        let words = row.unwrap().split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    }
}

/// Networks, and photographs of people.
fn given() -> Option<(PathBuf, PathBuf)> {
    let faces = faces::given()?;
    Some((faces.networks, faces.photographs.join("people")))
}

/// A folder of people, each with copies of these files.
fn people(of: &[(&str, &[&Path])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (person, images) in of {
        let person = folder.path().join(person);
        std::fs::create_dir(&person).unwrap();
        for (number, image) in images.iter().enumerate() {
            std::fs::copy(image, person.join(format!("{number}.jpg"))).unwrap();
        }
    }
    folder
}

/// The probability of at most `errors` of `of`, by the definition.
fn at_most(errors: usize, of: usize, p: f64) -> f64 {
    let ways = |k: usize| (0..k).fold(1.0, |ways, i| ways * (of - i) as f64 / (i + 1) as f64);
    let exactly = |k: usize| ways(k) * p.powf(k as f64) * (1.0 - p).powf((of - k) as f64);
    (0..=errors).map(exactly).sum()
}

fn score(recognizer: &Recognizer, paths: [PathBuf; 2]) -> f32 {
    let [one, other] = paths.map(|path| {
        let image = faces::decode(&std::fs::read(path).unwrap());
        let face = recognizer.locate(&image).unwrap();
        let a = recognizer.matcher_a().template(&image, &face).unwrap();
        (a, recognizer.matcher_b().template(&image, &face).unwrap())
    });
    let similarity = |one: &face::Template, other| one.similarity(other).unwrap();
    common_score(similarity(&one.0, &other.0), similarity(&one.1, &other.1))
}

#[test]
fn every_two_photographs_are_compared_and_the_plot_is_drawn() {
    let Some((networks, people)) = given() else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let plot = out.path().join("det.svg");
    let wanted = ["--json", "--plot", plot.to_str().unwrap()];
    let said = evaluate(&networks, &people, &wanted);
    assert_eq!(said.code, 0, "{}", said.errors);
    let found = Evaluation::parse(said.output.as_bytes()).unwrap();

    let of_people = std::fs::read_dir(&people).unwrap();
    let images = of_people.map(|person| std::fs::read_dir(person.unwrap().path()).unwrap().count());
    let images: Vec<usize> = images.collect();
    let pairs = |of: usize| of * (of - 1) / 2;
    let all: usize = images.iter().sum();
    let same: usize = images.iter().map(|of| pairs(*of)).sum();
    assert_eq!((found.images, found.not_acquired), (all, 0));
    assert_eq!(found.genuine.len(), same);
    assert_eq!(found.impostor.len(), pairs(all) - same);
    // Most people are told apart.
    let lowest = found.genuine.iter().copied().fold(1.0, f32::min);
    assert!(found.false_match(lowest).errors < found.impostor.len() / 50);

    let models = Models::load(&networks).unwrap();
    let recognizer = Recognizer::new(&Rten::new(NonZeroUsize::MIN), &models).unwrap();
    let image = |place: &str| people.join(place).with_extension("jpg");
    let one = score(&recognizer, [image("obama/1"), image("obama/2")]);
    let two = score(&recognizer, [image("obama/3"), image("biden/1")]);
    let holds = |scores: &[f32], wanted: f32| scores.iter().any(|s| (s - wanted).abs() < 1e-5);
    assert!(holds(&found.genuine, one) && holds(&found.impostor, two));

    let plot = std::fs::read_to_string(&plot).unwrap();
    assert!(plot.starts_with("<svg ") && plot.contains("class=\"curve\""));
    let refused = evaluate(&networks, &people, &wanted);
    refused.assert_refused("file-unwritable");
}

#[test]
fn rates_and_bounds_are_those_of_the_scores() {
    let Some((networks, people)) = given() else {
        return;
    };
    let options = ["--threshold", "0.2", "--false-match-rate", "0.2"];
    let text = evaluate(&networks, &people, &options);
    assert_eq!(text.code, 0, "{}", text.errors);
    let refused = evaluate(
        &networks,
        &people,
        &["--json", "--false-match-rate", "0.0001"],
    );
    refused.assert_refused("false-match-rate-unsupported");
    // What was found is written all the same.
    let found = Evaluation::parse(refused.output.as_bytes()).unwrap();

    let errors = found.impostor.iter().filter(|score| **score >= 0.2).count();
    let [shown, of, percent, low, high] = text.row("threshold 0.2", "false match")[..] else {
        panic!("{}", text.output);
    };
    let all = found.impostor.len();
    assert_eq!([shown, of], [errors as f64, all as f64]);
    assert!(errors > 0, "nothing is to be seen at this threshold");
    assert!((percent - 100.0 * shown / of).abs() < 1e-4);
    let half = 0.025;
    assert!((at_most(errors, all, high / 100.0) - half).abs() < 1e-4);
    assert!((1.0 - at_most(errors - 1, all, low / 100.0) - half).abs() < 1e-4);
    let missed = found.genuine.iter().filter(|score| **score < 0.2).count();
    assert_eq!(
        text.row("threshold 0.2", "false non-match")[..2],
        [missed as f64, found.genuine.len() as f64]
    );

    // The threshold for 20 % keeps it, and the next lower score does not.
    let sought = ", the lowest for a false match rate of at most 20.0000 %";
    let line = text.output.lines().find(|line| line.ends_with(sought));
    let threshold = line.unwrap().split_whitespace().nth(1).unwrap();
    let threshold: f32 = threshold.trim_end_matches(',').parse().unwrap();
    let matched = |from: f32| {
        found
            .impostor
            .iter()
            .filter(|score| **score >= from)
            .count()
    };
    let below = found
        .impostor
        .iter()
        .copied()
        .filter(|score| *score < threshold);
    let next = below.fold(f32::MIN, f32::max);
    assert!(at_most(matched(threshold), all, 0.2) <= half);
    assert!(at_most(matched(next), all, 0.2) > half);
}

#[test]
fn an_image_without_a_face_is_counted_and_named_where_that_is_asked_for() {
    let Some((networks, photographs)) = given() else {
        return;
    };
    let [one, other] = ["obama/2.jpg", "biden/1.jpg"].map(|place| photographs.join(place));
    let folder = people(&[("a", &[&one]), ("b", &[&other])]);
    let grey = folder.path().join("b/grey.jpg");
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 90)
        .encode(&[128; 64 * 64], 64, 64, ColorType::Luma)
        .unwrap();
    std::fs::write(&grey, jpeg).unwrap();
    std::fs::write(folder.path().join("b/.hidden"), b"no image").unwrap();
    let said = evaluate(&networks, folder.path(), &["--verbose"]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(said.row("", "failure to acquire")[..2], [1.0, 3.0]);
    assert!(
        said.output
            .contains("0 comparisons of one person, 1 of two people")
    );
    let named = format!("{}: no face is in the image\n", grey.display());
    assert_eq!(said.errors, named);
    let said = evaluate(&networks, folder.path(), &[]);
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
}

#[test]
fn less_than_two_people_and_what_is_no_image_are_refused() {
    let nowhere = Path::new("nowhere");
    evaluate(nowhere, nowhere, &[]).assert_refused("file-unreadable");
    let photograph = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let nobody = people(&[("a", &[]), ("b", &[])]);
    evaluate(nowhere, nobody.path(), &[]).assert_refused("too-few-people");
    let alone = people(&[("a", &[&photograph, &photograph]), ("b", &[])]);
    evaluate(nowhere, alone.path(), &[]).assert_refused("too-few-people");
    let two = people(&[("a", &[&photograph]), ("b", &[&photograph])]);
    evaluate(nowhere, two.path(), &[]).assert_refused("networks-missing");
    let Some((networks, _)) = given() else {
        return;
    };
    evaluate(&networks, two.path(), &[]).assert_refused("picture-unusable");
}

#[test]
fn a_rate_that_is_none_is_refused() {
    for option in [
        "--false-match-rate=0",
        "--false-match-rate=1",
        "--threshold=NaN",
    ] {
        let said = evaluate(Path::new("nowhere"), Path::new("nowhere"), &[option]);
        assert_eq!(said.code, 2, "{}", said.errors);
    }
}
