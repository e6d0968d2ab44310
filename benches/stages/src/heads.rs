//! Heads: read, brought into canonical form, written.

use std::hint::black_box;

use portway_http::{
    BodyFraming, ForwardedRules, Request, Response, append_forwarded_for,
    codec::{Connection, ResponseHead, write_request_head, write_response_head},
    remove_request_hop_by_hop, remove_response_hop_by_hop,
};

use crate::{
    repeat,
    requests::{
        BROWSER, CLIENT, PLAIN, canonicalise, forwarded_rules, read_request, read_response,
    },
};

/// What a worker keeps from request to request.
struct Kept {
    request: Request,
    response: Response,
    out: Vec<u8>,
    forwarded: ForwardedRules,
}

impl Kept {
    fn new() -> Self {
        Self {
            request: Request::new(),
            response: Response::new(),
            out: Vec::new(),
            forwarded: forwarded_rules(),
        }
    }
}

/// Reads the head of a `curl`.
pub fn parse_plain(times: u32) {
    parse(times, PLAIN);
}

/// Reads the head of a browser.
pub fn parse_browser(times: u32) {
    parse(times, BROWSER);
}

fn parse(times: u32, head: &'static [u8]) {
    let work = |kept: &mut Kept| read_request(black_box(head), &mut kept.request);
    repeat(times, &mut Kept::new(), |_| {}, work);
}

/// Reads the head of a server.
pub fn parse_response(times: u32) {
    let work = |kept: &mut Kept| read_response(&kept.request, &mut kept.response);
    repeat(times, &mut Kept::new(), |_| {}, work);
}

/// Brings a `curl`'s request into canonical form, forwarded fields included.
pub fn canonicalise_plain(times: u32) {
    canonical(times, PLAIN);
}

/// Brings a browser's request into canonical form, forwarded fields included.
pub fn canonicalise_browser(times: u32) {
    canonical(times, BROWSER);
}

fn canonical(times: u32, head: &'static [u8]) {
    repeat(
        times,
        &mut Kept::new(),
        |kept| read_request(head, &mut kept.request),
        |kept| canonicalise(&mut kept.request, &kept.forwarded),
    );
}

/// Makes a browser's request what a server is to see, and writes it.
pub fn write_request(times: u32) {
    repeat(
        times,
        &mut Kept::new(),
        |kept| {
            read_request(BROWSER, &mut kept.request);
            canonicalise(&mut kept.request, &kept.forwarded);
            kept.out.clear();
        },
        |kept| {
            remove_request_hop_by_hop(&mut kept.request.headers, kept.request.body);
            append_forwarded_for(&mut kept.request.headers, CLIENT);
            write_request_head(&mut kept.out, &kept.request, kept.request.authority(), false);
            black_box(&kept.out);
        },
    );
}

/// Makes a server's response what the client is to see, and writes its head.
pub fn write_response(times: u32) {
    repeat(
        times,
        &mut Kept::new(),
        |kept| {
            read_request(PLAIN, &mut kept.request);
            read_response(&kept.request, &mut kept.response);
            kept.out.clear();
        },
        |kept| {
            let response = &mut kept.response;
            remove_response_hop_by_hop(&mut response.headers, response.body);
            let head = ResponseHead {
                version: kept.request.version,
                status: response.status,
                headers: &response.headers,
                body: response.framing_for(kept.request.version),
                connection: Connection::Unsaid,
                date: b"Mon, 23 Nov 2026 06:44:15 GMT",
            };
            debug_assert_eq!(head.body, BodyFraming::Length(1024));
            write_response_head(&mut kept.out, &head);
            black_box(&kept.out);
        },
    );
}
