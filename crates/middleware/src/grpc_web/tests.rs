use portway_http::BodyFraming;

use super::*;
use crate::testing::{listed, request};

fn compiled(origins: &[&str]) -> GrpcWeb {
    let allow_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    GrpcWeb::compile(&dynamic::GrpcWeb { allow_origins })
}

#[track_caller]
fn check_preflight(origins: &[&str], fields: &[(&str, &str)], expected: &[&str]) {
    let mut request = request("OPTIONS", "/a.B/C", "a.test", fields);
    let grpc_web = compiled(origins);
    let spoken = grpc_web.on_request(&mut request);
    let Spoken::Preflight(answer) = spoken else { panic!("{spoken:?}") };
    assert_eq!((answer.status, answer.body.len()), (Status::OK, 0));
    assert_eq!(listed(&answer.headers), [VARY, expected].concat());
}

const VARY: &[&str] = &[
    "Vary: Origin",
    "Vary: Access-Control-Request-Method",
    "Vary: Access-Control-Request-Headers",
];

const METHOD: (&str, &str) = ("Access-Control-Request-Method", "post");
const HEADERS: (&str, &str) = ("Access-Control-Request-Headers", "x-user-agent,X-GRPC-Web, a_b");

#[test]
fn pages_of_listed_origins_may_ask() {
    let allowed = [
        "Access-Control-Allow-Origin: http://a",
        "Access-Control-Allow-Methods: POST",
        "Access-Control-Allow-Headers: X-User-Agent, X-Grpc-Web, A_B",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Max-Age: 600",
    ];
    let origin = ("Origin", "http://a");
    check_preflight(&["http://a"], &[origin, METHOD, HEADERS], &allowed);
    check_preflight(&["x", "*"], &[origin, METHOD, HEADERS], &allowed);
    check_preflight(&["http://b"], &[origin, METHOD, HEADERS], &[]);
    check_preflight(&[], &[origin, METHOD, HEADERS], &[]);
    check_preflight(&["*"], &[METHOD, HEADERS], &[]);
    let put = ("Access-Control-Request-Method", "PUT");
    check_preflight(&["*"], &[origin, put, HEADERS], &[]);
}

/// How a request passes, with its type as servers see it.
fn passed(method: &str, fields: &[(&str, &str)]) -> Option<(String, bool)> {
    let mut request = request(method, "/", "a.test", fields);
    let before = request.headers.get(Known::ContentType).map(<[u8]>::to_vec);
    let grpc_web = compiled(&[]);
    let Spoken::Web(mut web) = grpc_web.on_request(&mut request) else { return None };
    let kind = request.headers.get_str(Known::ContentType).unwrap_or_default().to_owned();
    assert!(!request.headers.contains(Known::ContentLength));
    web.restore(&mut request);
    assert_eq!(request.headers.get(Known::ContentType), before.as_deref());
    Some((kind, web.is_text()))
}

#[test]
fn requests_of_grpc_web_become_those_of_grpc() {
    let post = |kind: &str| passed("POST", &[("Content-Type", kind), ("Content-Length", "3")]);
    let grpc = |kind: &str, text| Some((kind.to_owned(), text));
    assert_eq!(post("application/grpc-web"), grpc("application/grpc", false));
    assert_eq!(post("application/grpc-web+proto"), grpc("application/grpc+proto", false));
    assert_eq!(post("application/grpc-web-text"), grpc("application/grpc", true));
    assert_eq!(post("application/grpc-web-text+json; x"), grpc("application/grpc+json; x", true));
    assert_eq!(post("application/grpc"), None);
    assert_eq!(post("Application/grpc-web"), None);
    assert_eq!(passed("PUT", &[("Content-Type", "application/grpc-web")]), None);
    assert_eq!(passed("OPTIONS", &[]), None);
    assert_eq!(passed("OPTIONS", &[METHOD]), None);
    assert_eq!(passed("OPTIONS", &[HEADERS]), grpc("", false));
}

#[track_caller]
fn check_response(
    kind: &str,
    fields: &[(&str, &str)],
    body: BodyFraming,
    expected: &[&str],
    changes_body: bool,
) {
    let mut asked =
        request("POST", "/", "a.test", &[("Content-Type", kind), ("Origin", "http://a")]);
    let grpc_web = compiled(&["http://a"]);
    let Spoken::Web(web) = grpc_web.on_request(&mut asked) else { panic!("{kind}") };
    let mut headers = Fields::new();
    for (name, value) in fields {
        headers.append(portway_http::HeaderName::parse(name).unwrap(), value);
    }
    let says_length =
        matches!(body, BodyFraming::Length(_)) && headers.contains(Known::ContentLength);
    let filter = web.on_response(&mut headers, Status::OK, says_length, false);
    assert_eq!(listed(&headers), expected);
    assert_eq!(filter.is_some(), changes_body);
}

#[test]
fn what_a_server_says_of_pages_stays() {
    let said = [("Vary", "x, ORIGIN"), ("Access-Control-Allow-Origin", "http://b")];
    let expected = [
        "Vary: x, ORIGIN",
        "Access-Control-Allow-Origin: http://b",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Expose-Headers: Content-Type, Vary, Access-Control-Allow-Origin, \
         Access-Control-Allow-Credentials, grpc-status, grpc-message",
    ];
    check_response("application/grpc-web", &said, BodyFraming::Chunked, &expected, true);
}

#[test]
fn responses_of_grpc_become_those_of_grpc_web() {
    let allowed = [
        "Vary: X",
        "Vary: Origin",
        "Access-Control-Allow-Origin: http://a",
        "Access-Control-Allow-Credentials: true",
    ];
    let told = |kind: &str, names: &str, extra: &[&'static str]| -> Vec<String> {
        let exposed = format!(
            "Access-Control-Expose-Headers: Content-Type, {names}Vary, Access-Control-Allow-Origin, \
             Access-Control-Allow-Credentials, grpc-status, grpc-message"
        );
        let mut lines = vec![format!("Content-Type: {kind}")];
        lines.extend(extra.iter().chain(&allowed).map(|&line| line.to_owned()));
        lines.push(exposed);
        lines
    };
    let check = |kind, fields: &[_], body, expected: Vec<String>, changes| {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check_response(kind, fields, body, &expected, changes);
    };
    let (web, text) = ("application/grpc-web", "application/grpc-web-text");
    let grpc = ("Content-Type", "application/grpc+proto");
    let fields = [grpc, ("Trailer", "Grpc-Status"), ("Vary", "X")];
    let expected = told("application/grpc-web+proto", "", &[]);
    check(web, &fields, BodyFraming::Chunked, expected, true);
    let expected = told("application/grpc-web-text+proto", "", &[]);
    check(text, &fields, BodyFraming::None, expected, true);
    let length = ("Content-Length", "5");
    let plain = [("Content-Type", "text/plain"), length, ("Vary", "X")];
    let expected = told("text/plain", "Content-Length, ", &["Content-Length: 5"]);
    check(web, &plain, BodyFraming::Length(5), expected.clone(), false);
    check(text, &plain, BodyFraming::Length(5), expected, true);
    let sized = [grpc, length, ("Vary", "X")];
    let expected = told("application/grpc-web+proto", "Content-Length, ", &["Content-Length: 5"]);
    check(web, &sized, BodyFraming::Length(5), expected, true);
}
