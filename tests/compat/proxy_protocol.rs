//! The PROXY protocol: who is believed, what the address then is to routers and servers, malformed headers.

use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Client, Tls};
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

#[test]
fn who_asks_for_no_name_gets_the_certificate_of_the_address_that_was_told() {
    let mut setup = setup();
    let mut files = String::new();
    let mut known = Vec::new();
    let names = ["198.51.100.1", "2001:db8::", "other.test"];
    let [told, six, last] = names.map(|name| Certificate::for_names(&[name]));
    for (file, certificate) in [("told", &told), ("six", &six), ("other", &last)] {
        setup.files.push((format!("{file}.pem"), certificate.certificate_pem.clone()));
        setup.files.push((format!("{file}.key"), certificate.key_pem.clone()));
        files += &format!(
            "  - {{certFile: '@@folder@@/dynamic/{file}.pem', keyFile: '@@folder@@/dynamic/{file}.key'}}\n"
        );
        known.push((file, certificate.identity().0.remove(0).to_vec()));
    }
    setup.files.push(("tls.yml".to_owned(), format!("tls:\n  certificates:\n{files}")));
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    super::tls::settle(&pair, "other.test", &last);
    for header in headers() {
        for entry_point in ["web", "listed", "others", "insecure"] {
            let tls = Tls { preamble: header.clone(), ..Tls::anonymous() };
            let shown = pair.sides.each_ref().map(|side| {
                let client = Client::connect_tls(side.process.address(entry_point), &tls);
                let Ok(client) = client else { return "refused".to_owned() };
                let shown = client.peer_certificates();
                let file = known.iter().find(|(_, der)| shown.first() == Some(der));
                file.map_or("another", |(file, _)| *file).to_owned()
            });
            pair.compare_texts(&format!("{entry_point} {}", header.escape_ascii()), shown);
        }
    }
    pair.finish();
}
