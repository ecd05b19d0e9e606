//! What `bench/wasm/run.mjs` measured under Node.

use serde::{Deserialize, Serialize};

use crate::cases::{AGE, NYM, RENEWAL, SIGN_IN};

/// The holder's proofs as a browser makes them: without assembly.
#[derive(Deserialize, Serialize)]
pub struct Wasm {
    pub node: String,
    pub rounds: usize,
    /// Generators and one certificate.
    pub once_ms: f64,
    pub proofs: Vec<Proof>,
}

#[derive(Deserialize, Serialize)]
pub struct Proof {
    pub name: String,
    pub ms: f64,
    pub octets: usize,
}

impl Wasm {
    pub fn read(path: &str) -> std::io::Result<Wasm> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }
}

impl Proof {
    /// The case that is the same outside wasm.
    pub fn native(&self) -> Option<&'static str> {
        let [_, (_, [certificate, _]), _] = NYM;
        match self.name.as_str() {
            "first_issuance" => None,
            "renewal" => Some(RENEWAL[0]),
            "sign_up" => Some(certificate),
            "sign_up_with_age" => Some(AGE[0]),
            "sign_in" => Some(SIGN_IN[0]),
            name => panic!("run.mjs measured {name}, which is no case"),
        }
    }
}
