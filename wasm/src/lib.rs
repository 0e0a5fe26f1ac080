//! Tercet's ring kernels for WebAssembly with SIMD128: exact integer functions on vectors over Z_2^k.
//!
//! The interface is plain `extern "C"` over linear memory. The caller (`src/compute/kernels/wasm/memory.ts`)
//! places operands, allots every buffer (there is no allocator here) and wipes them after each call. Pointers are
//! 16-byte aligned unless said otherwise; vectors over Z_2^k are arrays of u32 for k ≤ 32 and of u64 above,
//! holding canonical residues. `mask` is 2^k − 1.
//!
//! Secrets (shares, masks, pads) meet only additions, multiplications, shifts and bitwise operations: no branch,
//! no division, no float. The exceptions are addresses: entries picked by an index that its holder knows in the
//! clear (a masked value or a random offset), as the protocol gives it.
//!
//! With `--cfg owner` it is the module of the data owner, which pages download: what only compute parties do (tables
//! of choices, choosing, products with weights, the plaintext's product) is not exported, and so is not there.
#![no_std]
#![deny(missing_docs)]
// Every export takes raw pointers from the host; the contract above is the safety section of all of them.
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

pub mod chacha;
pub mod cosine;
pub mod deal;
pub mod evaluate;
pub mod exp;
pub mod float;
pub mod lanes;
pub mod limbs;
pub mod matmul;
pub mod ot;
pub mod pack;
#[cfg(not(owner))]
pub mod panels;
pub mod point;
pub mod polynomial;
pub mod simd;
pub mod table;
pub mod words;

/// Traps: a panic is a bug, and the host turns the trap into a typed error.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
