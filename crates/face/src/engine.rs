//! What runs the networks: a pure Rust engine, and ONNX Runtime with the feature `ort`.

#[cfg(feature = "ort")]
mod onnx_runtime;
#[cfg(feature = "rten")]
mod rten;

use core::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(feature = "ort")]
pub use onnx_runtime::OnnxRuntime;
#[cfg(feature = "rten")]
pub use rten::Rten;

/// Something that runs networks.
pub trait Engine {
    /// Reads a network from the octets of its ONNX file.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotLoaded`].
    fn load(&self, onnx: &[u8]) -> Result<Box<dyn Network>, EngineError>;
}

/// A network with one input, ready to run from several threads.
pub trait Network: Send + Sync {
    /// Its outputs for this input, in the order of its file.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotRun`].
    fn run(&self, input: &Tensor) -> Result<Vec<Tensor>, EngineError>;
}

/// Numbers in a grid of any dimensions, the last of which varies fastest. Wiped when dropped.
pub struct Tensor {
    shape: Vec<usize>,
    values: Zeroizing<Vec<f32>>,
}

impl Tensor {
    /// Takes as many values as the shape has places; a missing one is zero, and one too many is
    /// left out.
    #[must_use]
    pub fn new(shape: Vec<usize>, mut values: Zeroizing<Vec<f32>>) -> Tensor {
        values.resize(shape.iter().product(), 0.0);
        Tensor { shape, values }
    }

    /// The length of each dimension.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({:?}, ..)", self.shape)
    }
}

/// A network could not be used. That is our failure, never that of the face.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The engine's library is not there or is not one.
    #[error("the engine's library cannot be used: {0}")]
    NoLibrary(String),
    /// The octets are not a network that the engine can run.
    #[error("the network cannot be loaded: {0}")]
    NotLoaded(String),
    /// The engine refused the input or failed.
    #[error("the network cannot be run: {0}")]
    NotRun(String),
    /// The outputs are not those that this network has.
    #[error("the network's output has an unexpected form")]
    WrongOutput,
}

#[cfg(all(test, feature = "ort"))]
mod tests;
