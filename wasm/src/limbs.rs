//! Products of words with a matrix of signed 32-bit entries, x·W modulo 2^k, by products of 16-bit limbs.
//!
//! x = Σ d_l · 2^s_l in signed digits, as few as do. W = W₀ + 2¹⁶·W₁ in two layers of signed 16-bit entries, the second
//! of which is left out where it is zero: model weights at scale 16 are below ½ but for a few. i32x4.dot_i16x8
//! multiplies and adds eight pairs in one x86 instruction, where a word times a 32-bit entry takes eight for two.
//!
//! Nothing is rounded. The two last digits have 16 bits: what counts 2^(k−32) and more is needed modulo 2³² and less.
//! Sums of the *exact* digits below must stay within [−2³¹, 2³¹), so their width depends on the entries. A layer has a
//! *grade*, which says for how many rows the entries of a column are how small in all: the smaller, the wider are the
//! digits, and the fewer.

use crate::matmul::min;
use crate::pack::{load, store};
use crate::simd::*;

/// Columns of a panel.
pub(crate) const NR: usize = 8;
/// Rows of a block of panels: one of them, 4 KB a layer, stays in L1 for all digits of some rows of x.
pub(crate) const KC: usize = 256;
/// Rows of x of a tile: eight sums, and their operands, fit the sixteen registers of x86.
const MR: usize = 4;

/// Grades of a first layer, in the place of the second one of its panel, and the bits of exact digits for each. Of any
/// entries 256 products fit 32 bits (0), and of those whose columns are less than 2²¹ in all (1). The other two are for
/// columns of less than 2¹⁶ in any 16 or 32 rows that begin at a multiple: so many products fit of 16 bits, twice as
/// many of 15.
const GRADES: usize = 4;
const MOST: [u32; GRADES] = [9, 11, 16, 16];
const ROWS: [usize; GRADES] = [KC, KC, 16, 32];

/// How far behind the first layers the second of a panel lies, 0 where it is zero.
#[inline(always)]
pub(crate) fn behind(place: usize) -> usize {
    place & !(GRADES - 1)
}

/// Digits of words: `exact` ones of `bits` bits each, then two of 16.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    pub(crate) exact: usize,
    pub(crate) bits: u32,
    /// What makes all of them unsigned fields.
    bias: u64,
}

/// Digits that there are at most: 32 bits in exact ones of nine, and two.
const DIGITS: usize = 6;

impl Digits {
    /// The fewest that do for a result of some bits where exact ones have `most` bits at most.
    #[inline(always)]
    fn of(bits: u32, most: u32) -> Digits {
        let low = if bits > 32 { bits - 32 } else { 0 };
        let exact = (low + most - 1) / most;
        let bits = if exact == 0 { 0 } else { (low + exact - 1) / exact };
        let mut digits = Digits { exact: exact as usize, bits, bias: 0 };
        for l in 0..digits.exact + 2 {
            digits.bias = digits.bias.wrapping_add((digits.field(l).1 as u64) << digits.shift(l));
        }
        digits
    }

    /// What digit l counts, as a power of two.
    #[inline(always)]
    pub(crate) fn shift(&self, l: usize) -> u32 {
        min(l, self.exact) as u32 * self.bits + if l > self.exact { 16 } else { 0 }
    }

    /// The bits of digit l, and what is subtracted from its unsigned field. Of less than 16 bits that is one less than
    /// half: −2¹⁵ · 2⁸ · 256 = −2³¹ is a sum, and its opposite is none.
    #[inline(always)]
    fn field(&self, l: usize) -> (u32, u32) {
        let bits = if l < self.exact { self.bits } else { 16 };
        (bits, if bits == 16 { 1 << 15 } else { (1 << (bits - 1)) - 1 })
    }

    /// Pairs of rows whose products with an exact digit are summed in 32 bits.
    #[inline(always)]
    pub(crate) fn pairs(&self, grade: usize) -> usize {
        min(KC, ROWS[grade] << (16 - self.bits)) / 2
    }
}

/// An amount that vectors are shifted by, read in the loop that has the shift: LLVM knows it is that of all lanes only
/// where it sees it made, and shifts one lane after the other where it has moved it out of the loop.
#[inline(always)]
fn amount(of: &u32) -> u32 {
    // SAFETY: a reference is valid.
    unsafe { (of as *const u32).read_volatile() }
}

/// Rows of W that a layer has: they lie in pairs.
#[inline(always)]
fn even(rows: usize) -> usize {
    (rows + 1) & !1
}

/// Columns of a panel: slices of a matrix begin at a multiple.
#[no_mangle]
pub extern "C" fn limbs_panel() -> usize {
    NR
}

/// Bytes that the digits of the rows of a tile take.
const LEFT: usize = 4 * DIGITS * (KC / 2) * MR;

/// Bytes of scratch: digits for every grade, words, and two sums of every digit.
#[cfg_attr(not(owner), no_mangle)]
pub extern "C" fn limbs_left() -> usize {
    GRADES * LEFT + 16 * (4 + 4 * DIGITS) * MR
}

/// The grade of a layer of one panel.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn limbs_grade(layer: *const v128, pairs: usize) -> u32 {
    let zero = i32x4_splat(0);
    let (mut all, mut few, mut more) = ([zero; 2], zero, zero);
    let mut before = [zero; 2];
    let mut k = 0;
    while k < pairs {
        let mut sums = [zero; 2];
        for pair in k..min(pairs, k + 8) {
            for h in 0..2 {
                let entries = i16x8_abs(v128_load(layer.add(2 * pair + h)));
                sums[h] = i32x4_add(sums[h], u32x4_extadd_pairwise_u16x8(entries));
            }
        }
        for h in 0..2 {
            all[h] = i32x4_add(all[h], sums[h]);
            before[h] = if k % 16 == 0 { sums[h] } else { i32x4_add(before[h], sums[h]) };
            // A sum is less than a power of two if all of them together, bit by bit, are.
            few = v128_or(few, sums[h]);
            more = v128_or(more, before[h]);
        }
        k += 8;
    }
    let below = |sums: v128, bits: u32| i32x4_all_true(i32x4_lt(sums, i32x4_splat(1 << bits)));
    if below(more, 16) {
        3
    } else if below(few, 16) {
        2
    } else {
        below(v128_or(all[0], all[1]), 21) as u32
    }
}

/// One digit of `kc` words of each of R rows (stride `rows`), pairs of neighbours of all rows side by side. What is
/// missing of the last pair is zero.
#[inline(never)]
unsafe fn pack<const R: usize>(
    x: *const u64,
    rows: usize,
    kc: usize,
    bias: u64,
    shift: u32,
    mask: u32,
    below: u32,
    left: *mut u32,
) {
    let mut k = 0;
    // Two pairs of four rows at a time.
    while R == MR && 2 * k + 4 <= kc {
        let shift = amount(&shift);
        let some = |r: usize| {
            let at = x.add(r * rows + 2 * k) as *const v128;
            let field = |i: usize| u64x2_shr(i64x2_add(v128_load(at.add(i)), u64x2_splat(bias)), shift);
            let fields = v128_and(i32x4_shuffle::<0, 2, 4, 6>(field(0), field(1)), u32x4_splat(mask));
            i32x4_sub(fields, u32x4_splat(below))
        };
        let (a, b) = (i16x8_narrow_i32x4(some(0), some(1)), i16x8_narrow_i32x4(some(2), some(3)));
        let to = left.add(k * R) as *mut v128;
        v128_store(to, i32x4_shuffle::<0, 2, 4, 6>(a, b));
        v128_store(to.add(1), i32x4_shuffle::<0, 2, 4, 6>(u64x2_shr(a, 32), u64x2_shr(b, 32)));
        k += 2;
    }
    while 2 * k < kc {
        for r in 0..R {
            let digit = |k: usize| {
                let word = if k < kc { *x.add(r * rows + k) } else { 0 };
                ((word.wrapping_add(bias) >> shift) as u32 & mask).wrapping_sub(below) & 0xffff
            };
            *left.add(k * R + r) = digit(2 * k) | digit(2 * k + 1) << 16;
        }
        k += 1;
    }
}

/// The sums of `count` pairs of one digit of R rows with those of a panel, R × 8 of 32 bits.
#[inline(always)]
unsafe fn dot<const R: usize>(x: *const u32, w: *const v128, count: usize) -> [[v128; 2]; R] {
    #[cfg(target_arch = "x86_64")]
    return crate::wide::dot::<R>(x, w, count);
    #[cfg(not(target_arch = "x86_64"))]
    lanes_dot::<R>(x, w, count)
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn lanes_dot<const R: usize>(x: *const u32, w: *const v128, count: usize) -> [[v128; 2]; R] {
    let (mut x, mut w) = (x, w);
    let mut acc = [[i32x4_splat(0); 2]; R];
    macro_rules! pair {
        ($i:literal) => {
            let row = [v128_load(w.add(2 * $i)), v128_load(w.add(2 * $i + 1))];
            for r in 0..R {
                let pair = v128_load32_splat(x.add($i * R + r));
                acc[r][0] = i32x4_add(acc[r][0], i32x4_dot_i16x8(pair, row[0]));
                acc[r][1] = i32x4_add(acc[r][1], i32x4_dot_i16x8(pair, row[1]));
            }
        };
    }
    // Two pairs an iteration, with a way out between them: in one run of instructions V8 loads all operands first, and
    // then keeps sums in memory. A single row has few of both.
    let mut left = if R > 1 { count } else { 0 };
    while left > 0 {
        pair!(0);
        if left == 1 {
            break;
        }
        pair!(1);
        x = x.add(2 * R);
        w = w.add(4);
        left -= 2;
    }
    if R == 1 {
        for _ in 0..count {
            pair!(0);
            x = x.add(R);
            w = w.add(2);
        }
    }
    acc
}

/// to (2R vectors) = the sums of all pairs at once. A function of its own, so that an engine has all registers for its
/// loop; as is the next one.
#[inline(never)]
unsafe fn at_once<const R: usize>(x: *const u32, w: *const v128, count: usize, to: *mut v128) {
    let sums = dot::<R>(x, w, count);
    for i in 0..2 * R {
        v128_store(to.add(i), sums[i / 2][i % 2]);
    }
}

/// The same in parts of `most` pairs: behind their sums modulo 2³² lie those of their upper halves. They are kept in
/// memory: as values of a loop they would take the registers of the one within.
#[inline(never)]
unsafe fn in_parts<const R: usize>(x: *const u32, w: *const v128, count: usize, most: usize, to: *mut v128) {
    for i in 0..4 * R {
        to.add(i).write_volatile(i32x4_splat(0));
    }
    let mut first = 0;
    while first < count {
        let sums = dot::<R>(x.add(first * R), w.add(2 * first), min(count - first, most));
        for i in 0..2 * R {
            let sum = sums[i / 2][i % 2];
            let (all, upper) = (to.add(i), to.add(2 * R + i));
            all.write_volatile(i32x4_add(all.read_volatile(), sum));
            upper.write_volatile(i32x4_add(upper.read_volatile(), i32x4_shr(sum, 16)));
        }
        first += most;
    }
}

/// Vectors between the sums of two digits.
const STRIDE: usize = 4 * MR;

/// Where words of a panel go: rows `stride` words apart. They are added to what is there, or put, modulo 2^k.
struct To {
    at: *mut u64,
    stride: usize,
    /// All ones where they are added.
    old: u64,
    mask: u64,
}

/// Sums of every digit of some rows to words. `IN_PARTS` says how those of the exact digits were made.
#[inline(never)]
unsafe fn join<const EXACT: usize, const IN_PARTS: bool>(sums: *const v128, rows: usize, bits: &u32, to: &To) {
    for r in 0..rows {
        let bits = amount(bits);
        for i in 0..2 {
            let of = |l: usize| v128_load(sums.add(STRIDE * l + 2 * r + i));
            let upper = i32x4_add(of(EXACT), i32x4_shl(of(EXACT + 1), 16));
            let mut both = [i64x2_extend_low_i32x4(upper), i64x2_extend_high_i32x4(upper)];
            for l in (0..EXACT).rev() {
                let more = if IN_PARTS {
                    // What is below the sum of upper halves is not negative, and fits 32 bits.
                    let halves = v128_load(sums.add(STRIDE * l + 2 * (rows + r) + i));
                    let below = i32x4_sub(of(l), i32x4_shl(halves, 16));
                    [
                        i64x2_add(i64x2_shl(i64x2_extend_low_i32x4(halves), 16), u64x2_extend_low_u32x4(below)),
                        i64x2_add(i64x2_shl(i64x2_extend_high_i32x4(halves), 16), u64x2_extend_high_u32x4(below)),
                    ]
                } else {
                    [i64x2_extend_low_i32x4(of(l)), i64x2_extend_high_i32x4(of(l))]
                };
                for h in 0..2 {
                    both[h] = i64x2_add(i64x2_shl(both[h], bits), more[h]);
                }
            }
            for h in 0..2 {
                let at = to.at.add(r * to.stride + 4 * i + 2 * h) as *mut u8;
                let word = i64x2_add(v128_and(load(at), u64x2_splat(to.old)), both[h]);
                store(at, v128_and(word, u64x2_splat(to.mask)));
            }
        }
    }
}

/// R packed rows times `pairs` pairs of rows of one layer of a panel, to R × 8 words. Sums of an exact digit fit 32
/// bits for `most` pairs. `sums` has room for two of every digit.
#[inline(always)]
unsafe fn layer<const R: usize>(
    left: *const u32,
    digits: &Digits,
    panel: *const v128,
    pairs: usize,
    most: usize,
    sums: *mut v128,
    to: &To,
) {
    for l in 0..digits.exact + 2 {
        let (x, to) = (left.add(l * pairs * R), sums.add(STRIDE * l));
        if l < digits.exact && most < pairs {
            in_parts::<R>(x, panel, pairs, most, to);
        } else {
            at_once::<R>(x, panel, pairs, to);
        }
    }
    match (digits.exact, most < pairs) {
        (0, _) => join::<0, false>(sums, R, &digits.bits, to),
        (1, false) => join::<1, false>(sums, R, &digits.bits, to),
        (1, true) => join::<1, true>(sums, R, &digits.bits, to),
        (2, false) => join::<2, false>(sums, R, &digits.bits, to),
        (2, true) => join::<2, true>(sums, R, &digits.bits, to),
        (3, _) => join::<3, false>(sums, R, &digits.bits, to),
        _ => join::<4, false>(sums, R, &digits.bits, to),
    }
}

/// The digits of some rows for every grade, packed where they are first used.
struct Left<'a> {
    all: &'a [Digits; GRADES],
    at: *mut u32,
    packed: [bool; GRADES],
}

impl Left<'_> {
    /// Where those of a grade lie: grades with the same digits share them.
    #[inline(always)]
    unsafe fn of<const R: usize>(&mut self, grade: usize, x: *const u64, rows: usize, kc: usize) -> *const u32 {
        let mut first = 0;
        while self.all[first].exact != self.all[grade].exact {
            first += 1;
        }
        let at = self.at.add(first * LEFT / 4);
        if !self.packed[first] {
            self.packed[first] = true;
            let digits = &self.all[first];
            for l in 0..digits.exact + 2 {
                let (bits, below) = digits.field(l);
                let to = at.add(l * even(kc) / 2 * R);
                pack::<R>(x, rows, kc, digits.bias, digits.shift(l), (1 << bits) - 1, below, to);
            }
        }
        at
    }
}

/// Whether a panel is one of two side by side that are whole, of one grade and of one layer.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn is_of_pair(places: *const u32, p: usize, cols: usize) -> bool {
    let (first, second) = (p & !1, p | 1);
    (second + 1) * NR <= cols
        && behind(*places.add(first) as usize) == 0
        && *places.add(first) == *places.add(second)
}

/// R rows of x, from column `first` of it on, times a block of panels.
#[inline(never)]
unsafe fn rows_of<const R: usize>(
    x: *const u64,
    rows: usize,
    first: usize,
    low: *const u8,
    high: *const u32,
    cols: usize,
    out: *mut u64,
    mask: u64,
    all: &[Digits; GRADES],
    scratch: *mut u32,
) {
    let kc = min(KC, rows - first);
    let pairs = even(kc) / 2;
    let mut left = Left { all, at: scratch, packed: [false; GRADES] };
    let words = scratch.add(GRADES * LEFT / 4) as *mut u64;
    let sums = words.add(NR * MR) as *mut v128;
    let panels = (cols + NR - 1) / NR;
    for p in 0..panels {
        let panel = low.add((first * panels + p * 2 * pairs) * 2 * NR) as *const v128;
        let places = high.add(first / KC * panels);
        let place = *places.add(p) as usize;
        let (grade, behind) = (place % GRADES, behind(place));
        let (digits, most) = (&all[grade], all[grade].pairs(grade));
        let x = x.add(first);
        let packed = left.of::<R>(grade, x, rows, kc);
        // Vectors of 256 bits have two at a time.
        #[cfg(target_arch = "x86_64")]
        if R == MR && is_of_pair(places, p, cols) {
            if p % 2 == 0 {
                crate::wide::two(packed, digits, panel, pairs, most, out.add(p * NR), cols, first > 0, mask);
            }
            continue;
        }
        let (to, width) = (out.add(p * NR), min(NR, cols - p * NR));
        let old = if first > 0 { u64::MAX } else { 0 };
        if behind == 0 && width == NR {
            layer::<R>(packed, digits, panel, pairs, most, sums, &To { at: to, stride: cols, old, mask });
            continue;
        }
        // Of some columns, or of two layers.
        layer::<R>(packed, digits, panel, pairs, most, sums, &To { at: words, stride: NR, old: 0, mask });
        add::<R>(words, 0, to, cols, width, old, mask);
        if behind != 0 {
            let packed = left.of::<R>(0, x, rows, kc);
            let panel = low.add(behind) as *const v128;
            layer::<R>(packed, &all[0], panel, pairs, KC, sums, &To { at: words, stride: NR, old: 0, mask });
            add::<R>(words, 16, to, cols, width, u64::MAX, mask);
        }
    }
}

/// Adds words times 2^shift to some columns of `out`, or puts them there.
#[inline(never)]
unsafe fn add<const R: usize>(
    words: *const u64,
    shift: u32,
    out: *mut u64,
    cols: usize,
    width: usize,
    old: u64,
    mask: u64,
) {
    for r in 0..R {
        for c in 0..width {
            let to = out.add(r * cols + c);
            *to = (*to & old).wrapping_add(*words.add(NR * r + c) << shift) & mask;
        }
    }
}

/// out (m × cols) = x (m × rows) · W & mask, mask = 2^k − 1: digits that leave it as it is are left out. `low` has W₀
/// in blocks of KC rows, of panels of NR columns, of pairs of rows; `high` says for every panel of every block how far
/// behind `low` its W₁ lies, 0 where it is zero, and the grade of its W₀. `left` is scratch for `limbs_left` bytes.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn matmul_i32(
    x: *const u64,
    m: usize,
    rows: usize,
    low: *const u8,
    high: *const u32,
    cols: usize,
    out: *mut u64,
    mask: u64,
    left: *mut u32,
) {
    let bits = 64 - mask.leading_zeros();
    let all = [0, 1, 2, 3].map(|grade| Digits::of(bits, MOST[grade]));
    let mut first = 0;
    // One pass even for an inner dimension of 0, which must store zeros.
    while first == 0 || first < rows {
        let mut r = 0;
        while r < m {
            let (from, to) = (x.add(r * rows), out.add(r * cols));
            if m - r >= MR {
                rows_of::<MR>(from, rows, first, low, high, cols, to, mask, &all, left);
                r += MR;
            } else {
                rows_of::<1>(from, rows, first, low, high, cols, to, mask, &all, left);
                r += 1;
            }
        }
        first += KC;
    }
}
