//! The server behind every contender: answers by the path's end, cheaply, on one thread.
//!
//! It shares a core with the load generator, so what it spends is taken from the load: of HTTP/1.1 one
//! read, one search for the head's end and one write for each request (`http1`). A connection that
//! begins with the preface of HTTP/2 speaks that (`http2`), and answers calls of gRPC, too; all that one
//! read asks for leaves in one write.

mod http1;
mod http2;

use std::{
    io::{self, Read as _},
    net::SocketAddr,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

/// The paths' ends and the sizes of the bodies that they get.
pub(crate) const SIZES: &[(&str, usize)] = &[("/1k", 1024), ("/100k", 102_400), ("/1m", 1_048_576)];

/// What a call of gRPC and its answer hold: a message of 64 bytes behind its prefix, which says that it
/// is not compressed and how long it is.
pub(crate) fn grpc_message() -> Vec<u8> {
    [[0, 0, 0, 0, 64].as_slice(), &[b'm'; 64]].concat()
}

/// A path that ends so gets its own request's head as body.
const ECHO: &[u8] = b"/echo";

const LISTENER: Token = Token(0);

/// No method of HTTP/1.1, and less than what every client of HTTP/2 writes first in one piece.
const PREFACE_BEGIN: &[u8] = b"PRI ";

/// A listening backend.
#[derive(Debug)]
pub(crate) struct Backend {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    answers: Answers,
}

/// What is answered.
#[derive(Debug)]
struct Answers {
    http1: http1::Answers,
    http2: http2::Answers,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    protocol: Protocol,
}

/// What a connection speaks.
#[derive(Debug)]
enum Protocol {
    /// Nothing has come yet.
    Unknown,
    Http1(http1::Session),
    Http2(Box<http2::Session>),
}

impl Backend {
    /// Listens on `address`.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut listener = TcpListener::bind(address)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let answers = Answers { http1: http1::Answers::new(), http2: http2::Answers::new() };
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
            let connection = Connection { stream, protocol: Protocol::Unknown };
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
    /// Does what can be done; an error ends the connection.
    fn advance(&mut self, buffer: &mut [u8], answers: &Answers) -> io::Result<()> {
        self.write(answers)?;
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

    fn take(&mut self, bytes: &[u8], answers: &Answers) -> io::Result<()> {
        if matches!(self.protocol, Protocol::Unknown) {
            self.protocol = match bytes.starts_with(PREFACE_BEGIN) {
                true => Protocol::Http2(Box::new(http2::Session::new())),
                false => Protocol::Http1(http1::Session::default()),
            };
        }
        match &mut self.protocol {
            Protocol::Unknown => Ok(()),
            Protocol::Http1(session) => session.take(bytes, &answers.http1, &mut self.stream),
            Protocol::Http2(session) => {
                session.take(bytes, &answers.http2)?;
                session.write(&mut self.stream, &answers.http2)
            }
        }
    }

    fn write(&mut self, answers: &Answers) -> io::Result<()> {
        match &mut self.protocol {
            Protocol::Unknown => Ok(()),
            Protocol::Http1(session) => session.write_rest(&mut self.stream),
            Protocol::Http2(session) => session.write(&mut self.stream, &answers.http2),
        }
    }
}
