//! Networks run by `rten`.
//!
//! What it computes on the way stands in memory that it frees without wiping: a process that handles
//! faces of people needs an allocator that wipes, as the server's does.

use core::num::NonZeroUsize;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::{Layout, TensorView};
use zeroize::Zeroizing;

use super::{Engine, EngineError, Network, Tensor};

/// The engine in Rust alone.
pub struct Rten {
    threads: Arc<ThreadPool>,
}

impl Rten {
    /// Starts the threads that all networks of this engine run on, whoever runs them: as many as
    /// cores may be busy with faces at once.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Rten {
        Rten {
            threads: Arc::new(ThreadPool::with_num_threads(threads.get())),
        }
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
            threads: Arc::clone(&self.threads),
            model,
        }))
    }
}

struct Loaded {
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    threads: Arc<ThreadPool>,
}

impl Network for Loaded {
    fn run(&self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        let view = TensorView::try_from_data(input.shape(), input.values())
            .map_err(|e| EngineError::NotRun(e.to_string()))?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
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
