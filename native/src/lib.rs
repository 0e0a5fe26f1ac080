//! The kernels of `wasm/` for x86-64 processors with AVX2 and for arm64, as a library of Node.
//!
//! `link(bytes)` gives what an instance of `tercet.wasm` exports, `proofs(bytes)` what one of `proof.wasm` does: the
//! same functions, on memory that the caller holds.
//! Addresses are places in those bytes, as in WebAssembly, so the caller's side is one (`memory.ts`). What WebAssembly
//! checks nobody checks here: an address beyond the bytes is a fault of the process.
//!
//! Spilled registers hold shares, so the stack is overwritten after every call (`stack.rs`).
#![deny(missing_docs)]
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_endian = "little")))]
compile_error!("native kernels are for x86-64 and arm64; other processors take WebAssembly");

mod call;
mod host;
mod kernels;
mod link;
pub mod sources;
#[cfg(unix)]
#[allow(missing_docs)]
mod tls;

pub use sources::*;
