//! A link with latency and rate in user space, for kernels without `tc netem`: two TUN devices, and packets
//! that go from one to the other late.
//!
//! shaper LATENCY_MS A_TO_B_MBIT B_TO_A_MBIT makes `shape-a` and `shape-b`, says "ready", and runs until it is
//! killed. Needs root.
//!
//! The model is that of netem with `delay` and `rate`: a packet leaves when the ones before it have left, takes
//! its bits at the rate of the link, and arrives one latency later; beyond a quarter of a second of waiting it
//! is dropped, as a home router would.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

const TUNSETIFF: u64 = 0x4004_54ca;
const IFF_TUN: i16 = 0x0001;
const IFF_NO_PI: i16 = 0x1000;
const O_NONBLOCK: i32 = 0o4000;
const F_SETFL: i32 = 4;
const POLLIN: i16 = 1;
const LONGEST_WAIT: Duration = Duration::from_millis(250);

#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

extern "C" {
    fn ioctl(fd: i32, request: u64, argument: *mut u8) -> i32;
    fn fcntl(fd: i32, command: i32, argument: i32) -> i32;
    fn poll(fds: *mut PollFd, count: u64, timeout_ms: i32) -> i32;
}

fn tun(name: &str) -> File {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .expect("open /dev/net/tun");
    let mut request = [0u8; 40];
    request[..name.len()].copy_from_slice(name.as_bytes());
    request[16..18].copy_from_slice(&(IFF_TUN | IFF_NO_PI).to_ne_bytes());
    let made = unsafe { ioctl(file.as_raw_fd(), TUNSETIFF, request.as_mut_ptr()) };
    assert!(made >= 0, "make {name}");
    unsafe { fcntl(file.as_raw_fd(), F_SETFL, O_NONBLOCK) };
    file
}

/// One direction.
struct Way {
    latency: Duration,
    bits_per_second: f64,
    free_at: Instant,
    under_way: VecDeque<(Instant, Vec<u8>)>,
}

impl Way {
    fn take(&mut self, packet: &[u8], now: Instant) {
        let start = self.free_at.max(now);
        if start - now > LONGEST_WAIT {
            return;
        }
        self.free_at = start + Duration::from_secs_f64(packet.len() as f64 * 8.0 / self.bits_per_second);
        self.under_way.push_back((self.free_at + self.latency, packet.to_vec()));
    }

    fn deliver(&mut self, out: &mut File, now: Instant) {
        while self.under_way.front().is_some_and(|(due, _)| *due <= now) {
            let (_, packet) = self.under_way.pop_front().unwrap();
            // A packet that the other side cannot take is lost, as on a wire.
            let _ = out.write(&packet);
        }
    }
}

fn main() {
    let numbers: Vec<f64> = std::env::args()
        .skip(1)
        .map(|text| text.parse().expect("a number"))
        .collect();
    let [latency, a_to_b, b_to_a] = numbers[..] else {
        panic!("usage: shaper LATENCY_MS A_TO_B_MBIT B_TO_A_MBIT")
    };
    let mut ends = [tun("shape-a"), tun("shape-b")];
    println!("ready");
    let way = |mbit: f64| Way {
        latency: Duration::from_secs_f64(latency / 1000.0),
        bits_per_second: mbit * 1e6,
        free_at: Instant::now(),
        under_way: VecDeque::new(),
    };
    let mut ways = [way(a_to_b), way(b_to_a)];
    let mut buffer = [0u8; 65536];
    loop {
        let now = Instant::now();
        let due = ways
            .iter()
            .filter_map(|way| way.under_way.front())
            .map(|(due, _)| *due)
            .min();
        let timeout = due.map_or(1000, |due| due.saturating_duration_since(now).as_millis() as i32);
        let mut fds = [0, 1].map(|i| PollFd {
            fd: ends[i].as_raw_fd(),
            events: POLLIN,
            revents: 0,
        });
        unsafe { poll(fds.as_mut_ptr(), 2, timeout) };
        for i in 0..2 {
            while let Ok(length) = ends[i].read(&mut buffer) {
                ways[i].take(&buffer[..length], Instant::now());
            }
        }
        let now = Instant::now();
        for i in 0..2 {
            let (way, out) = (&mut ways[i], &mut ends[1 - i]);
            way.deliver(out, now);
        }
    }
}
