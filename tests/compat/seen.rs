//! What can be seen of one exchange from outside, and its canonical text.

use std::fmt::Write as _;
use std::io::{self, Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
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
    /// The client named no Accept-Encoding: whether the router names its own is not compared
    /// (Go asks for gzip and unpacks it; wanted difference 10).
    pub(crate) no_encoding: bool,
}

/// Which parts of an exchange are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Everything.
    Whole,
    /// Status codes, connection end and what the backends received.
    Statuses,
    /// Everything but how the body of the answer is delimited.
    WithoutFraming,
    /// Everything but the trailers that a backend received.
    WithoutRequestTrailers,
}

impl Seen {
    /// The status of the first response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.responses.first().map(|response| response.status)
    }

    /// Whether a response did not come whole.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.failure.is_some() || self.responses.iter().any(|response| !response.complete)
    }

    /// The exchange as text; equal exchanges have equal texts.
    pub(crate) fn text(&self, depth: Depth, expand: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for response in &self.responses {
            write_response(&mut text, response, depth);
        }
        let closed = self.failure.is_some_and(|failure| failure_name(failure) == CUT_OFF);
        if closed || self.responses.iter().any(|response| !response.complete) {
            let _ = writeln!(text, "client: {CUT_OFF}");
        } else if let Some(failure) = self.failure {
            let _ = writeln!(text, "client: {}", failure_name(failure));
        }
        if let Some(end) = self.end.filter(|_| !text.contains(CUT_OFF)) {
            // A reset instead of a close depends on what was still unread, not on the meaning.
            let end = if end == End::Open { "open" } else { "closed" };
            let _ = writeln!(text, "connection: {end}");
        }
        // A request may be sent again when a kept connection turned out to be dead, which depends
        // on which connections are kept.
        let mut received = self.received.clone();
        for (_, one) in &mut received {
            // Go's client names itself where nobody is named (10).
            one.head.headers.0.retain(|(_, value)| value != "Go-http-client/1.1");
        }
        received.dedup_by(|next, first| {
            (next.0, &next.1.head, &next.1.body) == (first.0, &first.1.head, &first.1.body)
        });
        for (backend, mut received) in received {
            if self.no_encoding {
                received.head.headers.0.retain(|(name, value)| {
                    !(name.eq_ignore_ascii_case("Accept-Encoding") && value == "gzip")
                });
            }
            if depth == Depth::WithoutRequestTrailers {
                received.trailers = Headers::default();
            }
            write_received(&mut text, backend, &received);
        }
        expand(&text)
    }
}

/// How much of an answer arrives before a backend's failure shows depends on buffers, so an answer
/// that ends early is the same wherever it ends.
const CUT_OFF: &str = "cut off";

fn failure_name(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer",
        io::ErrorKind::InvalidData => "not understandable",
        _ => CUT_OFF,
    }
}

fn write_response(text: &mut String, response: &Response, depth: Depth) {
    if !response.complete {
        return;
    }
    if depth == Depth::Statuses {
        let _ = writeln!(text, "answer {}", response.status);
        return;
    }
    // Whether "100 Continue" is still worth sending depends on what has arrived already.
    for head in response.interim.iter().filter(|head| head.part(1) != "100") {
        let _ = writeln!(text, "interim {}", head.part(1));
        write_headers(text, &head.headers);
    }
    let _ = writeln!(text, "answer {} {}", response.version, response.status);
    match decoded(response) {
        Some(body) => {
            // How a compressed body is delimited depends on how it was cut into pieces.
            let mut headers = response.headers.clone();
            headers.0.retain(|(name, _)| !is_framing(name));
            write_headers(text, &headers);
            let _ = writeln!(text, "  decoded body {}", readable(&body));
        }
        None => {
            let mut headers = response.headers.clone();
            headers.0.retain(|(name, _)| depth != Depth::WithoutFraming || !is_framing(name));
            write_headers(text, &headers);
            let _ = writeln!(text, "  body {}", readable(&response.body));
        }
    }
    if response.trailers != Headers::default() {
        text.push_str("  trailers\n");
        write_headers(text, &response.trailers);
    }
}

/// The body without its content coding, and without base64; `None` where it has neither, or cannot be read.
fn decoded(response: &Response) -> Option<Vec<u8>> {
    let coded = response.body.as_slice();
    let mut body = Vec::new();
    let done = match response.headers.value("Content-Encoding") {
        Some("br") => brotli::Decompressor::new(coded, 4096).read_to_end(&mut body),
        Some("gzip") => flate2::read::GzDecoder::new(coded).read_to_end(&mut body),
        Some("zstd") => {
            zstd::stream::read::Decoder::new(coded).and_then(|mut d| d.read_to_end(&mut body))
        }
        _ => Err(io::ErrorKind::Unsupported.into()),
    };
    let kind = response.headers.value("Content-Type").unwrap_or_default();
    if !kind.starts_with("application/grpc-web-text") {
        return done.ok().map(|_| body);
    }
    // Each flush ends a text with padding of its own.
    let text = if done.is_ok() { body } else { coded.to_vec() };
    let decoded = text.chunks(4).map(|quad| STANDARD.decode(quad));
    decoded.collect::<Result<Vec<_>, _>>().ok().map(|parts| parts.concat())
}

fn is_framing(name: &str) -> bool {
    ["Content-Length", "Transfer-Encoding"].iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn write_received(text: &mut String, backend: usize, received: &Received) {
    let _ = writeln!(text, "backend {backend} received {}", received.head.line);
    if !received.tls.is_empty() {
        let _ = writeln!(text, "  by {}", received.tls);
    }
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
        if name == "set-cookie"
            && let Some((name, rest)) = value.split_once('=')
            && let Some((hash, rest)) = rest.split_at_checked(16)
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            // Of a server's URL, which has a port of its own on each side.
            let _ = writeln!(text, "  set-cookie: {name}=(hash){rest}");
        } else if name == "access-control-expose-headers" || name == "trailer" {
            // Go lists names in a random order.
            let mut names: Vec<_> = value.split(", ").collect();
            names.sort_unstable();
            let _ = writeln!(text, "  {name}: {}", names.join(", "));
        } else if name != "date" {
            let _ = writeln!(text, "  {name}: {value}");
        }
    }
}
