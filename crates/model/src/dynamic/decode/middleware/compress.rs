//! `compress` out of a tree.

use crate::{Fields, Node, Problem, dynamic::Compress};

/// Reads `compress`.
pub(super) fn compress(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Compress {
    let mut fields = Fields::open(node, path, problems);
    let default = Compress::default();
    let compress = Compress {
        excluded_content_types: fields.strings("excludedContentTypes"),
        included_content_types: fields.strings("includedContentTypes"),
        min_response_body_bytes: fields.integer("minResponseBodyBytes").unwrap_or_default(),
        // None at all are the default, as in Traefik.
        encodings: match fields.strings("encodings") {
            none if none.is_empty() => default.encodings,
            some => some,
        },
        default_encoding: fields.string("defaultEncoding"),
    };
    fields.close();
    compress
}
