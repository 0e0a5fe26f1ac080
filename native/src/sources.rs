//! The sources of `wasm/`, and the lanes of the processor at hand in place of those of WebAssembly.
#![allow(missing_docs)]

macro_rules! sources {
    ($($name:ident: $path:literal),* $(,)?) => {
        $(
            #[path = $path]
            pub mod $name;
        )*
    };
}

sources! {
    bits: "../../wasm/src/bits.rs",
    buckets: "../../wasm/src/buckets.rs",
    chacha: "../../wasm/src/chacha.rs",
    claims: "../../wasm/src/claims.rs",
    columns: "../../wasm/src/columns.rs",
    cosine: "../../wasm/src/cosine.rs",
    counts: "../../wasm/src/counts.rs",
    deal: "../../wasm/src/deal.rs",
    digest: "../../wasm/src/digest.rs",
    entries: "../../wasm/src/entries.rs",
    evaluate: "../../wasm/src/evaluate.rs",
    exp: "../../wasm/src/exp.rs",
    field: "../../wasm/src/field.rs",
    float: "../../wasm/src/float.rs",
    lanes: "../../wasm/src/lanes.rs",
    limbs: "../../wasm/src/limbs.rs",
    lookup: "../../wasm/src/lookup.rs",
    matmul: "../../wasm/src/matmul.rs",
    ot: "../../wasm/src/ot.rs",
    pack: "../../wasm/src/pack.rs",
    panels: "../../wasm/src/panels.rs",
    parts: "../../wasm/src/parts.rs",
    point: "../../wasm/src/point.rs",
    polynomial: "../../wasm/src/polynomial.rs",
    proof: "../../wasm/src/proof.rs",
    simd: "../../wasm/src/simd.rs",
    table: "../../wasm/src/table.rs",
    words: "../../wasm/src/words.rs",
}

#[cfg(target_arch = "aarch64")]
#[path = "neon.rs"]
pub mod neon;
#[path = "processor.rs"]
pub mod processor;
#[cfg(target_arch = "x86_64")]
#[path = "sse.rs"]
pub mod sse;
#[path = "stack.rs"]
pub mod stack;
#[cfg(target_arch = "x86_64")]
#[path = "wide.rs"]
pub mod wide;
