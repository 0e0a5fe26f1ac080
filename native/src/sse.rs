//! SIMD128 of WebAssembly by SSE4.1, whose lanes it was modelled on: every function has the bits of its namesake.
#![allow(missing_docs, non_camel_case_types)]

use core::arch::x86_64::*;

pub type v128 = __m128i;

macro_rules! same {
    ($($name:ident($($v:ident),*) = $code:expr;)*) => {
        $(
            #[inline(always)]
            pub fn $name($($v: v128),*) -> v128 {
                // SAFETY: the library is compiled for, and loaded only by, processors that have it.
                unsafe { $code }
            }
        )*
    };
}

macro_rules! shifts {
    ($($name:ident = $shift:ident, $bits:literal;)*) => {
        $(
            #[inline(always)]
            pub fn $name(a: v128, by: u32) -> v128 {
                // SAFETY: as above.
                unsafe { $shift(a, _mm_cvtsi32_si128((by % $bits) as i32)) }
            }
        )*
    };
}

same! {
    v128_and(a, b) = _mm_and_si128(a, b);
    v128_or(a, b) = _mm_or_si128(a, b);
    v128_xor(a, b) = _mm_xor_si128(a, b);
    i8x16_add(a, b) = _mm_add_epi8(a, b);
    i16x8_add(a, b) = _mm_add_epi16(a, b);
    i16x8_abs(a) = _mm_abs_epi16(a);
    i32x4_add(a, b) = _mm_add_epi32(a, b);
    i32x4_sub(a, b) = _mm_sub_epi32(a, b);
    i32x4_mul(a, b) = _mm_mullo_epi32(a, b);
    i32x4_neg(a) = _mm_sub_epi32(_mm_setzero_si128(), a);
    i32x4_lt(a, b) = _mm_cmplt_epi32(a, b);
    i32x4_dot_i16x8(a, b) = _mm_madd_epi16(a, b);
    i64x2_add(a, b) = _mm_add_epi64(a, b);
    i64x2_sub(a, b) = _mm_sub_epi64(a, b);
    i64x2_extend_low_i32x4(a) = _mm_cvtepi32_epi64(a);
    i64x2_extend_high_i32x4(a) = _mm_cvtepi32_epi64(_mm_srli_si128::<8>(a));
    u64x2_extend_low_u32x4(a) = _mm_cvtepu32_epi64(a);
    u64x2_extend_high_u32x4(a) = _mm_cvtepu32_epi64(_mm_srli_si128::<8>(a));
    u64x2_extmul_low_u32x4(a, b) = _mm_mul_epu32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b));
    u64x2_extmul_high_u32x4(a, b) = _mm_mul_epu32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b));
    i64x2_extmul_low_i32x4(a, b) = _mm_mul_epi32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b));
    i64x2_extmul_high_i32x4(a, b) = _mm_mul_epi32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b));
    u32x4_extadd_pairwise_u16x8(a) =
        _mm_add_epi32(_mm_and_si128(a, _mm_set1_epi32(0xffff)), _mm_srli_epi32::<16>(a));
}

shifts! {
    i32x4_shl = _mm_sll_epi32, 32;
    u32x4_shr = _mm_srl_epi32, 32;
    i32x4_shr = _mm_sra_epi32, 32;
    i64x2_shl = _mm_sll_epi64, 64;
    u64x2_shl = _mm_sll_epi64, 64;
    u64x2_shr = _mm_srl_epi64, 64;
}

#[inline(always)]
pub fn i32x4_splat(v: i32) -> v128 {
    unsafe { _mm_set1_epi32(v) }
}

#[inline(always)]
pub fn u32x4_splat(v: u32) -> v128 {
    i32x4_splat(v as i32)
}

#[inline(always)]
pub fn i64x2_splat(v: i64) -> v128 {
    unsafe { _mm_set1_epi64x(v) }
}

#[inline(always)]
pub fn u64x2_splat(v: u64) -> v128 {
    i64x2_splat(v as i64)
}

#[inline(always)]
pub fn i32x4(a: i32, b: i32, c: i32, d: i32) -> v128 {
    unsafe { _mm_setr_epi32(a, b, c, d) }
}

#[inline(always)]
pub fn u32x4(a: u32, b: u32, c: u32, d: u32) -> v128 {
    i32x4(a as i32, b as i32, c as i32, d as i32)
}

#[inline(always)]
pub fn i64x2(a: i64, b: i64) -> v128 {
    unsafe { _mm_set_epi64x(b, a) }
}

#[inline(always)]
pub const fn u64x2(a: u64, b: u64) -> v128 {
    // SAFETY: of one size. No intrinsic is made for constants.
    unsafe { core::mem::transmute([a, b]) }
}

#[inline(always)]
pub fn u64x2_extract_lane<const N: usize>(a: v128) -> u64 {
    lanes::<u64, 2>(a)[N]
}

#[inline(always)]
pub fn i64x2_extract_lane<const N: usize>(a: v128) -> i64 {
    lanes::<i64, 2>(a)[N]
}

#[inline(always)]
pub fn u32x4_extract_lane<const N: usize>(a: v128) -> u32 {
    lanes::<u32, 4>(a)[N]
}

#[inline(always)]
pub fn i32x4_bitmask(a: v128) -> u8 {
    unsafe { _mm_movemask_ps(_mm_castsi128_ps(a)) as u8 }
}

#[inline(always)]
pub fn i32x4_all_true(a: v128) -> bool {
    lanes::<u32, 4>(a).iter().all(|&lane| lane != 0)
}

#[inline(always)]
pub unsafe fn v128_load(from: *const v128) -> v128 {
    from.read_unaligned()
}

#[inline(always)]
pub unsafe fn v128_load32_splat(from: *const u32) -> v128 {
    u32x4_splat(from.read_unaligned())
}

#[inline(always)]
pub unsafe fn v128_store(to: *mut v128, v: v128) {
    to.write_unaligned(v)
}

/// A vector as an array of its lanes.
#[inline(always)]
fn lanes<T: Copy, const N: usize>(v: v128) -> [T; N] {
    assert!(core::mem::size_of::<[T; N]>() == 16);
    // SAFETY: of one size, and every bit pattern is a lane of an integer.
    unsafe { core::mem::transmute_copy(&v) }
}

// Shuffles of those places that kernels use. Places are constants: one branch is left of each.

#[inline(always)]
pub fn i64x2_shuffle<const A: usize, const B: usize>(a: v128, b: v128) -> v128 {
    match (A, B) {
        (0, 2) => unsafe { _mm_unpacklo_epi64(a, b) },
        (1, 3) => unsafe { _mm_unpackhi_epi64(a, b) },
        _ => unreachable!("a shuffle that no kernel has"),
    }
}

#[inline(always)]
pub fn i32x4_shuffle<const A: usize, const B: usize, const C: usize, const D: usize>(a: v128, b: v128) -> v128 {
    match (A, B, C, D) {
        (0, 4, 1, 5) => unsafe { _mm_unpacklo_epi32(a, b) },
        (2, 6, 3, 7) => unsafe { _mm_unpackhi_epi32(a, b) },
        (0, 2, 4, 6) => unsafe {
            _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(_mm_castsi128_ps(a), _mm_castsi128_ps(b)))
        },
        _ => unreachable!("a shuffle that no kernel has"),
    }
}

#[rustfmt::skip]
#[inline(always)]
pub fn i16x8_shuffle<
    const A: usize, const B: usize, const C: usize, const D: usize, const E: usize, const F: usize, const G: usize,
    const H: usize,
>(a: v128, b: v128) -> v128 {
    let places = [A, B, C, D, E, F, G, H];
    picked(a, b, core::array::from_fn(|i| (2 * places[i / 2] + i % 2) as u8))
}

#[rustfmt::skip]
#[inline(always)]
pub fn i8x16_shuffle<
    const A: usize, const B: usize, const C: usize, const D: usize, const E: usize, const F: usize, const G: usize,
    const H: usize, const I: usize, const J: usize, const K: usize, const L: usize, const M: usize, const N: usize,
    const O: usize, const P: usize,
>(a: v128, b: v128) -> v128 {
    picked(a, b, [A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P].map(|place| place as u8))
}

/// Bytes of both operands side by side, by their places: of the first, then of the second.
#[inline(always)]
fn picked(a: v128, b: v128, places: [u8; 16]) -> v128 {
    // A place with its upper bit set gives zero.
    let first = places.map(|place| if place < 16 { place } else { 0x80 });
    let second = places.map(|place| if place < 16 { 0x80 } else { place - 16 });
    // SAFETY: of one size.
    unsafe {
        let from_first = _mm_shuffle_epi8(a, core::mem::transmute(first));
        _mm_or_si128(from_first, _mm_shuffle_epi8(b, core::mem::transmute(second)))
    }
}

// Floats are of the plaintext model alone.

#[inline(always)]
pub fn f32x4_splat(v: f32) -> v128 {
    unsafe { _mm_castps_si128(_mm_set1_ps(v)) }
}

#[inline(always)]
pub fn f32x4_add(a: v128, b: v128) -> v128 {
    unsafe { _mm_castps_si128(_mm_add_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b))) }
}

#[inline(always)]
pub fn f32x4_mul(a: v128, b: v128) -> v128 {
    unsafe { _mm_castps_si128(_mm_mul_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b))) }
}
