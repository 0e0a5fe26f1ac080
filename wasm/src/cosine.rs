//! Gated sums of cosines by two integer tables: P1's table of one or two entries, and the basis of P0 and P2.

use crate::simd::*;
use crate::table::begin;

/// Steps of a quarter turn.
const QUARTER: u64 = 1 << 18;

/// Elements of a basis that are made term by term: their words stay in the cache.
const BLOCK: usize = 64;

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

/// What `turn` gives too much.
const ABOVE: i64 = 1 << 32;

/// 2^30 times cosine and sine of 2π · angle / 2^20, by the coarse cosines a quarter and a half before, each in a lane
/// and larger by `ABOVE`. `tables`: 1024 fine cosines, 1024 fine sines, and of every step of 1024 of a whole turn the
/// coarse cosine with the one a quarter before.
/// The angle is a multiple of a masked value or of a mask that the caller knows: an address may depend on it.
#[inline(always)]
unsafe fn turn(tables: *const i32, angle: u64) -> v128 {
    let (high, low) = ((angle >> 10) as usize & 1023, angle as usize & 1023);
    let coarse =
        |before: usize| i64x2_splat(*(tables.add(2048 + 2 * (high.wrapping_sub(before) & 1023)) as *const i64));
    let fine = |from: usize| v128_load32_splat(tables.add(from + low) as *const u32);
    let product =
        i64x2_sub(i64x2_extmul_low_i32x4(coarse(0), fine(0)), i64x2_extmul_low_i32x4(coarse(256), fine(1024)));
    // Of what is not negative a shift without a sign rounds down as well.
    u64x2_shr(i64x2_add(product, i64x2_splat((1 << 29) + (ABOVE << 30))), 30)
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
            let both = turn(tables, angle);
            // Their low halves are the values themselves.
            let of = i32x4_shuffle::<0, 2, 4, 6>(both, both);
            let product = i64x2_extmul_low_i32x4(of, i32x4_splat(term.amplitude));
            let drop = 54 - term.s1;
            let up = i64x2_splat((1 << 62) + ((1i64 << drop) >> 1));
            let value = i64x2_sub(u64x2_shr(i64x2_add(product, up), drop), i64x2_splat(1 << (62 - drop)));
            v128_store(temp.add(leading + 2 * t) as *mut v128, value);
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
    let ring = i64x2_splat(mask as i64);
    let mut from = 0;
    while from < n {
        let to = if n - from < BLOCK { n } else { from + BLOCK };
        for i in from..to {
            if leading > 0 {
                *out.add(words * i) = (1 << shift) & mask;
            }
            if leading > 1 {
                *out.add(words * i + 1) = (*l.add(i) << shift) & mask;
            }
        }
        for t in 0..m {
            let term = &*terms.add(t);
            // To the nearest, halves up, of what is larger by 2^40: then that is taken away.
            let drop = 30 - term.s2;
            let up = i64x2_splat((1 << 40) - ABOVE + ((1i64 << drop) >> 1));
            let above = i64x2_splat(1 << (40 - drop));
            for i in from..to {
                let both = turn(tables, (*l.add(i)).wrapping_mul(term.frequency as u64));
                let value = i64x2_sub(u64x2_shr(i64x2_add(both, up), drop), above);
                let place = out.add(words * i + leading + 2 * t);
                v128_store(place as *mut v128, v128_and(i64x2_shl(value, term.v), ring));
            }
        }
        from = to;
    }
}
