//! Reads one octet behind a box. Under AddressSanitizer it must not get away with it.

fn main() {
    let octets: Box<[u8]> = Box::new([1; 16]);
    // From the environment, so that no compiler sees it coming: there is always one argument.
    let behind = 15 + std::env::args().count();
    // SAFETY: there is none. This is the fault that has to be reported.
    let octet = unsafe { octets.as_ptr().add(behind).read_volatile() };
    println!("read {octet} and nobody noticed");
}
