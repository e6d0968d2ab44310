//! The PROXY protocol: who is believed, what the address then is to routers and servers, malformed headers.

use portway_testkit::client::Tls;
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    any: {rule: "PathPrefix(`/`)", service: s}
    near: {rule: "ClientIP(`192.0.2.0/24`)", service: s, middlewares: [near]}
    far: {rule: "ClientIP(`2001:db8::/32`)", service: s, middlewares: [far]}
    near-secure: {rule: "ClientIP(`192.0.2.0/24`)", service: s, middlewares: [near], tls: {}}
    any-secure: {rule: "PathPrefix(`/`)", service: s, tls: {}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    near: {headers: {customRequestHeaders: {X-Router: near}}}
    far: {headers: {customRequestHeaders: {X-Router: far}}}
"#;

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";

const ENTRY_POINTS: [&str; 5] = ["web", "listed", "others", "insecure", "forwarding"];

fn setup() -> Setup {
    Setup::web(DYNAMIC)
        .entry_point("listed")
        .entry_point("others")
        .entry_point("insecure")
        .entry_point("forwarding")
        .flag("--entryPoints.listed.proxyProtocol.trustedIPs=127.0.0.0/8")
        .flag("--entryPoints.others.proxyProtocol.trustedIPs=10.0.0.0/8,127.0.0.9")
        .flag("--entryPoints.insecure.proxyProtocol.insecure=true")
        .flag("--entryPoints.forwarding.proxyProtocol.insecure=true")
        .flag("--entryPoints.forwarding.forwardedHeaders.trustedIPs=192.0.2.0/24")
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("a short header").to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, rest].concat()
}

/// Addresses and ports as version 2 has them.
fn inet(source: &[u8], destination: &[u8]) -> Vec<u8> {
    [source, destination, &[4, 210], &[0, 80]].concat()
}

fn headers() -> Vec<Vec<u8>> {
    let four = inet(&[192, 0, 2, 1], &[198, 51, 100, 1]);
    let mut six = [0; 16];
    six[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
    let six = inet(&six, &six);
    let mut mapped = [0; 16];
    mapped[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
    let mapped = inet(&mapped, &mapped);
    let extended = [four.as_slice(), &[4, 0, 2, 7, 7]].concat();
    [
        &b""[..],
        b"PROXY TCP4 192.0.2.1 198.51.100.1 1234 80\r\n",
        b"PROXY TCP6 2001:db8::1 ::1 1234 80\r\n",
        b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1234 80\r\n",
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN 192.0.2.1 198.51.100.1 1234 80\r\n",
        &version_2(0x21, 0x11, &four),
        &version_2(0x21, 0x11, &extended),
        &version_2(0x21, 0x21, &six),
        &version_2(0x21, 0x21, &mapped),
        &version_2(0x20, 0x00, b""),
        &version_2(0x20, 0x11, &four),
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

fn malformed() -> Vec<Vec<u8>> {
    [
        &b"PROXY \r\n"[..],
        b"PROXY TCP4 2001:db8::1 ::1 1234 80\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 70000\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1234\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\n",
        b"PROXY SCTP4 192.0.2.1 192.0.2.2 1234 80\r\n",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1234 80\r\n",
        &version_2(0x31, 0x11, &inet(&[192, 0, 2, 1], &[192, 0, 2, 1])),
        &version_2(0x2f, 0x11, &inet(&[192, 0, 2, 1], &[192, 0, 2, 1])),
        &version_2(0x21, 0x51, &inet(&[192, 0, 2, 1], &[192, 0, 2, 1])),
        &version_2(0x21, 0x11, &[1, 2, 3, 4]),
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

#[test]
fn addresses_are_believed_of_whom_traefik_believes_them() {
    let Some(mut pair) = Pair::start(&setup(), 1) else { return };
    for header in headers().into_iter().chain(malformed()) {
        let name = header.escape_ascii().to_string();
        for entry_point in ENTRY_POINTS {
            let bytes = [header.as_slice(), REQUEST].concat();
            pair.compare(&Case::new(&name, bytes).at(entry_point));
            let tls = Tls { preamble: header.clone(), ..Tls::to("a.test") };
            pair.compare(&Case::new(&name, REQUEST).at(entry_point).over(tls));
        }
    }
    for header in
        [version_2(0x21, 0x00, b""), b"PROXY TCP6 192.0.2.1 192.0.2.2 1234 80\r\n".to_vec()]
    {
        let name = header.escape_ascii().to_string();
        let case = Case::new(&name, [header.as_slice(), REQUEST].concat()).at("insecure");
        pair.compare(&case.differs(Difference::ReadsProxyProtocol));
    }
    // Once is enough: what follows is the request.
    let header = &headers()[1];
    let twice = [header.as_slice(), header, REQUEST].concat();
    pair.compare(&Case::new("twice", twice).at("listed"));
    pair.finish();
}
