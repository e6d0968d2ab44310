//! Bytes both ways, until both sides have ended or one breaks.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    buffer::{Buffers, ReadBuffer},
    deadline::Deadline,
    relay::Side,
};

/// Both directions of a tunnel. What either side sent early goes first.
///
/// There is no idle limit while both sides are open, as in Traefik. Once one of them has ended, the other
/// may be silent for a while only: it may be gone without a word. While nothing passes, no buffer is held.
#[derive(Debug, Default)]
pub(super) struct Flow {
    up: Direction,
    down: Direction,
    /// When the side that is still open was silent too long.
    silent: Deadline,
    /// Bytes that had passed when that was last put off.
    seen: Option<u64>,
}

/// One direction of a tunnel.
#[derive(Debug, Default)]
struct Direction {
    /// Bytes that were written.
    passed: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Open,
    /// The source has ended; the other side has yet to be told.
    Ending,
    /// Nothing more will pass.
    Ended,
}

impl Flow {
    /// Bytes that went to the client.
    pub(super) fn received(&self) -> u64 {
        self.down.passed
    }

    /// Passes on what there is; ready when nothing more will pass. Once one side has ended, the other may be silent
    /// for `half_open`.
    pub(super) fn poll<C, S>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Side<'_, C>,
        server: &mut Side<'_, S>,
        buffers: &Buffers,
        half_open: Option<Duration>,
    ) -> Poll<()>
    where
        C: AsyncRead + AsyncWrite + Unpin,
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let sent = self.up.poll(cx, client, server.stream, buffers);
        let received = self.down.poll(cx, server, client.stream, buffers);
        match (sent, received) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => return Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(()),
            (Poll::Pending, Poll::Pending) => return Poll::Pending,
            _ => {}
        }
        let progress = Some(self.up.passed + self.down.passed);
        if self.seen != progress {
            self.seen = progress;
            self.silent.put_off(half_open);
        }
        if self.silent.has_passed(cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Direction {
    /// Passes on as far as both sides allow; ready when the source has ended and the other side knows.
    fn poll<F, T>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Side<'_, F>,
        to: &mut T,
        buffers: &Buffers,
    ) -> Poll<io::Result<()>>
    where
        F: AsyncRead + Unpin,
        T: AsyncWrite + Unpin,
    {
        while self.state == State::Open {
            ready!(self.poll_write(cx, from.input, to))?;
            match from.poll_fill(cx, buffers) {
                Poll::Ready(Ok(0)) => self.state = State::Ending,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // What there is must not wait for more.
                    ready!(Pin::new(to).poll_flush(cx))?;
                    return Poll::Pending;
                }
            }
        }
        if self.state == State::Ending {
            ready!(Pin::new(to).poll_shutdown(cx))?;
            self.state = State::Ended;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<T: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut ReadBuffer,
        to: &mut T,
    ) -> Poll<io::Result<()>> {
        while !input.is_empty() {
            let count = ready!(Pin::new(&mut *to).poll_write(cx, input.filled()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.passed += count as u64;
            input.consume(count);
        }
        Poll::Ready(Ok(()))
    }
}
