//! Kernels of the proofs: weights, folds and rounds modulo q.
//!
//! Operands are secrets and meet additions, multiplications and shifts only. Addresses follow from indices that the
//! party knows in the clear, as in the selections themselves.

use crate::bits;
use crate::entries::Layout;
use crate::field::{Field, Sum};
use crate::lookup::Step;
use crate::parts::{held, pair, pairs, planes, splat, Lanes, One, Total, FEW};
use crate::simd::*;
use core::slice::{from_raw_parts, from_raw_parts_mut};

/// Blocks of a round.
pub const RADIX: usize = 8;
/// Entries of an element whose products with coefficients are added up in parts: of short words.
const MOST_SHORT: usize = 32;
/// Most numbers that the digits of an index are.
const MOST_NUMBERS: usize = 8;

/// F_i = Σ_t X_{i,t} coefficients_t. `tables` has room for 8 × 256 words: the sum for every byte of a challenge.
#[no_mangle]
pub unsafe extern "C" fn weights(
    f: *const Field, x: *const u64, n: usize, coefficients: *const u64, sigma: usize, tables: *mut u64, out: *mut u64,
) {
    let f = *f;
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
        *out.add(i) = f.below8(sum);
    }
}

/// a_i · b_i.
#[no_mangle]
pub unsafe extern "C" fn multiply(f: *const Field, a: *const u64, b: *const u64, n: usize, out: *mut u64) {
    let f = *f;
    for i in 0..n {
        *out.add(i) = f.mul(*a.add(i), *b.add(i));
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

/// Bytes of scratch of `fold_entries`: the words of an element, or the sums of eight of its coefficients.
#[no_mangle]
pub extern "C" fn fold_scratch(words: usize) -> usize {
    8 * words + bits::sums_scratch(words)
}

/// Σ_j coefficients_j words_j, of pairs and of at most `MOST_SHORT` short words.
#[inline(always)]
fn short_sum(n: usize, coefficient: impl Fn(usize) -> u64, word: impl Fn(usize) -> u64) -> One {
    let mut sum = One::ZERO;
    for j in 0..n {
        if j > 0 && j % FEW == 0 {
            sum.carry();
        }
        sum.add(coefficient(j), pair(word(j)));
    }
    sum
}

/// weights_i Σ_j coefficients_j E_{i,j,p}. Writes over the coefficients, and over the weights.
#[no_mangle]
pub unsafe extern "C" fn fold_entries(
    f: *const Field, bytes: *const u8, layout: *const Layout, n: usize, weights: *mut u64, coefficients: *mut u64,
    row: *mut u64, out: *mut u64,
) {
    let (f, layout) = (*f, &*layout);
    let single = bits::bits_of(layout);
    if single > 0 {
        let up = f.power(62);
        bits::subsets(single, |j| f.mul(up, *coefficients.add(j)), |a, b| f.plus(a, b), row);
        for i in 0..n {
            let sum = bits::residue(&f, bytes.add(i * single / 8), single / 8, row);
            *out.add(i) = f.mont62(pair(sum), pair(*weights.add(i)));
        }
        return;
    }
    if layout.short() && layout.n() <= MOST_SHORT {
        // Both reductions take a power of two away.
        let up = f.power(93 + 62);
        for j in 0..layout.n() {
            *coefficients.add(j) = pair(f.mul(up, *coefficients.add(j)));
        }
        for i in 0..n {
            layout.element(bytes, i, from_raw_parts_mut(row, layout.words()));
            let weight = pair(*weights.add(i));
            for p in 0..layout.p() {
                let sum = short_sum(layout.n(), |j| *coefficients.add(j), |j| *row.add(j * layout.p() + p));
                *out.add(i * layout.p() + p) = f.mont62(pair(f.reduced93(sum)), weight);
            }
        }
        return;
    }
    for i in 0..n {
        *weights.add(i) = f.form(*weights.add(i));
        layout.element(bytes, i, from_raw_parts_mut(row, layout.words()));
        for p in 0..layout.p() {
            let mut sum = Sum::ZERO;
            for j in 0..layout.n() {
                sum.add(*coefficients.add(j), *row.add(j * layout.p() + p));
            }
            *out.add(i * layout.p() + p) = f.mont(f.reduce(&sum), *weights.add(i));
        }
    }
}

/// Σ_c coefficients_c T_{i,c}, over all words of an element. Writes over the coefficients.
#[no_mangle]
pub unsafe extern "C" fn public_table(
    f: *const Field, bytes: *const u8, layout: *const Layout, n: usize, coefficients: *mut u64, row: *mut u64,
    out: *mut u64,
) {
    let (f, layout) = (*f, &*layout);
    let words = layout.words();
    if layout.short() && words <= MOST_SHORT {
        let up = f.power(93);
        for c in 0..words {
            *coefficients.add(c) = pair(f.mul(up, *coefficients.add(c)));
        }
        for i in 0..n {
            layout.element(bytes, i, from_raw_parts_mut(row, words));
            *out.add(i) = f.reduced93(short_sum(words, |c| *coefficients.add(c), |c| *row.add(c)));
        }
        return;
    }
    for i in 0..n {
        layout.element(bytes, i, from_raw_parts_mut(row, words));
        let mut sum = Sum::ZERO;
        for c in 0..words {
            sum.add(*coefficients.add(c), *row.add(c));
        }
        *out.add(i) = f.reduce(&sum);
    }
}

/// Most bits of an index whose products are made beforehand, for so many elements.
fn product_bits(n: usize) -> u32 {
    match n {
        0..=1023 => 3,
        1024..=8191 => 6,
        _ => 10,
    }
}

/// Bytes of scratch of `digit_weights`: of digits that follow one another, the products of all values.
#[no_mangle]
pub extern "C" fn digit_scratch(n: usize, rounds: usize) -> usize {
    (8 * rounds) << product_bits(n)
}

/// f Π_r coefficients_{r, digit r of index_i} · factor_{i,p}, n × each. f has a word for every i, or with `whole` = 1
/// for every i and p; `factor` is null for ones. Digits are pairs of their first bit and their mask.
#[no_mangle]
pub unsafe extern "C" fn digit_weights(
    f: *const Field, weights: *const u64, whole: usize, each: usize, index: *const u32, n: usize, digits: *const u32,
    rounds: usize, coefficients: *const u64, factor: *const u64, scratch: *mut u64, out: *mut u64,
) {
    let f = *f;
    // Every product takes a power of two away: those that follow are there at the start.
    let up = f.power(62);
    let mut one = if factor.is_null() { up } else { f.power(62 + 64) };
    // First bit, mask, and products of the digits that are one number.
    let mut numbers = [(0u32, 0u32, scratch); MOST_NUMBERS];
    let (mut count, mut r, mut at) = (0, 0, scratch);
    while r < rounds {
        let (first, mut bits) = (*digits.add(2 * r), 0);
        *at = one;
        while r < rounds && *digits.add(2 * r) == first + bits {
            let more = (*digits.add(2 * r + 1)).count_ones();
            if bits > 0 && bits + more > product_bits(n) {
                break;
            }
            for value in (0..1usize << more).rev() {
                let coefficient = pair(f.mul(up, *coefficients.add(RADIX * r + value)));
                for below in 0..1usize << bits {
                    *at.add(value << bits | below) = f.mont62(pair(*at.add(below)), coefficient);
                }
            }
            bits += more;
            r += 1;
        }
        for value in 0..1usize << bits {
            *at.add(value) = pair(*at.add(value));
        }
        numbers[count] = (first, (1 << bits) - 1, at);
        at = at.add(1 << bits);
        one = up;
        count += 1;
    }
    let numbers = &numbers[..count];
    let product = |i: usize| {
        let index = *index.add(i);
        let of = |&(first, mask, products): &(u32, u32, *mut u64)| *products.add((index >> first & mask) as usize);
        match numbers.split_first() {
            None => pair(one),
            Some((head, rest)) => rest.iter().fold(of(head), |product, number| pair(f.mont62(product, of(number)))),
        }
    };
    if factor.is_null() && whole == 1 && each == 1 {
        for i in 0..n {
            *out.add(i) = f.mont62(product(i), pair(*weights.add(i)));
        }
        return;
    }
    for i in 0..n {
        let product = product(i);
        let own = if whole == 0 { f.mont62(product, pair(*weights.add(i))) } else { 0 };
        for at in i * each..(i + 1) * each {
            let word = if whole == 1 { f.mont62(product, pair(*weights.add(at))) } else { own };
            *out.add(at) = if factor.is_null() { word } else { f.mont(word, *factor.add(at)) };
        }
    }
}

/// Bytes of scratch of `choice_round`: sums of weights for every byte, or those of `lows` coefficients.
#[no_mangle]
pub extern "C" fn choice_scratch(lows: usize, n: usize) -> usize {
    match lows {
        1 => 16 * RADIX * bits::SUMS,
        8 if n >= MANY => 16 * RADIX * RADIX * bits::SUMS,
        _ => bits::sums_scratch(lows),
    }
}

/// Elements that so many sums of weights are worth it for.
const MANY: usize = 1 << 12;

/// z_{a,b} of a choice. `low` has 2^at words. `scratch` is zero.
#[no_mangle]
pub unsafe extern "C" fn choice_round(
    f: *const Field, bytes: *const u8, layout: *const Layout, choice: *const u32, weights: *const u64, n: usize,
    low: *const u64, step: *const Step, scratch: *mut u64, out: *mut u64,
) {
    let (f, layout, step) = (*f, &*layout, *step);
    let lows = 1usize << step.at;
    let mut z = [Total::ZERO; RADIX * RADIX];
    let single = bits::bits_of(layout);
    let high_of = |c: u32| ((c >> step.at >> step.width) as usize) << step.width;
    if single > 0 && lows == 1 && step.digits() == RADIX {
        // The entries of a digit are one byte: weights of one digit and one byte are added up first.
        let sums = scratch as *mut [u64; 2];
        for i in 0..n {
            let c = *choice.add(i);
            let byte = *bytes.add((i * single + high_of(c)) / 8) as usize;
            bits::add_weight(sums.add(bits::SUMS * step.digit(c) + byte), *weights.add(i));
        }
        for digit in 0..RADIX {
            let sums = bits::by_bit(&f, sums.add(bits::SUMS * digit));
            for a in 0..RADIX {
                *out.add(RADIX * a + digit) = f.mul(*low, sums[a]);
            }
        }
        return;
    }
    if single > 0 && lows == 8 && n >= MANY {
        // The same for every byte of a digit.
        let sums = scratch as *mut [u64; 2];
        for i in 0..n {
            let (c, weight) = (*choice.add(i), *weights.add(i));
            let first = i * single / 8 + high_of(c);
            let count = if single / 8 - high_of(c) < step.digits() { single / 8 - high_of(c) } else { step.digits() };
            for a in 0..count {
                let row = RADIX * a + step.digit(c);
                bits::add_weight(sums.add(bits::SUMS * row + *bytes.add(first + a) as usize), weight);
            }
        }
        for row in 0..RADIX * RADIX {
            let sums = bits::by_bit(&f, sums.add(bits::SUMS * row));
            *out.add(row) = (0..8).fold(0, |sum, l| f.plus(sum, f.mul(*low.add(l), sums[l])));
        }
        return;
    }
    if single > 0 && lows % 8 == 0 {
        bits::subsets(lows, |l| *low.add(l), |a, b| f.plus(a, b), scratch);
        for i in 0..n {
            let c = *choice.add(i);
            let (high, digit, weight) = (high_of(c), step.digit(c), pair(*weights.add(i)));
            for a in 0..step.digits() {
                // Entries of an element are a power of two of whole blocks, or end within one.
                let first = (high + a) * lows;
                if first < single {
                    let count = if single - first < lows { single - first } else { lows };
                    let sum = bits::residue(&f, bytes.add((i * single + first) / 8), count / 8, scratch);
                    let mut product = One::ZERO;
                    product.add(weight, pair(sum));
                    z[RADIX * a + digit].add(product);
                }
            }
        }
        return finish(&f, &z, out);
    }
    if lows == 1 && layout.short() {
        for i in 0..n {
            let c = *choice.add(i);
            let (high, digit) = (high_of(c), step.digit(c));
            for a in (0..step.digits()).take_while(|a| high + a < layout.n()) {
                let mut sum = One::ZERO;
                layout.entry(bytes, i, high + a, |p, word| {
                    sum.carry();
                    sum.add(pair(*weights.add(i * layout.p() + p)), pair(word));
                });
                z[RADIX * a + digit].add(sum);
            }
        }
        finish(&f, &z, out);
        for word in from_raw_parts_mut(out, RADIX * RADIX) {
            *word = f.mul(*low, *word);
        }
        return;
    }
    for i in 0..n {
        let c = *choice.add(i);
        let high = high_of(c);
        for a in 0..step.digits() {
            for p in 0..layout.p() {
                let (mut sum, first) = (Sum::ZERO, (high + a) * lows);
                let last = if first + lows < layout.n() { first + lows } else { layout.n() };
                for j in first..last {
                    sum.add(*low.add(j - first), layout.word(bytes, i, j, p));
                }
                let mut product = One::ZERO;
                product.add(pair(*weights.add(i * layout.p() + p)), pair(f.reduce(&sum)));
                z[RADIX * a + step.digit(c)].add(product);
            }
        }
    }
    finish(&f, &z, out);
}

/// Blocks of the tail whose words are split at once: 5 kB.
const BLOCKS: usize = 16;

/// Cross sums of eight interleaved blocks. `u` and `w` are whole blocks.
#[no_mangle]
pub unsafe extern "C" fn tail_round(f: *const Field, u: *const u64, w: *const u64, blocks: usize, out: *mut u64) {
    let mut z = [Total::ZERO; RADIX * RADIX];
    // The parts of a left word, and the planes of four right ones.
    let mut left = [[u64x2(0, 0); 2]; RADIX * BLOCKS];
    let mut right = [[[u64x2(0, 0); 2]; 2]; BLOCKS];
    let mut first = 0;
    while first < blocks {
        let count = if blocks - first < BLOCKS { blocks - first } else { BLOCKS };
        for i in 0..count {
            let (from, of) = (u.add(RADIX * (first + i)), w.add(RADIX * (first + i)) as *const v128);
            for a in 0..RADIX {
                left[RADIX * i + a] = splat(pair(*from.add(a)));
            }
            for b in 0..2 {
                let [low, high] = [v128_load(of.add(2 * b)), v128_load(of.add(2 * b + 1))];
                right[i][b] = planes(pairs(low), pairs(high));
            }
        }
        // The last blocks are whole fours, with nothing behind the end.
        for word in &mut left[RADIX * count..] {
            *word = [u64x2(0, 0); 2];
        }
        for a in 0..RADIX {
            for b in 0..2 {
                let (mut sums, mut i) = (Lanes::ZERO, 0);
                while i < count {
                    for k in i..i + FEW {
                        let [low, high] = &left[RADIX * k + a];
                        sums.add(right[k][b], [held(low), held(high)]);
                    }
                    sums.carry(3);
                    i += FEW;
                }
                sums.add_to(&mut z[RADIX * a + 4 * b..RADIX * a + 4 * b + 4]);
            }
        }
        first += count;
    }
    finish(&*f, &z, out);
}

/// The sums mod q.
pub unsafe fn finish(f: &Field, z: &[Total; RADIX * RADIX], out: *mut u64) {
    for (i, sum) in z.iter().enumerate() {
        *out.add(i) = sum.residue(f);
    }
}

/// Σ_a coefficients_a u_{8i+a}.
#[no_mangle]
pub unsafe extern "C" fn tail_fold(
    f: *const Field, u: *const u64, blocks: usize, coefficients: *const u64, out: *mut u64,
) {
    let f = *f;
    let up = f.power(93);
    let mut factors = [0u64; RADIX];
    for a in 0..RADIX {
        factors[a] = pair(f.mul(up, *coefficients.add(a)));
    }
    for i in 0..blocks {
        let mut sum = One::ZERO;
        for a in 0..RADIX {
            if a == FEW {
                sum.carry();
            }
            sum.add(factors[a], pair(*u.add(RADIX * i + a)));
        }
        *out.add(i) = f.reduced93(sum);
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
