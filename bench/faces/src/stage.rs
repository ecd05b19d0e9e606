//! A person with a passport who follows a challenge before a camera.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, anyhow};
use face::specimen::{Act, Actor, Medium};
use face::{BadFrame, Challenge, Compared, Frames, Image, Landmarks, Matcher, Recognizer};
use jpeg_encoder::{ColorType, Encoder};
use mrtd::specimen::{SignatureKind, SpecimenAuthority, SpecimenPassport, specimen_holder};
use mrtd::{CalendarDate, DocumentFiles, EncodedImage, Period, TrustStore, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Of a frame: a phone's camera that is held upright.
pub const SIZE: (u16, u16) = (480, 640);
const GAP_MS: u32 = 250;
/// Of so many frames each network is timed at once.
const TIMED: usize = 8;
const NOW: UnixTime = UnixTime(1_800_000_000);
const YEAR: u64 = 365 * 86_400;

pub struct Stage {
    challenge: Challenge,
    times_ms: Vec<u32>,
    encoded: Vec<Vec<u8>>,
    portrait: Vec<u8>,
    decoded_portrait: Image,
    /// Some frames with their landmarks, for each network by itself.
    samples: Vec<(Image, Landmarks)>,
    passport: SpecimenPassport,
    trust: TrustStore,
}

impl Stage {
    pub fn new(recognizer: &Recognizer, photographs: &Path) -> anyhow::Result<Stage> {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let challenge = Challenge::draw(&mut rng);
        let actor = |name: &str| -> anyhow::Result<Actor> {
            let octets = std::fs::read(photographs.join(name).with_extension("jpg"))?;
            Ok(Actor::new(recognizer, decode(&octets)?, Medium::Head)?)
        };
        let (person, pictured) = (actor("obama")?, actor("obama2")?);
        let times_ms: Vec<u32> = (0..=challenge.end_ms() / GAP_MS)
            .map(|n| n * GAP_MS)
            .collect();
        let frames = times_ms.iter().map(|time| {
            let act = Act::following(&challenge, *time);
            encode(&person.frame(act, SIZE, &mut rng))
        });
        let encoded = frames.collect::<anyhow::Result<Vec<_>>>()?;
        let portrait = encode(&pictured.frame(Act::STRAIGHT, (480, 640), &mut rng))?;
        let every = encoded.len() / TIMED;
        let samples = encoded.iter().step_by(every).take(TIMED).map(|octets| {
            let image = decode(octets)?;
            let landmarks = recognizer.locate(&image)?;
            Ok((image, landmarks))
        });
        let samples = samples.collect::<anyhow::Result<_>>()?;
        let (passport, trust) = passport(&mut rng)?;
        Ok(Stage {
            challenge,
            times_ms,
            encoded,
            decoded_portrait: decode(&portrait)?,
            portrait,
            samples,
            passport,
            trust,
        })
    }

    pub fn frames(&self) -> usize {
        self.encoded.len()
    }

    /// Milliseconds of one run of a network, with all that it takes to give it its input.
    pub fn time_network(&self, recognizer: &Recognizer, network: usize) -> anyhow::Result<f64> {
        let begun = Instant::now();
        for (image, face) in &self.samples {
            match network {
                0 => drop(recognizer.detect(image)?),
                1 => drop(recognizer.follow(image, face)?),
                2 => drop(recognizer.openness(image, face)?),
                3 => drop(recognizer.matcher_a().template(image, face)?),
                _ => drop(recognizer.matcher_b().template(image, face)?),
            }
        }
        Ok(begun.elapsed().as_secs_f64() * 1e3 / self.samples.len() as f64)
    }

    pub fn decoded(&self) -> Vec<Option<Image>> {
        self.encoded
            .iter()
            .map(|octets| decode(octets).ok())
            .collect()
    }

    /// The face check alone. The same frames are chosen each time.
    pub fn examine(
        &self,
        recognizer: &Recognizer,
        decoded: Vec<Option<Image>>,
    ) -> anyhow::Result<Compared> {
        let mut frames = Film(&self.times_ms, decoded);
        self.look(recognizer, &self.decoded_portrait, &mut frames)
    }

    /// As the service does it: each frame is decoded when it is looked at.
    pub fn examine_encoded(&self, recognizer: &Recognizer) -> anyhow::Result<Compared> {
        let portrait = decode(&self.portrait)?;
        let mut frames = Upload(self);
        self.look(recognizer, &portrait, &mut frames)
    }

    fn look(
        &self,
        recognizer: &Recognizer,
        portrait: &Image,
        frames: &mut dyn Frames,
    ) -> anyhow::Result<Compared> {
        let mut rng = ChaCha20Rng::from_seed([8; 32]);
        let shown = (&self.challenge, frames);
        Ok(face::examine(recognizer, portrait, shown, &mut rng)?)
    }

    pub fn decode_all(&self) -> anyhow::Result<()> {
        let mut all = self.encoded.iter().chain([&self.portrait]);
        all.try_for_each(|octets| decode(octets).map(drop))
    }

    pub fn authenticate(&self) -> anyhow::Result<()> {
        let files = DocumentFiles {
            dg1: &self.passport.dg1,
            dg2: Some(&self.passport.dg2),
            others: &[],
            sod: &self.passport.sod,
        };
        files.authenticate(&self.trust, NOW)?;
        Ok(())
    }
}

struct Film<'s>(&'s [u32], Vec<Option<Image>>);

impl Frames for Film<'_> {
    fn times_ms(&self) -> &[u32] {
        self.0
    }

    fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
        self.1
            .get_mut(number)
            .and_then(Option::take)
            .ok_or(BadFrame)
    }
}

struct Upload<'s>(&'s Stage);

impl Frames for Upload<'_> {
    fn times_ms(&self) -> &[u32] {
        &self.0.times_ms
    }

    fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
        let octets = self.0.encoded.get(number).ok_or(BadFrame)?;
        decode(octets).map_err(|_| BadFrame)
    }
}

fn decode(octets: &[u8]) -> anyhow::Result<Image> {
    let encoded = EncodedImage::new(octets).context("not an image")?;
    let pixels = encoded.decode_within(Image::PIXELS_MAX)?;
    Ok(Image::new(
        pixels.width(),
        pixels.height(),
        pixels.rgb().to_vec(),
    )?)
}

fn encode(image: &Image) -> anyhow::Result<Vec<u8>> {
    let mut encoded = Vec::new();
    Encoder::new(&mut encoded, 90).encode(
        image.rgb(),
        image.width(),
        image.height(),
        ColorType::Rgb,
    )?;
    Ok(encoded)
}

fn passport(rng: &mut ChaCha20Rng) -> anyhow::Result<(SpecimenPassport, TrustStore)> {
    let kind = SignatureKind::EcdsaP256;
    let years = |from: u64, until: u64| Period {
        from: UnixTime(NOW.0 - from * YEAR),
        until: UnixTime(NOW.0 + until * YEAR),
    };
    let authority = SpecimenAuthority::generate(kind, years(3, 12), rng)?;
    let signer = authority.issue_signer(kind, years(2, 1), years(2, 11), rng)?;
    let holder = specimen_holder(1, CalendarDate::from_unix(NOW)?)?;
    let signed = Some(UnixTime(NOW.0 - YEAR));
    let passport = signer.issue(&holder, signed, rng)?;
    let trust = TrustStore::from_der([authority.certificate()])
        .map_err(|(_, error)| anyhow!("the authority: {error}"))?;
    Ok((passport, trust))
}
