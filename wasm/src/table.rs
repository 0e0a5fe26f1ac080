//! Tables of dealer-assisted selection (PROTOCOL §4.7, §6) at P1: how they are built, and those of rows and of
//! choices. Polynomials and the exponential: `polynomial.rs`, `exp.rs`.
//!
//! Tables are built in place: the key stream of a few elements is generated where their table bytes belong, and the
//! entries are added to it while it is in the cache. Addresses depend on P1's masked value (rows, segments), which P1
//! knows in the clear; nothing branches on it.

use crate::chacha::keystream;
use crate::pack::{load, read, store};
use core::arch::wasm32::*;

/// Blocks generated ahead of the entries: 4 KB.
const AHEAD: usize = 64;

/// Bytes that a table's buffer must have behind the table: the blocks generated ahead.
#[no_mangle]
pub extern "C" fn table_ahead() -> usize {
    64 * AHEAD
}

/// A table under construction: pads at `at` and beyond, entries added behind it.
pub struct Table {
    state: *const u32,
    block: u32,
    /// End of the key stream generated so far.
    ready: *mut u8,
    /// Next table byte.
    pub at: *mut u8,
    /// Bytes per word; 0 stands for single bits.
    pub width: usize,
    /// Next bit of the table, for single bits (`at` stays).
    bit: usize,
}

impl Table {
    /// `buf` receives the stream from block `block` on; the table begins `skip` bytes into it.
    unsafe fn new(state: *const u32, block: u32, buf: *mut u8, skip: usize, width: usize) -> Self {
        Table { state, block, ready: buf, at: buf.add(skip), width, bit: 0 }
    }

    /// Single bits whose pads start at bit `shift` of byte `skip`: all `total` of them are generated and moved
    /// down to bit 0 first.
    unsafe fn bits(state: *const u32, block: u32, buf: *mut u8, skip: usize, shift: u32, total: usize) -> Self {
        let mut table = Self::new(state, block, buf, skip, 0);
        let bytes = (total + 7) / 8;
        table.need(table.at.add(bytes + 1));
        if shift != 0 {
            for b in 0..bytes {
                let pair = *table.at.add(b) as u32 | (*table.at.add(b + 1) as u32) << 8;
                *table.at.add(b) = (pair >> shift) as u8;
            }
        }
        table
    }

    /// Generates pads up to `end` (and up to AHEAD blocks more: the buffer has that much room).
    #[inline(always)]
    pub unsafe fn need(&mut self, end: *mut u8) {
        while self.ready < end {
            keystream(self.state, self.block, AHEAD, self.ready);
            self.block = self.block.wrapping_add(AHEAD as u32);
            self.ready = self.ready.add(64 * AHEAD);
        }
    }

    /// Adds `count` words to the pads of the next `count` entries.
    pub unsafe fn emit(&mut self, words: *const u64, count: usize) {
        let width = self.width;
        if width == 0 {
            for i in 0..count {
                let to = self.at.add((self.bit + i) / 8);
                *to ^= ((*words.add(i) & 1) as u8) << ((self.bit + i) % 8);
            }
            self.bit += count;
            return;
        }
        let end = self.at.add(count * width);
        self.need(end.add(8));
        match width {
            4 => {
                for i in 0..count {
                    let to = self.at.add(4 * i) as *mut u32;
                    to.write_unaligned(to.read_unaligned().wrapping_add(*words.add(i) as u32));
                }
            }
            8 => {
                for i in 0..count {
                    let to = self.at.add(8 * i) as *mut u64;
                    to.write_unaligned(to.read_unaligned().wrapping_add(*words.add(i)));
                }
            }
            _ => {
                let mask = u64::MAX >> (64 - 8 * width as u32);
                for i in 0..count {
                    let to = self.at.add(width * i) as *mut u64;
                    let old = to.read_unaligned();
                    to.write_unaligned((old & !mask) | (old.wrapping_add(*words.add(i)) & mask));
                }
            }
        }
        self.at = end;
    }
}

macro_rules! add_lanes {
    ($to:ident, $from:ident, $len:ident, $add:ident) => {{
        let mut b = 0;
        while b + 16 <= $len {
            let to = $to.add(b);
            store(to, $add(load(to), load($from.add(b))));
            b += 16;
        }
        b
    }};
}

/// Rows of a public table, given in wire form (`len` bytes each, whole words of 1, 2, 4 or 8 bytes; or bits,
/// `width` 0, in whole bytes).
#[no_mangle]
pub unsafe extern "C" fn table_rows(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    width: usize,
    count: usize,
    rows: *const u8,
    len: usize,
    step: usize,
    row: *const u32,
) {
    let mut table = Table::new(state, block, buf, skip, width);
    for i in 0..count {
        let from = rows.add(*row.add(i) as usize * step);
        let to = table.at;
        table.need(to.add(len));
        let mut b = match width {
            0 => add_lanes!(to, from, len, v128_xor),
            1 => add_lanes!(to, from, len, i8x16_add),
            2 => add_lanes!(to, from, len, i16x8_add),
            4 => add_lanes!(to, from, len, i32x4_add),
            _ => add_lanes!(to, from, len, i64x2_add),
        };
        while b < len {
            if width == 0 {
                *to.add(b) ^= *from.add(b);
                b += 1;
            } else {
                let sum = read(to.add(b), width).wrapping_add(read(from.add(b), width));
                for byte in 0..width {
                    *to.add(b + byte) = (sum >> (8 * byte as u32)) as u8;
                }
                b += width;
            }
        }
        table.at = to.add(len);
    }
}

/// Rows of a public table of 64-bit lanes, n per row, for any width: `shift` is the first pad's bit in its byte
/// for single bits.
#[no_mangle]
pub unsafe extern "C" fn table_rows_any(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    width: usize,
    shift: u32,
    count: usize,
    words: *const u64,
    n: usize,
    stride: usize,
    row: *const u32,
) {
    let mut table = begin(state, block, buf, skip, width, shift, count * n);
    for i in 0..count {
        table.emit(words.add(*row.add(i) as usize * stride), n);
    }
}

/// A table of words, or of `total` single bits (`width` 0) whose pads start at bit `shift`.
pub unsafe fn begin(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    width: usize,
    shift: u32,
    total: usize,
) -> Table {
    if width == 0 {
        Table::bits(state, block, buf, skip, shift, total)
    } else {
        Table::new(state, block, buf, skip, width)
    }
}

/// A choice among v values by joint bits. `pick` has n entries in 0 … v (v for "none"); `values` are v + 1 vectors
/// of `count` words, the last one zero.
#[no_mangle]
pub unsafe extern "C" fn table_choose(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    width: usize,
    shift: u32,
    count: usize,
    joint: *const u32,
    pick: *const u8,
    n: usize,
    values: *const u64,
    v: usize,
    temp: *mut u64,
) {
    let mut table = begin(state, block, buf, skip, width, shift, count * n * (1 + v));
    for i in 0..count {
        let alpha = *joint.add(i) as usize & (n - 1);
        for j in 0..n {
            let chosen = *pick.add(j ^ alpha) as usize;
            let entry = temp.add(j * (1 + v));
            *entry = *values.add(chosen * count + i);
            for b in 0..v {
                *entry.add(1 + b) = (b == chosen) as u64;
            }
        }
        table.emit(temp, n * (1 + v));
    }
}

/// joint_i ^= bit_i << b.
#[no_mangle]
pub unsafe extern "C" fn join_bit(joint: *mut u32, bits: *const u32, n: usize, b: u32) {
    for i in 0..n {
        *joint.add(i) ^= (*bits.add(i)) << b;
    }
}
