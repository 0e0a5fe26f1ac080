//! Matrix products over Z_2^64 and Z_2^k, of words with words. Those with a matrix of 32-bit entries: `limbs.rs`.
//!
//! One scheme for all: the right operand lies in *panels* of a few columns (all rows of a panel consecutive), the
//! left operand is read in place with splat loads, and a tile of MR rows × one panel is accumulated in registers.
//! i64x2.mul costs eight x86 instructions for two products; splitting words into 32-bit halves needs fewer: with x
//! = x₁·2³² + x₀ and w = w₁·2³² + w₀, x·w mod 2⁶⁴ = x₀·w₀ + 2³²·(x₁·w₀ + x₀·w₁ mod 2³²). The first sum is kept in
//! 64-bit lanes (widening multiplication), the second one in 32-bit lanes, and both are put together once per
//! tile. All sums are exact modulo their width.

use crate::simd::*;
use core::slice::{from_raw_parts, from_raw_parts_mut};

/// Columns of a panel for 64-bit results.
const NR: usize = 4;
/// Columns of a panel for 32-bit results.
const NR32: usize = 8;
/// Rows of the inner dimension done at a time, and rows of the left operand packed at a time: both packed parts
/// fit L1 together.
const KC: usize = 256;
const RB: usize = 4;

#[inline(always)]
pub(crate) fn min(a: usize, b: usize) -> usize {
    if a < b {
        a
    } else {
        b
    }
}

/// Where row `r` of panel `p` lies: block of the inner dimension, then panel, then row, so that a product reads
/// all of it in order. `width` is the u32 of one row.
#[inline(always)]
fn place(r: usize, p: usize, rows: usize, cols: usize, width: usize) -> usize {
    let first = r / KC * KC;
    let kc = min(KC, rows - first);
    (first * ((cols + NR - 1) / NR) + p * kc + r - first) * width
}

/// Rows [first, first + count) of a matrix (row-major, `cols` columns, at `src`) into panels for `matmul_u64`: per
/// row of a panel four low halves, then four high halves.
#[no_mangle]
pub unsafe extern "C" fn pack_u64(
    src: *const u64,
    first: usize,
    count: usize,
    rows: usize,
    cols: usize,
    panels: *mut u32,
) {
    for r in 0..count {
        for c in 0..cols {
            let panel = panels.add(place(first + r, c / NR, rows, cols, 2 * NR));
            let word = *src.add(r * cols + c);
            *panel.add(c % NR) = word as u32;
            *panel.add(NR + c % NR) = (word >> 32) as u32;
        }
    }
}

/// Panels from the transpose: `src` is cols × rows.
unsafe fn pack_u64_transposed(src: *const u64, rows: usize, cols: usize, panels: *mut u32) {
    for c in 0..cols {
        for r in 0..rows {
            let panel = panels.add(place(r, c / NR, rows, cols, 2 * NR) + c % NR);
            let word = *src.add(c * rows + r);
            *panel = word as u32;
            *panel.add(NR) = (word >> 32) as u32;
        }
    }
}

/// Stores or accumulates a row of a tile: 64-bit sums plus 2³² times the 32-bit sums.
#[inline(always)]
unsafe fn finish(lo: [v128; 2], mid: v128, out: *mut u64, cols: usize, add: bool) {
    let a = i64x2_add(lo[0], i64x2_shl(u64x2_extend_low_u32x4(mid), 32));
    let b = i64x2_add(lo[1], i64x2_shl(u64x2_extend_high_u32x4(mid), 32));
    let words = core::mem::transmute::<[v128; 2], [u64; 4]>([a, b]);
    for c in 0..cols {
        *out.add(c) = if add { (*out.add(c)).wrapping_add(words[c]) } else { words[c] };
    }
}

/// Rows of a tile. Measured: with three or four the sums spill from the sixteen registers of x86, and unrolling
/// over k spills as well.
const MR: usize = 2;
/// Bytes of the packed left operand for one k: MR splat low halves, then MR high halves.
const STEP: usize = 16 * MR + 4 * MR;
/// Bytes of scratch for the packed left operand.
const LEFT: usize = RB / MR * KC * STEP;

/// Bytes that `left` must have.
#[no_mangle]
pub extern "C" fn matmul_left() -> usize {
    LEFT
}

/// Columns of a panel of 64-bit results: slices of a matrix begin at a multiple.
#[no_mangle]
pub extern "C" fn matmul_panel() -> usize {
    NR
}

/// Columns of a panel of 32-bit results.
#[no_mangle]
pub extern "C" fn matmul_panel32() -> usize {
    NR32
}

/// Packs `live` rows × `kc` of x (stride `rows`) for the tiles. The low halves are stored already repeated to four
/// lanes: given a splat of a scalar, LLVM turns the widening multiplication back into i64x2.mul, which is what all
/// this avoids; a loaded vector it leaves alone.
#[inline(always)]
unsafe fn pack_left(x: *const u64, rows: usize, live: usize, kc: usize, left: *mut u8) {
    for r in 0..MR {
        // Missing rows repeat the last one; their results are not stored.
        let row = x.add(min(r, live - 1) * rows);
        for k in 0..kc {
            let word = *row.add(k);
            let at = left.add(k * STEP);
            v128_store(at.add(16 * r) as *mut v128, u32x4_splat(word as u32));
            *(at.add(16 * MR + 4 * r) as *mut u32) = (word >> 32) as u32;
        }
    }
}

/// One k of a tile: R packed rows times a row of a panel.
#[inline(always)]
unsafe fn step<const R: usize>(left: *const u8, w: *const u32, lo: &mut [[v128; 2]; R], mid: &mut [v128; R]) {
    let w0 = v128_load(w as *const v128);
    for r in 0..R {
        let x0 = v128_load(left.add(16 * r) as *const v128);
        let x1 = v128_load32_splat(left.add(16 * MR + 4 * r) as *const u32);
        lo[r][0] = i64x2_add(lo[r][0], u64x2_extmul_low_u32x4(x0, w0));
        lo[r][1] = i64x2_add(lo[r][1], u64x2_extmul_high_u32x4(x0, w0));
        mid[r] = i32x4_add(mid[r], i32x4_mul(x0, v128_load(w.add(NR) as *const v128)));
        mid[r] = i32x4_add(mid[r], i32x4_mul(x1, w0));
    }
}

/// R packed rows times `kc` rows of a panel.
#[inline(always)]
unsafe fn tile<const R: usize>(
    left: *const u8,
    panel: *const u32,
    kc: usize,
    out: *mut u64,
    stride: usize,
    cols: usize,
    add: bool,
) {
    let zero = i32x4_splat(0);
    let mut lo = [[zero; 2]; R];
    let mut mid = [zero; R];
    for k in 0..kc {
        step::<R>(left.add(k * STEP), panel.add(k * 2 * NR), &mut lo, &mut mid);
    }
    for r in 0..R {
        finish(lo[r], mid[r], out.add(r * stride), cols, add);
    }
}

/// out (m × cols) = x (m × rows) · M for panels of `pack_u64`; `left` is scratch for LEFT bytes (20 KB). The loops
/// around a tile: blocks of the inner dimension, then rows (packed, in L1), then panels.
#[no_mangle]
pub unsafe extern "C" fn matmul_u64(
    x: *const u64,
    m: usize,
    rows: usize,
    panels: *const u32,
    cols: usize,
    out: *mut u64,
    left: *mut u8,
) {
    let mut first = 0;
    // One pass even for an inner dimension of 0, which must store zeros.
    while first == 0 || first < rows {
        let kc = min(KC, rows - first);
        let mut r = 0;
        while r < m {
            let block = min(RB, m - r);
            let mut t = 0;
            while t < block {
                let (from, to) = (x.add((r + t) * rows + first), left.add(t / MR * KC * STEP));
                pack_left(from, rows, min(MR, block - t), kc, to);
                t += MR;
            }
            for p in 0..(cols + NR - 1) / NR {
                let panel = panels.add(place(first, p, rows, cols, 2 * NR));
                let live = min(NR, cols - p * NR);
                let mut t = 0;
                while t < block {
                    let from = left.add(t / MR * KC * STEP);
                    let to = out.add((r + t) * cols + p * NR);
                    match block - t {
                        1 => tile::<1>(from, panel, kc, to, cols, live, first > 0),
                        _ => tile::<MR>(from, panel, kc, to, cols, live, first > 0),
                    }
                    t += MR;
                }
            }
            r += RB;
        }
        first += KC;
    }
}

macro_rules! single_row {
    ($name:ident, $t:ty) => {
        /// One row times a matrix in place: packing would cost as much as the product. Contiguous loops, which
        /// LLVM vectorises.
        unsafe fn $name(x: *const $t, y: *const $t, out: *mut $t, inner: usize, n: usize, transposed: bool) {
            let x = from_raw_parts(x, inner);
            let out = from_raw_parts_mut(out, n);
            if transposed {
                for c in 0..n {
                    let row = from_raw_parts(y.add(c * inner), inner);
                    out[c] = x.iter().zip(row).fold(0, |sum: $t, (&a, &b)| sum.wrapping_add(a.wrapping_mul(b)));
                }
            } else {
                out.fill(0);
                for i in 0..inner {
                    let row = from_raw_parts(y.add(i * n), n);
                    for c in 0..n {
                        out[c] = out[c].wrapping_add(x[i].wrapping_mul(row[c]));
                    }
                }
            }
        }
    };
}

single_row!(single_row32, u32);
single_row!(single_row64, u64);

/// Batched product for 32 < k ≤ 64; `panels` is scratch for inner · ⌈n/4⌉ · 8 u32 and LEFT bytes.
#[no_mangle]
pub unsafe extern "C" fn product64(
    x: *const u64,
    y: *const u64,
    out: *mut u64,
    batch: usize,
    m: usize,
    inner: usize,
    n: usize,
    transposed: u32,
    mask: u64,
    panels: *mut u32,
) {
    let left = panels as *mut u8;
    let panels = left.add(LEFT) as *mut u32;
    for b in 0..batch {
        let y = y.add(b * inner * n);
        if m == 1 {
            single_row64(x.add(b * inner), y, out.add(b * n), inner, n, transposed != 0);
            continue;
        }
        if transposed != 0 {
            pack_u64_transposed(y, inner, n, panels);
        } else {
            pack_u64(y, 0, inner, inner, n, panels);
        }
        matmul_u64(x.add(b * m * inner), m, inner, panels, n, out.add(b * m * n), left);
    }
    for word in from_raw_parts_mut(out, batch * m * n) {
        *word &= mask;
    }
}

#[inline(always)]
unsafe fn tile_u32<const MR: usize>(
    x: *const u32,
    rows: usize,
    panel: *const u32,
    out: *mut u32,
    stride: usize,
    cols: usize,
) {
    let mut acc = [[i32x4_splat(0); 2]; MR];
    for k in 0..rows {
        let w = [v128_load(panel.add(k * NR32) as *const v128), v128_load(panel.add(k * NR32 + 4) as *const v128)];
        for r in 0..MR {
            let v = v128_load32_splat(x.add(r * rows + k));
            acc[r][0] = i32x4_add(acc[r][0], i32x4_mul(v, w[0]));
            acc[r][1] = i32x4_add(acc[r][1], i32x4_mul(v, w[1]));
        }
    }
    for r in 0..MR {
        let words = core::mem::transmute::<[v128; 2], [u32; 8]>(acc[r]);
        for c in 0..cols {
            *out.add(r * stride + c) = words[c];
        }
    }
}

/// Batched product for k ≤ 32; `panels` is scratch for inner · ⌈n/8⌉ · 8 u32.
#[no_mangle]
pub unsafe extern "C" fn product32(
    x: *const u32,
    y: *const u32,
    out: *mut u32,
    batch: usize,
    m: usize,
    inner: usize,
    n: usize,
    transposed: u32,
    mask: u32,
    panels: *mut u32,
) {
    for b in 0..batch {
        let y = y.add(b * inner * n);
        if m == 1 {
            single_row32(x.add(b * inner), y, out.add(b * n), inner, n, transposed != 0);
            continue;
        }
        for c in 0..n {
            let panel = panels.add(c / NR32 * inner * NR32 + c % NR32);
            for i in 0..inner {
                *panel.add(i * NR32) = *y.add(if transposed != 0 { c * inner + i } else { i * n + c });
            }
        }
        for p in 0..(n + NR32 - 1) / NR32 {
            let panel = panels.add(p * inner * NR32);
            let live = min(NR32, n - p * NR32);
            let mut r = 0;
            while r < m {
                let from = x.add((b * m + r) * inner);
                let to = out.add((b * m + r) * n + p * NR32);
                match m - r {
                    1 => tile_u32::<1>(from, inner, panel, to, n, live),
                    2 => tile_u32::<2>(from, inner, panel, to, n, live),
                    3 => tile_u32::<3>(from, inner, panel, to, n, live),
                    _ => tile_u32::<4>(from, inner, panel, to, n, live),
                }
                r += 4;
            }
        }
    }
    for word in from_raw_parts_mut(out, batch * m * n) {
        *word &= mask;
    }
}
