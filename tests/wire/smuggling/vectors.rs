//! The table of vectors. Each character of a text is one byte.

/// What must happen.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Refused before anything reaches the backend, and the connection closed.
    Refused,
    /// The head may reach the backend, a whole request must not; the connection is closed.
    Cut,
    /// Forwarded as exactly one request with this body.
    Body(&'static str),
    /// Either refused, or forwarded as exactly one request with this body.
    RefusedOrBody(String),
}

/// One vector.
#[derive(Clone, Debug)]
pub(super) struct Vector {
    name: String,
    text: String,
    verdict: Verdict,
}

/// A vector of the table: name, bytes, verdict.
type Row = (&'static str, &'static str, Verdict);

impl Vector {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("one byte")).collect()
    }
}

const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Fields that say or seem to say `chunked`, sent beside a Content-Length that covers everything.
/// The second part tells whether the field may pass as an unrelated one.
const CODINGS: &[(&str, bool)] = &[
    ("Transfer-Encoding: chunked", false),
    ("transfer-encoding: chunked", false),
    ("TRANSFER-ENCODING: CHUNKED", false),
    ("Transfer-Encoding:chunked", false),
    ("Transfer-Encoding:\tchunked", false),
    ("Transfer-Encoding: chunked\t", false),
    ("Transfer-Encoding:  chunked ", false),
    ("Transfer-Encoding : chunked", false),
    ("Transfer-Encoding\t: chunked", false),
    ("Transfer-Encoding\u{a0}: chunked", false),
    ("Transfer-Encoding\u{b}: chunked", false),
    ("Transfer-Encoding\0: chunked", false),
    ("Transfer\0-Encoding: chunked", false),
    ("\0Transfer-Encoding: chunked", false),
    ("Transfer Encoding: chunked", false),
    (" Transfer-Encoding: chunked", false),
    ("\tTransfer-Encoding: chunked", false),
    (":Transfer-Encoding: chunked", false),
    ("Transfer-Encoding= chunked", false),
    ("Transfer-Encoding chunked", false),
    ("Transfer-Encoding", false),
    ("Transfer-Encoding:", false),
    ("Transfer-Encoding: ", false),
    ("Transfer-Encoding: identity", false),
    ("Transfer-Encoding: gzip", false),
    ("Transfer-Encoding: xchunked", false),
    ("Transfer-Encoding: chunkedx", false),
    ("Transfer-Encoding: chunk", false),
    ("Transfer-Encoding: chunked, chunked", false),
    ("Transfer-Encoding: chunked, identity", false),
    ("Transfer-Encoding: identity, chunked", false),
    ("Transfer-Encoding: gzip, chunked", false),
    ("Transfer-Encoding: chunked, gzip", false),
    ("Transfer-Encoding: chunked,", false),
    ("Transfer-Encoding: ,chunked", false),
    ("Transfer-Encoding: , chunked", false),
    ("Transfer-Encoding: \"chunked\"", false),
    ("Transfer-Encoding: 'chunked'", false),
    ("Transfer-Encoding: chunked;q=1", false),
    ("Transfer-Encoding: chunked; a=b", false),
    ("Transfer-Encoding: \u{b}chunked", false),
    ("Transfer-Encoding: \u{c}chunked", false),
    ("Transfer-Encoding: chunked\u{b}", false),
    ("Transfer-Encoding: chunked\0", false),
    ("Transfer-Encoding: \0chunked", false),
    ("Transfer-Encoding: \u{a0}chunked", false),
    ("Transfer-Encoding: chunked\u{ff}", false),
    ("Transfer-Encoding: chunked\rX: y", false),
    ("Transfer-Encoding: chunked\nX: y", false),
    ("Transfer-Encoding:\r\n chunked", false),
    ("Transfer-Encoding:\r\n\tchunked", false),
    ("Transfer-Encoding:\n chunked", false),
    ("X: y\nTransfer-Encoding: chunked", false),
    ("X: y\rTransfer-Encoding: chunked", false),
    ("X: y\r\n Transfer-Encoding: chunked", false),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", false),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", false),
    ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", false),
    ("Transfer-Encoding: x\r\nTransfer-Encoding: chunked", false),
    ("Transfer-encoding: identity\r\ntransfer-Encoding: chunked", false),
    ("Transfer_Encoding: chunked", true),
    ("Transfer.Encoding: chunked", true),
    ("X-Transfer-Encoding: chunked", true),
    ("Content-Encoding: chunked", true),
    ("TE: chunked", true),
    ("X: Transfer-Encoding: chunked", true),
    ("Connection: Transfer-Encoding", true),
    ("Connection: Content-Length", true),
];

/// Content-Length fields before a body of five bytes and the hidden request. `None`: refused.
const LENGTHS: &[(&str, Option<&str>)] = &[
    ("Content-Length: 5", Some("hello")),
    ("Content-Length:5", Some("hello")),
    ("Content-Length: \t5\t", Some("hello")),
    ("Content-Length: 05", Some("hello")),
    ("Content-Length: 5\r\nContent-Length: 5", Some("hello")),
    ("Content-Length: 5, 5", Some("hello")),
    ("Content-Length: 5\r\nContent-Length: 6", None),
    ("Content-Length: 6\r\nContent-Length: 5", None),
    ("Content-Length: 0\r\nContent-Length: 5", None),
    ("Content-Length: 5\r\nContent-Length: 0", None),
    ("Content-Length: 5, 6", None),
    ("Content-Length: 5,", None),
    ("Content-Length: ,5", None),
    ("Content-Length: +5", None),
    ("Content-Length: -5", None),
    ("Content-Length: 5 5", None),
    ("Content-Length: 5;5", None),
    ("Content-Length: 5.0", None),
    ("Content-Length: 5e0", None),
    ("Content-Length: 0x5", None),
    ("Content-Length: 5\0", None),
    ("Content-Length: \x005", None),
    ("Content-Length: 5\u{b}", None),
    ("Content-Length: \u{a0}5", None),
    ("Content-Length: \u{b2}", None),
    ("Content-Length: \"5\"", None),
    ("Content-Length: five", None),
    ("Content-Length:", None),
    ("Content-Length: 18446744073709551621", None),
    ("Content-Length: 99999999999999999999999", None),
    ("Content-Length:\r\n 5", None),
    ("Content-Length: 5\r\n 6", None),
    ("Content-Length: 0\nContent-Length: 5", None),
    ("Content-Length: 0\rContent-Length: 5", None),
    ("Content-Length : 5", None),
    ("Content-Length\t: 5", None),
    ("Content-Length\u{b}: 5", None),
    ("Content Length: 5", None),
    (" Content-Length: 5", None),
    ("Content-Length= 5", None),
];

/// Chunked bodies that are broken at the point where a reader could lose its place.
const CHUNKS: &[&str] = &[
    "+3\r\nabc\r\n0\r\n\r\n",
    "-3\r\nabc\r\n0\r\n\r\n",
    "0x3\r\nabc\r\n0\r\n\r\n",
    " 3\r\nabc\r\n0\r\n\r\n",
    "3 x\r\nabc\r\n0\r\n\r\n",
    "3\u{b}\r\nabc\r\n0\r\n\r\n",
    "3\0\r\nabc\r\n0\r\n\r\n",
    "\u{b3}\r\nabc\r\n0\r\n\r\n",
    "g\r\nabc\r\n0\r\n\r\n",
    "\r\nabc\r\n0\r\n\r\n",
    ";x\r\nabc\r\n0\r\n\r\n",
    "3_0\r\nabc\r\n0\r\n\r\n",
    "3\nabc\n0\n\n",
    "3\nabc\r\n0\r\n\r\n",
    "3\rabc\r\n0\r\n\r\n",
    "3\r\nabc\n0\r\n\r\n",
    "3\r\nabc\r0\r\n\r\n",
    "3\r\nabc0\r\n\r\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "4\r\nabc\r\n0\r\n\r\n",
    "3\r\nabcXX0\r\n\r\n",
    "3;a\nb\r\nabc\r\n0\r\n\r\n",
    "3;a\rb\r\nabc\r\n0\r\n\r\n",
    "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n",
    "10000000000000003\r\nabc\r\n0\r\n\r\n",
    "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\n\n",
    "3\r\nabc\r\n0\n\r\n",
    "3\r\nabc\r\n0\r\r\n\r\n",
    "3\r\nabc\r\n0\r\nBad Name: x\r\n\r\n",
    "3\r\nabc\r\n0\r\nNo colon\r\n\r\n",
    "3\r\nabc\r\n0\r\nX : y\r\n\r\n",
    "3\r\nabc\r\n0\r\nX: y\nZ: q\r\n\r\n",
    "3\r\nabc\r\n0\r\nX: y\r\n folded\r\n\r\n",
    "3\r\nabc\r\n0\r\nX: \0\r\n\r\n",
    "3\r\nabc\r\n0\r\n: y\r\n\r\n",
    "3\r\nabc\r\n0 \r\nabc",
];

/// Whole requests that stand alone.
const ROWS: &[Row] = &[
    (
        "bare LF in the head",
        "GET / HTTP/1.1\nHost: a\n\nGET /smuggled HTTP/1.1\nHost: a\n\n",
        Verdict::Refused,
    ),
    (
        "bare LF after the request line",
        "GET / HTTP/1.1\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "bare LF ends the head",
        "GET / HTTP/1.1\r\nHost: a\r\n\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "bare LF before a field",
        "GET / HTTP/1.1\r\nHost: a\nX: GET /smuggled HTTP/1.1\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "bare CR in a value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rGET /smuggled HTTP/1.1\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "bare CR ends lines",
        "GET / HTTP/1.1\rHost: a\r\rGET /smuggled HTTP/1.1\rHost: a\r\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "CR CR LF",
        "GET / HTTP/1.1\r\r\nHost: a\r\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "NUL in a value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0GET /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    ("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: /smuggled\r\n\r\n", Verdict::Refused),
    (
        "folded field",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n GET /smuggled HTTP/1.1\r\n\r\n",
        Verdict::Refused,
    ),
    ("folded first field", "GET / HTTP/1.1\r\n Host: a\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("folded by tab", "GET / HTTP/1.1\r\nHost: a\r\n\tX: /smuggled\r\n\r\n", Verdict::Refused),
    (
        "space before a colon",
        "GET / HTTP/1.1\r\nHost : a\r\nX: /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nGET /smuggled HTTP/1.1\r\n\r\n", Verdict::Refused),
    ("empty name", "GET / HTTP/1.1\r\nHost: a\r\n: /smuggled\r\n\r\n", Verdict::Refused),
    (
        "name with a separator",
        "GET / HTTP/1.1\r\nHost: a\r\nX@Y: /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "name with a high byte",
        "GET / HTTP/1.1\r\nHost: a\r\n\u{ff}X: /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    (
        "the same host twice",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\nX: /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    ("no host", "GET / HTTP/1.1\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("host with a space", "GET / HTTP/1.1\r\nHost: a b\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("host with a path", "GET / HTTP/1.1\r\nHost: a/smuggled\r\n\r\n", Verdict::Refused),
    ("host with userinfo", "GET / HTTP/1.1\r\nHost: b@a\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("host with a query", "GET / HTTP/1.1\r\nHost: a?/smuggled\r\n\r\n", Verdict::Refused),
    ("host with a fragment", "GET / HTTP/1.1\r\nHost: a#/smuggled\r\n\r\n", Verdict::Refused),
    ("host with a comma", "GET / HTTP/1.1\r\nHost: a, b\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    (
        "two spaces in the request line",
        "GET  /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    ("space in the target", "GET / /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    ("tab in the request line", "GET\t/smuggled\tHTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    (
        "version with a space",
        "GET / HTTP/1.1 \r\nHost: a\r\nX: /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "two versions",
        "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\nX: /smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    ("lower-case version", "GET / http/1.1\r\nHost: a\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("version 2.0", "GET / HTTP/2.0\r\nHost: a\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("version 0.9", "GET / HTTP/0.9\r\nHost: a\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("version 1.10", "GET / HTTP/1.10\r\nHost: a\r\nX: /smuggled\r\n\r\n", Verdict::Refused),
    ("no version", "GET /smuggled\r\nHost: a\r\n\r\n", Verdict::Refused),
    (
        "vertical tab in the request line",
        "GET\u{b}/smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    ("leading space", " GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    ("method with a colon", "GET: /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    ("method with a NUL", "G\0T /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    ("target without a slash", "GET smuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    ("CR in the target", "GET /\rsmuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    ("LF in the target", "GET /\nsmuggled HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::Refused),
    (
        "HTTP/1.0 with chunked",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "HTTP/1.0 keep-alive with chunked",
        "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "chunked and then close",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body(""),
    ),
    (
        "close, then more",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body(""),
    ),
    (
        "GET with a body",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    (
        "HEAD with a body",
        "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    (
        "DELETE with a chunked body",
        "DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n23\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
        Verdict::Body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    (
        "body that looks like chunks",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 40\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body("0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    (
        "expectation with a body",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    (
        "unknown expectation",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: smuggled\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "CONNECT with a payload",
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "h2c upgrade with a payload",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body(""),
    ),
    (
        "upgrade refused by the backend, with a payload",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body(""),
    ),
    (
        "upgrade with a length",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        Verdict::Body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ),
    (
        "the target's host and a path that names another",
        "GET http://a/%2e%2e/ HTTP/1.1\r\nHost: b/smuggled\r\n\r\n",
        Verdict::Refused,
    ),
    (
        "line break in a percent escape stays one",
        "GET /%0d%0aGET%20/smuggled%20HTTP/1.1 HTTP/1.1\r\nHost: \r\nHost: a\r\n\r\n",
        Verdict::Refused,
    ),
];

/// Every vector: the rows, and those made of fields and chunks.
pub(super) fn all() -> Vec<Vector> {
    let rows = ROWS.iter().map(|(name, text, verdict)| vector(name, text, verdict.clone()));
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let codings = CODINGS.iter().map(|(field, unrelated)| {
        let length = hidden.len();
        let text = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{field}\r\n\r\n{hidden}"
        );
        let verdict = match unrelated {
            true => Verdict::RefusedOrBody(hidden.clone()),
            false => Verdict::Refused,
        };
        vector(&format!("length and {field:?}"), &text, verdict)
    });
    let reversed = CODINGS.iter().filter(|(_, unrelated)| !unrelated).map(|(field, _)| {
        let text = format!("POST / HTTP/1.1\r\n{field}\r\nContent-Length: 4\r\nHost: a\r\n\r\n23\r\n{HIDDEN}\r\n0\r\n\r\n");
        vector(&format!("{field:?} and length"), &text, Verdict::Refused)
    });
    let lengths = LENGTHS.iter().map(|(field, body)| {
        // After a body that was read as five bytes the hidden request follows openly; it is asked
        // not to be answered by closing.
        let (text, verdict) = match body {
            Some(body) => (
                format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{field}\r\n\r\nhello{HIDDEN}"),
                Verdict::RefusedOrBody((*body).to_owned()),
            ),
            None => (format!("POST / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\nhello{HIDDEN}"), Verdict::Refused),
        };
        vector(&format!("{field:?}"), &text, verdict)
    });
    let chunks = CHUNKS.iter().map(|body| {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        vector(&format!("chunks {body:?}"), &format!("{head}{body}{HIDDEN}"), Verdict::Cut)
    });
    rows.chain(codings).chain(reversed).chain(lengths).chain(chunks).collect()
}

fn vector(name: &str, text: &str, verdict: Verdict) -> Vector {
    Vector { name: name.to_owned(), text: text.to_owned(), verdict }
}
