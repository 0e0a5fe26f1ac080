//! Public tables modulo q, as the digit rounds of the proofs have them: folded digit by digit, and looked up.
//!
//! Addresses follow from indices that the party knows in the clear, as in the selections themselves.

use crate::bits;
use crate::field::{Field, Sum};
use crate::parts::{held, pair, pairs, planes, splat, splat_part, word, Lanes, Total, FEW};
use crate::proof::{finish, RADIX};
use crate::simd::*;
use core::slice::from_raw_parts_mut;

/// A group of indices, and a digit of them: `all` and `low` are masks of the index and of its exclusive-or part.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Step {
    all: u32,
    low: u32,
    /// First bit of the digit.
    pub at: u32,
    /// Bits of the digit.
    pub width: u32,
    xor: u32,
    /// Bits that neither this step nor one before it has taken.
    rest: u32,
}

impl Step {
    /// The digit of an index.
    #[inline(always)]
    pub fn digit(&self, index: u32) -> usize {
        (index >> self.at & ((1 << self.width) - 1)) as usize
    }

    /// Values of the digit.
    #[inline(always)]
    pub fn digits(&self) -> usize {
        1 << self.width
    }

    #[inline(always)]
    fn size(&self) -> usize {
        self.all as usize + 1
    }

    /// index ⊕ digit at this step.
    #[inline(always)]
    fn stepped(&self, index: u32, digit: usize) -> usize {
        let part = (digit as u32) << self.at;
        ((if self.xor == 1 { index ^ part } else { index.wrapping_add(part) }) & self.all) as usize
    }

    /// g ⊖ h.
    #[inline(always)]
    fn difference(&self, g: u32, h: u32) -> u32 {
        ((g & !self.low).wrapping_sub(h & !self.low) & self.all) | ((g ^ h) & self.low)
    }

    /// An index without the digit: those that differ there alone are read together.
    #[inline(always)]
    fn without(&self, index: u32) -> u32 {
        (index >> self.at >> self.width) << self.at | index & ((1 << self.at) - 1)
    }

    /// Digit of μ, and the index that the folded table is read from.
    #[inline(always)]
    fn place(&self, mu: u32, nu: u32) -> (usize, u32) {
        (self.digit(mu & self.all), self.difference(mu & self.rest, nu))
    }
}

/// Takes in a table of residues, as pairs.
#[no_mangle]
pub unsafe extern "C" fn load_table(words: *const u64, size: usize, table: *mut u64) {
    for s in 0..size {
        *table.add(s) = pair(*words.add(s));
    }
}

/// G[⊖ν_i].
#[no_mangle]
pub unsafe extern "C" fn look_up(table: *const u64, step: *const Step, nu: *const u32, n: usize, out: *mut u64) {
    let step = *step;
    for i in 0..n {
        *out.add(i) = word(*table.add(step.difference(0, *nu.add(i)) as usize));
    }
}

/// G'[s] = Σ_h β_h G[s ⊕ h], in place. `scratch` has room for as many words.
#[no_mangle]
pub unsafe extern "C" fn fold_table(
    f: *const Field, table: *mut u64, step: *const Step, beta: *const u64, scratch: *mut u64,
) {
    let (f, step) = (*f, *step);
    // Four indices that follow one another must stay so behind a step.
    if step.size() < 4 || (step.xor == 1 && step.at < 2) {
        fold_each(&f, table, &step, beta, scratch);
    } else {
        fold_fours(&f, table, &step, beta, scratch);
    }
    core::ptr::copy_nonoverlapping(scratch, table, step.size());
}

#[inline(always)]
unsafe fn fold_fours(f: &Field, from: *const u64, step: &Step, beta: *const u64, to: *mut u64) {
    let mut factors = [[u32x4_splat(0); 2]; RADIX];
    for h in 0..step.digits() {
        factors[h] = splat(pair(f.mul(*beta.add(h), f.power(93))));
    }
    let modulus = splat(pair(f.q()));
    let mut s = 0;
    while s < step.size() {
        let mut sums = Lanes::ZERO;
        for h in 0..step.digits() {
            let at = step.stepped(s as u32, h);
            let words = if at + 4 <= step.size() {
                let at = from.add(at) as *const v128;
                [v128_load(at), v128_load(at.add(1))]
            } else {
                let place = |i: usize| *from.add((at + i) & step.all as usize);
                [u64x2(place(0), place(1)), u64x2(place(2), place(3))]
            };
            if h == FEW {
                sums.carry(2);
            }
            sums.add(planes(words[0], words[1]), [held(&factors[h][0]), held(&factors[h][1])]);
        }
        sums.carry(2);
        let to = to.add(s) as *mut v128;
        for (i, words) in sums.reduced93(f, &modulus).iter().enumerate() {
            v128_store(to.add(i), pairs(*words));
        }
        s += 4;
    }
}

/// The same, index by index.
unsafe fn fold_each(f: &Field, from: *const u64, step: &Step, beta: *const u64, to: *mut u64) {
    for s in 0..=step.all {
        let mut sum = Sum::ZERO;
        for h in 0..step.digits() {
            sum.add(*beta.add(h), word(*from.add(step.stepped(s, h))));
        }
        *to.add(s as usize) = pair(f.reduce(&sum));
    }
}

/// Elements from which on it is worth to bring them into an order.
const ORDERED: usize = 1 << 9;
/// Stretches that a table is read in, for every digit.
const STRETCH_BITS: u32 = 8;
/// A table of so many words is small: weights of one place are added up first.
const SMALL: usize = 1 << 9;

/// What is done with the elements of a round.
enum Way {
    /// Taken as they come.
    Each,
    /// Added up by place.
    Added,
    /// Read in the order of digits and stretches.
    Ordered,
}

fn way(size: usize, n: usize) -> Way {
    if n < ORDERED {
        Way::Each
    } else if size <= SMALL && 16 * size <= n {
        Way::Added
    } else {
        Way::Ordered
    }
}

/// Bytes of scratch of `lookup_round`.
#[no_mangle]
pub extern "C" fn lookup_scratch(size: usize, n: usize) -> usize {
    match way(size, n) {
        Way::Each => 0,
        Way::Added => (16 + 4) * RADIX * size,
        Way::Ordered => 12 * n + 4 * (RADIX << STRETCH_BITS),
    }
}

/// z_{a,b} of a table. `index` is μ. With scratch, which is zero, elements come in an order that is good for the cache:
/// a table of some megabytes is no place to read at random.
#[no_mangle]
pub unsafe extern "C" fn lookup_round(
    f: *const Field, weights: *const u64, table: *const u64, step: *const Step, mu: *const u32, nu: *const u32,
    n: usize, scratch: *mut u8, out: *mut u64,
) {
    let (f, step) = (*f, *step);
    let size = step.size();
    let mut z = [Total::ZERO; RADIX * RADIX];
    match way(size, n) {
        Way::Each => {
            for i in 0..n {
                let (digit, from) = step.place(*mu.add(i), *nu.add(i));
                let weight = pair(*weights.add(i));
                run(&weight, &from, 1, table, &step, &mut z[RADIX * digit..]);
            }
        }
        Way::Added => {
            let (sums, words) = (scratch as *mut [u64; 2], scratch as *mut u64);
            let keys = scratch.add(16 * RADIX * size) as *mut u32;
            for i in 0..n {
                let (digit, from) = step.place(*mu.add(i), *nu.add(i));
                bits::add_weight(sums.add(size * digit + from as usize), *weights.add(i));
            }
            for at in 0..size {
                *keys.add(at) = at as u32;
            }
            let up = f.power(32);
            for digit in 0..step.digits() {
                // Words come to lie where sums were.
                let first = words.add(size * digit);
                for at in 0..size {
                    let [low, high] = *sums.add(size * digit + at);
                    *first.add(at) = pair(f.plus(f.word(low), f.mul(up, high)));
                }
                run(first, keys, size, table, &step, &mut z[RADIX * digit..]);
            }
        }
        Way::Ordered => {
            let (words, keys) = (scratch as *mut u64, scratch.add(8 * n) as *mut u32);
            let next = from_raw_parts_mut(keys.add(n), RADIX << STRETCH_BITS);
            let bits = size.trailing_zeros() - step.width;
            let shift = if bits > STRETCH_BITS { bits - STRETCH_BITS } else { 0 };
            let bucket = |digit: usize, from: u32| ((step.without(from) >> shift) as usize) << step.width | digit;
            for i in 0..n {
                let (digit, from) = step.place(*mu.add(i), *nu.add(i));
                next[bucket(digit, from)] += 1;
            }
            let mut before = 0;
            for count in next.iter_mut() {
                before += core::mem::replace(count, before);
            }
            for i in 0..n {
                let (digit, from) = step.place(*mu.add(i), *nu.add(i));
                let at = &mut next[bucket(digit, from)];
                *words.add(*at as usize) = pair(*weights.add(i));
                *keys.add(*at as usize) = from;
                *at += 1;
            }
            let mut first = 0;
            for (at, end) in next.iter().enumerate() {
                let (row, count) = (RADIX * (at & (step.digits() - 1)), *end as usize - first);
                run(words.add(first), keys.add(first), count, table, &step, &mut z[row..]);
                first += count;
            }
        }
    }
    finish(&f, &z, out);
}

/// Adds what elements of one digit give to its row of z.
#[inline(never)]
unsafe fn run(weights: *const u64, from: *const u32, n: usize, table: *const u64, step: &Step, z: &mut [Total]) {
    if step.xor == 1 {
        run_of(weights, from, n, table, step, |index, part| index ^ part, z);
    } else {
        run_of(weights, from, n, table, step, |index, part| index.wrapping_add(part), z);
    }
}

#[inline(always)]
unsafe fn run_of(
    weights: *const u64, from: *const u32, n: usize, table: *const u64, step: &Step,
    stepped: impl Fn(u32, u32) -> u32, z: &mut [Total],
) {
    let (all, at) = (step.all, step.at);
    let mut first = 0;
    while first < step.digits() {
        let mut sums = Lanes::ZERO;
        let add = |sums: &mut Lanes, i: usize| {
            let index = *from.add(i);
            // Digits that there are not are read and left out.
            let place = |b: usize| *table.add((stepped(index, ((first + b) as u32) << at) & all) as usize);
            let words = planes(u64x2(place(0), place(1)), u64x2(place(2), place(3)));
            let weight = weights.add(i) as *const u32;
            sums.add(words, [splat_part(weight), splat_part(weight.add(1))]);
        };
        let mut i = 0;
        while i + FEW <= n {
            for k in 0..FEW {
                add(&mut sums, i + k);
            }
            sums.carry(3);
            i += FEW;
        }
        while i < n {
            add(&mut sums, i);
            i += 1;
        }
        sums.carry(3);
        let last = if step.digits() < first + 4 { step.digits() } else { first + 4 };
        sums.add_to(&mut z[first..last]);
        first += 4;
    }
}
