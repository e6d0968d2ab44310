//! The streams of a connection.

use std::collections::VecDeque;

use super::stream::Stream;

/// The streams that live, in the order of their numbers, and the memory of some that do not.
#[derive(Debug, Default)]
pub(super) struct Streams {
    live: VecDeque<Stream>,
    /// How many of them are not closed.
    open: usize,
    /// What the heads of those count for.
    head_bytes: usize,
    /// The highest number that was opened.
    pub(super) highest: u32,
    /// Those that we reset: frames that were under way still come for them.
    reset: VecDeque<u32>,
    /// Those that ended in another way.
    ended: VecDeque<(u32, Past)>,
}

/// What is known of a stream that lives no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// It was never opened.
    Idle,
    /// Both sides ended it.
    Ended,
    /// The peer has reset it.
    ResetByPeer,
    /// We have reset it.
    Reset,
    /// It is too long ago, or it was skipped.
    Forgotten,
}

impl Streams {
    /// Adds one, with a number higher than all before.
    pub(super) fn add(&mut self, stream: Stream) {
        debug_assert!(self.live.back().is_none_or(|last| last.id < stream.id));
        self.highest = stream.id;
        self.open += 1;
        self.head_bytes += stream.head_bytes;
        self.live.push_back(stream);
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.live.get(self.place(id)?)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let place = self.place(id)?;
        self.live.get_mut(place)
    }

    /// Counts more for the head of a live one.
    pub(super) fn add_head_bytes(&mut self, id: u32, bytes: usize) {
        if let Some(stream) = self.get_mut(id) {
            stream.head_bytes += bytes;
            self.head_bytes += bytes;
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.live.iter_mut()
    }

    /// The lowest number of a live stream above another.
    pub(super) fn first_above(&self, id: u32) -> Option<u32> {
        let place = self.live.partition_point(|stream| stream.id <= id);
        self.live.get(place).map(|stream| stream.id)
    }

    /// Takes one out that was reset, by the peer or by us.
    pub(super) fn remove(&mut self, id: u32, past: Past) -> Option<Stream> {
        self.remember(id, past);
        let stream = self.live.remove(self.place(id)?)?;
        if !stream.is_closed() {
            self.count_out(&stream);
        }
        Some(stream)
    }

    /// Settles a stream of which a half was just ended: if that closes it, it is remembered, and
    /// taken out unless it holds what is not released. Says whether it is closed.
    pub(super) fn settle(&mut self, id: u32) -> bool {
        let Some(place) = self.place(id) else { return false };
        let Some(stream) = self.live.get(place).filter(|stream| stream.is_closed()) else {
            return false;
        };
        let (held, head_bytes) = (stream.receive_window.held(), stream.head_bytes);
        self.open -= 1;
        self.head_bytes -= head_bytes;
        self.remember(id, Past::Ended);
        if held == 0 {
            self.live.remove(place);
        }
        true
    }

    /// Takes a closed stream out that holds nothing more.
    pub(super) fn sweep(&mut self, id: u32) {
        if let Some(place) = self.place(id)
            && let Some(stream) = self.live.get(place)
            && stream.is_closed()
            && stream.receive_window.held() == 0
        {
            self.live.remove(place);
        }
    }

    /// What became of a stream that is not among the live ones.
    pub(super) fn past(&self, id: u32) -> Past {
        if id > self.highest {
            return Past::Idle;
        }
        if self.reset.contains(&id) {
            return Past::Reset;
        }
        let ended = self.ended.iter().find(|(ended, _)| *ended == id);
        ended.map_or(Past::Forgotten, |(_, past)| *past)
    }

    pub(super) fn remember(&mut self, id: u32, past: Past) {
        if past == Past::Reset {
            if !self.reset.contains(&id) {
                self.reset.truncate(RESET - 1);
                self.reset.push_front(id);
            }
        } else {
            self.ended.truncate(ENDED - 1);
            self.ended.push_front((id, past));
        }
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// What the heads of the open ones count for.
    pub(super) fn head_bytes(&self) -> usize {
        self.head_bytes
    }

    fn count_out(&mut self, stream: &Stream) {
        self.open -= 1;
        self.head_bytes -= stream.head_bytes;
    }

    fn place(&self, id: u32) -> Option<usize> {
        // Mostly it is the newest.
        let last = self.live.len().checked_sub(1)?;
        if self.live.get(last).is_some_and(|stream| stream.id == id) {
            return Some(last);
        }
        self.live.binary_search_by_key(&id, |stream| stream.id).ok()
    }
}

/// How many streams that we reset are remembered: as many as are open at once, about.
const RESET: usize = 256;
/// How many others.
const ENDED: usize = 32;
