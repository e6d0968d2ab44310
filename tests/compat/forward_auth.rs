//! `forwardAuth`: what the server is asked, and what its answer does to request and response.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::certificate::Certificate;
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{self, Case, Pair};
use super::told;

/// Each router's middleware is named as its host; `@@auth@@` is the server that is asked, `@@secure@@` one that speaks
/// TLS, `@@plain@@` one that does not though it should.
const MIDDLEWARES: &[(&str, &str)] = &[
    ("ok", "address: 'http://@@auth@@/ok'"),
    ("bare", "address: 'http://@@auth@@'"),
    ("query", "address: 'http://@@auth@@/ok?a=b&c#d'"),
    ("user", "address: 'http://us%40er@@@auth@@/ok'"),
    ("created", "address: 'http://@@auth@@/status-201'"),
    ("empty", "address: 'http://@@auth@@/no-content'"),
    ("unauthorized", "address: 'http://@@auth@@/challenge'"),
    ("forbidden", "address: 'http://@@auth@@/status-403'"),
    ("failing", "address: 'http://@@auth@@/status-500'"),
    ("notmodified", "address: 'http://@@auth@@/not-modified'"),
    ("redirected", "address: 'http://@@auth@@/a/redirect'"),
    ("relative", "address: 'http://@@auth@@/a/b/relative?x'"),
    ("badlocation", "address: 'http://@@auth@@/badlocation'"),
    ("kept", "{address: 'http://@@auth@@/a/relative', preserveLocationHeader: true}"),
    ("keptbad", "{address: 'http://@@auth@@/badlocation', preserveLocationHeader: true}"),
    ("dead", "address: 'http://127.0.0.1:1/ok'"),
    ("closing", "address: 'http://@@auth@@/close'"),
    ("resetting", "address: 'http://@@auth@@/reset'"),
    ("garbage", "address: 'http://@@auth@@/garbage'"),
    ("cut", "address: 'http://@@auth@@/cut'"),
    ("cutchunked", "address: 'http://@@auth@@/cut-chunked'"),
    ("hints", "address: 'http://@@auth@@/hints'"),
    ("chunked", "address: 'http://@@auth@@/chunked403'"),
    ("hop", "address: 'http://@@auth@@/hop403'"),
    ("untilclose", "address: 'http://@@auth@@/until-close'"),
    ("trusting", "{address: 'http://@@auth@@/ok', trustForwardHeader: true}"),
    ("distrusting", "{address: 'http://@@auth@@/ok', trustForwardHeader: false}"),
    (
        "some",
        "{address: 'http://@@auth@@/ok', authRequestHeaders: [accept, accept-encoding, User-Agent, x-a]}",
    ),
    (
        "sometrusting",
        "{address: 'http://@@auth@@/ok', authRequestHeaders: [User-Agent, Accept-Encoding, X-A], trustForwardHeader: true}",
    ),
    ("copying", "{address: 'http://@@auth@@/ok', authResponseHeaders: [x-user, X-Absent, X-Two]}"),
    (
        "copyinghost",
        "{address: 'http://@@auth@@/ok', authResponseHeaders: [Content-Length, X-User]}",
    ),
    ("matching", "{address: 'http://@@auth@@/ok', authResponseHeadersRegex: '^X-'}"),
    (
        "matchingany",
        "{address: 'http://@@auth@@/ok', authResponseHeadersRegex: 'User|Two|Authorization'}",
    ),
    ("badregex", "{address: 'http://@@auth@@/ok', authResponseHeadersRegex: '('}"),
    ("cookies", "{address: 'http://@@auth@@/cookies', addAuthCookiesToResponse: [one, two]}"),
    ("nocookies", "{address: 'http://@@auth@@/cookies'}"),
    ("othercookies", "{address: 'http://@@auth@@/ok', addAuthCookiesToResponse: [one, two]}"),
    ("method", "{address: 'http://@@auth@@/ok', preserveRequestMethod: true}"),
    ("body", "{address: 'http://@@auth@@/ok', forwardBody: true}"),
    (
        "bodymethod",
        "{address: 'http://@@auth@@/ok', forwardBody: true, preserveRequestMethod: true}",
    ),
    ("bodylimit", "{address: 'http://@@auth@@/ok', forwardBody: true, maxBodySize: 5}"),
    ("bodyzero", "{address: 'http://@@auth@@/ok', forwardBody: true, maxBodySize: 0}"),
    ("bodyrefused", "{address: 'http://@@auth@@/status-403', forwardBody: true, maxBodySize: -1}"),
    ("limited", "{address: 'http://@@auth@@/status-403', maxResponseBodySize: 3}"),
    ("limitedok", "{address: 'http://@@auth@@/ok', maxResponseBodySize: 3}"),
    ("limitedfits", "{address: 'http://@@auth@@/status-403', maxResponseBodySize: 4}"),
    ("limitedzero", "{address: 'http://@@auth@@/no-content', maxResponseBodySize: 0}"),
    ("signin", "{address: 'http://@@auth@@/challenge', authSigninURL: 'https://in.test/?r=1'}"),
    ("signinrelative", "{address: 'http://@@auth@@/challenge', authSigninURL: 'in?a//b'}"),
    ("signinforbidden", "{address: 'http://@@auth@@/status-403', authSigninURL: '/in'}"),
    ("field", "{address: 'http://@@auth@@/ok', headerField: X-User}"),
    ("tls", "address: 'https://@@secure@@/ok'"),
    ("tlsrooted", "{address: 'https://@@secure@@/ok', tls: {ca: '@@folder@@/dynamic/root.pem'}}"),
    ("tlslenient", "{address: 'https://@@secure@@/ok', tls: {insecureSkipVerify: true}}"),
    ("plaintext", "address: 'https://@@plain@@/ok'"),
    ("deprecated", "{address: 'http://@@auth@@/ok', tls: {caOptional: true}}"),
    ("halfpair", "{address: 'https://@@auth@@/ok', tls: {cert: x}}"),
];

fn dynamic(plain: SocketAddr) -> String {
    let mut text = String::from("http:\n  routers:\n");
    for (name, _) in MIDDLEWARES {
        text.push_str(&format!(
            "    {name}: {{rule: \"Host(`{name}.test`)\", service: s, middlewares: [{name}]}}\n"
        ));
    }
    text.push_str(
        r#"
    stripped: {rule: "Host(`stripped.test`)", service: s, middlewares: [strip, ok]}
    outer: {rule: "Host(`outer.test`)", service: s, middlewares: [headers, forbidden]}
    typed: {rule: "Host(`typed.test`)", service: s, middlewares: [detects, signin]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [copying, matching, body]}
    retried: {rule: "Host(`retried.test`)", service: s, middlewares: [again, body]}
    inner: {rule: "Host(`inner.test`)", service: s, middlewares: [body, again]}
    compressed: {rule: "Host(`compressed.test`)", service: s, middlewares: [compress, forbidden]}
    lonely: {rule: "Host(`lonely.test`)", service: dead, middlewares: [cookies]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
  middlewares:
    strip: {stripPrefix: {prefixes: [/p]}}
    headers: {headers: {customResponseHeaders: {X-Outer: "1"}, customRequestHeaders: {X-A: "2"}}}
    detects: {contentType: {}}
    again: {retry: {attempts: 2, status: ["500"], retryNonIdempotentMethod: true}}
    compress: {compress: {minResponseBodyBytes: 1}}
"#,
    );
    for (name, settings) in MIDDLEWARES {
        let settings = match settings.strip_prefix('{') {
            Some(_) => (*settings).to_owned(),
            None => format!("{{{settings}}}"),
        };
        text.push_str(&format!("    {name}: {{forwardAuth: {settings}}}\n"));
    }
    let text = text.replace("@@auth@@", "@@backend1@@").replace("@@secure@@", "@@backend2@@");
    text.replace("@@plain@@", &plain.to_string())
}

/// Fields that a client may send.
const SENT: &str = "User-Agent: test\r\nAccept-Encoding: identity\r\nAccept: */*\r\nX-A: 1\r\nX-Absent: forged\r\n\
                    X-User: forged\r\nCookie: c=d\r\nTE: trailers\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\
                    Proxy-Authorization: Basic x\r\nAuthorization: Bearer y\r\nX-Forwarded-For: 198.51.100.1\r\n\
                    X-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /p\r\nX-Forwarded-Uri: /forged\r\n\
                    X-Forwarded-Method: PUT\r\nX_Forwarded_Host: x\r\nKeep-Alive: 1\r\nIf-None-Match: x\r\n";

const BARE: &str = "User-Agent: test\r\nAccept-Encoding: identity\r\n";

/// A server that answers in plaintext whatever it is told.
fn plain() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut hello = [0; 64];
            // Those who leave early need no answer.
            let _ = stream.and_then(|mut stream| {
                let _some_of_it = stream.read(&mut hello)?;
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            });
        }
    });
    address
}

fn start() -> Option<Pair> {
    let certificate = Certificate::for_names(&["127.0.0.1"]);
    let mut setup = Setup::web(&dynamic(plain()));
    setup.files.push(("root.pem".to_owned(), certificate.certificate_pem.clone()));
    let backends = || {
        let secure = Backend::with(Some(certificate.server()), |_| None, answered);
        vec![Backend::scripted(served), Backend::scripted(answered), secure]
    };
    Pair::start_with(&setup, backends)
}

#[test]
fn servers_are_asked_as_by_traefik() {
    let Some(mut pair) = start() else { return };
    let more = ["stripped", "outer", "typed", "twice", "retried", "inner", "compressed", "lonely"];
    let compare = |pair: &mut Pair, case: Case<'_>| {
        pair.compare(&case.refusal(Difference::KeepsItsClaim));
    };
    for host in MIDDLEWARES.iter().map(|(name, _)| *name).chain(more) {
        let host = &format!("{host}.test");
        compare(&mut pair, Case::get(host, "/p/x?q=1", BARE));
        compare(&mut pair, Case::get(host, "/p/x?q=1", SENT));
        compare(&mut pair, Case::get(host, "/fields", BARE).over_http2());
        compare(&mut pair, Case::request("HEAD", host, "/", BARE, ""));
        compare(&mut pair, Case::request("POST", host, "/a%2Fb", BARE, "hello").watched());
        compare(&mut pair, Case::request("PUT", host, "/", SENT, "hello again").watched());
        compare(&mut pair, Case::request("DELETE", host, "/", BARE, ""));
        compare(&mut pair, Case::request("POST", host, "/status-500", BARE, "hello").over_http2());
        let chunked = format!(
            "POST /p/chunks HTTP/1.1\r\nHost: {host}\r\n{BARE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        );
        compare(&mut pair, Case::new(format!("chunked {host}"), chunked));
        let old = format!("GET / HTTP/1.0\r\nHost: {host}\r\n{BARE}\r\n");
        compare(&mut pair, Case::new(format!("HTTP/1.0 {host}"), old));
        let two = format!("GET /1 HTTP/1.1\r\nHost: {host}\r\n{BARE}\r\n").repeat(2);
        compare(&mut pair, Case::new(format!("two {host}"), two).answers(2));
    }
    told::compare(&mut pair, &["badregex", "halfpair"]);
    pair.finish();
}

#[test]
fn upgrades_pass_a_server_that_lets_them_in() {
    let Some(mut pair) = start() else { return };
    for host in ["ok", "forbidden", "cookies", "copying", "body", "matching"] {
        let upgrade = format!(
            "GET /tunnel HTTP/1.1\r\nHost: {host}.test\r\n{BARE}Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        pair.compare(&Case::new(format!("upgrade {host}"), upgrade));
    }
    pair.finish();
}

/// What the service answers.
fn served(received: &Received) -> Vec<Step> {
    if received.path().starts_with("/p/") {
        let fields = "Set-Cookie: one=mine\r\nSet-Cookie: three=mine; Path=/\r\nX-Served: 1\r\n";
        return vec![Step::Write(script::response("200 OK", fields, "served"))];
    }
    pair::answer(received)
}

/// What the server that is asked answers.
fn answered(received: &Received) -> Vec<Step> {
    let write = |status: &str, fields: &str, body: &str| {
        let body = if received.head.part(0) == "HEAD" { "" } else { body };
        vec![Step::Write(script::response(status, fields, body))]
    };
    match received.path().rsplit('/').next().unwrap_or_default() {
        "ok" => write(
            "200 OK",
            "X-User: auth\r\nX-Two: 1\r\nX-Two: 2\r\nX-Unlisted: 1\r\nContent-Type: text/auth\r\n",
            "fine, come in",
        ),
        "challenge" => write(
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"r\"\r\nX-User: nobody\r\nSet-Cookie: one=1\r\n",
            "who are you?",
        ),
        "redirect" => write("302 Found", "Location: https://login.test/a/../b?c=d#e\r\n", "there"),
        "relative" => write("307 Temporary Redirect", "Location: ../login?x= y\r\n", "there"),
        "badlocation" => write("302 Found", "Location: http://[bad/%zz\r\n", "there"),
        "cookies" => write(
            "200 OK",
            "Set-Cookie: one=1; Path=/; HttpOnly\r\nSet-Cookie: two=2\r\nSet-Cookie: four=4\r\n",
            "",
        ),
        "hints" => script::write(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
        ),
        "chunked403" => script::write(
            "HTTP/1.1 403 Forbidden\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n",
        ),
        "hop403" => write(
            "403 Forbidden",
            "Connection: X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nTE: trailers\r\n\
             Upgrade: foo\r\nServer: auth\r\nX-Two: 1\r\nX-Two: 2\r\n",
            "no",
        ),
        _ => {
            let mut steps = pair::answer(received);
            if received.head.part(0) == "HEAD" {
                steps.push(Step::Wait(Duration::from_millis(1)));
            }
            steps
        }
    }
}
