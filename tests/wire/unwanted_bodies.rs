//! Answers that come before the request's body has: a client that goes on is never surprised by the end of its
//! connection.

use portway_testkit::backend::Backend;
use portway_testkit::client::Client;

use super::{Site, get};

const NOWHERE: &str = r#"
http:
  routers:
    all: {rule: "Host(`a`)", service: s, entryPoints: [web]}
    dead: {rule: "Host(`dead`)", service: dead, entryPoints: [web]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
"#;

fn site() -> Site {
    Site::with(Backend::start(), &portway_testkit::process::Setup::web(NOWHERE), &[])
}

/// Begins a request, and gives the status of its answer and what that says of the connection.
#[track_caller]
fn begin(client: &mut Client, host: &str, framing: &str, body: &str) -> (u16, Option<String>) {
    let head = format!("POST /early HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n{body}");
    client.send(head).unwrap();
    let response = client.response_to("POST").unwrap();
    (response.status, response.headers.value("Connection").map(str::to_owned))
}

#[test]
fn an_answer_says_that_its_connection_ends_where_a_body_of_unknown_length_is_underway() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let said = begin(&mut site.client(), host, "Transfer-Encoding: chunked", "1\r\nx\r\n");
        assert_eq!(said, (status, Some("close".to_owned())), "{host}");
    }
}

#[test]
fn an_answer_says_that_its_connection_ends_where_much_of_the_body_is_to_come() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let said = begin(&mut site.client(), host, "Content-Length: 5000000", "x");
        assert_eq!(said, (status, Some("close".to_owned())), "{host}");
    }
}

#[test]
fn a_connection_goes_on_where_little_of_the_body_is_to_come() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let mut client = site.client();
        assert_eq!(
            begin(&mut client, host, "Content-Length: 60000", "x"),
            (status, None),
            "{host}"
        );
        client.send(vec![b'x'; 59_999]).unwrap();
        let next = client.ask(get("/next")).unwrap();
        assert_eq!(next.status, 200, "{host}");
        assert!(next.text().starts_with("GET /next"), "{host}: {}", next.text());
    }
}

#[test]
fn a_connection_goes_on_where_all_of_the_body_is_here() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let mut client = site.client();
        let said = begin(&mut client, host, "Transfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n");
        assert_eq!(said, (status, None), "{host}");
        assert_eq!(client.ask(get("/next")).unwrap().status, 200, "{host}");
    }
}
