//! How servers are reached.

use portway_testkit::random::Random;

use super::super::keys::{Keys, URI};

/// Settings of the transport that services without one have.
pub(super) fn default_transport(random: &mut Random) -> Vec<String> {
    let mut flags = Vec::new();
    let mut add = |flag: &str| flags.push(format!("--serversTransport.{flag}"));
    match random.below(3) {
        0 => add("insecureSkipVerify=true"),
        1 => add("rootCAs=@@folder@@/dynamic/known.pem"),
        _ => {}
    }
    if random.once_in(3) {
        add(&format!("maxIdleConnsPerHost={}", random.pick(&["-1", "0", "1"])));
    }
    if random.once_in(3) {
        add(&format!("forwardingTimeouts.dialTimeout={}", random.pick(&["100ms", "1s", "0"])));
    }
    if random.once_in(3) {
        add("forwardingTimeouts.responseHeaderTimeout=200ms");
    }
    flags
}

/// A `serversTransport`, as a flow mapping.
pub(super) fn transport(random: &mut Random, keys: &Keys) -> String {
    let mut parts = Vec::new();
    let file = |name: &str| format!("@@folder@@/dynamic/{name}");
    if random.once_in(3) {
        let name = random.pick(&[
            "server.test",
            "server.test",
            "wrong.test",
            "deep.server.test",
            "SERVER.test",
            "127.0.0.1",
            "server.test.",
        ]);
        parts.push(format!("serverName: \"{name}\""));
    }
    if random.once_in(3) {
        parts.push("insecureSkipVerify: true".to_owned());
    }
    let inline = keys.known.replace('\n', "\\n");
    let authorities = match random.below(9) {
        0 => String::new(),
        1 => format!("\"{inline}\""),
        2 => format!("\"{}\"", file("other.pem")),
        3 => format!("\"{}\"", file("both.pem")),
        4 => format!("\"{}\", \"{}\"", file("itself.pem"), file("known.pem")),
        5 => format!("\"{}\"", file(random.pick::<&str>(&["nobody.pem", "missing.pem"]))),
        _ => format!("\"{}\"", file("known.pem")),
    };
    if !authorities.is_empty() {
        parts.push(format!("rootCAs: [{authorities}]"));
    }
    if random.once_in(2) {
        let name = *random.pick(&["client", "client", "late", "stranger"]);
        let pair = |name: &str| {
            format!(
                "{{certFile: \"{}\", keyFile: \"{}\"}}",
                file(&format!("{name}.pem")),
                file(&format!("{name}.key"))
            )
        };
        let pairs = match random.below(5) {
            0 => format!("{}, {}", pair("stranger"), pair("client")),
            _ => pair(name),
        };
        parts.push(format!("certificates: [{pairs}]"));
    }
    if random.once_in(5) {
        parts.push(format!(
            "peerCertURI: \"{}\"",
            random.pick(&[URI, URI, "spiffe://trust.test/two"])
        ));
    }
    if random.once_in(4) {
        parts.push("disableHTTP2: true".to_owned());
    }
    if random.once_in(8) {
        let (least, most) = *random.pick(&[("12", "12"), ("12", "13"), ("13", "13")]);
        parts.push(format!("minVersion: VersionTLS{least}, maxVersion: VersionTLS{most}"));
    }
    if random.once_in(8) && !parts.iter().any(|part| part.starts_with("minVersion")) {
        parts.push(format!("maxVersion: {}", random.pick(&["VersionTLS12", "VersionTLS13"])));
    }
    if random.once_in(8) {
        parts.push("cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]".to_owned());
    }
    if random.once_in(3) {
        parts.push(format!("maxIdleConnsPerHost: {}", random.pick(&["-1", "1", "5"])));
    }
    let mut timeouts = Vec::new();
    for (name, values) in [
        ("dialTimeout", ["0s", "100ms", "1s"]),
        ("responseHeaderTimeout", ["0s", "150ms", "1s"]),
        ("idleConnTimeout", ["0s", "20ms", "1s"]),
        ("readIdleTimeout", ["0s", "1s", "10s"]),
        ("pingTimeout", ["0s", "1s", "10s"]),
    ] {
        if random.once_in(5) {
            timeouts.push(format!("{name}: {}", random.pick(&values)));
        }
    }
    if !timeouts.is_empty() {
        parts.push(format!("forwardingTimeouts: {{{}}}", timeouts.join(", ")));
    }
    format!("{{{}}}", parts.join(", "))
}
