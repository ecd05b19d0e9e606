//! What the networks cost: the least time of each over a hundred runs on one thread, and the memory
//! that loading them takes.
//!
//!     cargo run --release -p face --example measure -- "$(tools/face-models)" [LIBRARY]
//!
//! With the feature `ort` and the path of ONNX Runtime's library, that engine instead of `rten`.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use face::engine::{Engine, Rten, Tensor};
use zeroize::Zeroizing;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = paths.next().ok_or("the folder of networks is missing")?;
    let engine = engine(paths.next().as_deref())?;
    let mut inputs = Vec::new();
    let before = resident_kib()?;
    for (name, side) in [
        ("detector", 256),
        ("landmarks", 192),
        ("matcher-a", 112),
        ("matcher-b", 150),
    ] {
        let network = engine.load(&std::fs::read(folder.join(name).with_extension("onnx"))?)?;
        let values = (0..side * side * 3).map(|index| (index % 256) as f32 / 128.0 - 1.0);
        let input = Tensor::new(vec![1, side, side, 3], Zeroizing::new(values.collect()));
        inputs.push((name, network, input));
    }
    println!("loaded: {} MiB", (resident_kib()? - before) / 1024);
    for (name, network, input) in &inputs {
        let mut least = Duration::MAX;
        for _ in 0..100 {
            let begun = Instant::now();
            network.run(input)?;
            least = least.min(begun.elapsed());
        }
        println!("{name}: {:.1} ms", least.as_secs_f64() * 1e3);
    }
    println!("after running: {} MiB", (resident_kib()? - before) / 1024);
    Ok(())
}

#[cfg(feature = "ort")]
fn engine(library: Option<&Path>) -> Result<Box<dyn Engine>, Box<dyn Error>> {
    let one = NonZeroUsize::MIN;
    Ok(match library {
        Some(library) => Box::new(face::engine::OnnxRuntime::open(library, one)?),
        None => Box::new(Rten::new(one)),
    })
}

#[cfg(not(feature = "ort"))]
fn engine(library: Option<&Path>) -> Result<Box<dyn Engine>, Box<dyn Error>> {
    match library {
        Some(_) => Err("a library is of use with the feature ort alone".into()),
        None => Ok(Box::new(Rten::new(NonZeroUsize::MIN))),
    }
}

/// What of this process is in memory.
fn resident_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("the system does not say")?.parse()?)
}
