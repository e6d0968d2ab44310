//! Middlewares that call what follows them, in pairs: what each makes of the other's responses.

use std::fmt::Write as _;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{self, Case, Pair};

/// Each is put around each of the others, and around itself.
const WRAPPERS: &[(&str, &str)] = &[
    ("retry", "{retry: {attempts: 2, status: [\"500-599\"]}}"),
    ("errors", "{errors: {status: [\"404\", \"500-599\"], service: pages, query: \"/{status}\"}}"),
    ("buffering", "{buffering: {maxRequestBodyBytes: 10, maxResponseBodyBytes: 100}}"),
    ("gzip", "{compress: {encodings: [gzip], minResponseBodyBytes: 4}}"),
    ("brotli", "{compress: {encodings: [br], minResponseBodyBytes: 4}}"),
    ("breaker", "{circuitBreaker: {expression: \"NetworkErrorRatio() > 2.0\"}}"),
    ("ask", "{forwardAuth: {address: \"http://@@backend2@@/\", addAuthCookiesToResponse: [one]}}"),
    ("web", "{grpcWeb: {allowOrigins: [\"*\"]}}"),
    ("typed", "{contentType: {}}"),
    ("deny", "{basicAuth: {users: [\"test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\"]}}"),
    ("vary", "{headers: {customResponseHeaders: {Vary: Cookie, X-Set: \"1\"}}}"),
];

const ANSWERS: &[&str] = &[
    "plain",
    "status-404",
    "status-500",
    "no-content",
    "not-modified",
    "fields",
    "trailers",
    "unannounced",
    "chunked",
    "failed-chunked",
    "close",
    "long",
    "long-chunked",
];

const FIELDS: &[&str] = &[
    "",
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: br\r\nAuthorization: Basic dGVzdDp0ZXN0\r\n",
];

fn dynamic() -> String {
    let (mut routers, mut middlewares) = (String::new(), String::new());
    for (name, settings) in WRAPPERS {
        let _ = writeln!(middlewares, "    {name}: {settings}");
        for (inner, _) in WRAPPERS {
            let _ = writeln!(
                routers,
                "    {name}-{inner}: {{rule: \"Host(`{name}-{inner}.test`)\", service: s, middlewares: [{name}, {inner}]}}",
            );
        }
    }
    format!(
        "http:\n  routers:\n{routers}  middlewares:\n{middlewares}  services:\n\
         \x20   s: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         \x20   pages: {{loadBalancer: {{servers: [{{url: \"http://@@backend1@@\"}}]}}}}\n"
    )
}

fn start() -> Option<Pair> {
    let ask = |_: &Received| {
        let fields = "Set-Cookie: one=1\r\nSet-Cookie: two=2\r\n";
        vec![Step::Write(script::response("200 OK", fields, ""))]
    };
    let backends = || {
        let standard = || Backend::scripted(pair::answer);
        vec![standard(), standard(), Backend::scripted(ask)]
    };
    Pair::start_with(&Setup::web(&dynamic()), backends)
}

/// Every pair, outer first.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    WRAPPERS.iter().flat_map(|(outer, _)| WRAPPERS.iter().map(|(inner, _)| (*outer, *inner)))
}

#[test]
fn wrappers_wrap_one_another_as_in_traefik() {
    let Some(mut pair) = start() else { return };
    for (outer, inner) in pairs() {
        let host = format!("{outer}-{inner}.test");
        for answer in ANSWERS {
            let open = ["trailers", "unannounced", "chunked", "failed-chunked", "long-chunked"]
                .contains(answer);
            if open && [outer, inner].contains(&"typed") {
                // Whether there is a type is left to chance (35).
                continue;
            }
            let target = format!("/{answer}");
            for fields in FIELDS {
                let case = Case::get(&host, &target, fields);
                let again = *answer == "failed-chunked" && [outer, inner].contains(&"retry");
                pair.compare(&if again { case.refusal(Difference::StaysAnError) } else { case });
            }
            if ["plain", "status-500", "trailers"].contains(answer) {
                pair.compare(&Case::request("PUT", &host, &target, FIELDS[1], "hello"));
            }
            if ["plain", "no-content"].contains(answer) {
                pair.compare(&Case::request("HEAD", &host, &target, FIELDS[1], ""));
            }
        }
    }
    pair.finish();
}

/// What `retry` and `buffering` hold back they hold back with what came before it; elsewhere it passes (41).
#[test]
fn interim_responses_pass_where_they_do_in_traefik() {
    let Some(mut pair) = start() else { return };
    for (outer, inner) in pairs() {
        let host = format!("{outer}-{inner}.test");
        for fields in FIELDS {
            let case = Case::get(&host, "/hints", fields);
            pair.compare(&case.refusal(Difference::KeepsInterimApart));
        }
    }
    pair.finish();
}
