//! Product of f32 matrices, for the plaintext model only (it never sees a share): an honest speed to compare with.

use crate::simd::*;

const NR: usize = 8;

/// Columns of a panel of `matmul_f32`.
#[cfg_attr(not(owner), no_mangle)]
pub extern "C" fn matmul_f32_panel() -> usize {
    NR
}

/// Lays b (k × n, row-major) out in panels of eight columns, zero-padded.
#[inline(always)]
unsafe fn pack(b: *const f32, k: usize, n: usize, panels: *mut f32) {
    for p in 0..(n + NR - 1) / NR {
        for i in 0..k {
            for c in 0..NR {
                let col = p * NR + c;
                *panels.add((p * k + i) * NR + c) = if col < n { *b.add(i * n + col) } else { 0.0 };
            }
        }
    }
}

#[inline(always)]
unsafe fn tile<const MR: usize>(a: *const f32, k: usize, panel: *const f32, out: *mut f32, n: usize, cols: usize) {
    let mut acc = [[f32x4_splat(0.0); 2]; MR];
    for i in 0..k {
        let w = [v128_load(panel.add(i * NR) as *const v128), v128_load(panel.add(i * NR + 4) as *const v128)];
        for r in 0..MR {
            let x = v128_load32_splat(a.add(r * k + i) as *const u32);
            acc[r][0] = f32x4_add(acc[r][0], f32x4_mul(x, w[0]));
            acc[r][1] = f32x4_add(acc[r][1], f32x4_mul(x, w[1]));
        }
    }
    for r in 0..MR {
        let row = core::mem::transmute::<[v128; 2], [f32; 8]>(acc[r]);
        for c in 0..cols {
            *out.add(r * n + c) = row[c];
        }
    }
}

/// out (m × n) = a (m × k) · b (k × n); `panels` is scratch for k · ⌈n/8⌉ · 8 floats.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn matmul_f32(
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    m: usize,
    k: usize,
    n: usize,
    panels: *mut f32,
) {
    pack(b, k, n, panels);
    for p in 0..(n + NR - 1) / NR {
        let panel = panels.add(p * k * NR);
        let cols = if n - p * NR < NR { n - p * NR } else { NR };
        let mut r = 0;
        while r < m {
            let (x, to) = (a.add(r * k), out.add(r * n + p * NR));
            match m - r {
                1 => tile::<1>(x, k, panel, to, n, cols),
                2 => tile::<2>(x, k, panel, to, n, cols),
                3 => tile::<3>(x, k, panel, to, n, cols),
                _ => tile::<4>(x, k, panel, to, n, cols),
            }
            r += 4;
        }
    }
}
