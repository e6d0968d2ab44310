//! Backends that misbehave: what they break is never passed off as whole, nor given to another client.

use std::sync::Mutex;
use std::time::Duration;
use std::{fs, io, thread};

use portway_testkit::backend::{Backend, Received, Step};
use portway_testkit::client::{Client, End};
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::random::{Random, number_from_environment};

use super::{Site, get};

fn write(text: &str) -> Step {
    Step::Write(text.as_bytes().to_vec())
}

fn ok(received: &Received) -> Vec<Step> {
    let body = format!("{} {}", received.head.part(1), received.body.len());
    vec![write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))]
}

#[test]
fn an_old_client_sees_a_reset_where_a_response_breaks_off() {
    for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let broken = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n3\r\nabc\r\n");
        let wait = || Step::Wait(Duration::from_millis(50));
        let backend = Backend::scripted(move |_| vec![write(&broken), wait(), Step::Close]);
        let site = Site::start(backend, &[]);
        let mut client = site.client();
        client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").unwrap();
        let (bytes, end) = client.until_end(Duration::from_secs(5));
        // Nothing at all is no response, and with a length the client can count; otherwise only a reset tells.
        let text = String::from_utf8_lossy(&bytes);
        let told = end == End::Reset || text.is_empty() || text.contains("Length: 100");
        assert!(told, "{framing}: {end:?} after {text}");
    }
}

#[test]
fn an_orderly_end_is_the_end_for_an_old_client() {
    let backend = Backend::scripted(|_| vec![write("HTTP/1.1 200 OK\r\n\r\nabc"), Step::Close]);
    let site = Site::start(backend, &[]);
    let mut client = site.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").unwrap();
    let (bytes, end) = client.until_end(Duration::from_secs(5));
    assert_eq!(end, End::Closed);
    assert!(bytes.ends_with(b"\r\n\r\nabc"));
}

#[test]
fn a_connection_that_answered_too_early_carries_no_other_request() {
    // It answers to the head, and would read the body as its next request.
    let early = |head: &Head| {
        head.part(1)
            .starts_with("/early")
            .then(|| vec![write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")])
    };
    let site = Site::start(Backend::with(None, early, ok), &[]);
    let mut client = site.client();
    client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n").unwrap();
    assert_eq!(client.response_to("POST").unwrap().text(), "early");
    for _ in 0..5 {
        assert_eq!(site.client().ask(get("/other")).unwrap().text(), "/other 0");
    }
    let seen = site.backend.take();
    let late: Vec<_> = seen.iter().filter(|one| one.path() == "/other").collect();
    let first = seen.iter().find(|one| one.path() == "/early").unwrap();
    assert!(late.iter().all(|one| one.connection != first.connection), "{seen:?}");
}

#[test]
fn a_backend_that_resets_in_its_body_breaks_off_the_response() {
    let backend = Backend::scripted(|_| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
        vec![write(head), Step::Wait(Duration::from_millis(50)), Step::Reset]
    });
    let site = Site::start(backend, &[]);
    let mut client = site.client();
    client.send(get("/")).unwrap();
    assert!(!client.response_to("GET").unwrap().complete);
}

#[test]
fn a_request_that_may_not_be_repeated_is_sent_once() {
    // As Go's client repeats them: a server may have done what it was asked.
    let once = [
        "POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "PUT /second HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "DELETE /second HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /second HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
    ];
    let again = [
        "GET /second HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS /second HTTP/1.1\r\nHost: a\r\n\r\n",
        "DELETE /second HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\n\r\n",
    ];
    let outcomes = [(&once[..], 1, 502, "Bad Gateway"), (&again[..], 2, 200, "/second 0")];
    for (requests, attempts, status, text) in outcomes {
        for request in requests {
            // The first connection dies upon its second request, after that was read.
            let backend = Backend::scripted(|received| {
                if received.connection == 0 && received.path() != "/first" {
                    return vec![Step::Close];
                }
                ok(received)
            });
            let site = Site::start(backend, &[]);
            let mut client = site.client();
            assert_eq!(client.ask(get("/first")).unwrap().status, 200);
            let response = client.ask(request).unwrap();
            assert_eq!((response.status, &*response.text()), (status, text), "{request}");
            assert_eq!(site.backend.take().len(), 1 + attempts, "{request}");
        }
    }
}

/// A site whose entry point gives requests under way little time at the end.
fn impatient() -> Site {
    let flags = [
        "--accessLog=true",
        "--accessLog.format=json",
        "--accessLog.filePath=@@folder@@/access.log",
        "--entryPoints.web.transport.lifeCycle.graceTimeOut=300ms",
    ];
    Site::start(Backend::start(), &flags)
}

/// Ends such a site while a request for `/slow` is under way, and reads what is logged of that.
#[track_caller]
fn cut(mut site: Site) {
    assert_eq!(site.backend.take_at_least(1, Duration::from_secs(5)).len(), 1);
    site.process.signal("TERM");
    assert!(site.process.wait(Duration::from_secs(10)).is_some());
    let text = fs::read_to_string(site.process.folder().path().join("access.log")).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("/slow")).collect();
    let [line] = lines.as_slice() else { panic!("not one line for /slow in\n{text}") };
    assert!(line.contains("GraceOver"), "{line}");
}

#[test]
fn a_request_that_is_cut_is_in_the_access_log() {
    let site = impatient();
    let mut client = site.client();
    client.send(get("/slow")).unwrap();
    cut(site);
}

#[test]
fn a_stream_that_is_cut_is_in_the_access_log() {
    let site = impatient();
    let mut client = Http2Client::connect(site.process.address("web")).unwrap();
    let headers = Headers(vec![("Host".to_owned(), "a".to_owned())]);
    let slow = Head { line: "GET /slow HTTP/1.1".to_owned(), headers };
    let asked = client.begin(&slow, true).unwrap();
    cut(site);
    // Its client has waited to the end.
    drop(asked);
}

/// What a backend of the worse sort makes of a request whose path is its number.
fn whim(random: &mut Random, received: &Received) -> Vec<Step> {
    let id = received.path().to_owned();
    let body = id.repeat(*random.pick(&[1, 1, 10, 900, 9000]));
    let ok = format!("HTTP/1.1 200 OK\r\nX-Id: {id}\r\n");
    let length = body.len();
    let chunked = || {
        let (first, second) = body.split_at(length / 3);
        let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
        format!("{ok}Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n", chunk(first), chunk(second))
    };
    let whole = format!("{ok}Content-Length: {length}\r\n\r\n{body}");
    let evil = "HTTP/1.1 200 OK\r\nX-Id: evil\r\nContent-Length: 4\r\n\r\nevil";
    match random.below(12) {
        0 => vec![Step::Close],
        1 => vec![Step::Reset],
        2 => vec![write(&format!("{ok}Content-Length: {}\r\n\r\n{body}", length + 1)), Step::Close],
        3 => vec![write(&format!("{ok}Connection: close\r\n\r\n{body}")), Step::Close],
        4 => vec![write(&format!("{whole}{evil}"))],
        5 => vec![write(&whole), Step::Reset],
        6 => vec![write("HTTP/1.1 103 Early Hints\r\n\r\n"), write(&whole)],
        7 => {
            let (first, second) = whole.split_at(random.below(whole.len()));
            vec![write(first), Step::Wait(Duration::from_millis(2)), write(second)]
        }
        8 => vec![write(&format!("HTTP/1.1 204 No Content\r\nX-Id: {id}\r\n\r\n"))],
        9 => vec![write(&whole)],
        _ => vec![write(&chunked())],
    }
}

#[test]
fn responses_never_change_places_whatever_backends_do() {
    let seed = number_from_environment("PORTWAY_WIRE_SEED", 1);
    let random = Mutex::new(Random::new(seed));
    let script = move |received: &Received| whim(&mut random.lock().unwrap(), received);
    let site = Site::start(Backend::scripted(script), &["--log.level=ERROR"]);
    let ask = |random: &mut Random, number: usize, client: &mut Client| -> io::Result<bool> {
        let id = format!("/i{number:07}");
        let method = *random.pick(&["GET", "GET", "PUT", "POST"]);
        let body = if method == "GET" { String::new() } else { id.repeat(random.below(3000)) };
        let length = body.len();
        let wire =
            format!("{method} {id} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
        if random.once_in(30) {
            client.send(&wire[..random.below(wire.len())])?;
            return Ok(false);
        }
        client.send(wire)?;
        let response = client.response_to(method)?;
        let from_backend = response.headers.value("X-Id");
        assert!(
            from_backend.is_none_or(|given| given == id),
            "{id} got the response of {from_backend:?}"
        );
        assert!(from_backend.is_some() || response.status >= 500, "{id}: {}", response.status);
        let text = response.text();
        let own = from_backend.is_none() || text.trim_start_matches(&id[..]).len() < id.len();
        assert!(own, "{id} got {text}");
        Ok(response.complete)
    };
    thread::scope(|scope| {
        for worker in 0..8 {
            let (ask, site) = (&ask, &site);
            scope.spawn(move || {
                let mut random = Random::new(seed + 1 + worker as u64);
                let mut client = site.client();
                for number in 0..250 {
                    let asked = ask(&mut random, worker * 1000 + number, &mut client);
                    let silent = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
                    assert!(!asked.as_ref().is_err_and(silent), "no answer, seed {seed}");
                    if !asked.unwrap_or(false) {
                        client = site.client();
                    }
                }
            });
        }
    });
    let seen = site.backend.take();
    let odd = seen
        .iter()
        .find(|one| one.complete && !one.body.chunks(9).all(|part| part == one.path().as_bytes()));
    assert!(odd.is_none(), "a body came with another request: {odd:?}");
}
