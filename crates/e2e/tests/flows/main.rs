//! Whole flows, and the harms that must be impossible, through the real programs.

mod ending;
mod enrolment;
mod linking;
mod numbers;
mod planted;
mod silence;
