//! One link: a socket, its TLS, and what stands between them and JavaScript.
//!
//! Memory is bounded in both directions. A socket is not read while JavaScript has asked for nothing, is asked to wait,
//! or has a window of frames that it did not take. What is to be sent waits here, and
//! JavaScript is told when it has gone.

use super::codes::{of_system, of_tls, CLOSED};
use super::parser::{Header, Malformed, Parser, Step, SESSION};
use super::pool::{Pool, SMALLEST};
use super::trust::Begun;
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier;
use rustls::Connection;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

/// Bytes of frames that JavaScript may not have taken yet.
const WINDOW: usize = 16 * 1024 * 1024;
/// What a frame counts beside its payload, so that a flood of empty ones is bounded too.
const FRAME: usize = 512;
/// Bytes that were sent before JavaScript hears of it.
const ROOM: usize = 256 * 1024;
/// Records that are encrypted before they are written.
const BATCH: usize = 256 * 1024;
/// Bytes of one link that are written before the others have their turn.
const TURN: usize = 1024 * 1024;
/// Read of a stranger at a time.
const GREETING: usize = 4096;
pub const EXPORTED: usize = 32;

/// What JavaScript is told.
pub enum News {
    /// The handshake is done: the certificate of the other end, and why it is not an authority's.
    Secure {
        certificate: Vec<u8>,
        verdict: &'static str,
    },
    Bytes(Vec<u8>),
    Announced(Header),
    Frame(Header, Vec<u8>),
    Malformed(Vec<u8>),
    Room(usize),
    /// The other end says nothing more.
    End,
    /// Everything is written, and the other end was told that nothing follows.
    Finished,
    /// Nothing is left of it.
    Closed,
    /// Nothing is left of it, and why.
    Failed(&'static str),
}

/// A link that is over, and what is left to say of it.
pub struct Over(News);

type Going = Result<(), Over>;

pub struct Link<'t> {
    id: u32,
    tell: &'t dyn Fn(u32, News),
    pub tcp: TcpStream,
    tls: Connection,
    judge: Option<Arc<dyn ClientCertVerifier>>,
    secure: bool,
    /// Bytes that JavaScript asked for, while it greets.
    wanted: usize,
    /// What came beyond them.
    held: Vec<u8>,
    parser: Option<Parser>,
    malformed: bool,
    paused: bool,
    untaken: usize,
    full: bool,
    out: VecDeque<Vec<u8>>,
    /// Bytes of the first of them that have gone.
    gone: usize,
    room: usize,
    /// Nothing is written behind what waits.
    ending: bool,
    notified: bool,
    finished: bool,
    ended: bool,
}

impl<'t> Link<'t> {
    pub fn new(id: u32, tcp: TcpStream, Begun { mut tls, judge }: Begun, tell: &'t dyn Fn(u32, News)) -> Self {
        match &mut tls {
            Connection::Client(tls) => tls.set_buffer_limit(Some(BATCH)),
            Connection::Server(tls) => tls.set_buffer_limit(Some(BATCH)),
        }
        Link {
            id,
            tell,
            tcp,
            tls,
            judge,
            secure: false,
            wanted: 0,
            held: Vec::new(),
            parser: None,
            malformed: false,
            paused: false,
            untaken: 0,
            full: false,
            out: VecDeque::new(),
            gone: 0,
            room: 0,
            ending: false,
            notified: false,
            finished: false,
            ended: false,
        }
    }

    fn say(&self, news: News) {
        (self.tell)(self.id, news);
    }

    /// Whether it waits for bytes of the other end.
    pub fn reads(&self) -> bool {
        if self.ended || self.malformed {
            return false;
        }
        match self.parser {
            _ if !self.secure || self.finished => true,
            Some(_) => !self.paused && !self.full,
            None => self.wanted > 0 || self.ending,
        }
    }

    /// Whether it waits for room in the socket.
    pub fn writes(&self) -> bool {
        self.tls.wants_write() || (self.secure && (!self.out.is_empty() || (self.ending && !self.finished)))
    }

    pub fn want(&mut self, bytes: usize) {
        self.wanted = bytes;
        self.hand_bytes();
    }

    /// From here on frames are read: of what came early, of what is held, of what comes.
    pub fn frames(&mut self, session: [u8; SESSION], early: &[u8], pool: &Pool) {
        let held = std::mem::take(&mut self.held);
        self.parser = Some(Parser::new(session));
        for mut bytes in [early, &held[..]] {
            while !bytes.is_empty() && !self.malformed {
                let Some(parser) = &mut self.parser else { return };
                let room = parser.room();
                let count = room.len().min(bytes.len());
                room[..count].copy_from_slice(&bytes[..count]);
                bytes = &bytes[count..];
                let step = parser.advance(count, pool);
                self.step(step);
            }
        }
    }

    pub fn write(&mut self, bytes: Vec<u8>) {
        if !self.ending {
            self.out.push_back(bytes);
        }
    }

    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub fn taken(&mut self, bytes: usize) {
        self.untaken = self.untaken.saturating_sub(bytes);
        if self.untaken <= WINDOW / 2 {
            self.full = false;
        }
    }

    pub fn end(&mut self) {
        self.ending = true;
    }

    /// What both ends of this link derive, and no other (RFC 8446, 7.5).
    pub fn exported(&self, label: &[u8], context: &[u8]) -> Option<[u8; EXPORTED]> {
        if !self.secure {
            return None;
        }
        self.tls.export_keying_material([0; EXPORTED], label, Some(context)).ok()
    }

    /// Reads once, and takes everything that it brought.
    pub fn read(&mut self, buffer: &mut [u8], pool: &Pool) -> Going {
        let most = if self.parser.is_some() { buffer.len() } else { GREETING };
        let count = match self.tcp.read(&mut buffer[..most]) {
            Ok(0) => return self.end_of_other(),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(error) => return Err(Over(News::Failed(of_system(&error)))),
        };
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            if self.tls.read_tls(&mut rest).is_err() {
                return Err(Over(News::Failed("ERR_SSL_UNEXPECTED_MESSAGE")));
            }
            let state = match self.tls.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    // The other end hears why.
                    let _ = self.tls.write_tls(&mut self.tcp);
                    return Err(Over(News::Failed(of_tls(&error))));
                }
            };
            if !self.secure && !self.tls.is_handshaking() {
                self.secure = true;
                self.introduce();
            }
            self.drain(pool);
            if state.peer_has_closed() {
                return self.end_of_other();
            }
        }
        self.hand_bytes();
        Ok(())
    }

    fn introduce(&self) {
        let chain = self.tls.peer_certificates().unwrap_or_default();
        let certificate = chain.first().map(|certificate| certificate.to_vec()).unwrap_or_default();
        let verdict = match (&self.judge, chain) {
            (None, _) => "",
            (Some(_), []) => "UNABLE_TO_GET_ISSUER_CERT",
            (Some(judge), [first, more @ ..]) => match judge.verify_client_cert(first, more, UnixTime::now()) {
                Ok(_) => "",
                Err(error) => of_tls(&error),
            },
        };
        self.say(News::Secure { certificate, verdict });
    }

    /// Takes what was decrypted.
    fn drain(&mut self, pool: &Pool) {
        let mut piece = [0; GREETING];
        while !self.malformed {
            let read = match &mut self.parser {
                Some(parser) => self.tls.reader().read(parser.room()),
                None => self.tls.reader().read(&mut piece),
            };
            let count = match read {
                Ok(count) if count > 0 => count,
                _ => return,
            };
            match &mut self.parser {
                Some(parser) => {
                    let step = parser.advance(count, pool);
                    self.step(step);
                }
                None if self.ending => (),
                None => self.held.extend_from_slice(&piece[..count]),
            }
        }
    }

    fn step(&mut self, step: Result<Step, Malformed>) {
        match step {
            Ok(Step::More) => (),
            Ok(Step::Announced(header)) => self.say(News::Announced(header)),
            Ok(Step::Complete(header, payload)) => {
                self.untaken += payload.len() + FRAME;
                self.full = self.full || self.untaken > WINDOW;
                self.say(News::Frame(header, payload));
            }
            Err(Malformed(head)) => {
                self.malformed = true;
                self.say(News::Malformed(head));
            }
        }
    }

    fn hand_bytes(&mut self) {
        let count = self.wanted.min(self.held.len());
        if count > 0 {
            self.wanted = 0;
            let bytes = self.held.drain(..count).collect();
            self.say(News::Bytes(bytes));
        }
    }

    /// The other end closed; this one does the same when everything is written.
    fn end_of_other(&mut self) -> Going {
        if !self.secure {
            return Err(Over(News::Failed(CLOSED)));
        }
        self.hand_bytes();
        self.ended = true;
        self.ending = true;
        self.say(News::End);
        if self.finished {
            Err(Over(News::Closed))
        } else {
            Ok(())
        }
    }

    /// Writes as much as the socket takes, and no more than a turn.
    pub fn pump(&mut self, pool: &Pool) -> Going {
        let mut turn = TURN;
        loop {
            if !self.flush()? || !self.secure || turn == 0 {
                return Ok(());
            }
            let Some(first) = self.out.front() else { return self.written() };
            let Ok(count) = self.tls.writer().write(&first[self.gone..]) else {
                return Err(Over(News::Failed(CLOSED)));
            };
            self.gone += count;
            self.room += count;
            turn = turn.saturating_sub(count);
            if self.gone == first.len() {
                self.gone = 0;
                if let Some(bytes) = self.out.pop_front() {
                    pool.give(bytes);
                }
            }
            if self.room >= ROOM {
                let room = std::mem::take(&mut self.room);
                self.say(News::Room(room));
            }
        }
    }

    /// Whether the socket took every record that there is.
    fn flush(&mut self) -> Result<bool, Over> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.tcp) {
                Ok(_) => (),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(Over(News::Failed(of_system(&error)))),
            }
        }
        Ok(true)
    }

    /// Nothing waits to be encrypted.
    fn written(&mut self) -> Going {
        if !self.ending || self.finished {
            return Ok(());
        }
        if !self.notified {
            self.notified = true;
            self.tls.send_close_notify();
            if !self.flush()? {
                return Ok(());
            }
        }
        self.finished = true;
        let _ = self.tcp.shutdown(Shutdown::Write);
        self.say(News::Finished);
        if self.ended {
            Err(Over(News::Closed))
        } else {
            Ok(())
        }
    }

    pub fn over(self, Over(news): Over) {
        self.say(news);
    }
}

/// A copy of what JavaScript sends, which may write there again.
pub fn copied(header: &[u8], payload: &[u8], pool: &Pool) -> Vec<u8> {
    let length = header.len() + payload.len();
    let mut out = if length < SMALLEST { vec![0; length] } else { pool.take(length) };
    out[..header.len()].copy_from_slice(header);
    out[header.len()..].copy_from_slice(payload);
    out
}
