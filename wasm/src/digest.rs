//! The two-sided compression: sums of rows by bits of challenges, mod 2^64 or as integers in limbs of 32 bits.
//! Addresses follow from challenges, which are public when an honest party works with them.

use crate::bits;
use crate::counts;
use crate::buckets::{block_of, digest_scratch, gather, scatter, BUCKETS};
use crate::entries::Layout;
use crate::parts::splat_part;
use crate::simd::*;
use core::slice::from_raw_parts_mut;

/// Xᵀ·rows mod 2^64. `out` and `buckets` are zero.
#[no_mangle]
pub unsafe extern "C" fn digest(
    rows: *const u64, width: usize, x: *const u64, n: usize, sigma: usize, buckets: *mut u64, out: *mut u64,
) {
    scatter(rows, width, x, n, n, sigma, buckets);
    gather(width, n, sigma, buckets, out);
}

/// Whether V comes before X: for few elements, or for so many words that their buckets leave the cache.
fn rows_first(n: usize, words: usize) -> bool {
    n < 48 || words >= 64
}

/// Bytes of scratch of `digest_entries`.
#[no_mangle]
pub extern "C" fn entries_scratch(n: usize, words: usize, sigma: usize) -> usize {
    let any = if rows_first(n, words) {
        8 * (digest_scratch(sigma, 1, sigma) + 2 * words + sigma) + columns_scratch(words, sigma) + 16
    } else {
        8 * (digest_scratch(words, n, sigma) + block_of(words) * words + sigma * words)
    };
    let single = bits::sums_scratch(words) + 8 * bits::buckets(sigma);
    if any < single {
        single
    } else {
        any
    }
}

/// Σ_i X_{i,t} Σ_c 2^(64 − width of c) E_{i,c} V_{c,κ} mod 2^64 of packed tables, σ × σ. `scratch` and `out` are zero.
#[no_mangle]
pub unsafe extern "C" fn digest_entries(
    bytes: *const u8, layout: *const Layout, x: *const u64, n: usize, v: *const u64, sigma: usize, scratch: *mut u64,
    out: *mut u64,
) {
    let layout = &*layout;
    let width = layout.words();
    if bits::bits_of(layout) > 0 {
        let buckets = scratch.add(bits::sums_scratch(width) / 8);
        return bits::digest(bytes, width, x, n, v, sigma, scratch, buckets, out);
    }
    if rows_first(n, width) {
        return digest_rows(bytes, layout, x, n, v, sigma, scratch, out);
    }
    let (rows, block) = (scratch, block_of(width));
    let buckets = rows.add(block * width);
    let sums = buckets.add(digest_scratch(width, n, sigma));
    let mut first = 0;
    while first < n {
        let count = if n - first < block { n - first } else { block };
        for i in 0..count {
            layout.element(bytes, first + i, from_raw_parts_mut(rows.add(i * width), width));
        }
        scatter(rows, width, x.add(first), count, n, sigma, buckets);
        first += count;
    }
    gather(width, n, sigma, buckets, sums);
    for t in 0..sigma {
        let to = from_raw_parts_mut(out.add(t * sigma), sigma);
        for c in 0..width {
            let word = *sums.add(t * width + c) << (64 - layout.width(c));
            let bits = *v.add(c);
            for k in 0..sigma {
                to[k] = to[k].wrapping_add(word & (bits >> k & 1).wrapping_neg());
            }
        }
    }
}

/// The same, with V before X: two elements at a time.
unsafe fn digest_rows(
    bytes: *const u8, layout: &Layout, x: *const u64, n: usize, v: *const u64, sigma: usize, scratch: *mut u64,
    out: *mut u64,
) {
    let width = layout.words();
    // Sums of vectors come first, for their alignment.
    let sums = scratch as *mut v128;
    let totals = sums.add(GROUPS * BUCKETS);
    let rows = totals.add(sigma) as *mut u64;
    let buckets = rows.add(2 * width);
    let each = buckets.add(digest_scratch(sigma, 1, sigma));
    let which = each.add(sigma) as *mut u8;
    subsets(width, v, sigma, which);
    let mut i = 0;
    while i < n {
        let count = if n - i < 2 { 1 } else { 2 };
        for r in 0..count {
            let row = from_raw_parts_mut(rows.add(r * width), width);
            layout.element(bytes, i + r, row);
            for c in 0..width {
                row[c] <<= 64 - layout.width(c);
            }
        }
        for t in 0..sigma {
            *totals.add(t) = u64x2(0, 0);
        }
        let column = |c: usize| u64x2(*rows.add(c), *rows.add(width + c));
        add_columns(0, width, width, sigma, which, sums, totals, |a, b| i64x2_add(a, b), column);
        for r in 0..count {
            for t in 0..sigma {
                *each.add(t) = *(totals.add(t) as *const u64).add(r);
            }
            scatter(each, sigma, x.add(i + r), 1, 1, sigma, buckets);
        }
        i += count;
    }
    gather(sigma, 1, sigma, buckets, out);
}

/// Columns whose sums are made for all their subsets.
const GROUP: usize = 4;
/// Groups whose sums are held at a time: 8 kB, which stay in the first cache.
const GROUPS: usize = 32;

/// Bytes of scratch: sums of a block of groups, sums of two or four rows, and the subset that V has in each group of
/// columns.
#[no_mangle]
pub extern "C" fn columns_scratch(width: usize, sigma: usize) -> usize {
    16 * (GROUPS * BUCKETS + sigma) + (width + GROUP - 1) / GROUP * sigma
}

/// The subset of every group of columns, for every column of V.
unsafe fn subsets(width: usize, v: *const u64, sigma: usize, out: *mut u8) {
    let groups = (width + GROUP - 1) / GROUP;
    for c in 0..width {
        for t in 0..sigma {
            *out.add(t * groups + c / GROUP) |= ((*v.add(c) >> t & 1) as u8) << (c % GROUP);
        }
    }
}

/// Adds up the columns [from, to), which are whole groups or the last. `column` gives a column of some rows side by
/// side. Addresses follow from V, as above.
#[inline(always)]
unsafe fn add_columns(
    from: usize, to: usize, width: usize, sigma: usize, subsets: *const u8, sums: *mut v128, totals: *mut v128,
    add: impl Fn(v128, v128) -> v128, column: impl Fn(usize) -> v128,
) {
    let all = (width + GROUP - 1) / GROUP;
    let mut first = from / GROUP;
    let end = (to + GROUP - 1) / GROUP;
    while first < end {
        let count = if end - first < GROUPS { end - first } else { GROUPS };
        for g in 0..count {
            let of = sums.add(BUCKETS * g);
            *of = u64x2(0, 0);
            for c in 0..GROUP {
                let at = GROUP * (first + g) + c;
                let word = if at < width { column(at) } else { u64x2(0, 0) };
                for b in 0..1usize << c {
                    *of.add(b + (1 << c)) = add(*of.add(b), word);
                }
            }
        }
        for t in 0..sigma {
            let subset = subsets.add(t * all + first);
            let mut total = *totals.add(t);
            for g in 0..count {
                total = add(total, *sums.add(BUCKETS * g + *subset.add(g) as usize));
            }
            *totals.add(t) = total;
        }
        first += count;
    }
}

/// rows·V mod 2^64: n × σ. Two rows at a time.
#[no_mangle]
pub unsafe extern "C" fn columns(
    rows: *const u64, width: usize, n: usize, v: *const u64, sigma: usize, scratch: *mut u8, out: *mut u64,
) {
    let sums = scratch as *mut v128;
    let totals = sums.add(GROUPS * BUCKETS);
    let which = totals.add(sigma) as *mut u8;
    subsets(width, v, sigma, which);
    let mut i = 0;
    while i < n {
        let next = if i + 1 < n { i + 1 } else { i };
        let (left, right) = (rows.add(i * width), rows.add(next * width));
        for t in 0..sigma {
            *totals.add(t) = u64x2(0, 0);
        }
        let column = |c: usize| u64x2(*left.add(c), *right.add(c));
        add_columns(0, width, width, sigma, which, sums, totals, |a, b| i64x2_add(a, b), column);
        for t in 0..sigma {
            *out.add(i * sigma + t) = u64x2_extract_lane::<0>(*totals.add(t));
            *out.add(next * sigma + t) = if next > i {
                u64x2_extract_lane::<1>(*totals.add(t))
            } else {
                u64x2_extract_lane::<0>(*totals.add(t))
            };
        }
        i += 2;
    }
}

/// The same of integers with a sign, which are public: four rows at a time, in sums of 32 bits of as many columns as
/// fit for the largest word.
#[no_mangle]
pub unsafe extern "C" fn columns_signed(
    rows: *const i32, width: usize, n: usize, v: *const u64, sigma: usize, scratch: *mut u8, out: *mut i64,
) {
    let sums = scratch as *mut v128;
    let totals = sums.add(GROUPS * BUCKETS);
    let which = totals.add(sigma) as *mut u8;
    subsets(width, v, sigma, which);
    let mut largest = 1u32;
    for i in 0..n * width {
        largest |= (*rows.add(i)).unsigned_abs();
    }
    // No sum of so many has an absolute value above 2^31 − 1.
    let fitting = (i32::MAX as u32 / largest) as usize / GROUP * GROUP;
    if fitting == 0 {
        return wide_columns(rows, width, n, sigma, which, sums, totals, out);
    }
    let mut i = 0;
    while i < n {
        let row = |r: usize| rows.add((if i + r < n { i + r } else { n - 1 }) * width);
        let of = [row(0), row(1), row(2), row(3)];
        let column = |c: usize| i32x4(*of[0].add(c), *of[1].add(c), *of[2].add(c), *of[3].add(c));
        let mut from = 0;
        while from < width {
            let to = if width - from < fitting { width } else { from + fitting };
            for t in 0..sigma {
                *totals.add(t) = u64x2(0, 0);
            }
            add_columns(from, to, width, sigma, which, sums, totals, |a, b| i32x4_add(a, b), column);
            for t in 0..sigma {
                let lanes = core::mem::transmute::<v128, [i32; 4]>(*totals.add(t));
                for r in 0..if n - i < 4 { n - i } else { 4 } {
                    let at = out.add((i + r) * sigma + t);
                    *at = (*at).wrapping_add(lanes[r] as i64);
                }
            }
            from = to;
        }
        i += 4;
    }
}

/// Of words so large that four do not add up in 32 bits.
unsafe fn wide_columns(
    rows: *const i32, width: usize, n: usize, sigma: usize, which: *const u8, sums: *mut v128, totals: *mut v128,
    out: *mut i64,
) {
    for i in 0..n {
        let row = rows.add(i * width);
        for t in 0..sigma {
            *totals.add(t) = u64x2(0, 0);
        }
        let column = |c: usize| i64x2(*row.add(c) as i64, 0);
        add_columns(0, width, width, sigma, which, sums, totals, |a, b| i64x2_add(a, b), column);
        for t in 0..sigma {
            *out.add(i * sigma + t) = i64x2_extract_lane::<0>(*totals.add(t));
        }
    }
}

/// Most parts of a factor. Of words of 48 bits and less two parts of 24 bits are all; of longer ones three of 22.
const PARTS: usize = 3;
const SHORT: usize = 2;

/// Bits of a part.
const fn part_bits(parts: usize) -> usize {
    if parts == SHORT {
        24
    } else {
        22
    }
}

/// Terms between two carries: as many sums of two products of 48 bits, or three of 44, fit 64.
const TERMS: usize = 1 << 15;

/// Four sums of 64 bits.
#[derive(Clone, Copy)]
struct Pair(v128, v128);

impl Pair {
    const ZERO: Pair = Pair(u64x2(0, 0), u64x2(0, 0));

    #[inline(always)]
    fn add(&mut self, x: v128, y: v128) {
        self.0 = i64x2_add(self.0, u64x2_extmul_low_u32x4(x, y));
        self.1 = i64x2_add(self.1, u64x2_extmul_high_u32x4(x, y));
    }

    #[inline(always)]
    fn words(&self) -> [u128; 4] {
        [
            u64x2_extract_lane::<0>(self.0) as u128,
            u64x2_extract_lane::<1>(self.0) as u128,
            u64x2_extract_lane::<0>(self.1) as u128,
            u64x2_extract_lane::<1>(self.1) as u128,
        ]
    }
}

/// Words of scratch: the parts of both factors.
#[no_mangle]
pub extern "C" fn matrix_scratch(rows: usize, inner: usize, cols: usize) -> usize {
    PARTS * inner * (rows + (cols + 3) / 4 * 4 + 1) / 2 + 2
}

/// Adds the integers left·right to `out`, rows × cols numbers of four 64-bit limbs. Words have k bits. `scratch` is
/// zero.
#[no_mangle]
pub unsafe extern "C" fn matrix_claims(
    left: *const u64, right: *const u64, k: u32, rows: usize, inner: usize, cols: usize, scratch: *mut u32,
    out: *mut u64,
) {
    if k <= 48 {
        claims_of::<SHORT>(left, right, rows, inner, cols, scratch, out);
    } else {
        claims_of::<PARTS>(left, right, rows, inner, cols, scratch, out);
    }
}

#[inline(always)]
unsafe fn claims_of<const N: usize>(
    left: *const u64, right: *const u64, rows: usize, inner: usize, cols: usize, scratch: *mut u32, out: *mut u64,
) {
    let bits = part_bits(N);
    let low = (1u64 << bits) - 1;
    let blocks = (cols + 3) / 4;
    // Of the left factor the parts of a word side by side; of the right one those of four columns.
    let (l, r) = (scratch, scratch.add((N * inner * rows + 3) / 4 * 4));
    for i in 0..rows * inner {
        for p in 0..N {
            *l.add(N * i + p) = (*left.add(i) >> (bits * p) & low) as u32;
        }
    }
    for j in 0..inner {
        for c in 0..cols {
            for p in 0..N {
                let at = ((c / 4 * inner + j) * N + p) * 4 + c % 4;
                *r.add(at) = (*right.add(j * cols + c) >> (bits * p) & low) as u32;
            }
        }
    }
    for t in 0..rows {
        for block in 0..blocks {
            let mut from = 0;
            while from < inner {
                let to = if inner - from > TERMS { from + TERMS } else { inner };
                // Sums of products whose parts' numbers add up to d, for columns 0, 1 and 2, 3.
                let mut sums = [Pair::ZERO; 2 * PARTS - 1];
                for j in from..to {
                    let a = l.add(N * (t * inner + j));
                    let b = r.add((block * inner + j) * N * 4) as *const v128;
                    for p in 0..N {
                        let splat = splat_part(a.add(p));
                        for q in 0..N {
                            sums[p + q].add(splat, v128_load(b.add(q)));
                        }
                    }
                }
                let d = sums.map(|sum| sum.words());
                for c in 0..4 {
                    if 4 * block + c < cols {
                        let to = out.add((t * cols + 4 * block + c) * 4);
                        add_wide(to, 0, d[0][c] + (d[1][c] << bits) + (d[2][c] << (2 * bits)));
                        if N > SHORT {
                            // 2^66 is four times the second limb.
                            add_wide(to, 1, (d[3][c] + (d[4][c] << bits)) << (3 * bits - 64));
                        }
                    }
                }
                from = to;
            }
        }
    }
}

/// Adds a word at a limb of a number of four, with the carry.
#[inline(always)]
unsafe fn add_at(number: *mut u64, limb: usize, word: u64) {
    let mut carry = word;
    for l in limb..4 {
        let sum = (*number.add(l)).wrapping_add(carry);
        carry = (sum < carry) as u64;
        *number.add(l) = sum;
    }
}

/// Adds two words at a limb.
#[inline(always)]
unsafe fn add_wide(number: *mut u64, limb: usize, words: u128) {
    let low = *number.add(limb) as u128 + (words as u64) as u128;
    let high = *number.add(limb + 1) as u128 + (words >> 64) + (low >> 64);
    *number.add(limb) = low as u64;
    *number.add(limb + 1) = high as u64;
    let mut carry = (high >> 64) as u64;
    for l in limb + 2..4 {
        let sum = (*number.add(l)).wrapping_add(carry);
        carry = (sum < carry) as u64;
        *number.add(l) = sum;
    }
}

/// Adds word·2^shift.
#[inline(always)]
unsafe fn add_shifted(number: *mut u64, word: u64, shift: usize) {
    let (limb, bits) = (shift / 64, shift % 64);
    add_at(number, limb, word << bits);
    // Two shifts: by 64 in one would be by none.
    if limb < 3 {
        add_at(number, limb + 1, word >> (63 - bits) >> 1);
    }
}

/// Limbs of 32 bits that a word of a table, times its factor, has.
const LIMBS: usize = 4;

/// Words of a row of limbs: an even number, so that they are whole vectors.
fn limbs_width(words: usize, limbs: usize) -> usize {
    (words * limbs + 1) / 2 * 2
}

/// Bytes of scratch of `table_sums`.
#[no_mangle]
pub extern "C" fn table_scratch(n: usize, words: usize, sigma: usize, limbs: usize) -> usize {
    let width = limbs_width(words, limbs);
    let any = 8 * (words + block_of(width) * width + digest_scratch(width, n, sigma) + sigma * width);
    // Bits have one limb, and whole bytes.
    let single = if limbs == 1 && words % 8 == 0 { counts::scratch(n) } else { 0 };
    if any < single {
        single
    } else {
        any
    }
}

/// Σ_i X_{i,t} of the 32-bit limbs of f_i·T_{i,c}: σ × words numbers of LIMBS sums each, of which `limbs` are not zero.
/// `f` is null for ones. `scratch` and `out` are zero.
#[no_mangle]
pub unsafe extern "C" fn table_sums(
    bytes: *const u8, layout: *const Layout, f: *const u64, x: *const u64, n: usize, sigma: usize, limbs: usize,
    scratch: *mut u64, out: *mut u64,
) {
    let layout = &*layout;
    let words = layout.words();
    if bits::bits_of(layout) > 0 && f.is_null() {
        return counts::counts(bytes, words, x, n, sigma, scratch as *mut u8, LIMBS, out);
    }
    let width = limbs_width(words, limbs);
    let (row, rows, block) = (scratch, scratch.add(words), block_of(width));
    let buckets = rows.add(block * width);
    let sums = buckets.add(digest_scratch(width, n, sigma));
    let mut first = 0;
    while first < n {
        let count = if n - first < block { n - first } else { block };
        for i in 0..count {
            layout.element(bytes, first + i, from_raw_parts_mut(row, words));
            let factor = if f.is_null() { 1 } else { *f.add(first + i) };
            for c in 0..words {
                let (lo, hi) = crate::field::wide(*row.add(c), factor);
                let parts = rows.add(i * width + limbs * c);
                for l in 0..limbs {
                    *parts.add(l) = (if l < 2 { lo } else { hi }) >> (32 * (l & 1)) & 0xffff_ffff;
                }
            }
        }
        scatter(rows, width, x.add(first), count, n, sigma, buckets);
        first += count;
    }
    gather(width, n, sigma, buckets, sums);
    for t in 0..sigma {
        for c in 0..words {
            for l in 0..limbs {
                *out.add(LIMBS * (t * words + c) + l) = *sums.add(t * width + limbs * c + l);
            }
        }
    }
}

/// Σ_c V_{c,κ} 2^(64 − width of c) times the numbers of `table_sums`: σ × σ numbers of four 64-bit limbs. `scratch`
/// has room for 2σ words; `out` is zero.
#[no_mangle]
pub unsafe extern "C" fn table_claims(
    sums: *const u64, layout: *const Layout, v: *const u64, sigma: usize, scratch: *mut u64, out: *mut u64,
) {
    let layout = &*layout;
    let words = layout.words();
    // Upper limbs of short words are zero everywhere.
    let mut any = [0u64; LIMBS];
    for at in 0..sigma * words * LIMBS {
        any[at % LIMBS] |= *sums.add(at);
    }
    let limbs = (1..LIMBS).rev().find(|&l| any[l] != 0).unwrap_or(0) + 1;
    // Words of one place in an entry have one width: they are added up first, in two words for each limb.
    let (low, high) = (from_raw_parts_mut(scratch, sigma), from_raw_parts_mut(scratch.add(sigma), sigma));
    for t in 0..sigma {
        for p in 0..layout.p() {
            for l in 0..limbs {
                low.fill(0);
                high.fill(0);
                for j in 0..layout.n() {
                    let c = j * layout.p() + p;
                    let word = *sums.add(LIMBS * (t * words + c) + l);
                    let bits = *v.add(c);
                    for k in 0..sigma {
                        let more = word & (bits >> k & 1).wrapping_neg();
                        low[k] = low[k].wrapping_add(more);
                        high[k] += (low[k] < more) as u64;
                    }
                }
                let up = 64 - layout.width(p);
                for k in 0..sigma {
                    let to = out.add((t * sigma + k) * 4);
                    add_shifted(to, low[k], 32 * l + up);
                    add_shifted(to, high[k], 32 * l + up + 64);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn split((lo, hi): (u64, u64), to: *mut u64) {
    *to = lo & 0xffff_ffff;
    *to.add(1) = lo >> 32;
    *to.add(2) = hi & 0xffff_ffff;
    *to.add(3) = hi >> 32;
}

/// Rows of limbs that are made at a time.
const ROWS: usize = 64;

/// Σ_i X_{i,t} Σ_p E_{i,c_i,p} φ_{i,p}: σ numbers of four 64-bit limbs. `phi` is zero for ones.
#[no_mangle]
pub unsafe extern "C" fn choice_claims(
    bytes: *const u8, layout: *const Layout, choice: *const u32, phi: *const u64, x: *const u64, n: usize, sigma: usize,
    buckets: *mut u64, sums: *mut u64, out: *mut u64,
) {
    let layout = &*layout;
    let mut rows = [[0u64; LIMBS]; ROWS];
    let mut first = 0;
    while first < n {
        let count = if n - first < ROWS { n - first } else { ROWS };
        for (i, row) in rows[..count].iter_mut().enumerate() {
            let i = first + i;
            *row = [0; LIMBS];
            layout.entry(bytes, i, *choice.add(i) as usize, |p, word| {
                let factor = if phi.is_null() { 1 } else { *phi.add(i * layout.p() + p) };
                let mut limbs = [0u64; LIMBS];
                split(crate::field::wide(word, factor), limbs.as_mut_ptr());
                for l in 0..LIMBS {
                    row[l] += limbs[l];
                }
            });
        }
        scatter(rows.as_ptr() as *const u64, LIMBS, x.add(first), count, n, sigma, buckets);
        first += count;
    }
    gather(LIMBS, n, sigma, buckets, sums);
    for t in 0..sigma {
        for l in 0..LIMBS {
            add_shifted(out.add(4 * t), *sums.add(LIMBS * t + l), 32 * l);
        }
    }
}
