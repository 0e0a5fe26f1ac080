//! The evaluation of selections at P2, on the entries that it chose.

macro_rules! evaluating {
    ($evaluate:ident, $t:ty) => {
        /// y_i = Σ_p e_{i,p} φ_{i,p} + B_i on the chosen entries e.
        #[no_mangle]
        pub unsafe extern "C" fn $evaluate(
            entries: *const $t,
            basis: *const $t,
            word: *const $t,
            out: *mut $t,
            count: usize,
            p: usize,
            mask: $t,
        ) {
            for i in 0..count {
                let mut sum = *word.add(i);
                for q in 0..p {
                    let phi = if basis.is_null() { 1 } else { *basis.add(i * p + q) };
                    sum = sum.wrapping_add((*entries.add(i * p + q)).wrapping_mul(phi));
                }
                *out.add(i) = sum & mask;
            }
        }
    };
}

evaluating!(evaluate32, u32);
evaluating!(evaluate64, u64);
