//! Wire form: ⌈k/8⌉ little-endian bytes per element, single bits eight to a byte with the lowest first.

use core::arch::wasm32::*;

/// Sixteen bytes from any address (table bytes begin anywhere).
#[inline(always)]
pub unsafe fn load(from: *const u8) -> v128 {
    core::ptr::read_unaligned(from as *const v128)
}

/// Sixteen bytes to any address.
#[inline(always)]
pub unsafe fn store(to: *mut u8, v: v128) {
    core::ptr::write_unaligned(to as *mut v128, v)
}

/// Eight bits (0 or 1 per lane) to a byte.
#[no_mangle]
pub unsafe extern "C" fn pack_bits(x: *const u32, out: *mut u8, n: usize) {
    let mut i = 0;
    while i + 8 <= n {
        let low = v128_load(x.add(i) as *const v128);
        let high = v128_load(x.add(i + 4) as *const v128);
        *out.add(i / 8) = i32x4_bitmask(i32x4_shl(low, 31)) as u8 | (i32x4_bitmask(i32x4_shl(high, 31)) as u8) << 4;
        i += 8;
    }
    while i < n {
        let mut byte = 0u32;
        let left = if n - i < 8 { n - i } else { 8 };
        for b in 0..left {
            byte |= (*x.add(i + b) & 1) << b;
        }
        *out.add(i / 8) = byte as u8;
        i += 8;
    }
}

/// A byte to eight lanes.
#[no_mangle]
pub unsafe extern "C" fn unpack_bits(bytes: *const u8, out: *mut u32, n: usize) {
    for i in 0..n {
        *out.add(i) = (*bytes.add(i / 8) as u32 >> (i % 8)) & 1;
    }
}

/// The low `W` bytes of every lane of `LANE` bytes.
#[inline(always)]
unsafe fn pack_width<const W: usize, const LANE: usize>(x: *const u8, out: *mut u8, n: usize) {
    for i in 0..n {
        core::ptr::copy_nonoverlapping(x.add(i * LANE), out.add(i * W), W);
    }
}

/// Low `width` bytes (1 … 4) of 32-bit lanes.
#[no_mangle]
pub unsafe extern "C" fn pack32(x: *const u8, out: *mut u8, n: usize, width: usize) {
    match width {
        1 => pack_width::<1, 4>(x, out, n),
        2 => pack_width::<2, 4>(x, out, n),
        3 => pack_width::<3, 4>(x, out, n),
        _ => pack_width::<4, 4>(x, out, n),
    }
}

/// Low `width` bytes (5 … 8) of 64-bit lanes.
#[no_mangle]
pub unsafe extern "C" fn pack64(x: *const u8, out: *mut u8, n: usize, width: usize) {
    match width {
        5 => pack_width::<5, 8>(x, out, n),
        6 => pack_width::<6, 8>(x, out, n),
        7 => pack_width::<7, 8>(x, out, n),
        _ => pack_width::<8, 8>(x, out, n),
    }
}

/// `width` (1 … 8) little-endian bytes as an integer, from any address with 8 readable bytes.
#[inline(always)]
pub unsafe fn read(bytes: *const u8, width: usize) -> u64 {
    let word = core::ptr::read_unaligned(bytes as *const u64);
    word & (u64::MAX >> (64 - 8 * width as u32))
}

/// `width` bytes (1 … 4) to 32-bit lanes. Eight bytes past the end of `bytes` must be readable.
#[no_mangle]
pub unsafe extern "C" fn unpack32(bytes: *const u8, out: *mut u32, n: usize, width: usize, mask: u32) {
    for i in 0..n {
        *out.add(i) = core::ptr::read_unaligned(bytes.add(i * width) as *const u32) & mask;
    }
}

/// `width` bytes (5 … 8) to 64-bit lanes. Eight bytes past the end of `bytes` must be readable.
#[no_mangle]
pub unsafe extern "C" fn unpack64(bytes: *const u8, out: *mut u64, n: usize, width: usize, mask: u64) {
    for i in 0..n {
        *out.add(i) = core::ptr::read_unaligned(bytes.add(i * width) as *const u64) & mask;
    }
}
