//! Reads frames out of a stream, by the format and the checks of `src/net/wire/frame.ts`. What is wrong is told by its
//! bytes, and named there.

use super::pool::Pool;

pub const SESSION: usize = 16;
/// Bytes of a header before the tag.
const FIXED: usize = 12 + SESSION;
const MOST_TAG: usize = 120;
const MOST_PAYLOAD: usize = 64 * 1024 * 1024;
/// A payload above this is announced before it has come.
const ANNOUNCED: usize = 64 * 1024;

pub struct Header {
    pub tag: Vec<u8>,
    pub sequence: u32,
    pub length: usize,
}

pub enum Step {
    More,
    /// A header that was checked, of a long payload.
    Announced(Header),
    Complete(Header, Vec<u8>),
}

/// The bytes of a header that is none.
pub struct Malformed(pub Vec<u8>);

pub struct Parser {
    session: [u8; SESSION],
    /// Number of the next frame.
    sequence: u64,
    head: [u8; FIXED + MOST_TAG],
    have: usize,
    /// Allocated when the header was checked.
    payload: Option<Vec<u8>>,
    filled: usize,
}

impl Parser {
    pub fn new(session: [u8; SESSION]) -> Self {
        Parser { session, sequence: 0, head: [0; FIXED + MOST_TAG], have: 0, payload: None, filled: 0 }
    }

    /// Where the next bytes of the stream go. Never empty.
    pub fn room(&mut self) -> &mut [u8] {
        let end = self.head_end();
        match &mut self.payload {
            Some(payload) => &mut payload[self.filled..],
            None => &mut self.head[self.have..end],
        }
    }

    /// So many bytes were written to `room`.
    pub fn advance(&mut self, count: usize, pool: &Pool) -> Result<Step, Malformed> {
        if count == 0 {
            return Ok(Step::More);
        }
        if let Some(payload) = &self.payload {
            self.filled += count;
            return Ok(if self.filled == payload.len() { self.complete() } else { Step::More });
        }
        self.have += count;
        if self.have == FIXED {
            return if self.fixed_is_good() { Ok(Step::More) } else { Err(self.malformed()) };
        }
        if self.have < self.head_end() {
            return Ok(Step::More);
        }
        if !self.head[FIXED..self.have].iter().all(|char| (0x21..=0x7e).contains(char)) {
            return Err(self.malformed());
        }
        let header = self.header();
        self.payload = Some(pool.take(header.length));
        self.filled = 0;
        Ok(match header.length {
            0 => self.complete(),
            length if length > ANNOUNCED => Step::Announced(header),
            _ => Step::More,
        })
    }

    /// The fixed part first: its tag length says how long the header is.
    fn head_end(&self) -> usize {
        if self.have < FIXED {
            FIXED
        } else {
            FIXED + self.head[2] as usize
        }
    }

    fn fixed_is_good(&self) -> bool {
        let head = &self.head;
        head[0] == 0x54
            && head[1] == 1
            && (1..=MOST_TAG).contains(&(head[2] as usize))
            && head[3] == 0
            && head[12..FIXED] == self.session
            && u64::from(word(head, 4)) == self.sequence
            && word(head, 8) as usize <= MOST_PAYLOAD
    }

    fn header(&self) -> Header {
        Header {
            tag: self.head[FIXED..self.have].to_vec(),
            sequence: word(&self.head, 4),
            length: word(&self.head, 8) as usize,
        }
    }

    fn complete(&mut self) -> Step {
        let header = self.header();
        self.have = 0;
        self.sequence += 1;
        Step::Complete(header, self.payload.take().unwrap_or_default())
    }

    fn malformed(&self) -> Malformed {
        Malformed(self.head[..self.have].to_vec())
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
