//! Matrix products over Z_2^64 and Z_2^k, of words with words. Those with a matrix of 32-bit entries: `limbs.rs`.
//!
//! The right operand lies in *panels* of a few columns (all rows of a panel consecutive). A tile of MR rows of the left
//! operand times one panel is accumulated in registers.
//!
//! *Half as many products* (Winograd, "A new algorithm for inner product", 1968). In a commutative ring
//!   x·y + x'·y' = (x + y')·(x' + y) − x·x' − y·y'.
//! Sums of x·x' belong to a row of the left operand and those of y·y' to a column of the right one. They are made once
//! each, so one product is left of two, and two sums.
//!
//! *Products of two halves.* i64x2.mul costs eight x86 instructions for two words. So words are w = w₁·2^L + w₀, and
//! a·b = a₀·b₀ + 2^L·(a₀·b₁ + a₁·b₀). The first product is summed in lanes of 64 bits (widening multiplication), the
//! others in lanes of 32 bits. What the halves of a sum of two words are depends on L:
//! - L = 32, right modulo 2⁶⁴. x₀ is without a sign and y₀ with one, so their sum modulo 2³² is less than y₀ where it
//!   is 2³² too low. The comparison is −1 there, and is subtracted from the upper half.
//! - L = 31, right modulo 2⁶²: a₁·b₁ counts 2⁶². Two lower halves never reach 2³², so nothing is carried.

use crate::pack::{load, store};
use crate::simd::*;
use core::slice::{from_raw_parts, from_raw_parts_mut};

/// Columns of a panel for 64-bit results.
const NR: usize = 4;
/// Columns of a panel for 32-bit results.
const NR32: usize = 8;
/// Rows of the inner dimension done at a time: a block of a panel stays in L1 for many rows of the left operand.
const KC: usize = 256;
/// Rows of the left operand packed at a time: at most 128 KB, in L2 for all panels of a block.
const ROWS: usize = 64;
/// Rows of a tile: with more of them the sums spill from the sixteen registers of x86.
const MR: usize = 2;
/// u32 of one row of a panel.
const WIDTH: usize = 2 * NR;
/// Rows that lie behind those of a block: the sums of y·y' of its columns. Two, so that blocks are whole cache lines.
const BEHIND: usize = 2;

/// Bits of a lower half, for all bits of a result and for few.
pub(crate) const ALL: u32 = 32;
const FEW: u32 = 31;
/// Bits of results that FEW is enough for.
const FEW_BITS: u32 = 62;
/// Rows of the left operand for which a panel is put into the other form.
const MANY: usize = 8;

#[inline(always)]
pub(crate) fn min(a: usize, b: usize) -> usize {
    if a < b {
        a
    } else {
        b
    }
}

/// Whether FEW is enough. A page has one kind of loop: the other one would be more to load.
#[inline(always)]
fn is_few(mask: u64) -> bool {
    cfg!(not(owner)) && mask >> FEW_BITS == 0
}

/// Rows come in pairs.
#[inline(always)]
fn even(rows: usize) -> usize {
    (rows + 1) & !1
}

#[inline(always)]
fn panels_of(cols: usize) -> usize {
    (cols + NR - 1) / NR
}

/// Rows of the block that begins with row `first`.
#[inline(always)]
fn block_rows(first: usize, rows: usize) -> usize {
    min(KC, rows - first)
}

/// Where panel `p` lies of the block that begins with row `first`: block of the inner dimension, then panel, then row,
/// so that a product reads all of it in order.
#[inline(always)]
fn place(first: usize, p: usize, rows: usize, cols: usize) -> usize {
    let before = first / KC * (KC + BEHIND) * panels_of(cols);
    (before + p * (even(block_rows(first, rows)) + BEHIND)) * WIDTH
}

/// The halves of a word, the lower one first, as the left operand has them.
#[inline(always)]
fn left_halves<const L: u32>(word: u64) -> u64 {
    if L == ALL {
        word
    } else {
        right_halves::<L>(word)
    }
}

/// The same of the right operand.
#[inline(always)]
fn right_halves<const L: u32>(word: u64) -> u64 {
    if L == ALL {
        (word.wrapping_add(1 << 31) & !0xffff_ffff) | (word & 0xffff_ffff)
    } else {
        (word >> FEW << 32) | (word & ((1 << FEW) - 1))
    }
}

#[inline(always)]
unsafe fn put<const L: u32>(word: u64, r: usize, c: usize, rows: usize, cols: usize, panels: *mut u32) {
    let first = r / KC * KC;
    let at = panels.add(place(first, c / NR, rows, cols) + (r - first) * WIDTH + c % NR);
    let halves = right_halves::<L>(word);
    *at = halves as u32;
    *at.add(NR) = (halves >> 32) as u32;
}

/// One row of a matrix, whole panels of it four words at a time.
#[inline(always)]
unsafe fn put_row<const L: u32>(row: *const u64, r: usize, rows: usize, cols: usize, panels: *mut u32) {
    let first = r / KC * KC;
    let mut at = panels.add(place(first, 0, rows, cols) + (r - first) * WIDTH) as *mut v128;
    for p in 0..cols / NR {
        let from = row.add(p * NR) as *const u8;
        let words = [load(from), load(from.add(16))];
        let low = i32x4_shuffle::<0, 2, 4, 6>(words[0], words[1]);
        let high = i32x4_shuffle::<0, 2, 4, 6>(u64x2_shr(words[0], 32), u64x2_shr(words[1], 32));
        let sign = u32x4_shr(low, 31);
        if L == ALL {
            v128_store(at, low);
            v128_store(at.add(1), i32x4_add(high, sign));
        } else {
            v128_store(at, v128_and(low, i32x4_splat(i32::MAX)));
            v128_store(at.add(1), v128_or(i32x4_shl(high, 1), sign));
        }
        at = at.add((even(block_rows(first, rows)) + BEHIND) * WIDTH / 4);
    }
    for c in cols / NR * NR..cols {
        put::<L>(*row.add(c), r, c, rows, cols, panels);
    }
}

/// Rows [first, first + count) of a matrix (row-major, `cols` columns, at `src`) into panels for `matmul_u64`: per row
/// of a panel four lower halves, then four upper halves. When all rows are there, `seal_u64` is due.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn pack_u64(
    src: *const u64,
    first: usize,
    count: usize,
    rows: usize,
    cols: usize,
    panels: *mut u32,
) {
    for r in 0..count {
        put_row::<ALL>(src.add(r * cols), first + r, rows, cols, panels);
    }
}

/// What belongs behind the rows of every panel: a zero beside the last row of an odd block, and sums of y·y'.
unsafe fn seal<const L: u32>(rows: usize, cols: usize, panels: *mut u32) {
    let mut first = 0;
    while first == 0 || first < rows {
        let kc = block_rows(first, rows);
        for p in 0..panels_of(cols) {
            let panel = panels.add(place(first, p, rows, cols));
            from_raw_parts_mut(panel.add(kc * WIDTH), (even(kc) - kc) * WIDTH).fill(0);
            let sums = panel.add(even(kc) * WIDTH) as *mut u64;
            for c in 0..NR {
                let word = |r: usize| {
                    let at = panel.add(r * WIDTH + c);
                    let (low, high) = (*at, *at.add(NR) as u64);
                    let low = if L == ALL { low as i32 as u64 } else { low as u64 };
                    low.wrapping_add(high << L)
                };
                let products = (0..even(kc) / 2).map(|j| word(2 * j).wrapping_mul(word(2 * j + 1)));
                *sums.add(c) = products.fold(0, |sum: u64, product| sum.wrapping_add(product));
            }
        }
        first += KC;
    }
}

/// Finishes what `pack_u64` began.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn seal_u64(rows: usize, cols: usize, panels: *mut u32) {
    seal::<ALL>(rows, cols, panels);
}

/// Bytes of the panels of a matrix.
#[cfg_attr(not(owner), no_mangle)]
pub extern "C" fn matmul_panels(rows: usize, cols: usize) -> usize {
    let full = if rows == 0 { 0 } else { (rows - 1) / KC };
    let all = full * (KC + BEHIND) + even(rows - full * KC) + BEHIND;
    4 * WIDTH * all * panels_of(cols)
}

/// Bytes of the sums of x·x' of as many rows, and of a panel in another form. Both are whole cache lines.
const SUMS: usize = 8 * ROWS;
const OTHER: usize = 4 * WIDTH * (KC + BEHIND);

/// Bytes of scratch for `m` packed rows of the left operand, in pairs, and what belongs to them.
#[cfg_attr(not(owner), no_mangle)]
pub extern "C" fn matmul_left(m: usize, rows: usize) -> usize {
    // Whole cache lines: panels may lie behind it.
    SUMS + OTHER + (8 * even(min(m, ROWS)) * even(min(rows, KC)) + 63 & !63)
}

/// Bytes of scratch of `product64`.
#[no_mangle]
pub extern "C" fn product64_room(m: usize, inner: usize, n: usize) -> usize {
    matmul_left(m, inner) + matmul_panels(inner, n)
}

/// Columns of a panel of 32-bit results.
#[no_mangle]
pub extern "C" fn matmul_panel32() -> usize {
    NR32
}

/// Packs `kc` words of each of `live` rows of x (stride `rows`), at most MR: for every pair of words those of all rows,
/// side by side. What is missing of the last pair is zero.
#[inline(always)]
unsafe fn pack_left<const L: u32>(x: *const u64, rows: usize, live: usize, kc: usize, left: *mut u64, sums: *mut u64) {
    for r in 0..min(live, MR) {
        let row = x.add(r * rows);
        let mut sum = 0u64;
        for j in 0..even(kc) / 2 {
            let words = [*row.add(2 * j), if 2 * j + 1 < kc { *row.add(2 * j + 1) } else { 0 }];
            sum = sum.wrapping_add(words[0].wrapping_mul(words[1]));
            let at = left.add(2 * (j * MR + r));
            *at = left_halves::<L>(words[0]);
            *at.add(1) = left_halves::<L>(words[1]);
        }
        *sums.add(r) = sum;
    }
}

/// The same panel with halves of FEW bits, from those of ALL.
#[inline(always)]
unsafe fn few_of(from: *const v128, kc: usize, to: *mut v128) {
    let below = i32x4_splat(i32::MAX);
    for r in 0..even(kc) {
        let (low, high) = (v128_load(from.add(2 * r)), v128_load(from.add(2 * r + 1)));
        // Without a sign of the lower half, the upper one is less by one where it has one.
        let high = i32x4_add(high, i32x4_shr(low, 31));
        v128_store(to.add(2 * r), v128_and(low, below));
        v128_store(to.add(2 * r + 1), v128_or(i32x4_shl(high, 1), u32x4_shr(low, FEW)));
    }
    for i in 0..2 {
        v128_store(to.add(2 * even(kc) + i), v128_load(from.add(2 * even(kc) + i)));
    }
}

/// One pair of rows of a panel times that of a row: sums of the halves, then their products.
#[inline(always)]
unsafe fn step<const L: u32>(x: *const u32, w: *const v128, lo: &mut [v128; 2], mid: &mut v128) {
    let (y0, y1) = (v128_load(w), v128_load(w.add(1)));
    let (z0, z1) = (v128_load(w.add(2)), v128_load(w.add(3)));
    let a0 = i32x4_add(v128_load32_splat(x), z0);
    let b0 = i32x4_add(v128_load32_splat(x.add(2)), y0);
    let mut a1 = i32x4_add(v128_load32_splat(x.add(1)), z1);
    let mut b1 = i32x4_add(v128_load32_splat(x.add(3)), y1);
    if L == ALL {
        a1 = i32x4_sub(a1, i32x4_lt(a0, z0));
        b1 = i32x4_sub(b1, i32x4_lt(b0, y0));
        lo[0] = i64x2_add(lo[0], i64x2_extmul_low_i32x4(a0, b0));
        lo[1] = i64x2_add(lo[1], i64x2_extmul_high_i32x4(a0, b0));
    } else {
        lo[0] = i64x2_add(lo[0], u64x2_extmul_low_u32x4(a0, b0));
        lo[1] = i64x2_add(lo[1], u64x2_extmul_high_u32x4(a0, b0));
    }
    *mid = i32x4_add(*mid, i32x4_mul(a0, b1));
    *mid = i32x4_add(*mid, i32x4_mul(a1, b0));
}

/// The first R packed rows times a block of a panel, `live` of them added to rows of `out`, which are `stride` words
/// apart. `sums` are those of x·x'. A function of its own, so that an engine has all registers for its loop.
#[inline(never)]
unsafe fn tile<const R: usize, const L: u32>(
    left: *const u64,
    sums: *const u64,
    panel: *const u32,
    kc: usize,
    out: *mut u64,
    stride: usize,
    live: usize,
    cols: usize,
) {
    let panel = panel as *const v128;
    let zero = i32x4_splat(0);
    let mut lo = [[zero; 2]; R];
    let mut mid = [zero; R];
    let (mut x, mut w) = (left as *const u32, panel);
    // Vectors of 256 bits hold both rows.
    let both = cfg!(target_arch = "x86_64") && R == MR;
    #[cfg(target_arch = "x86_64")]
    if both {
        w = crate::wide::steps::<L>(x, w, even(kc) / 2, lo.as_mut_ptr(), mid.as_mut_ptr());
    }
    for _ in 0..if both { 0 } else { even(kc) / 2 } {
        for r in 0..R {
            step::<L>(x.add(4 * r), w, &mut lo[r], &mut mid[r]);
        }
        x = x.add(4 * MR);
        w = w.add(4);
    }
    for r in 0..R {
        if cfg!(owner) && r >= live {
            break;
        }
        let row = i64x2_splat(*sums.add(r) as i64);
        let upper = [u64x2_extend_low_u32x4(mid[r]), u64x2_extend_high_u32x4(mid[r])];
        let to = out.add(r * stride);
        let mut words = [zero; 2];
        for i in 0..2 {
            let column = v128_load(w.add(i));
            words[i] = i64x2_sub(i64x2_add(lo[r][i], i64x2_shl(upper[i], L)), i64x2_add(row, column));
        }
        if cols >= NR {
            for i in 0..2 {
                let at = to.add(2 * i) as *mut u8;
                store(at, i64x2_add(load(at), words[i]));
            }
            continue;
        }
        let words = core::mem::transmute::<[v128; 2], [u64; 4]>(words);
        for c in 0..cols {
            *to.add(c) = (*to.add(c)).wrapping_add(words[c]);
        }
    }
}

/// out (m × cols) += x (m × rows) · M. The loops around a tile: blocks of the inner dimension, then some rows, then
/// panels. With `OTHER_FORM` panels have halves of ALL bits, and are put into those of FEW.
#[inline(always)]
unsafe fn product<const L: u32, const OTHER_FORM: bool>(
    x: *const u64,
    m: usize,
    rows: usize,
    panels: *const u32,
    cols: usize,
    out: *mut u64,
    scratch: *mut u8,
) {
    let sums = scratch as *mut u64;
    let other = scratch.add(SUMS) as *mut u32;
    let left = scratch.add(SUMS + OTHER) as *mut u64;
    let mut first = 0;
    while first < rows {
        let kc = block_rows(first, rows);
        let mut r = 0;
        while r < m {
            let count = min(ROWS, m - r);
            let mut t = 0;
            while t < count {
                let (from, to) = (x.add((r + t) * rows + first), left.add(t * even(kc)));
                pack_left::<L>(from, rows, count - t, kc, to, sums.add(t));
                t += MR;
            }
            for p in 0..panels_of(cols) {
                let mut panel = panels.add(place(first, p, rows, cols));
                if OTHER_FORM {
                    few_of(panel as *const v128, kc, other as *mut v128);
                    panel = other;
                }
                let live = min(NR, cols - p * NR);
                let mut t = 0;
                while t < count {
                    let (from, to) = (left.add(t * even(kc)), out.add((r + t) * cols + p * NR));
                    // A page has one kind of tile as well.
                    if count - t > 1 || cfg!(owner) {
                        tile::<MR, L>(from, sums.add(t), panel, kc, to, cols, count - t, live);
                    } else {
                        tile::<1, L>(from, sums.add(t), panel, kc, to, cols, 1, live);
                    }
                    t += MR;
                }
            }
            r += ROWS;
        }
        first += KC;
    }
}

/// out (m × cols) = x (m × rows) · M & mask for panels of `pack_u64`; `scratch` is for `matmul_left` bytes.
#[cfg_attr(not(owner), no_mangle)]
pub unsafe extern "C" fn matmul_u64(
    x: *const u64,
    m: usize,
    rows: usize,
    panels: *const u32,
    cols: usize,
    out: *mut u64,
    mask: u64,
    scratch: *mut u8,
) {
    from_raw_parts_mut(out, m * cols).fill(0);
    if is_few(mask) && m >= MANY {
        product::<FEW, true>(x, m, rows, panels, cols, out, scratch);
    } else {
        product::<ALL, false>(x, m, rows, panels, cols, out, scratch);
    }
    if mask != u64::MAX {
        for word in from_raw_parts_mut(out, m * cols) {
            *word &= mask;
        }
    }
}

macro_rules! single_row {
    ($name:ident, $t:ty) => {
        /// One row times a matrix in place, added to `out`: packing would cost as much as the product. Contiguous
        /// loops, which LLVM vectorises.
        unsafe fn $name(x: *const $t, y: *const $t, out: *mut $t, inner: usize, n: usize, transposed: bool) {
            let x = from_raw_parts(x, inner);
            let out = from_raw_parts_mut(out, n);
            if transposed {
                for c in 0..n {
                    let row = from_raw_parts(y.add(c * inner), inner);
                    out[c] = x.iter().zip(row).fold(out[c], |sum: $t, (&a, &b)| sum.wrapping_add(a.wrapping_mul(b)));
                }
            } else {
                for i in 0..inner {
                    let row = from_raw_parts(y.add(i * n), n);
                    for c in 0..n {
                        out[c] = out[c].wrapping_add(x[i].wrapping_mul(row[c]));
                    }
                }
            }
        }
    };
}

/// Whether a product is one of `single_row`. A page has them for matrices as they lie: its others, of a step's scores,
/// are short.
#[inline(always)]
fn is_in_place(m: usize, transposed: u32) -> bool {
    m == 1 && !(cfg!(owner) && transposed != 0)
}

single_row!(single_row32, u32);
single_row!(single_row64, u64);

macro_rules! strided_rows {
    ($name:ident, $single:ident, $t:ty) => {
        /// A row for each of a batch times a matrix that lies in larger rows, added to `out` & mask: word c of row r of
        /// matrix b at y[b·apart + r·stride + c]. `rows` of the `all` rows that each has, the first of them at y; x, or
        /// with `transposed` out, begins at what belongs to it. One matrix behind another, so that y is read in order
        /// where they lie side by side.
        #[no_mangle]
        pub unsafe extern "C" fn $name(
            x: *const $t,
            y: *const $t,
            out: *mut $t,
            batch: usize,
            rows: usize,
            cols: usize,
            all: usize,
            apart: usize,
            stride: usize,
            transposed: u32,
            mask: $t,
        ) {
            for r in 0..rows {
                for b in 0..batch {
                    let row = y.add(r * stride + b * apart);
                    if transposed != 0 {
                        let sum = out.add(b * all + r);
                        $single(x.add(b * cols), row, sum, cols, 1, true);
                        *sum &= mask;
                    } else {
                        $single(x.add(b * all + r), row, out.add(b * cols), 1, cols, false);
                    }
                }
            }
            if transposed == 0 {
                for word in from_raw_parts_mut(out, batch * cols) {
                    *word &= mask;
                }
            }
        }
    };
}

strided_rows!(strided_rows32, single_row32, u32);
strided_rows!(strided_rows64, single_row64, u64);

/// Packs y, which is `transposed` or not, and multiplies: out += x · y.
#[inline(always)]
unsafe fn packed_product<const L: u32>(
    x: *const u64,
    y: *const u64,
    out: *mut u64,
    m: usize,
    inner: usize,
    n: usize,
    transposed: bool,
    panels: *mut u32,
    scratch: *mut u8,
) {
    if transposed {
        for c in 0..n {
            for r in 0..inner {
                put::<L>(*y.add(c * inner + r), r, c, inner, n, panels);
            }
        }
    } else {
        for r in 0..inner {
            put_row::<L>(y.add(r * n), r, inner, n, panels);
        }
    }
    seal::<L>(inner, n, panels);
    product::<L, false>(x, m, inner, panels, n, out, scratch);
}

/// Batched product for 32 < k ≤ 64, which is added to `out` where `add` is not 0; `scratch` is for
/// `product64_room` bytes.
#[no_mangle]
pub unsafe extern "C" fn product64(
    x: *const u64,
    y: *const u64,
    out: *mut u64,
    batch: usize,
    m: usize,
    inner: usize,
    n: usize,
    transposed: u32,
    mask: u64,
    scratch: *mut u8,
    add: u32,
) {
    if add == 0 {
        from_raw_parts_mut(out, batch * m * n).fill(0);
    }
    let panels = scratch.add(matmul_left(m, inner)) as *mut u32;
    for b in 0..batch {
        let (x, y, out) = (x.add(b * m * inner), y.add(b * inner * n), out.add(b * m * n));
        if is_in_place(m, transposed) {
            single_row64(x, y, out, inner, n, cfg!(not(owner)) && transposed != 0);
        } else if is_few(mask) {
            packed_product::<FEW>(x, y, out, m, inner, n, transposed != 0, panels, scratch);
        } else {
            packed_product::<ALL>(x, y, out, m, inner, n, transposed != 0, panels, scratch);
        }
    }
    for word in from_raw_parts_mut(out, batch * m * n) {
        *word &= mask;
    }
}

#[inline(always)]
unsafe fn tile_u32<const MR: usize>(
    x: *const u32,
    rows: usize,
    panel: *const u32,
    out: *mut u32,
    stride: usize,
    cols: usize,
) {
    let mut acc = [[i32x4_splat(0); 2]; MR];
    for k in 0..rows {
        let w = [v128_load(panel.add(k * NR32) as *const v128), v128_load(panel.add(k * NR32 + 4) as *const v128)];
        for r in 0..MR {
            let v = v128_load32_splat(x.add(r * rows + k));
            acc[r][0] = i32x4_add(acc[r][0], i32x4_mul(v, w[0]));
            acc[r][1] = i32x4_add(acc[r][1], i32x4_mul(v, w[1]));
        }
    }
    for r in 0..MR {
        let words = core::mem::transmute::<[v128; 2], [u32; 8]>(acc[r]);
        for c in 0..cols {
            *out.add(r * stride + c) = words[c];
        }
    }
}

/// Batched product for k ≤ 32; `panels` is scratch for inner · ⌈n/8⌉ · 8 u32.
#[no_mangle]
pub unsafe extern "C" fn product32(
    x: *const u32,
    y: *const u32,
    out: *mut u32,
    batch: usize,
    m: usize,
    inner: usize,
    n: usize,
    transposed: u32,
    mask: u32,
    panels: *mut u32,
) {
    for b in 0..batch {
        let y = y.add(b * inner * n);
        if is_in_place(m, transposed) {
            from_raw_parts_mut(out.add(b * n), n).fill(0);
            single_row32(x.add(b * inner), y, out.add(b * n), inner, n, cfg!(not(owner)) && transposed != 0);
            continue;
        }
        for c in 0..n {
            let panel = panels.add(c / NR32 * inner * NR32 + c % NR32);
            for i in 0..inner {
                *panel.add(i * NR32) = *y.add(if transposed != 0 { c * inner + i } else { i * n + c });
            }
        }
        for p in 0..(n + NR32 - 1) / NR32 {
            let panel = panels.add(p * inner * NR32);
            let live = min(NR32, n - p * NR32);
            let mut r = 0;
            while r < m {
                let from = x.add((b * m + r) * inner);
                let to = out.add((b * m + r) * n + p * NR32);
                match m - r {
                    1 => tile_u32::<1>(from, inner, panel, to, n, live),
                    2 => tile_u32::<2>(from, inner, panel, to, n, live),
                    3 => tile_u32::<3>(from, inner, panel, to, n, live),
                    _ => tile_u32::<4>(from, inner, panel, to, n, live),
                }
                r += 4;
            }
        }
    }
    for word in from_raw_parts_mut(out, batch * m * n) {
        *word &= mask;
    }
}
