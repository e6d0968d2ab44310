//! `inFlightReq` and `rateLimit`: what is let in, what is refused and how.

use std::time::Duration;

use portway_testkit::client::{Client, Response};
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair, Side};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    none: {rule: "HostRegexp(`^none`)", service: s, middlewares: [none]}
    one: {rule: "HostRegexp(`^one`)", service: s, middlewares: [outer, one]}
    other: {rule: "HostRegexp(`^other`)", service: s, middlewares: [one]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [one, one]}
    two: {rule: "HostRegexp(`^two`)", service: s, middlewares: [two]}
    user: {rule: "HostRegexp(`^user`)", service: s, middlewares: [user]}
    client: {rule: "HostRegexp(`^client`)", service: s, middlewares: [client]}
    forwarded: {rule: "HostRegexp(`^forwarded`)", service: s, middlewares: [forwarded]}
    off: {rule: "Host(`off.test`)", service: s, middlewares: [off]}
    slow: {rule: "Host(`slow.test`)", service: s, middlewares: [outer, slow]}
    otherslow: {rule: "Host(`otherslow.test`)", service: s, middlewares: [slow]}
    twiceslow: {rule: "Host(`twiceslow.test`)", service: s, middlewares: [burst, burst]}
    chained: {rule: "Host(`chained.test`)", service: s, middlewares: [chained]}
    burst: {rule: "Host(`burst.test`)", service: s, middlewares: [burst]}
    zeroburst: {rule: "Host(`zeroburst.test`)", service: s, middlewares: [zeroburst]}
    byuser: {rule: "Host(`byuser.test`)", service: s, middlewares: [byuser]}
    byhost: {rule: "HostRegexp(`^byhost`)", service: s, middlewares: [byhost]}
    bydepth: {rule: "Host(`bydepth.test`)", service: s, middlewares: [bydepth]}
    behind: {rule: "Host(`behind.test`)", service: s, middlewares: [burst, deny]}
    badperiod: {rule: "Host(`badperiod.test`)", service: s, middlewares: [badperiod]}
    badsource: {rule: "Host(`badsource.test`)", service: s, middlewares: [badsource]}
    badlimit: {rule: "Host(`badlimit.test`)", service: s, middlewares: [badlimit]}
    badstrategy: {rule: "Host(`badstrategy.test`)", service: s, middlewares: [badstrategy]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    outer: {headers: {customResponseHeaders: {X-Outer: "1"}}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    none: {inFlightReq: {amount: 0}}
    one: {inFlightReq: {amount: 1}}
    two: {inFlightReq: {amount: 2, sourceCriterion: {requestHost: true}}}
    user: {inFlightReq: {amount: 1, sourceCriterion: {requestHeaderName: x-user}}}
    client: {inFlightReq: {amount: 1, sourceCriterion: {ipStrategy: {ipv6Subnet: 64}}}}
    forwarded: {inFlightReq: {amount: 1, sourceCriterion: {ipStrategy: {depth: 1}}}}
    off: {rateLimit: {average: 0, burst: 1}}
    slow: {rateLimit: {average: 1, period: 1h}}
    burst: {rateLimit: {average: 1, period: 10m, burst: 4}}
    chained: {chain: {middlewares: [burst, outer, burst]}}
    zeroburst: {rateLimit: {average: 1, period: 10m, burst: 0}}
    byuser: {rateLimit: {average: 1, period: 1h, sourceCriterion: {requestHeaderName: X-User}}}
    byhost: {rateLimit: {average: 1, period: 1h, sourceCriterion: {requestHost: true}}}
    bydepth: {rateLimit: {average: 1, period: 1h, sourceCriterion: {ipStrategy: {depth: 2}}}}
    badperiod: {rateLimit: {average: 1, period: -5s}}
    badsource: {rateLimit: {average: 1, sourceCriterion: {requestHost: true, requestHeaderName: a}}}
    badlimit: {inFlightReq: {amount: 1, sourceCriterion: {requestHost: true, ipStrategy: {depth: 1}}}}
    badstrategy: {inFlightReq: {amount: 1, sourceCriterion: {ipStrategy: {excludedIPs: [nobody]}}}}
"#;

/// How often each is asked, one right after the other.
const RATES: &[(&str, &str, usize)] = &[
    ("off.test", "", 20),
    ("slow.test", "", 3),
    ("otherslow.test", "", 2),
    ("twiceslow.test", "", 4),
    ("chained.test", "", 4),
    ("burst.test", "", 6),
    ("zeroburst.test", "", 3),
    ("byuser.test", "", 2),
    ("byuser.test", "X-User: a\r\n", 2),
    ("byuser.test", "x-user: b\r\n", 2),
    ("byuser.test", "X-User: b\r\nX-User: c\r\n", 1),
    ("byuser.test", "X-User: c\r\nX-User: b\r\n", 2),
    ("byhost.test", "", 2),
    ("byhost.test:80", "", 2),
    ("BYHOST.test", "", 2),
    ("bydepth.test", "", 2),
    ("bydepth.test", "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n", 2),
    ("bydepth.test", "X-Forwarded-For: 1.1.1.1, 3.3.3.3\r\n", 1),
    ("bydepth.test", "X-Forwarded-For: 3.3.3.3\r\n", 1),
    ("behind.test", "", 5),
    ("behind.test", "Authorization: Basic dGVzdDp0ZXN0\r\n", 1),
];

#[test]
fn requests_are_limited_in_time_as_by_traefik() {
    let Some(mut pair) = start() else { return };
    for (host, fields, times) in RATES {
        for time in 0..*times {
            let texts = pair.sides.each_ref().map(|side| {
                let mut client = connect(side);
                summary(&client.ask(message(host, "/", fields)).expect("an answer"))
            });
            pair.compare_texts(&format!("{host} {fields} {time}"), texts);
        }
    }
    for name in ["badperiod", "badsource", "badlimit", "badstrategy"] {
        let case = Case::get(&format!("{name}.test"), "/", "");
        pair.compare(&case.differs(Difference::KeepsItsClaim));
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}

/// Host and fields of a request.
type Asked = (&'static str, &'static str);

/// While the first is being served, the others come.
const BESIDE: &[(Asked, &[Asked])] = &[
    (("none.test", ""), &[("none.test", "")]),
    (
        ("one.test", ""),
        &[("one.test", ""), ("one.test:80", ""), ("ONE.test", ""), ("other.test", "")],
    ),
    (("other.test", ""), &[("other.test", ""), ("one.test", ""), ("otherwise.test", "")]),
    (("twice.test", ""), &[("twice.test", "")]),
    (("two.test", ""), &[("two.test", ""), ("two.other", "")]),
    (
        ("user.test", "X-User: a\r\n"),
        &[
            ("user.test", "X-User: a\r\n"),
            ("user.other", "X-User: a\r\n"),
            ("user.test", "X-User: A\r\n"),
            ("user.test", ""),
            ("user.test", "X-User: a, b\r\n"),
        ],
    ),
    (
        ("user.test", ""),
        &[("user.test", ""), ("user.test", "X-User:\r\n"), ("user.test", "X-User: a\r\n")],
    ),
    (("client.test", ""), &[("client.test", ""), ("client.other", "X-Forwarded-For: 1.1.1.1\r\n")]),
    (
        ("forwarded.test", "X-Forwarded-For: 1.1.1.1\r\n"),
        &[
            ("forwarded.test", "X-Forwarded-For: 2.2.2.2, 1.1.1.1\r\n"),
            ("forwarded.test", "X-Forwarded-For: 2.2.2.2\r\n"),
            ("forwarded.test", ""),
        ],
    ),
];

#[test]
fn requests_at_once_are_limited_as_by_traefik() {
    let Some(mut pair) = start() else { return };
    for ((host, fields), others) in BESIDE {
        let texts = pair.sides.each_ref().map(|side| {
            let mut first = connect(side);
            // The head says that a body comes, and it comes last: meanwhile the request is served.
            let held =
                format!("POST / HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Length: 5\r\n\r\n");
            first.send(held).expect("a connection");
            std::thread::sleep(Duration::from_millis(150));
            let mut text = String::new();
            for (other, fields) in *others {
                let answer = connect(side).ask(message(other, "/", fields)).expect("an answer");
                text.push_str(&format!("{other} {fields}: {}\n", summary(&answer)));
            }
            first.send("hello").expect("a connection");
            text.push_str(&summary(&first.response_to("POST").expect("an answer")));
            std::thread::sleep(Duration::from_millis(50));
            let after = connect(side).ask(message(host, "/", fields)).expect("an answer");
            text.push_str(&format!("\nafterwards {}\n", summary(&after)));
            let _ = side.received();
            text
        });
        pair.compare_texts(&format!("beside {host} {fields}"), texts);
    }
    pair.finish();
}

fn start() -> Option<Pair> {
    let setup = Setup::web(DYNAMIC).flag("--entryPoints.web.forwardedHeaders.insecure=true");
    Pair::start(&setup, 1)
}

fn connect(side: &Side) -> Client {
    Client::connect(side.process.address("web")).expect("a connection")
}

fn message(host: &str, target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
}

/// Status, fields and body. How long one has to wait is rounded up to seconds: it runs while both are asked.
fn summary(response: &Response) -> String {
    let mut fields = response.headers.sorted();
    fields.retain(|(name, _)| name != "date");
    for (name, value) in &mut fields {
        match name.as_str() {
            "retry-after" => {
                let seconds: u64 = value.parse().expect("a number of seconds");
                *value = format!("{} minutes", seconds.div_ceil(60));
            }
            "x-retry-in" => {
                let minutes = value.split_once('m').map(|(start, _)| start.to_owned());
                let exact = value.ends_with('s') && value.contains('m');
                assert!(exact, "{value} is no duration as Go writes one");
                *value = minutes.expect("minutes");
            }
            _ => {}
        }
    }
    format!("{} {fields:?} {:?}", response.status, response.text())
}
