//! Both engines say the same of the same image.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::photographs::photo::named;

use super::{Engine, EngineError, OnnxRuntime, Rten, Tensor};

#[test]
fn outputs_agree_and_what_is_no_library_is_refused() {
    let (Some(library), Some(folder)) = (named("BAUTA_ONNXRUNTIME"), named("BAUTA_FACE_MODELS"))
    else {
        return;
    };
    let none = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let refused = OnnxRuntime::open(&none, NonZeroUsize::MIN).err().unwrap();
    assert!(matches!(refused, EngineError::NoLibrary(_)));

    let runtime = OnnxRuntime::open(&library, NonZeroUsize::MIN).unwrap();
    let engines: [&dyn Engine; 2] = [&Rten::new(NonZeroUsize::MIN), &runtime];
    for (name, side) in [
        ("detector", 256),
        ("landmarks", 192),
        ("eye", 64),
        ("matcher-a", 112),
        ("matcher-b", 150),
    ] {
        let onnx = std::fs::read(folder.join(name).with_extension("onnx")).unwrap();
        let values = (0..side * side * 3).map(|index| ((index * 37) % 256) as f32 / 128.0 - 1.0);
        let input = Tensor::new(vec![1, side, side, 3], Zeroizing::new(values.collect()));
        let [ours, theirs] = engines.map(|engine| engine.load(&onnx).unwrap().run(&input).unwrap());
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.shape(), theirs.shape());
            let largest = ours
                .values()
                .iter()
                .fold(1.0_f32, |most, value| most.max(value.abs()));
            let pairs = ours.values().iter().zip(theirs.values());
            let apart = pairs.fold(0.0_f32, |most, (one, other)| most.max((one - other).abs()));
            eprintln!("{name}: {apart:.1e} of {largest:.1}");
            assert!(apart < 1e-4 * largest, "{name}: {apart} of {largest}");
        }
    }
}
