//! `addPrefix`, `replacePath`, `replacePathRegex`, `stripPrefix` and `stripPrefixRegex`.

use portway_model::Node;

use crate::schema::{Rule, Schema, boolean, object, optional, text, texts};

pub(super) fn add_prefix() -> Schema {
    let prefix = text("The prefix, with its leading slash.").with(Rule {
        cel: "self.startsWith('/')",
        message: "must start with a '/'",
        broken: |node: &Node| {
            let prefix = node.as_text().filter(|prefix| !prefix.starts_with('/'))?;
            Some(format!("must start with a `/`; did you mean `/{prefix}`?"))
        },
    });
    object("Adds a prefix to the path.", [optional("prefix", prefix)])
}

pub(super) fn replace_path() -> Schema {
    object("Replaces the path.", [optional("path", text("The new path."))])
}

pub(super) fn replace_path_regex() -> Schema {
    object(
        "Replaces the path by a regular expression.",
        [
            optional("regex", text("The expression, over the path.")),
            optional("replacement", text("The new path, with `$1` for what groups have matched.")),
        ],
    )
}

pub(super) fn strip_prefix() -> Schema {
    object(
        "Removes a prefix from the path.",
        [
            optional("forceSlash", boolean("Deprecated: whether an emptied path becomes `/`.")),
            optional("prefixes", texts("The first of these that the path begins with is removed.")),
        ],
    )
}

pub(super) fn strip_prefix_regex() -> Schema {
    let expressions = "Expressions; what the first that matches has matched is removed.";
    object(
        "Removes a prefix from the path by a regular expression.",
        [optional("regex", texts(expressions))],
    )
}
