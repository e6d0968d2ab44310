//! What tests of connections send.

use portway_http::{BodyFraming, Headers, Status, Version, codec::ResponseHead};

/// A frame as it is written.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a response with a body and no fields.
pub(super) fn ok() -> ResponseHead<'static> {
    static NONE: Headers = Headers::new();
    ResponseHead {
        version: Version::Http2,
        status: Status::OK,
        headers: &NONE,
        body: BodyFraming::Chunked,
        connection: Default::default(),
        date: b"",
    }
}
