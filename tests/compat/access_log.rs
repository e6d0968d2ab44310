//! The access log, as JSON and as common log lines, for the same requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};
use serde_json::Value;

use super::combinations;
use super::pair::{Case, Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    web: {rule: "PathPrefix(`/`)", service: s, entryPoints: [web]}
    authorized: {rule: "Host(`auth.test`)", service: s, entryPoints: [web], middlewares: [deny, add]}
    redirected: {rule: "Host(`redirect.test`)", service: s, entryPoints: [web], middlewares: [redirect]}
    dead: {rule: "Host(`dead.test`)", service: dead, entryPoints: [web]}
    empty: {rule: "Host(`empty.test`)", service: empty, entryPoints: [web]}
    weighted: {rule: "Host(`weighted.test`)", service: weighted, entryPoints: [web]}
    silent: {rule: "Host(`silent.test`)", service: s, entryPoints: [web], observability: {accessLogs: false}}
    noop: {rule: "Host(`noop.test`)", service: noop@internal, entryPoints: [web]}
    trusting: {rule: "Host(`known.test`)", service: s, entryPoints: [trusting]}
    quiet: {rule: "Host(`quiet.test`)", service: s, entryPoints: [quiet]}
    loud: {rule: "Host(`loud.test`)", service: s, entryPoints: [quiet], observability: {accessLogs: true}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
    weighted: {weighted: {services: [{name: s, weight: 1}]}}
  middlewares:
    add: {addPrefix: {prefix: /pre}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    redirect: {redirectScheme: {scheme: https}}
"#;

/// Keys whose values are times, durations or ports of the moment: only their kind is compared.
const OF_THE_MOMENT: &[&str] = &[
    "ClientAddr",
    "ClientPort",
    "Duration",
    "OriginDuration",
    "Overhead",
    "StartLocal",
    "StartUTC",
    "time",
    "RequestCount",
];

/// Keys that Portway adds: why a request was answered as it was.
const OWN_KEYS: &[&str] = &["Reason", "ReasonDetail"];

fn requests() -> Vec<Case<'static>> {
    let good = "Authorization: Basic dGVzdDp0ZXN0\r\n";
    let bad = "Authorization: Basic dGVzdDp3cm9uZw==\r\n";
    let mut cases = Vec::new();
    for target in [
        "/",
        "/path?query=1&b;c",
        "/a%2Fb/../c",
        "/chunked",
        "/status-404",
        "/no-content",
        "/not-modified",
        "/close",
        "/garbage",
        "/a\"b",
        "/\u{e9}",
    ] {
        cases.push(Case::get("web.test", target, ""));
    }
    for host in [
        "web.test:81",
        "UPPER.test",
        "redirect.test",
        "dead.test",
        "empty.test",
        "weighted.test",
        "silent.test",
        "noop.test",
        "auth.test",
        "[::1]:80",
        "",
    ] {
        cases.push(Case::get(host, "/x", ""));
    }
    cases.push(Case::get("auth.test", "/x", good));
    cases.push(Case::get("auth.test", "/x", bad));
    cases.push(Case::get(
        "web.test",
        "/x",
        "Referer: http://r/\"q\"\r\nUser-Agent: agent \"q\" \\\r\nX-Forwarded-For: 1.1.1.1\r\n",
    ));
    cases.push(Case::get("web.test", "/x", "Referer: \u{e9}\r\nUser-Agent:\r\n"));
    cases.push(Case::get("web.test", "/x", good));
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n";
    cases.push(Case::get("web.test", "/tunnel", upgrade));
    cases.push(Case::request("POST", "web.test", "/tunnel", upgrade, "a body"));
    cases.push(Case::request("POST", "web.test", "/x", "", "a body"));
    cases.push(Case::request("HEAD", "web.test", "/x", "", ""));
    cases.push(Case::request("FOO", "web.test", "/x", "", ""));
    cases.push(Case::new("HTTP/1.0", "GET /x HTTP/1.0\r\nHost: web.test\r\n\r\n"));
    cases.push(Case::new("chunked", "POST /x HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
    cases.push(Case::new(
        "absolute",
        "GET http://absolute.test:5/x HTTP/1.1\r\nHost: web.test\r\n\r\n",
    ));
    cases.push(Case::request("OPTIONS", "web.test", "*", "", ""));
    cases.push(
        Case::get("known.test", "/x", "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n").at("trusting"),
    );
    cases.push(Case::get("nobody.test", "/x", "").at("trusting"));
    for host in ["nobody.test", "quiet.test", "loud.test"] {
        cases.push(Case::get(host, "/x", "").at("quiet"));
    }
    cases
}

fn setup() -> Setup {
    Setup::web(DYNAMIC)
        .entry_point("trusting")
        .entry_point("quiet")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true")
        .flag("--entryPoints.quiet.observability.accessLogs=false")
        .flag("--accessLog=true")
        .flag("--accessLog.filePath=@@folder@@/access.log")
}

#[test]
fn json_lines_are_those_of_traefik() {
    let setup = setup().flag("--accessLog.format=json");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    let texts = collect(&mut pair, |line| shown(&serde_json::from_str(line).unwrap_or_default()));
    pair.compare_texts("JSON lines", texts);
    pair.finish();
}

/// `COMPAT_SEED` and `COMPAT_LINES` repeat and lengthen a run.
#[test]
fn random_requests_are_logged_as_by_traefik() {
    let seed = number_from_environment("COMPAT_SEED", 0x106);
    let requests = number_from_environment("COMPAT_LINES", 600);
    println!("COMPAT_SEED={seed}");
    let mut random = Random::new(seed);
    let (configuration, chains) = combinations::configuration(&mut random);
    let setup = Setup::web(&configuration)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true")
        .flag("--log.level=ERROR")
        .flag("--accessLog=true")
        .flag("--accessLog.filePath=@@folder@@/access.log")
        .flag("--accessLog.format=json")
        .flag("--accessLog.fields.headers.defaultMode=keep");
    let Some(mut pair) = Pair::start_with(&setup, combinations::backends) else { return };
    let mut names = BTreeMap::new();
    for number in 0..requests {
        let mut case = combinations::request(&mut random, &chains);
        names.insert(number.to_string(), case.name().to_owned());
        case.add_field(&format!("X-Number: {number}\r\n"));
        pair.compare(&case.statuses_only());
    }
    let [portway, traefik] = pair.sides.each_ref().map(|side| {
        let lines = lines(side).into_iter().filter_map(|line| {
            let value: Value = serde_json::from_str(&line).ok()?;
            let number = value.get("request_X-Number")?.as_str()?.to_owned();
            Some((number, side.anonymous(&comparable(&value))))
        });
        lines.collect::<BTreeMap<_, _>>()
    });
    assert!(traefik.len() as u64 > requests / 2, "only {} lines", traefik.len());
    // How much was read of a body that is too long for `forwardAuth` is left to chance, and Traefik has changed the
    // type of gRPC-Web for good (39).
    let apart = ["maxBodySize: 3", "grpc-web"];
    names.retain(|_, name: &mut String| !apart.iter().any(|text| name.contains(text)));
    for (number, name) in names {
        let texts =
            [&portway, &traefik].map(|lines| lines.get(&number).cloned().unwrap_or_default());
        pair.compare_texts(&format!("line {number} of COMPAT_SEED={seed}, {name}"), texts);
    }
    pair.finish();
}

/// What a line says that does not differ on purpose (55).
fn comparable(line: &Value) -> String {
    const DIFFERENT: &[&str] = &[
        "GzipRatio",
        "RetryAttempts",
        // In no order.
        "downstream_Access-Control-Expose-Headers",
        "downstream_Content-Length",
        "downstream_Content-Type",
        // A trailer.
        "downstream_X-Sum",
    ];
    let is_of_origin = |key: &str| key.starts_with("Origin") || key.starts_with("origin_");
    // Compressors differ, and whether the bytes that nobody gets count.
    let sized =
        line["RequestMethod"] != "HEAD" && line.get("downstream_Content-Encoding").is_none();
    let tunnel = line["DownstreamStatus"] == 0;
    // A body that is too long is not read by Portway.
    let taken = line["DownstreamStatus"] != 413;
    let mut line = line.clone();
    if let Some(fields) = line.as_object_mut() {
        fields.retain(|key, _| {
            let differs = is_of_origin(key)
                || DIFFERENT.contains(&key.as_str())
                || key.starts_with("downstream_Trailer:")
                || (!sized && key == "DownstreamContentSize")
                || (!taken && key == "RequestContentSize")
                || (tunnel && key.starts_with("downstream_"));
            !differs
        });
    }
    shown(&line)
}

/// The fields of a line that do not depend on the moment.
fn shown(line: &Value) -> String {
    let mut text = String::new();
    let fields = line.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(key, _)| !OWN_KEYS.contains(&key.as_str())) {
        let _ = match OF_THE_MOMENT.contains(&key.as_str()) {
            true => writeln!(text, "  {key}: {}", kind(value)),
            false => writeln!(text, "  {key}: {value}"),
        };
    }
    text
}

#[test]
fn kept_headers_are_logged_as_by_traefik() {
    let setup = setup()
        .flag("--accessLog.format=json")
        .flag("--accessLog.fields.headers.defaultMode=keep")
        .flag("--accessLog.fields.headers.names.Authorization=redact")
        .flag("--accessLog.fields.headers.names.User-Agent=drop")
        .flag("--accessLog.fields.names.RequestPath=drop");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    let texts = collect(&mut pair, |line| {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| {
                key.contains('_') || ["RequestPath", "ServiceAddr"].contains(&key.as_str())
            })
            .filter(|(key, _)| !key.ends_with("_Date"))
            // Go marks a missing type by an empty one, and logs that.
            .filter(|(key, value)| !(key.ends_with("_Content-Type") && *value == ""))
            .map(|(key, value)| format!("  {key}: {value}\n"))
            .collect()
    });
    pair.compare_texts("headers in JSON lines", texts);
    pair.finish();
}

#[test]
fn common_lines_are_those_of_traefik() {
    let Some(mut pair) = Pair::start(&setup(), 1) else { return };
    let texts = collect(&mut pair, |line| format!("{}\n", timeless(line)));
    pair.compare_texts("common lines", texts);
    pair.finish();
}

/// Sends every request to both sides and reads their logs, one text for each side.
fn collect(pair: &mut Pair, read: impl Fn(&str) -> String) -> [String; 2] {
    for case in requests() {
        pair.compare(&case.statuses_only());
        // A line is written after its answer; the next request must not overtake it.
        std::thread::sleep(Duration::from_millis(15));
    }
    let lines = pair.sides.each_ref().map(lines);
    let count = lines.iter().map(Vec::len).max().unwrap_or_default();
    assert!(count > 30, "only {count} lines");
    [0, 1].map(|index| {
        let side = &pair.sides[index];
        let line = |line: &String| side.anonymous(&format!("line\n{}", read(line)));
        // Each core writes its own lines: their order means nothing.
        let mut lines: Vec<String> = lines[index].iter().map(line).collect();
        lines.sort();
        lines.concat()
    })
}

/// The lines of a side's log, once it has stopped growing; polls for readiness are left out.
fn lines(side: &Side) -> Vec<String> {
    let path = side.process.folder().path().join("access.log");
    let start = Instant::now();
    let mut before = String::new();
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = fs::read_to_string(&path).unwrap_or_default();
        if (now == before && !now.is_empty()) || start.elapsed() > Duration::from_secs(3) {
            return now
                .lines()
                .filter(|line| !line.contains("/generation-") && !line.contains("\"ready\""))
                .map(str::to_owned)
                .collect();
        }
        before = now;
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        _ => "something else",
    }
}

/// A common line without its time, its request count and its duration.
fn timeless(line: &str) -> String {
    let (start, rest) = line.split_once('[').unwrap_or((line, ""));
    let (time, rest) = rest.split_once(']').unwrap_or(("", rest));
    let shape: String =
        time.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    let shape = shape.replace(|letter: char| letter.is_ascii_alphabetic(), "a");
    let rest: Vec<&str> = rest.rsplitn(5, ' ').collect();
    let [duration, server, router, _count, front] = rest[..] else { return line.to_owned() };
    let duration = duration.trim_start_matches(|letter: char| letter.is_ascii_digit());
    format!("{start}[{shape}]{front} N {router} {server} N{duration}")
}
