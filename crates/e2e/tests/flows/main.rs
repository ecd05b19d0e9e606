//! Whole flows, and the harms that must be impossible, through the real programs.

mod enrolment;
mod numbers;
