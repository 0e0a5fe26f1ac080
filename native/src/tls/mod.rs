//! TLS 1.3, sockets and frames of links between parties, in a thread of Rust. Node makes the connections and judges who
//! is at the other end; what both ends say is that of `src/net/tls`, to the byte.
//!
//! A handshake begins on the descriptor of a connection (`hub.rs`). Greetings are handed over as bytes, then whole
//! frames (`parser.rs`), whose payloads JavaScript gets without a copy.

mod codes;
mod connection;
mod glue;
mod hub;
mod parser;
mod pool;
mod trust;

pub use glue::open_hub;
