//! How long a router lets its requests take: Portway's own `timeouts`.

use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::client::{Client, End};
use portway_testkit::process::Setup;

use super::{Site, get};

/// Long enough for a machine under load, short beside what is waited for.
const LIMIT: Duration = Duration::from_millis(400);

/// What the backend takes.
const SLOW: Duration = Duration::from_secs(4);

fn site(timeouts: &str) -> Site {
    let dynamic = format!(
        r#"
http:
  routers:
    all: {{rule: "PathPrefix(`/`)", service: s, entryPoints: [web], middlewares: [again], timeouts: {{{timeouts}}}}}
  middlewares:
    again: {{retry: {{attempts: 5, status: ["503"], initialInterval: 10s}}}}
  services:
    s: {{loadBalancer: {{servers: [{{url: "http://@@backend@@"}}]}}}}
"#
    );
    Site::with(Backend::scripted(answer), &Setup::web(&dynamic), &[])
}

fn answer(received: &Received) -> Vec<Step> {
    let begun = || Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc".to_vec());
    let rest = || Step::Write(b"def".to_vec());
    match received.path() {
        "/late" => [vec![Step::Wait(SLOW)], script::echo(received)].concat(),
        "/stalls" => vec![begun(), Step::Wait(SLOW), rest()],
        "/pauses" => {
            let pause = || Step::Wait(LIMIT / 2);
            vec![
                pause(),
                begun(),
                pause(),
                Step::Write(b"d".to_vec()),
                pause(),
                Step::Write(b"ef".to_vec()),
            ]
        }
        _ => script::standard(received),
    }
}

/// Asks and says how long it took to see the status, which is 0 where the connection broke off in a body.
fn ask(client: &mut Client, request: &str) -> (u16, Duration) {
    let start = Instant::now();
    let response = client.ask(request).unwrap();
    let status = if response.complete { response.status } else { 0 };
    (status, start.elapsed())
}

#[test]
fn a_request_that_takes_too_long_in_all_gets_504_or_breaks_off() {
    let site = site("total: 400ms");
    let mut client = site.client();
    assert_eq!(ask(&mut client, &get("/")).0, 200);
    for (path, status) in [("/late", 504), ("/stalls", 0), ("/status-503", 504), ("/pauses", 0)] {
        let (seen, taken) = ask(&mut site.client(), &get(path));
        assert_eq!(seen, status, "{path}");
        assert!(taken >= LIMIT && taken < SLOW, "{path}: {taken:?}");
    }
    let mut client = site.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart").unwrap();
    assert_eq!(client.response_to("POST").unwrap().status, 504);
    assert_ne!(client.until_end(SLOW).1, End::Open);
}

#[test]
fn a_server_that_thinks_too_long_gets_504() {
    let site = site("firstByte: 400ms");
    let (status, taken) = ask(&mut site.client(), &get("/late"));
    assert_eq!(status, 504);
    assert!(taken >= LIMIT && taken < SLOW, "{taken:?}");
    assert_eq!(ask(&mut site.client(), &get("/pauses")).0, 200);
}

#[test]
fn a_body_that_stands_still_breaks_off() {
    let site = site("idle: 400ms");
    let (status, taken) = ask(&mut site.client(), &get("/stalls"));
    assert_eq!(status, 0);
    assert!(taken >= LIMIT && taken < SLOW, "{taken:?}");
    assert_eq!(ask(&mut site.client(), &get("/pauses")).0, 200);
    let mut client = site.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart").unwrap();
    assert_eq!(client.response_to("POST").unwrap().status, 504);
}

#[test]
fn a_limit_that_is_none_closes_the_router() {
    let site = site("total: 0s");
    assert_eq!(ask(&mut site.client(), &get("/")).0, 500);
}
