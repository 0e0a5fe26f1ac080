//! `links(callback)` of JavaScript: an object whose functions give orders to a hub, which tells news by the callback.

use super::connection::{copied, News};
use super::hub::{Hub, Order};
use super::parser::{Header, SESSION};
use super::pool::{Pool, SMALLEST};
use super::trust::{begin, Terms};
use crate::link::{add, arguments, refuse};
use napi_sys::*;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::net::TcpStream;
use std::os::fd::BorrowedFd;
use std::ptr::null_mut;
use std::sync::mpsc::sync_channel;
use std::sync::Arc;
use zeroize::Zeroize;

/// A hub of JavaScript, and what tells its thread's news. It lives as long as the thread of JavaScript.
struct Host {
    hub: Hub,
    caller: Caller,
}

#[derive(Clone, Copy)]
struct Caller(napi_threadsafe_function);

// SAFETY: Node-API has it called from any thread.
unsafe impl Send for Caller {}

impl Caller {
    /// The whole value moves into closures, not its pointer alone.
    fn tell(self, piece: Piece) {
        let piece = Box::into_raw(Box::new(piece));
        // SAFETY: the hub stops before the function is released.
        unsafe {
            if napi_call_threadsafe_function(self.0, piece.cast(), ThreadsafeFunctionCallMode::nonblocking)
                != Status::napi_ok
            {
                drop(Box::from_raw(piece));
            }
        }
    }
}

struct Piece {
    link: u32,
    news: News,
    pool: Arc<Pool>,
}

unsafe fn text(env: napi_env, text: &[u8]) -> napi_value {
    let mut out = null_mut();
    napi_create_string_latin1(env, text.as_ptr().cast(), text.len() as isize, &mut out);
    out
}

unsafe fn number(env: napi_env, value: usize) -> napi_value {
    let mut out = null_mut();
    napi_create_double(env, value as f64, &mut out);
    out
}

unsafe fn array(env: napi_env, buffer: napi_value, length: usize) -> napi_value {
    let mut out = null_mut();
    napi_create_typedarray(env, TypedarrayType::uint8_array, length, buffer, 0, &mut out);
    out
}

unsafe fn copy(env: napi_env, bytes: &[u8]) -> napi_value {
    let (mut data, mut buffer) = (null_mut(), null_mut());
    if napi_create_arraybuffer(env, bytes.len(), &mut data, &mut buffer) != Status::napi_ok {
        return null_mut();
    }
    if !bytes.is_empty() {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len());
    }
    array(env, buffer, bytes.len())
}

/// A buffer that JavaScript reads where it lies, and where it comes from.
struct Lent {
    bytes: Vec<u8>,
    pool: Arc<Pool>,
}

unsafe extern "C" fn returned(_: napi_env, _: *mut c_void, lent: *mut c_void) {
    let Lent { bytes, pool } = *Box::from_raw(lent as *mut Lent);
    pool.give(bytes);
}

/// Short payloads are copied: a buffer that is lent costs more.
unsafe fn payload(env: napi_env, bytes: Vec<u8>, pool: Arc<Pool>) -> napi_value {
    let length = bytes.len();
    if length < SMALLEST {
        return copy(env, &bytes);
    }
    let lent = Box::into_raw(Box::new(Lent { bytes, pool }));
    let (mut buffer, data) = (null_mut(), (*lent).bytes.as_mut_ptr().cast());
    if napi_create_external_arraybuffer(env, data, length, Some(returned), lent.cast(), &mut buffer) == Status::napi_ok
    {
        return array(env, buffer, length);
    }
    let Lent { bytes, pool } = *Box::from_raw(lent);
    let out = copy(env, &bytes);
    pool.give(bytes);
    out
}

/// Calls back in the thread of JavaScript: `(link, kind, …)`.
unsafe extern "C" fn deliver(env: napi_env, callback: napi_value, _: *mut c_void, piece: *mut c_void) {
    let Piece { link, news, pool } = *Box::from_raw(piece as *mut Piece);
    if env.is_null() {
        return;
    }
    let header = |Header { tag, sequence, length }: Header| {
        (text(env, &tag), number(env, sequence as usize), number(env, length))
    };
    let none = null_mut();
    let (kind, [a, b, c]) = match news {
        News::Secure { certificate, verdict } => {
            ("secure", [copy(env, &certificate), text(env, verdict.as_bytes()), none])
        }
        News::Bytes(bytes) => ("bytes", [copy(env, &bytes), none, none]),
        News::Announced(announced) => {
            let (tag, sequence, length) = header(announced);
            ("header", [tag, sequence, length])
        }
        News::Frame(of, bytes) => {
            let (tag, sequence, _) = header(of);
            ("frame", [tag, sequence, payload(env, bytes, pool)])
        }
        News::Malformed(head) => ("malformed", [copy(env, &head), none, none]),
        News::Room(bytes) => ("room", [number(env, bytes), none, none]),
        News::End => ("end", [none; 3]),
        News::Finished => ("finished", [none; 3]),
        News::Closed => ("closed", [none; 3]),
        News::Failed(code) => ("failed", [text(env, code.as_bytes()), none, none]),
    };
    let (mut undefined, mut result) = (null_mut(), null_mut());
    napi_get_undefined(env, &mut undefined);
    let or_undefined = |value: napi_value| if value.is_null() { undefined } else { value };
    let values =
        [number(env, link as usize), text(env, kind.as_bytes()), or_undefined(a), or_undefined(b), or_undefined(c)];
    if napi_call_function(env, undefined, callback, values.len(), values.as_ptr(), &mut result) != Status::napi_ok {
        let mut thrown = null_mut();
        napi_get_and_clear_last_exception(env, &mut thrown);
        napi_fatal_exception(env, thrown);
    }
}

unsafe fn whole(env: napi_env, value: napi_value) -> Option<u32> {
    let mut number = 0;
    (napi_get_value_uint32(env, value, &mut number) == Status::napi_ok).then_some(number)
}

/// The bytes of a Uint8Array, for as long as the call.
unsafe fn bytes<'a>(env: napi_env, value: napi_value) -> Option<&'a [u8]> {
    let (mut data, mut offset, mut length, mut kind) = (null_mut(), 0, 0, 0);
    let status = napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut data, null_mut(), &mut offset);
    if status != Status::napi_ok || kind != TypedarrayType::uint8_array {
        return None;
    }
    Some(if length == 0 { &[] } else { std::slice::from_raw_parts(data as *const u8, length) })
}

/// Calls of `order`: link, name, and what the order takes. See `native-tls.ts`.
unsafe fn ordered(env: napi_env, host: &Host, values: &[napi_value]) -> Option<napi_value> {
    let link = whole(env, *values.first()?)?;
    let kind = whole(env, *values.get(1)?)?;
    let a = || values.get(2).copied();
    let b = || values.get(3).copied();
    let flag = |value| {
        let mut flag = false;
        (napi_get_value_bool(env, value, &mut flag) == Status::napi_ok).then_some(flag)
    };
    let pool = &host.hub.pool;
    let order = match kind {
        0 => Order::Want(whole(env, a()?)? as usize),
        1 => Order::Frames(<[u8; SESSION]>::try_from(bytes(env, a()?)?).ok()?, bytes(env, b()?)?.to_vec()),
        2 => Order::Write(copied(bytes(env, a()?)?, bytes(env, b()?)?, pool)),
        3 => Order::Pause(flag(a()?)?),
        4 => Order::Taken(whole(env, a()?)? as usize),
        5 => Order::End,
        6 => Order::Destroy,
        _ => return None,
    };
    host.hub.order(link, order);
    Some(null_mut())
}

unsafe fn host<'a>(env: napi_env, info: napi_callback_info, values: &mut [napi_value]) -> (usize, &'a Host) {
    let (count, data) = arguments(env, info, values);
    (count, &*(data as *const Host))
}

unsafe extern "C" fn order(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 4];
    let (count, host) = host(env, info, &mut values);
    match ordered(env, host, &values[..count]) {
        Some(answer) => answer,
        None => refuse(env, "no order to a link"),
    }
}

/// `open(link, descriptor, name, chain, key, roots)`: undefined, or the code of what cannot be used.
unsafe fn opened(env: napi_env, host: &Host, values: &[napi_value; 6]) -> Option<napi_value> {
    let link = whole(env, values[0])?;
    let descriptor = whole(env, values[1])? as i32;
    let name = std::str::from_utf8(bytes(env, values[2])?).ok()?;
    let terms = Terms {
        name: Some(name).filter(|name| !name.is_empty()),
        chain: bytes(env, values[3])?,
        key: bytes(env, values[4])?,
        roots: bytes(env, values[5]),
    };
    let begun = match begin(&terms) {
        Ok(begun) => begun,
        Err(_) => return Some(text(env, b"CERT_NOT_USABLE")),
    };
    // A descriptor of its own: Node closes the other one.
    let Ok(own) = BorrowedFd::borrow_raw(descriptor).try_clone_to_owned() else {
        return Some(text(env, b"EBADF"));
    };
    let tcp = TcpStream::from(own);
    if tcp.set_nonblocking(true).is_err() {
        return Some(text(env, b"EBADF"));
    }
    host.hub.order(link, Order::Open(tcp, Box::new(begun)));
    Some(null_mut())
}

unsafe extern "C" fn open(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 6];
    let (_, host) = host(env, info, &mut values);
    match opened(env, host, &values) {
        Some(answer) => answer,
        None => refuse(env, "no link to open"),
    }
}

/// `exported(link, label, context)`: 32 bytes, or undefined when the link is gone.
unsafe extern "C" fn exported(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 3];
    let (_, host) = host(env, info, &mut values);
    let (Some(link), Some(label), Some(context)) =
        (whole(env, values[0]), bytes(env, values[1]), bytes(env, values[2]))
    else {
        return refuse(env, "nothing to export");
    };
    let (answer, answered) = sync_channel(1);
    host.hub.order(link, Order::Export(label.to_vec(), context.to_vec(), answer));
    // The thread never waits for this one. It is gone when the hub has stopped.
    match answered.recv() {
        Ok(Some(mut secret)) => {
            let out = copy(env, &secret);
            secret.zeroize();
            out
        }
        _ => null_mut(),
    }
}

/// `hold(whether)`: whether links keep the process alive.
unsafe extern "C" fn hold(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 1];
    let (_, host) = host(env, info, &mut values);
    let mut held = false;
    napi_get_value_bool(env, values[0], &mut held);
    if host.hub.stopped() {
        return null_mut();
    }
    if held {
        napi_ref_threadsafe_function(env, host.caller.0);
    } else {
        napi_unref_threadsafe_function(env, host.caller.0);
    }
    null_mut()
}

/// The thread of JavaScript ends, or has no use for links any more.
unsafe extern "C" fn stop(host: *mut c_void) {
    (*(host as *const Host)).hub.stop();
}

unsafe extern "C" fn close(env: napi_env, info: napi_callback_info) -> napi_value {
    let (_, host) = host(env, info, &mut []);
    if host.hub.stop() {
        napi_release_threadsafe_function(host.caller.0, ThreadsafeFunctionReleaseMode::abort);
    }
    null_mut()
}

/// `links(callback)`.
pub unsafe extern "C" fn open_hub(env: napi_env, info: napi_callback_info) -> napi_value {
    let mut values = [null_mut(); 1];
    arguments(env, info, &mut values);
    let mut caller = null_mut();
    let name = text(env, b"tercet-tls");
    let made = napi_create_threadsafe_function(
        env,
        values[0],
        null_mut(),
        name,
        0,
        1,
        null_mut(),
        None,
        null_mut(),
        Some(deliver),
        &mut caller,
    );
    if made != Status::napi_ok {
        return refuse(env, "links need a callback");
    }
    let caller = Caller(caller);
    napi_unref_threadsafe_function(env, caller.0);
    let pool = Arc::new(Pool::default());
    let told = pool.clone();
    let started = Hub::start(move |link, news| caller.tell(Piece { link, news, pool: told.clone() }), pool);
    let Ok(hub) = started else { return refuse(env, "no thread for links") };
    let host = ManuallyDrop::new(Box::new(Host { hub, caller }));
    let data = &**host as *const Host as *mut c_void;
    // Behind the function's own: hooks run in reverse order.
    napi_add_env_cleanup_hook(env, Some(stop), data);
    let mut out = null_mut();
    napi_create_object(env, &mut out);
    let functions: [(&str, napi_callback); 5] = [
        ("open", Some(open)),
        ("order", Some(order)),
        ("exported", Some(exported)),
        ("hold", Some(hold)),
        ("close", Some(close)),
    ];
    for (name, callback) in functions {
        add(env, out, name, callback, data);
    }
    out
}
