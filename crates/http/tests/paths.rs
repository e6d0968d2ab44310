//! Paths against rows that Go 1.26 made with Traefik's handlers: normalisation, sanitising,
//! `stripPrefix` and `addPrefix` on random targets.
//!
//! Columns: target, whether it is sanitised, operation, prefix, then the decoded path, the routing
//! path and the request URI that is sent; or `ERR` (refused while parsing), `FRAG` (refused for
//! its fragment), `AMB` (refused by `stripPrefix`).

use portway_http::codec::{HeadLimits, parse_request_head};
use portway_http::{CanonicalRules, Request, Stripped};

#[test]
fn paths_mean_what_they_mean_in_go() {
    let rows = include_str!("golden/paths.tsv");
    assert!(rows.lines().count() > 250);
    for row in rows.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let [target, cleaning, operation, prefix, expected @ ..] = columns.as_slice() else {
            panic!("bad row: {row}");
        };
        let outcome = outcome(target, *cleaning == "clean", operation, prefix);
        assert_eq!(outcome, expected.join("\t"), "{row}");
    }
}

fn outcome(target: &str, sanitize_path: bool, operation: &str, prefix: &str) -> String {
    let mut request = Request::new();
    let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    if parse_request_head(head.as_bytes(), &HeadLimits::default(), &mut request).is_err() {
        return "ERR\t\t".to_owned();
    }
    let rules = CanonicalRules { sanitize_path, ..CanonicalRules::default() };
    if request.canonicalize(&rules).is_err() {
        return "FRAG\t\t".to_owned();
    }
    let target = &mut request.target;
    match operation {
        "strip" if target.strip_prefix(prefix.as_bytes(), false) == Stripped::Ambiguous => {
            return "AMB\t\t".to_owned();
        }
        "add" => target.add_prefix(prefix.as_bytes()),
        _ => {}
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\t{}\t{}", text(target.path()), text(target.routing_path()), target.request_uri())
}
