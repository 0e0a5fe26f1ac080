//! Elementwise and row operations. Plain loops over slices: LLVM vectorises them, and they are bound by memory.

use core::slice::{from_raw_parts, from_raw_parts_mut};

macro_rules! elementwise {
    ($t:ty, $add:ident, $sub:ident, $mul:ident, $scale:ident, $offset:ident, $add_row:ident, $mul_row:ident,
     $sum_rows:ident, $repeat:ident, $gather:ident) => {
        /// out = x + y.
        #[no_mangle]
        pub unsafe extern "C" fn $add(x: *const $t, y: *const $t, out: *mut $t, n: usize, mask: $t) {
            let (x, y, out) = (from_raw_parts(x, n), from_raw_parts(y, n), from_raw_parts_mut(out, n));
            for i in 0..n {
                out[i] = x[i].wrapping_add(y[i]) & mask;
            }
        }

        /// out = x − y.
        #[no_mangle]
        pub unsafe extern "C" fn $sub(x: *const $t, y: *const $t, out: *mut $t, n: usize, mask: $t) {
            let (x, y, out) = (from_raw_parts(x, n), from_raw_parts(y, n), from_raw_parts_mut(out, n));
            for i in 0..n {
                out[i] = x[i].wrapping_sub(y[i]) & mask;
            }
        }

        /// out = x · y, elementwise.
        #[no_mangle]
        pub unsafe extern "C" fn $mul(x: *const $t, y: *const $t, out: *mut $t, n: usize, mask: $t) {
            let (x, y, out) = (from_raw_parts(x, n), from_raw_parts(y, n), from_raw_parts_mut(out, n));
            for i in 0..n {
                out[i] = x[i].wrapping_mul(y[i]) & mask;
            }
        }

        /// out = x · c.
        #[no_mangle]
        pub unsafe extern "C" fn $scale(x: *const $t, out: *mut $t, n: usize, c: $t, mask: $t) {
            let (x, out) = (from_raw_parts(x, n), from_raw_parts_mut(out, n));
            for i in 0..n {
                out[i] = x[i].wrapping_mul(c) & mask;
            }
        }

        /// out = x + c.
        #[no_mangle]
        pub unsafe extern "C" fn $offset(x: *const $t, out: *mut $t, n: usize, c: $t, mask: $t) {
            let (x, out) = (from_raw_parts(x, n), from_raw_parts_mut(out, n));
            for i in 0..n {
                out[i] = x[i].wrapping_add(c) & mask;
            }
        }

        /// out_{r,c} = x_{r,c} + row_c. The last row may be short.
        #[no_mangle]
        pub unsafe extern "C" fn $add_row(x: *const $t, row: *const $t, out: *mut $t, n: usize, cols: usize, mask: $t) {
            let mut at = 0;
            while at < n {
                let len = if n - at < cols { n - at } else { cols };
                $add(x.add(at), row, out.add(at), len, mask);
                at += len;
            }
        }

        /// out_{r,c} = x_{r,c} · row_c. The last row may be short.
        #[no_mangle]
        pub unsafe extern "C" fn $mul_row(x: *const $t, row: *const $t, out: *mut $t, n: usize, cols: usize, mask: $t) {
            let mut at = 0;
            while at < n {
                let len = if n - at < cols { n - at } else { cols };
                $mul(x.add(at), row, out.add(at), len, mask);
                at += len;
            }
        }

        /// out_r = Σ_c x_{r,c}.
        #[no_mangle]
        pub unsafe extern "C" fn $sum_rows(x: *const $t, out: *mut $t, rows: usize, cols: usize, mask: $t) {
            for r in 0..rows {
                let row = from_raw_parts(x.add(r * cols), cols);
                *out.add(r) = row.iter().fold(0, |sum: $t, &v| sum.wrapping_add(v)) & mask;
            }
        }

        /// Each word `cols` times.
        #[no_mangle]
        pub unsafe extern "C" fn $repeat(x: *const $t, out: *mut $t, n: usize, cols: usize) {
            for i in 0..n {
                from_raw_parts_mut(out.add(i * cols), cols).fill(*x.add(i));
            }
        }

        /// out_i = x_{index_i}. Returns 1, with `out` unspecified, when an index is outside x.
        #[no_mangle]
        pub unsafe extern "C" fn $gather(x: *const $t, len: usize, index: *const u32, out: *mut $t, n: usize) -> u32 {
            for i in 0..n {
                let at = *index.add(i) as usize;
                if at >= len {
                    return 1;
                }
                *out.add(i) = *x.add(at);
            }
            0
        }
    };
}

elementwise!(u32, add32, sub32, mul32, scale32, offset32, add_row32, mul_row32, sum_rows32, repeat32, gather32);
elementwise!(u64, add64, sub64, mul64, scale64, offset64, add_row64, mul_row64, sum_rows64, repeat64, gather64);

macro_rules! shift {
    ($name:ident, $from:ty, $to:ty) => {
        /// out = (x >> s) & mask, between the two lane widths of the name. `s` is below the width of the input lane.
        #[no_mangle]
        pub unsafe extern "C" fn $name(x: *const $from, out: *mut $to, n: usize, s: u32, mask: $to) {
            let (x, out) = (from_raw_parts(x, n), from_raw_parts_mut(out, n));
            for i in 0..n {
                out[i] = x[i].wrapping_shr(s) as $to & mask;
            }
        }
    };
}

/// Zeros in place of n bytes. An engine makes one instruction of it; memory that threads share it fills byte by byte.
#[cfg(not(owner))]
#[no_mangle]
pub unsafe extern "C" fn wipe(at: *mut u8, n: usize) {
    core::ptr::write_bytes(at, 0, n);
}

shift!(shift32to32, u32, u32);
shift!(shift32to64, u32, u64);
shift!(shift64to32, u64, u32);
shift!(shift64to64, u64, u64);

macro_rules! choose_basis {
    ($name:ident, $t:ty) => {
        /// Column v + 1 of the basis of a choice: out_{i·p + v + 1} = −value_i; column 0 becomes 1 (with v = 0).
        #[no_mangle]
        pub unsafe extern "C" fn $name(value: *const $t, out: *mut $t, n: usize, p: usize, v: usize, mask: $t) {
            for i in 0..n {
                let word = out.add(i * p);
                *word = 1;
                *word.add(v + 1) = (*value.add(i)).wrapping_neg() & mask;
            }
        }
    };
}

choose_basis!(choose_basis32, u32);
choose_basis!(choose_basis64, u64);
