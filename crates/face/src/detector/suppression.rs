//! Many answers for one face become one.

use super::Detection;
use crate::geometry::Point;

/// The surest answer first, and with it all that overlap it, merged by the weight of their scores.
pub(super) fn merged(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut merged = Vec::new();
    while let Some(surest) = found.first().cloned() {
        let (same, others): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|other| overlap(&surest, other) > OVERLAP_SAME);
        merged.push(mean(surest, &same));
        found = others;
        if same.is_empty() {
            break; // an answer overlaps itself, unless its area is too small to be a number
        }
    }
    merged
}

fn mean(surest: Detection, same: &[Detection]) -> Detection {
    let total: f32 = same.iter().map(|detection| detection.score).sum();
    if total <= 0.0 {
        return surest;
    }
    let at = |point: fn(&Detection, usize) -> Option<&Point>, index: usize| {
        same.iter().fold(Point::default(), |sum, detection| {
            let (weight, point) = (detection.score / total, point(detection, index));
            point.map_or(sum, |p| {
                Point::new(sum.x + weight * p.x, sum.y + weight * p.y)
            })
        })
    };
    Detection {
        score: surest.score,
        corners: core::array::from_fn(|index| at(|d, i| d.corners.get(i), index)),
        points: core::array::from_fn(|index| at(|d, i| d.points.get(i), index)),
    }
}

/// What two boxes share, as a part of what they cover together: 0 to 1.
fn overlap(one: &Detection, other: &Detection) -> f32 {
    let ([a, b], [c, d]) = (one.corners, other.corners);
    let shared = area(
        Point::new(a.x.max(c.x), a.y.max(c.y)),
        Point::new(b.x.min(d.x), b.y.min(d.y)),
    );
    shared / (area(a, b) + area(c, d) - shared)
}

fn area(top_left: Point, bottom_right: Point) -> f32 {
    (bottom_right.x - top_left.x).max(0.0) * (bottom_right.y - top_left.y).max(0.0)
}

/// Boxes that overlap by more belong to one face.
const OVERLAP_SAME: f32 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(score: f32, left: f32, side: f32) -> Detection {
        Detection {
            score,
            corners: [Point::new(left, 0.0), Point::new(left + side, side)],
            points: [Point::new(left, left); 6],
        }
    }

    #[test]
    fn answers_that_overlap_become_one_by_the_weight_of_their_scores() {
        let found = vec![detection(0.6, 20.0, 100.0), detection(0.9, 10.0, 100.0)];
        let merged = merged(found);
        assert_eq!(merged.len(), 1);
        assert!((merged[0].score - 0.9).abs() < 1e-6);
        assert!((merged[0].corners[0].x - 14.0).abs() < 1e-4);
        assert!((merged[0].points[3].y - 14.0).abs() < 1e-4);
    }

    #[test]
    fn answers_apart_stay_apart_and_the_surest_comes_first() {
        let found = vec![detection(0.6, 0.0, 10.0), detection(0.8, 500.0, 10.0)];
        let scores: Vec<_> = merged(found).iter().map(|d| d.score).collect();
        assert_eq!(scores, [0.8, 0.6]);
    }

    #[test]
    fn boxes_without_area_come_to_an_end() {
        assert_eq!(
            merged(vec![detection(0.6, 0.0, 0.0), detection(0.7, 0.0, 0.0)]).len(),
            1
        );
    }
}
