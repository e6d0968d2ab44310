//! What changes a body as it passes.

use std::fmt;

use portway_http::Headers;

/// Changes a body as it passes, piece by piece, without IO. What it gives is appended to `out`.
pub trait BodyFilter: fmt::Debug {
    /// Takes a piece.
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>);

    /// Gives what it has taken and kept back, as far as it can: the sender pauses.
    fn flush(&mut self, out: &mut Vec<u8>);

    /// Gives the rest: the body has ended, with these trailers, which may become part of the body or go.
    fn finish(&mut self, trailers: &mut Option<Headers>, out: &mut Vec<u8>);

    /// Whether the body cannot be changed to its end, so that what came out must not pass for all of it.
    fn is_broken(&self) -> bool {
        false
    }
}
