//! One stream of HTTP/2, as a body that is read and one that is written.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use portway_http::{
    Headers, Request, Response,
    codec::ResponseHead,
    h2::{Client, ErrorCode, RequestHead, Role, Server, StreamId, Unsent},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hub::{Shared, Slot};

/// One stream of HTTP/2.
///
/// What is read of it is the body that comes, up to its end; after the end reads wait, and fail when the peer
/// gives up. What is written is the body that goes, which [`Http2Stream::end`] or the last
/// [`Http2Stream::poll_send`] ends. Heads and trailers have calls of their own. Dropping it gives up what has not
/// ended.
#[derive(Debug)]
pub struct Http2Stream(Side);

#[derive(Debug)]
enum Side {
    /// A client has opened it.
    OfClient(Handle<Server>),
    /// To a server, whose scheme this is; opened with the head of the request.
    ToServer(Shared<Client>, &'static str, Option<Handle<Client>>),
}

/// A stream that the engine knows.
#[derive(Debug)]
struct Handle<R: Role> {
    hub: Shared<R>,
    stream: StreamId,
    /// Whether all that goes was given to the engine.
    sent: bool,
    /// Whether a read has told the end.
    told: bool,
}

/// Gives a client's stream up from outside, wherever its owner waits: the owner finds it as if the client had.
#[derive(Debug)]
pub struct Cutter {
    hub: Shared<Server>,
    stream: StreamId,
}

impl Cutter {
    /// Gives the stream up with an error that the client sees, unless it has ended.
    pub fn cut(&self, code: ErrorCode) {
        let mut hub = self.hub.borrow_mut();
        hub.give_up(&[self.stream], code);
        hub.wake_driver();
    }
}

impl Http2Stream {
    /// What can give the stream up from outside; `None` for one to a server.
    pub fn cutter(&self) -> Option<Cutter> {
        match &self.0 {
            Side::OfClient(Handle { hub, stream, .. }) => {
                Some(Cutter { hub: Rc::clone(hub), stream: *stream })
            }
            Side::ToServer(..) => None,
        }
    }

    pub(super) fn of_client(hub: &Shared<Server>, stream: StreamId) -> Self {
        Self(Side::OfClient(Handle::new(Rc::clone(hub), stream, false)))
    }

    pub(super) fn to_server(hub: Shared<Client>, scheme: &'static str) -> Self {
        Self(Side::ToServer(hub, scheme, None))
    }

    /// Sends the head of a request; `ends` says that it has no body.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionRefused`] when the connection takes no more requests,
    /// [`io::ErrorKind::ArgumentListTooLong`] when the server takes no heads of this length.
    pub fn ask(&mut self, request: &Request, host: &str, ends: bool) -> io::Result<()> {
        let Side::ToServer(hub, scheme, handle) = &mut self.0 else { return Err(misused()) };
        let head = RequestHead { request, scheme, authority: host, protocol: None };
        let mut shared = hub.borrow_mut();
        shared.rouse();
        if shared.is_over() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let stream = shared.engine.request(&head, ends).map_err(|why| match why {
            Unsent::NoRoom => io::ErrorKind::ConnectionRefused,
            Unsent::HeadTooLong => io::ErrorKind::ArgumentListTooLong,
        })?;
        shared.add(stream, false);
        shared.wake_driver();
        *handle = Some(Handle::new(Rc::clone(hub), stream, ends));
        Ok(())
    }

    /// Waits for the next head of a response, an interim or the final one.
    ///
    /// The error has the kind [`io::ErrorKind::ConnectionRefused`] where the server has surely not begun to
    /// work on the request.
    pub fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        response: &mut Response,
    ) -> Poll<io::Result<()>> {
        let Side::ToServer(_, _, Some(handle)) = &mut self.0 else {
            return Poll::Ready(Err(misused()));
        };
        let mut hub = handle.hub.borrow_mut();
        let Some(slot) = hub.slot(handle.stream) else { return Poll::Ready(Err(misused())) };
        if let Some(mut kept) = slot.responses.pop_front() {
            std::mem::swap(&mut *kept, response);
            hub.reuse(kept);
            return Poll::Ready(Ok(()));
        }
        if let Some(gone) = slot.gone {
            return Poll::Ready(Err(gone.error()));
        }
        slot.await_reading(cx);
        Poll::Pending
    }

    /// Sends the head of a response, an interim or the final one; `ends` says that it has neither body nor
    /// trailers.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn respond(&mut self, head: &ResponseHead<'_>, ends: bool) -> io::Result<()> {
        let Side::OfClient(handle) = &mut self.0 else { return Err(misused()) };
        handle.check()?;
        let mut hub = handle.hub.borrow_mut();
        hub.engine.respond(handle.stream, head, ends).map_err(|_| gone())?;
        hub.wake_driver();
        handle.sent |= ends;
        Ok(())
    }

    /// Sends as much of a piece of the body as can be taken; `last` says that the body ends with it.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        piece: &[u8],
        last: bool,
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Side::OfClient(handle) => handle.poll_send(cx, piece, last),
            Side::ToServer(_, _, Some(handle)) => handle.poll_send(cx, piece, last),
            Side::ToServer(..) => Poll::Ready(Err(misused())),
        }
    }

    /// Waits until anything of a body can be taken.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Side::OfClient(handle) => handle.poll_room(cx),
            Side::ToServer(_, _, Some(handle)) => handle.poll_room(cx),
            Side::ToServer(..) => Poll::Ready(Err(misused())),
        }
    }

    /// Ends the body that goes; nothing happens where it has ended already. Trailers are left out where requests of
    /// others share the connection to a server.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn end(&mut self, trailers: Option<&Headers>) -> io::Result<()> {
        match &mut self.0 {
            Side::OfClient(handle) => handle.end(trailers),
            Side::ToServer(_, _, Some(handle)) => handle.end(trailers),
            Side::ToServer(..) => Err(misused()),
        }
    }

    /// Takes the trailers of the body that came, once it has ended.
    pub fn take_trailers(&mut self) -> Option<Headers> {
        match &mut self.0 {
            Side::OfClient(handle) => handle.take_trailers(),
            Side::ToServer(_, _, handle) => handle.as_mut()?.take_trailers(),
        }
    }

    /// Lets the end of the body that came be read once more.
    pub fn repeat_end(&mut self) {
        match &mut self.0 {
            Side::OfClient(handle) => handle.told = false,
            Side::ToServer(_, _, Some(handle)) => handle.told = false,
            Side::ToServer(..) => {}
        }
    }

    /// Takes what still comes of a body that nobody wants, after all that goes was sent; ready at its end, or when the
    /// peer gives up.
    pub fn poll_unwanted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Side::OfClient(handle) => handle.poll_unwanted(cx),
            Side::ToServer(_, _, Some(handle)) => handle.poll_unwanted(cx),
            Side::ToServer(..) => Poll::Ready(()),
        }
    }

    /// Gives the stream up with an error that the peer sees.
    pub fn reset(&mut self, code: ErrorCode) {
        match &mut self.0 {
            Side::OfClient(handle) => handle.reset(code),
            Side::ToServer(_, _, Some(handle)) => handle.reset(code),
            Side::ToServer(..) => {}
        }
    }

    /// Whether the peer has given the stream up, or its connection is over.
    pub fn is_given_up(&self) -> bool {
        match &self.0 {
            Side::OfClient(handle) => handle.is_gone(),
            Side::ToServer(_, _, handle) => handle.as_ref().is_some_and(Handle::is_gone),
        }
    }

    /// Waits until the peer gives the stream up.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        match &mut self.0 {
            Side::OfClient(handle) => handle.poll_gone(cx),
            Side::ToServer(_, _, Some(handle)) => handle.poll_gone(cx),
            Side::ToServer(..) => Poll::Pending,
        }
    }
}

impl<R: Role> Handle<R> {
    fn new(hub: Shared<R>, stream: StreamId, sent: bool) -> Self {
        Self { hub, stream, sent, told: false }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut hub = self.hub.borrow_mut();
        let Some(slot) = hub.slot(self.stream) else { return Poll::Ready(Err(gone())) };
        let unread = slot.unread();
        let count = unread.len().min(buf.remaining());
        if count > 0 {
            buf.put_slice(unread.get(..count).unwrap_or_default());
            slot.advance(count);
            // Room is made as soon as it is passed on: a slow reader slows the sender.
            hub.engine.release(self.stream, count);
            hub.wake_driver();
            return Poll::Ready(Ok(()));
        }
        if slot.ended && !self.told {
            self.told = true;
            return Poll::Ready(Ok(()));
        }
        if let Some(gone) = slot.gone {
            return Poll::Ready(Err(gone.error()));
        }
        slot.await_reading(cx);
        Poll::Pending
    }

    fn poll_unwanted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut hub = self.hub.borrow_mut();
        let Some(slot) = hub.slot(self.stream).filter(|_| self.sent) else {
            return Poll::Ready(());
        };
        if slot.ended || slot.gone.is_some() {
            return Poll::Ready(());
        }
        let unread = slot.unread().len();
        slot.advance(unread);
        slot.await_reading(cx);
        hub.engine.release(self.stream, unread);
        hub.wake_driver();
        Poll::Pending
    }

    fn is_gone(&self) -> bool {
        self.check().is_err()
    }

    /// Whether the peer still takes anything. The engine does not know of a connection that broke: what is written
    /// to it would wait for room that nobody gives.
    fn check(&self) -> io::Result<()> {
        match self.hub.borrow_mut().slot(self.stream) {
            Some(Slot { gone: None, .. }) => Ok(()),
            Some(Slot { gone: Some(why), .. }) => Err(why.error()),
            None => Err(gone()),
        }
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let mut hub = self.hub.borrow_mut();
        let Some(slot) = hub.slot(self.stream) else { return Poll::Ready(gone()) };
        if let Some(gone) = slot.gone {
            return Poll::Ready(gone.error());
        }
        slot.await_reading(cx);
        Poll::Pending
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        piece: &[u8],
        last: bool,
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let mut hub = self.hub.borrow_mut();
        let taken = hub.engine.send_data(self.stream, piece, last).map_err(|_| gone())?;
        hub.wake_driver();
        if taken == 0 && !piece.is_empty() {
            if let Some(slot) = hub.slot(self.stream) {
                slot.await_writing(cx);
            }
            hub.watch_waiting();
            return Poll::Pending;
        }
        self.sent |= last && taken == piece.len();
        Poll::Ready(Ok(taken))
    }

    fn poll_room(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        let mut hub = self.hub.borrow_mut();
        if hub.engine.has_room(self.stream).map_err(|_| gone())? {
            return Poll::Ready(Ok(()));
        }
        if let Some(slot) = hub.slot(self.stream) {
            slot.await_writing(cx);
        }
        hub.watch_waiting();
        Poll::Pending
    }

    fn end(&mut self, trailers: Option<&Headers>) -> io::Result<()> {
        if self.sent {
            return Ok(());
        }
        self.check()?;
        let mut hub = self.hub.borrow_mut();
        let ended = match trailers.filter(|_| R::IS_SERVER || hub.apart) {
            Some(trailers) => hub.engine.send_trailers(self.stream, trailers),
            None => hub.engine.send_data(self.stream, &[], true).map(drop),
        };
        ended.map_err(|_| gone())?;
        hub.wake_driver();
        self.sent = true;
        Ok(())
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.hub.borrow_mut().slot(self.stream)?.trailers.take()
    }

    fn reset(&mut self, code: ErrorCode) {
        let mut hub = self.hub.borrow_mut();
        hub.engine.reset(self.stream, code);
        hub.wake_driver();
        self.sent = true;
    }
}

impl<R: Role> Drop for Handle<R> {
    fn drop(&mut self) {
        let mut hub = self.hub.borrow_mut();
        let Some(slot) = hub.remove(self.stream) else { return };
        let unread = slot.unread().len();
        if unread > 0 {
            hub.engine.release(self.stream, unread);
        }
        if !self.sent || !slot.ended {
            // A response that is complete makes the rest of the request needless (RFC 9113 §8.1); one that is not
            // any more wanted is cancelled, though the request is complete.
            let answered = if R::IS_SERVER { self.sent } else { slot.ended };
            let code = if answered { ErrorCode::NO_ERROR } else { ErrorCode::CANCEL };
            hub.engine.reset(self.stream, code);
        }
        hub.wake_driver();
    }
}

/// A call that does not fit how far the stream has come.
fn misused() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

fn gone() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Side::OfClient(handle) => handle.poll_read(cx, buf),
            Side::ToServer(_, _, Some(handle)) => handle.poll_read(cx, buf),
            Side::ToServer(..) => Poll::Pending,
        }
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, buf, false)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The driver writes by itself.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().end(None))
    }
}
