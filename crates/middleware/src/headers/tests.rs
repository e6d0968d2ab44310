use std::collections::BTreeMap;

use super::*;
use crate::testing::{context, get, listed, shown};

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn request_headers(entries: &[(&str, &str)]) -> dynamic::Headers {
    dynamic::Headers { custom_request_headers: map(entries), ..Default::default() }
}

fn response_headers(entries: &[(&str, &str)]) -> dynamic::Headers {
    dynamic::Headers { custom_response_headers: map(entries), ..Default::default() }
}

fn compiled(config: &dynamic::Headers) -> Headers {
    let mut problems = Vec::new();
    let compiled = Headers::compile(config, &mut problems);
    compiled.unwrap_or_else(|| panic!("{:?}", shown(&problems)))
}

fn problems(config: &dynamic::Headers) -> (bool, Vec<String>) {
    let mut problems = Vec::new();
    let compiled = Headers::compile(config, &mut problems).is_some();
    (compiled, shown(&problems))
}

/// The request after a middleware: fields, host, whether the client's address is appended.
fn after(config: &dynamic::Headers, fields: &[(&str, &str)]) -> (Vec<String>, String, bool) {
    let (mut request, mut context) = (get("/", fields), context());
    let flow = compiled(config).on_request(&mut request, &mut context);
    assert!(matches!(flow, Flow::Continue));
    (listed(&request.headers), request.authority().to_owned(), context.append_forwarded_for)
}

#[test]
fn request_fields_are_set_and_removed_whatever_their_case() {
    let config = request_headers(&[("x-a", "new"), ("X-DEL", ""), ("x-lower", "l")]);
    let fields = [("X-A", "1"), ("X-A", "2"), ("x-del", "1"), ("X-Keep", "k")];
    assert_eq!(
        after(&config, &fields),
        (vec!["X-A: new".into(), "X-Keep: k".into(), "X-Lower: l".into()], "a.test".into(), true)
    );
}

#[test]
fn host_replaces_the_host_and_an_empty_one_nothing() {
    for name in ["Host", "hOST"] {
        let (fields, host, _) = after(&request_headers(&[(name, "other.test:81")]), &[]);
        assert_eq!((fields.len(), host.as_str()), (0, "other.test:81"));
    }
    assert_eq!(after(&request_headers(&[("Host", "")]), &[]).1, "a.test");
}

#[test]
fn an_empty_x_forwarded_for_hides_the_client_only_in_this_spelling() {
    let sent = [("X-Forwarded-For", "1.1.1.1")];
    assert_eq!(
        after(&request_headers(&[("X-Forwarded-For", "")]), &sent),
        (vec![], "a.test".into(), false)
    );
    assert_eq!(
        after(&request_headers(&[("x-forwarded-for", "")]), &sent),
        (vec![], "a.test".into(), true)
    );
}

#[test]
fn a_later_middleware_that_sets_x_forwarded_for_shows_the_client_again() {
    let (mut request, mut context) = (get("/", &[]), context());
    compiled(&request_headers(&[("X-Forwarded-For", "")])).on_request(&mut request, &mut context);
    assert!(!context.append_forwarded_for);
    compiled(&request_headers(&[("X-Forwarded-For", "9.9.9.9")]))
        .on_request(&mut request, &mut context);
    assert!(context.append_forwarded_for);
    assert_eq!(listed(&request.headers), ["X-Forwarded-For: 9.9.9.9"]);
}

#[test]
fn no_middleware_shows_the_client_if_the_entry_point_forbids_it() {
    for entries in [[("X-Forwarded-For", "9.9.9.9")], [("X-Forwarded-For", "")]] {
        let (mut request, mut context) = (get("/", &[]), context());
        context.append_forwarded_for = false;
        let set = request_headers(&[("X-Forwarded-For", "9.9.9.9")]);
        compiled(&request_headers(&entries)).on_request(&mut request, &mut context);
        compiled(&set).on_request(&mut request, &mut context);
        assert!(!context.append_forwarded_for);
    }
}

#[test]
fn response_fields_are_set_and_removed() {
    let config = response_headers(&[("x-r", "r"), ("X-Name", ""), ("Vary", "z"), ("X-Nl", "a\nb")]);
    let mut headers = Fields::new();
    for (name, value) in [("X-R", "backend"), ("X-Name", "n"), ("Vary", "a"), ("Vary", "b")] {
        headers.append(HeaderName::parse(name).unwrap(), value);
    }
    compiled(&config).on_response(&mut headers, &get("/", &[]), false);
    assert_eq!(listed(&headers), ["X-R: r", "Vary: z", "X-Nl: a b"]);
}

#[test]
fn white_space_around_values_is_dropped() {
    let config = request_headers(&[("X-Sp", "  a  b "), ("X-Only", "   "), ("X-Utf", "é")]);
    assert_eq!(after(&config, &[]).0, ["X-Only: ", "X-Sp: a  b", "X-Utf: é"]);
}

#[test]
fn fields_that_frame_a_message_are_left_to_the_proxy() {
    let framing = [("Content-Length", "5"), ("transfer-encoding", "chunked"), ("Trailer", "")];
    let (used, shown) = problems(&request_headers(&framing));
    assert!(used);
    assert_eq!(shown.len(), 3);
    assert_eq!(
        shown[0],
        "Warning headers.customRequestHeaders.Content-Length: ignored: how a message is framed is \
         for the proxy to say"
    );
    assert_eq!(after(&request_headers(&framing), &[]).0, Vec::<String>::new());
    let mut headers = Fields::new();
    compiled(&response_headers(&framing)).on_response(&mut headers, &get("/", &[]), false);
    assert!(headers.is_empty());
}

#[test]
fn names_values_and_hosts_that_no_request_can_have_are_refused() {
    for (name, value, reason) in [
        ("X Bad", "1", "\"X Bad\": a header name is"),
        ("X-A", "a\nb", "a header value cannot hold"),
        ("Host", "a b/c", "\"a b/c\" holds a character that no host has"),
    ] {
        let (used, shown) = problems(&request_headers(&[(name, value)]));
        assert!(!used);
        assert!(shown[0].contains(reason) && shown[0].starts_with("Error"), "{shown:?}");
    }
}

#[test]
fn a_bad_name_in_a_response_is_left_out_with_a_warning() {
    let (used, shown) = problems(&response_headers(&[("X Bad", "1"), ("X-Good", "1")]));
    assert!(used);
    assert!(shown[0].starts_with("Warning headers.customResponseHeaders.X Bad: "), "{shown:?}");
}

#[test]
fn no_settings_at_all_are_refused() {
    let expected = "Error headers configuration not valid".to_owned();
    assert_eq!(problems(&dynamic::Headers::default()), (false, vec![expected.clone()]));
    let inert = dynamic::InertHeaders {
        ssl_redirect: Some(false),
        ssl_host: Some(String::new()),
        ..Default::default()
    };
    let config = dynamic::Headers { inert, ..Default::default() };
    assert_eq!(problems(&config), (false, vec![expected]));
}

#[test]
fn what_the_settings_say_of_responses_wins_over_guards() {
    let mut config = response_headers(&[("X-Frame-Options", "custom"), ("Referrer-Policy", "")]);
    config.security.frame_deny = true;
    config.security.referrer_policy = "origin".to_owned();
    config.cors.add_vary_header = true;
    let mut headers = Fields::new();
    compiled(&config).on_response(&mut headers, &get("/", &[]), false);
    assert_eq!(listed(&headers), ["X-Frame-Options: custom", "Vary: Origin"]);
}

#[test]
fn a_host_that_is_not_allowed_is_refused() {
    let mut config = response_headers(&[("X-A", "1")]);
    config.security.allowed_hosts = vec!["b.test".to_owned()];
    config.security.frame_deny = true;
    let flow = compiled(&config).on_request(&mut get("/", &[]), &mut context());
    let Flow::Respond(answer) = flow else { panic!("let in") };
    assert_eq!((answer.status.code(), answer.body.as_ref()), (500, &b"Bad Host\n"[..]));
    assert_eq!(
        listed(&answer.headers),
        ["Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff", "X-A: 1"]
    );
    config.custom_request_headers = map(&[("Host", "b.test")]);
    let flow = compiled(&config).on_request(&mut get("/", &[]), &mut context());
    assert!(matches!(flow, Flow::Continue), "the host is that which is sent on");
}

#[test]
fn a_preflight_request_meets_nothing_else() {
    let mut config = request_headers(&[("X-A", "1")]);
    config.cors.access_control_allow_methods = vec!["PUT".to_owned()];
    config.security.allowed_hosts = vec!["b.test".to_owned()];
    config.security.frame_deny = true;
    let fields = [("Origin", "https://o.test"), ("Access-Control-Request-Method", "PUT")];
    let mut request = crate::testing::request("OPTIONS", "/", "a.test", &fields);
    let Flow::Respond(answer) = compiled(&config).on_request(&mut request, &mut context()) else {
        panic!("sent on")
    };
    assert_eq!(answer.status.code(), 200);
    assert_eq!(listed(&answer.headers), ["Access-Control-Allow-Methods: PUT"]);
}

#[test]
fn what_has_no_effect_in_traefik_either_only_warns() {
    let inert = dynamic::InertHeaders { ssl_redirect: Some(true), ..Default::default() };
    let (used, shown) = problems(&dynamic::Headers { inert, ..Default::default() });
    assert!(used);
    assert!(shown[0].starts_with("Warning headers: sslRedirect,"), "{shown:?}");
}
