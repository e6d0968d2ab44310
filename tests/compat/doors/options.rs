//! Options of an entry point at random.

use portway_testkit::random::Random;

use super::house::{Door, NAMES};

const NETWORKS: &[&str] = &[
    "127.0.0.1",
    "127.0.0.1/32",
    "127.0.0.0/8",
    "127.0.0.2",
    "127.0.0.77/24",
    "10.0.0.0/8",
    "192.0.2.0/24",
    "0.0.0.0/0",
    "::1",
    "::1/128",
    "::/0",
    "2001:db8::/32",
    "::ffff:127.0.0.1",
    "::ffff:127.0.0.0/104",
    "::ffff:7f00:1",
];

const KEPT: &[&str] =
    &["X-Keep", "x-one", "X-Two", "Foo", "X-Forwarded-For", "Te", "upgrade", "Keep-Alive", "close"];

const MIDDLEWARES: &[&str] = &[
    "mark@file",
    "mark@file",
    "add@file",
    "strip@file",
    "near@file",
    "chained@file",
    "deny@file",
    "characters@file",
    "limit@file",
    "first@file",
];

/// Switches that are off more often than on.
const SWITCHES: &[(&str, usize)] = &[
    ("asDefault=true", 4),
    ("reusePort=true", 8),
    ("forwardedHeaders.insecure=true", 3),
    ("forwardedHeaders.insecure=false", 8),
    ("forwardedHeaders.notAppendXForwardedFor=true", 5),
    ("proxyProtocol.insecure=true", 6),
    ("http.encodeQuerySemicolons=true", 5),
    ("http.sanitizePath=false", 4),
    ("http.sanitizePath=true", 8),
    ("observability.accessLogs=false", 8),
    ("observability.metrics=false", 8),
    ("observability.tracing=true", 8),
    ("observability.traceVerbosity=detailed", 8),
    ("http.tls=true", 5),
    ("http.tls.options=strict@file", 8),
    ("http.tls.options=default", 10),
    ("transport.keepAliveMaxTime=1h", 8),
    ("transport.keepAliveMaxTime=1ns", 8),
    ("transport.keepAliveMaxTime=3600", 10),
    ("transport.respondingTimeouts.readTimeout=0", 8),
    ("transport.respondingTimeouts.readTimeout=30s", 8),
    ("transport.respondingTimeouts.writeTimeout=30", 8),
    ("transport.respondingTimeouts.idleTimeout=0s", 8),
    ("transport.respondingTimeouts.idleTimeout=1m30s", 8),
    ("transport.lifeCycle.graceTimeOut=1s", 10),
];

const CHARACTERS: [&str; 7] = [
    "http.encodedCharacters.allowEncodedSlash",
    "http.encodedCharacters.allowEncodedBackSlash",
    "http.encodedCharacters.allowEncodedNullCharacter",
    "http.encodedCharacters.allowEncodedSemicolon",
    "http.encodedCharacters.allowEncodedPercent",
    "http.encodedCharacters.allowEncodedQuestionMark",
    "http.encodedCharacters.allowEncodedHash",
];

/// An entry point of this name.
pub(super) fn door(random: &mut Random, name: &str) -> Door {
    let mut door = Door::default();
    let mut add = |option: &'static str, value: String| {
        if door.value(option).is_empty() {
            door.options.push((option, value));
        }
    };
    if random.once_in(2) {
        let host = random.pick(&["", "", "[::1]", "localhost", "0.0.0.0", "[::]"]);
        let kind = random.pick(&["", "", "/tcp", "/TCP"]);
        add("address", format!("{host}:@@{name}@@{kind}"));
    }
    for (switch, times) in SWITCHES {
        if random.once_in(*times) {
            let (option, value) = switch.split_once('=').expect("a switch");
            add(option, value.to_owned());
        }
    }
    if random.once_in(3) {
        add("forwardedHeaders.trustedIPs", some(random, NETWORKS));
    }
    if random.once_in(4) {
        add("forwardedHeaders.connection", some(random, KEPT));
    }
    if random.once_in(5) {
        add("proxyProtocol.trustedIPs", some(random, NETWORKS));
    }
    if random.once_in(4) {
        let to = random.pick(&[NAMES[0], NAMES[1], NAMES[2], NAMES[3], ":443", ":80", ":1234"]);
        add("http.redirections.entryPoint.to", (*to).to_owned());
        if random.once_in(2) {
            let scheme = *random.pick(&["http", "https", "HTTPS", "ftp"]);
            add("http.redirections.entryPoint.scheme", scheme.to_owned());
        }
        if random.once_in(2) {
            let permanent = random.once_in(3).to_string();
            add("http.redirections.entryPoint.permanent", permanent);
        }
        if random.once_in(2) {
            let priority = *random.pick(&["-1", "30", "100", "2000"]);
            add("http.redirections.entryPoint.priority", priority.to_owned());
        }
    }
    if random.once_in(3) {
        add("http.middlewares", some(random, MIDDLEWARES));
    }
    if random.once_in(8) {
        add("http.tls.domains[0].main", "one.test".to_owned());
        if random.once_in(2) {
            add("http.tls.domains[0].sans", "two.test,*.three.test".to_owned());
            add("http.tls.domains[1].main", "four.test".to_owned());
        }
    }
    if random.once_in(3) {
        for option in CHARACTERS {
            if random.once_in(2) {
                add(option, random.once_in(3).to_string());
            }
        }
    }
    if random.once_in(4) {
        let strategy = *random.pick(&["keep", "delete", "reject"]);
        add("http.aliasHeadersStrategy", strategy.to_owned());
    }
    if random.once_in(6) {
        add("http.maxHeaderBytes", (*random.pick(&["1", "1000", "4096", "0"])).to_owned());
    }
    if random.once_in(5) {
        let streams = *random.pick(&["0", "1", "2", "100"]);
        add("http2.maxConcurrentStreams", streams.to_owned());
    }
    if random.once_in(8) {
        // A smaller one ends the connections of clients that send before they know it (65).
        let bytes = *random.pick(&["0", "4096", "8192"]);
        add("http2.maxDecoderHeaderTableSize", bytes.to_owned());
    }
    if random.once_in(8) {
        add("http2.maxEncoderHeaderTableSize", (*random.pick(&["0", "1", "100"])).to_owned());
    }
    if random.once_in(3) {
        add("transport.keepAliveMaxRequests", (1 + random.below(4)).to_string());
    }
    door
}

/// Up to three of `all`, separated by commas.
fn some(random: &mut Random, all: &[&str]) -> String {
    let mut chosen: Vec<&str> = Vec::new();
    for _ in 0..1 + random.below(3) {
        let one = *random.pick(all);
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen.join(",")
}
