//! One request by a connection of its own, which waits for the answer.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use portway_http::{
    Response,
    h2::{Client, Connection, Event, Limits},
};

use crate::{
    contender::{HOST, PREFIX},
    load::{Call, Sessions, TlsClient},
};

/// How long a contender may take for a part of an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a contender is asked.
#[derive(Debug)]
pub(super) enum Way {
    /// HTTP/1.1 without TLS.
    Http1(SocketAddr),
    /// HTTP/2 by prior knowledge.
    Http2(SocketAddr),
    /// HTTP/2 over TLS.
    TlsHttp2(SocketAddr, Box<TlsClient>),
}

/// What comes back.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The body in small letters, with the frames of chunks where there are any.
    pub(super) text: String,
}

impl Way {
    pub(super) fn tls_http2(address: SocketAddr) -> Result<Self> {
        let client = TlsClient::new(HOST, Sessions::Never, &[b"h2"])?;
        Ok(Self::TlsHttp2(address, Box::new(client)))
    }

    /// Asks for what is at `path` behind the rule's prefix.
    pub(super) fn ask(&self, host: &str, path: &str) -> Result<Answer> {
        let path = format!("{PREFIX}{path}");
        match self {
            Self::Http1(address) => http1(connect(*address)?, host, &path),
            Self::Http2(address) => http2(connect(*address)?, &Call::get(false, host, &path)?),
            Self::TlsHttp2(address, client) => {
                let mut stream = client.wait(connect(*address)?)?;
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                ensure!(stream.conn.alpn_protocol() == Some(b"h2"), "HTTP/2 is not agreed on");
                http2(stream, &Call::get(true, host, &path)?)
            }
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn http1(mut stream: TcpStream, host: &str, path: &str) -> Result<Answer> {
    // The relay passes this on; the backend does not close. What the body says is read by its length.
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 4096];
    while !is_whole(&answer) {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the connection ends early");
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&answer).to_lowercase();
    let (head, text) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default().parse()?;
    Ok(Answer { status, text: text.to_owned() })
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        Some(length) => body.len() >= length,
        None => body.ends_with("0\r\n\r\n") || !head.contains("chunked"),
    }
}

fn http2(mut stream: impl Read + Write, call: &Call) -> Result<Answer> {
    let mut engine: Connection<Client> = Connection::client(&Limits::default());
    let mut response = Response::new();
    let (mut status, mut body) = (0, Vec::new());
    let mut buffer = vec![0; 4096];
    ensure!(call.open(&mut engine).is_some(), "no stream is taken");
    loop {
        let output = engine.output();
        let length = output.len();
        stream.write_all(output)?;
        engine.written(length);
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the connection ends early");
        let mut bytes = buffer.get(..read).unwrap_or_default();
        loop {
            let step = engine.next(bytes, &mut response, Instant::now())?;
            let ended = match &step.event {
                None => break,
                Some(Event::Head { end, .. }) => {
                    status = response.status.code();
                    *end
                }
                Some(Event::Data { payload, end, .. }) => {
                    body.extend_from_slice(bytes.get(payload.clone()).unwrap_or_default());
                    *end
                }
                Some(Event::Trailers { .. }) => true,
                Some(Event::Reset { .. } | Event::GoAway { .. }) => bail!("the stream ends early"),
                Some(Event::Refused { .. } | Event::Wasted | Event::Pong { .. }) => false,
            };
            if ended {
                return Ok(Answer { status, text: String::from_utf8_lossy(&body).to_lowercase() });
            }
            bytes = bytes.get(step.consumed..).unwrap_or_default();
        }
    }
}
