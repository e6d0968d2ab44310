use std::net::{IpAddr, Ipv4Addr};

use portway_http::{BodyFraming, Headers, Known, Method, Request, Response, Status};

use super::*;
use crate::testing::{get, listed, request, shown};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn compiled(change: impl FnOnce(&mut dynamic::ForwardAuth)) -> Result<ForwardAuth, Vec<String>> {
    let mut config = dynamic::ForwardAuth {
        address: "http://auth:8080/verify?a=b".to_owned(),
        ..dynamic::ForwardAuth::default()
    };
    change(&mut config);
    let mut problems = Vec::new();
    ForwardAuth::compile(&config, &mut problems).ok_or_else(|| shown(&problems))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn fields(lines: &[(&str, &str)]) -> Headers {
    let mut fields = Headers::new();
    for (name, value) in lines {
        fields.append(HeaderName::parse(name).unwrap(), value);
    }
    fields
}

#[test]
fn addresses_that_cannot_be_asked_are_refused() {
    let reason = |address: &str| {
        let change = |config: &mut dynamic::ForwardAuth| config.address = address.to_owned();
        compiled(change).err().unwrap_or_default().join(" ")
    };
    assert!(reason("").contains("forwardAuth.address: is missing"));
    assert!(reason("auth:8080").contains("has no scheme"));
    assert!(reason("h2c://auth").contains("unsupported scheme `h2c`"));
    assert!(reason("http://auth/%zz").contains("is no path"));
    assert_eq!(reason("HTTPS://auth"), "");
    let bad = compiled(|config| config.auth_response_headers_regex = "(".to_owned());
    assert!(bad.unwrap_err().join("").contains("error compiling regular expression (:"));
    let hidden = compiled(|config| config.auth_request_headers = texts(&["no name"]));
    assert!(hidden.unwrap_err().join("").contains("none of these is a header name"));
}

#[test]
fn the_address_says_who_is_asked_what() {
    let parts = |address: &str| {
        let auth = compiled(|config| config.address = address.to_owned()).unwrap();
        let asked = auth.request(&get("/x", &[]), CLIENT, false);
        let user = asked.headers.get_str(Known::Authorization).unwrap_or_default().to_owned();
        format!("{} {} {user}", auth.server(), asked.target.request_uri())
    };
    assert_eq!(parts("http://auth:8080/verify?a=b"), "http://auth:8080 /verify?a=b ");
    assert_eq!(parts("https://auth"), "https://auth / ");
    assert_eq!(parts("http://auth?a#b"), "http://auth /?a ");
    assert_eq!(parts("http://us%40er:pa:ss@auth/"), "http://auth / Basic dXNAZXI6cGE6c3M=");
}

/// What the server sees of a request.
fn asked(auth: &ForwardAuth, request: &Request, tls: bool) -> Vec<String> {
    let mut lines = listed(&auth.request(request, CLIENT, tls).headers);
    lines.sort();
    lines
}

const SENT: &[(&str, &str)] = &[
    ("Accept", "*/*"),
    ("Connection", "keep-alive, x-hop"),
    ("Content-Length", "5"),
    ("Cookie", "a=b"),
    ("Expect", "100-continue"),
    ("Proxy-Authorization", "Basic x"),
    ("Te", "trailers"),
    ("Trailers", "x"),
    ("Upgrade", "websocket"),
    ("X-Forwarded-For", "198.51.100.1"),
    ("X-Forwarded-Host", "outer.test"),
    ("X-Forwarded-Prefix", "/p"),
    ("X-Forwarded-Proto", "wss"),
    ("X-Hop", "1"),
];

#[test]
fn a_server_is_told_of_the_client_what_is_trusted() {
    let request = request("POST", "/p?q", "a.test:81", SENT);
    let unsaid = compiled(|_| ()).unwrap();
    assert_eq!(
        asked(&unsaid, &request, true),
        [
            "Accept: */*",
            "Cookie: a=b",
            "Proxy-Authorization: Basic x",
            "X-Forwarded-For: 192.0.2.7",
            "X-Forwarded-Host: a.test:81",
            "X-Forwarded-Method: POST",
            "X-Forwarded-Prefix: /p",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Uri: /p?q",
        ]
    );
    let distrusted = compiled(|config| config.trust_forward_header = Some(false)).unwrap();
    assert_eq!(
        asked(&distrusted, &request, false),
        [
            "Accept: */*",
            "Cookie: a=b",
            "Proxy-Authorization: Basic x",
            "X-Forwarded-For: 192.0.2.7",
            "X-Forwarded-Host: a.test:81",
            "X-Forwarded-Method: POST",
            "X-Forwarded-Port: 81",
            "X-Forwarded-Proto: http",
            "X-Forwarded-Uri: /p?q",
        ]
    );
    let trusted = compiled(|config| config.trust_forward_header = Some(true)).unwrap();
    assert_eq!(
        asked(&trusted, &request, false),
        [
            "Accept: */*",
            "Cookie: a=b",
            "Proxy-Authorization: Basic x",
            "X-Forwarded-For: 198.51.100.1, 192.0.2.7",
            "X-Forwarded-Host: outer.test",
            "X-Forwarded-Method: POST",
            "X-Forwarded-Port: 81",
            "X-Forwarded-Prefix: /p",
            "X-Forwarded-Proto: wss",
            "X-Forwarded-Uri: /p?q",
        ]
    );
}

#[test]
fn a_server_may_be_shown_some_fields_only() {
    let shows = |trust| {
        compiled(|config| {
            config.auth_request_headers = texts(&["accept", "X-None"]);
            config.trust_forward_header = trust;
        })
        .unwrap()
    };
    let request = request("GET", "/", "a.test", SENT);
    let count = |trust| asked(&shows(trust), &request, false).len();
    assert_eq!((count(None), count(Some(false)), count(Some(true))), (6, 7, 8));
    assert!(
        asked(&shows(Some(true)), &request, false).contains(&"X-Forwarded-Prefix: /p".to_owned())
    );
}

#[test]
fn method_and_body_are_passed_on_where_that_is_wanted() {
    let mut request = request("PUT", "/", "a.test", &[]);
    request.body = BodyFraming::Length(5);
    let asked = compiled(|_| ()).unwrap().request(&request, CLIENT, false);
    assert_eq!((asked.method, asked.body), (Method::Get, BodyFraming::None));
    let auth = compiled(|config| {
        config.preserve_request_method = true;
        config.forward_body = true;
    });
    let asked = auth.as_ref().unwrap().request(&request, CLIENT, false);
    assert_eq!((asked.method, asked.body), (Method::Put, BodyFraming::Length(5)));
    assert_eq!(auth.unwrap().max_body(), Some(MAX_BODY));
    let limited = compiled(|config| {
        config.forward_body = true;
        config.max_body_size = Some(0);
        config.max_response_body_size = Some(-1);
    });
    let limited = limited.unwrap();
    assert_eq!((limited.max_body(), limited.max_answer()), (Some(0), MAX_ANSWER));
}

#[test]
fn a_request_that_passes_gets_fields_of_the_answer() {
    let auth = compiled(|config| {
        config.auth_response_headers = texts(&["x-user", "X-Absent", "Content-Length"]);
        config.auth_response_headers_regex = "^X-Role|Host|Content".to_owned();
        config.header_field = "x-user".to_owned();
    })
    .unwrap();
    let sent = [
        ("X-User", "forged"),
        ("X-Absent", "forged"),
        ("X-Role-A", "forged"),
        ("X-Other", "1"),
        ("Content-Length", "3"),
        ("Content-Type", "a/b"),
    ];
    let mut request = get("/", &sent);
    let answer = fields(&[
        ("X-User", "one"),
        ("X-User", "two"),
        ("X-Role-B", "r"),
        ("Content-Length", "0"),
        ("X-Unlisted", "1"),
    ]);
    auth.admit(&mut request, &answer);
    assert_eq!(
        listed(&request.headers),
        ["X-Other: 1", "Content-Length: 3", "X-User: one", "X-User: two", "X-Role-B: r"]
    );
    assert_eq!(auth.user(&answer).as_deref(), Some("one"));
    assert!([199, 300, 401].iter().all(|code| !auth.lets_in(Status::new(*code).unwrap())));
    assert!([200, 204, 299].iter().all(|code| auth.lets_in(Status::new(*code).unwrap())));
}

#[test]
fn listed_cookies_of_the_answer_replace_those_of_the_response() {
    let auth = compiled(|config| config.add_auth_cookies_to_response = texts(&["session", "csrf"]))
        .unwrap();
    let answer = fields(&[("Set-Cookie", "session=new; Path=/"), ("Set-Cookie", "other=1")]);
    let cookies = auth.cookies(&answer).unwrap();
    let mut response = fields(&[
        ("Set-Cookie", "session=old"),
        ("Set-Cookie", "csrf=old"),
        ("Set-Cookie", "mine=1; Partitioned"),
    ]);
    cookies.set(&mut response);
    assert_eq!(
        listed(&response),
        ["Set-Cookie: mine=1; Partitioned", "Set-Cookie: session=new; Path=/"]
    );
    assert!(auth.cookies(&fields(&[("Set-Cookie", "=")])).is_none());
    assert!(auth.cookies(&fields(&[("X-A", "1")])).is_none());
    assert!(compiled(|_| ()).unwrap().cookies(&answer).is_none());
}

fn answer(code: u16, lines: &[(&str, &str)]) -> Response {
    Response { status: Status::new(code).unwrap(), headers: fields(lines), ..Response::default() }
}

#[test]
fn other_answers_become_the_clients() {
    let auth = compiled(|_| ()).unwrap();
    let said = answer(
        302,
        &[
            ("Location", "/login"),
            ("Connection", "close"),
            ("Content-Length", "2"),
            ("Date", "x"),
            ("Trailers", "x"),
            ("Proxy-Authenticate", "Basic"),
            ("Set-Cookie", "a=b"),
        ],
    );
    let refusal = auth.refusal(&get("/", &[]), &said, b"no".to_vec(), false);
    assert_eq!((refusal.status.code(), refusal.body.as_ref()), (302, &b"no"[..]));
    assert_eq!(
        listed(&refusal.headers),
        ["Location: http://auth:8080/login", "Proxy-Authenticate: Basic", "Set-Cookie: a=b"]
    );
    let keeping = compiled(|config| config.preserve_location_header = true).unwrap();
    let refusal = keeping.refusal(&get("/", &[]), &said, Vec::new(), false);
    assert_eq!(refusal.headers.get_str(Known::Location), Some("/login"));
    let bad = auth.refusal(&get("/", &[]), &answer(302, &[("Location", "%zz")]), Vec::new(), false);
    assert_eq!(bad.status, Status::INTERNAL_SERVER_ERROR);
}

#[track_caller]
fn check_sign_in(url: &str, target: &str, detects_type: bool, expected: &[&str]) {
    let auth = compiled(|config| config.auth_signin_url = url.to_owned()).unwrap();
    let refusal = auth.refusal(&get(target, &[]), &answer(401, &[]), Vec::new(), detects_type);
    assert_eq!(refusal.status, Status::FOUND);
    let body = String::from_utf8(refusal.body.to_vec()).unwrap();
    let mut lines = listed(&refusal.headers);
    lines.extend((!body.is_empty()).then_some(body));
    assert_eq!(lines, expected, "{url}");
}

#[test]
fn whoever_is_unknown_is_sent_to_sign_in() {
    check_sign_in("https://in.test/é?a", "/x/y", false, &["Location: https://in.test/%c3%a9?a"]);
    check_sign_in("/in/../b//?q=//", "/x/y", false, &["Location: /b/?q=//"]);
    check_sign_in("in", "/x/y", false, &["Location: /x/in"]);
    check_sign_in("//in.test/x", "/x/y", false, &["Location: //in.test/x"]);
    let typed = [
        "Location: /in?a&b",
        "Content-Type: text/html; charset=utf-8",
        "<a href=\"/in?a&amp;b\">Found</a>.\n\n",
    ];
    check_sign_in("/in?a&b", "/", true, &typed);
}
