//! How servers end a connection or a stream, what clients see of it, and how often it was tried.

use std::fmt::Write as _;
use std::time::Duration;

use portway_testkit::backend::{Backend, Http2Settings, Received, Step};
use portway_testkit::certificate::Certificate;
use portway_testkit::process::Setup;

use super::super::pair::{Case, Pair};

/// What comes before the end.
const BEFORE: &[(&str, &str)] = &[
    ("nothing", ""),
    ("line", "HTTP/1.1 200 OK\r\n"),
    ("field", "HTTP/1.1 200 OK\r\nContent-Length: 5"),
    ("name", "HTTP/1.1 200 OK\r\nContent-Le"),
    ("start", "HTTP/1.1 20"),
    ("status", "HTTP/1.1 200"),
    ("interim", "HTTP/1.1 100 Continue\r\n\r\n"),
    ("half", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
    ("whole", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nwhole"),
];

/// Statuses, and the fields of a response, as the path says; the end as its last part says.
fn end(received: &Received) -> Vec<Step> {
    let mut parts = received.path().trim_start_matches('/').split('/');
    let before = parts.next().unwrap_or_default();
    let (_, text) = BEFORE.iter().find(|(name, _)| *name == before).expect("a beginning");
    let end = parts.next().unwrap_or_default();
    let code = parts.next().and_then(|code| code.parse().ok()).unwrap_or_default();
    let end = match end {
        "reset" => Step::Reset,
        "stream" => Step::EndStream(code),
        "away" => Step::GoAway(code),
        _ => Step::Close,
    };
    vec![Step::Write(text.as_bytes().to_vec()), Step::Wait(Duration::from_millis(5)), end]
}

#[test]
fn servers_that_end_early_are_told_of_as_by_traefik() {
    let mut text = String::from("http:\n  serversTransports:\n    t: {insecureSkipVerify: true}\n");
    let schemes = ["http", "h2c", "https", "https"];
    for (part, line) in [("routers", 0), ("services", 1)] {
        let _ = writeln!(text, "  {part}:");
        for (number, scheme) in schemes.iter().enumerate() {
            let _ = match line {
                0 => writeln!(
                    text,
                    "    r{number}: {{rule: 'Host(`r{number}.test`)', service: s{number}}}"
                ),
                _ => writeln!(
                    text,
                    "    s{number}: {{loadBalancer: {{serversTransport: t, servers: [{{url: '{scheme}://@@backend{number}@@'}}]}}}}"
                ),
            };
        }
    }
    let certificate = Certificate::for_names(&["server.test"]);
    let backends = || {
        let tls = |protocol: &str| {
            let mut config = (*certificate.server()).clone();
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            Some(config.into())
        };
        let never = |_: &_| None;
        [None, None, tls("http/1.1"), tls("h2")]
            .map(|tls| Backend::with(tls, never, end).settings(Http2Settings::default()))
            .into()
    };
    let Some(mut pair) = Pair::start_with(&Setup::web(&text), backends) else { return };
    let ends = ["close", "reset", "stream/0", "stream/7", "stream/8", "away/0", "away/2"];
    for number in 0..schemes.len() {
        for (before, _) in BEFORE {
            for end in ends {
                for (method, body) in [("GET", ""), ("POST", "body")] {
                    let host = format!("r{number}.test");
                    let path = format!("/{before}/{end}");
                    // Go asks again where a stream was refused, for half a minute; and sends nothing of a short
                    // body that it doubts.
                    let parts = ["line", "field", "name", "start", "status", "interim", "whole"];
                    let skipped = number % 2 == 1 && (end == "stream/7" || parts.contains(before));
                    if !skipped {
                        let case = Case::request(method, &host, &path, "", body).watched();
                        // Behind an interim response the type of an error is left to chance.
                        let is_behind = *before == "interim";
                        let case = if is_behind { case.statuses_only() } else { case };
                        pair.compare_again(&case);
                    }
                }
            }
        }
    }
    pair.finish();
}
