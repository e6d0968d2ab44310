//! `redirectRegex` and `redirectScheme`.

use crate::schema::{Schema, boolean, object, optional, text};

const PERMANENT: &str = "Whether the redirect is permanent (301, 308) instead of 302, 307.";

pub(super) fn redirect_regex() -> Schema {
    object(
        "Redirects by a regular expression over the URL.",
        [
            optional("permanent", boolean(PERMANENT)),
            optional("regex", text("The expression, over `scheme://host/path?query`.")),
            optional("replacement", text("The new URL, with `${1}` for what groups have matched.")),
        ],
    )
}

pub(super) fn redirect_scheme() -> Schema {
    object(
        "Redirects to another scheme or port.",
        [
            optional("permanent", boolean(PERMANENT)),
            optional("port", text("The new port; by default the scheme's.")),
            optional("scheme", text("The new scheme.")),
        ],
    )
}
