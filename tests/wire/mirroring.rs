//! Copies of requests: what mirrors get, and that they hold up nobody.

use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::client::Client;
use portway_testkit::process::{Process, Setup};

use super::get;

/// A site that answers from the first server and mirrors to the second, with these settings.
fn site(main: &Backend, mirror: &Backend, settings: &str) -> String {
    format!(
        "http:\n  routers:\n    all: {{rule: 'PathPrefix(`/`)', service: all, entryPoints: [web]}}\n  services:\n    \
         all: {{mirroring: {{service: main, {settings}}}}}\n    \
         main: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n    \
         one: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        main.url(),
        mirror.url()
    )
}

fn start(main: &Backend, mirror: &Backend, settings: &str) -> (Process, Client) {
    let process = Process::start(&crate::portway(), &Setup::web(&site(main, mirror, settings)));
    let client = Client::connect(process.address("web")).expect("a connection");
    (process, client)
}

const ALL: &str = "mirrors: [{name: one, percent: 100}]";

fn copies(mirror: &Backend, count: usize) -> Vec<Received> {
    let copies = mirror.take_at_least(count, Duration::from_secs(5));
    assert_eq!(copies.len(), count);
    copies
}

#[test]
fn bodies_are_copied_as_they_pass() {
    let (main, mirror) = (Backend::start(), Backend::start());
    let (_process, mut client) = start(&main, &mirror, ALL);
    let half = "x".repeat(1 << 20);
    client
        .send(format!("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{half}", 2 << 20))
        .expect("the first half");
    thread::sleep(Duration::from_millis(100));
    client.send(&half).expect("the second half");
    assert_eq!(client.response_to("POST").expect("an answer").status, 200);
    let copy = copies(&mirror, 1).remove(0);
    assert_eq!((copy.path(), copy.body.len()), ("/x", 2 << 20));
    assert_eq!(main.take()[0].body, copy.body);
}

#[test]
fn who_answers_sees_a_body_before_it_has_come_whole() {
    let early = Backend::with(
        None,
        |head| {
            (head.part(0) == "POST")
                .then(|| vec![Step::Write(script::response("200 OK", "", "early"))])
        },
        |_| vec![Step::Write(script::response("200 OK", "", ""))],
    );
    let mirror = Backend::start();
    let (_process, mut client) = start(&early, &mirror, ALL);
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx").expect("a byte");
    let response = client.response_to("POST").expect("an answer before the rest of the body");
    assert_eq!(response.body, b"early");
}

#[test]
fn a_mirror_that_hangs_holds_up_nobody() {
    let main = Backend::start();
    let mirror = Backend::scripted(|_| vec![Step::Wait(Duration::from_secs(20))]);
    let (_process, mut client) = start(&main, &mirror, ALL);
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(client.ask(get("/x")).expect("an answer").status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    copies(&mirror, 20);
}

#[test]
fn copies_without_bodies_say_so() {
    let (main, mirror) = (Backend::start(), Backend::start());
    let settings = format!("mirrorBody: false, {ALL}");
    let (_process, mut client) = start(&main, &mirror, &settings);
    let asked = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(client.ask(asked).expect("an answer").status, 200);
    let copy = copies(&mirror, 1).remove(0);
    assert_eq!(copy.head.headers.value("Content-Length"), Some("0"));
    assert_eq!(copy.body, b"");
    assert_eq!(main.take()[0].body, b"hello");
}

#[test]
fn shares_are_kept_over_reloads() {
    let (main, mirror) = (Backend::start(), Backend::start());
    let settings = "mirrors: [{name: one, percent: 30}]";
    let (mut process, mut client) = start(&main, &mirror, settings);
    for round in 0..20 {
        for _ in 0..5 {
            assert_eq!(client.ask(get("/x")).expect("an answer").status, 200);
        }
        // Something else changes.
        let other = site(&main, &mirror, &format!("maxBodySize: {round}, {settings}"));
        process.reload("dynamic.yml", &other);
    }
    copies(&mirror, 30);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(mirror.take().len(), 0, "30 % of 100 requests are 30");
}

#[test]
fn who_leaves_before_the_answer_is_not_mirrored() {
    let main = Backend::scripted(|received| {
        let wait = if received.path() == "/slow" { 400 } else { 0 };
        vec![
            Step::Wait(Duration::from_millis(wait)),
            Step::Write(script::response("200 OK", "", "")),
        ]
    });
    let mirror = Backend::start();
    let (process, mut client) = start(&main, &mirror, ALL);
    client.send(get("/slow")).expect("a request");
    assert_eq!(main.take_at_least(1, Duration::from_secs(5)).len(), 1);
    drop(client);
    thread::sleep(Duration::from_millis(600));
    let mut client = Client::connect(process.address("web")).expect("a connection");
    assert_eq!(client.ask(get("/quick")).expect("an answer").status, 200);
    let paths: Vec<_> = copies(&mirror, 1).iter().map(|copy| copy.path().to_owned()).collect();
    assert_eq!(paths, ["/quick"]);
}
