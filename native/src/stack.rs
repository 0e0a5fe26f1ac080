//! The stack below a caller, which is overwritten when what it called has returned: spilled registers hold shares.

/// Bytes that are overwritten, as many as the module of WebAssembly has. No kernel goes deeper (`check/`).
pub const STACK: usize = 16 * 1024;

/// Overwrites what a kernel left behind, called where the kernel was called. Registers are not cleared.
#[inline(never)]
pub unsafe fn wipe() {
    let mut left = core::mem::MaybeUninit::<[u128; STACK / 16]>::uninit();
    let words = left.as_mut_ptr() as *mut u128;
    for i in 0..STACK / 16 {
        core::ptr::write_volatile(words.add(i), 0);
    }
}
