//! The networks and photographs that `tools/face-models` makes, and what is done to photographs.
#![expect(
    clippy::cast_possible_truncation,
    reason = "places in a photograph and the values of its pixels are small"
)]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::OnceLock;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::engine::Rten;
use crate::{Image, Landmarks, Matcher, Models, Recognizer, Template};

/// What a variable names; `None` where it names nothing, which CI does not accept.
pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    if path.is_none() {
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!ci, "{variable} names nothing; see tools/face-models");
        eprintln!("skipped: {variable} names nothing; see tools/face-models");
    }
    path.map(PathBuf::from)
}

/// One for all tests of a program: it is loaded once.
pub(crate) fn recognizer() -> Option<&'static Recognizer> {
    static SHARED: OnceLock<Recognizer> = OnceLock::new();
    let folder = named("BAUTA_FACE_MODELS")?;
    Some(SHARED.get_or_init(|| {
        let engine = Rten::new(NonZeroUsize::new(2).unwrap());
        Recognizer::new(&engine, &Models::load(&folder).unwrap()).unwrap()
    }))
}

/// A decoded photograph, whose pixels a test may change.
#[derive(Clone)]
pub(crate) struct Photo {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<[u8; 3]>,
}

impl Photo {
    pub(crate) fn read(name: &str) -> Option<Photo> {
        let path = named("BAUTA_FACE_PHOTOGRAPHS")?.join(format!("{name}.jpg"));
        let octets = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&octets), options);
        let rgb = decoder.decode().unwrap().as_chunks().0.to_vec();
        let (width, height) = decoder.dimensions().unwrap();
        Some(Photo { width, height, rgb })
    }

    pub(crate) fn image(&self) -> Image {
        let side = |length: usize| u16::try_from(length).unwrap();
        Image::new(side(self.width), side(self.height), self.rgb.concat()).unwrap()
    }

    /// An image of this size whose pixels `at` names by the places they come from; black outside.
    pub(crate) fn drawn(
        &self,
        width: usize,
        height: usize,
        at: impl Fn(f32, f32) -> (f32, f32),
    ) -> Photo {
        let pixel = |index: usize| {
            let middle = |length: usize| length as f32 + 0.5;
            let (x, y) = at(middle(index % width), middle(index / width));
            self.bilinear(x - 0.5, y - 0.5)
        };
        let rgb = (0..width * height).map(pixel).collect();
        Photo { width, height, rgb }
    }

    fn bilinear(&self, x: f32, y: f32) -> [u8; 3] {
        let (left, top) = (x.floor(), y.floor());
        let mut sums = [0.5; 3];
        for (column, row) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let weight = (1.0 - (x - left - column).abs()) * (1.0 - (y - top - row).abs());
            let inside = |place: f32, length: usize| (0.0..length as f32).contains(&place);
            if inside(left + column, self.width) && inside(top + row, self.height) {
                let position = (top + row) as usize * self.width + (left + column) as usize;
                for (sum, value) in sums.iter_mut().zip(self.rgb[position]) {
                    *sum += weight * f32::from(value);
                }
            }
        }
        sums.map(|sum| sum as u8)
    }

    pub(crate) fn cropped(&self, left: usize, top: usize, width: usize, height: usize) -> Photo {
        self.drawn(width, height, |x, y| (x + left as f32, y + top as f32))
    }

    pub(crate) fn mirrored(&self) -> Photo {
        let width = self.width as f32;
        self.drawn(self.width, self.height, |x, y| (width - x, y))
    }

    /// Turned clockwise around a place, with what was outside black.
    pub(crate) fn turned(&self, degrees: f32, (middle_x, middle_y): (f32, f32)) -> Photo {
        let (sin, cos) = degrees.to_radians().sin_cos();
        self.drawn(self.width, self.height, |x, y| {
            let (x, y) = (x - middle_x, y - middle_y);
            (middle_x + cos * x + sin * y, middle_y - sin * x + cos * y)
        })
    }

    /// Every pixel the mean of `by` times `by`.
    pub(crate) fn shrunk(&self, by: usize) -> Photo {
        let (width, height) = (self.width / by, self.height / by);
        let pixel = |index: usize| {
            let (column, row) = (index % width * by, index / width * by);
            let mut sums = [0; 3];
            for place in 0..by * by {
                let position = (row + place / by) * self.width + column + place % by;
                for (sum, value) in sums.iter_mut().zip(self.rgb[position]) {
                    *sum += usize::from(value);
                }
            }
            sums.map(|sum| u8::try_from(sum / (by * by)).unwrap())
        };
        let rgb = (0..width * height).map(pixel).collect();
        Photo { width, height, rgb }
    }
}

/// Both templates of a face.
pub(crate) fn templates(
    recognizer: &Recognizer,
    image: &Image,
    landmarks: &Landmarks,
) -> [Template; 2] {
    [
        recognizer.matcher_a().template(image, landmarks).unwrap(),
        recognizer.matcher_b().template(image, landmarks).unwrap(),
    ]
}
