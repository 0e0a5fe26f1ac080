//! Arithmetic modulo an odd q below 2^62, given at run time (`src/compute/field.ts`): Montgomery's reduction with
//! R = 2^64, and sums of products in 192 bits that are reduced once.
//!
//! No division and no branch on a value: operands are secrets.

/// q, −q^−1 mod 2^64, and 2^64, 2^128, 2^192 mod q, as the host lays them out.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Field {
    q: u64,
    inverse: u64,
    r1: u64,
    r2: u64,
    r3: u64,
}

/// A sum of products: 192 bits, so no number of terms in memory overflows it.
#[derive(Clone, Copy)]
pub struct Sum {
    lo: u64,
    mid: u64,
    hi: u64,
}

/// The product of two words, low and high half.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
pub fn wide(a: u64, b: u64) -> (u64, u64) {
    let product = a as u128 * b as u128;
    (product as u64, (product >> 64) as u64)
}

/// The same in WebAssembly, which has no wide multiplication.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
pub fn wide(a: u64, b: u64) -> (u64, u64) {
    const LOW: u64 = 0xffff_ffff;
    let (a0, a1, b0, b1) = (a & LOW, a >> 32, b & LOW, b >> 32);
    let (p00, p01, p10, p11) = (a0 * b0, a0 * b1, a1 * b0, a1 * b1);
    let mid = (p00 >> 32) + (p01 & LOW) + (p10 & LOW);
    ((p00 & LOW) | (mid << 32), p11 + (p01 >> 32) + (p10 >> 32) + (mid >> 32))
}

impl Sum {
    /// Zero.
    pub const ZERO: Sum = Sum { lo: 0, mid: 0, hi: 0 };

    /// Adds a·b.
    #[inline(always)]
    pub fn add(&mut self, a: u64, b: u64) {
        let (l, h) = wide(a, b);
        let lo = self.lo.wrapping_add(l);
        // h is below 2^64 − 1, so the carry fits it.
        let h = h + (lo < l) as u64;
        let mid = self.mid.wrapping_add(h);
        self.hi = self.hi.wrapping_add((mid < h) as u64);
        self.lo = lo;
        self.mid = mid;
    }
}

impl Field {
    /// The modulus.
    #[inline(always)]
    pub fn q(&self) -> u64 {
        self.q
    }

    /// −q^−1 mod 2^64.
    #[inline(always)]
    pub fn inverse(&self) -> u64 {
        self.inverse
    }

    /// a·b/2^64 mod q, for a·b below q·2^64: one of them reduced, the other any word.
    #[inline(always)]
    pub fn mont(&self, a: u64, b: u64) -> u64 {
        let (lo, hi) = wide(a, b);
        let (_, h) = wide(lo.wrapping_mul(self.inverse), self.q);
        // The low halves cancel, with a carry unless both are zero.
        self.below(hi + h + (lo != 0) as u64)
    }

    /// x mod q for x below 2q.
    #[inline(always)]
    pub fn below(&self, x: u64) -> u64 {
        let less = x.wrapping_sub(self.q);
        // All ones where x < q.
        let keep = ((less as i64) >> 63) as u64;
        (x & keep) | (less & !keep)
    }

    /// x mod q for x below 8q, and q below 2^61: what eight residues add up to.
    #[inline(always)]
    pub fn below8(&self, x: u64) -> u64 {
        let fours = 4 * self.q;
        let less = x.wrapping_sub(fours);
        // All ones where x < 4q: then neither has bit 63, and the difference has it.
        let x = less.wrapping_add(fours & (((less & !x) as i64) >> 63) as u64);
        let twos = 2 * self.q;
        let less = x.wrapping_sub(twos);
        self.below(less.wrapping_add(twos & ((less as i64) >> 63) as u64))
    }

    /// 2^bits mod q.
    pub fn power(&self, bits: u32) -> u64 {
        (0..bits / 64).fold(self.word(1 << (bits % 64)), |power, _| self.form(power))
    }

    /// Montgomery's form of a word: c·2^64 mod q.
    #[inline(always)]
    pub fn form(&self, c: u64) -> u64 {
        self.mont(c, self.r2)
    }

    /// a·b mod q, for a below q and any b.
    #[inline(always)]
    pub fn mul(&self, a: u64, b: u64) -> u64 {
        self.mont(self.mont(a, b), self.r2)
    }

    /// Any word mod q.
    #[inline(always)]
    pub fn word(&self, x: u64) -> u64 {
        self.mont(x, self.r1)
    }

    /// a + b mod q.
    #[inline(always)]
    pub fn plus(&self, a: u64, b: u64) -> u64 {
        self.below(a + b)
    }

    /// A sum mod q.
    #[inline(always)]
    pub fn reduce(&self, sum: &Sum) -> u64 {
        let low = self.plus(self.mont(sum.lo, self.r1), self.mont(sum.mid, self.r2));
        self.plus(low, self.mont(sum.hi, self.r3))
    }
}
