//! Poses as they would be measured, and at the end some of photographs.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::Recognizer;
use crate::photographs::photo::{Photo, recognizer};
use crate::specimen::{Act, Actor, Medium};

const STRAIGHT: Pose = Pose {
    turn: 0.02,
    height: 200.0,
    width: 160.0,
    openness: Some(0.25),
};
const SHUT: Pose = Pose {
    openness: Some(0.15),
    ..STRAIGHT
};

/// Each movement is held from 1.3 s after its prompt to its end: 1.1 s.
fn challenge() -> Challenge {
    let movements = [
        Movement::TurnLeft,
        Movement::CloseEyes,
        Movement::Nearer,
        Movement::TurnRight,
    ];
    let prompts = (2_000..).step_by(4_000).zip(movements);
    let prompts = prompts.map(|(from_ms, movement)| Prompt {
        movement,
        from_ms,
        until_ms: from_ms + 2_400,
    });
    Challenge::of(prompts.collect(), 18_000).unwrap()
}

fn pose(movement: Movement) -> Pose {
    let turned = |by: f32| Pose {
        turn: STRAIGHT.turn + by,
        ..STRAIGHT
    };
    match movement {
        Movement::TurnLeft => turned(0.15),
        Movement::TurnRight => turned(-0.15),
        Movement::Nearer => Pose {
            height: 250.0,
            ..STRAIGHT
        },
        Movement::CloseEyes => SHUT,
    }
}

/// A follower whose movements begin and end half a second after the prompt, a frame every `gap_ms`.
fn follower(gap_ms: usize) -> Vec<Observation> {
    let challenge = challenge();
    let seen = (0..=challenge.end_ms()).step_by(gap_ms).map(|time_ms| {
        let asked = challenge
            .prompts()
            .iter()
            .find(|prompt| (prompt.from_ms + 500..prompt.until_ms + 500).contains(&time_ms));
        Observation {
            time_ms,
            pose: asked.map_or(STRAIGHT, |prompt| pose(prompt.movement)),
        }
    });
    seen.collect()
}

/// As the follower, but for some frames from a time on.
fn but(seen: &[Observation], from_ms: u32, frames: usize, pose: Pose) -> Result<(), NotLive> {
    let mut seen = seen.to_vec();
    let changed = seen.iter_mut().filter(|one| one.time_ms >= from_ms);
    changed.take(frames).for_each(|one| one.pose = pose);
    judge(&challenge(), &seen)
}

#[test]
fn who_follows_is_live() {
    for gap_ms in [40, 160, 240, 400] {
        assert_eq!(judge(&challenge(), &follower(gap_ms)), Ok(()), "{gap_ms}");
    }
}

#[test]
fn a_blink_is_one_frame_and_shut_eyes_are_two() {
    let seen = follower(160);
    for (from_ms, number) in [(2_000, 0), (5_300, 0), (9_300, 1), (17_300, 3)] {
        assert_eq!(but(&seen, from_ms, 1, SHUT), Ok(()));
        let shut = but(&seen, from_ms, 2, SHUT);
        assert_eq!(shut, Err(NotLive::NotAsked(number)), "{from_ms}");
    }
}

#[test]
fn a_turn_narrows_the_eyes_and_stays_a_turn() {
    let narrow = Pose {
        openness: SHUT.openness,
        ..pose(Movement::TurnLeft)
    };
    assert_eq!(but(&follower(160), 2_500, 15, narrow), Ok(()));
}

#[test]
fn another_movement_or_none_does_not_follow() {
    let seen = follower(160);
    for (number, from_ms) in (2_500..).step_by(4_000).take(4).enumerate() {
        let none = but(&seen, from_ms, 15, STRAIGHT);
        assert_eq!(none, Err(NotLive::NotFollowed(number)));
        let asked = challenge().prompts()[number].movement;
        let other = match asked {
            Movement::TurnLeft => Movement::TurnRight,
            Movement::TurnRight | Movement::Nearer | Movement::CloseEyes => Movement::TurnLeft,
        };
        let another = but(&seen, from_ms, 15, pose(other));
        assert_eq!(another, Err(NotLive::NotAsked(number)));
    }
}

#[test]
fn a_print_that_is_turned_narrows_more_than_its_nose_moves() {
    let print = |moved, width| Pose {
        turn: STRAIGHT.turn + moved,
        width,
        ..STRAIGHT
    };
    let seen = follower(160);
    assert_eq!(but(&seen, 2_500, 15, print(0.2, 145.0)), Ok(()));
    for pose in [print(0.13, 160.0), print(0.2, 136.0)] {
        let shown = but(&seen, 2_500, 15, pose);
        assert_eq!(shown, Err(NotLive::NotFollowed(0)));
    }
}

/// What is measured of a photograph that is turned step by step.
fn turned(recognizer: &Recognizer, name: &str, medium: Medium) -> Option<Vec<Pose>> {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let actor = Actor::new(recognizer, Photo::read(name)?.image(), medium).unwrap();
    let poses = (-60_i8..=60).step_by(5).map(|degrees| {
        let act = Act {
            turned: degrees.into(),
            ..Act::STRAIGHT
        };
        let frame = actor.frame(act, (240, 320), &mut rng);
        Pose::of(&recognizer.locate(&frame).unwrap())
    });
    Some(poses.collect())
}

/// Whether from any of these poses, taken for straight, others are a turn to the left and to the right.
fn can_turn_both_ways(poses: &[Pose]) -> bool {
    let straight = poses.iter().filter(|pose| pose.turn.abs() <= STRAIGHT_MAX);
    straight.copied().map(Straight).any(|straight| {
        let can = |movement| {
            poses
                .iter()
                .any(|pose| straight.movement(*pose) == Some(movement))
        };
        can(Movement::TurnLeft) && can(Movement::TurnRight)
    })
}

#[test]
fn a_head_can_turn_both_ways_and_a_print_cannot_however_far_it_is_turned() {
    for name in ["obama", "obama2", "obama3", "biden"] {
        let Some(recognizer) = recognizer() else {
            return;
        };
        let Some(print) = turned(recognizer, name, Medium::Print) else {
            return;
        };
        assert!(!can_turn_both_ways(&print), "{name}");
    }
    let head = recognizer().and_then(|recognizer| turned(recognizer, "obama", Medium::Head));
    assert!(head.is_none_or(|head| can_turn_both_ways(&head)));
}

#[test]
fn of_six_frames_that_hold_a_movement_one_may_slip() {
    // From 3,300 to 4,400 ms there are seven frames, or five.
    let (seven, five) = (follower(160), follower(240));
    assert_eq!(but(&seven, 3_600, 1, STRAIGHT), Ok(()));
    let slipped = Err(NotLive::NotFollowed(0));
    assert_eq!(but(&seven, 3_600, 2, STRAIGHT), slipped);
    assert_eq!(but(&five, 3_600, 1, STRAIGHT), slipped);
}

#[test]
fn who_does_not_look_straight_at_the_beginning_cannot_be_judged() {
    let seen = follower(160);
    let turned = Pose {
        turn: 0.13,
        ..STRAIGHT
    };
    let shut = Pose {
        openness: Some(0.1),
        ..STRAIGHT
    };
    for pose in [turned, shut] {
        assert_eq!(but(&seen, 0, 13, pose), Err(NotLive::NotStraight));
    }
    let late = &seen[11..]; // two frames before the first prompt
    assert_eq!(judge(&challenge(), late), Err(NotLive::NotStraight));
    assert_eq!(judge(&challenge(), &[]), Err(NotLive::NotStraight));
}

#[test]
fn eyes_that_nobody_looked_at_are_not_shut() {
    let unseen = |mut one: Observation| {
        one.pose.openness = None;
        one
    };
    let seen: Vec<_> = follower(160).into_iter().map(unseen).collect();
    assert_eq!(judge(&challenge(), &seen), Err(NotLive::NotFollowed(1)));
}
