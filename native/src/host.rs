//! JavaScript as the host of kernels: values of Node-API.

use crate::call::{Answer, Argument};
use napi_sys::*;
use std::ptr::null_mut;

/// What arguments and results are.
pub type Value = napi_value;

/// Where a call comes from.
#[derive(Clone, Copy)]
pub struct Site {
    /// Environment of the calling thread.
    pub env: napi_env,
    /// The first byte of the caller's memory.
    pub base: *mut u8,
}

/// Numbers as WebAssembly takes them, modulo 2^32.
unsafe fn word(site: Site, value: napi_value) -> Option<u32> {
    let mut number = 0.0;
    let status = napi_get_value_double(site.env, value, &mut number);
    (status == Status::napi_ok).then_some(number as i64 as u32)
}

impl Argument for u32 {
    unsafe fn read(site: Site, value: napi_value) -> Option<u32> {
        word(site, value)
    }
}

impl Argument for usize {
    unsafe fn read(site: Site, value: napi_value) -> Option<usize> {
        Some(word(site, value)? as usize)
    }
}

impl Argument for u64 {
    unsafe fn read(site: Site, value: napi_value) -> Option<u64> {
        let (mut number, mut lossless) = (0, false);
        let status = napi_get_value_bigint_uint64(site.env, value, &mut number, &mut lossless);
        (status == Status::napi_ok).then_some(number)
    }
}

/// A place in the memory, where 0 is none as in WebAssembly, or a typed array: its first byte.
impl<T> Argument for *mut T {
    unsafe fn read(site: Site, value: napi_value) -> Option<*mut T> {
        let Some(at) = word(site, value) else {
            return bytes_of(site.env, value).map(|bytes| bytes as *mut T);
        };
        let at = at as usize;
        Some(if at == 0 { null_mut() } else { site.base.add(at) as *mut T })
    }
}

impl<T> Argument for *const T {
    unsafe fn read(site: Site, value: napi_value) -> Option<*const T> {
        Some(<*mut T as Argument>::read(site, value)? as *const T)
    }
}

/// The first byte of a typed array.
pub unsafe fn bytes_of(env: napi_env, value: napi_value) -> Option<*mut u8> {
    let (mut data, mut offset, mut length, mut kind) = (null_mut(), 0, 0, 0);
    let status = napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut data, null_mut(), &mut offset);
    (status == Status::napi_ok && !data.is_null()).then_some(data as *mut u8)
}

impl Answer for () {
    unsafe fn value(self, _: Site) -> Value {
        null_mut()
    }
}

impl Answer for u32 {
    unsafe fn value(self, site: Site) -> Value {
        let mut out = null_mut();
        napi_create_uint32(site.env, self, &mut out);
        out
    }
}

impl Answer for usize {
    unsafe fn value(self, site: Site) -> Value {
        (self as u32).value(site)
    }
}

impl Answer for u64 {
    unsafe fn value(self, site: Site) -> Value {
        let mut out = null_mut();
        napi_create_bigint_uint64(site.env, self, &mut out);
        out
    }
}

/// Before a kernel is called, and when its stack was overwritten: tests look there (`check/probe.rs`).
#[inline(always)]
pub fn calling() {}

#[inline(always)]
pub fn called() {}
