//! Kernels of the proofs: weights, folds and rounds modulo q.
//!
//! Operands are secrets and meet additions, multiplications and shifts only. Addresses follow from indices that the
//! party knows in the clear, as in the selections themselves.

use crate::bits;
use crate::entries::Layout;
use crate::field::{Field, Sum};
use crate::simd::*;
use core::slice::{from_raw_parts, from_raw_parts_mut};

/// Blocks of a round.
const RADIX: usize = 8;

/// F_i = Σ_t X_{i,t} coefficients_t. `tables` has room for 8 × 256 words: the sum for every byte of a challenge.
#[no_mangle]
pub unsafe extern "C" fn weights(
    f: *const Field, x: *const u64, n: usize, coefficients: *const u64, sigma: usize, tables: *mut u64, out: *mut u64,
) {
    let f = &*f;
    for byte in 0..8 {
        for value in 1..256usize {
            let t = value.trailing_zeros() as usize;
            let more = if 8 * byte + t < sigma { *coefficients.add(8 * byte + t) } else { 0 };
            *tables.add(256 * byte + value) = f.plus(*tables.add(256 * byte + (value & (value - 1))), more);
        }
    }
    for i in 0..n {
        let mut sum = 0;
        for byte in 0..8 {
            // Eight residues below 2^61 have no carry.
            sum += *tables.add(256 * byte + (*x.add(i) >> (8 * byte) & 255) as usize);
        }
        *out.add(i) = f.word(sum);
    }
}

/// a_i · b_i.
#[no_mangle]
pub unsafe extern "C" fn multiply(f: *const Field, a: *const u64, b: *const u64, n: usize, out: *mut u64) {
    for i in 0..n {
        *out.add(i) = (*f).mul(*a.add(i), *b.add(i));
    }
}

/// a_i · b_i mod 2^64.
#[no_mangle]
pub unsafe extern "C" fn multiply64(a: *const u64, b: *const u64, n: usize, out: *mut u64) {
    for i in 0..n {
        *out.add(i) = (*a.add(i)).wrapping_mul(*b.add(i));
    }
}

/// Σ_r coefficients_r x_{r,c}.
#[no_mangle]
pub unsafe extern "C" fn combine_rows(
    f: *const Field, x: *const u64, rows: usize, width: usize, coefficients: *const u64, out: *mut u64,
) {
    for c in 0..width {
        let mut sum = Sum::ZERO;
        for r in 0..rows {
            sum.add(*coefficients.add(r), *x.add(r * width + c));
        }
        *out.add(c) = (*f).reduce(&sum);
    }
}

/// Σ_c x_{r,c} coefficients_c.
#[no_mangle]
pub unsafe extern "C" fn combine_columns(
    f: *const Field, x: *const u64, rows: usize, width: usize, coefficients: *const u64, out: *mut u64,
) {
    for r in 0..rows {
        let mut sum = Sum::ZERO;
        for c in 0..width {
            sum.add(*coefficients.add(c), *x.add(r * width + c));
        }
        *out.add(r) = (*f).reduce(&sum);
    }
}

/// Bytes of scratch of `fold_entries`: the words of an element, or the sums of four of its coefficients.
#[no_mangle]
pub extern "C" fn fold_scratch(words: usize) -> usize {
    8 * words + bits::sums_scratch(words)
}

/// weights_i Σ_j coefficients_j E_{i,j,p}. Writes Montgomery's form over the weights.
#[no_mangle]
pub unsafe extern "C" fn fold_entries(
    f: *const Field, bytes: *const u8, layout: *const Layout, n: usize, weights: *mut u64, coefficients: *const u64,
    row: *mut u64, out: *mut u64,
) {
    let layout = &*layout;
    let single = bits::bits_of(layout);
    if single > 0 {
        bits::subsets(single, |j| *coefficients.add(j), |a, b| (*f).plus(a, b), row);
        for i in 0..n {
            let sum = bits::residues(bytes.add(i * single / 8), single / 8, row);
            *out.add(i) = (*f).mul(bits::reduced(&*f, sum), *weights.add(i));
        }
        return;
    }
    for i in 0..n {
        *weights.add(i) = (*f).form(*weights.add(i));
        layout.element(bytes, i, from_raw_parts_mut(row, layout.words()));
        for p in 0..layout.p() {
            let mut sum = Sum::ZERO;
            for j in 0..layout.n() {
                sum.add(*coefficients.add(j), *row.add(j * layout.p() + p));
            }
            *out.add(i * layout.p() + p) = (*f).mont((*f).reduce(&sum), *weights.add(i));
        }
    }
}

/// Σ_c coefficients_c T_{i,c}, over all words of an element.
#[no_mangle]
pub unsafe extern "C" fn public_table(
    f: *const Field, bytes: *const u8, layout: *const Layout, n: usize, coefficients: *const u64, row: *mut u64,
    out: *mut u64,
) {
    let layout = &*layout;
    for i in 0..n {
        layout.element(bytes, i, from_raw_parts_mut(row, layout.words()));
        let mut sum = Sum::ZERO;
        for c in 0..layout.words() {
            sum.add(*coefficients.add(c), *row.add(c));
        }
        *out.add(i) = (*f).reduce(&sum);
    }
}

/// A group of indices, and a digit of them: `all` and `low` are masks of the index and of its exclusive-or part.
#[repr(C)]
pub struct Step {
    all: u32,
    low: u32,
    at: u32,
    width: u32,
    xor: u32,
    /// Bits that neither this step nor one before it has taken.
    rest: u32,
}

impl Step {
    #[inline(always)]
    fn digit(&self, index: u32) -> usize {
        (index >> self.at & ((1 << self.width) - 1)) as usize
    }

    #[inline(always)]
    fn digits(&self) -> usize {
        1 << self.width
    }

    /// index ⊕ digit at this step.
    #[inline(always)]
    fn stepped(&self, index: u32, digit: usize) -> usize {
        let part = (digit as u32) << self.at;
        (if self.xor == 1 { index ^ part } else { index.wrapping_add(part) & self.all }) as usize
    }

    /// g ⊖ h.
    #[inline(always)]
    fn difference(&self, g: u32, h: u32) -> u32 {
        ((g & !self.low).wrapping_sub(h & !self.low) & self.all) | ((g ^ h) & self.low)
    }
}

/// Bits of the lower part of an element, in a fold of whole tables.
const LOW: u32 = 31;
const LOW_MASK: u64 = (1 << LOW) - 1;

/// A table as the kernels hold it: the low 31 bits of every word, then the rest of every word.
#[derive(Clone, Copy)]
struct Planes {
    low: *mut u32,
    high: *mut u32,
}

impl Planes {
    #[inline(always)]
    unsafe fn at(words: *mut u32, size: usize) -> Planes {
        Planes { low: words, high: words.add(size) }
    }

    #[inline(always)]
    unsafe fn get(&self, s: usize) -> u64 {
        *self.low.add(s) as u64 | (*self.high.add(s) as u64) << LOW
    }

    #[inline(always)]
    unsafe fn set(&self, s: usize, word: u64) {
        *self.low.add(s) = (word & LOW_MASK) as u32;
        *self.high.add(s) = (word >> LOW) as u32;
    }
}

/// Takes in a table of residues.
#[no_mangle]
pub unsafe extern "C" fn load_table(words: *const u64, size: usize, table: *mut u32) {
    let to = Planes::at(table, size);
    for s in 0..size {
        to.set(s, *words.add(s));
    }
}

/// G[⊖ν_i].
#[no_mangle]
pub unsafe extern "C" fn look_up(table: *mut u32, step: *const Step, nu: *const u32, n: usize, out: *mut u64) {
    let (step, from) = (&*step, Planes::at(table, (*step).all as usize + 1));
    for i in 0..n {
        *out.add(i) = from.get(step.difference(0, *nu.add(i)) as usize);
    }
}

/// G'[s] = Σ_h β_h G[s ⊕ h], in place. `scratch` has room for as many words.
#[no_mangle]
pub unsafe extern "C" fn fold_table(
    f: *const Field, table: *mut u32, step: *const Step, beta: *const u64, scratch: *mut u32,
) {
    let (f, step) = (&*f, &*step);
    let size = step.all as usize + 1;
    let (from, to) = (Planes::at(table, size), Planes::at(scratch, size));
    // Four indices that follow one another must stay so behind a step.
    if size < 4 || (step.xor == 1 && step.at < 2) {
        fold_each(f, from, step, beta, to);
    } else {
        fold_fours(f, from, step, beta, to);
    }
    core::ptr::copy_nonoverlapping(scratch, table, 2 * size);
}

#[inline(always)]
unsafe fn fold_fours(f: &Field, from: Planes, step: &Step, beta: *const u64, to: Planes) {
    let size = step.all as usize + 1;
    let Planes { low, high } = from;
    let mut factors = [[u32x4_splat(0); 2]; RADIX];
    for h in 0..step.digits() {
        // β·2^62 mod q: the reduction below divides by 2^62.
        let factor = f.mul(*beta.add(h), f.word(1 << (2 * LOW)));
        factors[h] = [u32x4_splat((factor & LOW_MASK) as u32), u32x4_splat((factor >> LOW) as u32)];
    }
    let mut s = 0;
    while s < size {
        let mut sums = Lanes::ZERO;
        for h in 0..step.digits() {
            let at = step.stepped(s as u32, h);
            let (l, r) = if at + 4 <= size {
                (v128_load(low.add(at) as *const v128), v128_load(high.add(at) as *const v128))
            } else {
                let place = |i: usize| (at + i) & step.all as usize;
                let words = |plane: *const u32| {
                    u32x4(*plane.add(place(0)), *plane.add(place(1)), *plane.add(place(2)), *plane.add(place(3)))
                };
                (words(low), words(high))
            };
            if h == RADIX / 2 {
                sums.carry();
            }
            sums.add(l, r, factors[h]);
        }
        sums.carry();
        let words = sums.reduce(f);
        for (i, word) in words.iter().enumerate() {
            to.set(s + i, *word);
        }
        s += 4;
    }
}

/// Four sums of products, in parts of 31 bits: lanes 0, 1 and lanes 2, 3 of each weight.
struct Lanes {
    parts: [[v128; 2]; 3],
}

impl Lanes {
    const ZERO: Lanes = Lanes { parts: [[u64x2(0, 0); 2]; 3] };

    /// Adds four products. At most four times between two carries: then no part overflows.
    #[inline(always)]
    fn add(&mut self, low: v128, high: v128, [b, c]: [v128; 2]) {
        let [p0, p1, p2] = &mut self.parts;
        p0[0] = i64x2_add(p0[0], u64x2_extmul_low_u32x4(low, b));
        p0[1] = i64x2_add(p0[1], u64x2_extmul_high_u32x4(low, b));
        p1[0] = i64x2_add(p1[0], u64x2_extmul_low_u32x4(low, c));
        p1[1] = i64x2_add(p1[1], u64x2_extmul_high_u32x4(low, c));
        p1[0] = i64x2_add(p1[0], u64x2_extmul_low_u32x4(high, b));
        p1[1] = i64x2_add(p1[1], u64x2_extmul_high_u32x4(high, b));
        p2[0] = i64x2_add(p2[0], u64x2_extmul_low_u32x4(high, c));
        p2[1] = i64x2_add(p2[1], u64x2_extmul_high_u32x4(high, c));
    }

    /// Leaves 31 bits in the lower two parts.
    #[inline(always)]
    fn carry(&mut self) {
        let mask = u64x2_splat(LOW_MASK);
        for part in 0..2 {
            for half in 0..2 {
                let word = self.parts[part][half];
                self.parts[part + 1][half] = i64x2_add(self.parts[part + 1][half], u64x2_shr(word, LOW));
                self.parts[part][half] = v128_and(word, mask);
            }
        }
    }

    /// The sums over 2^62 mod q, by two steps of Montgomery's reduction.
    #[inline(always)]
    unsafe fn reduce(&self, f: &Field) -> [u64; 4] {
        let mask = u64x2_splat(LOW_MASK);
        let inverse = u32x4_splat((f.inverse() & LOW_MASK) as u32);
        let (q0, q1) = (u32x4_splat((f.q() & LOW_MASK) as u32), u32x4_splat((f.q() >> LOW) as u32));
        let [mut lowest, mut middle, mut highest] = self.parts;
        for _ in 0..2 {
            let packed = i32x4_shuffle::<0, 2, 4, 6>(lowest[0], lowest[1]);
            let m = v128_and(i32x4_mul(packed, inverse), u32x4_splat(LOW_MASK as u32));
            let cleared = [u64x2_extmul_low_u32x4(m, q0), u64x2_extmul_high_u32x4(m, q0)];
            let added = [u64x2_extmul_low_u32x4(m, q1), u64x2_extmul_high_u32x4(m, q1)];
            for half in 0..2 {
                // The lowest part is a multiple of 2^31 now.
                let carried = u64x2_shr(i64x2_add(lowest[half], cleared[half]), LOW);
                let next = i64x2_add(i64x2_add(middle[half], carried), added[half]);
                lowest[half] = v128_and(next, mask);
                let rest = u64x2_shr(next, LOW);
                // Behind the second step the middle part is what the highest was.
                middle[half] = i64x2_add(highest[half], rest);
                highest[half] = u64x2_splat(0);
            }
        }
        // What is left is lowest + 2^31·middle.
        let mut out = [0; 4];
        for half in 0..2 {
            let words = i64x2_add(lowest[half], u64x2_shl(middle[half], LOW));
            out[2 * half] = f.word(u64x2_extract_lane::<0>(words));
            out[2 * half + 1] = f.word(u64x2_extract_lane::<1>(words));
        }
        out
    }
}

/// The same, index by index.
unsafe fn fold_each(f: &Field, from: Planes, step: &Step, beta: *const u64, to: Planes) {
    for s in 0..=step.all {
        let mut sum = Sum::ZERO;
        for h in 0..step.digits() {
            sum.add(*beta.add(h), from.get(step.stepped(s, h)));
        }
        to.set(s as usize, f.reduce(&sum));
    }
}

/// f Π_r coefficients_{r, digit r of index_i} · factor_{i,p}, n × each. f has a word for every i, or with `whole` = 1
/// for every i and p; `factor` is null for ones. Digits are pairs of their first bit and their mask. Writes
/// Montgomery's form over the coefficients.
#[no_mangle]
pub unsafe extern "C" fn digit_weights(
    f: *const Field, weights: *const u64, whole: usize, each: usize, index: *const u32, n: usize, digits: *const u32,
    rounds: usize, coefficients: *mut u64, factor: *const u64, out: *mut u64,
) {
    let f = &*f;
    let coefficients = from_raw_parts_mut(coefficients, rounds * RADIX);
    for c in coefficients.iter_mut() {
        *c = f.form(*c);
    }
    // Every product takes a form away: as many as follow are there at the start.
    let mut one = f.form(1);
    if !factor.is_null() {
        one = f.form(one);
    }
    for i in 0..n {
        let mut product = one;
        for r in 0..rounds {
            let digit = *index.add(i) >> *digits.add(2 * r) & *digits.add(2 * r + 1);
            product = f.mont(product, coefficients[RADIX * r + digit as usize]);
        }
        if whole == 0 {
            product = f.mont(product, *weights.add(i));
        }
        for at in i * each..(i + 1) * each {
            let word = if whole == 1 { f.mont(product, *weights.add(at)) } else { product };
            *out.add(at) = if factor.is_null() { word } else { f.mont(word, *factor.add(at)) };
        }
    }
}

/// Stretches that a large table is read in, and elements from which on it is worth their order.
const STRETCHES: usize = 1 << 10;
const ORDERED: usize = 1 << 12;
/// Where a digit lies beside an index.
const DIGIT: u32 = 29;

/// Bytes of scratch of `lookup_round`: zero where elements are taken as they come.
#[no_mangle]
pub extern "C" fn lookup_scratch(size: usize, n: usize) -> usize {
    if n < ORDERED || size < 16 * STRETCHES || size > 1 << DIGIT {
        0
    } else {
        12 * n + 4 * STRETCHES
    }
}

/// z_{a,b} of a table. `index` is μ. With scratch, which is zero, elements come in the order of the stretches that they
/// read: a table of some megabytes is no place to read at random. Addresses follow from indices that the party knows.
#[no_mangle]
pub unsafe extern "C" fn lookup_round(
    f: *const Field, weights: *const u64, table: *mut u32, step: *const Step, mu: *const u32, nu: *const u32, n: usize,
    scratch: *mut u8, out: *mut u64,
) {
    let step = &*step;
    let size = step.all as usize + 1;
    let table = Planes::at(table, size);
    let mut z = [Sum::ZERO; RADIX * RADIX];
    let place = |i: usize| {
        let index = *mu.add(i) & step.all;
        (step.digit(index), step.difference(index & step.rest, *nu.add(i)))
    };
    let mut add = |weight: u64, digit: usize, from: u32| {
        for b in 0..step.digits() {
            z[RADIX * digit + b].add(weight, table.get(step.stepped(from, b)));
        }
    };
    if lookup_scratch(size, n) == 0 {
        for i in 0..n {
            let (digit, from) = place(i);
            add(*weights.add(i), digit, from);
        }
    } else {
        let (words, keys) = (scratch as *mut u64, scratch.add(8 * n) as *mut u32);
        let next = from_raw_parts_mut(keys.add(n), STRETCHES);
        let shift = size.trailing_zeros() - STRETCHES.trailing_zeros();
        for i in 0..n {
            next[(place(i).1 >> shift) as usize] += 1;
        }
        let mut before = 0;
        for count in next.iter_mut() {
            before += core::mem::replace(count, before);
        }
        for i in 0..n {
            let (digit, from) = place(i);
            let at = &mut next[(from >> shift) as usize];
            *words.add(*at as usize) = *weights.add(i);
            *keys.add(*at as usize) = from | (digit as u32) << DIGIT;
            *at += 1;
        }
        for i in 0..n {
            let key = *keys.add(i);
            add(*words.add(i), (key >> DIGIT) as usize, key & ((1 << DIGIT) - 1));
        }
    }
    finish(&*f, &z, out);
}

/// Bytes of scratch of `choice_round`: the sums of four of `lows` coefficients.
#[no_mangle]
pub extern "C" fn choice_scratch(lows: usize) -> usize {
    bits::sums_scratch(lows)
}

/// z_{a,b} of a choice. `low` has 2^at words.
#[no_mangle]
pub unsafe extern "C" fn choice_round(
    f: *const Field, bytes: *const u8, layout: *const Layout, choice: *const u32, weights: *const u64, n: usize,
    low: *const u64, step: *const Step, scratch: *mut u64, out: *mut u64,
) {
    let (f, layout, step) = (&*f, &*layout, &*step);
    let lows = 1usize << step.at;
    let mut z = [Sum::ZERO; RADIX * RADIX];
    let single = bits::bits_of(layout);
    if single > 0 && lows % 8 == 0 {
        bits::subsets(lows, |l| *low.add(l), |a, b| f.plus(a, b), scratch);
        for i in 0..n {
            let c = *choice.add(i);
            let (high, digit) = (((c >> step.at >> step.width) as usize) << step.width, step.digit(c));
            for a in 0..step.digits() {
                // Entries of an element are a power of two of whole blocks, or end within one.
                let first = (high + a) * lows;
                if first < single {
                    let count = if single - first < lows { single - first } else { lows };
                    let sum = bits::residues(bytes.add((i * single + first) / 8), count / 8, scratch);
                    z[RADIX * a + digit].add(*weights.add(i), bits::reduced(f, sum));
                }
            }
        }
        return finish(f, &z, out);
    }
    let lone = f.form(*low);
    for i in 0..n {
        let c = *choice.add(i);
        let high = ((c >> step.at >> step.width) as usize) << step.width;
        for a in 0..step.digits() {
            for p in 0..layout.p() {
                let (mut sum, first) = (Sum::ZERO, (high + a) * lows);
                let last = if first + lows < layout.n() { first + lows } else { layout.n() };
                for j in first..last {
                    sum.add(*low.add(j - first), layout.word(bytes, i, j, p));
                }
                // One word needs no sum.
                let word = if lows == 1 && first < last {
                    f.mont(lone, layout.word(bytes, i, first, p))
                } else {
                    f.reduce(&sum)
                };
                z[RADIX * a + step.digit(c)].add(*weights.add(i * layout.p() + p), word);
            }
        }
    }
    finish(f, &z, out);
}

/// Cross sums of eight interleaved blocks. `u` and `w` are whole blocks.
#[no_mangle]
pub unsafe extern "C" fn tail_round(f: *const Field, u: *const u64, w: *const u64, blocks: usize, out: *mut u64) {
    let mut z = [Sum::ZERO; RADIX * RADIX];
    for i in 0..blocks {
        for a in 0..RADIX {
            let left = *u.add(RADIX * i + a);
            for b in 0..RADIX {
                z[RADIX * a + b].add(left, *w.add(RADIX * i + b));
            }
        }
    }
    finish(&*f, &z, out);
}

unsafe fn finish(f: &Field, z: &[Sum; RADIX * RADIX], out: *mut u64) {
    for (i, sum) in z.iter().enumerate() {
        *out.add(i) = f.reduce(sum);
    }
}

/// Σ_a coefficients_a u_{8i+a}.
#[no_mangle]
pub unsafe extern "C" fn tail_fold(
    f: *const Field, u: *const u64, blocks: usize, coefficients: *const u64, out: *mut u64,
) {
    for i in 0..blocks {
        let mut sum = Sum::ZERO;
        for a in 0..RADIX {
            sum.add(*coefficients.add(a), *u.add(RADIX * i + a));
        }
        *out.add(i) = (*f).reduce(&sum);
    }
}

/// Places that the products of the first coefficients are made for: three digits.
const STRETCH: usize = RADIX * RADIX * RADIX;

/// Bytes of scratch of `tail_dot`: zero where so few values have their product each.
#[no_mangle]
pub extern "C" fn dot_scratch(n: usize, rounds: usize) -> usize {
    if n >= 2 * STRETCH && rounds >= 3 {
        8 * STRETCH
    } else {
        0
    }
}

/// Σ_i values_i Π_r coefficients_{r, digit r of first + i}. Writes Montgomery's form over the coefficients.
#[no_mangle]
pub unsafe extern "C" fn tail_dot(
    f: *const Field, values: *const u64, n: usize, first: u32, coefficients: *mut u64, rounds: usize,
    scratch: *mut u64, out: *mut u64,
) {
    let f = &*f;
    let coefficients = from_raw_parts_mut(coefficients, rounds * RADIX);
    for c in coefficients.iter_mut() {
        *c = f.form(*c);
    }
    let values = from_raw_parts(values, n);
    // Digits whose products are at hand, and the places that these are for.
    let (digits, stretch) = if dot_scratch(n, rounds) > 0 { (3, STRETCH) } else { (1, RADIX) };
    for place in 0..if digits == 3 { STRETCH } else { 0 } {
        let (second, third) = (place / RADIX % RADIX, place / RADIX / RADIX);
        let upper = f.mont(coefficients[RADIX + second], coefficients[2 * RADIX + third]);
        *scratch.add(place) = f.mont(upper, coefficients[place % RADIX]);
    }
    let low = if digits == 3 { scratch as *const u64 } else { coefficients.as_ptr() };
    let (mut total, mut i) = (Sum::ZERO, 0);
    while i < n {
        let place = first as usize + i;
        // What the digits behind these make, once for all of their places.
        let (mut high, mut rest) = (f.word(1), place / stretch);
        for r in digits..rounds {
            high = f.mont(high, coefficients[RADIX * r + rest % RADIX]);
            rest /= RADIX;
        }
        let from = place % stretch;
        let count = if n - i < stretch - from { n - i } else { stretch - from };
        let mut sum = Sum::ZERO;
        for (d, value) in values[i..i + count].iter().enumerate() {
            sum.add(*low.add(from + d), *value);
        }
        // The sum has Montgomery's form, and this product none.
        total.add(f.mont(f.reduce(&sum), high), 1);
        i += count;
    }
    *out = f.reduce(&total);
}
