//! Wire form: words packed to the bit, the lowest bit first in a word and in a byte.

use crate::simd::*;

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

/// The lowest k bits set, 1 ≤ k ≤ 64.
#[inline(always)]
pub fn low_bits(k: u32) -> u64 {
    u64::MAX >> (64 - k)
}

/// The 64 bits from bit position `at` on. The nine bytes from there on must be readable.
#[inline(always)]
pub unsafe fn bits_at(bytes: *const u8, at: u64) -> u64 {
    let from = bytes.add((at >> 3) as usize);
    let skip = (at & 7) as u32;
    let word = core::ptr::read_unaligned(from as *const u64);
    // Shifted left in two steps, which is right for skip = 0 too.
    word >> skip | (*from.add(8) as u64) << 1 << (63 - skip)
}

/// As `bits_at`, of which the lowest `width` are wanted: eight bytes hold 57 of them wherever they begin.
#[inline(always)]
pub unsafe fn word_at(bytes: *const u8, at: u64, width: u32) -> u64 {
    if width > 57 {
        return bits_at(bytes, at);
    }
    core::ptr::read_unaligned(bytes.add((at >> 3) as usize) as *const u64) >> (at & 7)
}

/// Writes words one after the other, eight bytes at a time: nothing is written behind the last whole eight until
/// `finish`.
#[derive(Clone, Copy)]
pub struct BitWriter {
    to: *mut u8,
    word: u64,
    fill: u32,
}

impl BitWriter {
    /// A writer that begins with bit 0 of `to`.
    pub fn new(to: *mut u8) -> Self {
        BitWriter { to, word: 0, fill: 0 }
    }

    /// Appends a word of `width` bits; the bits above are zero.
    #[inline(always)]
    pub unsafe fn put(&mut self, value: u64, width: u32) {
        self.word |= value << self.fill;
        let end = self.fill + width;
        if end < 64 {
            self.fill = end;
            return;
        }
        core::ptr::write_unaligned(self.to as *mut u64, self.word);
        self.to = self.to.add(8);
        self.word = value >> 1 >> (63 - self.fill);
        self.fill = end - 64;
    }

    /// Writes the bytes that are begun, with zeros behind the last bit.
    pub unsafe fn finish(&mut self) {
        for b in 0..((self.fill + 7) / 8) as usize {
            *self.to.add(b) = (self.word >> (8 * b as u32)) as u8;
        }
        self.fill = 0;
    }
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
    if i < n {
        let mut byte = 0u32;
        for b in 0..n - i {
            byte |= (*x.add(i + b) & 1) << b;
        }
        *out.add(i / 8) = byte as u8;
    }
}

/// The low `W` bytes of every lane of `LANE` bytes.
#[inline(always)]
unsafe fn pack_width<const W: usize, const LANE: usize>(x: *const u8, out: *mut u8, n: usize) {
    for i in 0..n {
        core::ptr::copy_nonoverlapping(x.add(i * LANE), out.add(i * W), W);
    }
}

/// The low k bits (1 … 32) of 32-bit lanes, which hold nothing above.
#[no_mangle]
pub unsafe extern "C" fn pack32(x: *const u32, out: *mut u8, n: usize, k: u32) {
    match k {
        1 => pack_bits(x, out, n),
        8 => pack_width::<1, 4>(x as *const u8, out, n),
        16 => pack_width::<2, 4>(x as *const u8, out, n),
        24 => pack_width::<3, 4>(x as *const u8, out, n),
        32 => pack_width::<4, 4>(x as *const u8, out, n),
        _ => {
            let mut to = BitWriter::new(out);
            for i in 0..n {
                to.put(*x.add(i) as u64, k);
            }
            to.finish();
        }
    }
}

/// The low k bits (33 … 64) of 64-bit lanes, which hold nothing above.
#[no_mangle]
pub unsafe extern "C" fn pack64(x: *const u64, out: *mut u8, n: usize, k: u32) {
    match k {
        40 => pack_width::<5, 8>(x as *const u8, out, n),
        48 => pack_width::<6, 8>(x as *const u8, out, n),
        56 => pack_width::<7, 8>(x as *const u8, out, n),
        64 => pack_width::<8, 8>(x as *const u8, out, n),
        _ => {
            let mut to = BitWriter::new(out);
            for i in 0..n {
                to.put(*x.add(i), k);
            }
            to.finish();
        }
    }
}

/// Words of k bits (1 … 32) to 32-bit lanes. Nine bytes past the end of `bytes` must be readable.
#[no_mangle]
pub unsafe extern "C" fn unpack32(bytes: *const u8, out: *mut u32, n: usize, k: u32) {
    let mask = low_bits(k) as u32;
    let mut at = 0u64;
    for i in 0..n {
        let word = core::ptr::read_unaligned(bytes.add((at >> 3) as usize) as *const u64);
        *out.add(i) = (word >> (at & 7)) as u32 & mask;
        at += k as u64;
    }
}

/// Words of k bits (33 … 64) to 64-bit lanes. Nine bytes past the end of `bytes` must be readable.
#[no_mangle]
pub unsafe extern "C" fn unpack64(bytes: *const u8, out: *mut u64, n: usize, k: u32) {
    let mask = low_bits(k);
    let mut at = 0u64;
    for i in 0..n {
        *out.add(i) = word_at(bytes, at, k) & mask;
        at += k as u64;
    }
}
