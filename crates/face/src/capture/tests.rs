use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::photographs::photo::{Photo, recognizer};
use crate::specimen::{Act, Actor, Medium};

const SIZE: (u16, u16) = (240, 320);
const GAP: u32 = 350;

type Change<'c> = &'c dyn Fn(&mut Vec<u32>);

/// A camera before which actors follow each other.
struct Film {
    times: Vec<u32>,
    /// Who acts how in each frame.
    script: Vec<(usize, Act)>,
    actors: Vec<Actor>,
    rng: ChaCha20Rng,
}

impl Frames for Film {
    fn times_ms(&self) -> &[u32] {
        &self.times
    }

    fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
        let (actor, act) = self.script[number];
        Ok(self.actors[actor].frame(act, SIZE, &mut self.rng))
    }
}

/// Networks, a challenge, and who takes part.
struct Scene {
    recognizer: &'static Recognizer,
    challenge: Challenge,
    rng: ChaCha20Rng,
}

impl Scene {
    /// `None` where networks or photographs are not there, which ends the test.
    fn new(seed: u8) -> Option<Scene> {
        Photo::read("obama")?;
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        Some(Scene {
            recognizer: recognizer()?,
            challenge: Challenge::draw(&mut rng),
            rng,
        })
    }

    fn film(&mut self, photos: &[&str], medium: Medium) -> Film {
        let actor = |name: &&str| {
            let picture = Photo::read(name).unwrap().image();
            Actor::new(self.recognizer, picture, medium).unwrap()
        };
        let actors = photos.iter().map(actor).collect();
        let times: Vec<u32> = (0..=self.challenge.end_ms() / GAP)
            .map(|n| n * GAP)
            .collect();
        let acts = times
            .iter()
            .map(|time| (0, Act::following(&self.challenge, *time)));
        Film {
            script: acts.collect(),
            times,
            actors,
            rng: ChaCha20Rng::from_rng(&mut self.rng),
        }
    }

    fn examine(&mut self, portrait: &str, film: &mut Film) -> Result<f32, CaptureError> {
        let portrait = Photo::read(portrait).unwrap().image();
        let shown = (&self.challenge, film as &mut dyn Frames);
        examine(self.recognizer, &portrait, shown, &mut self.rng).map(|compared| compared.score)
    }
}

#[test]
fn a_person_who_follows_is_the_one_of_another_picture_and_nobody_else() {
    for seed in 1..3 {
        let Some(mut scene) = Scene::new(seed) else {
            return;
        };
        let mut film = scene.film(&["obama"], Medium::Head);
        let same = scene.examine("obama3", &mut film).unwrap();
        let mut film = scene.film(&["obama"], Medium::Head);
        let other = scene.examine("biden", &mut film).unwrap();
        assert!(same > 0.65 && other < 0.45, "{same} {other}");
    }
}

#[test]
fn a_picture_that_is_held_still_or_moved_does_not_follow() {
    for seed in 1..3 {
        let Some(mut scene) = Scene::new(seed) else {
            return;
        };
        let mut film = scene.film(&["obama"], Medium::Print);
        let moved = scene.examine("obama", &mut film);
        assert!(
            matches!(moved, Err(CaptureError::NotLive(NotLive::NotFollowed(_)))),
            "{moved:?}"
        );
        let mut film = scene.film(&["obama"], Medium::Head);
        film.script.fill((0, Act::STRAIGHT));
        let still = scene.examine("obama", &mut film);
        assert!(
            matches!(still, Err(CaptureError::NotLive(NotLive::NotFollowed(0)))),
            "{still:?}"
        );
    }
}

#[test]
fn a_frame_that_comes_twice_is_from_no_camera() {
    let Some(mut scene) = Scene::new(5) else {
        return;
    };
    struct Twice(Film);
    impl Frames for Twice {
        fn times_ms(&self) -> &[u32] {
            self.0.times_ms()
        }
        fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
            self.0.rng = ChaCha20Rng::from_seed([u8::try_from(number / 2).unwrap(); 32]);
            self.0.image(number)
        }
    }
    let mut film = Twice(scene.film(&["obama"], Medium::Head));
    let portrait = Photo::read("obama").unwrap().image();
    let shown = (&scene.challenge, &mut film as &mut dyn Frames);
    let found = examine(scene.recognizer, &portrait, shown, &mut scene.rng);
    assert!(matches!(found, Err(CaptureError::Still)), "{found:?}");
}

#[test]
fn frames_for_another_challenge_are_refused() {
    for seed in 10..14 {
        let Some(mut scene) = Scene::new(seed) else {
            return;
        };
        let mut recorded = scene.film(&["obama"], Medium::Head);
        scene.challenge = Challenge::draw(&mut scene.rng);
        // As many frames as this challenge wants.
        let straight = (0, Act::STRAIGHT);
        let wanted = usize::try_from(scene.challenge.end_ms() / GAP + 1).unwrap();
        recorded.script.resize(wanted, straight);
        recorded.times = (0..).step_by(GAP as usize).take(wanted).collect();
        let replayed = scene.examine("obama", &mut recorded);
        assert!(
            matches!(replayed, Err(CaptureError::NotLive(_))),
            "{replayed:?}"
        );
    }
}

#[test]
fn frames_in_another_order_are_refused() {
    let Some(mut scene) = Scene::new(20) else {
        return;
    };
    let mut film = scene.film(&["obama"], Medium::Head);
    film.script.reverse();
    let reversed = scene.examine("obama", &mut film);
    assert!(
        matches!(reversed, Err(CaptureError::NotLive(_))),
        "{reversed:?}"
    );
}

#[test]
fn somebody_else_in_a_part_of_the_frames_is_found() {
    let Some(mut scene) = Scene::new(21) else {
        return;
    };
    let another = |found: &Result<f32, _>| matches!(found, Err(CaptureError::AnotherPerson));
    // One looks straight, the other moves: who looks straight up can turn both ways.
    let mut film = scene.film(&["biden", "obama"], Medium::Head);
    for (actor, act) in &mut film.script {
        *actor = usize::from(*act != Act::STRAIGHT);
    }
    let found = scene.examine("biden", &mut film);
    assert!(another(&found), "{found:?}");
    // The other takes over in the middle.
    let mut film = scene.film(&["biden", "obama"], Medium::Head);
    let half = film.script.len() / 2;
    film.script[half..]
        .iter_mut()
        .for_each(|(actor, _)| *actor = 1);
    let found = scene.examine("biden", &mut film);
    assert!(another(&found), "{found:?}");
}

#[test]
fn somebody_else_who_moves_for_two_frames_is_not_enough() {
    let Some(mut scene) = Scene::new(23) else {
        return;
    };
    // The picture of the portrait all the time, but for two frames at the beginning of each movement,
    // in which somebody else makes it.
    let mut film = scene.film(&["obama", "biden"], Medium::Head);
    let mut moved = 0;
    for (actor, act) in &mut film.script {
        moved = if *act == Act::STRAIGHT { 0 } else { moved + 1 };
        match moved {
            1 | 2 => *actor = 1,
            _ => *act = Act::STRAIGHT,
        }
    }
    let found = scene.examine("obama", &mut film);
    assert!(matches!(found, Err(CaptureError::NotLive(_))), "{found:?}");
}

#[test]
fn the_portrait_itself_is_no_person() {
    let Some(mut scene) = Scene::new(25) else {
        return;
    };
    let mut film = scene.film(&["obama"], Medium::Head);
    let found = scene.examine("obama", &mut film);
    assert!(matches!(found, Err(CaptureError::Still)), "{found:?}");
}

#[test]
fn frames_of_two_sizes_are_of_no_camera() {
    let Some(mut scene) = Scene::new(24) else {
        return;
    };
    struct Zooming(Film);
    impl Frames for Zooming {
        fn times_ms(&self) -> &[u32] {
            self.0.times_ms()
        }
        fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
            let (_, act) = self.0.script[number];
            let size = if number == 7 { (300, 400) } else { SIZE };
            Ok(self.0.actors[0].frame(act, size, &mut self.0.rng))
        }
    }
    let mut film = Zooming(scene.film(&["obama"], Medium::Head));
    let portrait = Photo::read("obama").unwrap().image();
    let shown = (&scene.challenge, &mut film as &mut dyn Frames);
    let found = examine(scene.recognizer, &portrait, shown, &mut scene.rng);
    assert!(matches!(found, Err(CaptureError::Frame(7, _))), "{found:?}");
}

#[test]
fn frames_that_are_few_or_far_apart_or_empty_are_refused() {
    let Some(mut scene) = Scene::new(22) else {
        return;
    };
    let times = |scene: &mut Scene, change: Change<'_>| {
        let mut film = scene.film(&["obama"], Medium::Head);
        change(&mut film.times);
        scene.examine("obama", &mut film)
    };
    let changes: [Change<'_>; 7] = [
        &|times| *times = vec![0, u32::MAX],
        &|times| times.clear(),
        &|times| times.truncate(23),
        &|times| times.truncate(times.len() - 3),
        &|times| times[10] += 500,
        &|times| times.swap(10, 11),
        &|times| times.iter_mut().for_each(|time| *time += 500),
    ];
    for change in changes {
        let refused = times(&mut scene, change);
        assert!(matches!(refused, Err(CaptureError::Times)), "{refused:?}");
    }
    let mut film = scene.film(&["obama"], Medium::Head);
    film.script[30].1.nearer = 0.05;
    let lost = scene.examine("obama", &mut film);
    assert!(
        matches!(lost, Err(CaptureError::NotAcquired(30, _))),
        "{lost:?}"
    );
}
