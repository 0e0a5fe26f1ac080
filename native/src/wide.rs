//! The inner loops that most time goes to, on lanes of 256 bits. Same sums, same blocks, twice as many at a time.

use crate::limbs::Digits;
use crate::matmul::{min, ALL};
use crate::simd::v128;
use core::arch::x86_64::*;

/// `dot` of limbs.rs: a row of a panel is one vector. vpdpwssd of AVX-512 would do both steps at once, but each sum
/// waits for the one before it: measured, a fifth slower.
#[inline(always)]
pub unsafe fn dot<const R: usize>(x: *const u32, w: *const v128, count: usize) -> [[v128; 2]; R] {
    let (mut x, mut w) = (x, w as *const __m256i);
    let mut acc = [_mm256_setzero_si256(); R];
    for _ in 0..count {
        let row = _mm256_loadu_si256(w);
        for r in 0..R {
            let pair = _mm256_set1_epi32(x.add(r).read() as i32);
            acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(pair, row));
        }
        x = x.add(R);
        w = w.add(1);
    }
    acc.map(|sums| [_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)])
}

/// Two panels side by side of one grade and one layer, times four rows: `layer` of limbs.rs. What they give is put to
/// `out`, or added to what is there. Pairs of four rows are loaded once for both panels.
#[inline(never)]
pub(crate) unsafe fn two(
    left: *const u32,
    digits: &Digits,
    panel: *const v128,
    pairs: usize,
    most: usize,
    out: *mut u64,
    stride: usize,
    add: bool,
    mask: u64,
) {
    let zero = _mm256_setzero_si256();
    let mut words = [[[zero; 2]; 2]; 4];
    let mut x = left as *const __m128i;
    for l in 0..digits.exact + 2 {
        let mut w = panel as *const __m256i;
        let by = _mm_cvtsi32_si128(digits.shift(l) as i32);
        let mut first = 0;
        while first < pairs {
            let mut sums = [[zero; 2]; 4];
            let count = if l < digits.exact { min(pairs - first, most) } else { pairs };
            for _ in 0..count {
                let both = [_mm256_loadu_si256(w), _mm256_loadu_si256(w.add(pairs))];
                let rows = _mm256_broadcastsi128_si256(_mm_loadu_si128(x));
                let row = [
                    _mm256_shuffle_epi32::<0x00>(rows),
                    _mm256_shuffle_epi32::<0x55>(rows),
                    _mm256_shuffle_epi32::<0xaa>(rows),
                    _mm256_shuffle_epi32::<0xff>(rows),
                ];
                for r in 0..4 {
                    for p in 0..2 {
                        sums[r][p] = _mm256_add_epi32(sums[r][p], _mm256_madd_epi16(row[r], both[p]));
                    }
                }
                x = x.add(1);
                w = w.add(1);
            }
            for r in 0..4 {
                for p in 0..2 {
                    let halves = [_mm256_castsi256_si128(sums[r][p]), _mm256_extracti128_si256::<1>(sums[r][p])];
                    for h in 0..2 {
                        let products = _mm256_sll_epi64(_mm256_cvtepi32_epi64(halves[h]), by);
                        words[r][p][h] = _mm256_add_epi64(words[r][p][h], products);
                    }
                }
            }
            first += count;
        }
    }
    let mask = _mm256_set1_epi64x(mask as i64);
    for r in 0..4 {
        for i in 0..4 {
            let to = out.add(r * stride + 4 * i) as *mut __m256i;
            let word = words[r][i / 2][i % 2];
            let sum = if add { _mm256_add_epi64(_mm256_loadu_si256(to), word) } else { word };
            _mm256_storeu_si256(to, _mm256_and_si256(sum, mask));
        }
    }
}

/// All steps of a tile of two rows of matmul.rs, which lie side by side when they are packed and share a vector here.
/// Products of two words are of every other lane, so sums of even columns are apart from those of odd ones until the
/// end. Gives what lies behind the rows of the panel.
#[inline(always)]
pub unsafe fn steps<const L: u32>(
    x: *const u32,
    w: *const v128,
    count: usize,
    lo: *mut [v128; 2],
    mid: *mut v128,
) -> *const v128 {
    let (mut x, mut w) = (x as *const __m256i, w);
    let mut sums = [_mm256_setzero_si256(); 2];
    let mut cross = _mm256_setzero_si256();
    for _ in 0..count {
        let row = _mm256_loadu_si256(x);
        let [y0, y1, z0, z1]: [__m256i; 4] = core::array::from_fn(|i| _mm256_broadcastsi128_si256(*w.add(i)));
        let a0 = _mm256_add_epi32(_mm256_shuffle_epi32::<0x00>(row), z0);
        let b0 = _mm256_add_epi32(_mm256_shuffle_epi32::<0xaa>(row), y0);
        let mut a1 = _mm256_add_epi32(_mm256_shuffle_epi32::<0x55>(row), z1);
        let mut b1 = _mm256_add_epi32(_mm256_shuffle_epi32::<0xff>(row), y1);
        let odd = [_mm256_srli_epi64::<32>(a0), _mm256_srli_epi64::<32>(b0)];
        if L == ALL {
            a1 = _mm256_sub_epi32(a1, _mm256_cmpgt_epi32(z0, a0));
            b1 = _mm256_sub_epi32(b1, _mm256_cmpgt_epi32(y0, b0));
            sums[0] = _mm256_add_epi64(sums[0], _mm256_mul_epi32(a0, b0));
            sums[1] = _mm256_add_epi64(sums[1], _mm256_mul_epi32(odd[0], odd[1]));
        } else {
            sums[0] = _mm256_add_epi64(sums[0], _mm256_mul_epu32(a0, b0));
            sums[1] = _mm256_add_epi64(sums[1], _mm256_mul_epu32(odd[0], odd[1]));
        }
        cross = _mm256_add_epi32(cross, _mm256_mullo_epi32(a0, b1));
        cross = _mm256_add_epi32(cross, _mm256_mullo_epi32(a1, b0));
        x = x.add(1);
        w = w.add(4);
    }
    let columns = [_mm256_unpacklo_epi64(sums[0], sums[1]), _mm256_unpackhi_epi64(sums[0], sums[1])];
    *lo = columns.map(|sum| _mm256_castsi256_si128(sum));
    *lo.add(1) = columns.map(|sum| _mm256_extracti128_si256::<1>(sum));
    *mid = _mm256_castsi256_si128(cross);
    *mid.add(1) = _mm256_extracti128_si256::<1>(cross);
    w
}

/// Blocks of a group.
pub const GROUP: usize = 8;

macro_rules! rotate {
    ($v:expr, $by:literal) => {{
        let v = $v;
        _mm256_or_si256(_mm256_slli_epi32::<$by>(v), _mm256_srli_epi32::<{ 32 - $by }>(v))
    }};
}

macro_rules! quarter {
    ($s:ident, $bytes:ident, $words:ident, $a:literal, $b:literal, $c:literal, $d:literal) => {
        $s[$a] = _mm256_add_epi32($s[$a], $s[$b]);
        $s[$d] = _mm256_shuffle_epi8(_mm256_xor_si256($s[$d], $s[$a]), $words);
        $s[$c] = _mm256_add_epi32($s[$c], $s[$d]);
        $s[$b] = rotate!(_mm256_xor_si256($s[$b], $s[$c]), 12);
        $s[$a] = _mm256_add_epi32($s[$a], $s[$b]);
        $s[$d] = _mm256_shuffle_epi8(_mm256_xor_si256($s[$d], $s[$a]), $bytes);
        $s[$c] = _mm256_add_epi32($s[$c], $s[$d]);
        $s[$b] = rotate!(_mm256_xor_si256($s[$b], $s[$c]), 7);
    };
}

/// The twenty rounds on eight states.
#[inline(always)]
unsafe fn rounds(start: &[__m256i; 16]) -> [__m256i; 16] {
    #[rustfmt::skip]
    let words = _mm256_broadcastsi128_si256(_mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    #[rustfmt::skip]
    let bytes = _mm256_broadcastsi128_si256(_mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
    let mut s = *start;
    for _ in 0..10 {
        quarter!(s, bytes, words, 0, 4, 8, 12);
        quarter!(s, bytes, words, 1, 5, 9, 13);
        quarter!(s, bytes, words, 2, 6, 10, 14);
        quarter!(s, bytes, words, 3, 7, 11, 15);
        quarter!(s, bytes, words, 0, 5, 10, 15);
        quarter!(s, bytes, words, 1, 6, 11, 12);
        quarter!(s, bytes, words, 2, 7, 8, 13);
        quarter!(s, bytes, words, 3, 4, 9, 14);
    }
    s
}

/// `block4` of chacha.rs, of two times four states.
#[inline(always)]
pub unsafe fn block4_twice(first: &[v128; 16], second: &[v128; 16]) -> [[v128; 16]; 2] {
    let start = core::array::from_fn(|w| _mm256_set_m128i(second[w], first[w]));
    let s = rounds(&start);
    let sums: [__m256i; 16] = core::array::from_fn(|w| _mm256_add_epi32(s[w], start[w]));
    [sums.map(|sum| _mm256_castsi256_si128(sum)), sums.map(|sum| _mm256_extracti128_si256::<1>(sum))]
}

/// Eight blocks of ChaCha20 from `first` on, one in each lane: 512 bytes.
#[inline(never)]
pub unsafe fn blocks(state: *const u32, first: u32, out: *mut u8) {
    let mut start: [__m256i; 16] = core::array::from_fn(|w| _mm256_set1_epi32(state.add(w).read() as i32));
    start[12] = _mm256_add_epi32(_mm256_set1_epi32(first as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    let s = rounds(&start);
    for g in 0..4 {
        let rows: [__m256i; 4] = core::array::from_fn(|i| _mm256_add_epi32(s[4 * g + i], start[4 * g + i]));
        let pairs = [
            _mm256_unpacklo_epi32(rows[0], rows[1]),
            _mm256_unpackhi_epi32(rows[0], rows[1]),
            _mm256_unpacklo_epi32(rows[2], rows[3]),
            _mm256_unpackhi_epi32(rows[2], rows[3]),
        ];
        // Of each: block b in the lower half, block b + 4 in the upper one.
        let columns = [
            _mm256_unpacklo_epi64(pairs[0], pairs[2]),
            _mm256_unpackhi_epi64(pairs[0], pairs[2]),
            _mm256_unpacklo_epi64(pairs[1], pairs[3]),
            _mm256_unpackhi_epi64(pairs[1], pairs[3]),
        ];
        for (b, column) in columns.into_iter().enumerate() {
            let to = out.add(64 * b + 16 * g);
            _mm_storeu_si128(to as *mut __m128i, _mm256_castsi256_si128(column));
            _mm_storeu_si128(to.add(256) as *mut __m128i, _mm256_extracti128_si256::<1>(column));
        }
    }
}
