//! Compression by the challenges of columns: sums of the words of a row by their bits, mod 2^64.
//! Addresses follow from challenges, which are public when an honest party works with them.

use crate::buckets::BUCKETS;
use crate::simd::*;

/// Columns whose sums are made for all their subsets.
const GROUP: usize = 4;
/// Groups whose sums are held at a time: 8 kB, which stay in the first cache.
pub const GROUPS: usize = 32;

/// Bytes of scratch: sums of a block of groups, sums of two or four rows, and the subset that V has in each group of
/// columns.
#[no_mangle]
pub extern "C" fn columns_scratch(width: usize, sigma: usize) -> usize {
    16 * (GROUPS * BUCKETS + sigma) + (width + GROUP - 1) / GROUP * sigma
}

/// The subset of every group of columns, for every column of V.
pub unsafe fn subsets(width: usize, v: *const u64, sigma: usize, out: *mut u8) {
    let groups = (width + GROUP - 1) / GROUP;
    for c in 0..width {
        for t in 0..sigma {
            *out.add(t * groups + c / GROUP) |= ((*v.add(c) >> t & 1) as u8) << (c % GROUP);
        }
    }
}

/// Adds up the columns [from, to), which are whole groups or the last. `column` gives a column of some rows side by
/// side. Addresses follow from V, as above.
#[inline(always)]
pub unsafe fn add_columns(
    from: usize, to: usize, width: usize, sigma: usize, subsets: *const u8, sums: *mut v128, totals: *mut v128,
    add: impl Fn(v128, v128) -> v128, column: impl Fn(usize) -> v128,
) {
    let all = (width + GROUP - 1) / GROUP;
    let mut first = from / GROUP;
    let end = (to + GROUP - 1) / GROUP;
    while first < end {
        let count = if end - first < GROUPS { end - first } else { GROUPS };
        for g in 0..count {
            let of = sums.add(BUCKETS * g);
            *of = u64x2(0, 0);
            for c in 0..GROUP {
                let at = GROUP * (first + g) + c;
                let word = if at < width { column(at) } else { u64x2(0, 0) };
                for b in 0..1usize << c {
                    *of.add(b + (1 << c)) = add(*of.add(b), word);
                }
            }
        }
        for t in 0..sigma {
            let subset = subsets.add(t * all + first);
            let mut total = *totals.add(t);
            for g in 0..count {
                total = add(total, *sums.add(BUCKETS * g + *subset.add(g) as usize));
            }
            *totals.add(t) = total;
        }
        first += count;
    }
}

/// rows·V mod 2^64: n × σ. Two rows at a time.
#[no_mangle]
pub unsafe extern "C" fn columns(
    rows: *const u64, width: usize, n: usize, v: *const u64, sigma: usize, scratch: *mut u8, out: *mut u64,
) {
    let sums = scratch as *mut v128;
    let totals = sums.add(GROUPS * BUCKETS);
    let which = totals.add(sigma) as *mut u8;
    subsets(width, v, sigma, which);
    let mut i = 0;
    while i < n {
        let next = if i + 1 < n { i + 1 } else { i };
        let (left, right) = (rows.add(i * width), rows.add(next * width));
        for t in 0..sigma {
            *totals.add(t) = u64x2(0, 0);
        }
        let column = |c: usize| u64x2(*left.add(c), *right.add(c));
        add_columns(0, width, width, sigma, which, sums, totals, |a, b| i64x2_add(a, b), column);
        for t in 0..sigma {
            *out.add(i * sigma + t) = u64x2_extract_lane::<0>(*totals.add(t));
            *out.add(next * sigma + t) = if next > i {
                u64x2_extract_lane::<1>(*totals.add(t))
            } else {
                u64x2_extract_lane::<0>(*totals.add(t))
            };
        }
        i += 2;
    }
}

/// The same of integers with a sign, which are public: four rows at a time, in sums of 32 bits of as many columns as
/// fit for the largest word.
#[no_mangle]
pub unsafe extern "C" fn columns_signed(
    rows: *const i32, width: usize, n: usize, v: *const u64, sigma: usize, scratch: *mut u8, out: *mut i64,
) {
    let sums = scratch as *mut v128;
    let totals = sums.add(GROUPS * BUCKETS);
    let which = totals.add(sigma) as *mut u8;
    subsets(width, v, sigma, which);
    let mut largest = 1u32;
    for i in 0..n * width {
        largest |= (*rows.add(i)).unsigned_abs();
    }
    // No sum of so many has an absolute value above 2^31 − 1.
    let fitting = (i32::MAX as u32 / largest) as usize / GROUP * GROUP;
    if fitting == 0 {
        return wide_columns(rows, width, n, sigma, which, sums, totals, out);
    }
    let mut i = 0;
    while i < n {
        let row = |r: usize| rows.add((if i + r < n { i + r } else { n - 1 }) * width);
        let of = [row(0), row(1), row(2), row(3)];
        let column = |c: usize| i32x4(*of[0].add(c), *of[1].add(c), *of[2].add(c), *of[3].add(c));
        let mut from = 0;
        while from < width {
            let to = if width - from < fitting { width } else { from + fitting };
            for t in 0..sigma {
                *totals.add(t) = u64x2(0, 0);
            }
            add_columns(from, to, width, sigma, which, sums, totals, |a, b| i32x4_add(a, b), column);
            for t in 0..sigma {
                let lanes = core::mem::transmute::<v128, [i32; 4]>(*totals.add(t));
                for r in 0..if n - i < 4 { n - i } else { 4 } {
                    let at = out.add((i + r) * sigma + t);
                    *at = (*at).wrapping_add(lanes[r] as i64);
                }
            }
            from = to;
        }
        i += 4;
    }
}

/// Of words so large that four do not add up in 32 bits.
unsafe fn wide_columns(
    rows: *const i32, width: usize, n: usize, sigma: usize, which: *const u8, sums: *mut v128, totals: *mut v128,
    out: *mut i64,
) {
    for i in 0..n {
        let row = rows.add(i * width);
        for t in 0..sigma {
            *totals.add(t) = u64x2(0, 0);
        }
        let column = |c: usize| i64x2(*row.add(c) as i64, 0);
        add_columns(0, width, width, sigma, which, sums, totals, |a, b| i64x2_add(a, b), column);
        for t in 0..sigma {
            *out.add(i * sigma + t) = i64x2_extract_lane::<0>(*totals.add(t));
        }
    }
}
