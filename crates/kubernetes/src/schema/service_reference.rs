//! A reference to a Service or a TraefikService, with how to use it.

use super::{
    Property, Schema, boolean, integer, integer_or_text, list, map, object, one_of, optional,
    reference::reference, required, text,
};

/// A reference to a service.
pub(super) fn service_reference(description: &'static str) -> Schema {
    object(description, properties())
}

/// The fields of a reference, for objects that have them among others.
pub(super) fn properties() -> [Property; 16] {
    let middlewares = "Middlewares that requests to this service pass, in this order.";
    let strategies = &["wrr", "p2c", "hrw", "leasttime", "RoundRobin"];
    [
        optional("healthCheck", health_check()),
        optional("kind", one_of(&["Service", "TraefikService"], "The kind; by default `Service`.")),
        optional("middlewares", list(middlewares, reference("A Middleware."))),
        required("name", text("The name of the Service or TraefikService.")),
        optional(
            "namespace",
            text("Its namespace; by default that of the object that refers to it."),
        ),
        optional(
            "nativeLB",
            boolean("Whether to use the Service's own address, not its endpoints."),
        ),
        optional("nodePortLB", boolean("Whether to use the nodes' addresses and the node port.")),
        optional(
            "passHostHeader",
            boolean("Whether servers see the client's Host; by default yes."),
        ),
        optional("passiveHealthCheck", passive_health_check()),
        optional("port", integer_or_text("The Service's port, by number or by name.")),
        optional("responseForwarding", response_forwarding()),
        optional("scheme", text("`http`, `https` or `h2c`; by default told by the port.")),
        optional("serversTransport", text("The ServersTransport that says how to reach servers.")),
        optional("sticky", sticky()),
        optional("strategy", one_of(strategies, "How a server is chosen; by default `wrr`.")),
        optional("weight", integer(0.., "Its share of the requests among several; by default 1.")),
    ]
}

/// Stickiness of clients to servers or services.
pub(super) fn sticky() -> Schema {
    let same_site = &["none", "lax", "strict", "None", "Lax", "Strict"];
    let cookie = object(
        "The cookie that remembers the choice.",
        [
            optional("domain", text("The cookie's domain.")),
            optional("httpOnly", boolean("Whether scripts cannot read the cookie.")),
            optional("maxAge", integer(.., "Seconds that the cookie lives; 0 means the session.")),
            optional("name", text("The cookie's name; by default made from the service's.")),
            optional("path", text("The cookie's path; by default `/`.")),
            optional("sameSite", one_of(same_site, "The cookie's SameSite.")),
            optional("secure", boolean("Whether the cookie is sent over TLS only.")),
        ],
    );
    object("How a client stays with its server.", [optional("cookie", cookie)])
}

fn health_check() -> Schema {
    let headers = "Headers of the probe.";
    object(
        "Active health checks, for Services of the type ExternalName.",
        [
            optional("followRedirects", boolean("Whether redirects are followed; by default yes.")),
            optional("headers", map(headers, text(""))),
            optional("hostname", text("The Host of the probe.")),
            optional("interval", integer_or_text("Time between probes; by default 30s.")),
            optional("method", text("The method of the probe; by default GET.")),
            optional("mode", text("`http` or `grpc`; by default `http`.")),
            optional("path", text("The path of the probe.")),
            optional("port", integer(.., "The port of the probe; by default the server's.")),
            optional("scheme", text("The scheme of the probe; by default the server's.")),
            optional(
                "status",
                integer(.., "The status that is expected; by default any 2xx or 3xx."),
            ),
            optional("timeout", integer_or_text("Time that a probe may take; by default 5s.")),
            optional(
                "unhealthyInterval",
                integer_or_text(
                    "Time between probes of a server that is down; by default `interval`.",
                ),
            ),
        ],
    )
}

fn passive_health_check() -> Schema {
    object(
        "Health told by the requests that fail, for Services of the type ExternalName.",
        [
            optional(
                "failureWindow",
                integer_or_text("Time in which failures count, and for which a server is out."),
            ),
            optional("maxFailedAttempts", integer(.., "Failures in a row that take a server out.")),
        ],
    )
}

fn response_forwarding() -> Schema {
    let interval = "How long response bytes may wait; negative means not at all, by default 100ms.";
    object("How responses are passed on.", [optional("flushInterval", text(interval))])
}
