//! Gated sums of cosines by two integer tables: P1's table of one or two entries, and the basis of P0 and P2.

use crate::table::begin;

/// Steps of a quarter turn.
const QUARTER: u64 = 1 << 18;

/// A term of the sum, as the host lays it out.
#[repr(C)]
pub struct Term {
    frequency: u32,
    /// At scale 2^24.
    amplitude: i32,
    s1: u32,
    s2: u32,
    /// The basis words are multiples of 2^v.
    v: u32,
}

/// The nearest integer to v / 2^drop, halves up; drop < 64.
#[inline(always)]
fn nearest(v: i64, drop: u32) -> i64 {
    v.wrapping_add((1i64 << drop) >> 1) >> drop
}

/// 2^30 times cosine and sine of 2π · angle / 2^20, by the coarse cosines a quarter and a half before. `tables`: 1024
/// coarse cosines of a whole turn, 1024 fine cosines, 1024 fine sines.
/// The angle is a multiple of a masked value or of a mask that the caller knows: an address may depend on it.
#[inline(always)]
unsafe fn turn(tables: *const i32, angle: u64) -> [i64; 2] {
    let (high, low) = ((angle >> 10) as usize & 1023, angle as usize & 1023);
    let coarse = |before: usize| *tables.add(high.wrapping_sub(before) & 1023) as i64;
    let (cos, sin, minus) = (coarse(0), coarse(256), coarse(512));
    let (fine_cos, fine_sin) = (*tables.add(1024 + low) as i64, *tables.add(2048 + low) as i64);
    [nearest(cos * fine_cos - sin * fine_sin, 30), nearest(sin * fine_cos - minus * fine_sin, 30)]
}

/// The table of a sum of cosines: entry w is zero where gate ⊕ w is. One entry without a gate (null). `leading`
/// words come first: (constant, plus a if `linear`) and −1. `temp` has room for two entries.
#[no_mangle]
pub unsafe extern "C" fn table_cosine(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    widths: *const u32,
    p: usize,
    shift: u32,
    count: usize,
    a: *const u64,
    gate: *const u32,
    tables: *const i32,
    terms: *const Term,
    m: usize,
    odd: u32,
    leading: usize,
    linear: u32,
    constant: u64,
    temp: *mut u64,
) {
    let words = leading + 2 * m;
    let entries = if gate.is_null() { 1 } else { 2 };
    let mut table = begin(state, block, buf, skip, widths, p, shift);
    let phase = odd as u64 * QUARTER;
    for i in 0..count {
        let x = *a.add(i);
        if leading > 0 {
            *temp = constant.wrapping_add(if linear == 0 { 0 } else { x });
        }
        if leading > 1 {
            *temp.add(1) = u64::MAX;
        }
        for t in 0..m {
            let term = &*terms.add(t);
            let angle = x.wrapping_mul(term.frequency as u64).wrapping_sub(phase);
            for (q, of) in turn(tables, angle).into_iter().enumerate() {
                let value = nearest(term.amplitude as i64 * of, 54 - term.s1);
                *temp.add(leading + 2 * t + q) = value as u64;
            }
        }
        if entries == 2 {
            let off = (*gate.add(i) as u64 & 1).wrapping_sub(1); // all ones where gate = 0
            for p in 0..words {
                let word = *temp.add(p);
                *temp.add(p) = word & !off;
                *temp.add(words + p) = word & off;
            }
        }
        table.emit(temp, entries * words);
    }
}

/// φ of a sum of cosines as words of a ring in 64-bit lanes: 2^shift and 2^shift · ℓ as far as `leading` goes, then
/// cosine and sine of every term.
#[no_mangle]
pub unsafe extern "C" fn cosine_basis(
    l: *const u64,
    out: *mut u64,
    n: usize,
    tables: *const i32,
    terms: *const Term,
    m: usize,
    leading: usize,
    shift: u32,
    mask: u64,
) {
    let words = leading + 2 * m;
    for i in 0..n {
        let x = *l.add(i);
        let to = out.add(words * i);
        if leading > 0 {
            *to = (1 << shift) & mask;
        }
        if leading > 1 {
            *to.add(1) = (x << shift) & mask;
        }
        for t in 0..m {
            let term = &*terms.add(t);
            let angle = x.wrapping_mul(term.frequency as u64);
            for (q, of) in turn(tables, angle).into_iter().enumerate() {
                *to.add(leading + 2 * t + q) = (nearest(of, 30 - term.s2) << term.v) as u64 & mask;
            }
        }
    }
}
