//! Tables of single bits. A word of one bit times a challenge is the challenge or nothing, so eight words at a time are
//! one of 256 sums that are made beforehand ("four Russians", Arlazarov et al. 1970). Addresses depend on masked bits
//! of tables, which their reader has in the clear.

use crate::entries::Layout;
use crate::field::Field;

/// Words that have their sums.
const WORDS: usize = 8;
/// How many these are.
pub const SUMS: usize = 256;
/// Buckets of a group of four bits.
const BUCKETS: usize = 16;
/// Words whose sums of 64 bits stay in the second cache. Of 128 they stay in the first.
const MOST: usize = 1024;

/// Words of an element, where all are single bits and elements begin with a byte; else 0.
#[inline(always)]
pub unsafe fn bits_of(layout: &Layout) -> usize {
    if layout.p() == 1 && layout.width(0) == 1 && layout.n() % 8 == 0 && layout.n() <= MOST {
        layout.n()
    } else {
        0
    }
}

/// Bytes of scratch for sums of that many words, at most.
pub fn sums_scratch(words: usize) -> usize {
    if words <= MOST {
        8 * SUMS * ((words + WORDS - 1) / WORDS)
    } else {
        0
    }
}

/// Words of buckets: 16 for every four bits of X.
pub fn buckets(sigma: usize) -> usize {
    (sigma + 3) / 4 * BUCKETS
}

/// The sums of every eight of `words` words.
#[inline(always)]
pub unsafe fn subsets(words: usize, word: impl Fn(usize) -> u64, add: impl Fn(u64, u64) -> u64, sums: *mut u64) {
    for g in 0..(words + WORDS - 1) / WORDS {
        let of = sums.add(SUMS * g);
        *of = 0;
        for c in 0..WORDS {
            let more = if WORDS * g + c < words { word(WORDS * g + c) } else { 0 };
            for b in 0..1usize << c {
                *of.add(b + (1 << c)) = add(*of.add(b), more);
            }
        }
    }
}

/// The residues whose bits are one in some bytes, added up mod q.
#[inline(always)]
pub unsafe fn residue(f: &Field, bytes: *const u8, count: usize, sums: *const u64) -> u64 {
    let (mut sum, mut b) = (0, 0);
    while b < count {
        // Eight residues below 2^61 have no carry: what is there, and seven.
        let end = if count - b < 7 { count } else { b + 7 };
        while b < end {
            sum += *sums.add(SUMS * b + *bytes.add(b) as usize);
            b += 1;
        }
        sum = f.below8(sum);
    }
    sum
}

/// Adds a residue to a sum in two halves.
#[inline(always)]
pub unsafe fn add_weight(sum: *mut [u64; 2], weight: u64) {
    (*sum)[0] += weight & 0xffff_ffff;
    (*sum)[1] += weight >> 32;
}

/// Of sums for every byte those of all bytes with a bit, mod q. The sums are changed.
pub unsafe fn by_bit(f: &Field, sums: *mut [u64; 2]) -> [u64; WORDS] {
    let (mut of, up) = ([0; WORDS], f.power(32));
    for bit in (0..WORDS).rev() {
        let mut total = [0; 2];
        for below in 0..1usize << bit {
            let above = *sums.add((1 << bit) + below);
            for half in 0..2 {
                total[half] += above[half];
                // What is below does not ask for this bit.
                (*sums.add(below))[half] += above[half];
            }
        }
        of[bit] = f.plus(f.word(total[0]), f.mul(up, total[1]));
    }
    of
}

/// `digest_entries`: all words are scaled by 2^63, so that sums are sums of bits mod 2. `sums` has room for those of V;
/// `buckets` for 16 words for every four bits of X.
pub unsafe fn digest(
    bytes: *const u8, words: usize, x: *const u64, n: usize, v: *const u64, sigma: usize, sums: *mut u64,
    buckets: *mut u64, out: *mut u64,
) {
    subsets(words, |c| *v.add(c), |a, b| a ^ b, sums);
    let (each, groups) = (words / 8, (sigma + 3) / 4);
    for i in 0..n {
        let row = bytes.add(i * each);
        let mut of = 0;
        for b in 0..each {
            of ^= *sums.add(SUMS * b + *row.add(b) as usize);
        }
        for g in 0..groups {
            let bucket = buckets.add(BUCKETS * g + (*x.add(i) >> (4 * g) & 15) as usize);
            *bucket ^= of;
        }
    }
    for t in 0..sigma {
        let mut row = 0;
        for b in 0..BUCKETS {
            row ^= *buckets.add(t / 4 * BUCKETS + b) & ((b >> (t & 3) & 1) as u64).wrapping_neg();
        }
        for k in 0..sigma {
            *out.add(t * sigma + k) = row >> k << 63;
        }
    }
}
