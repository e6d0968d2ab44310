//! Clients at random, and what becomes of them.

use std::fmt;
use std::time::Duration;

use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Asked, CipherSuite, Client, NamedGroup, Response, Sessions, Tls};
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::random::Random;

use super::super::super::pair::Side;
use super::super::{VERSIONS, Versions};
use super::keys::Identities;
use super::rules::{NAMES, PATHS, covers};
use super::world::{ENTRY_POINTS, GENERATED, World};

/// How long an answer may take before there is none.
const SILENCE: Duration = Duration::from_secs(3);

/// Names that no rule speaks of.
const OTHERS: [&str; 4] = ["unasked.test", "nobody.example", "localhost", "wild.test"];

const PROTOCOLS: [&str; 5] = ["http/1.1", "http/1.1", "another", "http/1.0", "h2"];

const GROUPS: [NamedGroup; 4] =
    [NamedGroup::X25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::X25519MLKEM768];

const SUITES: [CipherSuite; 6] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// One client, one or two connections, and requests on each.
pub(super) struct Visit {
    entry_point: &'static str,
    connections: Vec<Connection>,
    versions: Versions,
    suites: Vec<CipherSuite>,
    groups: Vec<NamedGroup>,
    protocols: Vec<&'static str>,
    shown: &'static str,
    identity: Option<Certificate>,
    preamble: &'static str,
    /// Speaks nothing but HTTP/2.
    http2: bool,
}

struct Connection {
    server_name: Option<String>,
    /// Host and path of each.
    requests: Vec<(String, &'static str)>,
}

impl Visit {
    pub(super) fn make(random: &mut Random, world: &World, identities: &Identities) -> Self {
        let entry_point = *random.pick(&ENTRY_POINTS);
        let (shown, identity) = random.pick(&identities.shown).clone();
        let connections = 1 + usize::from(random.once_in(4));
        let mut protocols = Vec::new();
        for _ in 0..random.below(4) {
            let one = *random.pick(&PROTOCOLS);
            if !protocols.contains(&one) {
                protocols.push(one);
            }
        }
        if random.once_in(40) {
            protocols.push("acme-tls/1");
        }
        let half = |random: &mut Random| random.once_in(3);
        let suites = if half(random) { picked(random, &SUITES) } else { Vec::new() };
        let groups = if half(random) { picked(random, &GROUPS) } else { Vec::new() };
        Self {
            entry_point,
            connections: (0..connections).map(|_| connection(random, world, entry_point)).collect(),
            versions: random.pick::<Versions>(VERSIONS),
            suites,
            groups,
            protocols,
            shown,
            identity,
            preamble: match (entry_point, random.below(3)) {
                ("proxied", 0) => "PROXY TCP4 192.0.2.7 127.0.0.1 4242 443\r\n",
                ("proxied", 1) => "PROXY TCP4 203.0.113.7 127.0.0.1 4242 443\r\n",
                _ => "",
            },
            http2: random.once_in(4),
        }
    }

    /// What becomes of each connection and each request on it.
    ///
    /// `resumes` says whether a second connection takes the session of the first.
    pub(super) fn pay(
        &self,
        side: &Side,
        world: &World,
        resumes: bool,
    ) -> Vec<Vec<(String, String)>> {
        let mut all = Vec::new();
        let sessions = (resumes && self.connections.len() > 1).then(Sessions::default);
        for connection in &self.connections {
            let tls = Tls {
                server_name: connection.server_name.as_deref(),
                versions: self.versions,
                application_protocols: self
                    .protocols
                    .iter()
                    .map(|p| p.as_bytes().to_vec())
                    .collect(),
                identity: self.identity.clone(),
                suites: self.suites.clone(),
                groups: self.groups.clone(),
                preamble: self.preamble.as_bytes().to_vec(),
                sessions: sessions.clone(),
                asked: Some(Asked::default()),
            };
            let (shaken, answers) = match self.http2 && self.preamble.is_empty() {
                true => http2(side, self.entry_point, &tls, connection, world),
                false => http1(side, self.entry_point, &tls, connection, world),
            };
            let name = connection.server_name.as_deref().unwrap_or("nobody");
            let mut seen = vec![(format!("SNI {name} "), shaken)];
            for ((host, target), answer) in connection.requests.iter().zip(answers) {
                seen.push((format!("SNI {name} Host {host} {target}"), answer));
            }
            all.push(seen);
        }
        all
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.versions.iter().map(|version| version.version).collect();
        write!(
            f,
            "at {} showing {}, {versions:?}, {:?}, {:?}, {:?}, {:?}, HTTP/2 {}",
            self.entry_point,
            self.shown,
            self.suites,
            self.groups,
            self.protocols,
            self.preamble,
            self.http2
        )
    }
}

fn picked<T: Copy>(random: &mut Random, all: &[T]) -> Vec<T> {
    let chosen: Vec<T> = all.iter().filter(|_| random.once_in(2)).copied().collect();
    if chosen.is_empty() { vec![all[0]] } else { chosen }
}

fn connection(random: &mut Random, world: &World, entry_point: &str) -> Connection {
    let chance = world.by_chance(entry_point);
    let name = loop {
        let name = match random.below(10) {
            0 => *random.pick(&OTHERS),
            _ => *random.pick(&NAMES),
        };
        if !chance.iter().any(|domain| covers(domain, name)) {
            break name;
        }
        if random.once_in(50) {
            break OTHERS[1];
        }
    };
    let server_name = match random.below(12) {
        0 => None,
        1 => Some(name.to_uppercase()),
        _ => Some(name.to_owned()),
    };
    let requests = (0..1 + random.below(3)).map(|number| {
        let host = if number == 0 || random.once_in(3) { name } else { *random.pick(&NAMES) };
        let host = match random.below(10) {
            0 => host.to_uppercase(),
            1 => format!("{host}:8443"),
            2 => format!("{host}."),
            _ => host.to_owned(),
        };
        (host, *random.pick(&PATHS))
    });
    Connection { server_name, requests: requests.collect() }
}

pub(super) const REFUSED: &str = "refused";

/// Whether two texts say the same.
///
/// A generated certificate of Portway's is good for clients that Traefik's is not good for, which has a key of RSA
/// alone (56). And where a session was resumed, which of both do each in its own way, the certificate says nothing.
pub(super) fn same(portway: &str, traefik: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches(GENERATED).to_owned();
    bare(portway) == bare(traefik) || (portway.ends_with(GENERATED) && traefik == REFUSED)
}

/// What was agreed on, and what was asked of the client; of one that takes up a session again, nothing is.
fn asked(tls: &Tls<'_>, agreed: &str) -> String {
    let asked = tls.asked.as_ref().and_then(Asked::authorities);
    match asked {
        Some(mut authorities) if tls.sessions.is_none() => {
            authorities.sort();
            format!("{agreed} asked for {authorities:x?}")
        }
        _ => agreed.to_owned(),
    }
}

fn generated(shown: &str) -> String {
    if shown == GENERATED { format!(" {GENERATED}") } else { " ".to_owned() }
}

fn http1(
    side: &Side,
    entry_point: &str,
    tls: &Tls<'_>,
    connection: &Connection,
    world: &World,
) -> (String, Vec<String>) {
    let Ok(mut client) = Client::connect_tls(side.process.address(entry_point), tls) else {
        return (REFUSED.to_owned(), Vec::new());
    };
    client.set_patience(SILENCE);
    let protocol = client.application_protocol();
    let shown = world.name(&client.peer_certificates());
    let version = asked(tls, &client.protocol_version());
    // A session that is resumed, for which Go does not ask whether the name is the same, shows the certificate and
    // has the suite of the first.
    let shaken = match tls.sessions {
        Some(_) => format!("{version} {protocol:?}{}", generated(shown)),
        // The generated certificate has a key of another kind, and suites go with it.
        None if shown == GENERATED => format!("{version} {protocol:?}{}", generated(shown)),
        None => format!("{version} {} {protocol:?} {shown}", client.cipher_suite()),
    };
    if protocol == "h2" {
        let begun = client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        let heard = begun.and_then(|()| client.bytes(9));
        // With TLS 1.3 a client hears of its refusal only after the handshake.
        return (heard.map_or_else(|_| REFUSED.to_owned(), |_| shaken), Vec::new());
    }
    let mut answers = Vec::new();
    for (host, target) in &connection.requests {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        match client.ask(request) {
            Ok(response) => answers.push(answer(&response)),
            Err(_) if answers.is_empty() => return (REFUSED.to_owned(), answers),
            Err(error) => answers.push(format!("{:?}", error.kind())),
        }
    }
    (shaken, answers)
}

fn http2(
    side: &Side,
    entry_point: &str,
    tls: &Tls<'_>,
    connection: &Connection,
    world: &World,
) -> (String, Vec<String>) {
    let Ok(mut client) = Http2Client::connect_tls(side.process.address(entry_point), tls) else {
        return (REFUSED.to_owned(), Vec::new());
    };
    let mut answers = Vec::new();
    for (host, target) in &connection.requests {
        let fields = vec![("Host".to_owned(), host.clone())];
        let head = Head { line: format!("GET {target} HTTP/1.1"), headers: Headers(fields) };
        match client.ask(&head, &[]) {
            Ok(response) => answers.push(answer(&response)),
            Err(_) if answers.is_empty() => return (REFUSED.to_owned(), answers),
            Err(_) => answers.push("failed".to_owned()),
        }
    }
    let shaken = asked(tls, "HTTP/2");
    (format!("{shaken}{}", generated(world.name(client.peer_certificates()))), answers)
}

fn answer(response: &Response) -> String {
    format!("answer {} {:?}", response.status, response.headers.value("X-Router"))
}
