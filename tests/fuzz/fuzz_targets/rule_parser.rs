//! Any text as a rule in both syntaxes, asked about a request made of the same text.
//!
//! Beyond "nothing panics": an error points into the text, a printed tree reads back, and the index
//! agrees with the rule.

#![no_main]

use std::net::IpAddr;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use portway_rule::{
    Claim, Index, MAX_LENGTH, Rule, Subject, Syntax, parse, parse_tree, routing_path,
};

/// A request whose parts are pieces of the input.
struct Request<'a> {
    host: String,
    path: Vec<u8>,
    pieces: Vec<&'a str>,
}

impl Request<'_> {
    fn piece(&self, position: usize) -> &str {
        self.pieces.get(position).copied().unwrap_or_default()
    }
}

impl Subject for Request<'_> {
    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &[u8] {
        &self.path
    }

    fn method(&self) -> &[u8] {
        self.piece(4).as_bytes()
    }

    fn any_header(&self, _: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.pieces.iter().any(|piece| test(piece.as_bytes()))
    }

    fn query(&self) -> &[u8] {
        self.piece(6).as_bytes()
    }

    fn client_ip(&self) -> Option<IpAddr> {
        self.piece(8).parse().ok()
    }
}

fuzz_target!(|text: &str| {
    // What stands between quotes makes a good host, path or query for the rule around it.
    let pieces: Vec<&str> = text.split(['`', '"']).take(10).collect();
    let mut path = Vec::new();
    if routing_path(pieces.get(3).copied().unwrap_or_default().as_bytes(), &mut path).is_err() {
        path.clear();
    }
    let host = pieces.get(1).copied().unwrap_or_default().to_lowercase();
    let request = Request { host, path, pieces };
    for syntax in [Syntax::V2, Syntax::V3] {
        match parse(text, syntax) {
            Ok(rule) => accepted(text, syntax, rule, &request),
            Err(error) => {
                assert!(text.len() > MAX_LENGTH || error.rule() == text);
                assert!(error.rule().get(error.span().start..error.span().end).is_some());
                assert!(!error.to_string().is_empty());
            }
        }
    }
});

fn accepted(text: &str, syntax: Syntax, rule: Rule, request: &Request<'_>) {
    let matches = rule.matches(request);
    let index: Index<Only> = [Arc::new(Only(rule))].into_iter().collect();
    assert_eq!(index.find(request).is_some(), matches);

    let printed = parse_tree(text, syntax).expect("what parses has a tree").to_string();
    if printed.len() <= MAX_LENGTH {
        let again = parse(&printed, syntax).expect("a printed rule reads back");
        assert_eq!(again.matches(request), matches);
    }
}

/// The only claim of its index.
#[derive(Debug)]
struct Only(Rule);

impl Claim for Only {
    fn rule(&self) -> &Rule {
        &self.0
    }
}

impl Ord for Only {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl PartialOrd for Only {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Only {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Only {}
