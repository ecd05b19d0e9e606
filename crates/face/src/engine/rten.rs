//! Networks run by `rten`.
//!
//! What it computes on the way stands in memory that it frees without wiping: a process that handles
//! faces of people needs an allocator that wipes, as the server's does. Its threads keep parts of images
//! in buffers of their own for the next run, so each run has threads of its own, which end with it.

use core::num::NonZeroUsize;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::{Layout, TensorView};
use zeroize::Zeroizing;

use super::{Engine, EngineError, Network, Tensor};

/// The engine in Rust alone.
pub struct Rten {
    threads: NonZeroUsize,
}

impl Rten {
    /// Each run of a network takes so many threads.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Rten {
        Rten { threads }
    }
}

impl Engine for Rten {
    fn load(&self, onnx: &[u8]) -> Result<Box<dyn Network>, EngineError> {
        let model =
            Model::load(onnx.to_vec()).map_err(|e| EngineError::NotLoaded(e.to_string()))?;
        let [input] = model.input_ids() else {
            return Err(EngineError::NotLoaded("not one input".to_owned()));
        };
        Ok(Box::new(Loaded {
            input: *input,
            outputs: model.output_ids().to_vec(),
            threads: self.threads,
            model,
        }))
    }
}

struct Loaded {
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    threads: NonZeroUsize,
}

impl Network for Loaded {
    fn run(&self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        let view = TensorView::try_from_data(input.shape(), input.values())
            .map_err(|e| EngineError::NotRun(e.to_string()))?;
        let threads = ThreadPool::with_num_threads(self.threads.get());
        let options = RunOptions::default().with_thread_pool(Some(Arc::new(threads)));
        let inputs = vec![(self.input, view.into())];
        let outputs = self.model.run(inputs, &self.outputs, Some(options));
        let outputs = outputs.map_err(|e| EngineError::NotRun(e.to_string()))?;
        outputs.into_iter().map(of_value).collect()
    }
}

fn of_value(value: Value) -> Result<Tensor, EngineError> {
    let output: rten_tensor::Tensor<f32> =
        value.try_into().map_err(|_| EngineError::WrongOutput)?;
    let shape = output.shape().to_vec();
    Ok(Tensor::new(shape, Zeroizing::new(output.into_data())))
}
