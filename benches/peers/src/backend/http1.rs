//! HTTP/1.1: one request after the other.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    sync::Arc,
};

use memchr::memmem;
use mio::net::TcpStream;

use super::{ECHO, SIZES};

/// Whole answers.
#[derive(Debug)]
pub(super) struct Answers {
    sized: Vec<(&'static [u8], Arc<[u8]>)>,
    unknown: Arc<[u8]>,
    refused: Arc<[u8]>,
}

/// A connection's state.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The part of a head that has come so far.
    head: Vec<u8>,
    /// What is still to come of a request's body, and the answer that waits for its end.
    body: Option<(u64, Arc<[u8]>)>,
    /// What could not be written at once.
    unwritten: VecDeque<(Arc<[u8]>, usize)>,
}

impl Session {
    /// Answers what came, and keeps what is not complete.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        answers: &Answers,
        stream: &mut TcpStream,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Some((left, answer)) = self.body.take() {
                let here = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                bytes = bytes.get(here..).unwrap_or_default();
                match left - here as u64 {
                    0 => self.write(answer, stream)?,
                    left => self.body = Some((left, answer)),
                }
                continue;
            }
            let Some(end) = self.find_end(bytes) else {
                self.head.extend_from_slice(bytes);
                return Ok(());
            };
            let (head, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
            bytes = rest;
            let (answer, length) = if self.head.is_empty() {
                answers.choose(head)
            } else {
                self.head.extend_from_slice(head);
                let chosen = answers.choose(&self.head);
                self.head.clear();
                chosen
            };
            match length {
                0 => self.write(answer, stream)?,
                length => self.body = Some((length, answer)),
            }
        }
        Ok(())
    }

    /// Where in `bytes` the head ends, of which `self.head` has come before.
    fn find_end(&self, bytes: &[u8]) -> Option<usize> {
        if self.head.is_empty() {
            return memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4);
        }
        let mut whole = self.head.clone();
        whole.extend_from_slice(bytes);
        memmem::find(&whole, b"\r\n\r\n").map(|at| at + 4 - self.head.len())
    }

    fn write(&mut self, answer: Arc<[u8]>, stream: &mut TcpStream) -> io::Result<()> {
        self.unwritten.push_back((answer, 0));
        self.write_rest(stream)
    }

    /// Writes what could not be written at once.
    pub(super) fn write_rest(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        while let Some((answer, from)) = self.unwritten.front_mut() {
            let rest = answer.get(*from..).unwrap_or_default();
            match stream.write(rest) {
                Ok(length) if length == rest.len() => drop(self.unwritten.pop_front()),
                Ok(length) => *from += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Answers {
    /// Makes them.
    pub(super) fn new() -> Self {
        let sized = SIZES
            .iter()
            .map(|(end, size)| (end.as_bytes(), answer("200 OK", &vec![b'x'; *size])))
            .collect();
        let unknown = answer("404 Not Found", b"unknown path\n");
        let refused = answer("501 Not Implemented", b"only Content-Length is understood\n");
        Self { sized, unknown, refused }
    }

    /// The answer to a request, and the length of the body that precedes it.
    fn choose(&self, head: &[u8]) -> (Arc<[u8]>, u64) {
        let mut words = head.splitn(3, |byte| *byte == b' ');
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let length = if method == b"GET" { Some(0) } else { content_length(head) };
        let Some(length) = length else { return (Arc::clone(&self.refused), 0) };
        if path.ends_with(ECHO) {
            return (answer("200 OK", head), length);
        }
        let known = self.sized.iter().find(|(end, _)| path.ends_with(end));
        (Arc::clone(known.map_or(&self.unknown, |(_, answer)| answer)), length)
    }
}

fn answer(status: &str, body: &[u8]) -> Arc<[u8]> {
    let length = body.len();
    let mut whole = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nServer: backend\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    whole.extend_from_slice(body);
    whole.into()
}

/// A request's Content-Length, 0 without one; `None` if its body is framed in another way.
fn content_length(head: &[u8]) -> Option<u64> {
    let text = str::from_utf8(head).ok()?;
    let mut length = 0;
    for line in text.split("\r\n") {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
    }
    Some(length)
}
