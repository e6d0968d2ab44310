//! Streams for tests: connections in memory that give and take a few bytes at a time.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use portway_http::{BodyFraming, BodyReader, TrailerLimits};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf},
    time::timeout,
};

use crate::relay::{Download, Peer, Upload};

/// A request on its way, with this head.
pub(crate) fn upload_of(head: &[u8], framing: BodyFraming) -> Upload {
    let mut upload = Upload::default();
    let reader = BodyReader::for_request(framing, TrailerLimits::default());
    upload.begin(reader, framing == BodyFraming::Chunked, |out| out.extend_from_slice(head));
    upload
}

/// A response on its way, with this head.
pub(crate) fn download_of(head: Vec<u8>, from: BodyFraming, chunked: bool) -> Download {
    let mut download = Download::default();
    download.begin(head, BodyReader::for_response(from, TrailerLimits::default()), chunked);
    download
}

/// A stream that passes at most `step` bytes at once, and keeps everybody waiting every other time.
#[derive(Debug)]
pub(crate) struct Choppy {
    stream: DuplexStream,
    step: usize,
    read_waits: bool,
    write_waits: bool,
}

impl Choppy {
    pub(crate) fn new(stream: DuplexStream, step: usize) -> Self {
        Self { stream, step, read_waits: false, write_waits: false }
    }

    /// What passes is cut no more.
    pub(crate) fn into_inner(self) -> DuplexStream {
        self.stream
    }

    /// A choppy end and a plain one; each direction holds `capacity` bytes.
    pub(crate) fn pair(capacity: usize, step: usize) -> (Self, DuplexStream) {
        let (here, there) = tokio::io::duplex(capacity);
        (Self::new(here, step), there)
    }
}

fn waits(flag: &mut bool, cx: &Context<'_>) -> bool {
    *flag = !*flag;
    if *flag {
        cx.waker().wake_by_ref();
    }
    *flag
}

impl AsyncRead for Choppy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if waits(&mut self.read_waits, cx) {
            return Poll::Pending;
        }
        let mut bytes = vec![0; self.step.min(buf.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut part);
        buf.put_slice(part.filled());
        read
    }
}

impl AsyncWrite for Choppy {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if waits(&mut self.write_waits, cx) {
            return Poll::Pending;
        }
        let part = &buf[..self.step.min(buf.len())];
        Pin::new(&mut self.stream).poll_write(cx, part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Fails a test that hangs: with a paused clock, as soon as nobody has anything left to do.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let at = std::panic::Location::caller();
    async move {
        let ended = timeout(Duration::from_secs(3600), future).await;
        ended.unwrap_or_else(|_| panic!("nothing moves any more, at {at}"))
    }
}

/// All bytes up to the end of the stream.
pub(crate) async fn everything(stream: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

impl Peer for Choppy {}
