//! The requests that a program can make of the `valgrind` that runs it.
//!
//! Source: valgrind.h and memcheck.h of valgrind 3.19, platform amd64-linux. Natively the
//! instructions do nothing.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "valgrind listens to a sequence of instructions, which only assembly can make"
    )
)]

/// `VG_USERREQ__RUNNING_ON_VALGRIND`
const RUNNING: usize = 0x1001;
/// `VG_USERREQ__MAKE_MEM_UNDEFINED`
const MAKE_UNDEFINED: usize = 0x4d43_0001;
/// `VG_USERREQ__MAKE_MEM_DEFINED`
const MAKE_DEFINED: usize = 0x4d43_0002;

/// Whether valgrind runs this program.
pub(crate) fn is_running() -> bool {
    request(RUNNING, 0, 0) != 0
}

/// From now on valgrind reports a branch or an address that depends on these octets.
pub(crate) fn make_undefined(octets: &mut [u8]) {
    request(MAKE_UNDEFINED, octets.as_mut_ptr().addr(), octets.len());
}

/// These octets are public.
pub(crate) fn make_defined(octets: &mut [u8]) {
    request(MAKE_DEFINED, octets.as_mut_ptr().addr(), octets.len());
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_: usize, _: usize, _: usize) -> usize {
    0
}

#[cfg(target_arch = "x86_64")]
fn request(number: usize, address: usize, length: usize) -> usize {
    let arguments = [number, address, length, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: the rotations add up to whole turns and the exchange is of a register with itself,
    // so natively no register changes; valgrind reads six words behind rax and writes rdx.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}
