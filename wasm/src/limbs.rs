//! Products of words with a matrix of signed 32-bit entries, x·W modulo 2^k, by products of 16-bit limbs.
//!
//! x = Σ d_l · 2^s_l in five signed digits for k = 64, in four or three where less is wanted of the result. W = W₀ +
//! 2¹⁶·W₁ in two layers of signed 16-bit entries, the second of which is left out where it is zero: model weights at
//! scale 16 are below ½ but for a few. i32x4.dot_i16x8 multiplies and adds eight pairs in one x86 instruction, where a
//! word times a 32-bit entry takes eight for two.
//!
//! Nothing is rounded. What counts 2^(k−32) and more is needed modulo 2³² and less. The digits below are at most 2¹⁰
//! and entries at most 2¹⁵, so that a sum of 64 products is within [−2³¹, 2³¹): it is widened after as many rows. A
//! layer is *light* where the entries of every column of a block are less than 2²¹ in all: a block needs no widening.

use crate::matmul::min;
use crate::pack::{load, store};
use crate::simd::*;

/// Columns of a panel.
pub(crate) const NR: usize = 8;
/// Rows of a block of panels: one of them, 4 KB a layer, stays in L1 for all digits of some rows of x.
pub(crate) const KC: usize = 256;
/// Rows of x of a tile: eight sums, and their operands, fit the sixteen registers of x86.
const MR: usize = 4;
/// Rows of W whose products are summed in 32 bits.
const CHUNK: usize = 64;

/// Flags of a panel, in the place of its second layer: the first is light, the second is.
const LIGHT: usize = 1;
const LIGHT_HIGH: usize = 2;

/// How far behind the first layers the second of a panel lies, 0 where it is zero.
#[inline(always)]
pub(crate) fn behind(place: usize) -> usize {
    place & !(LIGHT | LIGHT_HIGH)
}

/// A digit of x: its place, its bits, and what is subtracted from the unsigned field. In those that are summed exactly
/// that is one less than half, so that a digit is within [−1023, 1024] and −2¹⁵ · 2¹⁰ · 64 = −2³¹ is the least sum
/// there is.
pub(crate) struct Digit {
    pub(crate) shift: u32,
    bits: u32,
    below: u64,
}

const fn digit(shift: u32, bits: u32) -> Digit {
    Digit { shift, bits, below: if bits == 16 { 1 << 15 } else { (1 << (bits - 1)) - 1 } }
}

/// The digits of words of `bits` bits: of a result modulo 2^bits those of 16 bits are wanted modulo 2³² at most.
pub(crate) struct Digits {
    bits: u32,
    pub(crate) digits: &'static [Digit],
}

/// The fewest that do for a result of some bits: the last that is wide enough.
pub(crate) const WORDS: [Digits; 3] = [
    Digits { bits: 64, digits: &[digit(0, 11), digit(11, 11), digit(22, 10), digit(32, 16), digit(48, 16)] },
    Digits { bits: 54, digits: &[digit(0, 11), digit(11, 11), digit(22, 16), digit(38, 16)] },
    Digits { bits: 43, digits: &[digit(0, 11), digit(11, 16), digit(27, 16)] },
];

impl Digits {
    /// What makes all digits unsigned fields.
    const fn bias(&self) -> u64 {
        let (mut bias, mut l) = (0u64, 0);
        while l < self.digits.len() {
            bias += self.digits[l].below << self.digits[l].shift;
            l += 1;
        }
        bias
    }
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

/// Bytes of scratch: digits of the rows of a tile, their sums, and the sums of every digit.
#[cfg_attr(not(owner), no_mangle)]
pub extern "C" fn limbs_left() -> usize {
    let digits = WORDS[0].digits.len();
    4 * digits * (KC / 2) * MR + 16 * (4 + 2 * digits) * MR
}

/// 1 if a layer of one panel is light, 0 if not.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn limbs_light(layer: *const v128, pairs: usize) -> u32 {
    let mut sums = [i32x4_splat(0); 2];
    for k in 0..2 * pairs {
        sums[k % 2] = i32x4_add(sums[k % 2], u32x4_extadd_pairwise_u16x8(i16x8_abs(v128_load(layer.add(k)))));
    }
    let limit = i32x4_splat(1 << 21);
    i32x4_all_true(v128_and(i32x4_lt(sums[0], limit), i32x4_lt(sums[1], limit))) as u32
}

/// The digits of `kc` words of each of R rows (stride `rows`), for every digit pairs of neighbours of all rows side by
/// side. What is missing of the last pair is zero.
#[inline(always)]
unsafe fn pack<const R: usize, const SET: usize>(x: *const u64, rows: usize, kc: usize, left: *mut u32) {
    let pairs = even(kc) / 2;
    for r in 0..R {
        let row = x.add(r * rows);
        for k in 0..pairs {
            let second = if 2 * k + 1 < kc { *row.add(2 * k + 1) } else { 0 };
            let words = i64x2_add(u64x2(*row.add(2 * k), second), u64x2_splat(WORDS[SET].bias()));
            for (l, digit) in WORDS[SET].digits.iter().enumerate() {
                let field = v128_and(u64x2_shr(words, digit.shift), u64x2_splat((1 << digit.bits) - 1));
                let pair = i64x2_sub(field, u64x2_splat(digit.below));
                let pair = i16x8_shuffle::<0, 4, 0, 4, 0, 4, 0, 4>(pair, pair);
                *left.add((l * pairs + k) * R + r) = u32x4_extract_lane::<0>(pair);
            }
        }
    }
}

/// to (R × 8 sums of 32 bits) = the products of `count` pairs of one digit of R rows with those of a panel.
/// A function of its own, so that an engine has all registers for its loop.
#[inline(never)]
unsafe fn dot<const R: usize>(x: *const u32, w: *const v128, count: usize, to: *mut v128) {
    #[cfg(target_arch = "x86_64")]
    return crate::wide::dot::<R>(x, w, count, to);
    #[cfg(not(target_arch = "x86_64"))]
    lanes_dot::<R>(x, w, count, to)
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn lanes_dot<const R: usize>(x: *const u32, w: *const v128, count: usize, to: *mut v128) {
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
    for r in 0..R {
        v128_store(to.add(2 * r), acc[r][0]);
        v128_store(to.add(2 * r + 1), acc[r][1]);
    }
}

/// R packed rows times `pairs` pairs of rows of a panel whose one layer is light, to sums (R × 8 words). `digits` has
/// room for the sums of every digit.
#[inline(always)]
unsafe fn light_layer<const R: usize, const SET: usize>(
    left: *const u32,
    sums: *mut v128,
    panel: *const v128,
    pairs: usize,
    digits: *mut v128,
) {
    for l in 0..WORDS[SET].digits.len() {
        dot::<R>(left.add(l * pairs * R), panel, pairs, digits.add(2 * R * l));
    }
    for i in 0..2 * R {
        let of = |l: usize| v128_load(digits.add(2 * R * l + i));
        // The digits of 16 bits are the two last: what counts 2^(k−32) and more, modulo 2³².
        let top = WORDS[SET].digits.len() - 2;
        let upper = i32x4_add(of(top), i32x4_shl(of(top + 1), 16));
        let shift = WORDS[SET].digits[top].shift;
        let mut words = [
            i64x2_shl(i64x2_extend_low_i32x4(upper), shift),
            i64x2_shl(i64x2_extend_high_i32x4(upper), shift),
        ];
        for l in 0..top {
            let shift = WORDS[SET].digits[l].shift;
            words[0] = i64x2_add(words[0], i64x2_shl(i64x2_extend_low_i32x4(of(l)), shift));
            words[1] = i64x2_add(words[1], i64x2_shl(i64x2_extend_high_i32x4(of(l)), shift));
        }
        v128_store(sums.add(2 * i), words[0]);
        v128_store(sums.add(2 * i + 1), words[1]);
    }
}

/// R packed rows times `pairs` pairs of rows of one layer of a panel and 2^scale, added to sums (R × 8 words).
#[inline(never)]
unsafe fn layer<const R: usize, const SET: usize>(
    left: *const u32,
    sums: *mut v128,
    panel: *const v128,
    scale: u32,
    pairs: usize,
    light: bool,
    digits: *mut v128,
) {
    let mut x = left;
    for digit in WORDS[SET].digits {
        let shift = digit.shift + scale;
        if shift >= WORDS[SET].bits {
            break;
        }
        let most = if light || shift + 32 >= WORDS[SET].bits { pairs } else { CHUNK / 2 };
        let mut first = 0;
        while first < pairs {
            let count = min(pairs - first, most);
            dot::<R>(x, panel.add(2 * first), count, digits);
            for i in 0..2 * R {
                let (products, sum) = (v128_load(digits.add(i)), sums.add(2 * i));
                let (low, high) = (i64x2_extend_low_i32x4(products), i64x2_extend_high_i32x4(products));
                v128_store(sum, i64x2_add(v128_load(sum), i64x2_shl(low, shift)));
                v128_store(sum.add(1), i64x2_add(v128_load(sum.add(1)), i64x2_shl(high, shift)));
            }
            x = x.add(count * R);
            first += count;
        }
    }
}

/// Whether a panel is one of two side by side that are light and whole.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn is_of_pair(places: *const u32, p: usize, cols: usize) -> bool {
    let (first, second) = (p & !1, p | 1);
    (second + 1) * NR <= cols && *places.add(first) == LIGHT as u32 && *places.add(second) == LIGHT as u32
}

/// R rows of x, from column `first` of it on, times a block of panels.
#[inline(always)]
unsafe fn rows_of<const R: usize, const SET: usize>(
    x: *const u64,
    rows: usize,
    first: usize,
    low: *const u8,
    high: *const u32,
    cols: usize,
    out: *mut u64,
    mask: u64,
    left: *mut u32,
) {
    let kc = min(KC, rows - first);
    let pairs = even(kc) / 2;
    pack::<R, SET>(x.add(first), rows, kc, left);
    let sums = left.add(WORDS[SET].digits.len() * pairs * R) as *mut v128;
    let digits = sums.add(4 * R);
    let panels = (cols + NR - 1) / NR;
    for p in 0..panels {
        let panel = low.add((first * panels + p * 2 * pairs) * 2 * NR) as *const v128;
        let places = high.add(first / KC * panels);
        // Vectors of 256 bits have two at a time.
        #[cfg(target_arch = "x86_64")]
        if R == MR && is_of_pair(places, p, cols) {
            if p % 2 == 0 {
                crate::wide::light_pair::<SET>(left, panel, pairs, out.add(p * NR), cols, first > 0, mask);
            }
            continue;
        }
        let place = *places.add(p) as usize;
        if place == LIGHT {
            light_layer::<R, SET>(left, sums, panel, pairs, digits);
        } else {
            for i in 0..4 * R {
                v128_store(sums.add(i), i64x2_splat(0));
            }
            layer::<R, SET>(left, sums, panel, 0, pairs, place & LIGHT != 0, digits);
            let behind = behind(place);
            if behind != 0 {
                let panel = low.add(behind) as *const v128;
                layer::<R, SET>(left, sums, panel, 16, pairs, place & LIGHT_HIGH != 0, digits);
            }
        }
        for r in 0..R {
            let (to, from) = (out.add(r * cols + p * NR), sums.add(4 * r));
            if cols - p * NR >= NR {
                for i in 0..NR / 2 {
                    let to = to.add(2 * i) as *mut u8;
                    let word = v128_load(from.add(i));
                    let sum = if first > 0 { i64x2_add(load(to), word) } else { word };
                    store(to, v128_and(sum, u64x2_splat(mask)));
                }
                continue;
            }
            for c in 0..cols - p * NR {
                let (to, word) = (to.add(c), *(from as *const u64).add(c));
                *to = if first > 0 { (*to).wrapping_add(word) } else { word } & mask;
            }
        }
    }
}

#[inline(always)]
unsafe fn product<const SET: usize>(
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
    let mut first = 0;
    // One pass even for an inner dimension of 0, which must store zeros.
    while first == 0 || first < rows {
        let mut r = 0;
        while r < m {
            let (from, to) = (x.add(r * rows), out.add(r * cols));
            if m - r >= MR {
                rows_of::<MR, SET>(from, rows, first, low, high, cols, to, mask, left);
                r += MR;
            } else {
                rows_of::<1, SET>(from, rows, first, low, high, cols, to, mask, left);
                r += 1;
            }
        }
        first += KC;
    }
}

/// out (m × cols) = x (m × rows) · W & mask, mask = 2^k − 1: digits that leave it as it is are left out. `low` has W₀
/// in blocks of KC rows, of panels of NR columns, of pairs of rows; `high` says for every panel of every block how far
/// behind `low` its W₁ lies, 0 where it is zero, and which layers are light. `left` is scratch for `limbs_left` bytes.
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
    if bits <= WORDS[2].bits {
        product::<2>(x, m, rows, low, high, cols, out, mask, left);
    } else if bits <= WORDS[1].bits {
        product::<1>(x, m, rows, low, high, cols, out, mask, left);
    } else {
        product::<0>(x, m, rows, low, high, cols, out, mask, left);
    }
}
