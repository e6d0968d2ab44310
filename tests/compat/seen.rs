//! What can be seen of one exchange from outside, and its canonical text.

use std::fmt::Write as _;
use std::io;

use portway_testkit::backend::Received;
use portway_testkit::client::{End, Response};
use portway_testkit::message::{Headers, readable};

/// Everything observed for one case on one side.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The responses in order.
    pub(crate) responses: Vec<Response>,
    /// Why the next response could not be read.
    pub(crate) failure: Option<io::ErrorKind>,
    /// How the connection ended, if the case watched it.
    pub(crate) end: Option<End>,
    /// What the backends received, in order of arrival; the first number says which backend.
    pub(crate) received: Vec<(usize, Received)>,
}

/// Which parts of an exchange are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Everything.
    Whole,
    /// Status codes, connection end and what the backends received.
    Statuses,
}

impl Seen {
    /// The status of the first response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.responses.first().map(|response| response.status)
    }

    /// The exchange as text; equal exchanges have equal texts.
    pub(crate) fn text(&self, depth: Depth, expand: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for response in &self.responses {
            write_response(&mut text, response, depth);
        }
        if let Some(failure) = self.failure {
            let _ = writeln!(text, "client: {}", failure_name(failure));
        }
        if let Some(end) = self.end {
            // A reset instead of a close depends on what was still unread, not on the meaning.
            let end = if end == End::Open { "open" } else { "closed" };
            let _ = writeln!(text, "connection: {end}");
        }
        for (backend, received) in &self.received {
            write_received(&mut text, *backend, received);
        }
        expand(&text)
    }
}

fn failure_name(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer",
        io::ErrorKind::InvalidData => "not understandable",
        _ => "closed without an answer",
    }
}

fn write_response(text: &mut String, response: &Response, depth: Depth) {
    if depth == Depth::Statuses {
        let _ = writeln!(text, "answer {}", response.status);
        return;
    }
    for head in &response.interim {
        let _ = writeln!(text, "interim {}", head.part(1));
        write_headers(text, &head.headers);
    }
    let _ = writeln!(text, "answer {} {}", response.version, response.status);
    write_headers(text, &response.headers);
    let _ = writeln!(text, "  body {}", readable(&response.body));
    if response.trailers != Headers::default() {
        text.push_str("  trailers\n");
        write_headers(text, &response.trailers);
    }
    if !response.complete {
        text.push_str("  (cut off)\n");
    }
}

fn write_received(text: &mut String, backend: usize, received: &Received) {
    let _ = writeln!(text, "backend {backend} received {}", received.head.line);
    write_headers(text, &received.head.headers);
    if !received.body.is_empty() || !received.complete {
        let _ = writeln!(text, "  body {}", readable(&received.body));
    }
    if received.trailers != Headers::default() {
        text.push_str("  trailers\n");
        write_headers(text, &received.trailers);
    }
    if !received.complete {
        text.push_str("  (cut off)\n");
    }
}

fn write_headers(text: &mut String, headers: &Headers) {
    for (name, value) in headers.sorted() {
        if name != "date" {
            let _ = writeln!(text, "  {name}: {value}");
        }
    }
}
