//! The corrections of selections, which P0 deals.

use crate::chacha::{blocks, keystream};
use crate::pack::{load, low_bits, word_at};

/// Bytes that `temp` must have beyond the span of key stream: four blocks and an unaligned word.
#[no_mangle]
pub extern "C" fn deal_slack() -> usize {
    512
}

macro_rules! dealing {
    ($deal:ident, $t:ty) => {
        /// B_i = −Σ_p w_{i,c_i,p} φ_{i,p} − r0_i for the elements `first` … `first + count`, whose choices, bases
        /// and r0 are given; word p of an entry has `widths[p]` bits. `span` > 0: the stream is generated as it
        /// stands, `span` elements at a time (into `temp`, which has room for it and 512 bytes more). `span` = 0: only
        /// the blocks that hold the chosen pads, `per` (1, 2 or 4) per element; `temp` has 512 bytes.
        #[no_mangle]
        pub unsafe extern "C" fn $deal(
            state: *const u32,
            index: *const u32,
            basis: *const $t,
            r0: *const $t,
            out: *mut $t,
            first: u64,
            count: usize,
            n: usize,
            widths: *const u32,
            p: usize,
            mask: $t,
            span: usize,
            per: usize,
            temp: *mut u8,
        ) {
            let mut entry = 0u64;
            for q in 0..p {
                entry += *widths.add(q) as u64;
            }
            let element = n as u64 * entry;
            // Positions are in bits of the stream.
            let position = |i: usize| (first + i as u64) * element + *index.add(i) as u64 * entry;
            let word = |i: usize, bytes: *const u8, mut bit: u64| {
                let mut sum = (*r0.add(i)).wrapping_neg();
                for q in 0..p {
                    let width = *widths.add(q);
                    let pad = word_at(bytes, bit, width) & low_bits(width);
                    let phi = if basis.is_null() { 1 } else { *basis.add(i * p + q) };
                    sum = sum.wrapping_sub((pad as $t).wrapping_mul(phi));
                    bit += width as u64;
                }
                *out.add(i) = sum & mask;
            };
            let mut i = 0;
            while i < count {
                if span > 0 {
                    let group = if count - i < span { count - i } else { span };
                    let from = (first + i as u64) * element >> 9;
                    let to = ((first + (i + group) as u64) * element + 511) >> 9;
                    keystream(state, from as u32, (to - from) as usize, temp);
                    for e in i..i + group {
                        word(e, temp, position(e) - (from << 9));
                    }
                    i += group;
                } else {
                    let group = 4 / per;
                    let mut counters = [0u32; 4];
                    for e in 0..group {
                        // The last group repeats its last element.
                        let block = (position(if i + e < count { i + e } else { count - 1 }) >> 9) as u32;
                        for b in 0..per {
                            counters[e * per + b] = block.wrapping_add(b as u32);
                        }
                    }
                    blocks(state, load(counters.as_ptr() as *const u8), temp);
                    for e in 0..group {
                        if i + e < count {
                            word(i + e, temp.add(64 * per * e), position(i + e) & 511);
                        }
                    }
                    i += group;
                }
            }
        }
    };
}

dealing!(deal32, u32);
dealing!(deal64, u64);
