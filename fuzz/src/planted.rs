//! A parser with a fault, by which a fuzzer shows that it finds any.

use crate::Target;

pub(crate) static TARGET: Target = Target::new("planted", run, Vec::new);

/// Panics on one word. Only who sees which comparisons an input passes finds it in seconds: drawn
/// blindly it would take some billion inputs.
fn run(data: &[u8]) -> bool {
    let is = |at: usize, letter: u8| data.get(at) == Some(&letter);
    if is(0, b'm') && is(1, b'a') && is(2, b's') && is(3, b'k') {
        panic!("the planted panic");
    }
    is(0, b'm')
}
