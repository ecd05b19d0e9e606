//! HTTP: what all roles share. Each role's routes stand in a module of its own.

pub mod aside;
pub mod bearer;
pub mod body;
pub mod connector;
pub mod gateway;
pub mod operator;
pub mod problem;
pub mod run_to_end;
pub mod trustee;
