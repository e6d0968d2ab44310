//! Every matcher with requests that just meet it and just miss it, and rules that must be refused.
//!
//! Row N's router is ``Header(`X-Row`, `N`) && (rule)``, so one configuration holds the whole
//! table.

use std::fmt::Write as _;

use portway_testkit::process::Setup;

use crate::compat::pair::{Case, Pair};

/// Rules of syntax v3; each is asked with every probe.
const V3: &[&str] = &[
    "Host(`a.test`)",
    "host(`a.test`)",
    "HOST(`a.test`)",
    "hOst(`a.test`)",
    "Host(\"a.test\")",
    "Host('a.test')",
    "Host(`A.TEST`)",
    "Host(`a.test.`)",
    "Host(`a.test:80`)",
    "Host(`*`)",
    "Host(`*.test`)",
    "Host(`*.a.test`)",
    "Host(`a.*`)",
    "Host(`**.test`)",
    "Host(`*a.test`)",
    "Host(`é.test`)",
    "Host(`[::1]`)",
    "Host(`::1`)",
    "Host(`127.0.0.1`)",
    "Host(` a.test`)",
    "Host(`a.test`, `b.test`)",
    "Host(`a.test`,)",
    "Host()",
    "Host(``)",
    "Host(`a.test`).x",
    "Host",
    "`a.test`",
    "true",
    "",
    "  Host(`a.test`)  ",
    "Host(`a.test`);",
    "Host(`a.test`) // comment",
    "Host(/* c */`a.test`)",
    "Host(`a.test`) Host(`a.test`)",
    "!Host(`a.test`)",
    "!!Host(`a.test`)",
    "!!!Host(`a.test`)",
    "!(Host(`a.test`) || Host(`b.test`))",
    "Host(`a.test`) && !Host(`b.test`)",
    "Host(`a.test`) || Host(`b.test`) && Path(`/x`)",
    "(Host(`a.test`) || Host(`b.test`)) && Path(`/x`)",
    "((Host(`a.test`)))",
    "Host(`a.test`) & Host(`a.test`)",
    "Host(`a.test`) == true",
    "Host(`a.test`) and Path(`/`)",
    "Host(`a.test`) &&",
    "&& Host(`a.test`)",
    "Host(`a.test`) || ",
    "Host(`a.test`",
    "(Host(`a.test`)",
    "Host(`a.test`))",
    "Host(\n`a.test`\n)",
    "Host(\n`a.test`,\n)",
    "Host(`a.test`)\n&& Path(`/`)",
    "Host(`a.test`) &&\n Path(`/`)",
    "Host(\"a\\x2etest\")",
    "Host(\"a\\.test\")",
    "Host(\"a\\u002etest\")",
    "Host(1)",
    "Host(1.5)",
    "Host(a)",
    "Host(Host(`a.test`))",
    "Host(`a.test` + `x`)",
    "Host(`a.test`)[0]",
    "Foo(`a`)",
    "func() {}",
    "HostRegexp(`^a\\.test$`)",
    "HostRegexp(`A\\.test`)",
    "HostRegexp(`.`)",
    "HostRegexp(`^$`)",
    "HostRegexp(`(`)",
    "HostRegexp(`é`)",
    "HostRegexp(`(?i)A`)",
    "HostRegexp(`a`, `b`)",
    "HostRegexp(`\\pL+\\.test`)",
    "HostRegexp(`(?P<n>a)`)",
    "HostRegexp(`(?<n>a)`)",
    "HostRegexp(`a(?=b)`)",
    "HostRegexp(`(a)\\1`)",
    "HostRegexp(`\\bA`)",
    "HostRegexp(`[[:alpha:]]+`)",
    "HostRegexp(`\\x{61}`)",
    "HostRegexp(`a{1001}`)",
    "HostRegexp(`\\C`)",
    "HostRegexp(`\\Qa.test\\E`)",
    "HostRegexp(`[a&&b]`)",
    "HostRegexp(`(?U)a+`)",
    "HostRegexp(`\\z`)",
    "HostRegexp(`a\\Z`)",
    "Path(`/x`)",
    "Path(`x`)",
    "Path(`/X`)",
    "Path(`/x/`)",
    "Path(`/`)",
    "Path(`/x y`)",
    "Path(`/x%20y`)",
    "Path(`/x%2Fy`)",
    "Path(`/x%2fy`)",
    "Path(`/é`)",
    "Path(`/%C3%A9`)",
    "Path(`/x?k=1`)",
    "Path(`//x`)",
    "Path(`/x/../x`)",
    "Path(`/{id}`)",
    "Path(`/x`, `/y`)",
    "Path(`*`)",
    "PathPrefix(`/x`)",
    "PathPrefix(`/`)",
    "PathPrefix(`x`)",
    "PathPrefix(`/x/`)",
    "PathPrefix(`/x%2F`)",
    "PathPrefix(`/x `)",
    "PathPrefix(`/{id}`)",
    "PathRegexp(`^/x`)",
    "PathRegexp(`/x$`)",
    "PathRegexp(`x y`)",
    "PathRegexp(`é`)",
    "PathRegexp(`%2F`)",
    "PathRegexp(`%20`)",
    "PathRegexp(`[`)",
    "PathRegexp(`^x`)",
    "PathRegexp(`.`)",
    "PathRegexp(`(?i)/X`)",
    "PathRegexp(`^/\\w$`)",
    "PathRegexp(`^/\\W+$`)",
    "PathRegexp(`^/.$`)",
    "Method(`GET`)",
    "Method(`get`)",
    "Method(`GET`, `POST`)",
    "Method(`*`)",
    "Method(`FOO`)",
    "Method(``)",
    "Header(`X-K`, `v`)",
    "Header(`x-k`, `v`)",
    "Header(`X-K`, `V`)",
    "Header(`X-K`)",
    "Header(`Host`, `a.test`)",
    "Header(`X K`, `v`)",
    "Header(`X-K`, ` v`)",
    "Header(`Content-Length`, `1`)",
    "Header(`X_K`, `v`)",
    "Header(`Connection`, `close`)",
    "Header(`X-Forwarded-Proto`, `http`)",
    "Header(`X-Real-Ip`, `127.0.0.1`)",
    "Header(`Transfer-Encoding`, `chunked`)",
    "Header(`X-Forwarded-Port`, `80`)",
    "Header(`X-Forwarded-For`, `127.0.0.1`)",
    "HeaderRegexp(`X-K`, `v`)",
    "HeaderRegexp(`X-K`, `^V$`)",
    "HeaderRegexp(`X-K`, `(`)",
    "HeaderRegexp(`X-K`, `.*`)",
    "HeaderRegexp(`Host`, `.*`)",
    "Query(`k`)",
    "Query(`k`, `1`)",
    "Query(`k`, ``)",
    "Query(`k=1`)",
    "Query(`k`, `1`, `2`)",
    "Query(`k`, `a b`)",
    "Query(`k b`, `1`)",
    "Query(`K`, `1`)",
    "QueryRegexp(`k`)",
    "QueryRegexp(`k`, `^[0-9]+$`)",
    "QueryRegexp(`k`, `a b`)",
    "QueryRegexp(`k`, `(`)",
    "QueryRegexp(`k`, `^$`)",
    "QueryRegexp(`k.*`, `1`)",
    "ClientIP(`127.0.0.1`)",
    "ClientIP(`127.0.0.0/24`)",
    "ClientIP(`127.0.0.2`)",
    "ClientIP(`10.0.0.0/8`)",
    "ClientIP(`::ffff:127.0.0.1`)",
    "ClientIP(`::1`)",
    "ClientIP(`localhost`)",
    "ClientIP(`127.0.0.1/33`)",
    "ClientIP(`127.0.0.1`, `127.0.0.2`)",
    "ClientIP(`127.0.0.1/8`)",
    "ClientIP(`::/0`)",
    "ClientIP(`0.0.0.0/0`)",
    "ClientIP(`127.0.0.01`)",
    "ClientIP(` 127.0.0.1`)",
    "ClientIP(`127.1`)",
    "ClientIP(`::ffff:127.0.0.0/120`)",
    "HostSNI(`a.test`)",
    "HostHeader(`a.test`)",
    "Headers(`X-K`, `v`)",
];

/// Rules of syntax v2.
const V2: &[&str] = &[
    "Host(`a.test`)",
    "Host(`a.test`, `b.test`)",
    "Host(`A.test`)",
    "Host(`a.test.`)",
    "Host(`*.test`)",
    "Host(`{x}.test`)",
    "Host(`*`)",
    "Host(`é.test`)",
    "Host()",
    "HostHeader(`a.test`)",
    "hostheader(`a.test`)",
    "HostRegexp(`{x:a}.test`)",
    "HostRegexp(`{x}.test`)",
    "HostRegexp(`a.test`)",
    "HostRegexp(`A.TEST`)",
    "HostRegexp(`{x:.*}`)",
    "HostRegexp(`{x`)",
    "HostRegexp(`x}`)",
    "HostRegexp(`(a.test`)",
    "HostRegexp(`{x:(}`)",
    "HostRegexp(`{:a}.test`)",
    "HostRegexp(`{}.test`)",
    "HostRegexp(`{x:[a-z]{1}}.test`)",
    "HostRegexp(`^a\\.test$`)",
    "HostRegexp(`b.test`, `{x:a}.test`)",
    "HostRegexp(`a.tes`)",
    "Path(`/x`)",
    "Path(`/x`, `/y`)",
    "Path(`x`)",
    "Path(`/{k}`)",
    "Path(`/{k:[0-9]+}`)",
    "Path(`/{k:x|y}`)",
    "Path(`/x/`)",
    "Path(`/x y`)",
    "Path(`/{k`)",
    "Path(`/{k:(}`)",
    "Path(`/{k}/{l}`)",
    "Path(`/.*`)",
    "Path(`/x?k=1`)",
    "PathPrefix(`/x`)",
    "PathPrefix(`/{k:[0-9]+}`)",
    "PathPrefix(`/`)",
    "PathPrefix(`x`)",
    "PathPrefix(`/{k}/`)",
    "PathPrefix(`/x`, `/y`)",
    "PathPrefix(`/{k:x.*}`)",
    "Method(`GET`, `POST`)",
    "Method(`get`)",
    "Headers(`X-K`, `v`)",
    "Headers(`X-K`, ``)",
    "Headers(`X-K`)",
    "HeadersRegexp(`X-K`, `^v`)",
    "HeadersRegexp(`X-K`, `(`)",
    "Query(`k=1`)",
    "Query(`k`)",
    "Query(`k=`)",
    "Query(`k=1`, `l=2`)",
    "Query(`k={v:[0-9]+}`)",
    "Query(`k={v}`)",
    "Query(`{k}=1`)",
    "Query(`k`, `1`)",
    "Query(`k=a b`)",
    "ClientIP(`127.0.0.1`, `10.0.0.1`)",
    "ClientIP(`10.0.0.0/8`)",
    "ClientIP(`x`)",
    "Header(`X-K`, `v`)",
    "PathRegexp(`/x`)",
    "QueryRegexp(`k`, `1`)",
    "!Host(`a.test`)",
    "Host(`a.test`) && !Path(`/x`)",
    "Foo(`a`)",
    "",
];

/// Probes: method, host, target, further fields.
const PROBES: &[(&str, &str, &str, &str)] = &[
    ("GET", "a.test", "/", ""),
    ("GET", "A.Test:8080", "/x", "X-K: v\r\n"),
    ("POST", "b.test", "/x/y", "x-k: V\r\nX-K: v\r\n"),
    ("get", "a.test.", "/x%20y", "X_K: v\r\n"),
    ("FOO", "x.a.test", "/x%2fy", "X-K:\r\n"),
    ("GET", "", "/%C3%A9", "X-K: vv\r\n"),
    ("GET", "127.0.0.1", "/\u{e9}", ""),
    ("GET", "[::1]:80", "/7?k", ""),
    ("GET", "::1", "/7/?k=1", ""),
    ("GET", "a.test", "/?k=1&k=2&l=2", ""),
    ("GET", "a.test", "/y?k=a+b", ""),
    ("GET", "a.test", "//x/?k=&K=1", ""),
    ("GET", "a.test", "/X?k=%31", ""),
    ("GET", "other.example", "/x/../x?k%20b=1", ""),
    ("GET", "a.test:80:80", "/{id}", ""),
    ("GET", "xn--9ca.test", "/x ", ""),
    ("GET", "*.test", "/*", ""),
];

#[test]
fn every_matcher_meets_and_misses_as_in_traefik() {
    run(V3, "v3");
}

#[test]
fn every_matcher_of_the_second_syntax_meets_and_misses_as_in_traefik() {
    run(V2, "v2");
}

#[test]
fn the_default_syntax_comes_from_the_static_configuration() {
    let dynamic = configuration(V2, "");
    let setup = Setup::web(&dynamic).flag("--core.defaultRuleSyntax=v2").flag("--log.level=ERROR");
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    compare_states(&mut pair, V2);
    pair.finish();
}

fn run(rules: &[&str], syntax: &str) {
    let dynamic = configuration(rules, &format!(", ruleSyntax: {syntax}"));
    let setup = Setup::web(&dynamic).flag("--log.level=ERROR");
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    compare_states(&mut pair, rules);
    for (index, rule) in rules.iter().enumerate() {
        for (method, host, target, fields) in PROBES {
            let fields = format!("X-Row: {index}\r\n{fields}");
            let mut case = Case::request(method, host, target, &fields, "").statuses_only();
            case.rename(&format!("{syntax} {rule} asked {method} {host:?} {target} {fields:?}"));
            pair.compare(&case);
        }
    }
    pair.finish();
}

fn configuration(rules: &[&str], syntax: &str) -> String {
    let mut text = "http:\n  routers:\n".to_owned();
    for (index, rule) in rules.iter().enumerate() {
        let row = match syntax.ends_with("v3") {
            true => format!("Header(`X-Row`, `{index}`) && ({rule})"),
            false => format!("Headers(`X-Row`, `{index}`) && ({rule})"),
        };
        let rule = row.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = writeln!(
            text,
            "    r{index}: {{rule: \"{rule}\", service: noop@internal, entryPoints: [web]{syntax}}}"
        );
    }
    text
}

/// Which rules are refused, by the API.
fn compare_states(pair: &mut Pair, rules: &[&str]) {
    let states = pair.sides.each_ref().map(|side| {
        let mut text = String::new();
        for (index, rule) in rules.iter().enumerate() {
            let (_, router) = side.api(&format!("/api/http/routers/r{index}@file"));
            let _ = writeln!(text, "{} {rule:?}", router["status"]);
        }
        text
    });
    pair.compare_texts("which rules are refused", states);
}
