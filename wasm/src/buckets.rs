//! Sums of rows by bits of challenges. Four bits of a challenge choose one of 16 buckets that a row is added to; every
//! row of the result is the sum of eight of them. So a word is added σ/4 times and not σ/2 times; of many short rows
//! σ/8 times, to one of 256. Addresses follow from challenges, as in `digest.rs`.

use crate::simd::*;

/// Buckets of a group of four columns.
pub const BUCKETS: usize = 16;

/// Words of a row that are added at a time, and words of rows: both they and the buckets of a group stay in the first
/// cache.
const SPAN: usize = 128;
const BLOCK: usize = 1024;

/// Bits of a group, for n rows of so many words.
fn group_bits(width: usize, n: usize) -> usize {
    if width <= 8 && n >= 1024 {
        8
    } else {
        4
    }
}

/// Rows that are made at a time.
pub fn block_of(width: usize) -> usize {
    match BLOCK / width {
        0 => 1,
        rows => rows,
    }
}

/// Words of scratch for buckets: a row for every value of every group.
#[no_mangle]
pub extern "C" fn digest_scratch(width: usize, n: usize, sigma: usize) -> usize {
    let bits = group_bits(width, n);
    ((sigma + bits - 1) / bits * width) << bits
}

/// Adds a row to another.
#[inline(always)]
unsafe fn add_row(from: *const u64, width: usize, to: *mut u64) {
    for c in 0..width / 2 {
        let (from, to) = ((from as *const v128).add(c), (to as *mut v128).add(c));
        v128_store(to, i64x2_add(v128_load(to), v128_load(from)));
    }
    if width % 2 == 1 {
        let to = to.add(width - 1);
        *to = (*to).wrapping_add(*from.add(width - 1));
    }
}

/// Adds `count` rows to the buckets of each group of bits of x. `n` rows come in all.
#[inline(always)]
pub unsafe fn scatter(
    rows: *const u64, width: usize, x: *const u64, count: usize, n: usize, sigma: usize, buckets: *mut u64,
) {
    match (width, group_bits(width, n)) {
        (1, 8) => scatter_some(rows, 1, 1, x, count, sigma, 8, buckets),
        (4, 8) => scatter_some(rows, 4, 4, x, count, sigma, 8, buckets),
        (_, bits) => {
            let mut first = 0;
            while first < width {
                let some = if width - first < SPAN { width - first } else { SPAN };
                scatter_some(rows.add(first), width, some, x, count, sigma, bits, buckets.add(first));
                first += some;
            }
        }
    }
}

/// The same of some words of each row.
#[inline(always)]
unsafe fn scatter_some(
    rows: *const u64, width: usize, some: usize, x: *const u64, count: usize, sigma: usize, bits: usize,
    buckets: *mut u64,
) {
    let (block, values) = (block_of(some), 1usize << bits);
    let mut first = 0;
    while first < count {
        let end = if count - first < block { count } else { first + block };
        for g in 0..(sigma + bits - 1) / bits {
            let group = buckets.add(g * values * width);
            for i in first..end {
                let bucket = (*x.add(i) >> (bits * g)) as usize & (values - 1);
                add_row(rows.add(i * width), some, group.add(bucket * width));
            }
        }
        first = end;
    }
}

/// out_{t,c}: the buckets whose number has bit t. Buckets are changed.
pub unsafe fn gather(width: usize, n: usize, sigma: usize, buckets: *mut u64, out: *mut u64) {
    let bits = group_bits(width, n);
    for g in 0..(sigma + bits - 1) / bits {
        let of = |bucket: usize| buckets.add(((g << bits) + bucket) * width);
        for b in (0..bits).rev() {
            let (half, t) = (1 << b, bits * g + b);
            for low in 0..half {
                if t < sigma {
                    add_row(of(half + low), width, out.add(t * width));
                }
                // What is below does not ask for this bit.
                add_row(of(half + low), width, of(low));
            }
        }
    }
}

/// Xᵀ·rows, where `row` puts one row at a place: block by block, so that rows stay in the first cache. `rows` has room
/// for a block of them; `buckets` and `sums` are zero.
#[inline(always)]
pub unsafe fn sums_of(
    mut row: impl FnMut(usize, *mut u64), width: usize, x: *const u64, n: usize, sigma: usize, rows: *mut u64,
    buckets: *mut u64, sums: *mut u64,
) {
    let block = block_of(width);
    let mut first = 0;
    while first < n {
        let count = if n - first < block { n - first } else { block };
        for i in 0..count {
            row(first + i, rows.add(i * width));
        }
        scatter(rows, width, x.add(first), count, n, sigma, buckets);
        first += count;
    }
    gather(width, n, sigma, buckets, sums);
}
