//! The program `bauta`: HTTP, configuration and commands around the pure crates.
//!
//! What it is not: it holds no rule of the service. Handlers unpack a request, call `service`
//! or `gateway`, and wrap the answer. Not reviewed by an outside party.
#![forbid(unsafe_code)]

pub mod authority;
mod camera;
mod chip;
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
mod document;
pub mod failure;
pub mod files;
pub mod http;
pub mod logs;
mod picture;
pub mod reader;
pub mod serve;
pub mod tls;
pub mod trustees;
