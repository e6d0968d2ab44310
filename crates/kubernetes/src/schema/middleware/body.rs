//! `buffering`, `compress` and `contentType`.

use crate::schema::{Schema, boolean, integer, object, optional, text, texts, wide_integer};

pub(super) fn buffering() -> Schema {
    object(
        "Reads bodies whole before it passes them on.",
        [
            optional(
                "maxRequestBodyBytes",
                wide_integer(.., "Bytes of a request's body, at most; 0 means no limit."),
            ),
            optional(
                "maxResponseBodyBytes",
                wide_integer(.., "Bytes of a response's body, at most; 0 means no limit."),
            ),
            optional(
                "memRequestBodyBytes",
                wide_integer(.., "Bytes of a request's body above which it is kept on disk."),
            ),
            optional(
                "memResponseBodyBytes",
                wide_integer(.., "Bytes of a response's body above which it is kept on disk."),
            ),
            optional("retryExpression", text("When to try again, such as `IsNetworkError()`.")),
        ],
    )
}

pub(super) fn compress() -> Schema {
    object(
        "Compresses responses.",
        [
            optional(
                "defaultEncoding",
                text("The encoding for clients that do not say which they take."),
            ),
            optional("encodings", texts("Encodings that are offered, the best first.")),
            optional("excludedContentTypes", texts("Media types that are not compressed.")),
            optional("includedContentTypes", texts("The only media types that are compressed.")),
            optional(
                "minResponseBodyBytes",
                integer(0.., "Bytes below which nothing is compressed; by default 1024."),
            ),
        ],
    )
}

pub(super) fn content_type() -> Schema {
    object(
        "Tells the media type of responses that do not say theirs.",
        [optional("autoDetect", boolean("Deprecated: has no effect."))],
    )
}
