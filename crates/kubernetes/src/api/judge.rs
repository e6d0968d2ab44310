//! What an API server would say of an object, added to what its reader has found.

use std::collections::HashSet;

use portway_model::{Node, Problem};

use super::Object;
use crate::schema;

/// Adds what the schema forbids, unless the reader has said of the same field what is wrong with it: its
/// words are nearer to what the field means.
///
/// A problem inside a part (a route, a reference to a service) is kept with that part and costs no other.
pub(super) fn judge(object: &mut Object, node: &Node) {
    let found = schema::check(object.key.kind, node);
    if found.is_empty() {
        return;
    }
    let told: HashSet<_> =
        object.all_problems().map(|problem| (problem.is_error(), problem.field.clone())).collect();
    for problem in found.into_iter().filter(|problem| !is_told(&told, problem)) {
        object.problems_with(&problem.field).push(problem);
    }
}

/// Whether as bad a problem with the field is known already.
fn is_told(told: &HashSet<(bool, String)>, problem: &Problem) -> bool {
    let as_bad = if problem.is_error() { [true].as_slice() } else { &[true, false] };
    as_bad.iter().any(|is_error| told.contains(&(*is_error, problem.field.clone())))
}
