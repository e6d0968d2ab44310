//! A reference to an object by name and namespace.

use super::{Schema, object, optional, required, text};

/// A reference to an object of the kind that `description` says.
pub(super) fn reference(description: &'static str) -> Schema {
    object(
        description,
        [
            required(
                "name",
                text("The object's name, or `name@provider` for one of another provider."),
            ),
            optional(
                "namespace",
                text("The object's namespace; by default that of the object that refers to it."),
            ),
        ],
    )
}
