//! The end of a pod, with the flags that the file for k3s gives it.

use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::client::{Client, End};
use portway_testkit::namespace::Namespace;

use super::ask;
use super::installed::{BACKEND, Installed};
use super::load::Load;

/// `requestAcceptGraceTimeout` of the file.
const ACCEPT: Duration = Duration::from_secs(10);

/// How long the slow answer takes to come, which is 1.5 s after it was asked for.
const SLOW: Duration = Duration::from_millis(1500);

/// How much later than it must a process may end, on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn a_pod_that_ends_loses_no_request() {
    let Some(_namespace) = Namespace::enter("drain", &[BACKEND]) else { return };
    let Some(mut installed) = Installed::start() else { return };
    let address = installed.portway.address("web");
    let load = Load::start(address, "web.example");
    let mut idle = Client::connect(address).expect("a connection");
    let request = "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n";
    assert_eq!(idle.ask(request).expect("an answer").status, 200);

    installed.portway.signal("TERM");
    let asked = Instant::now();
    // Readiness fails at once, so that nobody sends more; who has not heard of it is served as ever.
    let ping = || ask(&installed.portway, "traefik", "ping", "/ping");
    super::until(ping, |status| *status == Some(503));
    assert!(asked.elapsed() < SLACK, "ready for {:?} after SIGTERM", asked.elapsed());
    thread::sleep((ACCEPT - Duration::from_secs(1)).saturating_sub(asked.elapsed()));
    let answered = load.finish();
    assert!(answered > 100, "only {answered} requests");

    // What is asked for at the very end is answered after it.
    let mut busy = Client::connect(address).expect("a connection until the end");
    thread::sleep((ACCEPT - Duration::from_millis(300)).saturating_sub(asked.elapsed()));
    busy.send("GET /slow HTTP/1.1\r\nHost: web.example\r\n\r\n").expect("a request");
    let answer = busy.response_to("GET").expect("an answer");
    assert_eq!((answer.status, answer.text()), (200, "slow".to_owned()));
    assert!(asked.elapsed() > ACCEPT, "answered before the end began");
    assert_ne!(idle.until_end(SLACK).1, End::Open, "an idle connection stayed open");

    let status = installed.portway.wait(SLACK).expect("an end");
    assert!(status.success(), "{status}");
    let took = asked.elapsed();
    assert!(took < ACCEPT + SLOW + SLACK, "{took:?}");
    assert!(installed.backend.busy() == 0);
}
