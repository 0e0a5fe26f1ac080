//! A matrix of panels (`limbs.rs`) times bits of challenges, for its proof: what `columns_signed` of `columns.rs` makes of
//! its entries, where they lie. A model is read so four times in a run, and to copy it first took longer than this.
//!
//! Weights and challenges are public when an honest party works with them. Four columns at a time are one of 16 sums.

use crate::lanes::transpose;
use crate::limbs::{behind, KC, NR};
use crate::matmul::min;
use crate::simd::*;

/// Columns whose sums are made for all their subsets, and groups of them that a panel has.
const GROUP: usize = 4;
const HALVES: usize = NR / GROUP;
/// Sums of a group, each of the upper and of the lower rows of pairs.
const SUMS: usize = 2 << GROUP;
/// Pairs of rows that are done at a time: a lane each.
const STRIP: usize = 4;
/// Panels whose sums are held at a time: 16 kB, which stay in the first cache.
const PANELS: usize = 16;
/// Panels whose entries of 16 bits add up in 32.
const FITTING: usize = 1 << 12;

/// Bytes of scratch of `panels_columns`: sums of some panels, totals, and the subset that V has in each group.
#[cfg_attr(not(owner), no_mangle)]
pub extern "C" fn panels_scratch(cols: usize, sigma: usize) -> usize {
    16 * (PANELS * HALVES * SUMS + 2 * sigma) + (cols + NR - 1) / NR * HALVES * sigma
}

/// What stays the same for all of a matrix.
struct Work {
    sums: *mut v128,
    totals: *mut v128,
    /// For every column of V, the subset of every group.
    subsets: *const u8,
    groups: usize,
    sigma: usize,
}

impl Work {
    /// Adds the products of `count` panels from number `first` on to the totals: `pairs` pairs of rows from `from` on,
    /// each panel `step` pairs of entries behind the one before.
    #[inline(always)]
    unsafe fn add(&self, from: *const u32, step: usize, pairs: usize, first: usize, count: usize) {
        for i in 0..count {
            for half in 0..HALVES {
                let row = |k: usize| {
                    if k < pairs {
                        v128_load(from.add(i * step + k * NR + half * GROUP) as *const v128)
                    } else {
                        u64x2_splat(0)
                    }
                };
                let columns = transpose(row(0), row(1), row(2), row(3));
                let of = self.sums.add((HALVES * i + half) * SUMS);
                *of = u64x2_splat(0);
                *of.add(1) = u64x2_splat(0);
                for c in 0..GROUP {
                    let upper = i32x4_shr(i32x4_shl(columns[c], 16), 16);
                    let lower = i32x4_shr(columns[c], 16);
                    for b in 0..1usize << c {
                        let (old, new) = (of.add(2 * b), of.add(2 * (b + (1 << c))));
                        *new = i32x4_add(*old, upper);
                        *new.add(1) = i32x4_add(*old.add(1), lower);
                    }
                }
            }
        }
        for t in 0..self.sigma {
            let subsets = self.subsets.add(t * self.groups + HALVES * first);
            let total = self.totals.add(2 * t);
            let (mut upper, mut lower) = (*total, *total.add(1));
            for g in 0..HALVES * count {
                let sum = self.sums.add(SUMS * g + 2 * *subsets.add(g) as usize);
                upper = i32x4_add(upper, *sum);
                lower = i32x4_add(lower, *sum.add(1));
            }
            *total = upper;
            *total.add(1) = lower;
        }
    }

    /// Adds the totals, times 2^shift, to `rows` rows of the result, and makes them zero.
    #[inline(always)]
    unsafe fn flush(&self, rows: usize, shift: u32, out: *mut i64) {
        for t in 0..self.sigma {
            for parity in 0..2 {
                let total = self.totals.add(2 * t + parity);
                let lanes = core::mem::transmute::<v128, [i32; STRIP]>(*total);
                *total = u64x2_splat(0);
                for (k, lane) in lanes.iter().enumerate() {
                    let r = 2 * k + parity;
                    if r < rows {
                        let to = out.add(r * self.sigma + t);
                        *to = (*to).wrapping_add((*lane as i64) << shift);
                    }
                }
            }
        }
    }
}

/// W·V mod 2^64: rows × σ. `low` and `high` as of `matmul_i32`; V has a word of σ bits for each column. `scratch` and
/// `out` are zero.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn panels_columns(
    low: *const u8,
    high: *const u32,
    rows: usize,
    cols: usize,
    v: *const u64,
    sigma: usize,
    scratch: *mut u8,
    out: *mut i64,
) {
    let width = (cols + NR - 1) / NR;
    let groups = HALVES * width;
    let sums = scratch as *mut v128;
    let totals = sums.add(PANELS * HALVES * SUMS);
    let subsets = totals.add(2 * sigma) as *mut u8;
    for c in 0..cols {
        for t in 0..sigma {
            *subsets.add(t * groups + c / GROUP) |= ((*v.add(c) >> t & 1) as u8) << (c % GROUP);
        }
    }
    let work = Work { sums, totals, subsets, groups, sigma };
    let (mut block, mut places, mut first) = (low as *const u32, high, 0);
    while first < rows {
        let count = min(KC, rows - first);
        let pairs = (count + 1) / 2;
        let layer = pairs * NR;
        let mut k = 0;
        while k < pairs {
            let (some, left) = (min(STRIP, pairs - k), count - 2 * k);
            let to = out.add((first + 2 * k) * sigma);
            let mut p = 0;
            while p < width {
                let end = min(width, p + FITTING);
                while p < end {
                    let many = min(PANELS, end - p);
                    work.add(block.add(p * layer + k * NR), layer, some, p, many);
                    p += many;
                }
                work.flush(left, 0, to);
            }
            // Second layers are few.
            for p in 0..width {
                let at = behind(*places.add(p) as usize);
                if at != 0 {
                    work.add((low.add(at) as *const u32).add(k * NR), layer, some, p, 1);
                    work.flush(left, 16, to);
                }
            }
            k += STRIP;
        }
        block = block.add(width * layer);
        places = places.add(width);
        first += count;
    }
}
