//! Health of servers: how they are asked, what they are told by requests, and who heeds it.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;

use super::named::ask;
use super::pair::{Pair, Side};
use crate::wire::python::Server;

/// How often servers are asked in these tests.
const OFTEN: &str = "interval: 150ms";

/// By when all have been asked more than once.
const SETTLED: Duration = Duration::from_millis(900);

/// The ways to ask, by name: the settings of `healthCheck`, and the path of the server's URL.
const WAYS: &[(&str, &str, &str)] = &[
    ("plain", "path: /ok", ""),
    ("query", "path: '/ok?a=b&c'", ""),
    ("nopath", "method: GET", ""),
    ("base", "method: GET", "/base/of?x=1"),
    ("relative", "path: ok", "/base/of"),
    ("dots", "path: '../ok'", "/base/of/it"),
    ("escaped", "path: '/a%20b/%2Fc d'", ""),
    ("misescaped", "path: '/%zz'", ""),
    ("absolute", "path: 'http://127.0.0.1/ok'", ""),
    ("otherhost", "path: '//127.0.0.1/ok'", ""),
    ("scheme", "path: 'ok:x'", ""),
    ("missing", "path: /404", ""),
    ("broken", "path: /500", ""),
    ("empty", "path: /204", ""),
    ("modified", "path: /304", ""),
    ("highest", "path: /399", ""),
    ("wanted", "path: /404, status: 404", ""),
    ("unwanted", "path: /204, status: 200", ""),
    ("moved", "path: '/302?/landed'", ""),
    ("movedaway", "path: '/302?/404'", ""),
    ("stays", "path: '/302?/404', followRedirects: false", ""),
    ("staysoff", "path: '/302?/ok', followRedirects: false, status: 200", ""),
    ("round", "path: '/301?/301?/301'", ""),
    ("nowhere", "path: /302", ""),
    ("posted", "path: '/302?/landed', method: POST, headers: {X-A: b}", ""),
    ("kept", "path: '/307?/landed', method: POST", ""),
    ("keptbyname", "path: '/308?/landed', hostname: h.test", ""),
    ("head", "path: /ok, method: HEAD", ""),
    ("put", "path: /ok, method: PUT", ""),
    ("odd", "path: /ok, method: ODD", ""),
    ("badmethod", "path: /ok, method: 'A B'", ""),
    ("hostname", "path: /ok, hostname: 'other.test:81'", ""),
    (
        "headers",
        "path: /ok, headers: {x-a: '1', X-B: 'two words', Host: c.test, User-Agent: mine}",
        "",
    ),
    ("badheader", "path: /ok, headers: {'x y': '1'}", ""),
    ("port", "path: /ok, port: 1", ""),
    ("tls", "path: /ok, scheme: https", ""),
    ("plaintext", "path: /ok, scheme: http", ""),
    ("h2c", "path: /ok, scheme: h2c", ""),
    ("late", "path: /slow, timeout: 100ms", ""),
    ("slow", "path: /slow, timeout: 2s", ""),
    ("cut", "path: /cut", ""),
    ("noise", "path: /noise", ""),
    ("interim", "path: /103", ""),
    ("grpc", "mode: grpc", ""),
    ("seldom", "path: /500, unhealthyInterval: 1h", ""),
    ("negative", "path: /500, unhealthyInterval: -1s", ""),
];

/// Answers with the status that the path names, `Location` being the query; `X-` fields and the name of a case are in
/// what was received.
fn way(received: &Received) -> Vec<Step> {
    let target = received.head.part(1);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let status = path.trim_start_matches("/hc").trim_start_matches('/');
    match status {
        "slow" => [
            vec![Step::Wait(Duration::from_millis(400))],
            script::write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ]
        .concat(),
        "cut" => vec![Step::Close],
        "noise" => script::write("noise\r\n\r\n"),
        "103" => script::write(
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ),
        "204" | "304" => script::write(&format!("HTTP/1.1 {status} x\r\n\r\n")),
        number if number.parse::<u16>().is_ok() => {
            let location = match query {
                "" => String::new(),
                query => format!("Location: {query}\r\n"),
            };
            script::write(&format!("HTTP/1.1 {number} x\r\n{location}Content-Length: 0\r\n\r\n"))
        }
        _ if received.head.part(0) == "HEAD" => {
            script::write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        _ => vec![Step::Write(script::response("200 OK", "", "ok"))],
    }
}

#[test]
fn servers_are_asked_as_by_traefik() {
    let (mut routers, mut services) = (String::new(), String::new());
    for (index, (name, settings, path)) in WAYS.iter().enumerate() {
        let _ = writeln!(routers, "    {name}: {{rule: 'Host(`{name}.test`)', service: {name}}}");
        let _ = writeln!(
            services,
            "    {name}: {{loadBalancer: {{healthCheck: {{{OFTEN}, {settings}}}, servers: [{{url: \
             'http://@@backend{index}@@{path}'}}]}}}}"
        );
    }
    let dynamic = format!("http:\n  routers:\n{routers}  services:\n{services}");
    let setup = Setup::web(&dynamic).flag("--api.insecure=true").entry_point("traefik");
    let backends = || WAYS.iter().map(|_| Backend::scripted(way)).collect();
    let Some(mut pair) = Pair::start_with(&setup, backends) else { return };
    thread::sleep(SETTLED);
    for (index, (name, _, _)) in WAYS.iter().enumerate() {
        let texts = pair.sides.each_ref().map(|side| {
            let seen = questions(side, index);
            let answer = ask(side, &format!("{name}.test"), "/served", "");
            let (_, shown) = side.api(&format!("/api/http/services/{name}@file"));
            let status: Vec<_> = shown["serverStatus"].as_object().into_iter().flatten().collect();
            let text = format!("{}\n{status:?}\n{seen}", answer.status);
            side.anonymous(&text)
        });
        pair.compare_texts(name, texts);
    }
    pair.finish();
}

/// The different questions that a backend was asked, in order, and whether it was asked again.
fn questions(side: &Side, index: usize) -> String {
    let mut seen: Vec<String> = Vec::new();
    let mut repeated = false;
    for received in side.backends[index].take() {
        let mut fields = Vec::new();
        for (name, value) in &received.head.headers.0 {
            // Who asks says so, and has its own way to say what it reads.
            let own = name == "User-Agent" && value != "mine" || name == "Accept-Encoding";
            if !own {
                fields.push(format!("{name}: {value}"));
            }
        }
        // Go sends them by name.
        fields.sort();
        let text = format!("{} | {}", received.head.line, fields.join(" | "));
        repeated |= seen.contains(&text);
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    format!("{}\nrepeated: {repeated}", seen.join("\n"))
}

#[test]
fn grpc_servers_are_asked_as_by_traefik() {
    let Some(server) = Server::start("tests/compat/health/health_cases.py", "grpc") else { return };
    let ports: Vec<&str> = server.port.split(' ').collect();
    let (mut routers, mut services) = (String::new(), String::new());
    let mut names = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        for (kind, scheme, settings) in [
            ("a", "h2c", ""),
            ("b", "http", ", scheme: h2c, path: /x, hostname: h.test"),
            ("c", "http", ", scheme: http"),
        ] {
            let name = format!("{kind}{index}");
            let _ =
                writeln!(routers, "    {name}: {{rule: 'Host(`{name}.test`)', service: {name}}}");
            let _ = writeln!(
                services,
                "    {name}: {{loadBalancer: {{healthCheck: {{{OFTEN}, mode: grpc, timeout: 300ms{settings}}}, \
                 servers: [{{url: '{scheme}://127.0.0.1:{port}'}}]}}}}"
            );
            names.push(name);
        }
    }
    let dynamic = format!("http:\n  routers:\n{routers}  services:\n{services}");
    let setup = Setup::web(&dynamic).flag("--api.insecure=true").entry_point("traefik");
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    thread::sleep(SETTLED);
    let mut up = 0;
    for name in names {
        let texts = pair.sides.each_ref().map(|side| {
            let (_, shown) = side.api(&format!("/api/http/services/{name}@file"));
            shown["serverStatus"].to_string()
        });
        up += usize::from(texts[1].contains("UP"));
        pair.compare_texts(&name, texts);
    }
    assert!((1..10).contains(&up), "{up} servers are up");
    pair.finish();
}

/// Which of its servers a backend has to be ill with.
type Ill = Arc<Mutex<Vec<usize>>>;

/// Backends that say who they are, and whether they are well.
fn patients(count: usize, ill: &Ill) -> Vec<Backend> {
    let backend = |number: usize| {
        let ill = Arc::clone(ill);
        Backend::scripted(move |received| {
            let is_ill = ill.lock().unwrap().contains(&number);
            let status = if received.path() == "/health" && is_ill { "500 x" } else { "200 OK" };
            vec![Step::Write(script::response(status, &format!("X-Server: s{number}\r\n"), "ok"))]
        })
    };
    (0..count).map(backend).collect()
}

const FAMILY: &str = r#"
http:
  routers:
    wrr: {rule: "Host(`wrr.test`)", service: wrr}
    p2c: {rule: "Host(`p2c.test`)", service: p2c}
    hrw: {rule: "Host(`hrw.test`)", service: hrw}
    quick: {rule: "Host(`quick.test`)", service: quick}
    stuck: {rule: "Host(`stuck.test`)", service: stuck}
    parent: {rule: "Host(`parent.test`)", service: parent}
    heedless: {rule: "Host(`heedless.test`)", service: heedless}
    grand: {rule: "Host(`grand.test`)", service: grand}
    clients: {rule: "Host(`clients.test`)", service: clients}
    vain: {rule: "Host(`vain.test`)", service: vain}
    over: {rule: "Host(`over.test`)", service: over}
    both: {rule: "Host(`both.test`)", service: both}
    above: {rule: "Host(`above.test`)", service: above}
    twins: {rule: "Host(`twins.test`)", service: twins}
  services:
    wrr: {loadBalancer: {healthCheck: @@check@@, servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}]}}
    p2c: {loadBalancer: {strategy: p2c, healthCheck: @@check@@, servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}]}}
    hrw: {loadBalancer: {strategy: hrw, healthCheck: @@check@@, servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}]}}
    quick: {loadBalancer: {strategy: leasttime, healthCheck: @@check@@, servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}]}}
    stuck: {loadBalancer: {sticky: {cookie: {name: c}}, healthCheck: @@check@@, servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}]}}
    one: {loadBalancer: {healthCheck: @@check@@, servers: [{url: "http://@@backend0@@"}]}}
    two: {loadBalancer: {healthCheck: @@check@@, servers: [{url: "http://@@backend1@@"}]}}
    three: {loadBalancer: {healthCheck: @@check@@, servers: [{url: "http://@@backend2@@"}]}}
    deaf: {loadBalancer: {passiveHealthCheck: {maxFailedAttempts: 1}, servers: [{url: "http://@@backend2@@"}]}}
    parent: {weighted: {healthCheck: {}, services: [{name: one}, {name: two}]}}
    heedless: {weighted: {services: [{name: one}, {name: two}]}}
    grand: {weighted: {healthCheck: {}, services: [{name: parent}, {name: three}]}}
    clients: {highestRandomWeight: {healthCheck: {}, services: [{name: parent}, {name: three}]}}
    over: {failover: {service: one, fallback: two}}
    both: {failover: {healthCheck: {}, service: one, fallback: two}}
    above: {weighted: {healthCheck: {}, services: [{name: both}, {name: three}]}}
    mirror: {mirroring: {healthCheck: {}, service: one}}
    twins: {weighted: {healthCheck: {}, services: [{name: mirror}, {name: three}]}}
    vain: {weighted: {healthCheck: {}, services: [{name: one}, {name: deaf}]}}
"#;

const CHECK: &str = "{path: /health, interval: 150ms}";

#[test]
fn health_is_heeded_as_in_traefik() {
    let ill = Ill::default();
    let setup = Setup::web(&FAMILY.replace("@@check@@", CHECK))
        .flag("--api.insecure=true")
        .entry_point("traefik");
    let Some(mut pair) = Pair::start_with(&setup, || patients(3, &ill)) else { return };
    for sick in [&[][..], &[1], &[0, 1], &[0, 1, 2], &[0, 2], &[]] {
        *ill.lock().unwrap() = sick.to_vec();
        thread::sleep(SETTLED);
        for host in [
            "wrr", "p2c", "quick", "parent", "heedless", "grand", "hrw", "clients", "over", "both",
            "above", "twins",
        ] {
            let texts = pair.sides.each_ref().map(|side| served(side, host, sick));
            pair.compare_texts(&format!("{host} without {sick:?}"), texts);
        }
    }
    let told = pair.sides.each_ref().map(|side| {
        let (_, shown) = side.api("/api/http/services/vain@file");
        format!("{} {}", shown["status"], shown["error"])
    });
    assert!(told[1].contains("cannot register"), "{}", told[1]);
    pair.compare_texts("vain", told);
    pair.finish();
}

/// What came of many requests: which servers answered, and how often none did. Where all are well, who answers a
/// client is up to the addresses of the servers.
fn served(side: &Side, host: &str, sick: &[usize]) -> String {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..24 {
        let outcome = ask(side, &format!("{host}.test"), "/", "");
        seen.push(format!("{} {}", outcome.status, outcome.server));
    }
    seen.sort();
    match host {
        "hrw" | "clients" if sick.is_empty() => {
            seen.iter().all(|one| one.starts_with("200")).to_string()
        }
        // Chance decides, and time.
        "p2c" | "quick" => {
            let ill =
                |one: &&String| sick.iter().any(|number| one.ends_with(&format!("s{number}")));
            let served_by_ill = seen.iter().filter(ill).count();
            let mut statuses: Vec<&str> =
                seen.iter().filter_map(|one| one.split(' ').next()).collect();
            statuses.dedup();
            format!("{statuses:?}, {served_by_ill} by the ill")
        }
        _ => seen.join(", "),
    }
}

#[test]
fn a_client_leaves_a_server_that_is_down_as_in_traefik() {
    let ill = Ill::default();
    let setup = Setup::web(&FAMILY.replace("@@check@@", CHECK));
    let Some(mut pair) = Pair::start_with(&setup, || patients(3, &ill)) else { return };
    thread::sleep(SETTLED);
    // A cookie of each server, by asking until both have come.
    let cookies = pair
        .sides
        .each_ref()
        .map(|side| (0..2).map(|number| cookie_of(side, number)).collect::<Vec<String>>());
    for sick in [&[][..], &[0], &[1], &[0, 1], &[]] {
        *ill.lock().unwrap() = sick.to_vec();
        thread::sleep(SETTLED);
        for number in 0..2 {
            let mut texts = [String::new(), String::new()];
            for (index, side) in pair.sides.iter().enumerate() {
                let field = format!("Cookie: c={}\r\n", cookies[index][number]);
                let outcome = ask(side, "stuck.test", "/", &field);
                let given = outcome.cookies.iter().filter_map(|cookie| {
                    let value = cookie.strip_prefix("c=")?.split(';').next()?;
                    cookies[index].iter().position(|known| known == value)
                });
                let given: Vec<usize> = given.collect();
                texts[index] = format!("{} {} {given:?}", outcome.status, outcome.server);
            }
            pair.compare_texts(&format!("client of {number} without {sick:?}"), texts);
        }
    }
    pair.finish();
}

/// The value of the cookie for a server.
fn cookie_of(side: &Side, number: usize) -> String {
    for _ in 0..20 {
        let outcome = ask(side, "stuck.test", "/", "");
        if outcome.server == format!("s{number}")
            && let Some(value) = outcome.cookies.iter().find_map(|cookie| cookie.strip_prefix("c="))
        {
            return value.split(';').next().unwrap_or_default().to_owned();
        }
    }
    panic!("server {number} never answered");
}

const PASSIVE: &str = r#"
http:
  routers:
    one: {rule: "Host(`one.test`)", service: one}
    three: {rule: "Host(`three.test`)", service: three}
    dead: {rule: "Host(`dead.test`)", service: dead}
    dead2: {rule: "Host(`dead2.test`)", service: dead2}
    none: {rule: "Host(`none.test`)", service: none}
    shared: {rule: "Host(`shared.test`)", service: shared}
    asked: {rule: "Host(`asked.test`)", service: asked}
    short: {rule: "Host(`short.test`)", service: short}
  services:
    one: {loadBalancer: {passiveHealthCheck: {failureWindow: 1s}, servers: [{url: "http://@@backend0@@"}]}}
    three: {loadBalancer: {passiveHealthCheck: {failureWindow: 1s, maxFailedAttempts: 3}, servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {passiveHealthCheck: {failureWindow: 1s}, servers: [{url: "http://127.0.0.1:1"}]}}
    dead2: {loadBalancer: {passiveHealthCheck: {failureWindow: 1s, maxFailedAttempts: 2}, servers: [{url: "http://127.0.0.1:1"}]}}
    none: {loadBalancer: {passiveHealthCheck: {failureWindow: 1s, maxFailedAttempts: 0}, servers: [{url: "http://@@backend0@@"}]}}
    shared: {loadBalancer: {strategy: p2c, passiveHealthCheck: {failureWindow: 1s}, servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}]}}
    asked: {loadBalancer: {passiveHealthCheck: {failureWindow: 100ms}, healthCheck: {path: /200, interval: 800ms}, servers: [{url: "http://@@backend0@@"}]}}
    short: {loadBalancer: {passiveHealthCheck: {failureWindow: 300ms, maxFailedAttempts: 2}, servers: [{url: "http://@@backend0@@"}]}}
"#;

/// What clients do, in order: a path whose last part is the status, or milliseconds to wait.
const STORIES: &[(&str, &[&str])] = &[
    ("one", &["/200", "/404", "/499", "/500", "/200", "/200", "1300", "/200", "/503", "/200"]),
    (
        "three",
        &[
            "/500", "/500", "/200", "/500", "/500", "/404", "/500", "/500", "/502", "/200", "1300",
            "/200",
        ],
    ),
    ("dead", &["/", "/", "1300", "/", "/"]),
    ("dead2", &["/", "/", "/", "1300", "/"]),
    ("none", &["/200", "/500", "/200", "1300", "/200"]),
    ("one", &["/cut", "/200", "1300", "/noise", "/200", "1300"]),
    ("short", &["/500", "500", "/500", "500", "/500", "/500", "/200", "500", "/200"]),
    ("asked", &["/500", "/200", "1100", "/200"]),
];

#[test]
fn requests_tell_of_health_as_in_traefik() {
    let backends = || (0..2).map(|_| Backend::scripted(way)).collect();
    let Some(mut pair) = Pair::start_with(&Setup::web(PASSIVE), backends) else { return };
    for (host, story) in STORIES {
        let texts = pair.sides.each_ref().map(|side| {
            let mut told = String::new();
            for step in *story {
                match step.parse() {
                    Ok(wait) => thread::sleep(Duration::from_millis(wait)),
                    Err(_) => {
                        let outcome = ask(side, &format!("{host}.test"), step, "");
                        let _ = writeln!(told, "{step}: {}", outcome.status);
                    }
                }
            }
            told
        });
        assert!(texts[1].contains("503") || *host == "asked", "nothing went down: {}", texts[1]);
        pair.compare_texts(host, texts);
    }
    let texts = pair.sides.each_ref().map(|side| {
        let first = ask(side, "shared.test", "/500", "").status;
        let second = ask(side, "shared.test", "/500", "").status;
        let third = ask(side, "shared.test", "/200", "").status;
        format!("{first} {second} {third}")
    });
    pair.compare_texts("shared", texts);
    pair.finish();
}
