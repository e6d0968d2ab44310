//! `whoami@internal`: the request as a service sees it, so that a first route needs no backend.
//!
//! The texts are those of `traefik/whoami`: lines of text, and JSON at `/api`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{Answer, Facts, RequestView};

/// Answers any request; the body of the request is not read.
pub(crate) fn answer(request: &RequestView<'_>, facts: &Facts) -> Answer {
    if request.path == "/api" {
        return Answer::json(&as_json(request, facts));
    }
    Answer::body("text/plain; charset=utf-8", as_text(request, facts).into_bytes())
}

/// Header values by canonical name, sorted as Go prints them.
fn headers(request: &RequestView<'_>) -> BTreeMap<String, Vec<String>> {
    let mut sorted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers {
        let value = String::from_utf8_lossy(value).into_owned();
        sorted.entry(canonical(name)).or_default().push(value);
    }
    sorted
}

/// `user-agent` as `User-Agent`.
fn canonical(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|letter| {
            let canonical =
                if start { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            start = letter == '-';
            canonical
        })
        .collect()
}

fn as_text(request: &RequestView<'_>, facts: &Facts) -> String {
    let mut text = format!("Hostname: {}\n", facts.hostname);
    // Writing into a string cannot fail.
    for address in &facts.addresses {
        let _ = writeln!(text, "IP: {address}");
    }
    let _ = writeln!(text, "RemoteAddr: {}", request.remote_address);
    let _ = write!(text, "{} {} {}\r\n", request.method, request.target(), request.protocol);
    let _ = write!(text, "Host: {}\r\n", request.host);
    let mut headers = headers(request);
    // Go writes this one first.
    if let Some(values) = headers.remove("User-Agent") {
        for value in values {
            let _ = write!(text, "User-Agent: {value}\r\n");
        }
    }
    for (name, values) in headers {
        for value in values {
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    text.push_str("\r\n");
    text
}

fn as_json(request: &RequestView<'_>, facts: &Facts) -> Value {
    let fields = [
        ("hostname", json!(facts.hostname)),
        ("ip", json!(facts.addresses)),
        ("headers", json!(headers(request))),
        ("url", json!(request.target())),
        ("host", json!(request.host)),
        ("method", json!(request.method)),
        ("remoteAddr", json!(request.remote_address)),
    ];
    let is_empty = |value: &Value| match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    let filled = fields.into_iter().filter(|(_, value)| !is_empty(value));
    filled.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::answer;
    use crate::{Facts, RequestView};

    fn facts() -> Facts {
        Facts {
            hostname: "box".to_owned(),
            addresses: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
            ..Facts::default()
        }
    }

    fn request(path: &str) -> RequestView<'_> {
        RequestView {
            method: "GET",
            path,
            query: "a=b",
            host: "whoami.test:80",
            remote_address: "127.0.0.1:5",
            protocol: "HTTP/1.1",
            tls: false,
            headers: &[("x-b", b"2"), ("User-agent", b"u"), ("Accept", b"*/*"), ("X-B", b"\xff")],
        }
    }

    #[test]
    fn whoami_shows_the_request_as_text() {
        let answer = answer(&request("/x%20y"), &facts());
        assert_eq!(
            String::from_utf8_lossy(&answer.body),
            "Hostname: box\nIP: 127.0.0.1\nIP: ::1\nRemoteAddr: 127.0.0.1:5\n\
             GET /x%20y?a=b HTTP/1.1\r\nHost: whoami.test:80\r\nUser-Agent: u\r\n\
             Accept: */*\r\nX-B: 2\r\nX-B: \u{fffd}\r\n\r\n"
        );
    }

    #[test]
    fn whoami_answers_json_at_api() {
        let answer = answer(&request("/api"), &facts());
        assert_eq!(
            serde_json::from_slice::<Value>(&answer.body).unwrap(),
            json!({
                "hostname": "box", "ip": ["127.0.0.1", "::1"], "url": "/api?a=b",
                "headers": {"Accept": ["*/*"], "User-Agent": ["u"], "X-B": ["2", "\u{fffd}"]},
                "host": "whoami.test:80", "method": "GET", "remoteAddr": "127.0.0.1:5",
            })
        );
    }
}
