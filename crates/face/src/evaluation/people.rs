//! From images of people to scores.

use super::Evaluation;
use crate::template::Templates;

impl Evaluation {
    /// Compares every two images. `people` holds for each person what was taken from each image:
    /// `None` where there was no face to be taken.
    #[must_use]
    pub fn of(people: &[Vec<Option<Templates>>]) -> Evaluation {
        let images = people.iter().enumerate();
        let images = images.flat_map(|(person, images)| images.iter().map(move |i| (person, i)));
        let mut evaluation = Evaluation::empty();
        let mut before: Vec<(usize, &Templates)> = Vec::new();
        for (person, image) in images {
            evaluation.images += 1;
            let Some(templates) = image else {
                evaluation.not_acquired += 1;
                continue;
            };
            for (other, theirs) in &before {
                let scores = if *other == person {
                    &mut evaluation.genuine
                } else {
                    &mut evaluation.impostor
                };
                scores.push(templates.score(theirs));
            }
            before.push((person, templates));
        }
        evaluation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn templates(direction: [f32; 2]) -> Option<Templates> {
        let [a, b] = ["a", "b"].map(|matcher| Template::new(matcher, &direction).unwrap());
        Some(Templates { a, b })
    }

    #[test]
    fn every_two_images_are_compared_once() {
        let people = [
            vec![templates([1.0, 0.0]), None, templates([1.0, 0.1])],
            vec![templates([0.0, 1.0])],
            vec![None],
            vec![templates([0.1, 1.0])],
        ];
        let found = Evaluation::of(&people);
        assert_eq!((found.images, found.not_acquired), (6, 2));
        assert_eq!((found.genuine.len(), found.impostor.len()), (1, 5));
        assert!(found.genuine[0] > 0.95);
        // The last two people look alike, the other pairs do not.
        let alike = found.impostor.iter().filter(|score| **score > 0.95);
        assert_eq!(alike.count(), 1);
    }

    #[test]
    fn without_a_face_nothing_is_compared() {
        let found = Evaluation::of(&[vec![None], vec![templates([1.0, 0.0])], Vec::new()]);
        assert_eq!((found.images, found.not_acquired), (2, 1));
        assert!(found.genuine.is_empty() && found.impostor.is_empty());
        assert_eq!(found.false_match(0.5).seen(), None);
    }
}
