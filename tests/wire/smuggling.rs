//! Requests that two readers could frame differently.
//!
//! Every vector hides `GET /smuggled` somewhere. Whatever Portway makes of a vector, the backend
//! must see exactly the requests that Portway answered, framed in one unmistakable way, and never
//! `/smuggled`.

mod vectors;

use std::time::Duration;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::client::{Client, End};
use portway_testkit::message::{latin1, readable};

use self::vectors::{Vector, Verdict};
use super::Site;

#[test]
fn no_vector_reaches_a_backend_as_anything_but_what_portway_answered() {
    let site = Site::start(Backend::scripted(answer), &["--log.level=ERROR"]);
    let vectors = vectors::all();
    assert!(vectors.len() >= 120, "only {} vectors", vectors.len());
    let wrong: Vec<String> =
        vectors.iter().filter_map(|vector| check(&site, vector).err()).collect();
    assert!(wrong.is_empty(), "{} of {} vectors\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    for tape in site.backend.tapes() {
        clean(&tape);
    }
}

/// One response, whatever was asked; a body that was announced by the request is not echoed.
fn answer(received: &Received) -> Vec<Step> {
    match received.head.part(0) {
        "HEAD" => script::write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        _ => script::write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    }
}

fn check(site: &Site, vector: &Vector) -> Result<(), String> {
    let _ = site.backend.take();
    let bytes = vector.bytes();
    let mut client =
        Client::connect(site.process.address("web")).map_err(|error| error.to_string())?;
    // A refusal may come, and the connection close, before everything is sent.
    let _ = client.send(&bytes);
    let method = latin1(bytes.split(|byte| *byte == b' ').next().unwrap_or_default());
    client.set_patience(Duration::from_millis(400));
    let status = client.response_to(&method).map_or(0, |response| response.status);
    let (rest, end) = client.until_end(Duration::from_millis(60));
    drop(client);
    std::thread::sleep(Duration::from_millis(3));
    let received = site.backend.take();
    judge(vector, status, &rest, end, &received).map_err(|reason| {
        let seen: Vec<String> = received
            .iter()
            .map(|one| format!("  {} body {} complete {}", one.head.line, readable(&one.body), one.complete))
            .collect();
        format!(
            "--- {}: {reason}\nsent {}\nanswer {status}, then {} and {end:?}; the backend received\n{}",
            vector.name(),
            readable(&bytes),
            readable(&rest),
            seen.join("\n")
        )
    })
}

fn judge(
    vector: &Vector,
    status: u16,
    rest: &[u8],
    end: End,
    received: &[Received],
) -> Result<(), String> {
    if received.iter().any(|one| one.path().contains("smuggled")) {
        return Err("the hidden request reached the backend".to_owned());
    }
    let refused = matches!(status, 400 | 413 | 417 | 431 | 501 | 505);
    let whole = received.iter().filter(|one| one.complete).count();
    let closed = end != End::Open;
    let further = latin1(rest).matches("HTTP/1.1 2").count();
    match vector.verdict() {
        Verdict::Refused => {
            ensure(refused, "it was not refused")?;
            ensure(closed, "the connection stayed open after a refusal")?;
            ensure(received.is_empty(), "a refused request reached the backend")
        }
        Verdict::Cut => {
            ensure(whole == 0, "a broken body was passed on as a whole request")?;
            ensure(closed, "the connection stayed open after a broken body")?;
            ensure(status != 200, "a broken body was answered with success")
        }
        Verdict::Body(body) => {
            ensure(status == 200, "it was not forwarded")?;
            ensure(whole == 1 && further == 0, "not exactly one request was forwarded")?;
            ensure(received.iter().all(|one| latin1(&one.body) == *body), "the body changed")
        }
        Verdict::RefusedOrBody(body) if received.is_empty() => ensure(
            refused && closed,
            &format!("neither refused and closed nor forwarded with {body:?}"),
        ),
        Verdict::RefusedOrBody(body) => {
            ensure(whole == 1 && further == 0, "not exactly one request was forwarded")?;
            ensure(received.iter().all(|one| latin1(&one.body) == *body), "the body changed")
        }
    }
}

fn ensure(holds: bool, reason: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason.to_owned()) }
}

/// What reached a backend is framed in one way only (RFC 9112 §6.3) and has no odd line ends.
fn clean(tape: &[u8]) {
    let text = latin1(tape);
    let mut rest = text.as_str();
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        for line in head.split("\r\n").skip(1) {
            assert!(!line.contains(['\r', '\n', '\0']), "{line:?} reached the backend");
            let name = line.split(':').next().unwrap_or_default();
            assert!(
                !name.is_empty() && !name.contains([' ', '\t']),
                "{line:?} reached the backend"
            );
        }
        let fields = head.to_ascii_lowercase();
        let lengths = fields.matches("\r\ncontent-length:").count();
        let codings = fields.matches("\r\ntransfer-encoding:").count();
        assert!(lengths + codings <= 1, "ambiguous framing reached the backend: {head:?}");
        // The bodies of the vectors hold no request that starts a line with a method and a slash
        // other than the hidden one, which is looked for in the parsed requests.
        rest = after.find("HTTP/1.1\r\n").map_or("", |position| {
            let start = after[..position].rfind('\n').map_or(0, |found| found + 1);
            &after[start..]
        });
    }
}
