//! Read buffers: borrowed from the worker while something is in flight, given back when idle.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, ReadBuf};

/// The usual size of a read buffer in bytes. Measured for large bodies on loopback: 32 KiB was ahead of
/// 16, 64, 128 and 256 KiB.
pub(crate) const BUFFER_SIZE: usize = 32 * 1024;

/// So few bytes are set apart while more of them are waited for, so that slow clients do not hold buffers.
const FEW: usize = 4 * 1024;

/// Buffers that a worker keeps for reuse at most.
const MAX_SPARE: usize = 256;

/// The spare buffers of one worker.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    spare: RefCell<Vec<Vec<u8>>>,
}

impl Buffers {
    fn take(&self) -> Vec<u8> {
        self.spare.borrow_mut().pop().unwrap_or_else(|| vec![0; BUFFER_SIZE])
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if buffer.len() == BUFFER_SIZE && spare.len() < MAX_SPARE {
            spare.push(buffer);
        }
    }
}

/// Bytes that were read and not consumed yet.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    /// Empty while nothing is held, and of no more than [`FEW`] while few wait for more.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadBuffer {
    /// What was read and not consumed.
    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether nothing is left to consume.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether there is no room to read more without growing.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= BUFFER_SIZE && self.end - self.start == self.bytes.len()
    }

    /// Marks bytes as dealt with.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Makes room for a head that is larger than the buffer. The caller bounds it by what heads may have.
    pub(crate) fn grow(&mut self) {
        self.bytes.resize(self.bytes.len().saturating_mul(2), 0);
    }

    /// How many bytes there is room for.
    pub(crate) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has grown.
    pub(crate) const fn is_large(&self) -> bool {
        self.size() > BUFFER_SIZE
    }

    /// Puts bytes back before what is left.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        let left = self.filled();
        let mut joined = Vec::with_capacity(BUFFER_SIZE.max(bytes.len() + left.len()));
        joined.extend_from_slice(bytes);
        joined.extend_from_slice(left);
        self.start = 0;
        self.end = joined.len();
        joined.resize(joined.capacity().max(self.bytes.len()), 0);
        self.bytes = joined;
    }

    /// Gives the memory back to the worker when nothing is left to consume.
    pub(crate) fn release(&mut self, buffers: &Buffers) {
        if self.is_empty() && !self.bytes.is_empty() {
            buffers.put(std::mem::take(&mut self.bytes));
            self.start = 0;
            self.end = 0;
        }
    }

    /// Has few bytes wait for more without a buffer.
    #[cold]
    fn set_apart(&mut self, buffers: &Buffers) {
        if self.filled().len() <= FEW && self.bytes.len() >= BUFFER_SIZE {
            let few = self.filled().to_vec();
            self.start = 0;
            self.end = few.len();
            buffers.put(std::mem::replace(&mut self.bytes, few));
        }
    }

    /// Has few bytes that waited in a buffer again.
    #[cold]
    fn put_together(&mut self, buffers: &Buffers) {
        let mut buffer = buffers.take();
        let few = self.filled();
        let end = few.len();
        if let Some(room) = buffer.get_mut(..end) {
            room.copy_from_slice(few);
        }
        self.bytes = buffer;
        self.start = 0;
        self.end = end;
    }

    /// Forgets what is left and gives the memory back to the worker.
    pub(crate) fn discard(&mut self, buffers: &Buffers) {
        self.start = self.end;
        self.release(buffers);
    }

    /// Reads more from `stream`: the number of bytes, 0 at its end.
    ///
    /// Memory is held only for bytes that are there: an idle connection waits without a buffer. The caller makes
    /// sure that the buffer is not full.
    pub(crate) fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        if self.bytes.is_empty() {
            self.bytes = buffers.take();
        } else if self.bytes.len() < BUFFER_SIZE {
            self.put_together(buffers);
        }
        if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let mut read = ReadBuf::new(room);
        let result = Pin::new(stream).poll_read(cx, &mut read);
        let count = read.filled().len();
        if result.is_pending() {
            match self.is_empty() {
                true => self.release(buffers),
                false => self.set_apart(buffers),
            }
        }
        ready!(result)?;
        self.end += count;
        if count == 0 {
            self.release(buffers);
        }
        Poll::Ready(Ok(count))
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn what_was_not_consumed_stays_in_order_across_reads() {
        let buffers = Buffers::default();
        let mut buffer = ReadBuffer::default();
        let mut context = Context::from_waker(Waker::noop());
        let text: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut source = text.as_slice();
        let mut seen = Vec::new();
        loop {
            let read = buffer.poll_fill(&mut context, &mut source, &buffers);
            let Poll::Ready(Ok(count)) = read else { panic!("a slice is always ready") };
            let take =
                if count == 0 { buffer.filled().len() } else { buffer.filled().len() / 2 + 1 };
            seen.extend_from_slice(&buffer.filled()[..take]);
            buffer.consume(take);
            if count == 0 && buffer.is_empty() {
                break;
            }
        }
        assert_eq!(seen, text);
    }

    #[tokio::test]
    async fn few_bytes_hold_no_buffer_while_more_are_waited_for() {
        use tokio::io::AsyncWriteExt as _;
        let buffers = Buffers::default();
        let mut buffer = ReadBuffer::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut here, mut there) = tokio::io::duplex(3 * BUFFER_SIZE);
        let mut seen = Vec::new();
        for size in [1, 10, FEW - 11, 1] {
            there.write_all(&vec![b'a'; size]).await.unwrap();
            seen.resize(seen.len() + size, b'a');
            while buffer.poll_fill(&mut context, &mut here, &buffers).is_ready() {}
            assert_eq!(buffer.filled(), seen);
            assert!(!buffer.is_full());
            let held = if seen.len() <= FEW { seen.len() } else { BUFFER_SIZE };
            assert_eq!(buffer.size(), held);
        }
        // Many stay where they are.
        there.write_all(&vec![b'a'; 2 * BUFFER_SIZE - seen.len()]).await.unwrap();
        while !buffer.is_full() || !buffer.is_large() {
            if buffer.is_full() {
                buffer.grow();
            }
            assert!(buffer.poll_fill(&mut context, &mut here, &buffers).is_ready());
        }
        buffer.consume(2 * BUFFER_SIZE - 5);
        assert!(buffer.poll_fill(&mut context, &mut here, &buffers).is_pending());
        assert_eq!((buffer.filled(), buffer.size()), (&b"aaaaa"[..], 5));
    }

    #[test]
    fn nothing_is_held_while_nothing_is_there() {
        let buffers = Buffers::default();
        let mut buffer = ReadBuffer::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut here, _there) = tokio::io::duplex(8);
        assert!(buffer.poll_fill(&mut context, &mut here, &buffers).is_pending());
        assert_eq!(buffers.spare.borrow().len(), 1);
        assert!(buffer.bytes.is_empty());
    }
}
