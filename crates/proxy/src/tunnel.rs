//! After `101 Switching Protocols`: bytes both ways until both sides have ended or one breaks.

use std::{
    future::poll_fn,
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

/// Passes bytes both ways; gives back how many went to the client. What either side sent early goes first.
///
/// There is no idle limit while both sides are open, as in Traefik. Once one of them has ended, the other
/// may be silent for `half_open`: it may be gone without a word. While nothing passes, no buffer is held.
pub(crate) async fn run<C, S>(
    mut client: Side<'_, C>,
    mut server: Side<'_, S>,
    buffers: &Buffers,
    half_open: Option<Duration>,
) -> u64
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Direction::default(), Direction::default());
    let mut deadline = Deadline::default();
    let mut seen = None;
    poll_fn(|cx| {
        let sent = up.poll(cx, &mut client, server.stream, buffers);
        let received = down.poll(cx, &mut server, client.stream, buffers);
        match (sent, received) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => return Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(()),
            (Poll::Pending, Poll::Pending) => return Poll::Pending,
            _ => {}
        }
        let progress = Some(up.passed + down.passed);
        if seen != progress {
            seen = progress;
            deadline.put_off(half_open);
        }
        if deadline.has_passed(cx) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    down.passed
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

#[cfg(test)]
mod tests;
