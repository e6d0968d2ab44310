//! `TraefikService`.

use super::{
    Schema, boolean, integer, list, object, optional, required,
    service_reference::{properties, service_reference, sticky},
    texts, wide_integer,
};

pub(super) fn spec() -> Schema {
    object(
        "A service that is made of others; name one kind.",
        [
            optional("failover", failover()),
            optional("highestRandomWeight", highest_random_weight()),
            optional("mirroring", mirroring()),
            optional("weighted", weighted()),
        ],
    )
}

fn weighted() -> Schema {
    object(
        "Services that share the requests by weight.",
        [
            optional("services", list("The services.", service_reference("A service."))),
            optional("sticky", sticky()),
        ],
    )
}

fn highest_random_weight() -> Schema {
    object(
        "Services among which a client's address decides.",
        [optional("services", list("The services.", service_reference("A service.")))],
    )
}

fn mirroring() -> Schema {
    let percent = optional("percent", integer(.., "Its share of the requests, in percent."));
    let mirror = object("A service and its share.", properties().into_iter().chain([percent]));
    let own = [
        optional(
            "maxBodySize",
            wide_integer(.., "Bytes of a body above which nothing is mirrored; -1 means no limit."),
        ),
        optional("mirrorBody", boolean("Whether bodies are mirrored too; by default yes.")),
        optional("mirrors", list("Services that get copies of requests.", mirror)),
    ];
    let description = "A service that answers, and others that get copies of its requests.";
    object(description, properties().into_iter().chain(own))
}

fn failover() -> Schema {
    let errors = object(
        "Answers of the service for which the fallback is asked.",
        [
            optional(
                "maxRequestBodyBytes",
                wide_integer(.., "Bytes of a request's body that are kept; -1 means no limit."),
            ),
            optional("status", texts("Status codes and ranges of them.")),
        ],
    );
    object(
        "A service, and another for when it is down.",
        [
            required("errors", errors),
            required("fallback", service_reference("The service for when the other is down.")),
            required("service", service_reference("The service that is asked first.")),
        ],
    )
}
