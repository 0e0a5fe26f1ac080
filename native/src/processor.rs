//! SIMD128 of WebAssembly on the processor at hand: what does not depend on it, around what does.
#![allow(missing_docs)]

#[cfg(target_arch = "aarch64")]
pub use crate::neon::*;
#[cfg(target_arch = "x86_64")]
pub use crate::sse::*;

macro_rules! lanes_of {
    ($($name:ident($($v:ident),*): [$lane:ty; $n:literal];)*) => {
        $(
            #[inline(always)]
            pub const fn $name($($v: $lane),*) -> v128 {
                // SAFETY: of one size, and every bit pattern is a vector. No intrinsic is made for constants.
                unsafe { core::mem::transmute::<[$lane; $n], v128>([$($v),*]) }
            }
        )*
    };
}

lanes_of! {
    i32x4(a, b, c, d): [i32; 4];
    u32x4(a, b, c, d): [u32; 4];
    i64x2(a, b): [i64; 2];
    u64x2(a, b): [u64; 2];
}

#[inline(always)]
pub fn u32x4_splat(v: u32) -> v128 {
    i32x4_splat(v as i32)
}

#[inline(always)]
pub fn u64x2_splat(v: u64) -> v128 {
    i64x2_splat(v as i64)
}

// Floats are of the plaintext model alone.
#[inline(always)]
pub fn f32x4_splat(v: f32) -> v128 {
    u32x4_splat(v.to_bits())
}

#[inline(always)]
pub fn u64x2_shl(a: v128, by: u32) -> v128 {
    i64x2_shl(a, by)
}

/// A vector as an array of its lanes.
#[inline(always)]
pub fn lanes<T: Copy, const N: usize>(v: v128) -> [T; N] {
    assert!(core::mem::size_of::<[T; N]>() == 16);
    // SAFETY: of one size, and every bit pattern is a lane of an integer.
    unsafe { core::mem::transmute_copy(&v) }
}

#[inline(always)]
pub fn u32x4_extract_lane<const N: usize>(a: v128) -> u32 {
    lanes::<u32, 4>(a)[N]
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

// Shuffles of those places that kernels use. Places are constants: one branch is left of each.

#[inline(always)]
pub fn i64x2_shuffle<const A: usize, const B: usize>(a: v128, b: v128) -> v128 {
    match (A, B) {
        (0, 2) => zip_low64(a, b),
        (1, 3) => zip_high64(a, b),
        _ => unreachable!("a shuffle that no kernel has"),
    }
}

#[inline(always)]
pub fn i32x4_shuffle<const A: usize, const B: usize, const C: usize, const D: usize>(a: v128, b: v128) -> v128 {
    match (A, B, C, D) {
        (0, 4, 1, 5) => zip_low32(a, b),
        (2, 6, 3, 7) => zip_high32(a, b),
        (0, 2, 4, 6) => unzip32(a, b),
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
