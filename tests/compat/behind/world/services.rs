//! Services of all kinds.

use portway_testkit::random::Random;

use super::{PLAIN_SERVICES, SERVERS, Server, TRANSPORTS};

/// A service with one server, its transport, and the server's number.
pub(super) fn service(
    random: &mut Random,
    servers: &[Server],
    number: usize,
) -> (String, Option<usize>, usize) {
    let server = number % SERVERS;
    let is_tls = servers[server].tls.is_some();
    let scheme = match random.below(14) {
        0 if random.once_in(3) => "HTTP",
        0 => {
            if is_tls {
                "http"
            } else {
                "https"
            }
        }
        1..=4 if !is_tls => "h2c",
        _ => {
            if is_tls {
                "https"
            } else {
                "http"
            }
        }
    };
    let path = *random.pick(&[
        "",
        "",
        "",
        "/",
        "/base",
        "/base/",
        "/base?q=1",
        "/a%2Fb",
        "/?",
        "//x",
        "?x=1",
        "/a b",
        "/#f",
    ]);
    let mut parts = vec![format!("servers: [{{url: \"{scheme}://@@backend{server}@@{path}\"")];
    if random.once_in(4) {
        parts[0].push_str(", preservePath: true");
    }
    if random.once_in(6) {
        parts[0].push_str(", weight: 3");
    }
    parts[0].push_str("}]");
    let transport = match random.below(12) {
        0 | 1 => Some(TRANSPORTS),
        _ => Some(random.below(TRANSPORTS)),
    };
    match transport {
        Some(TRANSPORTS) => {}
        Some(index) => {
            parts.push(format!("serversTransport: t{index}{}", random.pick(&["", "@file"])))
        }
        None => parts.push("serversTransport: missing".to_owned()),
    }
    if random.once_in(4) {
        parts.push(format!("passHostHeader: {}", random.pick(&["true", "false", "false"])));
    }
    if random.once_in(4) {
        parts.push(format!(
            "responseForwarding: {{flushInterval: {}}}",
            random.pick(&["-1ms", "1ms", "100ms", "5s", "0"])
        ));
    }
    if random.once_in(5) {
        parts.push(format!("strategy: {}", random.pick(&["wrr", "p2c", "hrw", "leasttime"])));
    }
    if random.once_in(6) {
        parts.push(format!("sticky: {{cookie: {}}}", cookie(random)));
    }
    if random.once_in(8) {
        parts.push("passiveHealthCheck: {failureWindow: 1s, maxFailedAttempts: 1000}".to_owned());
    }
    (format!("{{loadBalancer: {{{}}}}}", parts.join(", ")), transport, server)
}

fn cookie(random: &mut Random) -> String {
    let mut parts = Vec::new();
    for part in [
        "name: kept",
        "secure: true",
        "httpOnly: true",
        "sameSite: none",
        "sameSite: lax",
        "maxAge: 5",
        "maxAge: -1",
        "path: /x",
        "domain: a.test",
    ] {
        let key = part.split(':').next().unwrap_or_default();
        if random.once_in(3) && !parts.iter().any(|one: &&str| one.starts_with(key)) {
            parts.push(part);
        }
    }
    format!("{{{}}}", parts.join(", "))
}

/// A service made of others, and which.
pub(super) fn made_service(random: &mut Random, number: usize) -> (String, Vec<usize>) {
    let first = random.below(number.min(PLAIN_SERVICES));
    // Whoever got the same request twice could have been asked again.
    let second = match random.below(number) {
        second if second == first => (first + 1) % PLAIN_SERVICES,
        second => second,
    };
    let name =
        |index: usize| format!("s{index}{}", if index.is_multiple_of(3) { "@file" } else { "" });
    match random.below(6) {
        0 => (
            format!("{{weighted: {{services: [{{name: {}, weight: 1}}]}}}}", name(second)),
            vec![second],
        ),
        1 => {
            let cookie = cookie(random);
            (
                format!(
                    "{{weighted: {{sticky: {{cookie: {cookie}}}, services: [{{name: {}}}, {{name: {}, weight: 0}}]}}}}",
                    name(second),
                    name(first)
                ),
                vec![second, first],
            )
        }
        2 => (
            format!("{{highestRandomWeight: {{services: [{{name: {}}}]}}}}", name(second)),
            vec![second],
        ),
        3 => {
            let body = *random.pick(&["", "", ", maxBodySize: 4", ", maxBodySize: -1"]);
            let percent = random.pick(&["100", "100", "0"]);
            (
                format!(
                    "{{mirroring: {{service: {}, mirrors: [{{name: {}, percent: {percent}}}]{body}}}}}",
                    name(first),
                    name(second)
                ),
                vec![first, second],
            )
        }
        _ => {
            let errors = match random.below(2) {
                0 => ", errors: {status: [\"500-599\", \"404\"]}".to_owned(),
                _ => {
                    ", errors: {status: [\"502\", \"400-499\"], maxRequestBodyBytes: 4}".to_owned()
                }
            };
            (
                format!(
                    "{{failover: {{service: {}, fallback: {}{errors}}}}}",
                    name(first),
                    name(second)
                ),
                vec![first, second],
            )
        }
    }
}
