//! Portway's own annotations, on IngressRoutes and Ingresses alike.

use std::collections::BTreeMap;

use portway_model::{
    Node, Position, Problem, Value, dynamic::RouterTimeouts, dynamic::decode, nearest, node::Key,
};

/// What all of them begin with.
pub(crate) const PREFIX: &str = "portway.io/";

/// Their names behind the prefix, and the fields of a router's `timeouts` that they are.
const TIMEOUTS: [(&str, &str); 3] =
    [("timeout-total", "total"), ("timeout-first-byte", "firstByte"), ("timeout-idle", "idle")];

/// How long requests of the object's routers may take. What cannot be read is an error; what nobody reads is told.
pub(super) fn timeouts(
    annotations: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<Box<RouterTimeouts>> {
    let mut found = Vec::new();
    for (key, value) in annotations {
        let Some(name) = key.strip_prefix(PREFIX) else { continue };
        match TIMEOUTS.iter().find(|(known, _)| *known == name) {
            Some((known, field)) => found.push((*known, *field, value)),
            None => {
                let near = nearest(name, TIMEOUTS.map(|(known, _)| known));
                let hint = near.map(|near| format!("; did you mean `{PREFIX}{near}`?"));
                let message = format!("unknown annotation{}", hint.unwrap_or_default());
                problems.push(Problem::warning(key.as_str(), message));
            }
        }
    }
    if found.is_empty() {
        return None;
    }
    let fields = found.iter().map(|(_, field, value)| {
        let key = Key { text: (*field).to_owned(), at: Position::default() };
        (key, Node::text(value.as_str()))
    });
    let fields = fields.collect();
    let node = Node { value: Value::Map(fields), at: Position::default() };
    let mut read = Vec::new();
    let timeouts = decode::router_timeouts(&node, "", &mut read);
    problems.extend(read.into_iter().map(|problem| {
        let known = TIMEOUTS.iter().find(|(_, field)| *field == problem.field);
        let field = known.map_or(problem.field.clone(), |(known, _)| format!("{PREFIX}{known}"));
        Problem { field, ..problem }
    }));
    Some(Box::new(timeouts))
}

#[cfg(test)]
mod tests {
    use portway_model::Period;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Option<RouterTimeouts>, Vec<String>) {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut problems = Vec::new();
        let timeouts = timeouts(&pairs.iter().map(pair).collect(), &mut problems);
        (timeouts.map(|timeouts| *timeouts), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn timeouts_are_read() {
        let (timeouts, problems) = read(&[
            ("portway.io/timeout-total", "1m"),
            ("portway.io/timeout-idle", "5"),
            ("traefik.ingress.kubernetes.io/router.priority", "1"),
        ]);
        let (total, idle) = (Some(Period::seconds(60)), Some(Period::seconds(5)));
        assert_eq!(timeouts, Some(RouterTimeouts { total, idle, first_byte: None }));
        assert_eq!(problems, [""; 0]);
        assert_eq!(read(&[]), (None, Vec::new()));
    }

    #[test]
    fn what_cannot_be_read_names_its_annotation() {
        let (timeouts, problems) = read(&[
            ("portway.io/timeout-idle", "soon"),
            ("portway.io/timeout-first-byte", "0s"),
            ("portway.io/timeout-totl", "1s"),
        ]);
        assert!(timeouts.is_some());
        assert_eq!(
            problems,
            [
                "portway.io/timeout-totl: unknown annotation; did you mean `portway.io/timeout-total`?",
                "portway.io/timeout-first-byte: must be above zero; without it there is no limit",
                "portway.io/timeout-idle: expected a duration such as `30s`, `250ms` or a number of seconds, found `soon`",
            ]
        );
    }
}
