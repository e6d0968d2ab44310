//! A rule that can be asked.

use crate::error::RuleError;
use crate::matcher::{self, Node};
use crate::name::{MatcherName, Syntax};
use crate::parser::parse_tree;
use crate::subject::Subject;
use crate::tree::Tree;

/// A parsed and compiled rule.
#[derive(Clone, Debug)]
pub struct Rule {
    node: Node,
    hosts: Box<[Box<str>]>,
}

/// Parses `text` and compiles its matchers.
///
/// # Errors
///
/// What [`parse_tree`] refuses; a wrong number of arguments or an empty one; a path without its
/// slash; a host that is not ASCII; an invalid or too large regular expression; an invalid address.
pub fn parse(text: &str, syntax: Syntax) -> Result<Rule, RuleError> {
    let tree = parse_tree(text, syntax)?;
    let node = matcher::compile(&tree, text, syntax)?;
    let mut hosts = Vec::new();
    collect_hosts(&tree, false, &mut hosts);
    Ok(Rule { node, hosts: hosts.into() })
}

/// The priority of a router that states none: the length of its rule in bytes.
#[must_use]
pub fn default_priority(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

impl Rule {
    /// Whether `subject` satisfies the rule.
    pub fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.node.matches(subject)
    }

    /// The arguments of every `Host` in the rule that is not negated, in lower case and in order.
    ///
    /// They decide TLS options, as in Traefik 3.7.15: earlier versions took negated ones, too.
    #[must_use]
    pub fn hosts(&self) -> &[Box<str>] {
        &self.hosts
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

fn collect_hosts(tree: &Tree, negated: bool, hosts: &mut Vec<Box<str>>) {
    match tree {
        Tree::And(parts) | Tree::Or(parts) => {
            parts.iter().for_each(|part| collect_hosts(part, negated, hosts));
        }
        Tree::Not(inner) => collect_hosts(inner, !negated, hosts),
        Tree::Call(call) if call.name == MatcherName::Host && !negated => {
            hosts.extend(call.arguments.iter().map(|argument| {
                // Compilation has seen to it that a host is ASCII.
                String::from_utf8_lossy(&argument.value).to_lowercase().into_boxed_str()
            }));
        }
        Tree::Call(_) => {}
    }
}
