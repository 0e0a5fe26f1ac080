//! Kernels of the proofs, a module of its own: only a mode with proofs loads it. The definitions are
//! `src/compute/kernels/reference/proof.ts`; the contract about memory is that of `lib.rs`.
#![no_std]
#![deny(missing_docs)]
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

pub mod bits;
pub mod buckets;
pub mod chacha;
pub mod claims;
pub mod columns;
pub mod counts;
pub mod digest;
pub mod entries;
pub mod field;
pub mod lanes;
pub mod lookup;
pub mod parts;
pub mod proof;
pub mod simd;

/// Traps: a panic is a bug, and the host turns the trap into a typed error.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
