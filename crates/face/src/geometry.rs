//! Points of an image and the maps between images that keep shapes.

use zeroize::Zeroize;

/// A point of an image, in pixels from its top left corner: the middle of the first pixel is at
/// (0.5, 0.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Zeroize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    pub(crate) const fn new(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    /// The distance between two points, in pixels.
    #[must_use]
    pub fn distance(self, other: Point) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    pub(crate) fn middle(self, other: Point) -> Point {
        Point::new((self.x + other.x) / 2.0, (self.y + other.y) / 2.0)
    }
}

/// Turns, scales and moves, and never mirrors: x' = a·x − b·y + dx, y' = b·x + a·y + dy.
#[derive(Clone, Copy)]
pub(crate) struct Similarity {
    a: f32,
    b: f32,
    dx: f32,
    dy: f32,
}

impl Similarity {
    /// Scales by `scale`, turns by `angle` (radians, from right to down), and takes `from` to
    /// `to`.
    pub(crate) fn around(from: Point, to: Point, scale: f32, angle: f32) -> Similarity {
        Similarity::taking(from, to, scale * angle.cos(), scale * angle.sin())
    }

    fn taking(from: Point, to: Point, a: f32, b: f32) -> Similarity {
        Similarity {
            a,
            b,
            dx: to.x - a * from.x + b * from.y,
            dy: to.y - b * from.x - a * from.y,
        }
    }

    /// The one that brings each first point nearest to its second, by the sum of squared
    /// distances; `None` where all first points are the same or there is none.
    ///
    /// Source: Umeyama, Least-squares estimation of transformation parameters between two point
    /// patterns (1991), which in the plane and without mirroring has this closed form.
    pub(crate) fn nearest(pairs: &[(Point, Point)]) -> Option<Similarity> {
        let (from, to) = (
            mean(pairs.iter().map(|(from, _)| *from)),
            mean(pairs.iter().map(|(_, to)| *to)),
        );
        let (mut along, mut across, mut spread) = (0.0_f32, 0.0_f32, 0.0_f32);
        for (p, q) in pairs {
            let (px, py) = (p.x - from.x, p.y - from.y);
            let (qx, qy) = (q.x - to.x, q.y - to.y);
            along += px * qx + py * qy;
            across += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let (a, b) = (along / spread, across / spread);
        (a.is_finite() && b.is_finite()).then_some(Similarity::taking(from, to, a, b))
    }

    /// How many pixels of the result one pixel becomes.
    pub(crate) fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    pub(crate) fn apply(&self, point: Point) -> Point {
        Point::new(
            self.a * point.x - self.b * point.y + self.dx,
            self.b * point.x + self.a * point.y + self.dy,
        )
    }

    /// The same map into an image of half the width and height.
    pub(crate) fn halved(self) -> Similarity {
        Similarity {
            a: self.a / 2.0,
            b: self.b / 2.0,
            dx: self.dx / 2.0,
            dy: self.dy / 2.0,
        }
    }
}

fn mean(points: impl ExactSizeIterator<Item = Point>) -> Point {
    let count = points.len() as f32;
    let sum = points.fold(Point::default(), |sum, p| {
        Point::new(sum.x + p.x, sum.y + p.y)
    });
    Point::new(sum.x / count, sum.y / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: Point, expected: Point) {
        assert!(found.distance(expected) < 1e-3, "{found:?} {expected:?}");
    }

    #[test]
    fn the_nearest_map_is_the_one_that_made_the_points() {
        let made = Similarity::around(Point::new(3.0, 4.0), Point::new(-7.0, 9.0), 2.5, 0.7);
        let points = [(1.0, 2.0), (30.0, -4.0), (8.0, 8.0), (0.0, 17.0)];
        let found = Similarity::nearest(&points.map(|(x, y)| {
            let point = Point::new(x, y);
            (point, made.apply(point))
        }))
        .unwrap();
        assert!((found.scale() - 2.5).abs() < 1e-5);
        assert_near(
            found.apply(Point::new(100.0, 50.0)),
            made.apply(Point::new(100.0, 50.0)),
        );
        assert_near(made.apply(Point::new(3.0, 4.0)), Point::new(-7.0, 9.0));
    }

    #[test]
    fn mirrored_points_are_not_mirrored_back() {
        let pairs = [(0.0, 0.0), (10.0, 0.0), (0.0, 30.0)]
            .map(|(x, y)| (Point::new(x, y), Point::new(-x, y)));
        let found = Similarity::nearest(&pairs).unwrap();
        assert!(found.a * found.a + found.b * found.b > 0.0);
        assert!(found.apply(pairs[1].0).distance(pairs[1].1) > 1.0);
    }

    #[test]
    fn points_that_are_all_the_same_have_no_nearest_map() {
        let same = (Point::new(1.0, 1.0), Point::new(2.0, 3.0));
        assert!(Similarity::nearest(&[same; 5]).is_none());
    }
}
