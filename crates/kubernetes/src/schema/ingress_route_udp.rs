//! `IngressRouteUDP`.

use super::{
    Schema, boolean,
    ingress_route::{class, entry_points},
    integer, integer_or_text, list, object, optional, required, text,
};

pub(super) fn spec() -> Schema {
    let routes = "The routes; each becomes a router.";
    let services = "Services that take the datagrams; several share them by weight.";
    let route = object("Where datagrams go.", [optional("services", list(services, service()))]);
    object(
        "Routes for UDP datagrams, and where they come in.",
        [class(), entry_points(), required("routes", list(routes, route))],
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
                "weight",
                integer(0.., "Its share of the datagrams among several; by default 1."),
            ),
        ],
    )
}
