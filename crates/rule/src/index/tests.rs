use std::net::IpAddr;
use std::sync::Arc;

use super::{Claim, Index};
use crate::{Rule, Subject, Syntax, parse};

struct Request<'a> {
    host: &'a str,
    path: &'a str,
}

impl Subject for Request<'_> {
    fn host(&self) -> &str {
        self.host
    }

    fn path(&self) -> &[u8] {
        self.path.as_bytes()
    }

    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn any_header(&self, _: &str, _: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }

    fn query(&self) -> &[u8] {
        b""
    }

    fn client_ip(&self) -> Option<IpAddr> {
        None
    }
}

#[derive(Debug)]
struct Numbered {
    priority: i64,
    id: u32,
    rule: Rule,
}

impl Numbered {
    fn new(id: u32, priority: i64, rule: &str) -> Arc<Self> {
        Arc::new(Self { priority, id, rule: parse(rule, Syntax::V3).unwrap() })
    }

    fn key(&self) -> (std::cmp::Reverse<i64>, u32) {
        (std::cmp::Reverse(self.priority), self.id)
    }
}

impl Claim for Numbered {
    fn rule(&self) -> &Rule {
        &self.rule
    }
}

impl Ord for Numbered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Numbered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Numbered {}

fn index(rules: &[(i64, &str)]) -> Index<Numbered> {
    (0..).zip(rules).map(|(id, (priority, rule))| Numbered::new(id, *priority, rule)).collect()
}

fn found(index: &Index<Numbered>, host: &str, path: &str) -> Option<u32> {
    index.find(&Request { host, path }).map(|claim| claim.id)
}

#[track_caller]
fn check(index: &Index<Numbered>, host: &str, path: &str, expected: Option<u32>) {
    assert_eq!(found(index, host, path), expected, "{host}{path}");
}

#[test]
fn higher_priority_wins_and_ties_keep_their_order() {
    let index =
        index(&[(1, "Host(`a`)"), (2, "Host(`a`)"), (2, "PathPrefix(`/`)"), (-1, "Host(`b`)")]);
    check(&index, "a", "/", Some(1));
    check(&index, "b", "/", Some(2));
}

#[test]
fn longer_prefix_loses_to_higher_priority() {
    let index = index(&[(9, "PathPrefix(`/a`)"), (5, "PathPrefix(`/a/b`)"), (5, "Path(`/c`)")]);
    check(&index, "x", "/a/b", Some(0));
    check(&index, "x", "/c", Some(2));
    check(&index, "x", "/cc", None);
}

#[test]
fn prefixes_are_found_through_their_chain() {
    let index = index(&[
        (1, "PathPrefix(`/`)"),
        (2, "PathPrefix(`/a`)"),
        (3, "PathPrefix(`/ab`)"),
        (4, "PathPrefix(`/abc`) && Method(`PUT`)"),
        (4, "PathPrefix(`/abb`)"),
        (3, "PathPrefix(`/b`)"),
    ]);
    check(&index, "x", "/abcd", Some(2));
    check(&index, "x", "/abbz", Some(4));
    check(&index, "x", "/az", Some(1));
    check(&index, "x", "/c", Some(0));
    check(&index, "x", "", None);
}

#[test]
fn trailing_dots_reach_the_same_host() {
    let index = index(&[(1, "Host(`a.b`)"), (1, "Host(`c.d.`)"), (1, "Host(`*.e.f`)")]);
    check(&index, "a.b.", "/", Some(0));
    check(&index, "c.d", "/", Some(1));
    check(&index, "x.e.f.", "/", Some(2));
    check(&index, "e.f", "/", None);
    check(&index, "", "/", None);
}

#[test]
fn unions_and_negations_are_found() {
    let index = index(&[
        (9, "Host(`a`) && PathPrefix(`/x`) || Host(`b`) && PathPrefix(`/y`)"),
        (8, "!Host(`a`) && Host(`c`)"),
        (7, "Host(`d`) || PathPrefix(`/z`)"),
        (6, "!(Host(`a`) || Host(`b`))"),
        (5, "HostRegexp(`^b`)"),
    ]);
    check(&index, "a", "/x", Some(0));
    check(&index, "b", "/x", Some(4));
    check(&index, "b", "/y", Some(0));
    check(&index, "c", "/x", Some(1));
    check(&index, "d", "/x", Some(2));
    check(&index, "a", "/z", Some(2));
    check(&index, "e", "/", Some(3));
    check(&index, "a", "/y", None);
}

#[test]
fn many_hosts_with_many_paths_stay_small() {
    let hosts: Vec<String> = (0..100).map(|n| format!("Host(`h{n}`)")).collect();
    let paths: Vec<String> = (0..100).map(|n| format!("PathPrefix(`/p/{n}`)")).collect();
    let rule = format!("({}) && ({})", hosts.join(" || "), paths.join(" || "));
    let index = index(&[(1, &rule)]);
    assert!(index.exact.len() == 100 && index.any_host.is_empty());
    check(&index, "h77", "/p/42", Some(0));
    check(&index, "h77", "/q", None);
}

#[test]
fn an_empty_index_finds_nothing() {
    assert!(Index::<Numbered>::default().is_empty());
    check(&Index::default(), "a", "/", None);
}

#[test]
fn a_look_up_allocates_nothing() {
    let index = index(&[
        (3, "Host(`a.example`) && PathPrefix(`/api`) && !Method(`PUT`)"),
        (2, "Host(`*.example`) && (Path(`/x`) || Query(`k`, `v`) || Header(`X-Kind`, `a`))"),
        (1, "HostRegexp(`^b+$`) && PathRegexp(`^/[0-9]+$`)"),
    ]);
    let requests = [("a.example", "/api/x"), ("b.example", "/x"), ("bb", "/12"), ("c", "/")];
    let look_up = || requests.map(|(host, path)| found(&index, host, path));
    // The first look-up fills the scratch space of the expressions.
    assert_eq!(look_up(), [Some(0), Some(1), Some(2), None]);
    let measured = allocation_counter::measure(|| {
        look_up();
    });
    assert_eq!(measured.count_total, 0);
}

/// The number of rules that a look-up asks does not grow with the number of routes.
#[test]
fn a_look_up_asks_few_rules() {
    let number = 2000;
    let on_hosts = |n: usize| format!("Host(`h{n}.example`) && PathPrefix(`/api`)");
    let on_one_host = |n: usize| format!("Host(`a`) && PathPrefix(`/service-{n:04}/`)");
    let on_no_host = |n: usize| format!("Path(`/item/{n:04}`)");
    let on_wildcards = |n: usize| format!("Host(`*.h{n}.example`)");
    let shapes: [&dyn Fn(usize) -> String; 4] =
        [&on_hosts, &on_one_host, &on_no_host, &on_wildcards];
    let requests = [
        ("h1234.example", "/api/x"),
        ("a", "/service-1234/x"),
        ("b", "/item/1234"),
        ("www.h1234.example", "/"),
    ];
    for (shape, (host, path)) in shapes.into_iter().zip(requests) {
        let rules: Vec<String> = (0..number).map(shape).collect();
        let rules: Vec<(i64, &str)> = rules.iter().map(|rule| (1, rule.as_str())).collect();
        let index = index(&rules);
        check(&index, host, path, Some(1234));
        assert_eq!(index.asked(host, path.as_bytes()), 1, "{host}{path}");
    }
}

#[test]
fn an_edit_leaves_earlier_versions_alone_and_equals_a_new_index() {
    let shape = |n: u32| match n % 4 {
        0 => format!("Host(`h{}`) && PathPrefix(`/p{}`)", n % 40, n % 7),
        1 => format!("Host(`*.h{}`)", n % 30),
        2 => format!("PathPrefix(`/p{}/{n}`)", n % 7),
        _ => format!("Host(`h{}`) || Path(`/p{}`)", n % 40, n % 7),
    };
    let all: Vec<_> = (0..400).map(|n| Numbered::new(n, i64::from(n % 3), &shape(n))).collect();
    let mut index: Index<Numbered> = Index::default();
    let mut held: Vec<u32> = Vec::new();
    for step in 0..1200_u32 {
        let before = (index.clone(), held.clone());
        let number = step.wrapping_mul(2_654_435_761) % 400;
        let claim = &all[number as usize];
        match held.iter().position(|known| *known == number) {
            Some(at) => {
                held.remove(at);
                index.remove(claim);
            }
            None => {
                held.push(number);
                index.insert(claim);
            }
        }
        if step % 100 != 0 {
            continue;
        }
        for (index, held) in [&before, &(index.clone(), held.clone())] {
            let anew: Index<_> = held.iter().map(|n| Arc::clone(&all[*n as usize])).collect();
            assert_eq!(index.claims(), anew.claims());
            assert_eq!((index.len(), anew.exact.len()), (held.len(), index.exact.len()));
            for host in 0..40 {
                for path in ["/p1/x", "/p2", "/p3/42", "/"] {
                    let host = format!("h{host}");
                    assert_eq!(found(index, &host, path), found(&anew, &host, path));
                }
            }
        }
    }
    all.iter().filter(|claim| held.contains(&claim.id)).for_each(|claim| index.remove(claim));
    assert!(index.is_empty() && index.exact.len() == 0 && index.any_host.is_empty());
}
