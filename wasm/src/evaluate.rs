//! The evaluation of selections at P2, on the entries that it chose.

use crate::pack::{bits_at, low_bits};

macro_rules! evaluating {
    ($evaluate:ident, $t:ty) => {
        /// y_i = Σ_p e_{i,p} φ_{i,p} + B_i on the chosen entries e: entry i begins at byte i · stride, and word p of it
        /// has `widths[p]` bits. Nine bytes past the last entry must be readable.
        #[no_mangle]
        pub unsafe extern "C" fn $evaluate(
            entries: *const u8,
            stride: usize,
            widths: *const u32,
            p: usize,
            basis: *const $t,
            word: *const $t,
            out: *mut $t,
            count: usize,
            mask: $t,
        ) {
            for i in 0..count {
                let mut sum = *word.add(i);
                let mut bit = 0;
                for q in 0..p {
                    let width = *widths.add(q);
                    let entry = bits_at(entries.add(i * stride), bit) & low_bits(width);
                    let phi = if basis.is_null() { 1 } else { *basis.add(i * p + q) };
                    sum = sum.wrapping_add((entry as $t).wrapping_mul(phi));
                    bit += width as u64;
                }
                *out.add(i) = sum & mask;
            }
        }
    };
}

evaluating!(evaluate32, u32);
evaluating!(evaluate64, u64);
