//! A drawn face. It shows a person to nobody: it is there so that a specimen has a portrait and
//! two specimens can be told apart.

use jpeg_encoder::{ColorType, Encoder};
use sha2::{Digest, Sha256};

use crate::dg2::Dg2Error;

pub(crate) const WIDTH: u16 = 240;
pub(crate) const HEIGHT: u16 = 320;

/// Draws the face number `seed` and encodes it as JPEG.
pub(crate) fn draw(seed: u64) -> Result<Vec<u8>, Dg2Error> {
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, QUALITY)
        .encode(&pixels(seed), WIDTH, HEIGHT, ColorType::Rgb)
        .map_err(|_| Dg2Error::UnknownImage)?;
    Ok(jpeg)
}

/// The face number `seed`, eight bits each of red, green and blue, row by row.
pub(crate) fn pixels(seed: u64) -> Vec<u8> {
    let face = Face::of(seed);
    let mut pixels = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT) * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            pixels.extend_from_slice(&face.colour(i32::from(x), i32::from(y)));
        }
    }
    pixels
}

type Colour = [u8; 3];

/// Measures in pixels, colours in RGB.
struct Face {
    width: i32,
    height: i32,
    eye_gap: i32,
    eye_size: i32,
    mouth: i32,
    fringe: i32,
    skin: Colour,
    hair: Colour,
    eyes: Colour,
    coat: Colour,
    glasses: Glasses,
}

enum Glasses {
    Worn,
    None,
}

impl Face {
    fn of(seed: u64) -> Face {
        // One byte of the digest decides each feature.
        let mut bytes = Sha256::digest(seed.to_be_bytes()).into_iter();
        let mut pick = |range: u8| i32::from(bytes.next().unwrap_or_default() % range);
        Face {
            width: 58 + pick(14),
            height: 78 + pick(16),
            eye_gap: 22 + pick(9),
            eye_size: 7 + pick(4),
            mouth: 16 + pick(14),
            fringe: 28 + pick(24),
            skin: choose(&SKINS, pick(6)),
            hair: choose(&HAIRS, pick(6)),
            eyes: choose(&EYES, pick(4)),
            coat: choose(&COATS, pick(5)),
            glasses: if pick(3) == 0 {
                Glasses::Worn
            } else {
                Glasses::None
            },
        }
    }

    /// The colour of one pixel: the shape that lies on top there.
    fn colour(&self, x: i32, y: i32) -> Colour {
        let (across, down) = (x - CENTRE_X, y - CENTRE_Y);
        let beside_eye = across.abs() - self.eye_gap;
        let in_face = inside(across, down, self.width, self.height);
        if in_face {
            if let Some(colour) = self.feature(across, down, beside_eye) {
                return colour;
            }
            let hairline = self.fringe - self.height + across * across / 120;
            return if down < hairline {
                self.hair
            } else {
                self.skin
            };
        }
        if down < 20 && inside(across, down + 12, self.width + 12, self.height + 6) {
            self.hair
        } else if across.abs() < 22 && (0..130).contains(&down) {
            shade(self.skin)
        } else if inside(across, down - 190, 105, 85) {
            self.coat
        } else {
            BACKGROUND
        }
    }

    /// Eyes, brows, glasses, nose and mouth.
    fn feature(&self, across: i32, down: i32, beside_eye: i32) -> Option<Colour> {
        let eye_down = down + 12;
        if inside(beside_eye, eye_down, self.eye_size / 2, self.eye_size / 2) {
            return Some(self.eyes);
        }
        if inside(beside_eye, eye_down, self.eye_size + 3, self.eye_size) {
            return Some(WHITE);
        }
        if matches!(self.glasses, Glasses::Worn) {
            let outer = self.eye_size + 9;
            let ring = inside(beside_eye, eye_down, outer, outer)
                && !inside(beside_eye, eye_down, outer - 3, outer - 3);
            let bridge = across.abs() < self.eye_gap - outer + 2 && eye_down.abs() < 2;
            if ring || bridge {
                return Some(DARK);
            }
        }
        let brow = beside_eye.abs() < self.eye_size + 5 && (-19..-15).contains(&eye_down);
        if brow {
            return Some(shade(self.hair));
        }
        let nose = (0..26).contains(&eye_down) && across.abs() <= 2 + eye_down / 5;
        if nose && across.abs() >= eye_down / 5 {
            return Some(shade(self.skin));
        }
        // A bow: the ends of the mouth lie higher than its middle.
        let mouth_down = down - 42 + across * across / (self.mouth * 3);
        (across.abs() < self.mouth && (0..6).contains(&mouth_down)).then_some(LIPS)
    }
}

/// Whether a point lies in an ellipse around the origin.
fn inside(x: i32, y: i32, half_width: i32, half_height: i32) -> bool {
    let (a, b) = (half_width * half_width, half_height * half_height);
    x * x * b + y * y * a <= a * b
}

fn shade(colour: Colour) -> Colour {
    colour.map(|part| part - part / 5)
}

fn choose<const N: usize>(from: &[Colour; N], number: i32) -> Colour {
    let place = usize::try_from(number).unwrap_or_default() % N;
    from.get(place).copied().unwrap_or(WHITE)
}

/// Face number 1 in JPEG 2000, by OpenJPEG; see `tests/vectors/openjpeg/README.md`.
pub(crate) const JPEG_2000: &[u8] = include_bytes!("portrait.jp2");

const QUALITY: u8 = 85;
const CENTRE_X: i32 = 120;
const CENTRE_Y: i32 = 140;

const BACKGROUND: Colour = [214, 222, 230];
const WHITE: Colour = [250, 250, 250];
const DARK: Colour = [40, 40, 48];
const LIPS: Colour = [176, 92, 92];
const SKINS: [Colour; 6] = [
    [250, 219, 196],
    [238, 196, 160],
    [214, 164, 122],
    [178, 126, 88],
    [134, 90, 62],
    [92, 62, 46],
];
const HAIRS: [Colour; 6] = [
    [28, 24, 24],
    [70, 46, 30],
    [120, 78, 44],
    [190, 150, 92],
    [150, 66, 36],
    [170, 170, 172],
];
const EYES: [Colour; 4] = [[64, 42, 28], [52, 92, 124], [70, 106, 70], [96, 84, 64]];
const COATS: [Colour; 5] = [
    [44, 62, 92],
    [92, 44, 56],
    [52, 82, 64],
    [74, 74, 80],
    [120, 96, 60],
];
