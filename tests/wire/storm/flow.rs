//! Bodies of HTTP/2 as clients and servers of the storm read and write them.

use std::future::poll_fn;
use std::io;

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use portway_testkit::message::{Headers, latin1};

use super::content::Content;
use super::http1::Pace;

/// As the client and the servers of HTTP/1.1 know them.
pub(super) fn headers(fields: &HeaderMap) -> Headers {
    let pairs =
        fields.iter().map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes())));
    Headers(pairs.collect())
}

/// One field.
pub(super) fn field(fields: &mut HeaderMap, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("a value");
    fields.insert(HeaderName::from_static(name), value);
}

/// Sends bytes as there is room for them.
pub(super) async fn send(
    stream: &mut SendStream<Bytes>,
    bytes: &[u8],
    ends: bool,
) -> Result<(), h2::Error> {
    let mut bytes = Bytes::copy_from_slice(bytes);
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let room = match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(room) => room?,
            None => return Err(Reason::STREAM_CLOSED.into()),
        };
        let now = bytes.split_to(room.min(bytes.len()));
        stream.send_data(now, ends && bytes.is_empty())?;
    }
    Ok(())
}

/// Sends so many bytes of a body.
pub(super) async fn send_body(
    stream: &mut SendStream<Bytes>,
    content: &mut Content,
    mut length: usize,
    pace: &mut Pace,
) -> Result<(), h2::Error> {
    while length > 0 {
        let bytes = content.next(length.min(pace.piece()));
        length -= bytes.len();
        send(stream, bytes, false).await?;
        pace.rest().await;
    }
    Ok(())
}

/// Reads a body to its end, and its trailers.
pub(super) async fn read_body(
    stream: &mut RecvStream,
    pace: &mut Pace,
    take: &mut (dyn FnMut(&[u8]) + Send),
) -> io::Result<Headers> {
    while let Some(piece) = stream.data().await {
        let piece = piece.map_err(io::Error::other)?;
        take(&piece);
        pace.rest().await;
        let _ = stream.flow_control().release_capacity(piece.len());
    }
    let trailers = stream.trailers().await.map_err(io::Error::other)?;
    Ok(trailers.as_ref().map(headers).unwrap_or_default())
}

/// Reads messages of gRPC.
#[derive(Debug, Default)]
pub(super) struct Messages {
    unread: Vec<u8>,
}

impl Messages {
    /// The next message; `None` at the end of the body.
    pub(super) async fn next(&mut self, stream: &mut RecvStream) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let [0, a, b, c, d, rest @ ..] = &self.unread[..] {
                let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
                if rest.len() >= length {
                    let message = rest[..length].to_vec();
                    self.unread.drain(..5 + length);
                    return Ok(Some(message));
                }
            }
            let Some(piece) = stream.data().await else {
                let whole = self.unread.is_empty();
                return if whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            };
            let piece = piece.map_err(io::Error::other)?;
            self.unread.extend_from_slice(&piece);
            let _ = stream.flow_control().release_capacity(piece.len());
        }
    }
}

/// A message as it travels.
pub(super) fn message(content: &mut Content) -> Vec<u8> {
    let length = length(content);
    let head = u32::try_from(length).expect("a short message").to_be_bytes();
    let bytes = content.next(length);
    [&[0], &head[..], bytes].concat()
}

/// How long the next message is: that follows from what was before.
pub(super) fn length(content: &Content) -> usize {
    let mut content = content.clone();
    content.next(3).iter().fold(1, |product, letter| product * usize::from(letter - b'a' + 1))
}

/// Whether a message is the next.
pub(super) fn check(content: &mut Content, message: &[u8]) {
    let length = length(content);
    content.check(message);
    content.right &= message.len() == length;
}
