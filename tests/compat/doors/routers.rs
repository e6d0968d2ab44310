//! Routers and middlewares behind entry points, at random.

use std::fmt::Write as _;

use portway_testkit::random::Random;

use super::house::{NAMES, ROUTERS};

const MIDDLEWARES: &str = r#"
    mark: {headers: {customRequestHeaders: {X-Mark: "1"}, customResponseHeaders: {X-Mark: "1"}}}
    add: {addPrefix: {prefix: /pre}}
    strip: {stripPrefix: {prefixes: [/a, /foo]}}
    near: {ipAllowList: {sourceRange: ["127.0.0.1", "::1", "192.0.2.0/24"]}}
    chained: {chain: {middlewares: [mark, strip]}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="], realm: here}}
    characters: {encodedCharacters: {allowEncodedSlash: true}}
    limit: {buffering: {maxRequestBodyBytes: 5}}
    first: {ipAllowList: {sourceRange: ["0.0.0.0/0", "::/0"], ipStrategy: {depth: 1}, rejectStatusCode: 404}}
    quiet: {headers: {customResponseHeaders: {X-Retry-In: "", Retry-After: ""}}}
"#;

const RANGES: &[&str] = &[
    "127.0.0.0/8",
    "127.0.0.1",
    "127.0.0.2/32",
    "::1",
    "192.0.2.0/24",
    "203.0.113.0/24",
    "2001:db8::/32",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "::ffff:192.0.2.0/120",
    "fe80::/10",
];

const STRATEGIES: &[&str] = &[
    "",
    "",
    "ipStrategy: {depth: 1}",
    "ipStrategy: {depth: 2}",
    "ipStrategy: {depth: 3}",
    "ipStrategy: {depth: 1, ipv6Subnet: 64}",
    "ipStrategy: {ipv6Subnet: 64}",
    "ipStrategy: {ipv6Subnet: 1}",
    "ipStrategy: {excludedIPs: [\"127.0.0.1\", \"10.0.0.0/8\"]}",
    "ipStrategy: {excludedIPs: [\"203.0.113.0/24\", \"2001:db8::/32\"]}",
    "ipStrategy: {excludedIPs: [\"0.0.0.0/0\"]}",
    "ipStrategy: {depth: 2, excludedIPs: [\"10.0.0.0/8\"]}",
];

const SERVICES: &[&str] =
    &["s", "s", "s", "s", "s", "s", "bare", "noop@internal", "ping@internal", "api@internal"];

/// The field of requests that one side may answer and the other refuse.
pub(super) const DISPUTED: &str = "X-Disputed";

/// The dynamic configuration.
pub(super) fn configuration(random: &mut Random) -> String {
    let (mut routers, mut middlewares) = (String::new(), MIDDLEWARES.to_owned());
    for number in 0..ROUTERS {
        let service = *random.pick(SERVICES);
        let mut chain = vec![format!("m{number}")];
        let _ = writeln!(
            middlewares,
            "    m{number}: {{headers: {{customRequestHeaders: {{X-Router: r{number}}}, customResponseHeaders: {{X-Router: r{number}}}}}}}"
        );
        let mut rule = rule(random, number, service);
        if random.once_in(3) {
            let guard = guard(random);
            if guard.starts_with("{rateLimit") {
                // It must have seen as many requests on both sides.
                rule = format!("({rule}) && !Header(`{DISPUTED}`, `1`)");
            }
            let _ = writeln!(middlewares, "    g{number}: {guard}");
            chain.push("quiet".to_owned());
            chain.push(format!("g{number}"));
        }
        let mut fields =
            format!("rule: \"{}\", service: {service}, middlewares: [{}]", rule, chain.join(", "));
        // Those without a priority of their own differ in the lengths of their rules, mostly; for the others chance
        // would decide (2).
        let priority = if random.once_in(4) { 1000 + number } else { 1 + number };
        let _ = write!(fields, ", priority: {priority}");
        if random.once_in(2) {
            let mut names: Vec<&str> = NAMES.to_vec();
            names.retain(|_| random.once_in(2));
            if names.is_empty() {
                names.push(NAMES[number % NAMES.len()]);
            }
            let _ = write!(fields, ", entryPoints: [{}]", names.join(", "));
        }
        match random.below(8) {
            0 | 1 => fields.push_str(", tls: {}"),
            2 => fields.push_str(", tls: {options: strict}"),
            _ => {}
        }
        let _ = writeln!(routers, "    r{number}: {{{fields}}}");
    }
    format!(
        "http:\n  routers:\n{routers}  middlewares:{middlewares}  services:\n\
         \x20   s: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         \x20   bare: {{loadBalancer: {{passHostHeader: false, servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         tls:\n  options:\n    strict: {{minVersion: VersionTLS13}}\n"
    )
}

/// The host that a router claims.
pub(super) fn host(number: usize) -> String {
    format!("h{}.test", number % (ROUTERS * 3 / 4))
}

fn rule(random: &mut Random, number: usize, service: &str) -> String {
    let host = format!("Host(`{}`)", host(number));
    if service.starts_with("api") {
        // What the API says of itself is compared elsewhere.
        return format!("{host} && PathPrefix(`/foo`)");
    }
    let network = random.pick(RANGES);
    let path = random.pick(&["/", "/a", "/a/", "/foo", "/a%2Fb", "/pre"]);
    match random.below(12) {
        0 => format!("ClientIP(`{network}`)"),
        1 => format!("ClientIP(`{network}`) && {host}"),
        2 => format!("!ClientIP(`{network}`) && {host}"),
        3 => format!("{host} && PathPrefix(`{path}`)"),
        4 => format!("PathPrefix(`{path}`)"),
        5 => format!("{host} || Host(`[::1]`) || Host(`::1`)"),
        6 => format!("{host} && Header(`X-Forwarded-Proto`, `https`)"),
        7 => "HostRegexp(`^.+$`)".to_owned(),
        _ => host,
    }
}

fn guard(random: &mut Random) -> String {
    let strategy = *random.pick(STRATEGIES);
    let criterion = match random.below(6) {
        0 => "requestHost: true",
        1 => "requestHeaderName: X-Real-Ip",
        2 => "requestHeaderName: X-Forwarded-For",
        _ => strategy,
    };
    let criterion = match criterion {
        "" => String::new(),
        criterion => format!(", sourceCriterion: {{{criterion}}}"),
    };
    match random.below(4) {
        0 => format!("{{inFlightReq: {{amount: 1{criterion}}}}}"),
        1 => format!(
            "{{rateLimit: {{average: 1, period: 24h, burst: {}{criterion}}}}}",
            1 + random.below(4)
        ),
        _ => {
            let ranges: Vec<_> =
                (0..1 + random.below(2)).map(|_| format!("\"{}\"", random.pick(RANGES))).collect();
            let strategy =
                if strategy.is_empty() { String::new() } else { format!(", {strategy}") };
            format!("{{ipAllowList: {{sourceRange: [{}]{strategy}}}}}", ranges.join(", "))
        }
    }
}
