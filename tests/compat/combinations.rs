//! Random chains of middlewares and random requests through them: everything is compared.
//!
//! `COMPAT_SEED` and `COMPAT_COMBINATIONS` repeat and lengthen a run.

use std::fmt::Write as _;

use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};

use super::differences::Difference;
use super::pair::{Case, Pair};
use super::paths::TARGETS;

const ROUTERS: usize = 60;

const PREFIXES: &[&str] =
    &["/a", "/a/", "/a/b", "/", "/foo", "/a%2Fb", "/pre", "/b", "x", "/é", "/a b", "/A"];
const NAMES: &[&str] = &[
    "X-One",
    "x-two",
    "Host",
    "Accept",
    "X-Forwarded-For",
    "X-Real-Ip",
    "Cookie",
    "Server",
    "X-Backend",
    "Content-Type",
    "X-Router",
    "Authorization",
    "User-Agent",
    "Vary",
];
const VALUES: &[&str] = &["", "1", "two words", "a=b; c", "text/x", "é"];
const METHODS: &[&str] = &["GET", "GET", "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "FOO"];
const ANSWERS: &[&str] = &[
    "",
    "",
    "",
    "status-404",
    "status-500",
    "no-content",
    "not-modified",
    "chunked",
    "fields",
    "hop",
    "hints",
    "trailers",
    "until-close",
    "close",
];
const FIELDS: &[&str] = &[
    "Authorization: Basic dGVzdDp0ZXN0\r\n",
    "Authorization: Basic dGVzdDp3cm9uZw==\r\n",
    "X-One: client\r\n",
    "X-TWO: client\r\nX-Two: again\r\n",
    "X-Forwarded-Proto: https\r\n",
    "X-Forwarded-For: 1.1.1.1\r\n",
    "X-Forwarded-Prefix: /p\r\n",
    "X-Forwarded-Host: h\r\n",
    "Connection: X-One\r\n",
    "Cookie: a=1\r\nCookie: b=2\r\n",
    "Accept: */*\r\n",
    "TE: trailers\r\n",
    "User-Agent: agent\r\n",
    "X-User: evil\r\n",
];

#[test]
fn random_combinations_pass_as_through_traefik() {
    let seed = number_from_environment("COMPAT_SEED", 0x5EED);
    let requests = number_from_environment("COMPAT_COMBINATIONS", 1500);
    let mut random = Random::new(seed);
    println!("COMPAT_SEED={seed}");
    let setup = Setup::web(&configuration(&mut random))
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true")
        .flag("--log.level=ERROR");
    let Some(mut pair) = Pair::start(&setup, 2) else { return };
    for number in 0..requests {
        let mut case = request(&mut random);
        case.rename(&format!("request {number} of COMPAT_SEED={seed}"));
        pair.compare(&case);
    }
    pair.finish();
}

fn configuration(random: &mut Random) -> String {
    let (mut routers, mut middlewares) = (String::new(), String::new());
    for index in 0..ROUTERS {
        let chain: Vec<String> =
            (0..random.below(4)).map(|place| format!("m{index}-{place}")).collect();
        for name in &chain {
            let _ = writeln!(middlewares, "    {name}: {}", middleware(random));
        }
        let service = random.pick(&["plain", "plain", "bare", "based", "two"]);
        let _ = writeln!(
            routers,
            "    r{index}: {{rule: \"Host(`r{index}.test`)\", service: {service}, middlewares: [{}]}}",
            chain.join(", ")
        );
    }
    format!(
        "http:\n  routers:\n{routers}  middlewares:\n    unused: {{addPrefix: {{prefix: /x}}}}\n{middlewares}  services:\n\
         \x20   plain: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         \x20   bare: {{loadBalancer: {{passHostHeader: false, servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         \x20   based: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@/base\", preservePath: true}}]}}}}\n\
         \x20   two: {{weighted: {{services: [{{name: bare, weight: 1}}]}}}}\n"
    )
}

fn middleware(random: &mut Random) -> String {
    match random.below(7) {
        0 | 1 => {
            let prefixes: Vec<String> =
                (0..=random.below(2)).map(|_| format!("\"{}\"", random.pick(PREFIXES))).collect();
            format!("{{stripPrefix: {{prefixes: [{}]}}}}", prefixes.join(", "))
        }
        2 => format!("{{addPrefix: {{prefix: \"{}\"}}}}", random.pick(PREFIXES)),
        3 | 4 => format!(
            "{{headers: {{customRequestHeaders: {}, customResponseHeaders: {}}}}}",
            headers(random, true),
            headers(random, false)
        ),
        5 => {
            let users = "users: [\"test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\"]";
            let field = random.pick(&["", ", headerField: X-User", ", headerField: X-One"]);
            let removed = random.pick(&["", ", removeHeader: true"]);
            format!("{{basicAuth: {{{users}{field}{removed}}}}}")
        }
        _ => {
            let scheme = random.pick(&["https", "http", "HTTPS"]);
            let port = random.pick(&["", ", port: \"8443\"", ", port: \"80\"", ", port: \"443\""]);
            let permanent = random.pick(&["", ", permanent: true"]);
            format!("{{redirectScheme: {{scheme: {scheme}{port}{permanent}}}}}")
        }
    }
}

/// A flow mapping of up to three header names.
fn headers(random: &mut Random, request: bool) -> String {
    let mut names: Vec<&str> = (0..=random.below(3)).map(|_| *random.pick(NAMES)).collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    names.dedup_by_key(|name| name.to_ascii_lowercase());
    // A Host in an answer is no header of anything; a type that was taken away is guessed by Go.
    names.retain(|name| request || !["Host", "Content-Type"].contains(name));
    let mut fields = Vec::new();
    for name in names {
        // A Host that is none keeps its router from being built.
        let value = if name == "Host" { "other.test:81" } else { *random.pick(VALUES) };
        fields.push(format!("{name}: \"{value}\""));
    }
    // The file provider of Traefik refuses an empty mapping.
    format!("{{X-Always: always, {}}}", fields.join(", "))
}

fn request(random: &mut Random) -> Case<'static> {
    let host = format!("r{}.test", random.below(ROUTERS));
    let host = match random.below(6) {
        0 => format!("{host}:8080"),
        1 => host.to_uppercase(),
        _ => host,
    };
    let method = *random.pick(METHODS);
    let mut target = (*random.pick(TARGETS)).to_owned();
    let mut answer = *random.pick(ANSWERS);
    if method == "HEAD" && answer == "trailers" {
        // Nothing is framed by an answer to HEAD, and Portway announces no trailers there.
        answer = "";
    }
    if !answer.is_empty() && !target.contains('?') {
        target = format!("{}/{answer}", target.trim_end_matches('/'));
    }
    let fields: String = (0..random.below(3)).map(|_| *random.pick(FIELDS)).collect();
    // Go's client sometimes loses an answer that ends by closing when it sent a body itself.
    let body = if answer != "until-close" && random.once_in(4) { "a body" } else { "" };
    let entry_point = if random.once_in(4) { "trusting" } else { "web" };
    let case = Case::request(method, &host, &target, &fields, body).at(entry_point);
    case.refusal(Difference::RefusesAmbiguous)
}
