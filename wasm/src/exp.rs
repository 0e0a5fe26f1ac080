//! The exponential by two integer tables: P1's table of segments, and the basis of P0 and P2.

use crate::table::begin;

/// The exponential: `segments` (a power of two) of 2^bits ulps, each with a factor and the bits that it drops. Words
/// are (gate ⊕ w) · ((fraction · factor + half) >> drop).
#[no_mangle]
pub unsafe extern "C" fn table_exp(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    widths: *const u32,
    p: usize,
    shift: u32,
    count: usize,
    a: *const u64,
    gate: *const u64,
    coarse: *const u32,
    fine: *const u32,
    factor: *const u32,
    drops: *const u32,
    segments: usize,
    bits: u32,
    temp: *mut u64,
) {
    let mut table = begin(state, block, buf, skip, widths, p, shift);
    for i in 0..count {
        let x = *a.add(i);
        let below = (1usize << bits) - (x as usize & ((1 << bits) - 1));
        let product = *coarse.add(below >> 11) as u64 * *fine.add(below & 2047) as u64;
        let fraction = (product + (1 << 30)) >> 31;
        let off = (*gate.add(i) & 1).wrapping_sub(1); // all ones where gate = 0
        for j in 0..segments {
            let s = ((x >> bits) as usize).wrapping_sub(j) & (segments - 1);
            let drop = *drops.add(s);
            // fraction ≤ 2^31 and the factor < 2^32, so half of what is dropped (at most 2^62) still fits.
            let value = (fraction * *factor.add(s) as u64 + ((1u64 << drop) >> 1)) >> drop;
            *temp.add(2 * j) = value & !off;
            *temp.add(2 * j + 1) = value & off;
        }
        table.emit(temp, 2 * segments);
    }
}

/// φ of the exponential as 64-bit words: (coarse · fine + half) >> drop.
#[no_mangle]
pub unsafe extern "C" fn exp_basis(
    l: *const u64,
    out: *mut u64,
    n: usize,
    coarse: *const u32,
    fine: *const u32,
    half: u64,
    drop: u32,
    bits: u32,
) {
    for i in 0..n {
        let low = *l.add(i) as usize & ((1 << bits) - 1);
        let product = *coarse.add(low >> 11) as u64 * *fine.add(low & 2047) as u64;
        *out.add(i) = (product + half) >> drop;
    }
}
