//! Facts about random rules and requests.

#![cfg(test)]

#[path = "request/request.rs"]
mod request;

use std::sync::Arc;

use portway_rule::{Claim, Index, Rule, Syntax, Tree, parse, parse_tree, routing_path};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use request::Request;

const HOSTS: [&str; 14] = [
    "", "a", "b", "a.b", "a.b.", "c.a.b", "x.c.a.b", "*.b", "*.a.b", "*.a.b.", ".", "a..", ".a",
    "*",
];
const PATHS: [&str; 13] = [
    "/", "/a", "/a/", "/ab", "/ab/c", "/a/b", "/b", "/é", "/a/b/c", "/a/b/d", "/{x}", "/a{y:.?}",
    "",
];

/// A matcher of both syntaxes, mostly of hosts and paths, which the index looks at.
fn matcher(syntax: Syntax) -> impl Strategy<Value = String> {
    let host = select(&HOSTS[1..]).prop_map(|host| format!("Host(`{host}`)"));
    let hosts = (select(&HOSTS[1..]), select(&HOSTS[1..]))
        .prop_map(|(one, other)| format!("Host(`{one}`, `{other}`)"));
    let path = select(&PATHS[..12]).prop_map(|path| format!("Path(`{path}`)"));
    let prefix = select(&PATHS[..12]).prop_map(|path| format!("PathPrefix(`{path}`)"));
    let others = match syntax {
        Syntax::V3 => vec![
            "Host(`*`)",
            "HostRegexp(`^a`)",
            "HostRegexp(`x?`)",
            "PathRegexp(`b$`)",
            "Method(`GET`)",
            "Method(`PUT`)",
            "Header(`K`, `1`)",
            "Header(`Host`, `a`)",
            "Query(`k`, `1`)",
            "QueryRegexp(`k`, `1`)",
            "ClientIP(`10.0.0.0/8`)",
        ],
        Syntax::V2 => vec![
            "HostRegexp(`{sub}.b`)",
            "Method(`GET`, `PUT`)",
            "Headers(`K`, `1`)",
            "Query(`k=1`)",
            "ClientIP(`10.0.0.0/8`)",
        ],
    };
    let many = match syntax {
        Syntax::V2 => hosts.boxed(),
        Syntax::V3 => host.clone().boxed(),
    };
    prop_oneof![4 => host, 1 => many, 2 => path, 4 => prefix, 2 => select(others).prop_map(str::to_owned)]
}

fn rule_text(syntax: Syntax) -> impl Strategy<Value = String> {
    matcher(syntax).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            4 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} && {right}")),
            3 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} || {right}")),
            2 => inner.clone().prop_map(|inner| format!("({inner})")),
            1 => inner.clone().prop_map(|inner| format!("!{inner}")),
            1 => inner.prop_map(|inner| format!("!({inner})")),
        ]
    })
}

fn any_rule() -> impl Strategy<Value = (String, Syntax)> {
    prop_oneof![
        rule_text(Syntax::V3).prop_map(|rule| (rule, Syntax::V3)),
        rule_text(Syntax::V2).prop_map(|rule| (rule, Syntax::V2)),
    ]
}

fn any_request() -> impl Strategy<Value = Request> {
    (
        select(&HOSTS[..]),
        select(&PATHS[..]),
        select(&["", "/", "b", "/c"][..]),
        select(&["GET", "PUT", "POST"][..]),
        select(&["", "k=1", "k", "k=2&k=1"][..]),
        select(&[None, Some("1"), Some("2")][..]),
        select(&["10.0.0.1", "::1", "none"][..]),
    )
        .prop_map(|(host, path, tail, method, query, header, client)| {
            let request = Request::new(&format!("{host}{path}{tail}?{query}"));
            let request =
                Request { host: host.to_owned(), path: format!("{path}{tail}").into(), ..request };
            let request = request.method(method).client(client);
            match header {
                Some(value) => request.header("k", value),
                None => request,
            }
        })
}

/// Texts that look like rules, from their tokens.
fn nearly_a_rule() -> impl Strategy<Value = String> {
    let token = select(
        &[
            "Host",
            "PathRegexp",
            "HostRegexp",
            "Query",
            "(",
            ")",
            "(",
            ")",
            "`a`",
            "`/`",
            "`(`",
            "`{x:a}`",
            "\"\\x41\"",
            "\"",
            "`",
            "!",
            "&&",
            "||",
            "&",
            ",",
            "...",
            "\n",
            " ",
            "//",
            "/*",
            "*/",
            "'a'",
            "1",
            "é",
            "\u{feff}",
            "\0",
            "\\",
        ][..],
    );
    vec(token, 0..20).prop_map(|tokens| tokens.concat())
}

/// A rule and its place in the order: descending priority, then the order given.
#[derive(Clone, Debug)]
struct Route {
    priority: i64,
    rule: Arc<Rule>,
    id: u32,
}

impl Claim for Route {
    fn rule(&self) -> &Rule {
        &self.rule
    }
}

impl Ord for Route {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.priority.cmp(&self.priority).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Route {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Route {}

/// What an index must equal.
fn naive(routes: &[Route], request: &Request) -> Option<u32> {
    let mut best: Option<&Route> = None;
    for route in routes {
        let better = best.is_none_or(|best| route.priority > best.priority);
        if better && route.rule.matches(request) {
            best = Some(route);
        }
    }
    best.map(|route| route.id)
}

fn check_any_text(text: &str) {
    for syntax in [Syntax::V2, Syntax::V3] {
        match parse(text, syntax) {
            Ok(rule) => {
                rule.matches(&Request::new("a.b/a?k=1"));
            }
            Err(error) => {
                let span = error.span();
                assert!(text.get(span.start..span.end).is_some(), "{text:?} {span:?}");
                assert!(error.to_string().lines().count() == 3, "{error}");
            }
        }
    }
}

fn without_spans(mut tree: Tree) -> Tree {
    fn clear(tree: &mut Tree) {
        let nowhere = portway_rule::Span::new(0, 0);
        match tree {
            Tree::And(parts) | Tree::Or(parts) => parts.iter_mut().for_each(clear),
            Tree::Not(inner) => clear(inner),
            Tree::Call(call) => {
                call.name_span = nowhere;
                call.arguments.iter_mut().for_each(|argument| argument.span = nowhere);
            }
        }
    }
    clear(&mut tree);
    tree
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn index_equals_the_naive_scan(
        rules in vec((any_rule(), -2..6_i64), 0..24),
        requests in vec(any_request(), 1..24),
    ) {
        let routes: Vec<Route> = (0..)
            .zip(rules)
            .filter_map(|(id, ((text, syntax), priority))| {
                let rule: Rule = parse(&text, syntax).ok()?;
                Some(Route { priority, rule: Arc::new(rule), id })
            })
            .collect();
        let index: Index<Route> = routes.iter().cloned().map(Arc::new).collect();
        for request in &requests {
            let found = index.find(request).map(|route| route.id);
            prop_assert_eq!(found, naive(&routes, request), "{:?}", request);
        }
    }

    #[test]
    fn generated_rules_are_valid_and_printing_is_stable((text, syntax) in any_rule()) {
        parse(&text, syntax).unwrap();
        let tree = parse_tree(&text, syntax).unwrap();
        let again = parse_tree(&tree.to_string(), syntax).unwrap();
        prop_assert_eq!(without_spans(tree), without_spans(again));
    }

    #[test]
    fn printing_keeps_the_meaning((text, syntax) in any_rule(), request in any_request()) {
        let rule = parse(&text, syntax).unwrap();
        let printed = parse_tree(&text, syntax).unwrap().to_string();
        prop_assert_eq!(rule.matches(&request), parse(&printed, syntax).unwrap().matches(&request));
    }

    #[test]
    fn no_text_panics(text in ".*") {
        check_any_text(&text);
    }

    #[test]
    fn nothing_near_a_rule_panics(text in nearly_a_rule()) {
        check_any_text(&text);
    }

    #[test]
    fn no_expression_panics(text in r"[()\[\]{}|*+?.^$\\a-cQEpPdxwiL0-3:,<>&~-]{0,24}") {
        check_any_text(&format!("PathRegexp(`{text}`)"));
        check_any_text(&format!("Path(`/{text}`)"));
    }

    #[test]
    fn no_path_panics_and_no_slash_appears(raw in vec(any::<u8>(), 0..40)) {
        let mut out = Vec::new();
        if routing_path(&raw, &mut out).is_ok() {
            let slashes = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'/').count();
            prop_assert_eq!(slashes(&raw), slashes(&out));
        }
    }
}
