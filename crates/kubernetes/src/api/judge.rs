//! What an API server would say of an object, joined with what its reader has found.

use std::collections::HashSet;

use portway_model::Node;

use super::Object;
use crate::schema;

/// Adds what the schema says of an object: in the place of what its reader says of fields that would be
/// refused, as that follows from it, and beside what it says of others.
///
/// A problem inside a part (a route, a reference to a service) is kept with that part and costs no other.
pub(super) fn judge(object: &mut Object, node: &Node) {
    let found = schema::check(object.key.kind, node);
    if found.is_empty() {
        return;
    }
    let errors = found.iter().filter(|problem| problem.is_error());
    let refused: HashSet<_> = errors.map(|problem| problem.field.as_str()).collect();
    for problems in object.problem_lists() {
        problems.retain(|told| !(told.is_error() && refused.contains(told.field.as_str())));
    }
    let told: HashSet<_> = object.all_problems().map(|problem| problem.field.clone()).collect();
    for problem in found {
        if problem.is_error() || !told.contains(&problem.field) {
            object.problems_with(&problem.field).push(problem);
        }
    }
}
