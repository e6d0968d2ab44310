//! `MiddlewareTCP`.

use super::{Schema, object, optional, texts, wide_integer};

pub(super) fn spec() -> Schema {
    let amount = "Connections that one client may have open at once; 0 means any number.";
    object(
        "What happens to connections between their router and their service; name one kind.",
        [
            optional(
                "inFlightConn",
                object(
                    "Limits the connections of one client.",
                    [optional("amount", wide_integer(0.., amount))],
                ),
            ),
            optional("ipAllowList", source_range("Lets in clients of some addresses only.")),
            optional("ipWhiteList", source_range("Deprecated: the old name of `ipAllowList`.")),
        ],
    )
}

fn source_range(description: &'static str) -> Schema {
    let range = "Addresses and networks (CIDR) that are let in.";
    object(description, [optional("sourceRange", texts(range))])
}
