//! `buffering`: what bodies may have, what becomes of their framing, and when something is tried again.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: s, middlewares: [plain]}
    request: {rule: "Host(`request.test`)", service: s, middlewares: [request]}
    response: {rule: "Host(`response.test`)", service: s, middlewares: [response]}
    both: {rule: "Host(`both.test`)", service: s, middlewares: [mark, both]}
    again: {rule: "Host(`again.test`)", service: s, middlewares: [again]}
    codes: {rule: "Host(`codes.test`)", service: s, middlewares: [codes]}
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [again]}
    onedead: {rule: "Host(`onedead.test`)", service: onedead, middlewares: [again]}
    endless: {rule: "Host(`endless.test`)", service: dead, middlewares: [endless]}
    method: {rule: "Host(`method.test`)", service: s, middlewares: [method]}
    auth: {rule: "Host(`auth.test`)", service: s, middlewares: [request, deny]}
    errors: {rule: "Host(`errors.test`)", service: s, middlewares: [pages, request]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    onedead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}, {url: "http://@@backend0@@"}]}}
  middlewares:
    plain: {buffering: {memRequestBodyBytes: 1048576}}
    request: {buffering: {maxRequestBodyBytes: 5}}
    response: {buffering: {maxResponseBodyBytes: 4}}
    both: {buffering: {maxRequestBodyBytes: 4, maxResponseBodyBytes: 5, memRequestBodyBytes: 2, memResponseBodyBytes: 2}}
    again: {buffering: {retryExpression: "IsNetworkError() && Attempts() <= 2"}}
    codes: {buffering: {retryExpression: "ResponseCode() >= 500 && Attempts() < 4 || ResponseCode() == 404 && Attempts() != 2"}}
    endless: {buffering: {retryExpression: "IsNetworkError()"}}
    method: {buffering: {retryExpression: "(RequestMethod() == \"PUT\" || RequestMethod() != \"PUT\" && Attempts() < 2) && ResponseCode() > 499 && Attempts() < 3"}}
    pages: {errors: {status: ["400-599"], service: s, query: "/page"}}
    mark: {headers: {customResponseHeaders: {X-Mark: "1"}}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
"#;

const BODIES: &[&str] = &["", "1234", "12345", "123456"];

const PATHS: &[&str] =
    &["/", "/status-500", "/status-404", "/chunked", "/no-content", "/not-modified"];

const HOSTS: &[&str] = &[
    "plain", "request", "response", "both", "again", "codes", "dead", "onedead", "endless",
    "method", "auth", "errors",
];

#[test]
fn bodies_are_buffered_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in HOSTS {
        let host = &format!("{host}.test");
        // Without a body nothing is tried again, and which server is asked first is not known.
        let bodies = if host == "onedead.test" { &BODIES[1..] } else { BODIES };
        let paths = if host == "onedead.test" { &[] } else { PATHS };
        for path in paths {
            pair.compare(&Case::get(host, path, ""));
        }
        // To HEAD Traefik answers without a length where the answer is its own.
        if !["dead.test", "endless.test", "auth.test", "onedead.test"].contains(&host.as_str()) {
            pair.compare(&Case::request("HEAD", host, "/", "", ""));
        }
        for body in bodies {
            for (method, path) in [("POST", "/"), ("PUT", "/status-500")] {
                pair.compare(&Case::request(method, host, path, "", body));
            }
            let chunks = match *body {
                "" => String::new(),
                body => format!("{:x}\r\n{body}\r\n", body.len()),
            };
            let chunked = format!(
                "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
            );
            pair.compare(&Case::new(format!("chunked {host} {body}"), chunked));
        }
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}
