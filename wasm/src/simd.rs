//! The lanes that kernels compute with: those of WebAssembly, or the same of the processor at hand (`native/`).

#[cfg(target_arch = "wasm32")]
pub use core::arch::wasm32::*;

#[cfg(not(target_arch = "wasm32"))]
pub use crate::processor::*;
