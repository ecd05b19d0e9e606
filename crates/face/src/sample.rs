//! The part of an image that a network looks at, in the size and the numbers that it takes.

use zeroize::Zeroizing;

use crate::engine::Tensor;
use crate::geometry::{Point, Similarity};
use crate::image::Image;

/// What a network takes: a square of `side` pixels, red before green before blue, whose values are
/// those of the image (0 to 255) less `mean`, divided by `divisor`.
pub(crate) struct Input {
    pub(crate) side: u16,
    pub(crate) mean: [f32; 3],
    pub(crate) divisor: f32,
}

impl Input {
    /// Fills the square; `into_image` says where in the image each of its points lies.
    ///
    /// Where the image is shrunk, it is first halved, each pixel the mean of four, until less than
    /// a factor of two is left: what is finer than the square can show would otherwise appear in
    /// it as something else. What is left is interpolated bilinearly. Outside is black.
    pub(crate) fn sample(&self, image: &Image, into_image: Similarity) -> Tensor {
        let mut map = into_image;
        let mut shrunk: Option<Image> = None;
        loop {
            let current = shrunk.as_ref().unwrap_or(image);
            if map.scale() < SHRINK_MAX || current.is_one_pixel() {
                return self.interpolate(current, &map);
            }
            shrunk = Some(current.halved());
            map = map.halved();
        }
    }

    fn interpolate(&self, image: &Image, map: &Similarity) -> Tensor {
        let side = usize::from(self.side);
        let mut values = Zeroizing::new(Vec::with_capacity(side * side * 3));
        for row in 0..self.side {
            for column in 0..self.side {
                let middle = Point::new(f32::from(column) + 0.5, f32::from(row) + 0.5);
                let colours = bilinear(image, map.apply(middle));
                let of_colour = |(value, mean): (f32, f32)| (value - mean) / self.divisor;
                values.extend(colours.into_iter().zip(self.mean).map(of_colour));
            }
        }
        Tensor::new(vec![1, side, side, 3], values)
    }
}

pub(crate) fn bilinear(image: &Image, point: Point) -> [f32; 3] {
    let (left, right_part) = split(point.x - 0.5);
    let (top, bottom_part) = split(point.y - 0.5);
    let (right, bottom) = (left.saturating_add(1), top.saturating_add(1));
    let mut sums = [0.0; 3];
    for (column, row, weight) in [
        (left, top, (1.0 - right_part) * (1.0 - bottom_part)),
        (right, top, right_part * (1.0 - bottom_part)),
        (left, bottom, (1.0 - right_part) * bottom_part),
        (right, bottom, right_part * bottom_part),
    ] {
        for (sum, value) in sums.iter_mut().zip(image.pixel(column, row)) {
            *sum += weight * f32::from(value);
        }
    }
    sums
}

/// The whole number below, and what is above it.
fn split(position: f32) -> (i32, f32) {
    let whole = position.floor();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and what is so far away is outside of every image"
    )]
    let index = whole as i32;
    (index, position - whole)
}

/// Bilinear interpolation sees every pixel as long as it takes at most every second one.
const SHRINK_MAX: f32 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: Input = Input {
        side: 8,
        mean: [0.0; 3],
        divisor: 1.0,
    };

    fn grey(width: u16, height: u16, at: impl Fn(u16, u16) -> u8) -> Image {
        let pixel = |index: u16| [at(index % width, index / width); 3];
        let rgb = (0..width * height).flat_map(pixel).collect();
        Image::new(width, height, rgb).unwrap()
    }

    fn scaled(scale: f32) -> Similarity {
        Similarity::around(Point::new(0.0, 0.0), Point::new(0.0, 0.0), scale, 0.0)
    }

    /// The red of the fourth row, which is inside the image in every test.
    fn row(tensor: &Tensor) -> Vec<f32> {
        tensor.values().as_chunks::<3>().0[24..32]
            .iter()
            .map(|c| c[0])
            .collect()
    }

    #[test]
    fn an_image_of_the_same_size_is_taken_as_it_is() {
        let image = grey(8, 8, |x, _| u8::try_from(10 * x).unwrap());
        let tensor = INPUT.sample(&image, scaled(1.0));
        assert_eq!(tensor.shape(), [1, 8, 8, 3]);
        assert_eq!(
            row(&tensor),
            [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]
        );
    }

    #[test]
    fn what_lies_between_pixels_is_between_their_values() {
        let image = grey(4, 4, |x, _| u8::try_from(40 * x).unwrap());
        let found = row(&INPUT.sample(&image, scaled(0.5)));
        assert_eq!(found, [0.0, 10.0, 30.0, 50.0, 70.0, 90.0, 110.0, 90.0]); // black outside
    }

    #[test]
    fn stripes_too_fine_for_the_square_become_grey() {
        let image = grey(64, 64, |x, _| if x % 2 == 0 { 0 } else { 200 });
        assert_eq!(row(&INPUT.sample(&image, scaled(8.0))), [100.0; 8]);
    }

    #[test]
    fn mean_and_divisor_are_of_each_colour() {
        let image = Image::new(1, 1, vec![10, 20, 30]).unwrap();
        let input = Input {
            side: 1,
            mean: [5.0, 10.0, 20.0],
            divisor: 10.0,
        };
        assert_eq!(input.sample(&image, scaled(1.0)).values(), [0.5, 1.0, 1.0]);
    }

    #[test]
    fn a_map_that_is_no_number_gives_black_and_ends() {
        let image = grey(8, 8, |_, _| 255);
        for scale in [f32::NAN, f32::INFINITY, 1e30] {
            let tensor = INPUT.sample(&image, scaled(scale));
            assert!(
                tensor
                    .values()
                    .iter()
                    .all(|value| *value == 0.0 || value.is_nan())
            );
        }
    }
}
