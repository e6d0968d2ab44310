//! Annotations to a tree of fields: `…/router.tls.domains.0.main: a` is `tls: {domains: [{main: a}]}`.
//!
//! Traefik 3 reads `router.` annotations of Ingresses and `service.` annotations of Services, and passes over
//! all others under its prefix.

use std::collections::BTreeMap;

use portway_model::{Fields, Node, Position, Problem, Value, decode::quoted, nearest, node::Key};

/// What all annotations of Traefik's Ingress provider begin with.
pub(super) const PREFIX: &str = "traefik.ingress.kubernetes.io/";

/// Parts of one annotation's name that become fields inside each other; more than any annotation has.
const MAX_DEPTH: usize = 6;

/// The annotations `PREFIX + root + …` of an object as one mapping.
///
/// An annotation that stands twice, or both has a value and fields, is a problem. Of what has fields, `true`
/// says nothing more, and `false` switches them off.
pub(super) fn tree(
    annotations: &BTreeMap<String, String>,
    root: &str,
    problems: &mut Vec<Problem>,
) -> Node {
    let mut tree = Branch::default();
    for (key, value) in annotations {
        let Some(name) = key.strip_prefix(PREFIX) else { continue };
        if let Some((first, rest)) = name.split_once('.')
            && first.eq_ignore_ascii_case(root)
        {
            tree.insert(rest, key, value, problems);
        }
    }
    tree.into_node(problems)
}

/// The annotations that one kind of object has.
pub(super) struct Vocabulary {
    /// What their names begin with, after the prefix and before a dot.
    pub(super) root: &'static str,
    /// What those of another kind of object begin with, and that kind.
    pub(super) other: (&'static str, &'static str),
    /// All names, without the prefix.
    pub(super) names: &'static [&'static str],
    /// Those whose absence could open a route.
    pub(super) guards: &'static [&'static str],
}

impl Vocabulary {
    /// Reports annotations under the prefix that nobody reads. One that is nearly a guard is an error: what it
    /// was to keep out must not come in.
    pub(super) fn check(
        &self,
        annotations: &BTreeMap<String, String>,
        problems: &mut Vec<Problem>,
    ) {
        let (other, owner) = self.other;
        for key in annotations.keys() {
            let Some(name) = key.strip_prefix(PREFIX) else { continue };
            let first = name.split_once('.').map_or("", |(first, _)| first);
            if first.eq_ignore_ascii_case(self.root) {
                continue;
            }
            let near = nearest(name, self.names.iter().copied());
            problems.push(match near {
                _ if first.eq_ignore_ascii_case(other) => {
                    let message = format!("has no effect here; it belongs to the {owner}");
                    Problem::warning(key, message)
                }
                None => {
                    let message = format!(
                        "has no effect: Traefik 3 has no such annotation; names begin with `{}.`",
                        self.root
                    );
                    Problem::warning(key, message)
                }
                Some(near) => {
                    let message = format!("unknown annotation; did you mean `{PREFIX}{near}`?");
                    match self.guards.contains(&near) {
                        true => Problem::error(key, message),
                        false => Problem::warning(key, message),
                    }
                }
            });
        }
    }
}

/// A group of annotations that may stand alone: absent when its value is `false`, and what `decode` makes of no
/// fields at all when it is `true` or empty.
pub(super) fn switched<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    decode: impl FnOnce(&Node, &str, &mut Vec<Problem>) -> T,
) -> Option<T> {
    let node = fields.present(name)?;
    match &node.value {
        Value::Scalar { text, .. } if text.eq_ignore_ascii_case("false") => None,
        Value::Scalar { text, .. } if is_on(text) => {
            fields.object(name, |_, path, problems| decode(&Node::empty_map(), path, problems))
        }
        Value::Scalar { text, .. } => {
            // As in Traefik: no other word switches it on.
            let message = format!("`{text}` means no; write `true` or `false`");
            fields.report(name, Problem::warning, message);
            None
        }
        _ => fields.object(name, decode),
    }
}

fn is_on(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("true")
}

/// A part of the names of annotations.
#[derive(Default)]
struct Branch<'a> {
    /// The annotation that ends here, and its value.
    value: Option<(&'a str, &'a str)>,
    /// By the next part in lower case: the part as written, and what follows.
    children: BTreeMap<String, (&'a str, Branch<'a>)>,
}

impl<'a> Branch<'a> {
    fn insert(&mut self, path: &'a str, key: &'a str, value: &'a str, problems: &mut Vec<Problem>) {
        let mut branch = self;
        for part in path.splitn(MAX_DEPTH, '.') {
            let child = branch.children.entry(part.to_ascii_lowercase());
            branch = &mut child.or_insert_with(|| (part, Branch::default())).1;
        }
        if let Some((first, _)) = branch.value {
            let message = format!("stands twice: `{first}` is the same annotation");
            problems.push(Problem::error(key, message));
            return;
        }
        branch.value = Some((key, value));
    }

    fn into_node(self, problems: &mut Vec<Problem>) -> Node {
        match self.value {
            Some((_, value)) if self.children.is_empty() => return Node::text(value),
            Some((key, value)) if !is_on(value) => {
                let names: Vec<_> = self.children.values().map(|(part, _)| *part).collect();
                let names = quoted(&names);
                problems.push(if value.eq_ignore_ascii_case("false") {
                    let message = format!("switches off what is given inside it: {names}");
                    Problem::warning(key, message)
                } else {
                    let message = format!("has both the value `{value}` and fields: {names}");
                    Problem::error(key, message)
                });
                return Node::text(value);
            }
            _ => {}
        }
        let numbered: Option<BTreeMap<usize, &Branch<'_>>> = self
            .children
            .values()
            .map(|(part, branch)| Some((part.parse().ok()?, branch)))
            .collect();
        // A list holds groups of fields; a list of texts is one annotation with commas.
        let is_list = numbered.is_some_and(|items| {
            !items.is_empty()
                && items.len() == self.children.len()
                && items.values().all(|branch| !branch.children.is_empty())
        });
        let value = if is_list {
            let mut items: Vec<_> = self.children.into_values().collect();
            items.sort_by_key(|(part, _)| part.parse::<usize>().unwrap_or_default());
            Value::List(items.into_iter().map(|(_, branch)| branch.into_node(problems)).collect())
        } else {
            let fields = self.children.into_values().map(|(part, branch)| {
                let key = Key { text: part.to_owned(), at: Position::default() };
                (key, branch.into_node(problems))
            });
            Value::Map(fields.collect())
        };
        Node { value, at: Position::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portway_model::Severity;
    use serde_json::json;

    use super::{PREFIX, Vocabulary, tree};

    fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], expected: &serde_json::Value, told: &[&str]) {
        let mut problems = Vec::new();
        let node = tree(&annotations(pairs), "router", &mut problems);
        assert_eq!(node.to_json(), *expected);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), told.len(), "{problems:?}");
        for (problem, told) in problems.iter().zip(told) {
            assert!(problem.contains(told), "{problem}");
        }
    }

    #[test]
    fn no_annotations_make_no_fields() {
        check(&[("service.nativelb", "true")], &json!({}), &[]);
    }

    #[test]
    fn dots_make_groups_and_numbers_make_lists() {
        check(
            &[
                ("router.priority", "5"),
                ("router.tls.domains.10.main", "c"),
                ("router.tls.domains.2.main", "b"),
                ("router.tls.domains.2.sans", "x,y"),
                ("service.nativelb", "true"),
            ],
            &json!({"priority": 5, "tls": {"domains": [{"main": "b", "sans": "x,y"}, {"main": "c"}]}}),
            &[],
        );
    }

    #[test]
    fn texts_by_number_are_no_list() {
        check(&[("router.middlewares.0", "a")], &json!({"middlewares": {"0": "a"}}), &[]);
    }

    #[test]
    fn a_group_may_be_switched_on_and_off_as_a_whole() {
        let with = |value| [("router.tls", value), ("router.tls.options", "o@file")];
        check(&with("TRUE"), &json!({"tls": {"options": "o@file"}}), &[]);
        check(&with("false"), &json!({"tls": false}), &["switches off what is given inside it"]);
        check(&with("o"), &json!({"tls": "o"}), &["has both the value `o` and fields: `options`"]);
    }

    #[test]
    fn one_annotation_in_two_letter_cases_stands_twice() {
        check(
            &[("router.middlewares", "b"), ("router.Middlewares", "a")],
            &json!({"Middlewares": "a"}),
            &["stands twice"],
        );
    }

    #[test]
    fn deep_names_end_in_one_part() {
        let name = format!("router.{}", "a.".repeat(100_000));
        let mut problems = Vec::new();
        let mut node = tree(&annotations(&[(&name, "x")]), "router", &mut problems);
        let mut depth = 0;
        while let portway_model::Value::Map(mut entries) = node.value {
            node = entries.remove(0).1;
            depth += 1;
        }
        assert_eq!(depth, super::MAX_DEPTH);
    }

    #[test]
    fn annotations_that_nobody_reads_are_told_and_nearly_guards_are_errors() {
        let mut problems = Vec::new();
        let annotations = annotations(&[
            ("router.anything", ""),
            ("service.nativelb", "true"),
            ("ruoter.middlewares", "auth@file"),
            ("routre.priority", "5"),
            ("redirect-regex", "x"),
            ("router", "x"),
        ]);
        let vocabulary = Vocabulary {
            root: "router",
            other: ("service", "Service"),
            names: &["router.middlewares", "router.priority"],
            guards: &["router.middlewares"],
        };
        vocabulary.check(&annotations, &mut problems);
        let told: Vec<_> =
            problems.iter().map(|p| (p.severity, p.to_string().replace(PREFIX, "…/"))).collect();
        let warning = |text: &str| (Severity::Warning, text.to_owned());
        let none = "has no effect: Traefik 3 has no such annotation; names begin with `router.`";
        assert_eq!(
            told,
            [
                warning(&format!("…/redirect-regex: {none}")),
                warning(&format!("…/router: {none}")),
                warning("…/routre.priority: unknown annotation; did you mean `…/router.priority`?"),
                (
                    Severity::Error,
                    "…/ruoter.middlewares: unknown annotation; did you mean `…/router.middlewares`?"
                        .to_owned()
                ),
                warning("…/service.nativelb: has no effect here; it belongs to the Service"),
            ]
        );
    }
}
