//! This crate, its peers and the floor in one process: every operation once in each round, medians.

mod cases;
mod floor;
mod operation;
mod ours;
mod zkryptium;

fn main() {
    let mut operations = floor::operations();
    operations.extend(ours::operations());
    operations.extend(zkryptium::operations());
    for m in operation::measure(operations, 11) {
        println!("{} {} {} {:.3}", m.case, m.by.name(), m.way, m.ms);
    }
}
