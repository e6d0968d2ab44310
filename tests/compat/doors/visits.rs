//! Requests at random, as they come to an entry point.

use portway_testkit::client::Tls;
use portway_testkit::random::Random;

use super::fields::fields;
use super::house::{House, NAMES, ROUTERS};
use super::{proxied, routers};
use crate::compat::differences::Difference;
use crate::compat::forwarded::FIELDS;
use crate::compat::pair::Case;
use crate::compat::paths::{ABSOLUTE, MORE, TARGETS};

const METHODS: &[&str] = &["GET", "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "FOO"];

const SERVER_NAMES: &[&str] = &["h0.test", "h1.test", "one.test", "x.three.test", "nobody.test"];

const HOSTS: &[&str] = &[
    "[::1]",
    "[::1]:80",
    "::1",
    "",
    "one.test",
    "127.0.0.1",
    "127.0.0.1:80",
    "a_b.test",
    "h0.test:",
    "h0.test:x",
    "h1.test:80:80",
    "h2.test.:80",
    "H3.TEST.",
    "[fe80::1%25lo]",
    "[fe80::1%lo]:9",
    "h%30.test",
    "[h0.test]",
    "h0.test..",
    "0",
    "h0.test:00443",
];

/// A request, or several on one connection.
pub(super) fn make(random: &mut Random, house: &House) -> Case<'static> {
    let entry_point = *random.pick(&NAMES);
    let door = house.door(entry_point);
    let secure = random.once_in(if door.has("http.tls") { 2 } else { 5 });
    let server_name = *random.pick(SERVER_NAMES);
    if random.once_in(6) {
        let mut case = over_http2(random).at(entry_point);
        if door.has("http.maxHeaderBytes") {
            // How Go says that a head is too large is its own.
            case = case.statuses_only();
        }
        return if secure { case.over(Tls::to(server_name)) } else { case };
    }
    let preamble = random.once_in(if door.has("proxyProtocol") { 2 } else { 12 });
    let preamble = preamble.then(|| proxied::preamble(random));
    let slow = !secure && preamble.is_some() && random.once_in(4);
    let disputed = slow || preamble.as_ref().is_some_and(|preamble| preamble.disputed);
    let mut odd = false;
    let first = match disputed {
        true => plain(random),
        false => request(random, &mut odd, door.value("http.sanitizePath") != "false"),
    };
    let first = match disputed || odd {
        true => first.replacen("\r\n", &format!("\r\n{}: 1\r\n", routers::DISPUTED), 1),
        false => first,
    };
    let mut case =
        Case::new(first.escape_debug().to_string(), latin1(&first)).at(entry_point).watched();
    if !odd && random.once_in(2) {
        let more = 1 + random.below(4);
        let further = (0..more).map(|_| latin1(&plain(random))).collect();
        case = case.followed_by(further);
    }
    if disputed {
        case.accept(Difference::ReadsProxyProtocol);
    } else if odd {
        case.accept(Difference::RefusesAmbiguous);
    }
    let preamble = preamble.map(|preamble| {
        case.rename(&format!("{} {}", preamble.bytes.escape_ascii(), case.name()));
        preamble.bytes
    });
    if secure {
        let preamble = preamble.unwrap_or_default();
        return case.over(Tls { preamble, ..Tls::to(server_name) });
    }
    if let Some(preamble) = preamble {
        case.begin_with(&preamble);
        if slow {
            // Traefik reads no header that comes in pieces (30).
            case = case.in_pieces(1 + random.below(20));
        }
    }
    let address = door.value("address");
    match random.below(4) {
        0 if !address.starts_with('[') => case.from("127.0.0.2"),
        // Sockets of all addresses take both versions.
        1 if [":@@", "[::]", "0.0.0.0"].iter().any(|start| address.starts_with(start)) => {
            case.over_version_6()
        }
        _ => case,
    }
}

fn latin1(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn own_host(random: &mut Random) -> String {
    let host = routers::host(random.below(ROUTERS));
    match random.below(8) {
        0 => host.to_uppercase(),
        1 => format!("{host}:{}", random.pick(&["80", "443", "99", "@@alpha@@"])),
        2 => format!("{host}."),
        _ => host,
    }
}

/// A request of any kind; `odd` where the programs may judge it differently (9).
fn request(random: &mut Random, odd: &mut bool, sanitized: bool) -> String {
    let host = match random.below(5) {
        0 => {
            *odd = true;
            (*random.pick(HOSTS)).to_owned()
        }
        _ => own_host(random),
    };
    let target = match random.below(8) {
        0 => {
            *odd = true;
            (*random.pick(MORE)).to_owned()
        }
        1 => {
            *odd = true;
            // Where nothing is made of them, Traefik goes on with them as they are: without a path, and with other
            // hosts than those of `Host` where it redirects (64).
            let same = |target: &&&str| sanitized || !target.contains("://");
            let targets: Vec<_> = ABSOLUTE.iter().filter(same).collect();
            random.pick(&targets).replace("web.test", &own_host(random))
        }
        2..=4 => "/".to_owned(),
        _ => (*random.pick(TARGETS)).to_owned(),
    };
    let mut lines = fields(random, 4);
    if random.once_in(3) {
        lines += *random.pick(FIELDS);
        *odd = true;
    }
    let method = *random.pick(METHODS);
    let version = if random.once_in(10) { "1.0" } else { "1.1" };
    let body = if method == "POST" { "Content-Length: 6\r\n\r\na body" } else { "\r\n" };
    format!("{method} {target} HTTP/{version}\r\nHost: {host}\r\n{lines}{body}")
}

/// A request that nobody misunderstands.
fn plain(random: &mut Random) -> String {
    let connection = match random.below(12) {
        0 => "Connection: close\r\n",
        1 => "Connection: keep-alive\r\n",
        _ => "",
    };
    let method = *random.pick(&["GET", "GET", "HEAD"]);
    format!(
        "{method} / HTTP/1.1\r\nHost: {}\r\n{connection}{}\r\n",
        own_host(random),
        fields(random, 2)
    )
}

fn over_http2(random: &mut Random) -> Case<'static> {
    let lines: String = fields(random, 4)
        .split_inclusive("\r\n")
        .filter(|line| {
            // What HTTP/2 does not know is refused before anything else.
            let line = line.to_lowercase();
            !line.starts_with("connection") && !line.starts_with("keep-alive") && line.is_ascii()
        })
        .map(str::to_owned)
        .collect();
    let target = *random.pick(TARGETS);
    let body = if random.once_in(4) { "a body" } else { "" };
    let method = if body.is_empty() { *random.pick(&["GET", "HEAD", "OPTIONS"]) } else { "POST" };
    let mut case = Case::request(method, &own_host(random), target, &lines, body);
    if !target.is_ascii() || target.contains(['|', '^', '"', '<', '\\', '`', '{']) {
        case.accept(Difference::RefusesAmbiguous);
    }
    case.over_http2().without_framing()
}
