//! Oblivious transfer extension (PROTOCOL §4.12). Layout of the base, streams and hash:
//! `src/compute/kernels/ot-base.ts`.
//!
//! Four blocks of every leaf's stream at a time, one per lane: 2,048 OTs. Lane l of word w holds the OTs 512·l + 32·w
//! and 31 more, and stays in its lane to the end: rows are summed as they come, 32 of them are turned into the words
//! of 32 OTs in place, and the hash takes four OTs, 512 apart, as they lie there. Nothing branches on a secret and no
//! address depends on one: which leaf weighs what is the place of its key.

use crate::chacha::block4;
use crate::simd::*;

const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
const TREES: usize = 32;
const LEAVES: usize = 16;
/// Words of a stream's block.
const WORDS: usize = 16;
/// OTs that are made together.
const GROUP: usize = 2048;
/// Rows of the matrix: four of every tree, then the sum of its leaves.
const ROWS: usize = 5 * TREES;

/// Bytes of scratch.
#[no_mangle]
pub extern "C" fn ot_scratch() -> usize {
    16 * (ROWS * WORDS + 5 * 32)
}

/// How many OTs are made together: buffers have room for whole groups.
#[no_mangle]
pub extern "C" fn ot_group() -> usize {
    GROUP
}

/// Rows 4i + b: the sum of the leaves of tree i whose place has bit b. Rows 128 + i: the sum of all its leaves.
/// The leaf at place 0 weighs nothing in the first and is left out with `from` = 1.
unsafe fn expand(keys: *const u32, nonce: *const u32, block: u32, from: usize, rows: *mut v128) {
    let mut start = [i32x4_splat(0); 16];
    for w in 0..4 {
        start[w] = u32x4_splat(SIGMA[w]);
    }
    start[12] = i32x4_add(u32x4_splat(block), u32x4(0, 1, 2, 3));
    for w in 0..3 {
        start[13 + w] = v128_load32_splat(nonce.add(w));
    }
    for tree in 0..TREES {
        let mut sums = [[i32x4_splat(0); WORDS]; 5];
        for leaf in from..LEAVES {
            let key = keys.add(8 * (LEAVES * tree + leaf));
            for w in 0..8 {
                start[4 + w] = v128_load32_splat(key.add(w));
            }
            let stream = block4(&start);
            for b in 0..5 {
                if b == 4 || leaf >> b & 1 == 1 {
                    for w in 0..WORDS {
                        sums[b][w] = v128_xor(sums[b][w], stream[w]);
                    }
                }
            }
        }
        for b in 0..5 {
            let row = if b == 4 { 4 * TREES + tree } else { 4 * tree + b };
            for w in 0..WORDS {
                *rows.add(WORDS * row + w) = sums[b][w];
            }
        }
    }
}

/// Bit r of word c is bit c of row r, in every lane.
unsafe fn turn(rows: *const v128, out: *mut v128) {
    for r in 0..32 {
        *out.add(r) = *rows.add(WORDS * r);
    }
    let mut width = 16;
    let mut mask = 0x0000_ffffu32;
    while width > 0 {
        let low = u32x4_splat(mask);
        let mut r = 0;
        while r < 32 {
            let (a, b) = (*out.add(r), *out.add(r + width));
            let t = v128_and(v128_xor(u32x4_shr(a, width as u32), b), low);
            *out.add(r + width) = v128_xor(b, t);
            *out.add(r) = v128_xor(a, i32x4_shl(t, width as u32));
            r = (r + width + 1) & !width;
        }
        width >>= 1;
        mask ^= mask << width;
    }
}

/// The first two words of the hash of four OTs: a block whose key is q ‖ tweak, whose counter is the OT's number and
/// whose nonce is the draw's.
#[inline(never)]
unsafe fn hash(q: [v128; 4], tweak: *const u32, counters: v128, nonce: *const u32) -> [v128; 2] {
    let mut start = [i32x4_splat(0); 16];
    for w in 0..4 {
        start[w] = u32x4_splat(SIGMA[w]);
        start[4 + w] = q[w];
        start[8 + w] = v128_load32_splat(tweak.add(w));
    }
    start[12] = counters;
    for w in 0..3 {
        start[13 + w] = v128_load32_splat(nonce.add(w));
    }
    let s = block4(&start);
    [s[0], s[1]]
}

/// Byte `t` of every lane, each of its bits in all four bits of a nibble.
fn nibbles(d: v128, t: u32) -> v128 {
    let mut x = v128_and(u32x4_shr(d, 8 * t), u32x4_splat(0xff));
    x = v128_and(v128_or(x, i32x4_shl(x, 12)), u32x4_splat(0x000f_000f));
    x = v128_and(v128_or(x, i32x4_shl(x, 6)), u32x4_splat(0x0303_0303));
    x = v128_and(v128_or(x, i32x4_shl(x, 3)), u32x4_splat(0x1111_1111));
    i32x4_sub(i32x4_shl(x, 4), x)
}

/// The lanes of four OTs, 512 apart.
unsafe fn gather(from: *const u32, at: usize) -> v128 {
    u32x4(*from.add(at), *from.add(at + 512), *from.add(at + 1024), *from.add(at + 1536))
}

/// Their words in 64-bit lanes.
unsafe fn scatter(to: *mut u64, at: usize, words: [v128; 2]) {
    let mut lanes = [[0u32; 4]; 2];
    for h in 0..2 {
        v128_store(lanes[h].as_mut_ptr() as *mut v128, words[h]);
    }
    for l in 0..4 {
        *to.add(at + 512 * l) = lanes[0][l] as u64 | (lanes[1][l] as u64) << 32;
    }
}

/// The receiver's message d and words w_c of `count` OTs, a whole number of groups, from OT `first` on.
#[no_mangle]
pub unsafe extern "C" fn ot_receive(
    keys: *const u32,
    tweak: *const u32,
    nonce: *const u32,
    first: u32,
    count: usize,
    choice: *const u32,
    message: *mut u32,
    words: *mut u64,
    scratch: *mut v128,
) {
    let turned = scratch.add(ROWS * WORDS);
    let mut group = 0;
    while group < count {
        let start = first.wrapping_add(group as u32);
        expand(keys, nonce, start >> 9, 0, scratch);
        for w in 0..WORDS {
            for t in 0..5 {
                turn(scratch.add(WORDS * 32 * t + w), turned.add(32 * t));
            }
            for c in 0..32 {
                let at = group + 32 * w + c;
                let v = [*turned.add(c), *turned.add(32 + c), *turned.add(64 + c), *turned.add(96 + c)];
                let d = v128_xor(*turned.add(128 + c), i32x4_neg(gather(choice, at)));
                let mut lanes = [0u32; 4];
                v128_store(lanes.as_mut_ptr() as *mut v128, d);
                for l in 0..4 {
                    *message.add(at + 512 * l) = lanes[l];
                }
                let counters = i32x4_add(u32x4_splat(start + (32 * w + c) as u32), u32x4(0, 512, 1024, 1536));
                scatter(words, at, hash(v, tweak, counters, nonce));
            }
        }
        group += GROUP;
    }
}

/// The sender's words w_0 and w_1 of `count` OTs, a whole number of groups, from the receiver's message.
#[no_mangle]
pub unsafe extern "C" fn ot_send(
    keys: *const u32,
    delta: *const u32,
    tweak: *const u32,
    nonce: *const u32,
    first: u32,
    count: usize,
    message: *const u32,
    zero: *mut u64,
    one: *mut u64,
    scratch: *mut v128,
) {
    let turned = scratch.add(ROWS * WORDS);
    let mut group = 0;
    while group < count {
        let start = first.wrapping_add(group as u32);
        expand(keys, nonce, start >> 9, 1, scratch);
        for w in 0..WORDS {
            for t in 0..4 {
                turn(scratch.add(WORDS * 32 * t + w), turned.add(32 * t));
            }
            for c in 0..32 {
                let at = group + 32 * w + c;
                let d = gather(message, at);
                let mut q = [d; 4];
                let mut other = [d; 4];
                for t in 0..4 {
                    let part = v128_load32_splat(delta.add(t));
                    q[t] = v128_xor(*turned.add(32 * t + c), v128_and(nibbles(d, t as u32), part));
                    other[t] = v128_xor(q[t], part);
                }
                let counters = i32x4_add(u32x4_splat(start + (32 * w + c) as u32), u32x4(0, 512, 1024, 1536));
                scatter(zero, at, hash(q, tweak, counters, nonce));
                scatter(one, at, hash(other, tweak, counters, nonce));
            }
        }
        group += GROUP;
    }
}
