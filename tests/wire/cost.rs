//! What waiting costs: no time of the processor, and no memory to speak of.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step};
use portway_testkit::client::{Client, Tls};
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::{EVERYTHING, Site, get, tunnels};

/// Processor time of the process so far, in ticks of 10 ms.
pub(super) fn ticks(site: &Site) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", site.process.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// A site whose backend answers with `steps`, and a client that has sent `request`.
fn waiting(steps: Vec<Step>, request: &[u8]) -> (Site, Client) {
    let site = Site::start(
        Backend::with(None, move |_| Some(steps.clone()), |_| Vec::new()),
        &["--entryPoints.web.transport.respondingTimeouts.readTimeout=0s"],
    );
    let mut client = site.client();
    let _ = client.send(request);
    (site, client)
}

/// What `steps` and `request` make a process wait for must not keep it busy.
fn check(name: &str, steps: Vec<Step>, request: impl AsRef<[u8]>) {
    let (site, client) = waiting(steps, request.as_ref());
    thread::sleep(Duration::from_millis(300));
    let before = ticks(&site);
    thread::sleep(Duration::from_secs(1));
    let spent = ticks(&site) - before;
    assert!(spent <= 10, "{name}: {spent} of 100 ticks while nothing happens");
    drop(client);
}

#[test]
fn waiting_takes_no_time() {
    let wait = || Step::Wait(Duration::from_secs(4));
    let write = |text: &str| Step::Write(text.as_bytes().to_vec());
    let headed = || vec![write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), wait()];
    let post = |length: usize, sent: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{sent}")
    };
    let endless = vec![
        write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"),
        Step::Fill(100_000_000),
    ];
    let talkative = [get("/"), "x".repeat(100_000)].concat();
    let cases = [
        ("for a head", vec![wait()], get("/")),
        ("for a body", headed(), get("/")),
        ("with a full buffer", vec![wait()], talkative.clone()),
        ("with a full buffer, for a body", headed(), talkative),
        ("for the client's body", vec![wait()], post(100, "")),
        ("for the client's body, answered", headed(), post(100, "")),
        (
            "for a backend that reads nothing",
            vec![wait()],
            post(50_000_000, &"x".repeat(8_000_000)),
        ),
        ("for the rest of a body, with all of the other", headed(), post(5, "hello")),
        ("for a client that reads nothing", endless, get("/")),
    ];
    thread::scope(|scope| {
        for (name, steps, request) in cases {
            scope.spawn(move || check(name, steps, request));
        }
    });
}

#[test]
fn fast_bodies_leave_others_their_turn() {
    let backend = Backend::scripted(|received| match received.path() {
        "/endless" => vec![
            Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n".to_vec()),
            Step::Fill(400_000_000),
        ],
        _ => vec![Step::Write(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())],
    });
    let site = Site::start(backend, &["--log.level=ERROR"]);
    let mut hungry = Vec::new();
    for _ in 0..8 {
        let mut client = site.client();
        client.send(get("/endless")).unwrap();
        hungry.push(thread::spawn(move || client.until_end(Duration::from_secs(5)).0.len()));
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let start = Instant::now();
        assert_eq!(site.client().ask(get("/")).unwrap().status, 204);
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    site.backend.drop_connections();
    let eaten: usize = hungry.into_iter().map(|one| one.join().unwrap()).sum();
    assert!(eaten > 1 << 20, "{eaten}");
}

#[test]
fn idle_connections_hold_little_whatever_they_carried() {
    let site = Site::start(Backend::start(), &["--log.level=ERROR"]);
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(500_000));
    let mut clients = Vec::new();
    let mut open = |request: &str, count: usize| {
        for _ in 0..count {
            let mut client = site.client();
            assert_eq!(client.ask(request).unwrap().status, 200);
            clients.push(client);
        }
        site.process.resident_bytes()
    };
    let before = open(&large, 10);
    let after = open(&large, 100);
    assert!(after < before + ((100 * 100) << 10), "{before} became {after} after large heads");
    let before = after;
    let after = open(&get("/"), 1000);
    assert!(after < before + ((1000 * 8) << 10), "{before} became {after} by idle connections");
}

/// Bytes of memory that an idle tunnel may take beside what the kernel holds for its sockets.
const IDLE_TUNNEL: u64 = 4096;

/// The same over TLS.
const IDLE_TLS_TUNNEL: u64 = 20 * 1024;

/// A site whose memory is not in huge pages: those of 2 MiB would say nothing of a thousand tunnels.
fn frugal(setup: &Setup) -> Site {
    let mut setup = setup.clone();
    setup.variables.push(("MIMALLOC_ALLOW_THP".to_owned(), "0".to_owned()));
    Site::with(Backend::start(), &setup, &["--log.level=ERROR"])
}

/// What each of `count` tunnels takes, of those that `open` opens one at a time.
fn cost_of_each(site: &Site, count: u64, mut open: impl FnMut()) -> u64 {
    // What is made once and what is kept for the next ones is there before.
    (0..50).for_each(|_| open());
    let before = site.process.resident_bytes();
    (0..count).for_each(|_| open());
    site.process.resident_bytes().saturating_sub(before) / count
}

fn switches(client: &mut Client) {
    client.send(tunnels::OPEN).unwrap();
    assert_eq!(client.head().unwrap().part(1), "101");
}

#[test]
fn idle_tunnels_hold_little() {
    let site = frugal(&Setup::web(EVERYTHING));
    let mut clients = Vec::new();
    let each = cost_of_each(&site, 1000, || {
        let mut client = site.client();
        switches(&mut client);
        clients.push(client);
    });
    assert!(each <= IDLE_TUNNEL, "{each} bytes");
}

#[test]
fn idle_tunnels_over_tls_hold_little() {
    let setup = Setup::web(EVERYTHING).flag("--entryPoints.web.http.tls=true");
    let site = frugal(&setup);
    let mut clients = Vec::new();
    let each = cost_of_each(&site, 500, || {
        let mut client =
            Client::connect_tls(site.process.address("web"), &Tls::to("a.test")).unwrap();
        switches(&mut client);
        clients.push(client);
    });
    assert!(each <= IDLE_TLS_TUNNEL, "{each} bytes");
}

#[test]
fn idle_tunnels_over_http2_hold_little() {
    let site = frugal(&Setup::web(EVERYTHING));
    let fields = [(":protocol", "websocket"), ("Host", "a"), ("Sec-WebSocket-Version", "13")];
    let headers = Headers(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let head = Head { line: "CONNECT /tunnel HTTP/2.0".to_owned(), headers };
    let (mut clients, mut streams) = (Vec::new(), Vec::new());
    let each = cost_of_each(&site, 1000, || {
        if streams.len() % 100 == 0 {
            clients.push(Http2Client::connect(site.process.address("web")).unwrap());
        }
        let client = clients.last_mut().unwrap();
        let begun = client.begin(&head, false).unwrap();
        let (status, stream) = client.tunnel(begun).unwrap();
        assert_eq!(status, 200);
        streams.push(stream);
    });
    assert!(each <= IDLE_TUNNEL, "{each} bytes");
}
