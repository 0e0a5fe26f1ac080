//! A kernel as a function of JavaScript: what its signature says is how its arguments are read.

use napi_sys::*;
use std::ptr::{null_mut, write_volatile};

/// Arguments of the kernel that has most.
pub const MOST_ARGUMENTS: usize = 20;
/// Bytes of stack that are overwritten after a call, as many as the module of WebAssembly has.
const STACK: usize = 16 * 1024;

/// Where a call comes from.
#[derive(Clone, Copy)]
pub struct Site {
    /// Environment of the calling thread.
    pub env: napi_env,
    /// The first byte of the caller's memory.
    pub base: *mut u8,
}

/// A parameter type of kernels. None where the value is of another type.
pub trait Argument: Sized {
    /// Reads a value of JavaScript.
    unsafe fn read(site: Site, value: napi_value) -> Option<Self>;
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

/// A result type of kernels.
pub trait Answer {
    /// The value for JavaScript.
    unsafe fn value(self, env: napi_env) -> napi_value;
}

impl Answer for () {
    unsafe fn value(self, _: napi_env) -> napi_value {
        null_mut()
    }
}

impl Answer for u32 {
    unsafe fn value(self, env: napi_env) -> napi_value {
        let mut out = null_mut();
        napi_create_uint32(env, self, &mut out);
        out
    }
}

impl Answer for usize {
    unsafe fn value(self, env: napi_env) -> napi_value {
        (self as u32).value(env)
    }
}

impl Answer for u64 {
    unsafe fn value(self, env: napi_env) -> napi_value {
        let mut out = null_mut();
        napi_create_bigint_uint64(env, self, &mut out);
        out
    }
}

/// A kernel of any signature.
pub trait Kernel: Sync {
    /// Calls it. None where the arguments are not what it takes.
    unsafe fn call(&self, site: Site, values: &[napi_value]) -> Option<napi_value>;
}

macro_rules! kernel_of {
    ($($argument:ident $at:tt),*) => {
        impl<R: Answer, $($argument: Argument),*> Kernel for unsafe extern "C" fn($($argument),*) -> R {
            #[allow(unused_variables, non_snake_case)]
            unsafe fn call(&self, site: Site, values: &[napi_value]) -> Option<napi_value> {
                $(let $argument = $argument::read(site, *values.get($at)?)?;)*
                let answer = self($($argument),*);
                wipe_stack();
                Some(answer.value(site.env))
            }
        }
    };
}

kernel_of!();
kernel_of!(A 0);
kernel_of!(A 0, B 1);
kernel_of!(A 0, B 1, C 2);
kernel_of!(A 0, B 1, C 2, D 3);
kernel_of!(A 0, B 1, C 2, D 3, E 4);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16, S 17);

/// Overwrites what the kernel left behind on the stack.
#[inline(never)]
unsafe fn wipe_stack() {
    let mut left = std::mem::MaybeUninit::<[u128; STACK / 16]>::uninit();
    let words = left.as_mut_ptr() as *mut u128;
    for i in 0..STACK / 16 {
        write_volatile(words.add(i), 0);
    }
}
