//! Claims: the sums of `digest.rs` and `columns.rs` as integers, in limbs of 32 and 64 bits.
//! Addresses follow from challenges, which are public when an honest party works with them.

use crate::bits;
use crate::buckets::{block_of, digest_scratch, gather, scatter, sums_of};
use crate::counts;
use crate::entries::Layout;
use crate::parts::splat_part;
use crate::simd::*;
use core::slice::from_raw_parts_mut;

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
    let (row, rows) = (scratch, scratch.add(words));
    let buckets = rows.add(block_of(width) * width);
    let sums = buckets.add(digest_scratch(width, n, sigma));
    let limbs_of = |i: usize, to: *mut u64| {
        layout.element(bytes, i, from_raw_parts_mut(row, words));
        let factor = if f.is_null() { 1 } else { *f.add(i) };
        for c in 0..words {
            let (lo, hi) = crate::field::wide(*row.add(c), factor);
            let parts = to.add(limbs * c);
            for l in 0..limbs {
                *parts.add(l) = (if l < 2 { lo } else { hi }) >> (32 * (l & 1)) & 0xffff_ffff;
            }
        }
    };
    sums_of(limbs_of, width, x, n, sigma, rows, buckets, sums);
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
