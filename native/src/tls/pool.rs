//! Buffers of messages, used again: new memory of the system costs a fault for every page, and is zeroed first.

use std::sync::Mutex;

/// Smaller ones come from the allocator, which keeps them itself.
pub const SMALLEST: usize = 64 * 1024;
/// Kept bytes, at most.
const KEPT: usize = 48 * 1024 * 1024;

#[derive(Default)]
pub struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    /// A buffer of this length, with anything in it: whoever takes it fills it before it is shown.
    pub fn take(&self, length: usize) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fits = |buffer: &Vec<u8>| buffer.capacity() >= length && buffer.capacity() / 2 <= length;
        match kept.iter().position(fits).filter(|_| length >= SMALLEST) {
            Some(at) => {
                let mut buffer = kept.swap_remove(at);
                drop(kept);
                buffer.resize(length, 0);
                buffer
            }
            None => {
                drop(kept);
                vec![0; length]
            }
        }
    }

    /// Takes back a buffer that nobody reads any more.
    pub fn give(&self, buffer: Vec<u8>) {
        let more = buffer.capacity();
        if more < SMALLEST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if kept.iter().map(Vec::capacity).sum::<usize>() + more <= KEPT {
            kept.push(buffer);
        }
    }
}
