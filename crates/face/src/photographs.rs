//! Faces in real photographs, and in what is none.

pub(crate) mod photo;

use crate::{FaceError, FailureToAcquire, Image, Landmarks, Point, Recognizer, common_score};
use photo::{Photo, recognizer, templates};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Photographs of one person each.
const SAME_PERSON: [&str; 3] = ["obama", "obama2", "obama3"];
const ANOTHER: &str = "biden";
/// Photographs with several people and how many faces they show. Who they are is not said, so only
/// two faces of one photograph are known to be two people.
const GROUPS: [(&str, usize); 6] = [
    ("sample1", 3),
    ("sample2", 3),
    ("sample3", 3),
    ("sample4", 4),
    ("sample5", 5),
    ("sample6", 4),
];

/// Networks and a photograph; `None` where they are not there, which ends the test.
fn given(photo: &str) -> Option<(&'static Recognizer, Photo)> {
    Some((recognizer()?, Photo::read(photo)?))
}

fn refusal(recognizer: &Recognizer, image: &Image) -> FailureToAcquire {
    match recognizer.locate(image) {
        Err(FaceError::NotAcquired(why)) => why,
        Err(FaceError::Engine(error)) => panic!("{error}"),
        Ok(_) => panic!("a face was found"),
    }
}

/// Of matcher A, of matcher B, and common.
fn scores(
    recognizer: &Recognizer,
    one: (&Image, &Landmarks),
    other: (&Image, &Landmarks),
) -> [f32; 3] {
    let [one, other] = [one, other].map(|(image, face)| templates(recognizer, image, face));
    let [a, b] = [0, 1].map(|matcher| one[matcher].similarity(&other[matcher]).unwrap());
    [a, b, common_score(a, b)]
}

fn scores_of_photos(recognizer: &Recognizer, one: &Photo, other: &Photo) -> [f32; 3] {
    let [one, other] = [one.image(), other.image()];
    let [face, other_face] = [&one, &other].map(|image| recognizer.locate(image).unwrap());
    scores(recognizer, (&one, &face), (&other, &other_face))
}

#[test]
fn photographs_of_one_person_score_above_the_threshold() {
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let Some((recognizer, one)) = given(SAME_PERSON[one]) else {
            return;
        };
        let Some((_, other)) = given(SAME_PERSON[other]) else {
            return;
        };
        let [a, b, common] = scores_of_photos(recognizer, &one, &other);
        assert!(
            a > A_SAME && b > B_SAME && common > COMMON_SAME,
            "{a} {b} {common}"
        );
    }
}

#[test]
fn photographs_of_two_people_score_below_the_threshold() {
    for one in SAME_PERSON {
        let Some((recognizer, one)) = given(one) else {
            return;
        };
        let Some((_, other)) = given(ANOTHER) else {
            return;
        };
        let [a, b, common] = scores_of_photos(recognizer, &one, &other);
        assert!(
            a < A_SAME && b < B_SAME && common < COMMON_SAME,
            "{a} {b} {common}"
        );
    }
}

#[test]
fn in_a_photograph_of_a_group_every_face_is_found_and_no_two_are_taken_for_one_person() {
    for (group, people) in GROUPS {
        let Some((recognizer, photo)) = given(group) else {
            return;
        };
        let image = photo.image();
        assert_eq!(refusal(recognizer, &image), FailureToAcquire::SeveralFaces);
        let found = recognizer.detect(&image).unwrap();
        assert_eq!(found.len(), people, "{group}");
        let faces = found
            .iter()
            .map(|face| recognizer.landmarks(&image, face).unwrap().unwrap());
        let faces: Vec<_> = faces.collect();
        for (index, face) in faces.iter().enumerate() {
            for other in &faces[..index] {
                let [a, _, common] = scores(recognizer, (&image, face), (&image, other));
                assert!(a < A_SAME && common < COMMON_SAME, "{group} {a} {common}");
            }
        }
    }
}

#[test]
fn landmarks_lie_where_a_face_has_them() {
    for name in SAME_PERSON.into_iter().chain([ANOTHER]) {
        let Some((recognizer, photo)) = given(name) else {
            return;
        };
        let face = recognizer.locate(&photo.image()).unwrap();
        assert_eq!(face.points().len(), Landmarks::COUNT);
        let [left, right] = face.eyes();
        let [nose, chin, forehead] = [1, 152, 10].map(|number| face.point(number));
        let [mouth_left, mouth_right] = [61, 291].map(|number| face.point(number));
        assert!(forehead.y < left.y && left.y < nose.y && right.y < nose.y);
        assert!(nose.y < mouth_left.y && nose.y < mouth_right.y && mouth_right.y < chin.y);
        assert!(left.x < right.x && mouth_left.x < mouth_right.x);
        assert!(
            face.depths()[1] < face.depths()[234],
            "the nose is nearer than the cheek"
        );
        assert!(face.presence() > 0.9);
    }
}

#[test]
fn a_mirrored_photograph_has_mirrored_landmarks() {
    let Some((recognizer, photo)) = given("obama") else {
        return;
    };
    let face = recognizer.locate(&photo.image()).unwrap();
    let mirrored = recognizer.locate(&photo.mirrored().image()).unwrap();
    for (number, opposite) in [
        (1, 1),
        (152, 152),
        (33, 263),
        (133, 362),
        (61, 291),
        (234, 454),
    ] {
        let (here, there) = (face.point(number), mirrored.point(opposite));
        let expected = Point {
            x: photo.width as f32 - here.x,
            y: here.y,
        };
        let apart = there.distance(expected) / face.eye_distance();
        assert!(apart < 0.12, "{number} {apart}");
    }
}

#[test]
fn a_face_that_is_turned_by_thirty_degrees_is_found_and_recognised() {
    let Some((recognizer, photo)) = given("obama") else {
        return;
    };
    let upright = photo.image();
    let face = recognizer.locate(&upright).unwrap();
    let nose = face.point(1);
    for degrees in [-30.0_f32, 30.0] {
        let turned = photo.turned(degrees, (nose.x, nose.y)).image();
        let found = recognizer.locate(&turned).unwrap();
        let [left, right] = found.eyes();
        let angle = (right.y - left.y).atan2(right.x - left.x).to_degrees();
        let [left, right] = face.eyes();
        let before = (right.y - left.y).atan2(right.x - left.x).to_degrees();
        assert!((angle - before - degrees).abs() < 4.0, "{angle}");
        let [a, b, common] = scores(recognizer, (&upright, &face), (&turned, &found));
        assert!(
            a > 0.85 && b > 0.97 && common > 0.85,
            "{degrees} {a} {b} {common}"
        );
    }
}

#[test]
fn a_smaller_copy_of_a_photograph_is_recognised() {
    let Some((recognizer, photo)) = given("obama") else {
        return;
    };
    for by in [2, 3, 4] {
        let [a, b, common] = scores_of_photos(recognizer, &photo, &photo.shrunk(by));
        assert!(
            a > 0.85 && b > 0.96 && common > 0.85,
            "{by} {a} {b} {common}"
        );
    }
}

#[test]
fn a_face_that_moves_is_followed() {
    let Some((recognizer, photo)) = given("obama") else {
        return;
    };
    let mut before = recognizer
        .locate(&photo.cropped(200, 50, 640, 480).image())
        .unwrap();
    for step in 1..4 {
        let frame = photo
            .cropped(200 + 12 * step, 50 + 6 * step, 640, 480)
            .image();
        let followed = recognizer.follow(&frame, &before).unwrap();
        let located = recognizer.locate(&frame).unwrap();
        for number in [1, 33, 263, 152] {
            let apart = followed.point(number).distance(located.point(number));
            assert!(apart < 0.1 * located.eye_distance(), "{number} {apart}");
        }
        before = followed;
    }
    let elsewhere = Photo::read("biden")
        .unwrap()
        .cropped(0, 1_200, 640, 480)
        .image();
    let lost = recognizer.follow(&elsewhere, &before);
    assert!(matches!(
        lost,
        Err(FaceError::NotAcquired(FailureToAcquire::NoFace))
    ));
}

#[test]
fn a_face_too_small_or_cut_off_is_refused() {
    let Some((recognizer, photo)) = given("obama") else {
        return;
    };
    let small = photo.shrunk(5).image();
    assert_eq!(refusal(recognizer, &small), FailureToAcquire::FaceTooSmall);
    let half = photo.cropped(0, 0, 530, photo.height).image(); // the nose is at 494
    assert_eq!(refusal(recognizer, &half), FailureToAcquire::FaceCutOff);
}

#[test]
fn there_is_no_face_in_noise_in_black_or_in_a_single_pixel() {
    let Some(recognizer) = recognizer() else {
        return;
    };
    let mut noise = vec![0; 640 * 480 * 3];
    for seed in 0..3 {
        ChaCha20Rng::from_seed([seed; 32]).fill_bytes(&mut noise);
        let image = Image::new(640, 480, noise.clone()).unwrap();
        assert_eq!(refusal(recognizer, &image), FailureToAcquire::NoFace);
    }
    for (width, height) in [(1, 1), (640, 480), (4_096, 1)] {
        let octets = usize::from(width) * usize::from(height) * 3;
        let black = Image::new(width, height, vec![0; octets]).unwrap();
        assert_eq!(refusal(recognizer, &black), FailureToAcquire::NoFace);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_size_of_an_image_and_no_face_in_it_makes_anything_panic(
        width in 1_usize..200,
        height in 1_usize..200,
        left in 0_usize..700,
        top in 0_usize..700,
    ) {
        let Some((recognizer, photo)) = given("obama") else { return Ok(()) };
        let image = photo.cropped(left, top, width, height).image();
        let face = recognizer.locate(&photo.image()).unwrap();
        let _ = recognizer.locate(&image);
        let _ = recognizer.follow(&image, &face);
        templates(recognizer, &image, &face);
    }
}

/// Between the two kinds of pairs, on these photographs.
const A_SAME: f32 = 0.55;
const B_SAME: f32 = 0.94;
const COMMON_SAME: f32 = 0.55;
