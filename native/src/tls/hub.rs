//! The thread of the links: it waits for their sockets and for what JavaScript wants of them.

use super::connection::{Link, News, EXPORTED};
use super::parser::SESSION;
use super::pool::Pool;
use super::trust::Begun;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

/// Bytes of a read: several records at a time.
const READ: usize = 256 * 1024;

/// What JavaScript wants of a link.
pub enum Order {
    Open(TcpStream, Box<Begun>),
    Want(usize),
    Frames([u8; SESSION], Vec<u8>),
    Write(Vec<u8>),
    Pause(bool),
    Taken(usize),
    Export(Vec<u8>, Vec<u8>, SyncSender<Option<[u8; EXPORTED]>>),
    End,
    Destroy,
    Stop,
}

type Orders = Mutex<Vec<(u32, Order)>>;

pub struct Hub {
    orders: Arc<Orders>,
    /// Rung when there are orders where there were none.
    bell: UnixStream,
    pub pool: Arc<Pool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stopped: AtomicBool,
}

impl Hub {
    /// @param tell is called in the thread, and must not wait
    pub fn start(tell: impl Fn(u32, News) + Send + 'static, pool: Arc<Pool>) -> io::Result<Hub> {
        let (bell, heard) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        let orders = Arc::new(Orders::default());
        let thread = {
            let (orders, pool) = (orders.clone(), pool.clone());
            Builder::new().name("tercet-tls".into()).spawn(move || run(&orders, heard, &tell, &pool))?
        };
        Ok(Hub { orders, bell, pool, thread: Mutex::new(Some(thread)), stopped: AtomicBool::new(false) })
    }

    pub fn order(&self, link: u32, order: Order) {
        // Nobody would take it, or answer.
        if self.stopped() {
            return;
        }
        let mut orders = self.orders.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let first = orders.is_empty();
        orders.push((link, order));
        drop(orders);
        if first {
            let _ = (&self.bell).write(&[1]);
        }
    }

    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends every link, and the thread. False where that was done before.
    pub fn stop(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        let Some(thread) = thread else { return false };
        self.order(0, Order::Stop);
        let _ = thread.join();
        self.stopped.store(true, Ordering::Relaxed);
        true
    }
}

fn run(orders: &Orders, mut heard: UnixStream, tell: &dyn Fn(u32, News), pool: &Pool) {
    let mut links: HashMap<u32, Link> = HashMap::new();
    let mut buffer = vec![0; READ];
    loop {
        let ready = wait(&heard, &links);
        let mut rung = [0; 64];
        while matches!(heard.read(&mut rung), Ok(count) if count > 0) {}
        for (id, readable) in ready {
            let Some(link) = links.get_mut(&id) else { continue };
            let going = if readable { link.read(&mut buffer, pool) } else { Ok(()) };
            if let Err(over) = going.and_then(|()| link.pump(pool)) {
                if let Some(link) = links.remove(&id) {
                    link.over(over);
                }
            }
        }
        let taken = std::mem::take(&mut *orders.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        for (id, order) in taken {
            match order {
                Order::Stop => return,
                Order::Open(tcp, begun) => {
                    links.insert(id, Link::new(id, tcp, *begun, tell));
                }
                Order::Destroy => {
                    links.remove(&id);
                }
                Order::Export(label, context, answer) => {
                    let exported = links.get(&id).and_then(|link| link.exported(&label, &context));
                    let _ = answer.send(exported);
                }
                order => {
                    let Some(link) = links.get_mut(&id) else { continue };
                    match order {
                        Order::Want(bytes) => link.want(bytes),
                        Order::Frames(session, early) => link.frames(session, &early, pool),
                        Order::Write(bytes) => link.write(bytes),
                        Order::Pause(paused) => link.pause(paused),
                        Order::Taken(bytes) => link.taken(bytes),
                        _ => link.end(),
                    }
                }
            }
        }
    }
}

/// Waits until there is something to do: links and whether they can be read.
fn wait(heard: &UnixStream, links: &HashMap<u32, Link>) -> Vec<(u32, bool)> {
    let watched = |fd, events| libc::pollfd { fd, events, revents: 0 };
    let mut polled = vec![watched(heard.as_raw_fd(), libc::POLLIN)];
    let mut ids = Vec::with_capacity(links.len());
    for (&id, link) in links {
        let reads = if link.reads() { libc::POLLIN } else { 0 };
        let writes = if link.writes() { libc::POLLOUT } else { 0 };
        let events = reads | writes;
        // One that waits for nothing is left out: it would be told of a hang-up without end.
        if events != 0 {
            ids.push(id);
            polled.push(watched(link.tcp.as_raw_fd(), events));
        }
    }
    // SAFETY: the descriptors are those of sockets that are open, and the kernel writes to `polled` alone.
    let count = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, -1) };
    if count <= 0 {
        return Vec::new();
    }
    let ready = ids.into_iter().zip(&polled[1..]).filter(|(_, polled)| polled.revents != 0);
    ready.map(|(id, polled)| (id, polled.events & libc::POLLIN != 0 && polled.revents & !libc::POLLOUT != 0)).collect()
}
