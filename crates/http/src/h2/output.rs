//! What waits to be written to the socket.

use super::frame::{FrameHead, HEAD_BYTES};

/// Frames that wait to be written, in order.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// How much of them is written.
    written: usize,
    /// Bytes of frames that the peer made us write, and which may still wait: those of before the
    /// mark, and those since.
    control_before: usize,
    control_since: usize,
    /// How many bytes must be written until all that waited at the mark is.
    until_mark: usize,
}

impl Output {
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// The first so many bytes were written.
    pub(super) fn advance(&mut self, count: usize) {
        let count = count.min(self.len());
        self.written += count;
        self.until_mark = self.until_mark.saturating_sub(count);
        if self.until_mark == 0 {
            self.control_before = std::mem::take(&mut self.control_since);
            self.until_mark = self.len();
        }
        if self.len() == 0 {
            self.bytes.clear();
            self.written = 0;
            self.control_before = 0;
        } else if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Takes the memory out, unless something waits in it.
    pub(super) fn take_memory(&mut self) -> Option<Vec<u8>> {
        let free = self.bytes.is_empty() && self.bytes.capacity() > 0;
        free.then(|| std::mem::take(&mut self.bytes))
    }

    /// Puts memory in, unless there is some.
    pub(super) fn put_memory(&mut self, memory: impl FnOnce() -> Vec<u8>) {
        if self.bytes.capacity() == 0 {
            self.bytes = memory();
            self.bytes.clear();
        }
    }

    /// Writes a frame.
    pub(super) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = payload.len();
        self.bytes.extend_from_slice(&FrameHead { length, kind, flags, stream }.bytes());
        self.bytes.extend_from_slice(payload);
    }

    /// Writes a frame that the peer makes us write.
    pub(super) fn control(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.frame(kind, flags, stream, payload);
        self.control_since += HEAD_BYTES + payload.len();
    }

    /// How many bytes of such frames may wait.
    pub(super) fn control_len(&self) -> usize {
        self.control_before + self.control_since
    }

    /// Where the next byte goes, and the buffer to append to.
    pub(super) fn buffer(&mut self) -> (usize, &mut Vec<u8>) {
        (self.bytes.len(), &mut self.bytes)
    }

    /// Overwrites bytes from a place on.
    pub(super) fn patch(&mut self, place: usize, bytes: &[u8]) {
        if let Some(target) = self.bytes.get_mut(place..place + bytes.len()) {
            target.copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_were_asked_for_count_until_they_are_written() {
        let mut output = Output::default();
        for _ in 0..10 {
            output.control(6, 1, 0, &[0; 8]);
        }
        assert_eq!((output.len(), output.control_len()), (170, 170));
        output.advance(100);
        output.frame(0, 0, 1, &[0; 91]);
        output.control(6, 1, 0, &[0; 8]);
        output.advance(70);
        assert_eq!((output.len(), output.control_len()), (117, 17));
        output.advance(117);
        assert_eq!((output.len(), output.control_len()), (0, 0));
        assert_eq!(output.waiting(), b"");
    }

    #[test]
    fn a_reader_that_keeps_up_is_never_counted_out() {
        let mut output = Output::default();
        output.control(6, 1, 0, &[0; 8]);
        for _ in 0..10_000 {
            output.control(6, 1, 0, &[0; 8]);
            output.advance(17);
            assert!(output.control_len() <= 3 * 17 && output.bytes.len() < 200);
        }
    }
}
