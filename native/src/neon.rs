//! SIMD128 of WebAssembly by NEON: every function has the bits of its namesake.
#![allow(missing_docs, non_camel_case_types)]

use core::arch::aarch64::*;

pub type v128 = uint8x16_t;

/// The same 16 bytes as another type of vector.
#[inline(always)]
fn cast<F: Copy, T: Copy>(v: F) -> T {
    assert!(core::mem::size_of::<F>() == 16 && core::mem::size_of::<T>() == 16);
    // SAFETY: of one size, and every bit pattern is a vector.
    unsafe { core::mem::transmute_copy(&v) }
}

macro_rules! same {
    ($($name:ident($($v:ident),*): $lanes:ty = $code:expr;)*) => {
        $(
            #[inline(always)]
            pub fn $name($($v: v128),*) -> v128 {
                $(let $v: $lanes = cast($v);)*
                // SAFETY: every processor of this architecture has it.
                cast(unsafe { $code })
            }
        )*
    };
}

same! {
    v128_and(a, b): uint8x16_t = vandq_u8(a, b);
    v128_or(a, b): uint8x16_t = vorrq_u8(a, b);
    v128_xor(a, b): uint8x16_t = veorq_u8(a, b);
    i8x16_add(a, b): int8x16_t = vaddq_s8(a, b);
    i16x8_add(a, b): int16x8_t = vaddq_s16(a, b);
    i16x8_abs(a): int16x8_t = vabsq_s16(a);
    i16x8_narrow_i32x4(a, b): int32x4_t = vqmovn_high_s32(vqmovn_s32(a), b);
    i32x4_add(a, b): int32x4_t = vaddq_s32(a, b);
    i32x4_sub(a, b): int32x4_t = vsubq_s32(a, b);
    i32x4_mul(a, b): int32x4_t = vmulq_s32(a, b);
    i32x4_neg(a): int32x4_t = vnegq_s32(a);
    i32x4_lt(a, b): int32x4_t = vcltq_s32(a, b);
    i32x4_dot_i16x8(a, b): int16x8_t =
        vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b));
    i64x2_add(a, b): int64x2_t = vaddq_s64(a, b);
    i64x2_sub(a, b): int64x2_t = vsubq_s64(a, b);
    i64x2_extend_low_i32x4(a): int32x4_t = vmovl_s32(vget_low_s32(a));
    i64x2_extend_high_i32x4(a): int32x4_t = vmovl_high_s32(a);
    u64x2_extend_low_u32x4(a): uint32x4_t = vmovl_u32(vget_low_u32(a));
    u64x2_extend_high_u32x4(a): uint32x4_t = vmovl_high_u32(a);
    u64x2_extmul_low_u32x4(a, b): uint32x4_t = vmull_u32(vget_low_u32(a), vget_low_u32(b));
    u64x2_extmul_high_u32x4(a, b): uint32x4_t = vmull_high_u32(a, b);
    i64x2_extmul_low_i32x4(a, b): int32x4_t = vmull_s32(vget_low_s32(a), vget_low_s32(b));
    i64x2_extmul_high_i32x4(a, b): int32x4_t = vmull_high_s32(a, b);
    u32x4_extadd_pairwise_u16x8(a): uint16x8_t = vpaddlq_u16(a);
    zip_low32(a, b): uint32x4_t = vzip1q_u32(a, b);
    zip_high32(a, b): uint32x4_t = vzip2q_u32(a, b);
    unzip32(a, b): uint32x4_t = vuzp1q_u32(a, b);
    zip_low64(a, b): uint64x2_t = vzip1q_u64(a, b);
    zip_high64(a, b): uint64x2_t = vzip2q_u64(a, b);
    f32x4_add(a, b): float32x4_t = vaddq_f32(a, b);
    f32x4_mul(a, b): float32x4_t = vmulq_f32(a, b);
}

macro_rules! shifts {
    ($($name:ident($lanes:ty, $bits:literal) = $shift:ident($splat:ident, $count:ty, $sign:literal);)*) => {
        $(
            /// Counts are those of a shift to the left: one to the right is negative.
            #[inline(always)]
            pub fn $name(a: v128, by: u32) -> v128 {
                let a: $lanes = cast(a);
                // SAFETY: as above.
                cast(unsafe { $shift(a, $splat($sign * (by % $bits) as $count)) })
            }
        )*
    };
}

shifts! {
    i32x4_shl(int32x4_t, 32) = vshlq_s32(vdupq_n_s32, i32, 1);
    u32x4_shr(uint32x4_t, 32) = vshlq_u32(vdupq_n_s32, i32, -1);
    i32x4_shr(int32x4_t, 32) = vshlq_s32(vdupq_n_s32, i32, -1);
    i64x2_shl(int64x2_t, 64) = vshlq_s64(vdupq_n_s64, i64, 1);
    u64x2_shr(uint64x2_t, 64) = vshlq_u64(vdupq_n_s64, i64, -1);
}

#[inline(always)]
pub fn i32x4_splat(v: i32) -> v128 {
    cast(unsafe { vdupq_n_s32(v) })
}

#[inline(always)]
pub fn i64x2_splat(v: i64) -> v128 {
    cast(unsafe { vdupq_n_s64(v) })
}

/// The signs of the lanes, each at its place, added up.
#[inline(always)]
pub fn i32x4_bitmask(a: v128) -> u8 {
    unsafe { vaddvq_u32(vshlq_u32(vshrq_n_u32::<31>(cast(a)), cast([0u32, 1, 2, 3]))) as u8 }
}

/// Bytes of both operands side by side, by their places: of the first, then of the second.
#[inline(always)]
pub fn picked(a: v128, b: v128, places: [u8; 16]) -> v128 {
    unsafe { vqtbl2q_u8(uint8x16x2_t(a, b), cast(places)) }
}
