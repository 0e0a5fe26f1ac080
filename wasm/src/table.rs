//! Tables of dealer-assisted selection (PROTOCOL §4.7, §6) at P1: how they are built, and those of rows and of
//! choices. Polynomials and the exponential: `polynomial.rs`, `exp.rs`.
//!
//! Tables are built in place: the key stream of a few elements is generated where their table bytes belong, and the
//! entries are added to it while it is in the cache. Addresses depend on P1's masked value (rows, segments), which P1
//! knows in the clear; nothing branches on it.
//!
//! What an entry is made of is the caller's; where its words go and which pads they get is this file's. The words of an
//! entry have `p` widths in bits. Where all of them are lanes (8, 16, 32 or 64 bits), entries are added to the pads in
//! place. Otherwise words are cut out of the stream and written behind it; the writer never overtakes the reader.

use crate::chacha::keystream;
use crate::pack::{bits_at, load, low_bits, store, word_at, BitWriter};
use crate::simd::*;

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
    /// Next table byte, where words are lanes.
    pub at: *mut u8,
    /// Bytes per word, where words are lanes; else 0.
    pub width: usize,
    widths: *const u32,
    p: usize,
    /// Bits of an entry.
    entry: u64,
    /// Where the table begins, and the next pad's bit from there on.
    base: *const u8,
    bit: u64,
    to: BitWriter,
}

impl Table {
    /// Generates pads up to `end` (and up to AHEAD blocks more: the buffer has that much room). Without a state there
    /// are none: the buffer is zero.
    #[inline(always)]
    pub unsafe fn need(&mut self, end: *mut u8) {
        if self.state.is_null() {
            return;
        }
        while self.ready < end {
            keystream(self.state, self.block, AHEAD, self.ready);
            self.block = self.block.wrapping_add(AHEAD as u32);
            self.ready = self.ready.add(64 * AHEAD);
        }
    }

    /// Adds `count` words, whole entries, to the pads of the next entries.
    pub unsafe fn emit(&mut self, words: *const u64, count: usize) {
        if self.width == 0 {
            return self.emit_bits(words, count);
        }
        let end = self.at.add(count * self.width);
        self.need(end);
        match self.width {
            1 => {
                for i in 0..count {
                    let to = self.at.add(i);
                    *to = (*to).wrapping_add(*words.add(i) as u8);
                }
            }
            2 => {
                for i in 0..count {
                    let to = self.at.add(2 * i) as *mut u16;
                    to.write_unaligned(to.read_unaligned().wrapping_add(*words.add(i) as u16));
                }
            }
            4 => {
                for i in 0..count {
                    let to = self.at.add(4 * i) as *mut u32;
                    to.write_unaligned(to.read_unaligned().wrapping_add(*words.add(i) as u32));
                }
            }
            _ => {
                for i in 0..count {
                    let to = self.at.add(8 * i) as *mut u64;
                    to.write_unaligned(to.read_unaligned().wrapping_add(*words.add(i)));
                }
            }
        }
        self.at = end;
    }

    unsafe fn emit_bits(&mut self, words: *const u64, count: usize) {
        let entries = count / self.p;
        let total = entries as u64 * self.entry;
        self.need((self.base as *mut u8).add(((self.bit + total) / 8) as usize + 9));
        // Copies, which stay in registers.
        let (base, mut bit, mut to) = (self.base, self.bit, self.to);
        let mut add = |word: u64, width: u32| {
            to.put(word_at(base, bit, width).wrapping_add(word) & low_bits(width), width);
            bit += width as u64;
        };
        if self.p == 1 {
            let width = *self.widths;
            for i in 0..entries {
                add(*words.add(i), width);
            }
        } else {
            let mut from = words;
            for _ in 0..entries {
                for q in 0..self.p {
                    add(*from, *self.widths.add(q));
                    from = from.add(1);
                }
            }
        }
        self.to = to;
        self.bit = bit;
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: the bytes begun lie in the table's buffer, behind pads that were read.
        unsafe { self.to.finish() }
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

/// Rows of a public table, given in wire form: `len` bytes each, lanes of `width` bytes (1, 2, 4 or 8) or, with
/// `width` 0, single bits.
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
    let lane = 8 * width as u32;
    let mut table = begin(state, block, buf, skip, &lane, 1, 0);
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
                let sum = bits_at(to.add(b), 0).wrapping_add(bits_at(from.add(b), 0));
                for byte in 0..width {
                    *to.add(b + byte) = (sum >> (8 * byte as u32)) as u8;
                }
                b += width;
            }
        }
        table.at = to.add(len);
    }
}

/// Rows of a public table of 64-bit lanes, n per row, for words of any width.
#[no_mangle]
pub unsafe extern "C" fn table_rows_any(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    widths: *const u32,
    p: usize,
    shift: u32,
    count: usize,
    words: *const u64,
    n: usize,
    stride: usize,
    row: *const u32,
) {
    let mut table = begin(state, block, buf, skip, widths, p, shift);
    for i in 0..count {
        table.emit(words.add(*row.add(i) as usize * stride), n);
    }
}

/// A table of entries of `p` words. `buf` receives the stream from block `block` on. The table begins `skip` bytes into
/// it, its first pad at bit `shift` of that byte, which is 0 where words are whole bytes.
pub unsafe fn begin(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    widths: *const u32,
    p: usize,
    shift: u32,
) -> Table {
    let mut entry = 0;
    let mut lanes = true;
    for q in 0..p {
        let width = *widths.add(q);
        entry += width as u64;
        lanes &= width == *widths && matches!(width, 8 | 16 | 32 | 64);
    }
    let at = buf.add(skip);
    Table {
        state,
        block,
        ready: buf,
        at,
        width: if lanes { *widths as usize / 8 } else { 0 },
        widths,
        p,
        entry,
        base: at,
        bit: shift as u64,
        to: BitWriter::new(at),
    }
}

/// A choice among v values by joint bits. `pick` has n entries in 0 … v (v for "none"); `values` are v + 1 vectors
/// of `count` words, the last one zero.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn table_choose(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    widths: *const u32,
    p: usize,
    shift: u32,
    count: usize,
    joint: *const u32,
    pick: *const u8,
    n: usize,
    values: *const u64,
    v: usize,
    temp: *mut u64,
) {
    let mut table = begin(state, block, buf, skip, widths, p, shift);
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
