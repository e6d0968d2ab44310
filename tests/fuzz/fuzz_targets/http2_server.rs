//! The server's side of HTTP/2 on arbitrary bytes.
//!
//! The first byte chooses where the input is cut. Beyond not panicking: cutting never matters, what
//! comes out are whole frames, and after an error the last of them tells it.

#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use portway_http::codec::{Connection as Unsaid, ResponseHead};
use portway_http::h2::{Connection, Event, Limits, Server};
use portway_http::{BodyFraming, Request, Status, Version};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, raw)) = data.split_first() else { return };
    // Without the same start every time, hardly any input would get beyond it.
    let start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let input = [start, raw].concat();
    let cut = start.len() + usize::from(cut).min(raw.len());
    let (first, second) = input.split_at(cut);
    assert_eq!(serve(&[&input]), serve(&[first, second]));
});

/// Serves the input, and returns what was seen of it and what came out.
fn serve(pieces: &[&[u8]]) -> (String, Vec<u8>) {
    let limits = Limits { fields: 20, streams: 5, ..Limits::default() };
    let mut connection = Connection::server(&limits);
    let (mut request, now) = (Request::new(), Instant::now());
    let mut seen = String::new();
    let mut body = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let step = match connection.next(rest, &mut request, now) {
                Ok(step) => step,
                Err(error) => {
                    let output = frames(connection.output());
                    let (kind, payload) = output.last().expect("the error is told");
                    assert_eq!((*kind, &payload[4..]), (7, &error.code.0.to_be_bytes()[..]));
                    return (format!("{seen} {error}"), connection.output().to_vec());
                }
            };
            match step.event {
                None => break,
                Some(Event::Data { stream, payload, end }) => {
                    body.extend_from_slice(&rest[payload]);
                    if end {
                        respond(&mut connection, stream);
                    }
                }
                Some(Event::Head { stream, end }) => {
                    seen += &format!("{request:?} {end}");
                    if end {
                        respond(&mut connection, stream);
                    }
                }
                Some(Event::Trailers { stream }) => {
                    seen += &format!("{:?}", connection.trailers());
                    respond(&mut connection, stream);
                }
                Some(event) => seen += &format!("{event:?}"),
            }
            rest = &rest[step.consumed..];
        }
    }
    frames(connection.output());
    (format!("{seen} {body:?}"), connection.output().to_vec())
}

fn respond(connection: &mut Connection<Server>, stream: portway_http::h2::StreamId) {
    let head = ResponseHead {
        version: Version::Http2,
        status: Status::OK,
        headers: &Default::default(),
        body: BodyFraming::Chunked,
        connection: Unsaid::Unsaid,
        date: b"",
    };
    if connection.respond(stream, &head, false).is_ok() {
        let _ = connection.send_data(stream, b"hello", true);
    }
}

/// The frames of the output, which are whole.
fn frames(mut output: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while !output.is_empty() {
        let (head, rest) = output.split_at(9);
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (payload, rest) = rest.split_at(length);
        frames.push((head[3], payload));
        output = rest;
    }
    frames
}
