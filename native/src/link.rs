//! What Node loads: `link(bytes)` and `proofs(bytes)`, and `move(bytes)` of what these give, for when the memory has
//! grown. `links(callback)` has the TLS of links.

use crate::call::{Kernel, MOST_ARGUMENTS};
use crate::host::{bytes_of, Site};
use crate::kernels::{List, PROOFS, RING};
use napi_sys::*;
use std::ffi::{c_void, CString};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

/// One kernel on one memory. It lives as long as the thread, as an instance of WebAssembly does.
struct Bound {
    kernel: &'static dyn Kernel,
    base: &'static AtomicPtr<u8>,
}

/// What a function was called with, and the data it was made with.
pub unsafe fn arguments(env: napi_env, info: napi_callback_info, into: &mut [napi_value]) -> (usize, *mut c_void) {
    let (mut count, mut data) = (into.len(), null_mut());
    napi_get_cb_info(env, info, &mut count, into.as_mut_ptr(), null_mut(), &mut data);
    (count.min(into.len()), data)
}

/// Throws.
pub unsafe fn refuse(env: napi_env, what: &str) -> napi_value {
    if let Ok(what) = CString::new(what) {
        napi_throw_type_error(env, null(), what.as_ptr());
    }
    null_mut()
}

unsafe extern "C" fn call(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); MOST_ARGUMENTS];
    let (count, data) = arguments(env, info, &mut values);
    let bound = &*(data as *const Bound);
    let site = Site { env, base: bound.base.load(Ordering::Relaxed) };
    match bound.kernel.call(site, &values[..count]) {
        Some(answer) => answer,
        None => refuse(env, "a kernel was called with other arguments than it takes"),
    }
}

unsafe extern "C" fn rebase(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 1];
    let (_, data) = arguments(env, info, &mut values);
    match bytes_of(env, values[0]) {
        Some(base) => {
            (*(data as *const AtomicPtr<u8>)).store(base, Ordering::Relaxed);
            null_mut()
        }
        None => refuse(env, "kernels move to a typed array"),
    }
}

/// A function as a property.
pub unsafe fn add(env: napi_env, to: napi_value, name: &str, callback: napi_callback, data: *mut c_void) {
    let mut function = null_mut();
    napi_create_function(env, name.as_ptr().cast(), name.len() as isize, callback, data, &mut function);
    if let Ok(name) = CString::new(name) {
        napi_set_named_property(env, to, name.as_ptr(), function);
    }
}

unsafe extern "C" fn link(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 1];
    let (_, list) = arguments(env, info, &mut values);
    let Some(first) = bytes_of(env, values[0]) else {
        return refuse(env, "kernels are linked to a typed array");
    };
    let base: &'static AtomicPtr<u8> = Box::leak(Box::new(AtomicPtr::new(first)));
    let mut out = null_mut();
    napi_create_object(env, &mut out);
    for &(name, kernel) in *(list as *const List) {
        let bound = Box::leak(Box::new(Bound { kernel, base }));
        add(env, out, name, Some(call), bound as *mut Bound as *mut c_void);
    }
    add(env, out, "move", Some(rebase), base as *const AtomicPtr<u8> as *mut c_void);
    out
}

/// Called by Node in every thread that loads the library.
#[no_mangle]
pub unsafe extern "C" fn napi_register_module_v1(env: napi_env, exports: napi_value) -> napi_value {
    #[cfg(target_arch = "x86_64")]
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2")) {
        return refuse(env, "this processor has no AVX2");
    }
    for (name, list) in [("link", &RING), ("proofs", &PROOFS)] {
        add(env, exports, name, Some(link), list as *const List as *mut c_void);
    }
    #[cfg(unix)]
    add(env, exports, "links", Some(crate::tls::open_hub), null_mut());
    exports
}
