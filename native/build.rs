//! Symbols of Node-API are Node's own, found when the library is loaded.

fn main() {
    napi_build::setup();
}
