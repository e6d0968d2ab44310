//! Messages: bodies, trailers, interim responses, HTTP/1.0, pipelining, keep-alive, and how
//! backends' answers arrive.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    web: {rule: "PathPrefix(`/`)", service: s}
    impatient: {rule: "Host(`impatient.test`)", service: impatient}
    dead: {rule: "Host(`dead.test`)", service: dead}
    empty: {rule: "Host(`empty.test`)", service: empty}
    noop: {rule: "Host(`noop.test`)", service: noop@internal}
    unknown: {rule: "Host(`unknown.test`) && !PathPrefix(`/`)", service: s}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    impatient: {loadBalancer: {serversTransport: impatient, servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
  serversTransports:
    impatient: {forwardingTimeouts: {responseHeaderTimeout: 300ms}}
"#;

/// What the backend does is chosen by the path.
const ANSWERS: &[&str] = &[
    "/",
    "/status-200",
    "/status-201",
    "/status-301",
    "/status-400",
    "/status-404",
    "/status-418",
    "/status-500",
    "/status-502",
    "/status-503",
    "/status-599",
    "/status-299",
    "/status-999",
    "/no-content",
    "/not-modified",
    "/chunked",
    "/trailers",
    "/unannounced",
    "/until-close",
    "/http10",
    "/hints",
    "/fields",
    "/hop",
    "/close",
    "/reset",
    "/garbage",
    "/two-lengths",
    "/length-and-chunked",
    "/cut",
    "/cut-chunked",
    "/cut-head",
    "/unasked",
    "/early",
    "/close-early",
    "/reset-early",
];

/// Raw messages with the number of responses they get.
const MESSAGES: &[(&str, usize)] = &[
    ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 1),
    ("GET / HTTP/1.0\r\n\r\n", 1),
    ("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 1),
    ("GET /chunked HTTP/1.0\r\nHost: a\r\n\r\n", 1),
    ("GET /trailers HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 1),
    ("GET /until-close HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 1),
    ("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 1),
    ("POST / HTTP/1.0\r\nHost: a\r\n\r\nabc", 1),
    ("HEAD / HTTP/1.0\r\nHost: a\r\n\r\n", 1),
    ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1),
    ("GET /until-close HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("GET /hop HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n", 2),
    (
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /chunked HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        3,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /two HTTP/1.1\r\nHost: a\r\n\r\n",
        2,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n",
        2,
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        1,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n00\r\n\r\n",
        1,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0;x\r\n\r\n",
        1,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n",
        1,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Two\r\nTE: trailers\r\n\r\n3\r\nabc\r\n0\r\nX-Two: 2\r\nX-Sum: 9\r\n\r\n",
        1,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n",
        1,
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n",
        1,
    ),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 1),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 1),
    ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 1),
    ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1),
    ("PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello", 1),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\nhello", 1),
    (
        "POST /no-continue HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        1,
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 200-ok\r\n\r\nhello", 1),
    ("GET / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n", 1),
    ("GET / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", 1),
    ("FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("f!#$%&'*+-.^_`|~1 / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("PRI / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("POST / HTTP/1.1\r\nHost: dead.test\r\nContent-Length: 5\r\n\r\nhello", 1),
    (
        "POST / HTTP/1.1\r\nHost: noop.test\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        2,
    ),
    (
        "POST / HTTP/1.1\r\nHost: empty.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        2,
    ),
];

#[test]
fn answers_of_backends_arrive_as_through_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for method in ["GET", "HEAD", "POST"] {
        for target in ANSWERS {
            // Go's client sometimes loses an answer that ends by closing when it sent a body
            // itself.
            let closing = ["/until-close", "/http10", "/cut", "/cut-chunked"].contains(target);
            let body = if method == "POST" && !closing { "a body" } else { "" };
            let case = Case::request(method, "a", target, "", body).watched();
            // An answer to HEAD is not framed, so these say nothing by their fields.
            let unframed = ["/length-and-chunked", "/trailers"].contains(target);
            match method == "HEAD" && unframed {
                true => pair.compare(&case.statuses_only()),
                false => pair.compare(&case),
            }
        }
        for host in ["dead.test", "empty.test", "noop.test", "unknown.test"] {
            pair.compare(&Case::request(method, host, "/", "", "").watched());
        }
        let case = Case::request(method, "a", "/bad-field", "", "");
        pair.compare(&case.differs(Difference::RefusesAmbiguousAnswer));
        pair.compare(&Case::request(method, "impatient.test", "/slow", "", "").watched());
        pair.compare(&Case::request(method, "a", "/slow", "", "").watched());
    }
    pair.finish();
}

#[test]
fn messages_pass_as_through_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for (message, responses) in MESSAGES {
        let case = Case::new(message.escape_debug().to_string(), message);
        let case = case.answers(*responses).watched().without_request_trailers();
        pair.compare(&case.refusal(Difference::RefusesAmbiguous));
    }
    pair.finish();
}
