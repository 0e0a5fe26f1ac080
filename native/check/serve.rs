//! The kernels behind pipes. The caller sends a call and the pages of its memory that changed, and is sent those that
//! the kernel changed: `test/compute/distant.ts`.

use crate::host::Site;
use crate::kernels::{List, PROOFS, RING};
use crate::probe;
use std::io::{Read, Result, Write};

const PAGE: usize = 4096;
/// More than any test takes.
const MEMORY: usize = 1 << 30;

fn word(from: &mut impl Read) -> Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Every number is a word of 64 bits. A call: list, number of the kernel in it, count of arguments, these, bytes of the
/// memory, count of pages, and each with its number. A reply: answer, what was left on the stack and how deep, count of
/// pages, and these. First of all come the names of the kernels, a list a line.
pub fn serve() -> Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let lists: [List; 2] = [RING, PROOFS];
    for list in lists {
        writeln!(output, "{}", list.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "))?;
    }
    output.flush()?;
    // Zeroed pages that nobody writes to take no memory. Whole vectors, so that places are aligned as in WebAssembly.
    let mut memory = vec![0u128; MEMORY / 16];
    let mut known = vec![0u128; MEMORY / 16];
    let base = memory.as_mut_ptr() as *mut u8;
    let before = known.as_mut_ptr() as *mut u8;
    while let Ok(list) = word(&mut input) {
        let kernel = lists[list as usize][word(&mut input)? as usize].1;
        let count = word(&mut input)?;
        let values = (0..count).map(|_| word(&mut input)).collect::<Result<Vec<u64>>>()?;
        let size = word(&mut input)? as usize;
        assert!(size <= MEMORY, "a memory of {size} bytes");
        let page = |of: *mut u8, number: usize| {
            // SAFETY: within the memory, as its size is.
            unsafe { std::slice::from_raw_parts_mut(of.add(number * PAGE), PAGE) }
        };
        for _ in 0..word(&mut input)? {
            let number = word(&mut input)? as usize;
            assert!(number < size / PAGE, "page {number} of {size} bytes");
            input.read_exact(page(base, number))?;
            page(before, number).copy_from_slice(page(base, number));
        }
        // SAFETY: the caller is the one that WebAssembly is called by.
        let answer = unsafe { kernel.call(Site { base }, &values) };
        let probe::Seen { left, depth } = probe::seen();
        let changed: Vec<usize> = (0..size / PAGE).filter(|&n| page(base, n) != page(before, n)).collect();
        for head in [answer.expect("arguments that it takes"), left, depth, changed.len() as u64] {
            output.write_all(&head.to_le_bytes())?;
        }
        for number in changed {
            output.write_all(&(number as u64).to_le_bytes())?;
            output.write_all(page(base, number))?;
            page(before, number).copy_from_slice(page(base, number));
        }
        output.flush()?;
    }
    Ok(())
}
