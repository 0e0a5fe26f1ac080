//! The evaluation of selections at P2, on the entries that it chooses.

use crate::pack::{low_bits, word_at};

macro_rules! evaluating {
    ($evaluate:ident, $t:ty) => {
        /// y_i = Σ_p e_{i,p} φ_{i,p} + B_i on the entries that are chosen: of the n entries of element i that of
        /// number `index[i]`, whose word q has `widths[q]` bits. Nine bytes past the table must be readable. Returns
        /// 1, with `out` unspecified, when an index is not below n.
        #[cfg_attr(not(owner), no_mangle)]
        pub unsafe extern "C" fn $evaluate(
            table: *const u8,
            index: *const u32,
            n: u32,
            widths: *const u32,
            p: usize,
            basis: *const $t,
            word: *const $t,
            out: *mut $t,
            count: usize,
            mask: $t,
        ) -> u32 {
            let mut entry = 0;
            for q in 0..p {
                entry += *widths.add(q) as u64;
            }
            let mut element = 0;
            for i in 0..count {
                let chosen = *index.add(i);
                if chosen >= n {
                    return 1;
                }
                let mut bit = element + chosen as u64 * entry;
                let mut sum = *word.add(i);
                for q in 0..p {
                    let width = *widths.add(q);
                    let phi = if basis.is_null() { 1 } else { *basis.add(i * p + q) };
                    let e = word_at(table, bit, width) & low_bits(width);
                    sum = sum.wrapping_add((e as $t).wrapping_mul(phi));
                    bit += width as u64;
                }
                *out.add(i) = sum & mask;
                element += n as u64 * entry;
            }
            0
        }
    };
}

evaluating!(evaluate32, u32);
evaluating!(evaluate64, u64);
