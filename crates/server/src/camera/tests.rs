use face::{Image, Prompt};

use super::*;

fn challenge(end_ms: u32) -> Challenge {
    let prompt = |movement, from_ms, until_ms| Prompt {
        movement,
        from_ms,
        until_ms,
    };
    let prompts = vec![
        prompt(Movement::Nearer, 20, 40),
        prompt(Movement::TurnLeft, 60, 80),
    ];
    Challenge::of(prompts, end_ms).unwrap()
}

/// Somebody who remembers what was said.
#[derive(Default)]
struct Memory(Vec<String>);

impl Prompter for Memory {
    fn movement(&mut self, number: usize, movement: Movement) {
        self.0.push(format!("{number} {movement:?}"));
    }

    fn straight(&mut self) {
        self.0.push("straight".to_owned());
    }

    fn wait(&mut self, _what: &str) {
        self.0.push("wait".to_owned());
    }
}

#[test]
fn a_source_is_told_by_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let parse = |text: &str| Source::parse(text).unwrap();
    assert_eq!(parse(path), Source::Folder(path.into()));
    assert_eq!(parse("me.mp4"), Source::Video("me.mp4".into()));
    assert_eq!(
        parse("/dev/video7"),
        Source::Camera(Some("v4l2"), "/dev/video7".to_owned())
    );
    let address = "http://127.0.0.1:8080/video";
    assert_eq!(parse(address), Source::Camera(None, address.to_owned()));
}

#[tokio::test]
async fn each_challenge_has_a_folder_whose_pictures_are_taken_in_the_order_of_their_times() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("1")).unwrap();
    let place = folder.path().join("2");
    let writer = tokio::spawn(async move {
        while !place.join(folder::PROMPTS).exists() {
            tokio::task::yield_now().await;
        }
        for (ms, grey) in [(160, 90), (0, 30), (1000, 200)] {
            let jpeg = crate::picture::encode(&Image::new(8, 8, vec![grey; 192]).unwrap()).unwrap();
            let with_comment = [&jpeg[..2], b"\xFF\xFE\x00\x07HELLO", &jpeg[2..]].concat();
            std::fs::write(place.join("new"), with_comment).unwrap();
            std::fs::rename(place.join("new"), place.join(format!("{ms}.jpg"))).unwrap();
        }
        std::fs::write(place.join("notes.txt"), "no picture").unwrap();
    });
    let source = Source::Folder(folder.path().to_owned());
    let mut heard = Memory::default();
    let mut camera = source.open().await.unwrap();
    let filmed = camera.film(&challenge(100), &mut heard).await.unwrap();
    writer.await.unwrap();
    let times: Vec<_> = filmed.iter().map(|frame| frame.time_ms).collect();
    assert_eq!(times, [0, 160, 1000]);
    let hello = |frame: &Frame| frame.jpeg.windows(5).any(|octets| octets == b"HELLO");
    assert!(!filmed.iter().any(hello), "a comment is sent along");
    assert_eq!(
        heard.0,
        [
            "straight",
            "1 Nearer",
            "straight",
            "2 TurnLeft",
            "straight",
            "wait"
        ]
    );
}

#[tokio::test]
async fn what_is_no_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("1");
    let source = Source::Folder(folder.path().to_owned());
    let mut camera = source.open().await.unwrap();
    let writer = tokio::spawn(async move {
        while !place.join(folder::PROMPTS).exists() {
            tokio::task::yield_now().await;
        }
        std::fs::write(place.join("900.jpg"), "no picture").unwrap();
    });
    let refused = camera.film(&challenge(100), &mut Memory::default()).await;
    writer.await.unwrap();
    let refused = refused.err().unwrap();
    assert_eq!(refused.id, "picture-unusable");
    assert!(refused.what.contains("900.jpg"), "{}", refused.what);
}
