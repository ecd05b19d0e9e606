//! An engine that counts how often each of its networks runs.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use face::engine::{Engine, EngineError, Network, Tensor};

use crate::NETWORKS;

/// Counts the runs of what another engine loads.
pub struct Counted {
    engine: Box<dyn Engine>,
    runs: RefCell<Vec<Arc<AtomicUsize>>>,
}

impl Counted {
    pub fn new(engine: Box<dyn Engine>) -> Counted {
        Counted {
            engine,
            runs: RefCell::default(),
        }
    }

    /// The counts of the networks that were loaded so far.
    pub fn runs(&self) -> Runs {
        Runs(self.runs.borrow().clone())
    }
}

impl Engine for Counted {
    fn load(&self, onnx: &[u8]) -> Result<Box<dyn Network>, EngineError> {
        let network = self.engine.load(onnx)?;
        let runs = Arc::new(AtomicUsize::new(0));
        self.runs.borrow_mut().push(Arc::clone(&runs));
        Ok(Box::new(CountedNetwork { network, runs }))
    }
}

struct CountedNetwork {
    network: Box<dyn Network>,
    runs: Arc<AtomicUsize>,
}

impl Network for CountedNetwork {
    fn run(&self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.network.run(input)
    }
}

/// One count a network.
pub struct Runs(Vec<Arc<AtomicUsize>>);

impl Runs {
    pub fn reset(&self) {
        self.0
            .iter()
            .for_each(|runs| runs.store(0, Ordering::Relaxed));
    }

    /// The eyes are two runs and count as one.
    pub fn read(&self) -> [usize; NETWORKS.len()] {
        let mut counts = [0; NETWORKS.len()];
        for ((count, runs), name) in counts.iter_mut().zip(&self.0).zip(NETWORKS) {
            let both = if name == "eyes" { 2 } else { 1 };
            *count = runs.load(Ordering::Relaxed) / both;
        }
        counts
    }
}
