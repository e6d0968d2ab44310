//! Requests asked of both: who answered, and what got there.
//!
//! The servers have addresses of a network namespace, because an API server takes no loopback addresses for endpoints.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Client, SupportedProtocolVersion, TLS12, Tls};
use portway_testkit::namespace::Namespace;
use portway_testkit::process::Process;
use serde_json::{Value, json};

use super::Report;
use super::stage::{Provider, Stage, objects};

const OBJECTS: &str = include_str!("requests/objects.yaml");

/// Where the servers are: pods, the Service `native`, and the port of a Node.
const SERVERS: [([u8; 4], u16); 6] = [
    ([10, 88, 0, 1], 8080),
    ([10, 88, 0, 2], 8080),
    ([10, 88, 0, 3], 8080),
    ([10, 88, 0, 4], 8080),
    ([10, 43, 7, 7], 80),
    ([10, 88, 0, 9], 30080),
];

/// How long an answer may take.
const SILENCE: Duration = Duration::from_secs(3);

const OLDER: &[&SupportedProtocolVersion] = &[&TLS12];

/// How the two may differ.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Same,
    /// Row 1: Traefik has no such router, so that the default backend answers; Portway answers this.
    Closed(u16),
}
use Expected::{Closed, Same};

/// Asks both the same, with the objects of `requests/objects.yaml`.
#[test]
fn both_answer_the_same_requests_alike() {
    let addresses: Vec<Ipv4Addr> = SERVERS.iter().map(|(octets, _)| (*octets).into()).collect();
    let Some(_namespace) = Namespace::enter("oracle", &addresses) else { return };
    let Some(mut stage) = Stage::start() else { return };
    let servers: Vec<Backend> = SERVERS.iter().enumerate().map(|(i, at)| server(i, *at)).collect();
    let pair = stage.pair(&[Provider::Crd, Provider::Ingress], &[]);
    let mut objects = objects(OBJECTS);
    let certificates = ["secure", "newest", "ingress", "default"].map(certificate);
    objects.extend(certificates.iter().map(|(name, certificate)| secret(name, certificate)));
    let mut report = Report::new();
    report.add("objects", stage.hold(&pair, &objects));
    assert_eq!(stage.held(), objects.len(), "the API server refused some");
    let names: Vec<(String, Vec<u8>)> = certificates
        .into_iter()
        .map(|(name, certificate)| (name, certificate.certificate_der))
        .collect();
    let ask = |side: &Process, question: &Question<'_>| question.ask(side, &servers, &names);
    for question in table() {
        let [portway, traefik] = pair.sides().each_ref().map(|side| ask(side, &question));
        let alike = match question.expected {
            Same => portway == traefik,
            Closed(status) => {
                portway.starts_with(&status.to_string()) && traefik.contains("server 1:")
            }
        };
        let differ = (!alike).then(|| format!("Traefik: {traefik}\nPortway: {portway}"));
        report.add(&question.name(), differ);
    }
    let shares = pair.sides().each_ref().map(|side| share(side, &servers));
    let differ = (shares[0] != shares[1]).then(|| format!("[Portway, Traefik]: {shares:?}"));
    report.add("shares of a weighted service", differ);
    report.finish();
}

/// A server that says which one it is.
fn server(number: usize, (octets, port): ([u8; 4], u16)) -> Backend {
    Backend::at(SocketAddr::from((octets, port)), move |_| {
        vec![Step::Write(script::response("200 OK", "Server: s\r\n", &format!("server {number}")))]
    })
}

/// A certificate for `<purpose>.example`, and its Secret's name.
fn certificate(purpose: &str) -> (String, Certificate) {
    let host = match purpose {
        "ingress" => "secure-ingress.example".to_owned(),
        purpose => format!("{purpose}.example"),
    };
    (format!("certificate-{purpose}"), Certificate::for_names(&[&host]))
}

fn secret(name: &str, certificate: &Certificate) -> Value {
    let encoded = |text: &str| STANDARD.encode(text);
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name},
        "data": {
            "tls.crt": encoded(&certificate.certificate_pem),
            "tls.key": encoded(&certificate.key_pem),
        },
    })
}

/// A request, and how the answers may differ.
struct Question<'t> {
    method: &'t str,
    host: &'t str,
    target: &'t str,
    fields: &'t str,
    tls: Option<Tls<'t>>,
    expected: Expected,
}

fn get<'t>(host: &'t str, target: &'t str) -> Question<'t> {
    Question { method: "GET", host, target, fields: "", tls: None, expected: Same }
}

impl<'t> Question<'t> {
    fn by(self, method: &'t str) -> Self {
        Self { method, ..self }
    }

    fn with(self, fields: &'t str) -> Self {
        Self { fields, ..self }
    }

    fn over(self, tls: Tls<'t>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    fn is(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    fn name(&self) -> String {
        let tls = match &self.tls {
            None => String::new(),
            Some(tls) => format!(" over TLS to {:?}", tls.server_name),
        };
        format!("{} {} {} {}{tls}", self.method, self.host, self.target, self.fields.trim())
    }

    /// The status, the fields that matter, the certificate that was shown, and what servers got.
    fn ask(
        &self,
        side: &Process,
        servers: &[Backend],
        certificates: &[(String, Vec<u8>)],
    ) -> String {
        servers.iter().for_each(|server| drop(server.take()));
        let connected = match &self.tls {
            None => Client::connect(side.address("web")),
            Some(tls) => Client::connect_tls(side.address("websecure"), tls),
        };
        let mut client = match connected {
            Ok(client) => client,
            Err(error) => return format!("no connection: {:?}", error.kind()),
        };
        client.set_patience(SILENCE);
        let shown = client.peer_certificates();
        let shown = shown.first().map(|shown| {
            let known = certificates.iter().find(|(_, known)| known == shown);
            known.map_or("another", |(name, _)| name.as_str()).to_owned()
        });
        let request = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
            self.method, self.target, self.host, self.fields
        );
        let response = match client.ask(request) {
            Ok(response) => response,
            Err(error) => return format!("no answer: {:?}", error.kind()),
        };
        let mut text = format!("{} {shown:?} {}", response.status, client.protocol_version());
        for field in ["Location", "WWW-Authenticate", "X-Out", "Server"] {
            let _ = write!(text, " {field}: {:?}", response.headers.value(field));
        }
        for (number, server) in servers.iter().enumerate() {
            for received in server.take() {
                let _ = write!(text, "\n  server {number}: {}", received.head.line);
                for field in
                    ["Host", "Authorization", "X-User", "X-In", "X-Gone", "X-Forwarded-Prefix"]
                {
                    let _ = write!(text, " {field}: {:?}", received.head.headers.value(field));
                }
            }
        }
        text
    }
}

fn table() -> Vec<Question<'static>> {
    const ALICE: &str = "Authorization: Basic YWxpY2U6dGVzdA==\r\n";
    const MALLORY: &str = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";
    const BOB: &str = "Authorization: Basic Ym9iOnNlY3JldA==\r\n";
    let tls12 = |name| Tls { versions: OLDER, ..Tls::to(name) };
    let mut table = vec![
        get("plain.example", "/"),
        get("PLAIN.example", "/"),
        get("plain.example:8000", "/"),
        get("plain.example", "/two/more?q=1"),
        get("plain.example", "/twofold"),
        get("plain.example", "/high"),
        get("plain.example", "/low"),
        get("plain.example", "/").by("POST").with("Content-Length: 0\r\n"),
        get("plain.example", "/").by("HEAD"),
        get("a.pattern.example", "/"),
        get("pattern.example", "/"),
        get("several.example", "/"),
        get("native.example", "/"),
        get("nodes.example", "/"),
        get("internal.example", "/"),
        get("none.example", "/").is(Closed(503)),
        get("lost.example", "/").is(Closed(500)),
        get("nobody.example", "/any"),
        get("auth.example", "/"),
        get("auth.example", "/").with(ALICE),
        get("auth.example", "/").with(MALLORY),
        get("auth.example", "/").with("Authorization: Bearer x\r\n"),
        get("auth-plain.example", "/").with(BOB),
        get("auth-plain.example", "/").with(ALICE),
        get("auth-lost.example", "/").with(ALICE).is(Closed(500)),
        get("to-https.example", "/a?b=c"),
        get("to-https.example", "/").by("POST").with("Content-Length: 0\r\n"),
        get("to-other.example", "/old/page"),
        get("to-other.example", "/new/page"),
        get("all.example", "/strip/a").with("X-Gone: x\r\n"),
        get("all.example", "/other"),
        get("ingress.example", "/prefix"),
        get("ingress.example", "/prefix/more"),
        get("ingress.example", "/prefixed"),
        get("ingress.example", "/exact"),
        get("ingress.example", "/exact/more"),
        get("ingress.example", "/123"),
        get("ingress.example", "/12a"),
        get("ingress.example", "/native"),
        get("ingress.example", "/lost").is(Closed(500)),
        get("ingress.example", "/"),
        get("a.wild-ingress.example", "/"),
        get("a.b.wild-ingress.example", "/"),
        get("wild-ingress.example", "/"),
        get("guarded-ingress.example", "/strip/x"),
        get("guarded-ingress.example", "/strip/x").with(ALICE),
        get("secure.example", "/"),
        get("nobody.example", "/").over(Tls::to("nobody.example")),
        get("secure.example", "/").over(Tls::anonymous()),
        get("newest.example", "/").over(tls12("newest.example")),
        get("newest.example", "/").over(Tls::to("secure.example")),
        get("secure.example", "/").over(tls12("secure.example")),
    ];
    for host in
        ["secure.example", "newest.example", "uncertified.example", "secure-ingress.example"]
    {
        table.push(get(host, "/").over(Tls::to(host)));
    }
    table
}

/// How many of forty requests each server gets of a weighted service.
fn share(side: &Process, servers: &[Backend]) -> Vec<usize> {
    servers.iter().for_each(|server| drop(server.take()));
    for _ in 0..40 {
        let request = "GET / HTTP/1.1\r\nHost: split.example\r\nConnection: close\r\n\r\n";
        let answer =
            Client::connect(side.address("web")).and_then(|mut client| client.ask(request));
        assert_eq!(answer.expect("an answer").status, 200);
    }
    servers.iter().map(|server| server.take().len()).collect()
}
