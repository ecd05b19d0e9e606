//! What a matcher makes of a face, and how alike two of them are.

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::image::Image;
use crate::matcher::{Matcher, common_score};
use crate::recognizer::{FaceError, Recognizer};

/// What a matcher keeps of a face: a direction. Wiped when dropped; never shown, and not to be kept
/// longer than the decision it is for.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Template {
    #[zeroize(skip)]
    matcher: &'static str,
    direction: Vec<f32>,
}

impl Template {
    /// Takes a matcher's numbers for a face; their length is dropped and their direction kept.
    /// `matcher` names the matcher and its version: templates of others are not compared with it.
    ///
    /// # Errors
    ///
    /// [`NoDirection`] where the numbers are all zero or one is none.
    pub fn new(matcher: &'static str, numbers: &[f32]) -> Result<Template, NoDirection> {
        let length = numbers
            .iter()
            .map(|number| number * number)
            .sum::<f32>()
            .sqrt();
        if !length.is_normal() {
            return Err(NoDirection);
        }
        Ok(Template {
            matcher,
            direction: numbers.iter().map(|number| number / length).collect(),
        })
    }

    /// The cosine of the angle between two templates: −1 to 1, and 1 for the same image.
    ///
    /// # Errors
    ///
    /// [`NotComparable`] where two matchers made them.
    pub fn similarity(&self, other: &Template) -> Result<f32, NotComparable> {
        if self.matcher != other.matcher || self.direction.len() != other.direction.len() {
            return Err(NotComparable);
        }
        let pairs = self.direction.iter().zip(&other.direction);
        let cosine: f32 = pairs.map(|(one, other)| one * other).sum();
        Ok(cosine.clamp(-1.0, 1.0))
    }

    /// The same where one matcher has made both.
    pub(crate) fn alike(&self, other: &Template) -> f32 {
        self.similarity(other).unwrap_or(-1.0)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({}, ..)", self.matcher)
    }
}

/// What the two matchers make of one image. Wiped when dropped.
#[derive(Debug)]
pub struct Templates {
    pub(crate) a: Template,
    pub(crate) b: Template,
}

impl Templates {
    /// Of the one face in the image.
    ///
    /// # Errors
    ///
    /// [`FaceError`].
    pub fn of(recognizer: &Recognizer, image: &Image) -> Result<Templates, FaceError> {
        let landmarks = recognizer.locate(image)?;
        Ok(Templates {
            a: recognizer.matcher_a().template(image, &landmarks)?,
            b: recognizer.matcher_b().template(image, &landmarks)?,
        })
    }

    /// The [`common_score`] with another image.
    #[must_use]
    pub fn score(&self, other: &Templates) -> f32 {
        common_score(self.a.alike(&other.a), self.b.alike(&other.b))
    }
}

/// A matcher made nothing of a face that could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the matcher's numbers have no direction")]
pub struct NoDirection;

/// Two templates were made by different matchers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("templates of different matchers cannot be compared")]
pub struct NotComparable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_direction_counts() {
        let one = Template::new("m", &[3.0, 4.0]).unwrap();
        let longer = Template::new("m", &[6.0, 8.0]).unwrap();
        let across = Template::new("m", &[-4.0, 3.0]).unwrap();
        assert!((one.similarity(&longer).unwrap() - 1.0).abs() < 1e-6);
        assert!(one.similarity(&across).unwrap().abs() < 1e-6);
    }

    #[test]
    fn numbers_without_a_direction_are_refused() {
        for numbers in [
            &[][..],
            &[0.0, 0.0],
            &[f32::NAN, 1.0],
            &[f32::INFINITY, 1.0],
            &[1e30, 1e30],
        ] {
            assert_eq!(Template::new("m", numbers).unwrap_err(), NoDirection);
        }
    }

    #[test]
    fn templates_of_two_matchers_are_not_compared() {
        let one = Template::new("a", &[1.0, 0.0]).unwrap();
        for other in [Template::new("b", &[1.0, 0.0]), Template::new("a", &[1.0])] {
            assert_eq!(one.similarity(&other.unwrap()), Err(NotComparable));
        }
    }

    #[test]
    fn debug_shows_no_number() {
        let template = Template::new("m", &[0.6, 0.8]).unwrap();
        assert_eq!(format!("{template:?}"), "Template(m, ..)");
    }
}
