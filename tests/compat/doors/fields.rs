//! Fields of requests at random: what proxies in front say, and what others pretend.

use std::fmt::Write as _;

use portway_testkit::random::Random;

const NAMES: &[&str] = &[
    "X-Forwarded-For",
    "X-Forwarded-For",
    "x-forwarded-for",
    "X-Real-Ip",
    "X-Real-IP",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Prefix",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X_Forwarded_For",
    "X_Real_Ip",
    "X-Forwarded_Proto",
    "X.Forwarded.Host",
    "Forwarded",
    "X-Keep",
    "X-One",
    "Foo",
    "Keep-Alive",
];

const ADDRESSES: &[&str] = &[
    "203.0.113.9",
    "192.0.2.1",
    "10.1.2.3",
    "127.0.0.1",
    "2001:db8::1",
    "::1",
    "fe80::1%eth0",
    "[2001:db8::1]",
    "[2001:db8::1]:1234",
    "203.0.113.9:1234",
    "::ffff:192.0.2.1",
    "::ffff:c000:201",
    "192.0.2.01",
    "0xc0000201",
    "unknown",
    "_hidden",
    "",
    " ",
    "\"192.0.2.1\"",
    "for=192.0.2.1;proto=https",
    "1.2.3",
    "192.0.2.1/24",
    "\u{e9}",
];

const SEPARATORS: &[&str] = &[",", ", ", " , ", ",,", ",\t", ";", " "];

const WORDS: &[&str] = &[
    "",
    "http",
    "https",
    "HTTPS",
    "ws",
    "wss",
    "h2c",
    "a.test",
    "a.test:99",
    "[::1]:9",
    "443",
    "80",
    "0",
    "99999",
    "x y",
    "/a",
    "/../b",
    "GET",
];

const CONNECTIONS: &[&str] = &[
    "X-One",
    "x-keep, X-ONE",
    "X-Forwarded-For",
    "X-Real-Ip, X-Forwarded-Proto",
    "keep-alive",
    "keep-alive, Foo",
    ",",
    "Keep-Alive",
    "close",
    "Close, X-One",
    "Te",
    "Upgrade",
    "X_Forwarded_For",
    "x-two",
];

/// A few fields, a line each.
pub(super) fn fields(random: &mut Random, most: usize) -> String {
    let mut lines = String::new();
    for _ in 0..random.below(most + 1) {
        match random.below(8) {
            0 => {
                let _ = write!(lines, "Connection: {}\r\n", random.pick(CONNECTIONS));
            }
            1 => {
                lines += *random.pick(&["X-Keep: 1\r\n", "Foo: 2\r\n", "X-One: 3\r\nX-One: 4\r\n"])
            }
            _ => line(random, &mut lines),
        }
    }
    lines
}

fn line(random: &mut Random, lines: &mut String) {
    let name = *random.pick(NAMES);
    let lower = name.to_lowercase();
    let addresses =
        ["for", "real"].iter().any(|part| lower.ends_with(part) || lower.contains("ip"));
    let value = if addresses || random.once_in(6) {
        let count = random.below(4);
        let mut value = (*random.pick(ADDRESSES)).to_owned();
        for _ in 0..count {
            value += *random.pick(SEPARATORS);
            value += *random.pick(ADDRESSES);
        }
        value
    } else {
        (*random.pick(WORDS)).to_owned()
    };
    let before = *random.pick(&[" ", " ", " ", "", "  ", "\t"]);
    let after = *random.pick(&["", "", "", " ", "\t "]);
    let _ = write!(lines, "{name}:{before}{value}{after}\r\n");
}
