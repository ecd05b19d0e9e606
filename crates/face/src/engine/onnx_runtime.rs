//! Networks run by ONNX Runtime, whose library is opened when it is first asked for.
//!
//! The library keeps what it computes in memory of its own, which nobody wipes before it is used
//! again.

use core::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use zeroize::Zeroizing;

use super::{Engine, EngineError, Network, Tensor};

/// ONNX Runtime, from a library that somebody else built: by network 1.2 to 4.1 times as fast, the
/// face check 1.5 times (docs/benchmarks.md).
pub struct OnnxRuntime {
    environment: Environment,
    threads: usize,
}

impl OnnxRuntime {
    /// Opens the library, such as `libonnxruntime.so` of the Python package `onnxruntime`. A
    /// process opens one; a later call takes the one that is open. Each network runs on `threads`
    /// threads.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoLibrary`].
    pub fn open(library: &Path, threads: NonZeroUsize) -> Result<OnnxRuntime, EngineError> {
        let opened = ort::init_from(library).map_err(|e| EngineError::NoLibrary(e.to_string()))?;
        let environment = opened.with_telemetry(false).build();
        Ok(OnnxRuntime {
            environment: environment.map_err(|e| EngineError::NoLibrary(e.to_string()))?,
            threads: threads.get(),
        })
    }
}

impl Engine for OnnxRuntime {
    fn load(&self, onnx: &[u8]) -> Result<Box<dyn Network>, EngineError> {
        let session = self.session(onnx);
        let session = session.map_err(|e| EngineError::NotLoaded(e.to_string()))?;
        Ok(Box::new(Loaded(Mutex::new(session))))
    }
}

impl OnnxRuntime {
    fn session(&self, onnx: &[u8]) -> ort::Result<Session> {
        Session::builder(&self.environment)?
            .with_intra_threads(self.threads)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .commit_from_memory(onnx)
    }
}

struct Loaded(Mutex<Session>);

impl Network for Loaded {
    fn run(&self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        // A session that panicked was not changed: its weights are constant.
        let mut session = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        run(&mut session, input).map_err(|e| EngineError::NotRun(e.to_string()))
    }
}

fn run(session: &mut Session, input: &Tensor) -> ort::Result<Vec<Tensor>> {
    let view = TensorRef::from_array_view((input.shape().to_vec(), input.values()))?;
    let outputs = session.run(ort::inputs![view])?;
    let read = outputs.iter().map(|(_, output)| {
        let (shape, values) = output.try_extract_tensor::<f32>()?;
        let shape = shape
            .iter()
            .map(|length| usize::try_from(*length).unwrap_or(0));
        Ok(Tensor::new(
            shape.collect(),
            Zeroizing::new(values.to_vec()),
        ))
    });
    read.collect()
}
