//! `inFlightReq`, `ipAllowList`, `ipWhiteList` and `rateLimit`.

use super::auth::client_tls;
use crate::schema::{
    Schema, boolean, integer, integer_or_text, object, optional, period, text, texts, wide_integer,
};

pub(super) fn in_flight_req() -> Schema {
    object(
        "Limits the requests of one source that are served at once.",
        [
            optional("amount", wide_integer(0.., "Requests at once; 0 means any number.")),
            optional("sourceCriterion", source_criterion()),
        ],
    )
}

pub(super) fn ip_allow_list() -> Schema {
    object(
        "Lets in clients of some addresses only.",
        [
            optional("ipStrategy", ip_strategy()),
            optional("rejectStatusCode", integer(.., "The status for others; by default 403.")),
            optional("sourceRange", texts("Addresses and networks (CIDR) that are let in.")),
        ],
    )
}

pub(super) fn ip_white_list() -> Schema {
    object(
        "Deprecated: the old name of `ipAllowList`.",
        [
            optional("ipStrategy", ip_strategy()),
            optional("sourceRange", texts("Addresses and networks (CIDR) that are let in.")),
        ],
    )
}

pub(super) fn rate_limit() -> Schema {
    object(
        "Limits the requests of one source in a time.",
        [
            optional("average", wide_integer(0.., "Requests in a period; 0 means any number.")),
            optional("burst", wide_integer(0.., "Requests at once, at most; by default 1.")),
            optional(
                "period",
                integer_or_text("The time that `average` counts for; by default 1s."),
            ),
            optional("redis", redis()),
            optional("sourceCriterion", source_criterion()),
        ],
    )
}

fn redis() -> Schema {
    object(
        "The Redis that several instances count in.",
        [
            optional("db", integer(.., "The number of the database.")),
            optional("dialTimeout", period("Time to wait for a connection; by default 5s.")),
            optional(
                "endpoints",
                texts("Its addresses, `host:port`; by default `localhost:6379`."),
            ),
            optional("maxActiveConns", integer(.., "Connections, at most; 0 means any number.")),
            optional("minIdleConns", integer(.., "Idle connections that are kept, at least.")),
            optional(
                "poolSize",
                integer(.., "Connections to begin with; 0 means ten for each core."),
            ),
            optional("readTimeout", period("Time to wait for an answer; by default 3s.")),
            optional("secret", text("The Secret with `username` and `password`.")),
            optional("tls", object("TLS towards Redis.", client_tls())),
            optional(
                "writeTimeout",
                period("Time to wait until a command is sent; by default 3s."),
            ),
        ],
    )
}

fn source_criterion() -> Schema {
    object(
        "What makes requests those of one source; name one.",
        [
            optional("ipStrategy", ip_strategy()),
            optional("requestHeaderName", text("The header whose value is the source.")),
            optional("requestHost", boolean("Whether the request's host is the source.")),
        ],
    )
}

pub(super) fn ip_strategy() -> Schema {
    object(
        "How a client's address is found; by default it is the connection's.",
        [
            optional(
                "depth",
                integer(0.., "The place in X-Forwarded-For, counted from the right, from 1."),
            ),
            optional("excludedIPs", texts("Addresses in X-Forwarded-For that are passed over.")),
            optional("ipv6Subnet", integer(.., "Bits of an IPv6 address that count.")),
        ],
    )
}
