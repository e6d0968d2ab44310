use super::*;
use crate::testing::{listed, request, shown};

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

fn config(origins: &[&str], credentials: bool) -> dynamic::Cors {
    dynamic::Cors {
        access_control_allow_credentials: credentials,
        access_control_allow_origin_list: texts(origins),
        ..Default::default()
    }
}

fn compiled(config: &dynamic::Cors) -> Cors {
    Cors::compile(config, &mut Vec::new()).unwrap()
}

#[track_caller]
fn preflight(config: &dynamic::Cors, fields: &[(&str, &str)], expected: &[&str]) {
    let answer = compiled(config).preflight(&request("OPTIONS", "/", "a.test", fields)).unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (Status::OK, &b""[..]));
    assert_eq!(listed(&answer.headers), expected);
}

#[track_caller]
fn response(config: &dynamic::Cors, origin: &str, own: &[(&str, &str)], expected: &[&str]) {
    let fields: &[_] = if origin.is_empty() { &[] } else { &[("Origin", origin)] };
    let mut headers = Fields::new();
    for (name, value) in own {
        headers.append(portway_http::HeaderName::parse(name).unwrap(), value);
    }
    compiled(config).on_response(&mut headers, &request("GET", "/", "a.test", fields));
    assert_eq!(listed(&headers), expected, "{config:?} {origin}");
}

const ASKED: &[(&str, &str)] = &[
    ("Origin", "https://a.test"),
    ("Access-Control-Request-Method", "PUT"),
    ("Access-Control-Request-Headers", "x-a, x-b"),
];

#[test]
fn a_preflight_request_is_answered() {
    let config = dynamic::Cors {
        access_control_allow_headers: texts(&["X-A", "X-B"]),
        access_control_allow_methods: texts(&["GET", "PUT"]),
        access_control_expose_headers: texts(&["X-C"]),
        access_control_max_age: Some(0),
        ..config(&["https://a.test"], true)
    };
    preflight(
        &config,
        ASKED,
        &[
            "Access-Control-Allow-Credentials: true",
            "Access-Control-Allow-Headers: X-A,X-B",
            "Access-Control-Allow-Methods: GET,PUT",
            "Access-Control-Allow-Origin: https://a.test",
            "Access-Control-Max-Age: 0",
            "Access-Control-Expose-Headers: X-C",
        ],
    );
    preflight(&self::config(&["https://b.test"], false), ASKED, &[]);
}

#[test]
fn with_credentials_a_star_stands_for_what_is_asked() {
    let all = |credentials| dynamic::Cors {
        access_control_allow_headers: texts(&["*"]),
        access_control_allow_methods: texts(&["*"]),
        access_control_expose_headers: texts(&["*"]),
        ..config(&["*"], credentials)
    };
    preflight(
        &all(true),
        ASKED,
        &[
            "Access-Control-Allow-Credentials: true",
            "Access-Control-Allow-Headers: x-a, x-b",
            "Access-Control-Allow-Methods: PUT",
            "Access-Control-Allow-Origin: https://a.test",
        ],
    );
    preflight(
        &all(false),
        ASKED,
        &[
            "Access-Control-Allow-Headers: *",
            "Access-Control-Allow-Methods: *",
            "Access-Control-Allow-Origin: *",
            "Access-Control-Expose-Headers: *",
        ],
    );
}

#[test]
fn other_requests_are_no_preflight() {
    let cors = compiled(&config(&["*"], false));
    for (method, fields) in [
        ("GET", ASKED),
        ("OPTIONS", &ASKED[..1]),
        ("OPTIONS", &ASKED[1..]),
        ("OPTIONS", &[("Origin", ""), ASKED[1]][..]),
    ] {
        assert_eq!(cors.preflight(&request(method, "/", "a.test", fields)), None, "{method}");
    }
}

#[test]
fn responses_say_what_is_allowed() {
    let expressions = dynamic::Cors {
        access_control_allow_origin_list_regex: texts(&[r"^https://[a-z]\.test$", "x"]),
        ..Default::default()
    };
    let expected = ["Access-Control-Allow-Origin: https://b.test"];
    response(&expressions, "https://b.test", &[], &expected);
    response(&expressions, "https://bb.test", &[], &[]);
    response(&config(&["https://b.test"], false), "https://b.test", &[], &expected);
    response(&config(&["https://b.test"], false), "https://a.test", &[], &[]);
    let own = [("Access-Control-Allow-Origin", "null"), ("Access-Control-Allow-Origin", "x")];
    response(&config(&["*"], false), "https://b.test", &own, &["Access-Control-Allow-Origin: *"]);
    response(&config(&["*"], false), "", &[], &["Access-Control-Allow-Origin: *"]);
    response(
        &config(&["*"], true),
        "",
        &[],
        &["Access-Control-Allow-Origin: ", "Access-Control-Allow-Credentials: true"],
    );
}

#[test]
fn caches_are_told_that_the_origin_counts() {
    let config = dynamic::Cors { add_vary_header: true, ..Default::default() };
    response(&config, "", &[], &["Vary: Origin"]);
    response(&config, "", &[("Vary", "Origin")], &["Vary: Origin"]);
    response(&config, "", &[("Vary", "a"), ("Vary", "b")], &["Vary: a,Origin"]);
    response(&config, "", &[("Vary", "origin")], &["Vary: origin,Origin"]);
}

#[test]
fn an_expression_that_is_none_is_refused() {
    let config = dynamic::Cors {
        access_control_allow_origin_list_regex: texts(&["a", "("]),
        ..Default::default()
    };
    let mut problems = Vec::new();
    assert!(Cors::compile(&config, &mut problems).is_none());
    let start = "Error error occurred during origin parsing: error parsing regexp: ";
    assert!(shown(&problems)[0].starts_with(start), "{problems:?}");
}
