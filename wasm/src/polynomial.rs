//! Piecewise polynomials: P1's table by Horner's rule on re-centred coefficients, and the basis of P0 and P2.

use crate::pack::{load, store};
use crate::table::{begin, Table};
use crate::simd::*;

/// Horner's rule on the four re-centred coefficients at once. Lane p takes 3 − p steps; it starts with zeros,
/// which steps leave zero: (((K₀·u) + K₁)·u + K₂)·u + K₃ with K₀ = (C₃,0,0,0), K₁ = (C₂,3C₃,0,0), K₂ =
/// (C₁,2C₂,3C₃,0), K₃ = (C₀,C₁,C₂,C₃), each product shifted down t bits (floor). The lanes p = 1, 3 are negated
/// before the guard bits are rounded off, as in the reference.
unsafe fn columns(c: *const i64) -> [[i64; 4]; 4] {
    let (c0, c1, c2, c3) = (*c, *c.add(1), *c.add(2), *c.add(3));
    let twice = c2.wrapping_mul(2);
    let thrice = c3.wrapping_mul(3);
    [[c3, 0, 0, 0], [c2, thrice, 0, 0], [c1, twice, thrice, 0], [c0, c1, c2, c3]]
}

/// The columns of all segments as 32-bit lanes: 64 bytes per segment.
unsafe fn prepare(coefficients: *const i64, segments: usize, out: *mut v128) {
    for i in 0..segments {
        let k = columns(coefficients.add(4 * i));
        for s in 0..4 {
            *out.add(4 * i + s) = i32x4(k[s][0] as i32, k[s][1] as i32, k[s][2] as i32, k[s][3] as i32);
        }
    }
}

/// A polynomial whose Horner sums fit 32 bits. With `NARROW` the products v·u fit as well; else they are widened and
/// shifted in 64-bit lanes, where the low 32 bits of the logical shift are those of the arithmetic one because t ≤
/// 31.
#[inline(always)]
unsafe fn cubic_lanes<const NARROW: bool>(
    k: *const v128,
    u: v128,
    t: &u32,
    sign: v128,
    half: v128,
    guard: &u32,
) -> v128 {
    // Volatile, so that the amounts stay scalars next to their shifts: hoisted out of the loop as vectors, LLVM
    // shifts lane by lane.
    let amount = |s: &u32| core::ptr::read_volatile(s);
    let mut v = *k;
    for s in 1..4 {
        v = if NARROW {
            i32x4_shr(i32x4_mul(v, u), amount(t))
        } else {
            let lo = u64x2_shr(i64x2_extmul_low_i32x4(v, u), amount(t));
            let hi = u64x2_shr(i64x2_extmul_high_i32x4(v, u), amount(t));
            i32x4_shuffle::<0, 2, 4, 6>(lo, hi)
        };
        v = i32x4_add(v, *k.add(s));
    }
    v = i32x4_sub(v128_xor(v, sign), sign);
    i32x4_shr(i32x4_add(v, half), amount(guard))
}

#[inline(always)]
unsafe fn cubic32<const NARROW: bool>(
    table: &mut Table,
    k: *const v128,
    segments: usize,
    t: u32,
    guard: u32,
    a: *const u64,
    count: usize,
    temp: *mut u64,
) {
    let sign = i32x4(0, -1, 0, -1);
    let half = i32x4_splat(if guard > 0 { 1 << (guard - 1) } else { 0 });
    for i in 0..count {
        let x = *a.add(i);
        let u = i32x4_splat((x & ((1 << t) - 1)) as i32);
        let mut segment = ((x >> t) % segments as u64) as usize;
        let to = table.at;
        table.need(to.add(16 * segments));
        for j in 0..segments {
            let d = cubic_lanes::<NARROW>(k.add(4 * segment), u, &t, sign, half, &guard);
            if table.width == 4 {
                let place = to.add(16 * j);
                store(place, i32x4_add(load(place), d));
            } else {
                v128_store(temp.add(4 * j) as *mut v128, i64x2_extend_low_i32x4(d));
                v128_store(temp.add(4 * j + 2) as *mut v128, i64x2_extend_high_i32x4(d));
            }
            segment = (if segment == 0 { segments } else { segment }) - 1;
        }
        if table.width == 4 {
            table.at = to.add(16 * segments);
        } else {
            table.emit(temp, 4 * segments);
        }
    }
}

/// One step of Horner's rule in 64 bits, or with a 128-bit product.
#[inline(always)]
fn horner<const WIDE: bool>(v: i64, u: i64, t: u32) -> i64 {
    if WIDE {
        ((v as i128 * u as i128) >> t) as i64
    } else {
        v.wrapping_mul(u) >> t
    }
}

/// binom(q, p) at [q][p].
const BINOMIAL: [[i64; 5]; 5] = [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 2, 1, 0, 0], [1, 3, 3, 1, 0], [1, 4, 6, 4, 1]];

/// Any degree up to 4, whose sums fit 64 bits: one word after the other.
#[inline(always)]
unsafe fn wide<const WIDE: bool>(
    table: &mut Table,
    c: *const i64,
    segments: usize,
    degree: usize,
    t: u32,
    guard: u32,
    a: *const u64,
    count: usize,
    temp: *mut u64,
) {
    let half = if guard > 0 { 1i64 << (guard - 1) } else { 0 };
    let words = degree + 1;
    for i in 0..count {
        let x = *a.add(i);
        let u = (x & ((1 << t) - 1)) as i64;
        let mut segment = ((x >> t) % segments as u64) as usize;
        for j in 0..segments {
            let k = c.add(words * segment);
            for p in 0..words {
                let mut v = 0;
                for q in (p..words).rev() {
                    v = horner::<WIDE>(v, u, t).wrapping_add((*k.add(q)).wrapping_mul(BINOMIAL[q][p]));
                }
                let v = if p % 2 == 0 { v } else { v.wrapping_neg() };
                *temp.add(words * j + p) = (v.wrapping_add(half) >> guard) as u64;
            }
            segment = (if segment == 0 { segments } else { segment }) - 1;
        }
        table.emit(temp, words * segments);
    }
}

/// A piecewise polynomial. `mode`: 0 products fit 32 bits, 1 sums fit 32 bits, 2 products fit 64 bits, 3 sums fit 64
/// bits (bounds: `polynomial-bound.ts`). `temp` is scratch for (degree + 1) · segments u64, `lanes` for 64 · segments
/// bytes. The lanes are those of cubics; other degrees are for few elements, and take 64 bits always.
#[no_mangle]
pub unsafe extern "C" fn table_polynomial(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    widths: *const u32,
    p: usize,
    shift: u32,
    count: usize,
    a: *const u64,
    coefficients: *const i64,
    segments: usize,
    degree: usize,
    t: u32,
    guard: u32,
    mode: u32,
    temp: *mut u64,
    lanes: *mut v128,
) {
    let mut table = begin(state, block, buf, skip, widths, p, shift);
    if degree == 3 && mode < 2 {
        prepare(coefficients, segments, lanes);
        if mode == 0 {
            cubic32::<true>(&mut table, lanes, segments, t, guard, a, count, temp);
        } else {
            cubic32::<false>(&mut table, lanes, segments, t, guard, a, count, temp);
        }
    } else if mode < 3 {
        wide::<false>(&mut table, coefficients, segments, degree, t, guard, a, count, temp);
    } else {
        wide::<true>(&mut table, coefficients, segments, degree, t, guard, a, count, temp);
    }
}

/// φ of a polynomial as 64-bit words: ⌊ℓ_lo^p · 2^(s2 − p·t)⌋ for p = 0 … degree. `wide` when degree·t > 63 (it is
/// below 128).
#[no_mangle]
pub unsafe extern "C" fn powers(l: *const u64, out: *mut u64, n: usize, t: u32, s2: u32, degree: u32, wide: u32) {
    // A shift of 64 or more leaves nothing of a 64-bit word (and s2 may be that large only in theory).
    let left = |v: u64, s: u32| if s < 64 { v << s } else { 0 };
    let words = degree as usize + 1;
    for i in 0..n {
        let u = *l.add(i) & ((1 << t) - 1);
        *out.add(words * i) = left(1, s2);
        for p in 1..=degree {
            let down = p * t;
            *out.add(words * i + p as usize) = if down < s2 {
                let power = (1..p).fold(u, |v, _| v.wrapping_mul(u));
                left(power, s2 - down)
            } else if wide == 0 {
                let power = (1..p).fold(u, |v, _| v.wrapping_mul(u));
                power >> (down - s2)
            } else {
                let power = (1..p).fold(u as u128, |v, _| v.wrapping_mul(u as u128));
                (power >> (down - s2)) as u64
            };
        }
    }
}
