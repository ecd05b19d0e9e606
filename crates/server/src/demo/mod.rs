//! The whole system on one machine: its files, its processes, and one person's way through it.
//!
//! It does what an administrator would do by hand, with the same commands and configuration
//! files; nothing here is a short cut into a server.

pub mod browser;
pub mod chip;
pub mod deployment;
mod faces;
mod party;
pub mod processes;
mod seen;
mod walk;

pub use deployment::{Deployment, Party, Ports, SITES, SiteOfDemo};

pub use faces::{Faces, Person};
pub use walk::{WALLET, enrol, sign_in, walk};
