//! A caller through pipes as the host of kernels: every value is a word.

use crate::call::{Answer, Argument};
use std::ptr::null_mut;

pub use crate::probe::{called, calling};

pub type Value = u64;

/// The first byte of the caller's memory.
#[derive(Clone, Copy)]
pub struct Site {
    pub base: *mut u8,
}

macro_rules! words {
    ($($t:ty),*) => {
        $(
            impl Argument for $t {
                unsafe fn read(_: Site, value: Value) -> Option<$t> {
                    Some(value as $t)
                }
            }

            impl Answer for $t {
                unsafe fn value(self, _: Site) -> Value {
                    self as Value
                }
            }
        )*
    };
}

words!(u32, u64, usize);

impl Answer for () {
    unsafe fn value(self, _: Site) -> Value {
        0
    }
}

impl<T> Argument for *mut T {
    unsafe fn read(site: Site, value: Value) -> Option<*mut T> {
        Some(if value == 0 { null_mut() } else { site.base.add(value as usize) as *mut T })
    }
}

impl<T> Argument for *const T {
    unsafe fn read(site: Site, value: Value) -> Option<*const T> {
        Some(<*mut T as Argument>::read(site, value)? as *const T)
    }
}
