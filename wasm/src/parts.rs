//! Products modulo q in parts of 31 bits: they are added up without carries, four words at a time or one, and reduced
//! once. Words are below 2^62, so a part of a product is below 2^62, or 2^63 where it is two.

use crate::field::Field;
use crate::simd::*;

/// Bits of the lower part of a word.
pub const LOW: u32 = 31;
const LOW_MASK: u64 = (1 << LOW) - 1;
/// Products between two carries: residues are below 2^61, so no part of four overflows.
pub const FEW: usize = 4;

/// A word as its parts, each in half of 64 bits.
#[inline(always)]
pub fn pair(word: u64) -> u64 {
    (word & LOW_MASK) | word >> LOW << 32
}

/// The word of a pair.
#[inline(always)]
pub fn word(pair: u64) -> u64 {
    (pair & 0xffff_ffff) | pair >> 32 << LOW
}

/// Pairs of two words, of both.
#[inline(always)]
pub fn pairs(words: v128) -> v128 {
    v128_or(v128_and(words, u64x2_splat(LOW_MASK)), u64x2_shl(u64x2_shr(words, LOW), 32))
}

/// The lower and the upper parts of four pairs.
#[inline(always)]
pub fn planes(a: v128, b: v128) -> [v128; 2] {
    [i32x4_shuffle::<0, 2, 4, 6>(a, b), i32x4_shuffle::<0, 2, 4, 6>(u64x2_shr(a, 32), u64x2_shr(b, 32))]
}

/// A pair for all lanes: all have the lower part, or the upper.
#[inline(always)]
pub fn splat(pair: u64) -> [v128; 2] {
    [u32x4_splat(pair as u32), u32x4_splat((pair >> 32) as u32)]
}

/// A part for all lanes, from memory. WebAssembly multiplies halves of vectors at once only where both are halves to
/// the compiler, so it must not see that these are alike: a swizzle is nothing that it looks into.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
pub unsafe fn splat_part(part: *const u32) -> v128 {
    i8x16_swizzle(v128_load32_zero(part), u32x4_splat(0x0302_0100))
}

/// A part for all lanes, from memory.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
pub unsafe fn splat_part(part: *const u32) -> v128 {
    v128_load32_splat(part)
}

/// A vector that stays in memory, for the same reason: a part that is widened before a loop is no half in the loop.
#[inline(always)]
pub fn held(vector: &v128) -> v128 {
    // SAFETY: a reference.
    unsafe { core::ptr::read_volatile(vector) }
}

/// One sum of products.
#[derive(Clone, Copy)]
pub struct One([u64; 3]);

impl One {
    /// Zero.
    pub const ZERO: One = One([0; 3]);

    /// Adds a product of pairs. At most `FEW` times between two carries, or twice for factors that are no residues.
    #[inline(always)]
    pub fn add(&mut self, a: u64, b: u64) {
        let (a0, a1, b0, b1) = (a & 0xffff_ffff, a >> 32, b & 0xffff_ffff, b >> 32);
        self.0[0] += a0 * b0;
        self.0[1] += a0 * b1 + a1 * b0;
        self.0[2] += a1 * b1;
    }

    /// Leaves 31 bits in the lower two parts.
    #[inline(always)]
    pub fn carry(&mut self) {
        for part in 0..2 {
            self.0[part + 1] += self.0[part] >> LOW;
            self.0[part] &= LOW_MASK;
        }
    }
}

/// A sum of sums. Its parts have 31 bits for each of them.
#[derive(Clone, Copy)]
pub struct Total([u64; 4]);

impl Total {
    /// Zero.
    pub const ZERO: Total = Total([0; 4]);

    /// Adds a sum.
    #[inline(always)]
    pub fn add(&mut self, mut sum: One) {
        sum.carry();
        self.0[0] += sum.0[0];
        self.0[1] += sum.0[1];
        self.0[2] += sum.0[2] & LOW_MASK;
        self.0[3] += sum.0[2] >> LOW;
    }

    /// The sum mod q.
    #[inline(never)]
    pub fn residue(&self, f: &Field) -> u64 {
        let mut sum = 0;
        for (i, part) in self.0.iter().enumerate() {
            sum = f.plus(sum, f.mul(f.power(LOW * i as u32), *part));
        }
        sum
    }
}

impl Field {
    /// (low + m·q)/2^31 + next, for the m that makes it whole.
    #[inline(always)]
    fn lowered(&self, low: u64, next: u64) -> u64 {
        let m = low.wrapping_mul(self.inverse()) & LOW_MASK;
        let carried = (low + m * (self.q() & LOW_MASK)) >> LOW;
        carried + next + m * (self.q() >> LOW)
    }

    /// a·b/2^62 mod q, of a residue's pair and another's.
    #[inline(always)]
    pub fn mont62(&self, a: u64, b: u64) -> u64 {
        let mut product = One::ZERO;
        product.add(a, b);
        let One([lowest, middle, highest]) = product;
        self.below(self.lowered(self.lowered(lowest, middle), highest))
    }

    /// A sum over 2^93, mod q: of that what is left of it is less than q.
    #[inline(always)]
    pub fn reduced93(&self, mut sum: One) -> u64 {
        sum.carry();
        let One([lowest, middle, highest]) = sum;
        self.below(self.lowered(self.lowered(self.lowered(lowest, middle), highest), 0))
    }
}

/// Four sums of products: lanes 0, 1 and lanes 2, 3 of each part.
pub struct Lanes {
    parts: [[v128; 2]; 4],
}

impl Lanes {
    /// Zeros.
    pub const ZERO: Lanes = Lanes { parts: [[u64x2(0, 0); 2]; 4] };

    /// Adds four products. At most `FEW` times between two carries.
    #[inline(always)]
    pub fn add(&mut self, [low, high]: [v128; 2], [b, c]: [v128; 2]) {
        let [p0, p1, p2, _] = &mut self.parts;
        p0[0] = i64x2_add(p0[0], u64x2_extmul_low_u32x4(low, b));
        p0[1] = i64x2_add(p0[1], u64x2_extmul_high_u32x4(low, b));
        p1[0] = i64x2_add(p1[0], u64x2_extmul_low_u32x4(low, c));
        p1[1] = i64x2_add(p1[1], u64x2_extmul_high_u32x4(low, c));
        p1[0] = i64x2_add(p1[0], u64x2_extmul_low_u32x4(high, b));
        p1[1] = i64x2_add(p1[1], u64x2_extmul_high_u32x4(high, b));
        p2[0] = i64x2_add(p2[0], u64x2_extmul_low_u32x4(high, c));
        p2[1] = i64x2_add(p2[1], u64x2_extmul_high_u32x4(high, c));
    }

    /// Leaves 31 bits in the lower `parts` parts: two of few products, three of any number.
    #[inline(always)]
    pub fn carry(&mut self, parts: usize) {
        let mask = u64x2_splat(LOW_MASK);
        for part in 0..parts {
            for half in 0..2 {
                let word = self.parts[part][half];
                self.parts[part + 1][half] = i64x2_add(self.parts[part + 1][half], u64x2_shr(word, LOW));
                self.parts[part][half] = v128_and(word, mask);
            }
        }
    }

    /// Adds the sums, which were carried, to so many totals.
    #[inline(always)]
    pub fn add_to(&self, totals: &mut [Total]) {
        for part in 0..4 {
            let [left, right] = self.parts[part];
            let words = [
                u64x2_extract_lane::<0>(left),
                u64x2_extract_lane::<1>(left),
                u64x2_extract_lane::<0>(right),
                u64x2_extract_lane::<1>(right),
            ];
            for (total, word) in totals.iter_mut().zip(words) {
                total.0[part] += word;
            }
        }
    }

    /// The sums of few products, which were carried, over 2^93 mod q: two words and two. `modulus` is q, as a pair for
    /// all lanes.
    #[inline(always)]
    pub fn reduced93(&self, f: &Field, modulus: &[v128; 2]) -> [v128; 2] {
        let inverse = u32x4_splat((f.inverse() & LOW_MASK) as u32);
        let [mut lowest, second, third, _] = self.parts;
        for next in [second, third, [u64x2(0, 0); 2]] {
            let packed = i32x4_shuffle::<0, 2, 4, 6>(lowest[0], lowest[1]);
            let (q0, q1) = (held(&modulus[0]), held(&modulus[1]));
            let m = v128_and(i32x4_mul(packed, inverse), u32x4_splat(LOW_MASK as u32));
            let cleared = [u64x2_extmul_low_u32x4(m, q0), u64x2_extmul_high_u32x4(m, q0)];
            let added = [u64x2_extmul_low_u32x4(m, q1), u64x2_extmul_high_u32x4(m, q1)];
            for half in 0..2 {
                // The lowest part is a multiple of 2^31 now.
                let carried = u64x2_shr(i64x2_add(lowest[half], cleared[half]), LOW);
                lowest[half] = i64x2_add(i64x2_add(next[half], carried), added[half]);
            }
        }
        let q = u64x2_splat(f.q());
        lowest.map(|words| {
            let less = i64x2_sub(words, q);
            // q again where that was too much.
            let under = i64x2_sub(u64x2(0, 0), u64x2_shr(less, 63));
            i64x2_add(less, v128_and(q, under))
        })
    }
}
