//! `IngressRoute`.

use super::{
    Property, Schema, boolean, first_of, integer, list, object, one_of, optional,
    reference::reference, required, route_tls::route_tls, service_reference::service_reference,
    text, texts,
};

/// The highest priority that a user may give. Traefik says 9223372036854774807, of which the 64-bit float
/// that an API server keeps limits in makes this number.
const HIGHEST_PRIORITY: i64 = 9_223_372_036_854_774_784;

pub(super) fn spec() -> Schema {
    let parents = "IngressRoutes whose routers hand requests on to the routers of this one.";
    object(
        "Routes for HTTP requests, and where they come in.",
        [
            class(),
            entry_points(),
            optional("parentRefs", list(parents, reference("A parent IngressRoute."))),
            required("routes", list("The routes; each becomes a router.", route())),
            optional("tls", route_tls("TLS of all routes; `{}` is TLS with all defaults.", [])),
        ],
    )
}

/// The field `ingressClassName` of every kind of route.
pub(super) fn class() -> Property {
    optional("ingressClassName", text("The class of the routers that serve this object."))
}

/// The field `entryPoints` of every kind of route.
pub(super) fn entry_points() -> Property {
    optional("entryPoints", texts("Entry points to listen on; by default the default ones."))
}

/// The field `priority` of routes that have a rule.
pub(super) fn priority() -> Property {
    let description =
        "Routes of a higher priority are tried first; 0 means the length of the rule.";
    optional("priority", integer(..=HIGHEST_PRIORITY, description))
}

fn route() -> Schema {
    let middlewares = "Middlewares that requests pass, in this order.";
    let services = "Services that take the requests; several share them by weight.";
    object(
        "A rule, and what follows from it.",
        [
            optional("kind", one_of(&["Rule"], "The kind of route; there is only `Rule`.")),
            required("match", text("The rule that a request must match.")),
            optional("middlewares", list(middlewares, reference("A Middleware."))),
            optional("observability", observability()),
            priority(),
            optional("services", list(services, service_reference("A service."))),
            optional("syntax", text("Deprecated: the syntax of the rule, `v3` or `v2`.")),
        ],
    )
}

fn observability() -> Schema {
    object(
        "Which records are made of requests.",
        [
            optional("accessLogs", boolean("Whether requests are written to the access log.")),
            optional("metrics", boolean("Whether requests are counted in the metrics.")),
            optional(
                "traceVerbosity",
                first_of(&["minimal", "detailed"], "How much is traced of a request."),
            ),
            optional("tracing", boolean("Whether requests are traced.")),
        ],
    )
}
