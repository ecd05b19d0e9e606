//! Targets of `mrtd`: images, and the data groups beside zone and portrait.

use mrtd::{
    CalendarDate, DocumentDetails, EncodedImage, PersonalDetails, Portrait, WrittenName,
    WrittenTime, compose_dg7, compose_dg11, compose_dg12, parse_dg7, parse_dg11, parse_dg12,
};

use crate::Target;
use crate::targets_mrtd::specimen_portrait;

pub(crate) const TARGETS: [Target; 4] = [
    Target::new("mrtd_image", image, image_seeds),
    Target::new("mrtd_dg7", dg7, dg7_seeds),
    Target::new("mrtd_dg11", dg11, dg11_seeds),
    Target::new("mrtd_dg12", dg12, dg12_seeds),
];

fn image(data: &[u8]) -> bool {
    let Some(image) = EncodedImage::new(data) else {
        return false;
    };
    assert_eq!(image.octets(), data);
    image.decode().is_ok_and(|pixels| {
        let count = usize::from(pixels.width()) * usize::from(pixels.height());
        assert_eq!(pixels.rgb().len(), count * 3);
        true
    })
}

/// Small ones: a large one takes as long as a hundred of them.
fn image_seeds() -> Vec<Vec<u8>> {
    let vectors: [&[u8]; 3] = [
        include_bytes!("../../crates/mrtd/tests/vectors/openjpeg/lossy.jp2"),
        include_bytes!("../../crates/mrtd/tests/vectors/openjpeg/grey.jp2"),
        include_bytes!("../../crates/mrtd/tests/vectors/openjpeg/refused-alpha.jp2"),
    ];
    let mut seeds: Vec<_> = vectors.map(<[u8]>::to_vec).into();
    let portrait = Portrait::parse_dg2(&specimen_portrait()).expect("a portrait");
    seeds.push(portrait.image().to_vec());
    seeds
}

fn dg7(data: &[u8]) -> bool {
    let Ok(images) = parse_dg7(data) else {
        return false;
    };
    let octets: Vec<_> = images.iter().map(EncodedImage::octets).collect();
    if let Ok(file) = compose_dg7(&octets) {
        let again = parse_dg7(&file).expect("a file that was composed");
        assert!(again.iter().map(EncodedImage::octets).eq(octets));
    }
    true
}

fn dg7_seeds() -> Vec<Vec<u8>> {
    let images: [&[u8]; 2] = [b"\xff\xd8\xff\xe0\x01", b"\xff\x4f\xff\x51\x02"];
    vec![compose_dg7(&images).expect("two images")]
}

fn dg11(data: &[u8]) -> bool {
    parse_dg11(data).is_ok_and(|details| {
        let again = parse_dg11(&compose_dg11(&details));
        assert!(again.is_ok_and(|again| again == details));
        true
    })
}

fn name(primary: &str) -> WrittenName {
    WrittenName {
        primary: primary.to_owned(),
        secondary: "ADA EXAMPLE".to_owned(),
    }
}

fn day() -> Option<CalendarDate> {
    CalendarDate::new(1990, 2, 28).ok()
}

fn dg11_seeds() -> Vec<Vec<u8>> {
    let mut details = PersonalDetails::default();
    details.full_name = Some(name("SPECIMEN"));
    details.other_names = vec![name("O'BRIEN"), name("示例")];
    details.personal_number = Some("9000000001".to_owned());
    details.birth_date = day();
    details.place_of_birth = vec!["ANYTOWN".to_owned(), "UTO".to_owned()];
    details.other_documents = vec!["UT0000001".to_owned(), "UT0000002".to_owned()];
    let half_octets = b"\x6b\x07\x5f\x2b\x04\x19\x90\x02\x28".to_vec();
    vec![compose_dg11(&details).to_vec(), half_octets]
}

fn dg12(data: &[u8]) -> bool {
    parse_dg12(data).is_ok_and(|details| {
        let again = parse_dg12(&compose_dg12(&details));
        assert!(again.is_ok_and(|again| again == details));
        true
    })
}

fn dg12_seeds() -> Vec<Vec<u8>> {
    let mut details = DocumentDetails::default();
    details.issuing_authority = Some("UTOPIA PASSPORT OFFICE".to_owned());
    details.issued = day();
    details.other_persons = vec![name("SPECIMEN")];
    details.front = Some(vec![0xFF, 0xD8]);
    details.personalised = day().map(|day| WrittenTime {
        day,
        clock: [1, 2, 3],
    });
    vec![compose_dg12(&details).to_vec()]
}
