//! `forwardAuth`: what guards a request holds whatever the server that is asked does, and costs bodies nothing.

use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Client, End};
use portway_testkit::process::Setup;

use super::Site;

/// `@@auth@@` is the address of the server that is asked.
const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, entryPoints: [web], middlewares: [auth]}
  middlewares:
    auth: {forwardAuth: {@@settings@@}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
"#;

fn setup(auth: &Backend, settings: &str) -> Setup {
    let settings = format!("address: \"{}/verify\"{settings}", auth.url());
    Setup::web(&DYNAMIC.replace("@@settings@@", &settings))
}

fn site(auth: &Backend, settings: &str) -> Site {
    let length = |received: &Received| {
        let text = received.body.len().to_string();
        vec![Step::Write(script::response("200 OK", "", &text))]
    };
    Site::with(Backend::scripted(length), &setup(auth, settings), &["--workers=1"])
}

fn ok(_: &Received) -> Vec<Step> {
    vec![Step::Write(script::response("200 OK", "", "fine"))]
}

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn bodies_pass_whole_once_the_request_is_let_in() {
    let auth = Backend::scripted(ok);
    let body = vec![b'x'; 3_000_000];
    for settings in ["", ", forwardBody: true, maxBodySize: 3000000"] {
        let site = site(&auth, settings);
        let mut client = site.client();
        for _ in 0..3 {
            client.send(post(body.len())).unwrap();
            client.send(&body).unwrap();
            assert_eq!(client.response_to("POST").unwrap().text(), "3000000");
            client
                .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                .unwrap();
            for part in body.chunks(100_001) {
                client.send(format!("{:X}\r\n", part.len())).unwrap();
                client.send(part).unwrap();
                client.send("\r\n").unwrap();
            }
            client.send("0\r\n\r\n").unwrap();
            assert_eq!(client.response_to("POST").unwrap().text(), "3000000");
        }
        let seen: Vec<_> = auth.take().iter().map(|asked| asked.body.len()).collect();
        let expected = if settings.is_empty() { 0 } else { 3_000_000 };
        assert_eq!(seen, [expected; 6]);
    }
    assert!(auth.connections() <= 2, "connections to it are kept");
}

#[test]
fn what_follows_a_refused_body_is_no_request() {
    let auth = Backend::scripted(|_| vec![Step::Write(script::response("403 No", "", "no"))]);
    for settings in ["", ", forwardBody: true", ", forwardBody: true, maxBodySize: 3"] {
        let site = site(&auth, settings);
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        for head in [
            format!("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", smuggled.len()),
            format!(
                "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
                smuggled.len()
            ),
        ] {
            let end = if head.contains("chunked") { "\r\n0\r\n\r\n" } else { "" };
            let mut client = site.client();
            let _ = auth.take();
            client
                .send(format!("{head}{smuggled}{end}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"))
                .unwrap();
            let first = client.response_to("POST").unwrap();
            assert!(matches!(first.status, 401 | 403), "{settings}");
            let (rest, _) = client.until_end(Duration::from_millis(300));
            let asked: Vec<String> = auth
                .take()
                .iter()
                .map(|asked| asked.head.headers.value("X-Forwarded-Uri").unwrap().to_owned())
                .collect();
            assert!(!asked.contains(&"/smuggled".to_owned()), "{settings}: {asked:?}");
            assert!(rest.is_empty() || asked.contains(&"/2".to_owned()), "{settings}: {asked:?}");
        }
        assert!(site.backend.take().is_empty());
    }
}

#[test]
fn nobody_passes_a_server_that_does_not_answer_well() {
    let wait = || Step::Wait(Duration::from_millis(200));
    let cases: Vec<(&str, Vec<Step>, u16)> = vec![
        ("closes", vec![Step::Close], 500),
        ("resets", vec![Step::Reset], 500),
        ("writes nonsense", [script::write("nonsense\r\n\r\n"), vec![Step::Close]].concat(), 500),
        (
            "breaks off",
            [
                script::write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"),
                vec![wait(), Step::Close],
            ]
            .concat(),
            500,
        ),
        (
            "breaks chunks off",
            [
                script::write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
                vec![wait(), Step::Close],
            ]
            .concat(),
            500,
        ),
        (
            "never ends",
            [script::write("HTTP/1.1 200 OK\r\n\r\n"), vec![Step::Fill(1 << 34)]].concat(),
            401,
        ),
        (
            "refuses without end",
            [script::write("HTTP/1.1 403 No\r\n\r\n"), vec![Step::Fill(1 << 34)]].concat(),
            401,
        ),
        (
            "is interim",
            [script::write("HTTP/1.1 103 Early Hints\r\n\r\n"), vec![wait(), Step::Close]].concat(),
            500,
        ),
        (
            "switches",
            script::write(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
            ),
            500,
        ),
        ("is empty", script::write("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), 302),
    ];
    for (name, steps, expected) in cases {
        let auth = Backend::scripted(move |_| steps.clone());
        let site = site(&auth, "");
        for request in [super::get("/"), format!("{}hello", post(5))] {
            let start = Instant::now();
            let answer = site.client().ask(request).unwrap();
            assert_eq!(answer.status, expected, "{name}");
            assert!(answer.interim.is_empty(), "{name}");
            assert!(start.elapsed() < Duration::from_secs(5), "{name}");
        }
        assert!(site.backend.take().is_empty(), "{name}");
        assert!(site.process.resident_bytes() < 200 << 20, "{name}");
    }
}

#[test]
fn a_client_that_leaves_takes_its_question_along() {
    let late = |_: &Received| {
        let answer = Step::Write(script::response("200 OK", "", ""));
        vec![Step::Wait(Duration::from_secs(2)), answer]
    };
    let auth = Backend::scripted(late);
    let site = site(&auth, "");
    let mut client = site.client();
    client.send(super::get("/")).unwrap();
    assert_eq!(auth.take_at_least(1, Duration::from_secs(5)).len(), 1);
    drop(client);
    std::thread::sleep(Duration::from_millis(2500));
    assert!(site.backend.take().is_empty());
}

#[test]
fn a_server_is_asked_by_tls_only_if_it_is_who_it_should_be() {
    let certificate = Certificate::for_names(&["localhost"]);
    let other = Certificate::for_names(&["localhost"]);
    let auth = Backend::with(Some(certificate.server()), |_| None, ok);
    let port = auth.address().port();
    for (settings, expected) in [
        (", tls: {ca: \"@@folder@@/dynamic/root.pem\"}", 200),
        (", tls: {ca: \"@@folder@@/dynamic/other.pem\"}", 500),
        (", tls: {insecureSkipVerify: true}", 200),
        (", tls: {}", 500),
        ("", 500),
    ] {
        let mut setup = setup(&auth, settings);
        for (_, text) in &mut setup.files {
            *text = text.replace("127.0.0.1", "localhost");
        }
        setup.files.push(("root.pem".to_owned(), certificate.certificate_pem.clone()));
        setup.files.push(("other.pem".to_owned(), other.certificate_pem.clone()));
        let site = Site::with(Backend::scripted(ok), &setup, &[]);
        let mut client: Client = site.client();
        for _ in 0..2 {
            assert_eq!(client.ask(super::get("/")).unwrap().status, expected, "{settings} {port}");
        }
        assert_eq!(client.until_end(Duration::from_millis(50)).1, End::Open);
        assert_eq!(site.backend.take().len(), if expected == 200 { 2 } else { 0 });
    }
}
