//! `circuitBreaker`, `errors` and `retry`.

use crate::schema::{
    Schema, boolean, integer, integer_or_text, map, object, optional, period,
    service_reference::service_reference, status_codes, text, texts, wide_integer,
};

pub(super) fn circuit_breaker() -> Schema {
    object(
        "Asks a service that fails no more, until it has recovered.",
        [
            optional("checkPeriod", period("Time between checks; by default 100ms.")),
            optional("expression", text("When it fails, such as `NetworkErrorRatio() > 0.30`.")),
            optional(
                "fallbackDuration",
                integer_or_text("Time for which it is not asked; by default 10s."),
            ),
            optional(
                "recoveryDuration",
                period("Time in which it is asked more and more again; by default 10s."),
            ),
            optional(
                "responseCode",
                integer(100..=599, "The status while it is not asked; by default 503."),
            ),
        ],
    )
}

pub(super) fn errors() -> Schema {
    object(
        "Puts another service's page in the place of an error.",
        [
            optional(
                "errorRequestHeaders",
                texts("Request headers that the other service sees; by default all."),
            ),
            optional(
                "query",
                text(
                    "The path that is asked for, with `{status}`, `{originalStatus}` and `{url}`.",
                ),
            ),
            optional("service", service_reference("The service that has the pages.")),
            optional("status", status_codes("Status codes that are errors, and ranges of them.")),
            optional(
                "statusRewrites",
                map(
                    "Status codes or ranges, and the status that clients get instead.",
                    integer(.., ""),
                ),
            ),
        ],
    )
}

pub(super) fn retry() -> Schema {
    object(
        "Asks again when a server could not be reached.",
        [
            optional("attempts", integer(0.., "How often a request is tried in all.")),
            optional(
                "disableRetryOnNetworkError",
                boolean("Whether a server that cannot be reached is no reason."),
            ),
            optional("initialInterval", period("The first pause; each further one is longer.")),
            optional(
                "maxRequestBodyBytes",
                wide_integer(
                    -1..,
                    "Bytes of a body above which it is not tried again; -1 means no limit.",
                ),
            ),
            optional(
                "retryNonIdempotentMethod",
                boolean("Whether requests that change something are tried again too."),
            ),
            optional("status", status_codes("Status codes that are reasons, and ranges of them.")),
            optional("timeout", period("Time that all attempts may take.")),
        ],
    )
}
