//! What a backend answers: ready-made responses and the script that chooses one by path.

use std::time::Duration;

use super::{Received, Step};
use crate::message::Head;

/// A response with a length, its extra fields given as lines such as `X-A: b\r\n`.
#[must_use]
pub fn response(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// The request as text: request line, fields sorted by name, an empty line, the body.
#[must_use]
pub fn echo(received: &Received) -> Vec<Step> {
    let mut text = format!("{}\n", received.head.line);
    for (name, value) in received.head.headers.sorted() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.push_str(&crate::message::latin1(&received.body));
    if received.head.part(0) == "HEAD" {
        return write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len()));
    }
    vec![Step::Write(response("200 OK", "Content-Type: text/plain\r\n", &text))]
}

/// One write of text.
#[must_use]
pub fn write(text: &str) -> Vec<Step> {
    vec![Step::Write(text.as_bytes().to_vec())]
}

/// Answers `early`, `close-early` and `reset-early` before the body is read.
#[must_use]
pub fn early(head: &Head) -> Option<Vec<Step>> {
    match last_segment(head) {
        "early" => Some(vec![
            Step::Write(response("403 Forbidden", "Connection: close\r\n", "early")),
            Step::Wait(Duration::from_millis(50)),
            Step::Close,
        ]),
        "close-early" => Some(vec![Step::Close]),
        "reset-early" => Some(vec![Step::Reset]),
        _ => None,
    }
}

fn last_segment(head: &Head) -> &str {
    let path = head.part(1).split('?').next().unwrap_or("");
    path.rsplit('/').next().unwrap_or("")
}

/// The usual script: [`by_path`], and an echo for every other path.
#[must_use]
pub fn standard(received: &Received) -> Vec<Step> {
    by_path(received).unwrap_or_else(|| echo(received))
}

/// An answer chosen by the last segment of the path; `None` for an unknown one.
#[must_use]
pub fn by_path(received: &Received) -> Option<Vec<Step>> {
    let close = |text: &str| [write(text), vec![Step::Close]].concat();
    let segment = last_segment(&received.head);
    if let Some(status) = segment.strip_prefix("status-") {
        let status = format!("{status} Whatever");
        return Some(vec![Step::Write(response(&status, "X-Backend: 1\r\n", "body"))]);
    }
    let steps = match segment {
        "no-content" => write("HTTP/1.1 204 No Content\r\nX-Backend: 1\r\n\r\n"),
        "not-modified" => write("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
        "chunked" => write(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        ),
        "failed-chunked" => write(
            "HTTP/1.1 500 Whatever\r\nX-Backend: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        "trailers" => write(
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n",
        ),
        "unannounced" => write(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n",
        ),
        "until-close" => close("HTTP/1.1 200 OK\r\nX-Backend: 1\r\n\r\nuntil close"),
        "http10" => close("HTTP/1.0 200 OK\r\nX-Backend: 1\r\n\r\nold"),
        "hints" => write(
            "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/css\r\n\
             Content-Length: 2\r\n\r\nok",
        ),
        "fields" => write(
            "HTTP/1.1 200 OK\r\nlower-case: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: backend\r\n\
             X-Two: 1\r\nX-Two: 2\r\nEmpty:\r\nContent-Length: 0\r\n\r\n",
        ),
        "hop" => write(
            "HTTP/1.1 200 OK\r\nConnection: X-Gone\r\nX-Gone: 1\r\nX-Stays: 1\r\nKeep-Alive: timeout=5\r\n\
             Proxy-Authenticate: Basic\r\nProxy-Connection: close\r\nTE: trailers\r\nUpgrade: foo\r\n\
             Content-Length: 2\r\n\r\nok",
        ),
        "close" => vec![Step::Close],
        "reset" => vec![Step::Reset],
        "garbage" => close("this is not HTTP\r\n\r\n"),
        "two-lengths" => {
            close("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")
        }
        "length-and-chunked" => write(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        "bad-field" => write("HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 2\r\n\r\nok"),
        "cut" => close("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this"),
        "cut-chunked" => close("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        "cut-head" => close("HTTP/1.1 200 OK\r\nContent-Le"),
        "extra" => write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA BYTES"),
        "slow" => {
            let answer = response("200 OK", "", "slow");
            vec![Step::Wait(Duration::from_millis(1500)), Step::Write(answer)]
        }
        "unasked" => {
            write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        }
        "tunnel" if received.head.headers.value("Upgrade").is_some() => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Tunnel: 1\r\n\r\n";
            [write(head), vec![Step::Mirror]].concat()
        }
        // Longer than what Go's server holds to find its length.
        "long" => vec![Step::Write(response("200 OK", "X-Backend: 1\r\n", &"long ".repeat(600)))],
        "long-chunked" => write(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n{}\r\n0\r\n\r\n",
            "long ".repeat(600)
        )),
        "large" => {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n";
            [write(head), vec![Step::Fill(10_000_000)]].concat()
        }
        _ => return None,
    };
    Some(steps)
}
