//! `IngressRouteTCP`.

use super::{
    Schema, boolean,
    ingress_route::{class, entry_points, priority},
    integer, integer_or_text, list, object, one_of, optional,
    reference::reference,
    required,
    route_tls::route_tls,
    servers_transport_tcp::proxy_protocol,
    text,
};

pub(super) fn spec() -> Schema {
    let passthrough = optional(
        "passthrough",
        boolean("Whether connections are passed on with their TLS, without ending it here."),
    );
    object(
        "Routes for TCP connections, and where they come in.",
        [
            class(),
            entry_points(),
            required("routes", list("The routes; each becomes a router.", route())),
            optional("tls", route_tls("TLS of all routes.", [passthrough])),
        ],
    )
}

fn route() -> Schema {
    let middlewares = "Middlewares that connections pass, in this order.";
    let services = "Services that take the connections; several share them by weight.";
    object(
        "A rule, and what follows from it.",
        [
            required("match", text("The rule that a connection must match.")),
            optional("middlewares", list(middlewares, reference("A MiddlewareTCP."))),
            priority(),
            optional("services", list(services, service())),
            optional("syntax", one_of(&["v3", "v2"], "Deprecated: the syntax of the rule.")),
        ],
    )
}

fn service() -> Schema {
    object(
        "A Service, with how to use it.",
        [
            required("name", text("The name of the Service.")),
            optional("namespace", text("Its namespace; by default that of this object.")),
            optional(
                "nativeLB",
                boolean("Whether to use the Service's own address, not its endpoints."),
            ),
            optional(
                "nodePortLB",
                boolean("Whether to use the nodes' addresses and the node port."),
            ),
            required("port", integer_or_text("The Service's port, by number or by name.")),
            optional(
                "proxyProtocol",
                proxy_protocol("Deprecated: the PROXY protocol; say it in a ServersTransportTCP."),
            ),
            optional(
                "serversTransport",
                text("The ServersTransportTCP that says how to reach servers."),
            ),
            optional(
                "terminationDelay",
                integer(.., "Deprecated: milliseconds; say it in a ServersTransportTCP."),
            ),
            optional("tls", boolean("Whether servers are reached over TLS.")),
            optional(
                "weight",
                integer(0.., "Its share of the connections among several; by default 1."),
            ),
        ],
    )
}
