//! Random chains of middlewares of all kinds that are served, and random requests through them: everything is
//! compared.
//!
//! `COMPAT_SEED` and `COMPAT_COMBINATIONS` repeat and lengthen a run.

use std::fmt::Write as _;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};

mod chains;

use self::chains::{Chain, Chains};
use super::differences::Difference;
use super::pair::{self, Case, Pair};
use super::paths::TARGETS;

const ROUTERS: usize = 150;

/// What routers lead to.
const SERVICES: &[&str] =
    &["plain", "plain", "plain", "bare", "based", "two", "dead", "either", "rather"];

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
    "long",
    "long-chunked",
    "failed-chunked",
    "unannounced",
    "http10",
    "tunnel",
];
/// What opens a tunnel.
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
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
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: gzip, br;q=0.5\r\n",
    "Accept-Encoding: br\r\n",
    "Origin: http://a.test\r\n",
    "Origin: http://a.test\r\nAccess-Control-Request-Method: PUT\r\n",
    "Content-Type: application/grpc-web+proto\r\nTE: trailers\r\nOrigin: http://a.test\r\n",
];

#[test]
fn random_combinations_pass_as_through_traefik() {
    let seed = number_from_environment("COMPAT_SEED", 0x5EED);
    let requests = number_from_environment("COMPAT_COMBINATIONS", 2500);
    let mut random = Random::new(seed);
    println!("COMPAT_SEED={seed}");
    let (configuration, chains) = configuration(&mut random);
    let setup = Setup::web(&configuration)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true")
        .flag("--log.level=ERROR");
    let Some(mut pair) = Pair::start_with(&setup, backends) else { return };
    for number in 0..requests {
        let mut case = request(&mut random, &chains);
        case.rename(&format!("request {number} of COMPAT_SEED={seed}, {}", case.name()));
        pair.compare(&case);
    }
    pair.finish();
}

/// The servers of the configuration.
pub(super) fn backends() -> Vec<Backend> {
    let standard = || Backend::scripted(pair::answer);
    vec![standard(), standard(), Backend::scripted(authorize)]
}

/// The server that `forwardAuth` asks: it looks at the request that it is asked about.
fn authorize(received: &Received) -> Vec<Step> {
    let field = |name| received.head.headers.value(name).unwrap_or_default();
    let (status, fields) = match field("X-Forwarded-Uri") {
        uri if uri.contains("foo") => ("403 Forbidden", "Content-Type: text/plain\r\n"),
        uri if uri.contains("%2") => ("302 Found", "Location: /sign-in\r\n"),
        _ if field("X-One") == "client" => ("401 Unauthorized", "X-Auth: 1\r\n"),
        _ => ("200 OK", "X-User: somebody\r\nSet-Cookie: one=1\r\nSet-Cookie: two=2\r\n"),
    };
    // A body that nobody asked for would be read as the next response.
    let body = if received.head.part(0) == "HEAD" { "" } else { "auth" };
    vec![Step::Write(script::response(status, fields, body))]
}

/// The configuration, and the chain of each router.
pub(super) fn configuration(random: &mut Random) -> (String, Vec<Chain>) {
    let (mut routers, mut chains, mut made) = (String::new(), Chains::default(), Vec::new());
    let mut services = String::new();
    for index in 0..ROUTERS {
        let mut chain = chains.make(random, index);
        let service = *random.pick(SERVICES);
        // Some or all of the chain may stand before the service instead.
        let own = if random.once_in(3) { random.below(chain.names.len() + 1) } else { 0 };
        let (of_router, of_service) = chain.names.split_at(chain.names.len() - own);
        let name = if own == 0 { service.to_owned() } else { format!("s{index}") };
        let _ = writeln!(
            routers,
            "    r{index}: {{rule: \"Host(`r{index}.test`)\", service: {name}, middlewares: [{}]}}",
            of_router.join(", ")
        );
        if own > 0 {
            let _ = writeln!(
                services,
                "    s{index}: {{middlewares: [{}], weighted: {{services: [{{name: {service}, weight: 1}}]}}}}",
                of_service.join(", ")
            );
        }
        if service == "either" {
            chain.members.push("{failover".to_owned());
        }
        made.push(chain);
    }
    let configuration = format!(
        "http:\n  routers:\n{routers}  middlewares:\n{}  services:\n\
         \x20   plain: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         \x20   pages: {{loadBalancer: {{servers: [{{url: \"http://@@backend1@@\"}}]}}}}\n\
         \x20   bare: {{loadBalancer: {{passHostHeader: false, servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         \x20   based: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@/base\", preservePath: true}}]}}}}\n\
         \x20   dead: {{loadBalancer: {{sticky: {{cookie: {{name: kept}}}}, servers: [{{url: \"http://127.0.0.1:1\"}}]}}}}\n\
         \x20   two: {{weighted: {{services: [{{name: bare, weight: 1}}]}}}}\n\
         \x20   either: {{failover: {{service: plain, fallback: pages, errors: {{status: [\"404\", \"500-599\"]}}}}}}\n\
         \x20   rather: {{failover: {{service: dead, fallback: based, errors: {{status: [\"502\"], maxRequestBodyBytes: 64}}}}}}\n\
         {services}",
        chains.finish()
    );
    (configuration, made)
}

pub(super) fn request(random: &mut Random, chains: &[Chain]) -> Case<'static> {
    let router = random.below(ROUTERS);
    let host = format!("r{router}.test");
    let host = match random.below(6) {
        0 => format!("{host}:8080"),
        1 => host.to_uppercase(),
        _ => host,
    };
    let mut method = *random.pick(METHODS);
    let mut target = (*random.pick(TARGETS)).to_owned();
    let mut answer = *random.pick(ANSWERS);
    let chain = &chains[router];
    let open = [
        "chunked",
        "failed-chunked",
        "trailers",
        "until-close",
        "long-chunked",
        "unannounced",
        "http10",
    ];
    if chain.has("{contentType: true") && open.contains(&answer) {
        // Whether there is a type is left to chance (35).
        answer = "";
    }
    let leaks = ["{errors", "{compress", "{grpcWeb"].iter().any(|kind| chain.has(kind));
    if leaks && answer == "hints" {
        // What follows an interim response is another one (41).
        answer = "";
    }
    if answer == "failed-chunked" && (chain.has("{retry") || chain.has("{failover")) {
        // Traefik makes a success of an error whose length is not known (42).
        answer = "";
    }
    if ["trailers", "unannounced"].contains(&answer) && chain.has("{failover") {
        // Traefik loses them (52).
        answer = "";
    }
    if method == "HEAD" && ["trailers", "unannounced"].contains(&answer) {
        // Nothing is framed by an answer to HEAD, and Portway announces no trailers there.
        answer = "";
    }
    if !answer.is_empty() && !target.contains('?') {
        target = format!("{}/{answer}", target.trim_end_matches('/'));
    }
    let mut fields: String = (0..random.below(3)).map(|_| *random.pick(FIELDS)).collect();
    let apart = ["forwardBody", " Vary: ", "{retry", "{errors"];
    if fields.contains("grpc-web") && apart.iter().any(|text| chain.has(text)) {
        // Traefik does not ask about calls without a body, forgets that its answer depends on the origin, and shows
        // wrappers around `grpcWeb` what it has made of a request (39).
        fields.clear();
    }
    if answer == "tunnel" {
        // Go says of 101 that it closes where it answers HEAD, and frames what has no body for POST.
        method = "GET";
        fields.push_str(UPGRADE);
    }
    // Go's client sometimes loses an answer that ends by closing when it sent a body itself.
    let ends = ["until-close", "http10", "tunnel"].contains(&answer);
    let body = if !ends && random.once_in(4) { "a body" } else { "" };
    // What `forwardAuth` has read of a body is lost to Traefik's last attempt where `retry` keeps none.
    let lost = chain.has("forwardBody")
        && chain.members.iter().any(|one| one.starts_with("{retry") && !one.contains("status"));
    let body = if lost { "" } else { body };
    let entry_point = if random.once_in(4) { "trusting" } else { "web" };
    let mut case = Case::request(method, &host, &target, &fields, body);
    if !body.is_empty() && random.once_in(3) {
        let length = body.len();
        let framed = format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n");
        case = Case::new(
            case.name(),
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{framed}"),
        );
    } else if !fields.contains("Connection")
        && fields.matches("TE:").count() < 2
        && random.once_in(4)
    {
        // How a body is delimited does not show, and whether its length is told, too, says nothing.
        case = case.over_http2().without_framing();
    }
    let mut case = case.at(entry_point);
    case.rename(&format!("{}, through {}", case.name(), chain.members.join(" ")));
    if fields.contains("grpc-web") {
        // What Portway answers itself has a length, in words of gRPC-Web as well.
        return case.refusal(Difference::ComesWhole).without_framing();
    }
    case.refusal(Difference::RefusesAmbiguous)
}
