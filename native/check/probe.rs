//! What a call leaves behind on the stack: a pattern is written below the caller, and looked for when the call is over.

use core::hint::black_box;
use core::ptr::{read_volatile, write_volatile};

/// Bytes below the caller that are looked at: sixteen times what is overwritten.
const DEPTH: usize = 256 * 1024;
/// Bytes below this file's own functions, which use them themselves.
const OWN: usize = 512;
const PATTERN: u64 = 0x5a5a_a5a5_5a5a_a5a5;

/// The words below the calling function.
#[inline(always)]
fn below(mark: &u64) -> (*mut u64, usize) {
    let top = (mark as *const u64 as usize - OWN) & !7;
    ((top - DEPTH) as *mut u64, DEPTH / 8)
}

/// Writes the pattern.
#[inline(never)]
pub unsafe fn paint() {
    let mark = black_box(0u64);
    let (from, count) = below(&mark);
    for i in 0..count {
        write_volatile(from.add(i), PATTERN);
    }
}

/// Words that are neither of the pattern nor zero, and how deep the call and its wiping went, in bytes.
#[inline(never)]
pub unsafe fn look() -> (u64, u64) {
    let mark = black_box(0u64);
    let (from, count) = below(&mark);
    let (mut left, mut deepest) = (0, count);
    for i in (0..count).rev() {
        let word = read_volatile(from.add(i));
        left += (word != PATTERN && word != 0) as u64;
        deepest = if word == PATTERN { deepest } else { i };
    }
    (left, (8 * (count - deepest) + OWN) as u64)
}
