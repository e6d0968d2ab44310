//! What a peer may ask of us, all in one place.

use std::time::Duration;

/// The limits of a connection.
///
/// The memory that a peer can hold is, beyond the structures of a few kilobytes: what the caller
/// was handed and has not released ([`Limits::connection_window`]), the heads of its streams
/// ([`Limits::held_head_bytes`]), one block of fields that comes ([`Limits::block_bytes`]), two
/// tables ([`Limits::decoder_table`], [`Limits::encoder_table`], up to twice each), and what waits to
/// be written: [`Limits::unread_output`] and what the streams that are open then add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Streams that the peer may have open at once (Traefik: `http2.maxConcurrentStreams`).
    pub streams: u32,
    /// The length of a head as RFC 9113 §6.5.2 counts it, with 32 bytes for each field. Less than
    /// with HTTP/1.1, since a byte can stand for 4 KiB here. More is answered with 431.
    pub head_bytes: usize,
    /// The same for trailers. More resets their stream.
    pub trailer_bytes: usize,
    /// Fields of a head, of which all crumbs of a cookie are one. More is answered with 431.
    pub fields: usize,
    /// The length of the heads and trailers of all open streams together. Further streams are refused until
    /// some end, so that many streams of large heads hold no more than a few do.
    pub held_head_bytes: usize,
    /// The length of a block of fields on the wire. Beyond it nothing can be read on, so the
    /// connection ends.
    pub block_bytes: usize,
    /// Frames that a block may be cut into.
    pub block_frames: u32,
    /// The size of the peer's table that we keep.
    pub decoder_table: usize,
    /// The most that we use of the table that the peer keeps.
    pub encoder_table: usize,
    /// The longest frame that is taken; 16 KiB is the least that there is.
    pub frame_bytes: u32,
    /// What a stream may receive before it is released: it bounds what a slow reader makes us
    /// hold, and the speed over a long way to this much for each round trip. Not less than the
    /// 65,535 bytes that every peer may take for granted.
    pub stream_window: u32,
    /// The same for all streams together.
    pub connection_window: u32,
    /// Data that waits to be written; what does not fit stays with the caller.
    pub output: usize,
    /// Bytes of frames that the peer makes us write while it does not read: some thousand.
    pub control_output: usize,
    /// What may wait to be written in all before further streams are refused: heads of responses
    /// are not held back by windows, so a client that asks and does not read is.
    pub unread_output: usize,
    /// Streams that the peer may open and reset before they are answered (CVE-2023-44487). Those that
    /// end as they should make room for more.
    pub resets: Rate,
    /// Streams that the peer may make us reset (CVE-2025-8671).
    pub provoked_resets: Rate,
    /// Frames that carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown
    /// ones, RST_STREAM where the response was begun or has ended. Frames that do carry something,
    /// in either direction, make room for more of them.
    pub overhead: Rate,
    /// Whether clients may open other protocols with CONNECT (RFC 8441).
    pub extended_connect: bool,
}

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many times,
    pub times: u32,
    /// in this while.
    pub within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |times, seconds| Rate { times, within: Duration::from_secs(seconds) };
        Self {
            streams: 250,
            head_bytes: 64 * 1024,
            trailer_bytes: 64 * 1024,
            fields: 512,
            held_head_bytes: 1024 * 1024,
            block_bytes: 128 * 1024,
            block_frames: 64,
            decoder_table: 4096,
            encoder_table: 4096,
            frame_bytes: 16 * 1024,
            stream_window: 256 * 1024,
            connection_window: 1024 * 1024,
            output: 64 * 1024,
            control_output: 32 * 1024,
            unread_output: 512 * 1024,
            resets: rate(1000, 30),
            provoked_resets: rate(1000, 30),
            overhead: rate(10_000, 10),
            extended_connect: true,
        }
    }
}

impl Limits {
    pub(super) fn usable_stream_window(&self) -> u32 {
        self.stream_window.clamp(65_535, i32::MAX.cast_unsigned())
    }

    pub(super) fn usable_connection_window(&self) -> u32 {
        self.connection_window.clamp(65_535, i32::MAX.cast_unsigned())
    }

    pub(super) fn usable_frame_bytes(&self) -> u32 {
        self.frame_bytes.clamp(16_384, 16_777_215)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is promised in documents; a change is one of promises.
    #[test]
    fn the_defaults_are_these() {
        let rate = |times, seconds| Rate { times, within: Duration::from_secs(seconds) };
        let Limits {
            streams: 250,
            head_bytes: 65_536,
            trailer_bytes: 65_536,
            fields: 512,
            held_head_bytes: 1_048_576,
            block_bytes: 131_072,
            block_frames: 64,
            decoder_table: 4096,
            encoder_table: 4096,
            frame_bytes: 16_384,
            stream_window: 262_144,
            connection_window: 1_048_576,
            output: 65_536,
            control_output: 32_768,
            unread_output: 524_288,
            resets,
            provoked_resets,
            overhead,
            extended_connect: true,
        } = Limits::default()
        else {
            unreachable!("a default has changed");
        };
        assert_eq!([resets, provoked_resets], [rate(1000, 30); 2]);
        assert_eq!(overhead, rate(10_000, 10));
    }

    #[test]
    fn windows_and_frames_are_not_smaller_than_every_peer_takes_for_granted() {
        let limits = Limits {
            stream_window: 0,
            connection_window: u32::MAX,
            frame_bytes: 1,
            ..Limits::default()
        };
        assert_eq!(limits.usable_stream_window(), 65_535);
        assert_eq!(limits.usable_connection_window(), i32::MAX.cast_unsigned());
        assert_eq!(limits.usable_frame_bytes(), 16_384);
    }
}
