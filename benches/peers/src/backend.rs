//! The server behind every contender: answers by the path's end, cheaply, on one thread.
//!
//! It shares a core with the load generator, so what it spends is taken from the load: one read, one
//! search for the head's end and one write for each request.

use std::{
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    sync::Arc,
};

use memchr::memmem;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

/// The paths' ends and the sizes of the bodies that they get.
pub(crate) const SIZES: &[(&str, usize)] = &[("/1k", 1024), ("/100k", 102_400), ("/1m", 1_048_576)];

/// A path that ends so gets its own request's head as body.
const ECHO: &[u8] = b"/echo";

const LISTENER: Token = Token(0);

/// A listening backend.
#[derive(Debug)]
pub(crate) struct Backend {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    answers: Answers,
}

#[derive(Debug)]
struct Answers {
    sized: Vec<(&'static [u8], Arc<[u8]>)>,
    unknown: Arc<[u8]>,
    refused: Arc<[u8]>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// The part of a head that has come so far.
    head: Vec<u8>,
    /// What is still to come of a request's body, and the answer that waits for its end.
    body: Option<(u64, Arc<[u8]>)>,
    /// What could not be written at once.
    unwritten: VecDeque<(Arc<[u8]>, usize)>,
}

impl Backend {
    /// Listens on `address`.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut listener = TcpListener::bind(address)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let answers = Answers::new();
        Ok(Self { poll, listener, connections: Vec::new(), free: Vec::new(), answers })
    }

    /// Where it listens.
    #[cfg(test)]
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let index = event.token().0 - 1;
                let Some(Some(connection)) = self.connections.get_mut(index) else { continue };
                if connection.advance(&mut buffer, &self.answers).is_err() {
                    self.release(index);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or(self.connections.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index + 1), interest)?;
            let connection = Connection::new(stream);
            match self.connections.get_mut(index) {
                Some(place) => *place = Some(connection),
                None => self.connections.push(Some(connection)),
            }
        }
    }

    fn release(&mut self, index: usize) {
        if let Some(place) = self.connections.get_mut(index) {
            *place = None;
            self.free.push(index);
        }
    }
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, head: Vec::new(), body: None, unwritten: VecDeque::new() }
    }

    /// Does what can be done; an error ends the connection.
    fn advance(&mut self, buffer: &mut [u8], answers: &Answers) -> io::Result<()> {
        self.write_rest()?;
        loop {
            let length = match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.take(buffer.get(..length).unwrap_or_default(), answers)?;
            // A short read has drained the socket: more bytes come with another event.
            if length < buffer.len() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8], answers: &Answers) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Some((left, answer)) = self.body.take() {
                let here = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                bytes = bytes.get(here..).unwrap_or_default();
                match left - here as u64 {
                    0 => self.write(answer)?,
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
                0 => self.write(answer)?,
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

    fn write(&mut self, answer: Arc<[u8]>) -> io::Result<()> {
        self.unwritten.push_back((answer, 0));
        self.write_rest()
    }

    fn write_rest(&mut self) -> io::Result<()> {
        while let Some((answer, from)) = self.unwritten.front_mut() {
            let rest = answer.get(*from..).unwrap_or_default();
            match self.stream.write(rest) {
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
    fn new() -> Self {
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
