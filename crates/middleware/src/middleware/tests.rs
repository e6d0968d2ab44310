use serde_json::json;

use super::*;
use crate::testing::{origin, shown};

#[track_caller]
fn check(config: &dynamic::Middleware, expected: &[&str]) {
    let mut problems = Vec::new();
    assert!(Middleware::compile(config, &origin(), &mut problems).is_none());
    assert_eq!(shown(&problems), expected);
}

#[test]
fn a_kind_that_a_later_version_serves_is_named() {
    let kinds = [("rateLimit".to_owned(), json!({"average": 1}))].into_iter().collect();
    check(
        &dynamic::Middleware::Unserved(kinds),
        &[
            "Error rateLimit: middleware kind \"rateLimit\" is not served by this version of Portway yet",
        ],
    );
}

#[test]
fn what_could_not_be_read_is_an_error() {
    check(&dynamic::Middleware::Unreadable, &["Error the settings could not be read"]);
}

#[test]
fn a_chain_is_resolved_by_others() {
    check(
        &dynamic::Middleware::Chain(Default::default()),
        &["Error chain: a chain has no behaviour of its own"],
    );
}

#[test]
fn kinds_are_named_as_in_the_settings() {
    let config = dynamic::Middleware::RedirectScheme(dynamic::RedirectScheme {
        scheme: "https".to_owned(),
        ..Default::default()
    });
    let compiled = Middleware::compile(&config, &origin(), &mut Vec::new()).unwrap();
    assert_eq!(compiled.kind(), config.kind());
}
