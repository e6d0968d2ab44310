//! Reads responses as far as the load generator must: status, framing, length.

use memchr::memmem;

/// Why a response is not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another status than 200.
    Status,
    /// A body of another length.
    Length,
    /// No HTTP/1.1, or more than one answer.
    Malformed,
    /// No `grpc-status: 0` in the trailers.
    Trailers,
}

/// Whether a response has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More must come.
    Partial,
    /// That was all of it.
    Complete,
}

/// Reads one response after another.
#[derive(Debug)]
pub(super) struct ResponseReader {
    expected: u64,
    state: State,
    /// The part of a line or head that came with an earlier read.
    carried: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes are left.
    Body(u64),
    /// A chunk's size line comes next; so much has come before.
    Size(u64),
    /// So many bytes of a chunk and its line end are left; the sum with this chunk.
    Chunk(u64, u64),
    /// The line after the last chunk; the sum.
    Trailer(u64),
}

impl ResponseReader {
    /// Expects bodies of that length.
    pub(super) fn new(expected: u64) -> Self {
        Self { expected, state: State::Head, carried: Vec::new() }
    }

    /// Forgets what it has read.
    pub(super) fn reset(&mut self) {
        self.state = State::Head;
        self.carried.clear();
    }

    /// Reads on; what follows a complete response is a fault, since nothing else was asked for.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<Progress, Fault> {
        loop {
            match self.state {
                State::Head => {
                    let Some((line, rest)) = self.until(bytes, b"\r\n\r\n") else { break };
                    bytes = rest;
                    self.state = match line {
                        Piece::Here(head) => self.begin(head)?,
                        Piece::Carried(head) => self.begin(&head)?,
                    };
                }
                State::Body(left) | State::Chunk(left, _) => {
                    let here = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    bytes = bytes.get(here..).unwrap_or_default();
                    let left = left - here as u64;
                    self.state = match (self.state, left) {
                        (State::Chunk(_, sum), 0) => State::Size(sum),
                        (State::Chunk(_, sum), left) => State::Chunk(left, sum),
                        (_, 0) => return self.end(bytes),
                        (_, left) => State::Body(left),
                    };
                    if left > 0 {
                        break;
                    }
                }
                State::Size(sum) => {
                    let Some((line, rest)) = self.until(bytes, b"\r\n") else { break };
                    bytes = rest;
                    self.state = match chunk_size(line.bytes()).ok_or(Fault::Malformed)? {
                        0 => State::Trailer(sum),
                        // The chunk's line end is read with it.
                        size => State::Chunk(size + 2, sum + size),
                    };
                }
                State::Trailer(sum) => {
                    let Some((line, rest)) = self.until(bytes, b"\r\n") else { break };
                    bytes = rest;
                    if line.bytes().is_empty() {
                        return if sum == self.expected {
                            self.end(bytes)
                        } else {
                            Err(Fault::Length)
                        };
                    }
                }
            }
        }
        Ok(Progress::Partial)
    }

    fn end(&mut self, rest: &[u8]) -> Result<Progress, Fault> {
        self.state = State::Head;
        if rest.is_empty() { Ok(Progress::Complete) } else { Err(Fault::Malformed) }
    }

    /// What comes before `mark`, with what was carried; carries the bytes over if there is no mark.
    fn until<'bytes>(
        &mut self,
        bytes: &'bytes [u8],
        mark: &[u8],
    ) -> Option<(Piece<'bytes>, &'bytes [u8])> {
        if self.carried.is_empty() {
            if let Some(at) = memmem::find(bytes, mark) {
                let (line, rest) = bytes.split_at_checked(at)?;
                return Some((Piece::Here(line), rest.get(mark.len()..)?));
            }
            self.carried.extend_from_slice(bytes);
            return None;
        }
        let before = self.carried.len();
        self.carried.extend_from_slice(bytes);
        let at = memmem::find(&self.carried, mark)?;
        let rest = bytes.get(at + mark.len() - before..)?;
        let mut line = std::mem::take(&mut self.carried);
        line.truncate(at);
        Some((Piece::Carried(line), rest))
    }

    fn begin(&self, head: &[u8]) -> Result<State, Fault> {
        let status = head.strip_prefix(b"HTTP/1.1 ").ok_or(Fault::Malformed)?.get(..3);
        if status != Some(b"200") {
            return Err(Fault::Status);
        }
        let mut length = None;
        for line in head.split(|byte| *byte == b'\n').skip(1) {
            // Both names that matter have their own length.
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
            if name.len() == 14 && name.eq_ignore_ascii_case(b"content-length") {
                length = Some(number(value.get(1..).unwrap_or_default()).ok_or(Fault::Malformed)?);
            } else if name.len() == 17 && name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Ok(State::Size(0));
            }
        }
        match length {
            Some(length) if length == self.expected && length > 0 => Ok(State::Body(length)),
            Some(_) => Err(Fault::Length),
            None => Err(Fault::Malformed),
        }
    }
}

/// A line or head: in the bytes at hand, or put together from several reads.
enum Piece<'bytes> {
    Here(&'bytes [u8]),
    Carried(Vec<u8>),
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Here(bytes) => bytes,
            Self::Carried(bytes) => bytes,
        }
    }
}

fn number(value: &[u8]) -> Option<u64> {
    str::from_utf8(value).ok()?.trim().parse().ok()
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let text = str::from_utf8(line).ok()?;
    u64::from_str_radix(text.split(';').next()?.trim(), 16).ok()
}
