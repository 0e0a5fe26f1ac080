//! A module of its own, for compute parties and whoever shares a model: a page has no weights.
//!
//! Weights on their way into the ring, in float64 and in the clear: nothing here meets a share. Every sum is added up
//! in the order of its definition (`src/compute/fold.ts`), so that both compute the same to the bit.
//!
//! `stored` is a matrix as checkpoints keep it, (cols × rows) in f32, row-major: `rows` values for each output.

#![no_std]
#![deny(missing_docs)]
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

pub mod lanes;
pub mod simd;

use core::arch::wasm32::*;
use lanes::transpose;

#[inline(always)]
fn min(a: usize, b: usize) -> usize {
    if a < b {
        a
    } else {
        b
    }
}

#[inline(always)]
fn widened(w: v128) -> [v128; 2] {
    [f64x2_promote_low_f32x4(w), f64x2_promote_low_f32x4(i64x2_shuffle::<1, 1>(w, w))]
}

/// Calls `each` with every row and its values of four columns from `c` on; missing columns repeat the last one.
#[inline(always)]
unsafe fn columns(stored: *const f32, rows: usize, cols: usize, c: usize, mut each: impl FnMut(usize, [v128; 2])) {
    let at = |l: usize| stored.add(min(c + l, cols - 1) * rows);
    let p = [at(0), at(1), at(2), at(3)];
    let four = |i: usize, r: usize| v128_load(p[i].add(r) as *const v128);
    let mut r = 0;
    while r + 4 <= rows {
        let w = transpose(four(0, r), four(1, r), four(2, r), four(3, r));
        for i in 0..4 {
            each(r + i, widened(w[i]));
        }
        r += 4;
    }
    while r < rows {
        each(r, widened(f32x4(*p[0].add(r), *p[1].add(r), *p[2].add(r), *p[3].add(r))));
        r += 1;
    }
}

/// round(v) as Math.round has it: halves go up.
#[inline(always)]
fn rounded(v: v128) -> v128 {
    let low = f64x2_floor(v);
    let up = f64x2_ge(f64x2_sub(v, low), f64x2_splat(0.5));
    f64x2_add(low, v128_and(up, f64x2_splat(1.0)))
}

/// Four values as integers, and whether all of them fit 32 signed bits.
#[inline(always)]
fn integers(w: [v128; 2], factor: v128) -> (v128, v128) {
    let limit = f64x2_splat(2147483648.0);
    let [low, high] = [rounded(f64x2_mul(w[0], factor)), rounded(f64x2_mul(w[1], factor))];
    let fits = v128_and(f64x2_lt(f64x2_abs(low), limit), f64x2_lt(f64x2_abs(high), limit));
    (i64x2_shuffle::<0, 2>(i32x4_trunc_sat_f64x2_zero(low), i32x4_trunc_sat_f64x2_zero(high)), fits)
}

/// out = round(x · factor). Returns 1 when one of them does not fit 32 signed bits.
#[no_mangle]
pub unsafe extern "C" fn fold_round(x: *const f32, n: usize, factor: f64, out: *mut i32) -> u32 {
    let mut all = u64x2_splat(u64::MAX);
    let factor = f64x2_splat(factor);
    let mut i = 0;
    while i + 4 <= n {
        let (words, fits) = integers(widened(v128_load(x.add(i) as *const v128)), factor);
        v128_store(out.add(i) as *mut v128, words);
        all = v128_and(all, fits);
        i += 4;
    }
    while i < n {
        let (words, fits) = integers(widened(f32x4_splat(*x.add(i))), factor);
        *out.add(i) = i32x4_extract_lane::<0>(words);
        all = v128_and(all, fits);
        i += 1;
    }
    (!i64x2_all_true(all)) as u32
}

/// out (rows × cols) = round(w · g_r · factor). Returns 1 when one of them does not fit 32 signed bits.
#[no_mangle]
pub unsafe extern "C" fn fold_encode(
    stored: *const f32,
    rows: usize,
    cols: usize,
    g: *const f64,
    factor: f64,
    out: *mut i32,
) -> u32 {
    let mut all = u64x2_splat(u64::MAX);
    let factor = f64x2_splat(factor);
    let mut c = 0;
    while c < cols {
        let live = min(4, cols - c);
        columns(stored, rows, cols, c, |r, w| {
            let g = f64x2_splat(*g.add(r));
            let (words, fits) = integers([f64x2_mul(w[0], g), f64x2_mul(w[1], g)], factor);
            all = v128_and(all, fits);
            let to = out.add(r * cols + c);
            if live == 4 {
                core::ptr::write_unaligned(to as *mut v128, words);
            } else {
                let lanes = core::mem::transmute::<v128, [i32; 4]>(words);
                for l in 0..live {
                    *to.add(l) = lanes[l];
                }
            }
        });
        c += 4;
    }
    (!i64x2_all_true(all)) as u32
}

/// Stores the first `live` of four sums.
#[inline(always)]
unsafe fn store(sums: [v128; 2], live: usize, to: *mut f64) {
    let lanes = core::mem::transmute::<[v128; 2], [f64; 4]>(sums);
    for l in 0..live {
        *to.add(l) = lanes[l];
    }
}

#[inline(always)]
unsafe fn start(from: *const f64, live: usize) -> [v128; 2] {
    let at = |l: usize| *from.add(min(l, live - 1));
    [f64x2(at(0), at(1)), f64x2(at(2), at(3))]
}

/// bias_c += Σ_r beta_r · w, in the order of r.
#[no_mangle]
pub unsafe extern "C" fn fold_bias(stored: *const f32, rows: usize, cols: usize, beta: *const f64, bias: *mut f64) {
    let mut c = 0;
    while c < cols {
        let live = min(4, cols - c);
        let mut sums = start(bias.add(c), live);
        columns(stored, rows, cols, c, |r, w| {
            for h in 0..2 {
                sums[h] = f64x2_add(sums[h], f64x2_mul(f64x2_splat(*beta.add(r)), w[h]));
            }
        });
        store(sums, live, bias.add(c));
        c += 4;
    }
}

/// squares_c = Σ_r (w · g_r)², in the order of r.
#[no_mangle]
pub unsafe extern "C" fn fold_squares(stored: *const f32, rows: usize, cols: usize, g: *const f64, squares: *mut f64) {
    let mut c = 0;
    while c < cols {
        let mut sums = [f64x2_splat(0.0); 2];
        columns(stored, rows, cols, c, |r, w| {
            for h in 0..2 {
                let v = f64x2_mul(w[h], f64x2_splat(*g.add(r)));
                sums[h] = f64x2_add(sums[h], f64x2_mul(v, v));
            }
        });
        store(sums, min(4, cols - c), squares.add(c));
        c += 4;
    }
}

/// out (rows × width) = w · g_r in float64, `width` a multiple of 4 that is at least `cols`.
#[no_mangle]
pub unsafe extern "C" fn fold_columns(
    stored: *const f32,
    rows: usize,
    cols: usize,
    g: *const f64,
    out: *mut f64,
    width: usize,
) {
    let mut c = 0;
    while c < cols {
        columns(stored, rows, cols, c, |r, w| {
            for h in 0..2 {
                let v = f64x2_mul(w[h], f64x2_splat(*g.add(r)));
                v128_store(out.add(r * width + c + 2 * h) as *mut v128, v);
            }
        });
        c += 4;
    }
}

/// out (width × width) = xᵀ·x for x (rows × width), sums in the order of the rows. `width` is a multiple of 4.
#[no_mangle]
pub unsafe extern "C" fn gram(x: *const f64, rows: usize, width: usize, out: *mut f64) {
    let mut i = 0;
    while i < width {
        let mut j = i;
        while j < width {
            let mut sums = [[f64x2_splat(0.0); 2]; 4];
            for r in 0..rows {
                let row = x.add(r * width);
                let right = [v128_load(row.add(j) as *const v128), v128_load(row.add(j + 2) as *const v128)];
                for a in 0..4 {
                    let left = v128_load64_splat(row.add(i + a) as *const u64);
                    for h in 0..2 {
                        sums[a][h] = f64x2_add(sums[a][h], f64x2_mul(left, right[h]));
                    }
                }
            }
            for a in 0..4 {
                let lanes = core::mem::transmute::<[v128; 2], [f64; 4]>(sums[a]);
                for b in 0..4 {
                    *out.add((i + a) * width + j + b) = lanes[b];
                    *out.add((j + b) * width + i + a) = lanes[b];
                }
            }
            j += 4;
        }
        i += 4;
    }
}

/// out = a · b for n × n matrices in float64, sums in the order of the inner dimension. `n` is a multiple of 4.
#[no_mangle]
pub unsafe extern "C" fn multiply_f64(a: *const f64, b: *const f64, n: usize, out: *mut f64) {
    let mut i = 0;
    while i < n {
        let mut j = 0;
        while j < n {
            let mut sums = [[f64x2_splat(0.0); 2]; 4];
            for k in 0..n {
                let row = b.add(k * n + j);
                let right = [v128_load(row as *const v128), v128_load(row.add(2) as *const v128)];
                for r in 0..4 {
                    let left = v128_load64_splat(a.add((i + r) * n + k) as *const u64);
                    for h in 0..2 {
                        sums[r][h] = f64x2_add(sums[r][h], f64x2_mul(left, right[h]));
                    }
                }
            }
            for r in 0..4 {
                for h in 0..2 {
                    v128_store(out.add((i + r) * n + j + 2 * h) as *mut v128, sums[r][h]);
                }
            }
            j += 4;
        }
        i += 4;
    }
}

/// Traps: a panic is a bug, and the host turns the trap into a typed error.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
