//! The ring kernels of `wasm/` for x86-64 processors with AVX2, as a library of Node.
//!
//! `link(bytes)` gives what an instance of `tercet.wasm` exports: the same functions, on memory that the caller holds.
//! Addresses are places in those bytes, as in WebAssembly, so the caller's side is one (`memory.ts`). What WebAssembly
//! checks nobody checks here: an address beyond the bytes is a fault of the process.
//!
//! Spilled registers hold shares, so the stack is overwritten after every call.
#![deny(missing_docs)]
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

#[cfg(not(all(target_arch = "x86_64", target_endian = "little")))]
compile_error!("native kernels are for x86-64; other processors take WebAssembly");

macro_rules! sources {
    ($($name:ident: $path:literal),* $(,)?) => {
        $(
            #[path = $path]
            pub mod $name;
        )*
    };
}

sources! {
    chacha: "../../wasm/src/chacha.rs",
    cosine: "../../wasm/src/cosine.rs",
    deal: "../../wasm/src/deal.rs",
    evaluate: "../../wasm/src/evaluate.rs",
    exp: "../../wasm/src/exp.rs",
    float: "../../wasm/src/float.rs",
    lanes: "../../wasm/src/lanes.rs",
    limbs: "../../wasm/src/limbs.rs",
    matmul: "../../wasm/src/matmul.rs",
    ot: "../../wasm/src/ot.rs",
    pack: "../../wasm/src/pack.rs",
    point: "../../wasm/src/point.rs",
    polynomial: "../../wasm/src/polynomial.rs",
    simd: "../../wasm/src/simd.rs",
    table: "../../wasm/src/table.rs",
    words: "../../wasm/src/words.rs",
}

mod call;
mod kernels;
mod link;
pub mod processor;
pub mod wide;
