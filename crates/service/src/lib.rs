//! What the operator and the trustees do.
#![forbid(unsafe_code)]
