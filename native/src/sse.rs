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
    i16x8_narrow_i32x4(a, b) = _mm_packs_epi32(a, b);
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
    zip_low32(a, b) = _mm_unpacklo_epi32(a, b);
    zip_high32(a, b) = _mm_unpackhi_epi32(a, b);
    unzip32(a, b) = _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
    zip_low64(a, b) = _mm_unpacklo_epi64(a, b);
    zip_high64(a, b) = _mm_unpackhi_epi64(a, b);
    f32x4_add(a, b) = _mm_castps_si128(_mm_add_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
    f32x4_mul(a, b) = _mm_castps_si128(_mm_mul_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
    u32x4_extadd_pairwise_u16x8(a) =
        _mm_add_epi32(_mm_and_si128(a, _mm_set1_epi32(0xffff)), _mm_srli_epi32::<16>(a));
}

shifts! {
    i32x4_shl = _mm_sll_epi32, 32;
    u32x4_shr = _mm_srl_epi32, 32;
    i32x4_shr = _mm_sra_epi32, 32;
    i64x2_shl = _mm_sll_epi64, 64;
    u64x2_shr = _mm_srl_epi64, 64;
}

#[inline(always)]
pub fn i32x4_splat(v: i32) -> v128 {
    unsafe { _mm_set1_epi32(v) }
}

#[inline(always)]
pub fn i64x2_splat(v: i64) -> v128 {
    unsafe { _mm_set1_epi64x(v) }
}

#[inline(always)]
pub fn i32x4_bitmask(a: v128) -> u8 {
    unsafe { _mm_movemask_ps(_mm_castsi128_ps(a)) as u8 }
}

/// Bytes of both operands side by side, by their places: of the first, then of the second.
#[inline(always)]
pub fn picked(a: v128, b: v128, places: [u8; 16]) -> v128 {
    // A place with its upper bit set gives zero.
    let first = places.map(|place| if place < 16 { place } else { 0x80 });
    let second = places.map(|place| if place < 16 { 0x80 } else { place - 16 });
    // SAFETY: of one size.
    unsafe {
        let from_first = _mm_shuffle_epi8(a, core::mem::transmute(first));
        _mm_or_si128(from_first, _mm_shuffle_epi8(b, core::mem::transmute(second)))
    }
}
