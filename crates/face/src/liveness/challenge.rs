//! What a person is asked to do before the camera, and when.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

/// A movement of the head, as the person who makes it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Turn the head to the own left.
    TurnLeft,
    /// Turn the head to the own right.
    TurnRight,
    /// Come nearer to the camera.
    Nearer,
    /// Close both eyes for about a second.
    CloseEyes,
}

/// A movement and when it is to be seen, in milliseconds from the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The movement.
    pub movement: Movement,
    /// When the person is asked.
    pub from_ms: u32,
    /// When the person is asked to look straight again.
    pub until_ms: u32,
}

impl Prompt {
    /// When the movement is held: from when everybody has heard it and moved, to the end.
    pub(crate) fn held(&self) -> (u32, u32) {
        let from_ms = self.from_ms.saturating_add(SETTLE_MS);
        (from_ms.min(self.until_ms), self.until_ms)
    }
}

/// Movements in an order and at times that nobody knows before. In between, and before the first and
/// after the last, the person looks straight into the camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Challenge {
    prompts: Vec<Prompt>,
    end_ms: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    prompts: Vec<Prompt>,
    end_ms: u32,
}

impl TryFrom<Unchecked> for Challenge {
    type Error = &'static str;

    fn try_from(read: Unchecked) -> Result<Challenge, &'static str> {
        Challenge::of(read.prompts, read.end_ms).ok_or("prompts that nobody can follow")
    }
}

impl Challenge {
    /// How many movements there are.
    pub const PROMPTS: usize = 4;

    /// Draws one: 62 orders, and times of which each is drawn from half a second's range or more, so
    /// that frames made for another challenge show the wrong movement or none. Both turns are always
    /// in it, because a print shows neither.
    #[must_use]
    pub fn draw(rng: &mut impl CryptoRng) -> Challenge {
        let mut at = FIRST_REST_MS.draw(rng);
        let mut prompts: Vec<Prompt> = Vec::with_capacity(Challenge::PROMPTS);
        for movement in draw_movements(rng) {
            let until_ms = at + HOLD_MS.draw(rng);
            prompts.push(Prompt {
                movement,
                from_ms: at,
                until_ms,
            });
            at = until_ms + REST_MS.draw(rng);
        }
        Challenge {
            prompts,
            end_ms: at,
        }
    }

    /// One that was drawn before, as it was written down.
    ///
    /// `None` where prompts overlap, there are none or more than [`Challenge::PROMPTS`], or it takes
    /// more than half a minute.
    #[must_use]
    pub fn of(prompts: Vec<Prompt>, end_ms: u32) -> Option<Challenge> {
        let ends = prompts.iter().map(|prompt| prompt.until_ms);
        let begins = prompts.iter().skip(1).map(|prompt| prompt.from_ms);
        let in_order = prompts
            .iter()
            .all(|prompt| prompt.from_ms < prompt.until_ms)
            && ends
                .zip(begins.chain([end_ms]))
                .all(|(end, next)| end < next);
        (in_order && (1..=Challenge::PROMPTS).contains(&prompts.len()) && end_ms <= END_MAX_MS)
            .then_some(Challenge { prompts, end_ms })
    }

    /// The prompts in their order.
    #[must_use]
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// Whether it matters at this time if the eyes are open: before the first prompt, to know how far
    /// they are, and where they are to be closed.
    #[must_use]
    pub fn looks_at_eyes(&self, time_ms: u32) -> bool {
        let mut closing = self
            .prompts
            .iter()
            .filter(|prompt| prompt.movement == Movement::CloseEyes);
        let begin = self.prompts.first().map_or(0, |prompt| prompt.from_ms);
        let asked = |prompt: &Prompt| (prompt.from_ms..=prompt.until_ms).contains(&time_ms);
        if time_ms <= begin {
            closing.next().is_some()
        } else {
            closing.any(asked)
        }
    }

    /// When the last frame is due.
    #[must_use]
    pub fn end_ms(&self) -> u32 {
        self.end_ms
    }

    /// The times at which the person looks straight, the first before all prompts; a moment after
    /// each prompt is left out, in which the person comes back.
    pub fn rests(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let begins = self
            .prompts
            .iter()
            .map(|prompt| prompt.until_ms + RETURN_MS);
        let ends = self.prompts.iter().map(|prompt| prompt.from_ms);
        core::iter::once(0)
            .chain(begins)
            .zip(ends.chain([self.end_ms]))
    }
}

/// Both turns among them, and none after itself.
fn draw_movements(rng: &mut impl CryptoRng) -> [Movement; Challenge::PROMPTS] {
    loop {
        let drawn = [(); Challenge::PROMPTS].map(|()| match rng.next_u32() % 4 {
            0 => Movement::TurnLeft,
            1 => Movement::TurnRight,
            2 => Movement::Nearer,
            _ => Movement::CloseEyes,
        });
        let turns = [Movement::TurnLeft, Movement::TurnRight];
        let again = drawn.windows(2).any(|two| two.first() == two.last());
        if turns.iter().all(|turn| drawn.contains(turn)) && !again {
            return drawn;
        }
    }
}

/// At least the first, less than the second.
struct Range(u32, u32);

impl Range {
    /// The remainder of 2^32 makes no number here more likely than others by more than 10^-6.
    fn draw(&self, rng: &mut impl CryptoRng) -> u32 {
        self.0 + rng.next_u32() % (self.1 - self.0)
    }
}

const FIRST_REST_MS: Range = Range(1_500, 2_500);
const HOLD_MS: Range = Range(2_200, 2_800);
/// People hear, understand and have moved by then; from then on the movement is held.
const SETTLE_MS: u32 = 1_300;
const REST_MS: Range = Range(1_500, 2_100);
/// People hear, understand and move: about this long after "look straight" they do.
const RETURN_MS: u32 = 900;
const END_MAX_MS: u32 = 30_000;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn no_movement_follows_itself_and_every_one_comes_up() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2000 {
            let challenge = Challenge::draw(&mut rng);
            let prompts = challenge.prompts();
            assert_eq!(prompts.len(), Challenge::PROMPTS);
            assert!(
                prompts
                    .windows(2)
                    .all(|two| two[0].movement != two[1].movement)
            );
            for turn in [Movement::TurnLeft, Movement::TurnRight] {
                assert!(prompts.iter().any(|prompt| prompt.movement == turn));
            }
            let held = prompts.iter().map(Prompt::held);
            assert!(held.into_iter().all(|(from, until)| until >= from + 900));
            assert!(challenge.rests().all(|(from, until)| until >= from + 400));
            seen.insert(
                prompts
                    .iter()
                    .map(|prompt| prompt.movement)
                    .collect::<Vec<_>>(),
            );
            let again = Challenge::of(prompts.to_vec(), challenge.end_ms());
            assert_eq!(again, Some(challenge));
        }
        assert_eq!(seen.len(), 62, "all orders come up, and no others");
    }

    #[test]
    fn prompts_out_of_order_are_none() {
        let prompt = |from_ms, until_ms| Prompt {
            movement: Movement::Nearer,
            from_ms,
            until_ms,
        };
        assert!(Challenge::of(vec![prompt(10, 20), prompt(30, 40)], 50).is_some());
        for (prompts, end) in [
            (vec![], 50),
            (vec![prompt(20, 10)], 50),
            (vec![prompt(10, 30), prompt(20, 40)], 50),
            (vec![prompt(10, 60)], 50),
            (vec![prompt(10, 20)], 90_000),
        ] {
            assert_eq!(Challenge::of(prompts, end), None);
        }
    }
}
