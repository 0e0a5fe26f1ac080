//! What tests of native kernels run, for any processor that Rust compiles for (`scripts/check-native.mjs`).
//!
//! Without an argument it compares every operation on lanes with its definition. With `serve` it is a host of the
//! kernels on its standard input and output, so that their conformance suite runs on a processor that is emulated.
#![allow(missing_docs, dead_code, clippy::missing_safety_doc, clippy::too_many_arguments)]

#[path = "../src/call.rs"]
mod call;
mod host;
#[path = "../src/kernels.rs"]
mod kernels;
mod lanes_test;
mod probe;
mod serve;
#[path = "../src/sources.rs"]
pub mod sources;

pub use sources::*;

fn main() {
    match std::env::args().nth(1).as_deref() {
        None => println!("{} operations on lanes have the bits of their definitions", lanes_test::compare()),
        Some("serve") => serve::serve().expect("its caller reads and writes"),
        Some(other) => panic!("{other}: serve, or nothing"),
    }
}
