//! Sticky cookies: what they are called, what they say, and where they lead.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use portway_testkit::client::Client;
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::named::{Named, Outcome, ask};
use super::pair::{Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: plain}
    named: {rule: "Host(`named.test`)", service: named}
    odd: {rule: "Host(`odd.test`)", service: odd}
    pathless: {rule: "Host(`pathless.test`)", service: pathless}
    aged: {rule: "Host(`aged.test`)", service: aged}
    p2c: {rule: "Host(`p2c.test`)", service: p2c}
    quick: {rule: "Host(`quick.test`)", service: quick}
    hashed: {rule: "Host(`hashed.test`)", service: hashed}
    fenced: {rule: "Host(`fenced.test`)", service: fenced}
    zero: {rule: "Host(`zero.test`)", service: zero}
    none: {rule: "Host(`none.test`)", service: none}
    dead: {rule: "Host(`dead.test`)", service: dead}
    empty: {rule: "Host(`empty.test`)", service: empty}
    levels: {rule: "Host(`levels.test`)", service: levels}
    outer: {rule: "Host(`outer.test`)", service: outer}
    hollow: {rule: "Host(`hollow.test`)", service: hollow}
    marked: {rule: "Host(`marked.test`)", service: named, middlewares: [mark]}
    bare: {rule: "Host(`bare.test`)", service: named, middlewares: [strip]}
  services:
    plain: {loadBalancer: {sticky: {cookie: {}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}, {url: "http://@@s2@@"}]}}
    named: {loadBalancer: {sticky: {cookie: {name: stay, secure: true, httpOnly: true, sameSite: strict, maxAge: 60, path: /x, domain: example.test}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    odd: {loadBalancer: {sticky: {cookie: {name: "a b;=é", sameSite: weird, path: "/a;b\"é c", domain: bad_domain}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    pathless: {loadBalancer: {sticky: {cookie: {path: "", sameSite: None, maxAge: -5, domain: .example.test}}, servers: [{url: "http://@@s0@@"}]}}
    aged: {loadBalancer: {sticky: {cookie: {maxAge: 42, sameSite: Lax, httpOnly: true}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    p2c: {loadBalancer: {strategy: p2c, sticky: {cookie: {name: stay}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@", weight: 0}]}}
    quick: {loadBalancer: {strategy: leasttime, sticky: {cookie: {name: stay}}, servers: [{url: "http://@@s1@@"}]}}
    hashed: {loadBalancer: {strategy: hrw, sticky: {cookie: {name: stay}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    fenced: {loadBalancer: {sticky: {cookie: {name: stay}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@", fenced: true}]}}
    zero: {loadBalancer: {sticky: {cookie: {name: stay}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@", weight: 0}]}}
    none: {loadBalancer: {sticky: {}, servers: [{url: "http://@@s0@@"}]}}
    dead: {loadBalancer: {sticky: {cookie: {name: stay}}, servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {sticky: {cookie: {name: stay}}, servers: []}}
    left: {loadBalancer: {sticky: {cookie: {name: inner}}, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    right: {loadBalancer: {servers: [{url: "http://@@s2@@"}]}}
    levels: {weighted: {sticky: {cookie: {name: outer, httpOnly: true}}, services: [{name: left, weight: 2}, {name: right@file}]}}
    outer: {weighted: {sticky: {cookie: {}}, services: [{name: levels}, {name: right}]}}
    hollow: {weighted: {sticky: {cookie: {name: hollow}}, services: [{name: empty}]}}
  middlewares:
    mark: {headers: {customResponseHeaders: {X-Mark: "1"}}}
    strip: {headers: {customResponseHeaders: {Set-Cookie: ""}}}
"#;

/// Every host.
const HOSTS: [&str; 18] = [
    "plain", "named", "odd", "pathless", "aged", "p2c", "quick", "hashed", "fenced", "zero",
    "none", "dead", "empty", "levels", "outer", "hollow", "marked", "bare",
];

/// So many requests without a cookie meet all servers.
const MANY: usize = 40;

#[test]
fn cookies_are_set_as_in_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = Pair::start(&Setup::web(&servers.fill(DYNAMIC)), 0) else { return };
    for host in HOSTS {
        for path in ["/", "/own"] {
            let texts = pair.sides.each_ref().map(|side| {
                let one = |_| shown(&ask(side, &format!("{host}.test"), path, ""));
                let seen: BTreeSet<String> = (0..MANY).map(one).collect();
                seen.into_iter().collect::<Vec<_>>().join("\n")
            });
            pair.compare_texts(&format!("{host}{path}"), texts);
        }
    }
    pair.finish();
}

fn shown(outcome: &Outcome) -> String {
    format!("{} by `{}` sets {:?}", outcome.status, outcome.server, outcome.cookies)
}

/// Each cookie that Traefik gives leads to the same server in both, and says so again only where it must.
#[test]
fn cookies_of_traefik_lead_where_they_lead_there() {
    let servers = Named::start(3);
    let Some(mut pair) = Pair::start(&Setup::web(&servers.fill(DYNAMIC)), 0) else { return };
    for host in HOSTS {
        let host = format!("{host}.test");
        let [_, traefik] = &pair.sides;
        let given: BTreeSet<Vec<String>> =
            (0..MANY).map(|_| ask(traefik, &host, "/", "").cookies).collect();
        for cookies in given {
            let pairs: Vec<&str> = cookies.iter().filter_map(|set| set.split(';').next()).collect();
            // All at once, one by one, and among others.
            let mut lines = vec![format!("Cookie: {}\r\n", pairs.join("; "))];
            lines.extend(pairs.iter().map(|pair| format!("Cookie: {pair}\r\n")));
            lines.push(pairs.iter().map(|pair| format!("Cookie: a=b; {pair}; c\r\n")).collect());
            for line in lines {
                let texts = pair.sides.each_ref().map(|side| again(side, &host, &line));
                pair.compare_texts(&format!("{host} {line}"), texts);
            }
        }
    }
    pair.finish();
}

/// All that comes of a request with the same cookies, again and again.
fn again(side: &Side, host: &str, fields: &str) -> String {
    let seen: BTreeSet<String> = (0..20).map(|_| shown(&ask(side, host, "/", fields))).collect();
    seen.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn all_forms_of_cookies_are_read_as_in_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = Pair::start(&Setup::web(&servers.fill(DYNAMIC)), 0) else { return };
    let (url, other) = (servers.url(1), servers.url(0));
    let new = |url: &str| hash_of(&pair.sides[1], url);
    let (value, first) = (new(&url), new(&other));
    let once = fnv(&url);
    let twice = fnv(&once);
    for host in ["named", "p2c", "quick", "hashed", "fenced", "zero"] {
        for cookie in [
            format!("stay={value}"),
            format!("stay=\"{value}\""),
            format!(" stay={value} "),
            format!("stay={url}"),
            format!("stay={once}"),
            format!("stay={twice}"),
            format!("stay={first}; stay={value}"),
            format!("stay=nobody; stay={value}"),
            format!("stay=bad\\; stay={value}"),
            format!("stay= {value}"),
            format!("stay ={value}"),
            format!("STAY={value}"),
            format!("stay={}", value.to_uppercase()),
            format!("stay={value}x"),
            format!("a b=c; ;;=; stay={value}"),
            "stay=".to_owned(),
            "stay".to_owned(),
        ] {
            let line = format!("Cookie: {cookie}\r\n");
            let host = format!("{host}.test");
            let texts = pair.sides.each_ref().map(|side| again(side, &host, &line));
            pair.compare_texts(&format!("{host} {line}"), texts);
        }
        let lines = format!("Cookie: a=b\r\nCookie: stay={value}\r\n");
        let texts = pair.sides.each_ref().map(|side| again(side, &format!("{host}.test"), &lines));
        pair.compare_texts(&format!("{host} {lines}"), texts);
    }
    pair.finish();
}

/// The value that stands for the server of a URL, as the side gives it.
fn hash_of(side: &Side, url: &str) -> String {
    let name = format!("stay={url}");
    let outcome = ask(side, "named.test", "/", &format!("Cookie: {name}\r\n"));
    let set = outcome.cookies.first().expect("an old form is replaced").clone();
    set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair").1.to_owned()
}

/// The form that Traefik gave before: FNV-1 with 64 bits.
fn fnv(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    format!("{hash:x}")
}

#[test]
fn tunnels_and_http2_get_cookies_as_in_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = Pair::start(&Setup::web(&servers.fill(DYNAMIC)), 0) else { return };
    for host in ["pathless.test", "levels.test", "bare.test"] {
        let texts = pair.sides.each_ref().map(|side| {
            let one = |_| tunnel(side, host).expect("a tunnel");
            let seen: BTreeSet<String> = (0..MANY).map(one).collect();
            seen.into_iter().collect::<Vec<_>>().join("\n")
        });
        pair.compare_texts(&format!("a tunnel to {host}"), texts);
    }
    for (host, cookies) in [("levels.test", &["a=b", "c=d"][..]), ("pathless.test", &[])] {
        let texts = pair.sides.each_ref().map(|side| {
            let one = |_| over_http2(side, host, cookies).expect("an answer");
            let seen: BTreeSet<String> = (0..MANY).map(one).collect();
            seen.into_iter().collect::<Vec<_>>().join("\n")
        });
        pair.compare_texts(&format!("HTTP/2 to {host}"), texts);
    }
    // Over HTTP/2 each cookie may come in a field of its own.
    let value = hash_of(&pair.sides[1], &servers.url(1));
    let cookies = ["a=b".to_owned(), format!("stay={value}")];
    let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
    let texts = pair.sides.each_ref().map(|side| {
        let one = |_| over_http2(side, "named.test", &cookies).expect("an answer");
        let seen: BTreeSet<String> = (0..MANY).map(one).collect();
        seen.into_iter().collect::<Vec<_>>().join("\n")
    });
    pair.compare_texts("HTTP/2 with cookies", texts);
    pair.finish();
}

fn tunnel(side: &Side, host: &str) -> io::Result<String> {
    let mut client = Client::connect(side.process.address("web"))?;
    client.set_patience(Duration::from_secs(3));
    client.send(format!(
        "GET /tunnel HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: k\r\n\r\n"
    ))?;
    let head = client.head()?;
    let server = head.headers.value("X-Server").unwrap_or_default().to_owned();
    Ok(format!("{} by {server} sets {:?}", head.part(1), head.headers.values("Set-Cookie")))
}

fn over_http2(side: &Side, host: &str, cookies: &[&str]) -> io::Result<String> {
    let mut client = Http2Client::connect(side.process.address("web"))?;
    let mut headers = vec![("host".to_owned(), host.to_owned())];
    headers.extend(cookies.iter().map(|one| ("cookie".to_owned(), (*one).to_owned())));
    let head = Head { line: "GET / HTTP/2".to_owned(), headers: Headers(headers) };
    Ok(shown(&Outcome::of(&client.ask(&head, b"")?)))
}

/// What the API shows of services that are sticky or choose otherwise.
#[test]
fn the_api_shows_balancing_as_in_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = Pair::start(&Setup::web(&servers.fill(DYNAMIC)), 0) else { return };
    for host in HOSTS {
        let name = if ["marked", "bare"].contains(&host) { "named" } else { host };
        let texts = pair.sides.each_ref().map(|side| {
            let (_, mut shown) = side.api(&format!("/api/http/services/{name}@file"));
            // Warnings are Portway's own.
            let fields = shown.as_object_mut().expect("an object");
            fields.remove("error");
            fields.remove("status");
            format!("{shown:#}")
        });
        pair.compare_texts(name, texts);
    }
    pair.finish();
}
