//! Words of packed selection tables (`src/compute/kernels/table-layout.ts`): the lowest bit first, no gaps.

/// Entries of an element, words of an entry, bits of an entry, then the bits of every word.
#[repr(C)]
pub struct Layout {
    n: u32,
    p: u32,
    bits: u32,
    widths: [u32; 0],
}

impl Layout {
    /// Entries of an element.
    #[inline(always)]
    pub fn n(&self) -> usize {
        self.n as usize
    }

    /// Words of an entry.
    #[inline(always)]
    pub fn p(&self) -> usize {
        self.p as usize
    }

    /// Words of an element.
    #[inline(always)]
    pub fn words(&self) -> usize {
        self.n() * self.p()
    }

    /// Bits of word p of every entry.
    #[inline(always)]
    unsafe fn bits_of(&self, p: usize) -> usize {
        *self.widths.as_ptr().add(p) as usize
    }

    /// Bits of word c = j·P + p of an element.
    #[inline(always)]
    pub unsafe fn width(&self, c: usize) -> usize {
        self.bits_of(c % self.p())
    }

    /// Whether products of words with residues can be added up in parts: 32 of them fit.
    #[inline(always)]
    pub unsafe fn short(&self) -> bool {
        (0..self.p()).all(|p| self.bits_of(p) <= 57)
    }

    /// Word p of entry j of element i.
    #[inline(always)]
    pub unsafe fn word(&self, bytes: *const u8, i: usize, j: usize, p: usize) -> u64 {
        let mut at = ((i * self.n() + j) as u64) * self.bits as u64;
        for before in 0..p {
            at += self.bits_of(before) as u64;
        }
        read(bytes, at, self.bits_of(p))
    }

    /// The words of entry j of element i, one after the other.
    #[inline(always)]
    pub unsafe fn entry(&self, bytes: *const u8, i: usize, j: usize, mut each: impl FnMut(usize, u64)) {
        let mut at = ((i * self.n() + j) as u64) * self.bits as u64;
        for p in 0..self.p() {
            let width = self.bits_of(p);
            each(p, read(bytes, at, width));
            at += width as u64;
        }
    }

    /// All words of element i.
    #[inline(always)]
    pub unsafe fn element(&self, bytes: *const u8, i: usize, out: &mut [u64]) {
        let mut at = (i * self.n()) as u64 * self.bits as u64;
        let mut c = 0;
        for _ in 0..self.n() {
            for p in 0..self.p() {
                let width = self.bits_of(p);
                out[c] = read(bytes, at, width);
                at += width as u64;
                c += 1;
            }
        }
    }
}

/// `width` bits at bit `at`. Reads up to nine bytes from there: the host leaves room behind every buffer.
#[inline(always)]
unsafe fn read(bytes: *const u8, at: u64, width: usize) -> u64 {
    let from = bytes.add((at >> 3) as usize);
    let shift = (at & 7) as u32;
    let low = (from as *const u64).read_unaligned() >> shift;
    // Two shifts: by 64 in one would be by none.
    let high = (*from.add(8) as u64) << (63 - shift) << 1;
    (low | high) & (u64::MAX >> (64 - width))
}
