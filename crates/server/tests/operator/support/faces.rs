//! What faces are compared with.

use face::Image;
use mrtd::EncodedImage;
use server::demo::Faces;

/// Networks and photographs; `None` where there are none, which CI does not accept.
pub(crate) fn given() -> Option<Faces> {
    let faces = Faces::from_environment();
    if faces.is_none() {
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!ci, "{MISSING}");
        eprintln!("skipped: {MISSING}");
    }
    faces
}

/// Photographs are larger than portraits may be.
pub(crate) fn decode(octets: &[u8]) -> Image {
    let encoded = EncodedImage::new(octets).unwrap();
    let pixels = encoded.decode_within(Image::PIXELS_MAX).unwrap();
    Image::new(pixels.width(), pixels.height(), pixels.rgb().to_vec()).unwrap()
}

const MISSING: &str = "no networks or photographs of faces; see tools/face-models";
