//! Compression by the challenges of rows: sums of words by their bits, mod 2^64.
//! Addresses follow from challenges, which are public when an honest party works with them.

use crate::bits;
use crate::buckets::{block_of, digest_scratch, gather, scatter, sums_of, BUCKETS};
use crate::columns::{add_columns, columns_scratch, subsets, GROUPS};
use crate::entries::Layout;
use crate::simd::*;
use core::slice::from_raw_parts_mut;

/// Xᵀ·rows mod 2^64. `out` and `buckets` are zero.
#[no_mangle]
pub unsafe extern "C" fn digest(
    rows: *const u64, width: usize, x: *const u64, n: usize, sigma: usize, buckets: *mut u64, out: *mut u64,
) {
    scatter(rows, width, x, n, n, sigma, buckets);
    gather(width, n, sigma, buckets, out);
}

/// Whether V comes before X: for few elements, or for so many words that their buckets leave the cache.
fn rows_first(n: usize, words: usize) -> bool {
    n < 48 || words >= 64
}

/// Bytes of scratch of `digest_entries`.
#[no_mangle]
pub extern "C" fn entries_scratch(n: usize, words: usize, sigma: usize) -> usize {
    let any = if rows_first(n, words) {
        8 * (digest_scratch(sigma, 1, sigma) + 2 * words + sigma) + columns_scratch(words, sigma) + 16
    } else {
        8 * (digest_scratch(words, n, sigma) + block_of(words) * words + sigma * words)
    };
    let single = bits::sums_scratch(words) + 8 * bits::buckets(sigma);
    if any < single {
        single
    } else {
        any
    }
}

/// Σ_i X_{i,t} Σ_c 2^(64 − width of c) E_{i,c} V_{c,κ} mod 2^64 of packed tables, σ × σ. `scratch` and `out` are zero.
#[no_mangle]
pub unsafe extern "C" fn digest_entries(
    bytes: *const u8, layout: *const Layout, x: *const u64, n: usize, v: *const u64, sigma: usize, scratch: *mut u64,
    out: *mut u64,
) {
    let layout = &*layout;
    let width = layout.words();
    if bits::bits_of(layout) > 0 {
        let buckets = scratch.add(bits::sums_scratch(width) / 8);
        return bits::digest(bytes, width, x, n, v, sigma, scratch, buckets, out);
    }
    if rows_first(n, width) {
        return digest_rows(bytes, layout, x, n, v, sigma, scratch, out);
    }
    let (rows, buckets) = (scratch, scratch.add(block_of(width) * width));
    let sums = buckets.add(digest_scratch(width, n, sigma));
    let row = |i: usize, to: *mut u64| layout.element(bytes, i, from_raw_parts_mut(to, width));
    sums_of(row, width, x, n, sigma, rows, buckets, sums);
    for t in 0..sigma {
        let to = from_raw_parts_mut(out.add(t * sigma), sigma);
        for c in 0..width {
            let word = *sums.add(t * width + c) << (64 - layout.width(c));
            let bits = *v.add(c);
            for k in 0..sigma {
                to[k] = to[k].wrapping_add(word & (bits >> k & 1).wrapping_neg());
            }
        }
    }
}

/// The same, with V before X: two elements at a time.
unsafe fn digest_rows(
    bytes: *const u8, layout: &Layout, x: *const u64, n: usize, v: *const u64, sigma: usize, scratch: *mut u64,
    out: *mut u64,
) {
    let width = layout.words();
    // Sums of vectors come first, for their alignment.
    let sums = scratch as *mut v128;
    let totals = sums.add(GROUPS * BUCKETS);
    let rows = totals.add(sigma) as *mut u64;
    let buckets = rows.add(2 * width);
    let each = buckets.add(digest_scratch(sigma, 1, sigma));
    let which = each.add(sigma) as *mut u8;
    subsets(width, v, sigma, which);
    let mut i = 0;
    while i < n {
        let count = if n - i < 2 { 1 } else { 2 };
        for r in 0..count {
            let row = from_raw_parts_mut(rows.add(r * width), width);
            layout.element(bytes, i + r, row);
            for c in 0..width {
                row[c] <<= 64 - layout.width(c);
            }
        }
        for t in 0..sigma {
            *totals.add(t) = u64x2(0, 0);
        }
        let column = |c: usize| u64x2(*rows.add(c), *rows.add(width + c));
        add_columns(0, width, width, sigma, which, sums, totals, |a, b| i64x2_add(a, b), column);
        for r in 0..count {
            for t in 0..sigma {
                *each.add(t) = *(totals.add(t) as *const u64).add(r);
            }
            scatter(each, sigma, x.add(i + r), 1, 1, sigma, buckets);
        }
        i += count;
    }
    gather(sigma, 1, sigma, buckets, out);
}
