//! Hosts and paths of Ingresses to rules, in the very text that Traefik writes: a rule's length is its
//! router's priority.

use std::fmt::Write;

use portway_model::static_config::RuleSyntax;

use crate::api::PathType;

/// How the rules of an Ingress's routers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleWriter {
    /// The syntax that the router is read in.
    pub(super) syntax: RuleSyntax,
    /// The matcher of paths of type `ImplementationSpecific`; absent means `PathPrefix`.
    pub(super) path_matcher: Option<&'static str>,
    /// Whether prefixes match whole elements of the path only.
    pub(super) strict_prefixes: bool,
}

impl RuleWriter {
    /// The rule of a host and a path, of which each may be empty and then says nothing.
    ///
    /// Both empty is no rule, as in Traefik, though Kubernetes would have it match every request.
    pub(super) fn rule(self, host: &str, path: &str, path_type: PathType) -> String {
        match (host, path) {
            ("", "") => String::new(),
            ("", path) => self.path(path, path_type),
            (host, "") => self.host(host),
            (host, path) => format!("{} && {}", self.host(host), self.path(path, path_type)),
        }
    }

    fn host(self, host: &str) -> String {
        match (self.syntax, host.strip_prefix("*.")) {
            // That syntax's `Host` knows no wildcard.
            (RuleSyntax::V2, Some(rest)) => {
                format!("HostRegexp({})", quote(&format!("{{subdomain:[a-zA-Z0-9-]+}}.{rest}")))
            }
            _ => format!("Host({})", quote(host)),
        }
    }

    fn path(self, path: &str, path_type: PathType) -> String {
        let matcher = match path_type {
            PathType::Exact => "Path",
            PathType::Prefix => "PathPrefix",
            PathType::ImplementationSpecific => self.path_matcher.unwrap_or("PathPrefix"),
        };
        if !self.strict_prefixes || matcher != "PathPrefix" || path == "/" {
            return format!("{matcher}({})", quote(path));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        format!("(Path({}) || PathPrefix({}))", quote(path), quote(&format!("{path}/")))
    }
}

/// A text in double quotes as Go writes it (`%q`).
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            ' ' => quoted.push(c),
            _ if c.is_control() || c.is_whitespace() => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = match c.is_ascii() {
                    true => write!(quoted, "\\x{code:02x}"),
                    false => write!(quoted, "\\u{code:04x}"),
                };
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use portway_model::static_config::RuleSyntax;

    use super::{RuleWriter, quote};
    use crate::api::PathType::{self, Exact, ImplementationSpecific, Prefix};

    const PLAIN: RuleWriter =
        RuleWriter { syntax: RuleSyntax::V3, path_matcher: None, strict_prefixes: false };

    #[track_caller]
    fn check(writer: RuleWriter, host: &str, path: &str, path_type: PathType, expected: &str) {
        assert_eq!(writer.rule(host, path, path_type), expected);
    }

    #[test]
    fn hosts_and_paths_become_matchers() {
        check(PLAIN, "a.com", "/x", Prefix, r#"Host("a.com") && PathPrefix("/x")"#);
        check(PLAIN, "*.a.com", "/x", Exact, r#"Host("*.a.com") && Path("/x")"#);
        check(PLAIN, "a.com", "", ImplementationSpecific, r#"Host("a.com")"#);
        check(PLAIN, "", "/x", ImplementationSpecific, r#"PathPrefix("/x")"#);
        check(PLAIN, "", "", ImplementationSpecific, "");
    }

    #[test]
    fn the_path_matcher_is_for_implementation_specific_paths_alone() {
        let writer = RuleWriter { path_matcher: Some("PathRegexp"), ..PLAIN };
        check(writer, "", "/x$", ImplementationSpecific, r#"PathRegexp("/x$")"#);
        check(writer, "", "/x", Prefix, r#"PathPrefix("/x")"#);
        check(writer, "", "/x", Exact, r#"Path("/x")"#);
    }

    #[test]
    fn strict_prefixes_match_whole_elements() {
        let writer = RuleWriter { strict_prefixes: true, ..PLAIN };
        check(writer, "", "/x", Prefix, r#"(Path("/x") || PathPrefix("/x/"))"#);
        check(writer, "", "/x/", Prefix, r#"(Path("/x") || PathPrefix("/x/"))"#);
        check(writer, "", "/", Prefix, r#"PathPrefix("/")"#);
        check(writer, "", "/x", ImplementationSpecific, r#"(Path("/x") || PathPrefix("/x/"))"#);
        check(writer, "a", "/x", Exact, r#"Host("a") && Path("/x")"#);
    }

    #[test]
    fn wildcards_of_the_older_syntax_are_templates() {
        let writer = RuleWriter { syntax: RuleSyntax::V2, ..PLAIN };
        check(
            writer,
            "*.a.com",
            "",
            ImplementationSpecific,
            r#"HostRegexp("{subdomain:[a-zA-Z0-9-]+}.a.com")"#,
        );
        check(writer, "a.com", "", ImplementationSpecific, r#"Host("a.com")"#);
    }

    #[test]
    fn texts_are_quoted_as_go_does() {
        assert_eq!(quote("/a\\d\"é x"), r#""/a\\d\"é x""#);
        assert_eq!(quote("\u{7}\u{8}\u{c}\n\r\t\u{b}"), r#""\a\b\f\n\r\t\v""#);
        assert_eq!(quote("\u{1}\u{7f}\u{a0}\u{2028}"), r#""\x01\x7f\u00a0\u2028""#);
    }
}
