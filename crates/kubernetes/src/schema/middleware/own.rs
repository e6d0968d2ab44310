//! `bodyLimit`, `ipDenyList` and `maintenance`, which are Portway's own.

use super::limits::ip_strategy;
use crate::schema::{
    Schema, integer, integer_or_text, map, object, optional, text, texts, wide_integer,
};

pub(super) fn body_limit() -> Schema {
    let most = wide_integer(1.., "Bytes of a request's body, at most.");
    object(
        "Portway's own: limits the bodies of requests while they pass.",
        [optional("maxRequestBodyBytes", most)],
    )
}

pub(super) fn ip_deny_list() -> Schema {
    object(
        "Portway's own: keeps out clients of some addresses.",
        [
            optional("ipStrategy", ip_strategy()),
            optional("rejectStatusCode", integer(.., "The status for them; by default 403.")),
            optional("sourceRange", texts("Addresses and networks (CIDR) that are kept out.")),
        ],
    )
}

pub(super) fn maintenance() -> Schema {
    object(
        "Portway's own: answers every request in the same way.",
        [
            optional("body", text("The body; by default the text of the status.")),
            optional("contentType", text("The type of the body; by default plain text.")),
            optional("headers", map("Further fields.", text("A value."))),
            optional("ipStrategy", ip_strategy()),
            optional("retryAfter", integer_or_text("When to ask again, told in whole seconds.")),
            optional("sourceRange", texts("Addresses and networks (CIDR) whose requests pass.")),
            optional("status", integer(200..=599, "The status; by default 503.")),
        ],
    )
}
