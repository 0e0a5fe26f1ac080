//! Expansion of a distributed point function key over Z_2^64. Node bits need no alignment beyond their lane's.
//! Layout and PRG: `src/compute/kernels/point-key.ts`.

use crate::chacha::block4;
use crate::lanes::transpose;
use crate::pack::{load, store};
use crate::simd::*;

const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// What four PRG blocks begin with: lane l has the seed `seeds[l]`, all have `tweak` and the level in the nonce.
#[inline(always)]
unsafe fn start_of(seeds: *const v128, tweak: *const u32, level: u32) -> [v128; 16] {
    let zero = i32x4_splat(0);
    let seed = transpose(*seeds, *seeds.add(1), *seeds.add(2), *seeds.add(3));
    let mut start = [zero; 16];
    for w in 0..4 {
        start[w] = u32x4_splat(SIGMA[w]);
        start[4 + w] = seed[w];
        start[8 + w] = v128_load32_splat(tweak.add(w));
    }
    start[13] = u32x4_splat(level);
    start
}

/// Gives the PRG blocks of four nodes at a time, and the number of the first.
#[inline(always)]
unsafe fn each_four(
    seeds: *const v128,
    nodes: usize,
    tweak: *const u32,
    level: u32,
    mut give: impl FnMut(usize, &[v128; 16]),
) {
    let start = |at: usize| start_of(seeds.add(at), tweak, level);
    let mut at = 0;
    #[cfg(target_arch = "x86_64")]
    while at + 8 <= nodes {
        let [first, second] = crate::wide::block4_twice(&start(at), &start(at + 4));
        give(at, &first);
        give(at + 4, &second);
        at += 8;
    }
    while at < nodes {
        give(at, &block4(&start(at)));
        at += 4;
    }
}

/// One level: the children of `nodes` nodes (rounded up to four). Children of node i are 2i and 2i + 1.
/// `correction` is 16 bytes of seed and one byte of bits.
#[no_mangle]
pub unsafe extern "C" fn point_level(
    seeds: *const v128,
    bits: *const u32,
    out_seeds: *mut v128,
    out_bits: *mut u32,
    nodes: usize,
    tweak: *const u32,
    level: u32,
    correction: *const u8,
) {
    let one = i32x4_splat(1);
    let word = |w: usize| u32x4_splat(core::ptr::read_unaligned(correction.add(4 * w) as *const u32));
    let fix = [word(0), word(1), word(2), word(3)];
    let flips = *correction.add(16) as u32;
    let flip = [u32x4_splat(flips & 1), u32x4_splat((flips >> 1) & 1)];
    each_four(seeds, nodes, tweak, level, |at, s| {
        let bit = load(bits.add(at) as *const u8);
        // all ones where the node's bit is set: corrections are applied by masking, not by branching
        let on = i32x4_neg(bit);
        for side in 0..2 {
            let mut w = [one; 4];
            for i in 0..4 {
                w[i] = v128_xor(s[4 * side + i], v128_and(fix[i], on));
            }
            let rows = transpose(w[0], w[1], w[2], w[3]);
            let t = v128_xor(v128_and(u32x4_shr(s[8], 8 * side as u32), one), v128_and(flip[side], on));
            let mut lanes = [0u32; 4];
            store(lanes.as_mut_ptr() as *mut u8, t);
            for l in 0..4 {
                *out_seeds.add(2 * (at + l) + side) = rows[l];
                *out_bits.add(2 * (at + l) + side) = lanes[l];
            }
        }
    });
}

/// The leaf words of `nodes` nodes (rounded up to four): ±(output word + bit · last).
#[no_mangle]
pub unsafe extern "C" fn point_leaves(
    seeds: *const v128,
    bits: *const u32,
    out: *mut u64,
    nodes: usize,
    tweak: *const u32,
    level: u32,
    last: u64,
    party: u32,
) {
    let last = u64x2_splat(last);
    let sign = i64x2_splat(-(party as i64));
    each_four(seeds, nodes, tweak, level, |at, s| {
        let on = i32x4_neg(load(bits.add(at) as *const u8));
        let words = [i32x4_shuffle::<0, 4, 1, 5>(s[10], s[11]), i32x4_shuffle::<2, 6, 3, 7>(s[10], s[11])];
        let masks = [i64x2_extend_low_i32x4(on), i64x2_extend_high_i32x4(on)];
        for h in 0..2 {
            let v = i64x2_add(words[h], v128_and(last, masks[h]));
            v128_store(out.add(at + 2 * h) as *mut v128, i64x2_sub(v128_xor(v, sign), sign));
        }
    });
}
