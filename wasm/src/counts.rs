//! How often each column of a table of bits is one, among the rows that a bit of a challenge chooses. Rows come in the
//! order of some bits of their challenges, and those of one value are counted together: carry-save adders leave one
//! vector of 16 rows, whose bits count 16 (Harley and Seal). Addresses follow from challenges, as in `digest.rs`.

use crate::simd::*;

/// Rows that are counted at a time: counts have 16 bits.
const ROWS: usize = 1 << 15;
/// Bytes of a row that are counted at a time, and vectors of counts of their columns.
const SPAN: usize = 16;
const COUNTS: usize = 16;
/// Rows of one step of the adders, and most rows whose steps are counted in a byte.
const STEP: usize = 16;
const STEPS: usize = 255 * STEP;
/// Bits of a challenge that bring rows into an order, of many rows.
const MOST_BITS: usize = 8;

/// Fewer rows have fewer buckets.
fn group_bits(rows: usize) -> usize {
    if rows >= 1 << 12 {
        MOST_BITS
    } else {
        4
    }
}

/// Bytes of scratch of `counts`.
pub fn scratch(n: usize) -> usize {
    let rows = if n < ROWS { n } else { ROWS };
    ((16 * COUNTS + 4) << group_bits(rows)) + 2 * rows
}

const ZERO: v128 = u64x2(0, 0);
const ONES: v128 = u64x2(0x0101_0101_0101_0101, 0x0101_0101_0101_0101);
const BYTES: v128 = u64x2(0x00ff_00ff_00ff_00ff, 0x00ff_00ff_00ff_00ff);

/// The sum of three bits, and its carry.
#[inline(always)]
fn add(a: &mut v128, b: v128, c: v128) -> v128 {
    let both = v128_xor(*a, b);
    let carry = v128_or(v128_and(*a, b), v128_and(both, c));
    *a = v128_xor(both, c);
    carry
}

/// Bit j of every byte.
#[inline(always)]
fn bit(x: v128, j: usize) -> v128 {
    v128_and(u64x2_shr(x, j as u32), ONES)
}

/// Adds 16 rows to sums of ones, twos, fours and eights. What is left counts 16.
#[inline(always)]
fn step(sums: &mut [v128; 4], row: impl Fn(usize) -> v128) -> v128 {
    let [ones, twos, fours, eights] = sums;
    let mut carries = [ZERO; 2];
    for (half, carry) in carries.iter_mut().enumerate() {
        let mut of = [ZERO; 2];
        for (quarter, carry) in of.iter_mut().enumerate() {
            let at = 8 * half + 4 * quarter;
            let first = add(ones, row(at), row(at + 1));
            let second = add(ones, row(at + 2), row(at + 3));
            *carry = add(twos, first, second);
        }
        *carry = add(fours, of[0], of[1]);
    }
    add(eights, carries[0], carries[1])
}

/// Adds the columns of at most `STEPS` rows to counts: lane l of vector v is column 16·l + v.
#[inline(always)]
unsafe fn add_rows(rows: *const u8, each: usize, order: *const u16, count: usize, counts: *mut v128) {
    let row = |i: usize| v128_load(rows.add(each * *order.add(i) as usize) as *const v128);
    let (mut sums, mut sixteens) = ([ZERO; 4], [ZERO; 8]);
    let mut i = 0;
    while i < count {
        let carry = if i + STEP <= count {
            step(&mut sums, |k| row(i + k))
        } else {
            let mut rest = [ZERO; STEP];
            for k in 0..count - i {
                rest[k] = row(i + k);
            }
            step(&mut sums, |k| rest[k])
        };
        for j in 0..8 {
            sixteens[j] = i8x16_add(sixteens[j], bit(carry, j));
        }
        i += STEP;
    }
    for j in 0..8 {
        let mut few = bit(sums[3], j);
        for s in [2, 1, 0] {
            few = i8x16_add(i8x16_add(few, few), bit(sums[s], j));
        }
        for odd in 0..2 {
            let half = |x: v128| v128_and(u64x2_shr(x, 8 * odd), BYTES);
            let to = counts.add(j + 8 * odd as usize);
            let more = i16x8_add(i64x2_shl(half(sixteens[j]), 4), half(few));
            v128_store(to, i16x8_add(v128_load(to), more));
        }
    }
}

/// Σ_i X_{i,t} E_{i,c}, added to every `each`-th number of `out`: σ × words. `scratch` is zero.
pub unsafe fn counts(
    bytes: *const u8, words: usize, x: *const u64, n: usize, sigma: usize, scratch: *mut u8, each: usize,
    out: *mut u64,
) {
    let (row, rows) = (words / 8, if n < ROWS { n } else { ROWS });
    let bits = group_bits(rows);
    let buckets = scratch as *mut v128;
    let next = buckets.add(COUNTS << bits) as *mut u32;
    let order = next.add(1 << bits) as *mut u16;
    let mut first = 0;
    while first < n {
        let count = if n - first < ROWS { n - first } else { ROWS };
        let mut t = 0;
        while t < sigma {
            in_order(x.add(first), count, t, bits, next, order);
            let mut from = 0;
            while from < row {
                let of = bytes.add(first * row + from);
                let mut begin = 0;
                for value in 0..1usize << bits {
                    let end = *next.add(value) as usize;
                    while begin < end {
                        let some = if end - begin < STEPS { end - begin } else { STEPS };
                        add_rows(of, row, order.add(begin), some, buckets.add(COUNTS * value));
                        begin += some;
                    }
                }
                let some = if row - from < SPAN { row - from } else { SPAN };
                let to = |t: usize, c: usize| out.add(each * (t * words + 8 * from + c));
                gather(buckets, bits, 8 * some, t, sigma, to);
                from += SPAN;
            }
            t += bits;
        }
        first += count;
    }
}

/// Numbers of rows by bits [t, t + bits) of their challenges. `next` is where the rows of every value end.
#[inline(always)]
unsafe fn in_order(x: *const u64, n: usize, t: usize, bits: usize, next: *mut u32, order: *mut u16) {
    let value = |i: usize| (*x.add(i) >> t) as usize & ((1 << bits) - 1);
    for value in 0..1usize << bits {
        *next.add(value) = 0;
    }
    for i in 0..n {
        *next.add(value(i)) += 1;
    }
    let mut before = 0;
    for value in 0..1usize << bits {
        before += core::mem::replace(&mut *next.add(value), before);
    }
    for i in 0..n {
        let at = next.add(value(i));
        *order.add(*at as usize) = i as u16;
        *at += 1;
    }
}

/// Adds up the buckets whose number has a bit, for every bit. Buckets are zero behind it.
#[inline(always)]
unsafe fn gather(
    buckets: *mut v128, bits: usize, columns: usize, first: usize, sigma: usize, to: impl Fn(usize, usize) -> *mut u64,
) {
    for b in (0..bits).rev() {
        let mut total = [ZERO; COUNTS];
        for low in 0..1usize << b {
            let (above, below) = (buckets.add(COUNTS * ((1 << b) + low)), buckets.add(COUNTS * low));
            for v in 0..COUNTS {
                let count = v128_load(above.add(v));
                total[v] = i16x8_add(total[v], count);
                // What is below does not ask for this bit.
                v128_store(below.add(v), i16x8_add(v128_load(below.add(v)), count));
                v128_store(above.add(v), ZERO);
            }
        }
        if first + b < sigma {
            let counts = total.as_ptr() as *const u16;
            for c in 0..columns {
                *to(first + b, c) += *counts.add(c % COUNTS * 8 + c / COUNTS) as u64;
            }
        }
    }
    for v in 0..COUNTS {
        v128_store(buckets.add(v), ZERO);
    }
}
