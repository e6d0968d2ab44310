//! The HTTP/1.1 codec: heads are parsed line by line as they arrive, and written from their
//! canonical form.
//!
//! Parsing is incremental: however a head is cut up, no byte is searched again and again, and a
//! bad line is refused as soon as it is complete. Where RFC 9112 lets two readers disagree, the
//! message is refused.

pub(crate) mod framing;
mod lines;
mod read_request;
mod read_response;
mod write;

pub use read_request::{RequestParser, parse_request_head};
pub use read_response::{ResponseParser, parse_response_head};
pub use write::{
    Connection, ResponseHead, answer_head, write_answer, write_chunk_end, write_chunk_start,
    write_last_chunk, write_refusal, write_request_head, write_response_head,
};

/// What limits a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// The length of the whole head in bytes (Traefik: `http.maxHeaderBytes`); as in Go, 4 KiB
    /// more are tolerated.
    pub bytes: usize,
    /// The number of fields.
    pub fields: usize,
    /// The number of empty lines before a request line (RFC 9112 §2.2).
    pub empty_lines: u8,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, fields: 65_536, empty_lines: 0 }
    }
}

impl HeadLimits {
    pub(crate) fn most_bytes(&self) -> usize {
        self.bytes.saturating_add(4096)
    }
}

/// How far a head has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The head is complete and has this many bytes; what follows is its body.
    Complete(usize),
    /// More bytes are needed.
    Partial,
}
