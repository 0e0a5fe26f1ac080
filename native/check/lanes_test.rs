//! Every operation on lanes by its definition (WebAssembly, "vector instructions"), lane by lane, on edges and on
//! random vectors.

use crate::simd::*;
use crate::{processor::lanes, simd};

type Bytes = [u8; 16];

macro_rules! views {
    ($($name:ident, $back:ident: [$t:ty; $n:literal];)*) => {
        $(
            fn $name(v: Bytes) -> [$t; $n] {
                core::array::from_fn(|i| <$t>::from_le_bytes(core::array::from_fn(|b| v[i * (16 / $n) + b])))
            }

            fn $back(of: impl Fn(usize) -> $t) -> Bytes {
                core::array::from_fn(|b| of(b / (16 / $n)).to_le_bytes()[b % (16 / $n)])
            }
        )*
    };
}

views! {
    i8s, of_i8s: [i8; 16];
    i16s, of_i16s: [i16; 8];
    u16s, of_u16s: [u16; 8];
    i32s, of_i32s: [i32; 4];
    u32s, of_u32s: [u32; 4];
    i64s, of_i64s: [i64; 2];
    u64s, of_u64s: [u64; 2];
    f32s, of_f32s: [f32; 4];
}

type Two = fn(v128, v128) -> v128;

/// Those of one or two vectors.
const LANEWISE: &[(&str, Two, fn(Bytes, Bytes) -> Bytes)] = &[
    ("v128_and", v128_and, |a, b| core::array::from_fn(|i| a[i] & b[i])),
    ("v128_or", v128_or, |a, b| core::array::from_fn(|i| a[i] | b[i])),
    ("v128_xor", v128_xor, |a, b| core::array::from_fn(|i| a[i] ^ b[i])),
    ("i8x16_add", i8x16_add, |a, b| of_i8s(|i| i8s(a)[i].wrapping_add(i8s(b)[i]))),
    ("i16x8_add", i16x8_add, |a, b| of_i16s(|i| i16s(a)[i].wrapping_add(i16s(b)[i]))),
    ("i16x8_abs", |a, _| i16x8_abs(a), |a, _| of_i16s(|i| i16s(a)[i].wrapping_abs())),
    ("i16x8_narrow_i32x4", i16x8_narrow_i32x4, |a, b| {
        let both = [i32s(a), i32s(b)].concat();
        of_i16s(|i| both[i].clamp(i16::MIN as i32, i16::MAX as i32) as i16)
    }),
    ("i32x4_add", i32x4_add, |a, b| of_i32s(|i| i32s(a)[i].wrapping_add(i32s(b)[i]))),
    ("i32x4_sub", i32x4_sub, |a, b| of_i32s(|i| i32s(a)[i].wrapping_sub(i32s(b)[i]))),
    ("i32x4_mul", i32x4_mul, |a, b| of_i32s(|i| i32s(a)[i].wrapping_mul(i32s(b)[i]))),
    ("i32x4_neg", |a, _| i32x4_neg(a), |a, _| of_i32s(|i| i32s(a)[i].wrapping_neg())),
    ("i32x4_lt", i32x4_lt, |a, b| of_i32s(|i| -((i32s(a)[i] < i32s(b)[i]) as i32))),
    ("i32x4_dot_i16x8", i32x4_dot_i16x8, |a, b| {
        let product = |i: usize| i16s(a)[i] as i32 * i16s(b)[i] as i32;
        of_i32s(|i| product(2 * i).wrapping_add(product(2 * i + 1)))
    }),
    ("i64x2_add", i64x2_add, |a, b| of_i64s(|i| i64s(a)[i].wrapping_add(i64s(b)[i]))),
    ("i64x2_sub", i64x2_sub, |a, b| of_i64s(|i| i64s(a)[i].wrapping_sub(i64s(b)[i]))),
    ("i64x2_extend_low_i32x4", |a, _| i64x2_extend_low_i32x4(a), |a, _| of_i64s(|i| i32s(a)[i] as i64)),
    ("i64x2_extend_high_i32x4", |a, _| i64x2_extend_high_i32x4(a), |a, _| of_i64s(|i| i32s(a)[i + 2] as i64)),
    ("u64x2_extend_low_u32x4", |a, _| u64x2_extend_low_u32x4(a), |a, _| of_u64s(|i| u32s(a)[i] as u64)),
    ("u64x2_extend_high_u32x4", |a, _| u64x2_extend_high_u32x4(a), |a, _| of_u64s(|i| u32s(a)[i + 2] as u64)),
    ("u64x2_extmul_low_u32x4", u64x2_extmul_low_u32x4, |a, b| of_u64s(|i| u32s(a)[i] as u64 * u32s(b)[i] as u64)),
    ("u64x2_extmul_high_u32x4", u64x2_extmul_high_u32x4, |a, b| {
        of_u64s(|i| u32s(a)[i + 2] as u64 * u32s(b)[i + 2] as u64)
    }),
    ("i64x2_extmul_low_i32x4", i64x2_extmul_low_i32x4, |a, b| of_i64s(|i| i32s(a)[i] as i64 * i32s(b)[i] as i64)),
    ("i64x2_extmul_high_i32x4", i64x2_extmul_high_i32x4, |a, b| {
        of_i64s(|i| i32s(a)[i + 2] as i64 * i32s(b)[i + 2] as i64)
    }),
    (
        "u32x4_extadd_pairwise_u16x8",
        |a, _| u32x4_extadd_pairwise_u16x8(a),
        |a, _| of_u32s(|i| u16s(a)[2 * i] as u32 + u16s(a)[2 * i + 1] as u32),
    ),
    ("f32x4_add", f32x4_add, |a, b| of_f32s(|i| f32s(a)[i] + f32s(b)[i])),
    ("f32x4_mul", f32x4_mul, |a, b| of_f32s(|i| f32s(a)[i] * f32s(b)[i])),
    ("i64x2_shuffle 0 2", i64x2_shuffle::<0, 2>, |a, b| of_u64s(|i| [u64s(a)[0], u64s(b)[0]][i])),
    ("i64x2_shuffle 1 3", i64x2_shuffle::<1, 3>, |a, b| of_u64s(|i| [u64s(a)[1], u64s(b)[1]][i])),
    ("i32x4_shuffle 0 4 1 5", i32x4_shuffle::<0, 4, 1, 5>, |a, b| of_u32s(|i| beside(a, b)[[0, 4, 1, 5][i]])),
    ("i32x4_shuffle 2 6 3 7", i32x4_shuffle::<2, 6, 3, 7>, |a, b| of_u32s(|i| beside(a, b)[[2, 6, 3, 7][i]])),
    ("i32x4_shuffle 0 2 4 6", i32x4_shuffle::<0, 2, 4, 6>, |a, b| of_u32s(|i| beside(a, b)[[0, 2, 4, 6][i]])),
    ("i16x8_shuffle", i16x8_shuffle::<0, 4, 8, 15, 9, 7, 3, 12>, |a, b| {
        let both = [u16s(a), u16s(b)].concat();
        of_u16s(|i| both[[0, 4, 8, 15, 9, 7, 3, 12][i]])
    }),
    ("i8x16_shuffle", i8x16_shuffle::<2, 31, 0, 16, 6, 7, 24, 5, 10, 11, 8, 9, 14, 15, 17, 13>, |a, b| {
        let both = [a, b].concat();
        [2, 31, 0, 16, 6, 7, 24, 5, 10, 11, 8, 9, 14, 15, 17, 13].map(|place: usize| both[place])
    }),
];

fn beside(a: Bytes, b: Bytes) -> [u32; 8] {
    core::array::from_fn(|i| if i < 4 { u32s(a)[i] } else { u32s(b)[i - 4] })
}

type Shift = fn(v128, u32) -> v128;

/// Those of a vector and a count, which counts modulo the width of a lane.
const SHIFTS: &[(&str, Shift, fn(Bytes, u32) -> Bytes)] = &[
    ("i32x4_shl", i32x4_shl, |a, by| of_u32s(|i| u32s(a)[i] << (by % 32))),
    ("u32x4_shr", u32x4_shr, |a, by| of_u32s(|i| u32s(a)[i] >> (by % 32))),
    ("i32x4_shr", i32x4_shr, |a, by| of_i32s(|i| i32s(a)[i] >> (by % 32))),
    ("i64x2_shl", i64x2_shl, |a, by| of_u64s(|i| u64s(a)[i] << (by % 64))),
    ("u64x2_shl", u64x2_shl, |a, by| of_u64s(|i| u64s(a)[i] << (by % 64))),
    ("u64x2_shr", u64x2_shr, |a, by| of_u64s(|i| u64s(a)[i] >> (by % 64))),
];

type Word = fn(v128) -> u64;

/// Those of a vector that give a word.
const WORDS: &[(&str, Word, fn(Bytes) -> u64)] = &[
    ("i32x4_bitmask", |a| i32x4_bitmask(a) as u64, |a| (0..4).map(|i| ((i32s(a)[i] < 0) as u64) << i).sum()),
    ("i32x4_all_true", |a| i32x4_all_true(a) as u64, |a| u32s(a).iter().all(|&lane| lane != 0) as u64),
    ("u32x4_extract_lane 0", |a| u32x4_extract_lane::<0>(a) as u64, |a| u32s(a)[0] as u64),
    ("u32x4_extract_lane 3", |a| u32x4_extract_lane::<3>(a) as u64, |a| u32s(a)[3] as u64),
    ("u64x2_extract_lane 1", u64x2_extract_lane::<1>, |a| u64s(a)[1]),
    ("i64x2_extract_lane 0", |a| i64x2_extract_lane::<0>(a) as u64, |a| u64s(a)[0]),
];

type Made = fn(Bytes) -> v128;

/// Those that make a vector of words.
const MADE: &[(&str, Made, fn(Bytes) -> Bytes)] = &[
    ("i32x4_splat", |a| i32x4_splat(i32s(a)[1]), |a| of_i32s(|_| i32s(a)[1])),
    ("u32x4_splat", |a| u32x4_splat(u32s(a)[1]), |a| of_u32s(|_| u32s(a)[1])),
    ("i64x2_splat", |a| i64x2_splat(i64s(a)[1]), |a| of_i64s(|_| i64s(a)[1])),
    ("u64x2_splat", |a| u64x2_splat(u64s(a)[1]), |a| of_u64s(|_| u64s(a)[1])),
    ("f32x4_splat", |a| f32x4_splat(f32s(a)[1]), |a| of_u32s(|_| f32s(a)[1].to_bits())),
    ("i32x4", |a| simd::i32x4(i32s(a)[0], i32s(a)[1], i32s(a)[2], i32s(a)[3]), |a| a),
    ("u32x4", |a| simd::u32x4(u32s(a)[0], u32s(a)[1], u32s(a)[2], u32s(a)[3]), |a| a),
    ("i64x2", |a| simd::i64x2(i64s(a)[0], i64s(a)[1]), |a| a),
    ("u64x2", |a| simd::u64x2(u64s(a)[0], u64s(a)[1]), |a| a),
    (
        "v128_load32_splat",
        |a| unsafe { v128_load32_splat(a.as_ptr().add(3) as *const u32) },
        |a| of_u32s(|_| u32::from_le_bytes([a[3], a[4], a[5], a[6]])),
    ),
];

/// A vector at a place that is not aligned, and back.
fn moved(v: v128) -> v128 {
    let mut bytes = [0u8; 33];
    // SAFETY: 17 bytes are behind it.
    unsafe {
        v128_store(bytes.as_mut_ptr().add(9) as *mut v128, v);
        v128_load(bytes.as_ptr().add(9) as *const v128)
    }
}

fn vector(bytes: Bytes) -> v128 {
    // SAFETY: of one size.
    unsafe { core::mem::transmute(bytes) }
}

/// NaNs of a sum are any, as WebAssembly leaves it: they are one here.
fn alike(name: &str, bytes: Bytes) -> Bytes {
    if !name.starts_with("f32x4_") || name == "f32x4_splat" {
        return bytes;
    }
    of_f32s(|i| if f32s(bytes)[i].is_nan() { f32::NAN } else { f32s(bytes)[i] })
}

/// Vectors of every lane's edges, and random ones.
fn vectors() -> Vec<Bytes> {
    const EDGES: [u64; 12] = [
        0,
        u64::MAX,
        1,
        1 << 63,
        i64::MAX as u64,
        0x8000_0000_8000_0000,
        0x7fff_ffff_7fff_ffff,
        0x8000_8000_8000_8000,
        0x7fff_7fff_7fff_7fff,
        0x0000_0000_ffff_ffff,
        0x8080_8080_7f7f_7f7f,
        0x3f80_0000_bf80_0000,
    ];
    let mut state = 1u64;
    let mut next = || {
        // xorshift64*.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut all: Vec<Bytes> = Vec::new();
    for (i, low) in EDGES.iter().enumerate() {
        all.push(of_u64s(|_| *low));
        all.push(of_u64s(|half| [*low, EDGES[(i + 1) % EDGES.len()]][half]));
    }
    for _ in 0..200 {
        let words = [next(), next()];
        all.push(of_u64s(|half| words[half]));
    }
    all
}

/// Panics at the first difference. The number of operations.
pub fn compare() -> usize {
    let all = vectors();
    for &a in &all {
        for &b in &all {
            for (name, of, is) in LANEWISE {
                let [got, expected] = [lanes::<u8, 16>(of(vector(a), vector(b))), is(a, b)].map(|v| alike(name, v));
                assert_eq!(got, expected, "{name} of {a:x?} and {b:x?}");
            }
        }
        for (name, of, is) in SHIFTS {
            for by in 0..130 {
                assert_eq!(lanes::<u8, 16>(of(vector(a), by)), is(a, by), "{name} of {a:x?} by {by}");
            }
        }
        for (name, of, is) in WORDS {
            assert_eq!(of(vector(a)), is(a), "{name} of {a:x?}");
        }
        for (name, of, is) in MADE {
            assert_eq!(lanes::<u8, 16>(of(a)), is(a), "{name} of {a:x?}");
        }
        assert_eq!(lanes::<u8, 16>(moved(vector(a))), a, "v128_store and v128_load");
    }
    LANEWISE.len() + SHIFTS.len() + WORDS.len() + MADE.len() + 2
}
