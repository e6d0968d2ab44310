//! Flow control (RFC 9113 §5.2, §6.9).

/// What a peer may send us.
///
/// `open`, `held` and what is not yet given back make up the whole window. Room is given back only
/// when what came was released, and in large steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceiveWindow {
    whole: u32,
    /// What the peer may send.
    open: u32,
    /// What came and was not released.
    held: u32,
}

impl ReceiveWindow {
    pub(super) fn new(whole: u32) -> Self {
        Self { whole, open: whole, held: 0 }
    }

    /// Takes in what comes; `false` if the peer must not send so much.
    pub(super) fn take(&mut self, bytes: u32) -> bool {
        let Some(open) = self.open.checked_sub(bytes) else { return false };
        self.open = open;
        self.held += bytes;
        true
    }

    /// Releases what came; returns the room that the peer is to be given now, if any.
    pub(super) fn release(&mut self, bytes: u32) -> Option<u32> {
        self.held = self.held.saturating_sub(bytes);
        let room = self.whole - self.open - self.held;
        if room < self.whole / 2 {
            return None;
        }
        self.open += room;
        Some(room)
    }

    pub(super) fn held(&self) -> u32 {
        self.held
    }
}

/// What we may send to a peer; less than nothing after its settings have made windows smaller.
#[derive(Debug, Clone, Copy)]
pub(super) struct SendWindow(i64);

/// A window would be larger than 2³¹ − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow;

impl SendWindow {
    pub(super) fn new(bytes: u32) -> Self {
        Self(i64::from(bytes))
    }

    /// Makes it larger, or smaller.
    pub(super) fn change(&mut self, bytes: i64) -> Result<(), Overflow> {
        let window = self.0 + bytes;
        if window > i64::from(i32::MAX) {
            return Err(Overflow);
        }
        self.0 = window;
        Ok(())
    }

    /// How much may be sent.
    pub(super) fn room(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    /// Takes what is sent off.
    pub(super) fn take(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.room());
        self.0 -= i64::try_from(bytes).unwrap_or(i64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back_in_large_steps_and_only_for_what_was_released() {
        let mut window = ReceiveWindow::new(100);
        assert!(window.take(60) && !window.take(41));
        assert_eq!(window.release(49), None);
        assert_eq!(window.held(), 11);
        assert_eq!(window.release(1), Some(50));
        assert!(window.take(90) && !window.take(1));
        assert_eq!(window.release(1000), Some(100));
    }

    #[test]
    fn windows_may_be_negative_but_not_too_large() {
        let mut window = SendWindow::new(10);
        window.change(-30).unwrap();
        assert_eq!(window.room(), 0);
        window.change(25).unwrap();
        assert_eq!(window.room(), 5);
        window.take(5);
        assert_eq!(window.change(i64::from(i32::MAX)), Ok(()));
        assert_eq!(window.change(1), Err(Overflow));
    }
}
