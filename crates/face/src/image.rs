//! The pixels that faces are looked for in.

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An image of eight bits each of red, green and blue. Wiped when dropped.
#[derive(PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Image {
    #[zeroize(skip)]
    width: u16,
    #[zeroize(skip)]
    height: u16,
    rgb: Vec<u8>,
}

impl Image {
    /// Takes red, green and blue of each pixel, row by row from the top, each row from the left.
    /// Width and height are 1 to [`Image::SIDE_MAX`], their product at most
    /// [`Image::PIXELS_MAX`].
    ///
    /// # Errors
    ///
    /// [`BadImage`]; the octets are wiped then too.
    pub fn new(width: u16, height: u16, rgb: Vec<u8>) -> Result<Image, BadImage> {
        let image = Image { width, height, rgb };
        let pixels = usize::from(width) * usize::from(height);
        if pixels == 0 {
            Err(BadImage::Empty)
        } else if width.max(height) > Image::SIDE_MAX || pixels > Image::PIXELS_MAX {
            Err(BadImage::TooLarge)
        } else if image.rgb.len() != 3 * pixels {
            Err(BadImage::WrongLength)
        } else {
            Ok(image)
        }
    }

    /// Pixels in a row, 1 to [`Image::SIDE_MAX`].
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Rows, 1 to [`Image::SIDE_MAX`].
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }

    /// The longest side that is taken, in pixels.
    pub const SIDE_MAX: u16 = 4_096;
    /// The most pixels that are taken; a frame of a camera has two million.
    pub const PIXELS_MAX: usize = 1 << 23;

    /// Of sides that are within the limits and as many pixels.
    pub(crate) fn of_pixels(width: u16, height: u16, rgb: Vec<u8>) -> Image {
        Image { width, height, rgb }
    }

    /// Red, green and blue of each pixel, row by row.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    pub(crate) fn is_one_pixel(&self) -> bool {
        (self.width, self.height) == (1, 1)
    }

    /// Black outside the image.
    pub(crate) fn pixel(&self, column: i32, row: i32) -> [u8; 3] {
        self.inside(column, row).unwrap_or_default()
    }

    fn inside(&self, column: i32, row: i32) -> Option<[u8; 3]> {
        let column = u16::try_from(column).ok().filter(|c| *c < self.width)?;
        let row = u16::try_from(row).ok().filter(|r| *r < self.height)?;
        let position = usize::from(row) * usize::from(self.width) + usize::from(column);
        self.rgb.as_chunks::<3>().0.get(position).copied()
    }

    /// Halved as often as a side is longer.
    #[must_use]
    pub fn within(self, side_max: u16) -> Image {
        let mut image = self;
        while image.width.max(image.height) > side_max.max(1) {
            image = image.halved();
        }
        image
    }

    /// Half as wide and high: each pixel is the mean of four. Where a side is odd, its last row or
    /// column counts twice.
    pub(crate) fn halved(&self) -> Image {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut rgb = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
        let row = 3 * usize::from(self.width);
        for rows in self.rgb.chunks(2 * row) {
            let (top, bottom) = rows.split_at(row);
            let bottom = if bottom.is_empty() { top } else { bottom };
            let [top, bottom] = [top, bottom].map(|row| row.as_chunks::<3>().0.chunks(2));
            rgb.extend(top.zip(bottom).flat_map(|(top, bottom)| mean(top, bottom)));
        }
        Image { width, height, rgb }
    }
}

/// Of the first and the last pixel of both, which may be one.
fn mean(top: &[[u8; 3]], bottom: &[[u8; 3]]) -> [u8; 3] {
    let mut sums = [2_u16; 3]; // half of four, to round
    for pixel in [top.first(), top.last(), bottom.first(), bottom.last()] {
        for (sum, value) in sums.iter_mut().zip(pixel.copied().unwrap_or_default()) {
            *sum += u16::from(value);
        }
    }
    sums.map(|sum| u8::try_from(sum / 4).unwrap_or(u8::MAX))
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Image(..)")
    }
}

/// Why octets are not an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadImage {
    /// Width or height is zero.
    #[error("the image has no pixels")]
    Empty,
    /// It is beyond [`Image::SIDE_MAX`] or [`Image::PIXELS_MAX`].
    #[error("the image is too large")]
    TooLarge,
    /// There are not three octets for each pixel.
    #[error("the image has not three octets for each pixel")]
    WrongLength,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_the_limits_are_refused() {
        let refused =
            |width, height, octets| Image::new(width, height, vec![0; octets]).unwrap_err();
        assert_eq!(refused(0, 1, 0), BadImage::Empty);
        assert_eq!(refused(4_097, 1, 4_097 * 3), BadImage::TooLarge);
        assert_eq!(refused(1, 65_535, 65_535 * 3), BadImage::TooLarge);
        assert_eq!(refused(4_096, 2_049, 4_096 * 2_049 * 3), BadImage::TooLarge);
        assert_eq!(refused(2, 2, 11), BadImage::WrongLength);
        assert!(Image::new(4_096, 2_048, vec![0; 4_096 * 2_048 * 3]).is_ok());
    }

    #[test]
    fn outside_is_black() {
        let white = Image::new(2, 1, vec![255; 6]).unwrap();
        assert_eq!(white.pixel(1, 0), [255; 3]);
        for (column, row) in [(-1, 0), (2, 0), (0, -1), (0, 1), (i32::MAX, i32::MIN)] {
            assert_eq!(white.pixel(column, row), [0; 3]);
        }
    }

    #[test]
    fn halving_takes_the_mean_of_four_pixels_and_repeats_the_last_of_an_odd_side() {
        let grey = |value: u8| [value; 3];
        let rgb = [grey(0), grey(10), grey(20), grey(30), grey(40), grey(51)].concat();
        let half = Image::new(3, 2, rgb).unwrap().halved();
        assert_eq!((half.width(), half.height()), (2, 1));
        assert_eq!(half.pixel(0, 0), grey(20));
        assert_eq!(half.pixel(1, 0), grey(36)); // 35.5
    }

    #[test]
    fn debug_shows_nothing() {
        let image = Image::new(1, 1, vec![7; 3]).unwrap();
        assert_eq!(format!("{image:?}"), "Image(..)");
    }
}
