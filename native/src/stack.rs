//! The stack below a caller, which is overwritten when what it called has returned: spilled registers hold shares.

use crate::simd::*;

/// Bytes that are overwritten, as many as the module of WebAssembly has. No kernel goes deeper (`check/`).
pub const STACK: usize = 16 * 1024;

/// Overwrites what a kernel left behind, called where the kernel was called. Registers are not cleared.
#[inline(never)]
pub unsafe fn wipe() {
    let mut left = core::mem::MaybeUninit::<[v128; STACK / 16]>::uninit();
    let words = left.as_mut_ptr() as *mut v128;
    // Vectors, for a u128 is written by halves.
    for i in 0..STACK / 16 {
        core::ptr::write_volatile(words.add(i), i32x4_splat(0));
    }
}
