//! One stream of HTTP/2, as a body that is read and one that is written.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use h2::{Reason, RecvStream, SendStream, client::ResponseFuture, server::SendResponse};
use portway_http::{
    Headers, Method, Request, Response, ResponseError, codec::ResponseHead, trailers_from_http2,
    trailers_to_http2,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client::{Place, Sender};

/// The largest piece that is written as one frame.
const MAX_PIECE: usize = 16 * 1024;

/// One stream of HTTP/2.
///
/// What is read of it is the body that comes, up to its end; after the end reads wait, and fail when the peer
/// gives up. What is written is the body that goes, which [`Http2Stream::end`] ends. Heads and trailers have calls
/// of their own. Dropping it gives up what has not ended.
#[derive(Debug)]
pub struct Http2Stream {
    receiving: Receiving,
    sending: Sending,
    /// The piece that was written last: the end of the body may still ride on it.
    held: Bytes,
    _place: Option<Place>,
}

#[derive(Debug)]
enum Receiving {
    /// The head of the response has not come.
    Head(Option<ResponseFuture>),
    Body(Incoming),
}

/// A body that comes.
#[derive(Debug)]
struct Incoming {
    stream: RecvStream,
    /// What was received and not read.
    received: Bytes,
    ended: bool,
    /// Whether a read has told the end.
    told: bool,
    trailers: Option<Headers>,
}

#[derive(Debug)]
enum Sending {
    /// The head of the request has not been sent.
    Request(Sender),
    /// The head of the response has not been sent.
    Response(SendResponse<Bytes>),
    Body(SendStream<Bytes>),
    /// All was sent; the stream, where it can still tell of a reset.
    Ended(Option<SendStream<Bytes>>),
}

impl Incoming {
    fn new(stream: RecvStream) -> Self {
        let ended = stream.is_end_stream();
        Self { stream, received: Bytes::new(), ended, told: ended, trailers: None }
    }

    /// Reads on until there are bytes or the end has come.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.received.is_empty() && !self.ended {
            match ready!(self.stream.poll_data(cx)) {
                Some(received) => self.received = received.map_err(broken)?,
                None => {
                    let trailers = ready!(self.stream.poll_trailers(cx)).map_err(broken)?;
                    self.trailers = trailers.map(|fields| trailers_from_http2(&fields));
                    self.ended = true;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Http2Stream {
    /// A stream that a client has opened.
    pub fn of_client(stream: RecvStream, respond: SendResponse<Bytes>) -> Self {
        Self {
            receiving: Receiving::Body(Incoming::new(stream)),
            sending: Sending::Response(respond),
            held: Bytes::new(),
            _place: None,
        }
    }

    /// A stream to a server on which nothing was sent.
    pub(super) fn to_server(sender: Sender, place: Place) -> Self {
        Self {
            receiving: Receiving::Head(None),
            sending: Sending::Request(sender),
            held: Bytes::new(),
            _place: Some(place),
        }
    }

    /// Sends the head of a request; `ends` says that it has no body.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when it cannot be written in HTTP/2, [`io::ErrorKind::ConnectionRefused`]
    /// when the connection takes no more requests.
    pub fn ask(&mut self, request: &Request, host: &str, ends: bool) -> io::Result<()> {
        let Sending::Request(sender) = &mut self.sending else { return Err(misused()) };
        let head = request.to_http2(sender.scheme(), host);
        let head = head.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (response, stream) = sender.send(head, ends)?;
        self.receiving = Receiving::Head(Some(response));
        self.sending = if ends { Sending::Ended(Some(stream)) } else { Sending::Body(stream) };
        Ok(())
    }

    /// Waits for the next head of a response to a request of `method`, an interim or the final one.
    ///
    /// The error has the kind [`io::ErrorKind::ConnectionRefused`] where the server has surely not begun to
    /// work on the request.
    pub fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
        response: &mut Response,
    ) -> Poll<io::Result<Result<(), ResponseError>>> {
        let Receiving::Head(Some(future)) = &mut self.receiving else {
            return Poll::Ready(Err(misused()));
        };
        if let Poll::Ready(Some(interim)) = future.poll_informational(cx) {
            let (head, ()) = interim.map_err(broken)?.into_parts();
            return Poll::Ready(Ok(response.take_http2(&head, method, false)));
        }
        let answered = ready!(Pin::new(future).poll(cx)).map_err(broken)?;
        let (head, stream) = answered.into_parts();
        let incoming = Incoming::new(stream);
        let taken = response.take_http2(&head, method, incoming.ended);
        self.receiving = Receiving::Body(incoming);
        Poll::Ready(Ok(taken))
    }

    /// Sends an interim head of a response.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn inform(&mut self, head: &ResponseHead<'_>) -> io::Result<()> {
        let Sending::Response(respond) = &mut self.sending else { return Err(misused()) };
        let head = head.to_http2().map_err(io::Error::other)?;
        respond.send_informational(head).map_err(broken)
    }

    /// Sends the head of the final response; `ends` says that it has neither body nor trailers.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn respond(&mut self, head: &ResponseHead<'_>, ends: bool) -> io::Result<()> {
        let Sending::Response(respond) = &mut self.sending else { return Err(misused()) };
        let head = head.to_http2().map_err(io::Error::other)?;
        let stream = respond.send_response(head, ends).map_err(broken)?;
        self.sending = if ends { Sending::Ended(Some(stream)) } else { Sending::Body(stream) };
        Ok(())
    }

    /// Ends the body that goes; nothing happens where it has ended already.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn end(&mut self, trailers: Option<&Headers>) -> io::Result<()> {
        let Sending::Body(stream) = &mut self.sending else { return Ok(()) };
        let last = std::mem::take(&mut self.held);
        match trailers.map(trailers_to_http2).filter(|trailers| !trailers.is_empty()) {
            Some(trailers) => {
                if !last.is_empty() {
                    stream.send_data(last, false).map_err(broken)?;
                }
                stream.send_trailers(trailers).map_err(broken)?;
            }
            None => stream.send_data(last, true).map_err(broken)?,
        }
        if let Sending::Body(stream) = std::mem::replace(&mut self.sending, Sending::Ended(None)) {
            self.sending = Sending::Ended(Some(stream));
        }
        Ok(())
    }

    /// Takes the trailers of the body that came, once it has ended.
    pub fn take_trailers(&mut self) -> Option<Headers> {
        match &mut self.receiving {
            Receiving::Body(incoming) => incoming.trailers.take(),
            Receiving::Head(_) => None,
        }
    }

    /// Gives the stream up with an error that the peer sees.
    pub fn reset(&mut self, reason: Reason) {
        match &mut self.sending {
            Sending::Response(respond) => respond.send_reset(reason),
            Sending::Body(stream) | Sending::Ended(Some(stream)) => stream.send_reset(reason),
            Sending::Request(_) | Sending::Ended(None) => {}
        }
    }

    /// Waits until the peer gives the stream up.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let reset = match &mut self.sending {
            Sending::Response(respond) => ready!(respond.poll_reset(cx)),
            Sending::Body(stream) | Sending::Ended(Some(stream)) => ready!(stream.poll_reset(cx)),
            Sending::Request(_) | Sending::Ended(None) => return Poll::Pending,
        };
        match reset {
            Ok(_) => Poll::Ready(io::ErrorKind::ConnectionReset.into()),
            Err(error) => Poll::Ready(broken(error)),
        }
    }

    /// Sends the piece that is held, with more to follow.
    fn let_go(&mut self) -> io::Result<()> {
        if let Sending::Body(stream) = &mut self.sending
            && !self.held.is_empty()
        {
            stream.send_data(std::mem::take(&mut self.held), false).map_err(broken)?;
        }
        Ok(())
    }
}

/// What is wrong with a stream or its connection.
fn broken(error: h2::Error) -> io::Error {
    let refused =
        error.is_remote() && error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)
            || error.reason() == Some(Reason::REFUSED_STREAM);
    let kind = match error.is_io() {
        _ if refused => io::ErrorKind::ConnectionRefused,
        true => error.get_io().map_or(io::ErrorKind::BrokenPipe, io::Error::kind),
        false => io::ErrorKind::ConnectionReset,
    };
    io::Error::new(kind, error)
}

/// A call that does not fit how far the stream has come.
fn misused() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Receiving::Body(incoming) = &mut this.receiving else {
            return this.poll_reset(cx).map(Err);
        };
        ready!(incoming.poll(cx))?;
        let count = incoming.received.len().min(buf.remaining());
        if count > 0 {
            buf.put_slice(incoming.received.get(..count).unwrap_or_default());
            incoming.received.advance(count);
            // Room is made as soon as it is passed on: a slow reader slows the sender.
            incoming.stream.flow_control().release_capacity(count).map_err(broken)?;
            return Poll::Ready(Ok(()));
        }
        if !std::mem::replace(&mut incoming.told, true) {
            return Poll::Ready(Ok(()));
        }
        this.poll_reset(cx).map(Err)
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        this.let_go()?;
        let Sending::Body(stream) = &mut this.sending else { return Poll::Ready(Err(misused())) };
        let wanted = buf.len().min(MAX_PIECE);
        stream.reserve_capacity(wanted);
        while stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(room) => drop(room.map_err(broken)?),
                None => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            }
        }
        let count = wanted.min(stream.capacity());
        this.held = Bytes::copy_from_slice(buf.get(..count).unwrap_or_default());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().let_go())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().end(None))
    }
}
