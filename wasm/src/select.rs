//! Dealer-assisted selection (PROTOCOL §4.7, §6): the tables of P1, the corrections of P0, the evaluation of P2, and the bases.
//!
//! Tables are built in place: the key stream of a few elements is generated where their table bytes belong, and the entries are added to it while it is
//! in the cache. Addresses depend on P1's masked value (rows, segments), which P1 knows in the clear; nothing branches on it.

use crate::chacha::{blocks, keystream};
use crate::wire::{load, read, store};
use core::arch::wasm32::*;

/// Blocks generated ahead of the entries: 4 KB.
const AHEAD: usize = 64;

/// A table under construction: pads at `at` and beyond, entries added behind it.
struct Table {
    state: *const u32,
    block: u32,
    /// End of the key stream generated so far.
    ready: *mut u8,
    /// Next table byte.
    at: *mut u8,
    /// Bytes per word; 0 stands for single bits.
    width: usize,
    /// Next bit of the table, for single bits (`at` stays).
    bit: usize,
}

impl Table {
    /// `buf` receives the stream from block `block` on; the table begins `skip` bytes into it.
    unsafe fn new(state: *const u32, block: u32, buf: *mut u8, skip: usize, width: usize) -> Self {
        Table { state, block, ready: buf, at: buf.add(skip), width, bit: 0 }
    }

    /// Single bits whose pads start at bit `shift` of byte `skip`: all `total` of them are generated and moved down to bit 0 first.
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
    unsafe fn need(&mut self, end: *mut u8) {
        while self.ready < end {
            keystream(self.state, self.block, AHEAD, self.ready);
            self.block = self.block.wrapping_add(AHEAD as u32);
            self.ready = self.ready.add(64 * AHEAD);
        }
    }

    /// Adds `count` words to the pads of the next `count` entries.
    unsafe fn emit(&mut self, words: *const u64, count: usize) {
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

/// Rows of a public table, given in wire form (`len` bytes each, whole words of 1, 2, 4 or 8 bytes; or bits, `width` 0, in whole bytes).
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

/// Rows of a public table of 64-bit lanes, n per row, for any width: `shift` is the first pad's bit in its byte for single bits.
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

unsafe fn begin(state: *const u32, block: u32, buf: *mut u8, skip: usize, width: usize, shift: u32, total: usize) -> Table {
    if width == 0 {
        Table::bits(state, block, buf, skip, shift, total)
    } else {
        Table::new(state, block, buf, skip, width)
    }
}

/// Horner's rule on the four re-centred coefficients at once. Lane p takes 3 − p steps; it starts with zeros, which steps leave zero:
/// (((K₀·u) + K₁)·u + K₂)·u + K₃ with K₀ = (C₃,0,0,0), K₁ = (C₂,3C₃,0,0), K₂ = (C₁,2C₂,3C₃,0), K₃ = (C₀,C₁,C₂,C₃), each product
/// shifted down t bits (floor). The lanes p = 1, 3 are negated before the guard bits are rounded off, as in the reference.
unsafe fn columns(c: *const i64) -> [[i64; 4]; 4] {
    let (c0, c1, c2, c3) = (*c, *c.add(1), *c.add(2), *c.add(3));
    let twice = c2.wrapping_mul(2);
    let thrice = c3.wrapping_mul(3);
    [[c3, 0, 0, 0], [c2, thrice, 0, 0], [c1, twice, thrice, 0], [c0, c1, c2, c3]]
}

/// The columns of all segments as 32-bit lanes: 64 bytes per segment.
unsafe fn prepare(coefficients: *const i64, segments: usize, out: *mut v128) {
    for i in 0..segments {
        let k = columns(coefficients.add(4 * i));
        for s in 0..4 {
            *out.add(4 * i + s) = i32x4(k[s][0] as i32, k[s][1] as i32, k[s][2] as i32, k[s][3] as i32);
        }
    }
}

/// A cubic whose Horner sums fit 32 bits. With `NARROW` the products v·u fit as well; else they are widened and shifted in 64-bit lanes, where the
/// low 32 bits of the logical shift are those of the arithmetic one because t ≤ 31.
#[inline(always)]
unsafe fn cubic_lanes<const NARROW: bool>(k: *const v128, u: v128, t: &u32, sign: v128, half: v128, guard: &u32) -> v128 {
    // Volatile, so that the amounts stay scalars next to their shifts: hoisted out of the loop as vectors, LLVM shifts lane by lane.
    let amount = |s: &u32| core::ptr::read_volatile(s);
    let mut v = *k;
    for s in 1..4 {
        v = if NARROW {
            i32x4_shr(i32x4_mul(v, u), amount(t))
        } else {
            let lo = u64x2_shr(i64x2_extmul_low_i32x4(v, u), amount(t));
            let hi = u64x2_shr(i64x2_extmul_high_i32x4(v, u), amount(t));
            i32x4_shuffle::<0, 2, 4, 6>(lo, hi)
        };
        v = i32x4_add(v, *k.add(s));
    }
    v = i32x4_sub(v128_xor(v, sign), sign);
    i32x4_shr(i32x4_add(v, half), amount(guard))
}

#[inline(always)]
unsafe fn cubic32<const NARROW: bool>(table: &mut Table, k: *const v128, segments: usize, t: u32, guard: u32, a: *const u64, count: usize, temp: *mut u64) {
    let sign = i32x4(0, -1, 0, -1);
    let half = i32x4_splat(if guard > 0 { 1 << (guard - 1) } else { 0 });
    for i in 0..count {
        let x = *a.add(i);
        let u = i32x4_splat((x & ((1 << t) - 1)) as i32);
        let mut segment = ((x >> t) % segments as u64) as usize;
        let to = table.at;
        table.need(to.add(16 * segments));
        for j in 0..segments {
            let d = cubic_lanes::<NARROW>(k.add(4 * segment), u, &t, sign, half, &guard);
            if table.width == 4 {
                let place = to.add(16 * j);
                store(place, i32x4_add(load(place), d));
            } else {
                v128_store(temp.add(4 * j) as *mut v128, i64x2_extend_low_i32x4(d));
                v128_store(temp.add(4 * j + 2) as *mut v128, i64x2_extend_high_i32x4(d));
            }
            segment = (if segment == 0 { segments } else { segment }) - 1;
        }
        if table.width == 4 {
            table.at = to.add(16 * segments);
        } else {
            table.emit(temp, 4 * segments);
        }
    }
}

/// One step of Horner's rule in 64 bits, or with a 128-bit product.
#[inline(always)]
fn horner<const WIDE: bool>(v: i64, u: i64, t: u32) -> i64 {
    if WIDE {
        ((v as i128 * u as i128) >> t) as i64
    } else {
        v.wrapping_mul(u) >> t
    }
}

#[inline(always)]
unsafe fn cubic64<const WIDE: bool>(table: &mut Table, c: *const i64, segments: usize, t: u32, guard: u32, a: *const u64, count: usize, temp: *mut u64) {
    let half = if guard > 0 { 1i64 << (guard - 1) } else { 0 };
    for i in 0..count {
        let x = *a.add(i);
        let u = (x & ((1 << t) - 1)) as i64;
        let mut segment = ((x >> t) % segments as u64) as usize;
        for j in 0..segments {
            let k = columns(c.add(4 * segment));
            for p in 0..4 {
                let mut v = k[0][p];
                for s in 1..4 {
                    v = horner::<WIDE>(v, u, t).wrapping_add(k[s][p]);
                }
                let v = if p % 2 == 0 { v } else { v.wrapping_neg() };
                *temp.add(4 * j + p) = (v.wrapping_add(half) >> guard) as u64;
            }
            segment = (if segment == 0 { segments } else { segment }) - 1;
        }
        table.emit(temp, 4 * segments);
    }
}

/// A piecewise cubic. `mode`: 0 products fit 32 bits, 1 sums fit 32 bits, 2 products fit 64 bits, 3 sums fit 64 bits (bounds: `instance.ts`).
/// `temp` is scratch for 4 · segments u64, `lanes` for 64 · segments bytes.
#[no_mangle]
pub unsafe extern "C" fn table_cubic(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    width: usize,
    shift: u32,
    count: usize,
    a: *const u64,
    coefficients: *const i64,
    segments: usize,
    t: u32,
    guard: u32,
    mode: u32,
    temp: *mut u64,
    lanes: *mut v128,
) {
    let mut table = begin(state, block, buf, skip, width, shift, count * segments * 4);
    prepare(coefficients, segments, lanes);
    match mode {
        0 => cubic32::<true>(&mut table, lanes, segments, t, guard, a, count, temp),
        1 => cubic32::<false>(&mut table, lanes, segments, t, guard, a, count, temp),
        2 => cubic64::<false>(&mut table, coefficients, segments, t, guard, a, count, temp),
        _ => cubic64::<true>(&mut table, coefficients, segments, t, guard, a, count, temp),
    }
}

/// The exponential: `segment` has 8 entries at scale 2^26. Words are (gate ⊕ w) · ((fraction · segment + half) >> drop).
#[no_mangle]
pub unsafe extern "C" fn table_exp(
    state: *const u32,
    block: u32,
    buf: *mut u8,
    skip: usize,
    width: usize,
    shift: u32,
    count: usize,
    a: *const u64,
    gate: *const u64,
    coarse: *const u32,
    fine: *const u32,
    segment: *const u32,
    half: u64,
    drop: u32,
    temp: *mut u64,
) {
    let mut table = begin(state, block, buf, skip, width, shift, count * 16);
    for i in 0..count {
        let x = *a.add(i);
        let below = (1 << 22) - (x as usize & 0x3f_ffff);
        let product = *coarse.add(below >> 11) as u64 * *fine.add(below & 2047) as u64;
        let fraction = (product + (1 << 30)) >> 31;
        let off = (*gate.add(i) & 1).wrapping_sub(1); // all ones where gate = 0
        for j in 0..8 {
            let s = ((x >> 22) as usize).wrapping_sub(j) & 7;
            let value = (fraction * *segment.add(s) as u64 + half) >> drop;
            *temp.add(2 * j) = value & !off;
            *temp.add(2 * j + 1) = value & off;
        }
        table.emit(temp, 16);
    }
}

/// A choice among v values by joint bits. `pick` has n entries in 0 … v (v for "none"); `values` are v + 1 vectors of `count` words, the last one zero.
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

macro_rules! dealing {
    ($deal:ident, $evaluate:ident, $t:ty) => {
        /// B_i = −Σ_p w_{i,c_i,p} φ_{i,p} − r0_i for the elements `first` … `first + count`, whose choices, bases and r0 are given.
        /// `span` > 0: the stream is generated as it stands, `span` elements at a time (into `temp`, which has room for it and 512 bytes more).
        /// `span` = 0: only the blocks that hold the chosen pads, `per` (1 or 2) per element; `temp` has 264 bytes.
        #[no_mangle]
        pub unsafe extern "C" fn $deal(
            state: *const u32,
            index: *const u32,
            basis: *const $t,
            r0: *const $t,
            out: *mut $t,
            first: u64,
            count: usize,
            n: usize,
            p: usize,
            width: usize,
            mask: $t,
            span: usize,
            per: usize,
            temp: *mut u8,
        ) {
            // Positions are in bits, so that packed bits and whole bytes are one case.
            let bits = if width == 0 { 1 } else { 8 * width } as u64;
            let low = if width == 0 { 1 } else { u64::MAX >> (64 - bits as u32) };
            let position = |i: usize| ((first + i as u64) * n as u64 + *index.add(i) as u64) * p as u64 * bits;
            let word = |i: usize, bytes: *const u8, bit: u64| {
                let mut sum = (*r0.add(i)).wrapping_neg();
                for q in 0..p {
                    let at = bit + q as u64 * bits;
                    let pad = (core::ptr::read_unaligned(bytes.add((at >> 3) as usize) as *const u64) >> (at & 7)) & low;
                    let phi = if basis.is_null() { 1 } else { *basis.add(i * p + q) };
                    sum = sum.wrapping_sub((pad as $t).wrapping_mul(phi));
                }
                *out.add(i) = sum & mask;
            };
            let mut i = 0;
            while i < count {
                if span > 0 {
                    let group = if count - i < span { count - i } else { span };
                    let from = (first + i as u64) * (n * p) as u64 * bits >> 9;
                    let to = ((first + (i + group) as u64) * (n * p) as u64 * bits + 511) >> 9;
                    keystream(state, from as u32, (to - from) as usize, temp);
                    for e in i..i + group {
                        word(e, temp, position(e) - (from << 9));
                    }
                    i += group;
                } else {
                    let group = 4 / per;
                    let mut counters = [0u32; 4];
                    for e in 0..group {
                        // The last group repeats its last element.
                        let block = (position(if i + e < count { i + e } else { count - 1 }) >> 9) as u32;
                        for b in 0..per {
                            counters[e * per + b] = block.wrapping_add(b as u32);
                        }
                    }
                    blocks(state, load(counters.as_ptr() as *const u8), temp);
                    for e in 0..group {
                        if i + e < count {
                            word(i + e, temp.add(64 * per * e), position(i + e) & 511);
                        }
                    }
                    i += group;
                }
            }
        }

        /// y_i = Σ_p e_{i,p} φ_{i,p} + B_i on the chosen entries e.
        #[no_mangle]
        pub unsafe extern "C" fn $evaluate(entries: *const $t, basis: *const $t, word: *const $t, out: *mut $t, count: usize, p: usize, mask: $t) {
            for i in 0..count {
                let mut sum = *word.add(i);
                for q in 0..p {
                    let phi = if basis.is_null() { 1 } else { *basis.add(i * p + q) };
                    sum = sum.wrapping_add((*entries.add(i * p + q)).wrapping_mul(phi));
                }
                *out.add(i) = sum & mask;
            }
        }
    };
}

dealing!(deal32, evaluate32, u32);
dealing!(deal64, evaluate64, u64);

/// φ of a cubic as 64-bit words: ⌊ℓ_lo^p · 2^(s2 − p·t)⌋ for p = 0 … 3. `wide` when 3t > 64 (t ≤ 42).
#[no_mangle]
pub unsafe extern "C" fn cubic_basis(l: *const u64, out: *mut u64, n: usize, t: u32, s2: u32, wide: u32) {
    // A shift of 64 or more leaves nothing of a 64-bit word (and s2 may be that large only in theory).
    let left = |v: u64, s: u32| if s < 64 { v << s } else { 0 };
    for i in 0..n {
        let u = *l.add(i) & ((1 << t) - 1);
        *out.add(4 * i) = left(1, s2);
        for p in 1..4u32 {
            let down = p * t;
            *out.add(4 * i + p as usize) = if down < s2 {
                let power = (1..p).fold(u, |v, _| v.wrapping_mul(u));
                left(power, s2 - down)
            } else if wide == 0 {
                let power = (1..p).fold(u, |v, _| v.wrapping_mul(u));
                power >> (down - s2)
            } else {
                let power = (1..p).fold(u as u128, |v, _| v.wrapping_mul(u as u128));
                (power >> (down - s2)) as u64
            };
        }
    }
}

/// φ of the exponential as 64-bit words: (coarse · fine + half) >> drop.
#[no_mangle]
pub unsafe extern "C" fn exp_basis(l: *const u64, out: *mut u64, n: usize, coarse: *const u32, fine: *const u32, half: u64, drop: u32) {
    for i in 0..n {
        let low = *l.add(i) as usize & 0x3f_ffff;
        let product = *coarse.add(low >> 11) as u64 * *fine.add(low & 2047) as u64;
        *out.add(i) = (product + half) >> drop;
    }
}
