//! `ipAllowList` and `ipWhiteList`: ranges, strategies, statuses.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    here: {rule: "Host(`here.test`)", service: s, middlewares: [here]}
    two: {rule: "Host(`two.test`)", service: s, middlewares: [two]}
    elsewhere: {rule: "Host(`elsewhere.test`)", service: s, middlewares: [elsewhere]}
    first: {rule: "Host(`first.test`)", service: s, middlewares: [first]}
    second: {rule: "Host(`second.test`)", service: s, middlewares: [second]}
    all: {rule: "Host(`all.test`)", service: s, middlewares: [all]}
    excluded: {rule: "Host(`excluded.test`)", service: s, middlewares: [excluded]}
    subnet: {rule: "Host(`subnet.test`)", service: s, middlewares: [subnet]}
    mapped: {rule: "Host(`mapped.test`)", service: s, middlewares: [mapped]}
    plainstrategy: {rule: "Host(`plainstrategy.test`)", service: s, middlewares: [plainstrategy]}
    missing: {rule: "Host(`missing.test`)", service: s, middlewares: [missing]}
    teapot: {rule: "Host(`teapot.test`)", service: s, middlewares: [teapot]}
    empty: {rule: "Host(`empty.test`)", service: s, middlewares: [empty]}
    white: {rule: "Host(`white.test`)", service: s, middlewares: [white]}
    whitefirst: {rule: "Host(`whitefirst.test`)", service: s, middlewares: [whitefirst]}
    named: {rule: "Host(`named.test`)", service: s, middlewares: [named, elsewhere]}
    norange: {rule: "Host(`norange.test`)", service: s, middlewares: [norange]}
    nowhite: {rule: "Host(`nowhite.test`)", service: s, middlewares: [nowhite]}
    badrange: {rule: "Host(`badrange.test`)", service: s, middlewares: [badrange]}
    badwhite: {rule: "Host(`badwhite.test`)", service: s, middlewares: [badwhite]}
    badstatus: {rule: "Host(`badstatus.test`)", service: s, middlewares: [badstatus]}
    ownstatus: {rule: "Host(`ownstatus.test`)", service: s, middlewares: [ownstatus]}
    badsubnet: {rule: "Host(`badsubnet.test`)", service: s, middlewares: [badsubnet]}
    zerosubnet: {rule: "Host(`zerosubnet.test`)", service: s, middlewares: [zerosubnet]}
    badexcluded: {rule: "Host(`badexcluded.test`)", service: s, middlewares: [badexcluded]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    here: {ipAllowList: {sourceRange: [127.0.0.1]}}
    two: {ipAllowList: {sourceRange: ["::1", "127.0.0.0/31"]}}
    elsewhere: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    first: {ipAllowList: {sourceRange: [10.0.0.0/8, "2001:db8::/32"], ipStrategy: {depth: 1}}}
    second: {ipAllowList: {sourceRange: [10.0.0.0/8, "2001:db8::/32"], ipStrategy: {depth: 2, excludedIPs: [10.0.0.1]}}}
    all: {ipAllowList: {sourceRange: [0.0.0.0/0, "::/0"], ipStrategy: {depth: 1}}}
    excluded: {ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {excludedIPs: [10.0.0.1, "192.0.2.0/24", "::1"]}}}
    subnet: {ipAllowList: {sourceRange: ["2001:db8:1::/128", 10.0.0.9], ipStrategy: {depth: 1, ipv6Subnet: 48}}}
    mapped: {ipAllowList: {sourceRange: ["::ffff:10.0.0.0/104", "::ffff:192.0.2.1"], ipStrategy: {depth: 1}}}
    plainstrategy: {ipAllowList: {sourceRange: [127.0.0.0/8], ipStrategy: {ipv6Subnet: 64}}}
    missing: {ipAllowList: {sourceRange: [10.0.0.0/8], rejectStatusCode: 404}}
    teapot: {ipAllowList: {sourceRange: [10.0.0.0/8], rejectStatusCode: 418}}
    empty: {ipAllowList: {sourceRange: [10.0.0.0/8], rejectStatusCode: 204}}
    white: {ipWhiteList: {sourceRange: [127.0.0.1/32]}}
    whitefirst: {ipWhiteList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}
    named: {headers: {customRequestHeaders: {X-A: "1"}, customResponseHeaders: {X-B: "1"}}}
    norange: {ipAllowList: {sourceRange: []}}
    nowhite: {ipWhiteList: {sourceRange: []}}
    badrange: {ipAllowList: {sourceRange: ["10.0.0.0/8", "10.0.0.0/33"]}}
    badwhite: {ipWhiteList: {sourceRange: ["nobody"]}}
    badstatus: {ipAllowList: {sourceRange: [127.0.0.1], rejectStatusCode: 999}}
    ownstatus: {ipAllowList: {sourceRange: [127.0.0.1], rejectStatusCode: 499}}
    badsubnet: {ipAllowList: {sourceRange: [127.0.0.1], ipStrategy: {depth: 1, ipv6Subnet: 129}}}
    zerosubnet: {ipAllowList: {sourceRange: [127.0.0.1], ipStrategy: {ipv6Subnet: 0}}}
    badexcluded: {ipAllowList: {sourceRange: [127.0.0.1], ipStrategy: {excludedIPs: ["10.0.0.1", "a/8"]}}}
"#;

const SERVED: &[&str] = &[
    "here.test",
    "two.test",
    "elsewhere.test",
    "first.test",
    "second.test",
    "all.test",
    "excluded.test",
    "subnet.test",
    "mapped.test",
    "plainstrategy.test",
    "missing.test",
    "teapot.test",
    "empty.test",
    "white.test",
    "whitefirst.test",
    "named.test",
];

const BROKEN: &[&str] = &[
    "norange.test",
    "nowhite.test",
    "badrange.test",
    "badwhite.test",
    "badstatus.test",
    "ownstatus.test",
    "badsubnet.test",
    "zerosubnet.test",
    "badexcluded.test",
];

const FORWARDED: &[&str] = &[
    "",
    "X-Forwarded-For: 10.1.2.3\r\n",
    "X-Forwarded-For: 10.1.2.3, 11.1.1.1\r\n",
    "X-Forwarded-For: 11.1.1.1, 10.1.2.3\r\n",
    "X-Forwarded-For: 11.1.1.1 ,\t10.1.2.3\r\n",
    "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-For: 11.1.1.1\r\n",
    "X-Forwarded-For: 10.1.2.3,\r\n",
    "X-Forwarded-For: , ,10.1.2.3\r\n",
    "X-Forwarded-For: 10.1.2.3:4711\r\n",
    "X-Forwarded-For: [2001:db8::1]:4711\r\n",
    "X-Forwarded-For: [2001:db8::1]\r\n",
    "X-Forwarded-For: 2001:db8::1\r\n",
    "X-Forwarded-For: 2001:DB8:1::77\r\n",
    "X-Forwarded-For: 2001:db8:1:2::77%eth0\r\n",
    "X-Forwarded-For: ::ffff:10.1.2.3\r\n",
    "X-Forwarded-For: ::ffff:192.0.2.1\r\n",
    "X-Forwarded-For: 192.0.2.1\r\n",
    "X-Forwarded-For: 10.0.0.9\r\n",
    "X-Forwarded-For: 010.1.2.3\r\n",
    "X-Forwarded-For: 10.1.2.3, 192.0.2.7, 10.0.0.1\r\n",
    "X-Forwarded-For: 10.0.0.1, ::1\r\n",
    "X-Forwarded-For: unknown\r\n",
    "X-Forwarded-For: unknown, 10.0.0.1\r\n",
    "X-Forwarded-For: \"10.1.2.3\"\r\n",
    "X-Real-Ip: 10.1.2.3\r\n",
];

#[test]
fn addresses_are_let_in_as_by_traefik() {
    let setup = Setup::web(DYNAMIC)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for host in SERVED {
        for fields in FORWARDED {
            pair.compare(&Case::get(host, "/a", fields).at("trusting"));
        }
        pair.compare(&Case::get(host, "/a", "X-Forwarded-For: 10.1.2.3\r\n"));
        for source in ["127.0.0.1", "127.0.0.2"] {
            pair.compare(&Case::get(host, "/a", "").from(source));
        }
        pair.compare(&Case::request("POST", host, "/a", "", "a body").watched());
        pair.compare(&Case::request("HEAD", host, "/a", "", ""));
    }
    for host in BROKEN {
        pair.compare(&Case::get(host, "/a", "").differs(Difference::KeepsItsClaim));
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}
