//! What a call leaves behind on the stack: a pattern is written below its caller before, and looked for after.

use core::arch::asm;
use core::cell::Cell;
use core::ptr::{read_volatile, write_volatile};

/// Bytes below the caller that are looked at: sixteen times what is overwritten.
const DEPTH: usize = 256 * 1024;
/// Of these the first, which the functions of this file use themselves: a kernel saves registers of its caller there.
const OWN: usize = 128;
const PATTERN: u64 = 0x5a5a_a5a5_5a5a_a5a5;

/// What was seen.
#[derive(Clone, Copy)]
pub struct Seen {
    /// Words that are neither of the pattern nor zero.
    pub left: u64,
    /// Bytes down to the last word that was written.
    pub depth: u64,
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen { left: 0, depth: 0 }) };
}

/// Of the last call.
pub fn seen() -> Seen {
    SEEN.get()
}

/// Where the stack of the calling function ends.
#[inline(always)]
fn stack_pointer() -> usize {
    let here: usize;
    // SAFETY: it reads a register.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov {}, rsp", out(reg) here, options(nomem, nostack));
        #[cfg(target_arch = "aarch64")]
        asm!("mov {}, sp", out(reg) here, options(nomem, nostack));
    }
    here
}

#[inline(never)]
unsafe fn paint(from: *mut u64, count: usize) {
    for i in 0..count {
        write_volatile(from.add(i), PATTERN);
    }
}

#[inline(never)]
unsafe fn look(from: *const u64, count: usize) -> Seen {
    let (mut left, mut deepest) = (0, count);
    for i in (0..count).rev() {
        let word = read_volatile(from.add(i));
        left += (word != PATTERN && word != 0) as u64;
        deepest = if word == PATTERN { deepest } else { i };
    }
    Seen { left, depth: (8 * (count - deepest) + OWN) as u64 }
}

/// In the frame that calls a kernel, just before.
#[inline(always)]
pub fn calling() {
    // SAFETY: nobody uses what is below the stack, but for the function that writes there.
    unsafe { paint((stack_pointer() - DEPTH) as *mut u64, (DEPTH - OWN) / 8) }
}

/// In the same frame, when the stack was overwritten.
#[inline(always)]
pub fn called() {
    // SAFETY: as above.
    SEEN.set(unsafe { look((stack_pointer() - DEPTH) as *const u64, (DEPTH - OWN) / 8) });
}
