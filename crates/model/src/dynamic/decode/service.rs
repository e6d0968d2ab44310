//! Services out of a tree.

mod health;

use std::collections::BTreeMap;

use self::health::{health_check, heeds_health, passive_health_check};
pub use self::health::{health_check_fields, passive_health_check_fields};
use super::{kinds, sticky};
use crate::{
    Fields, Node, Period, Problem,
    decode::join,
    dynamic::{
        HighestRandomWeight, LoadBalancer, ResponseForwarding, Server, Service, Strategy,
        UNSERVED_SERVICES, Weighted, WeightedService,
    },
};

/// Reads a service. Traefik: `http.services.<name>`.
///
/// A kind that is not served yet keeps its settings as JSON and has an error, as has a service of two kinds.
pub fn service(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Service {
    let known: Vec<&'static str> = ["loadBalancer", "weighted", "highestRandomWeight"]
        .into_iter()
        .chain(UNSERVED_SERVICES.iter().copied())
        .collect();
    let with_middlewares: Vec<&'static str> =
        known.iter().copied().chain(["middlewares"]).collect();
    let mut found = kinds(node, path, &with_middlewares, problems);
    if let Some(at) = found.iter().position(|(kind, _)| *kind == "middlewares") {
        let (_, node) = found.remove(at);
        // They may guard the service, so it must not be reached without them.
        let message = "middlewares of a service are not served by this version of Portway yet";
        problems.push(Problem::error(join(path, "middlewares"), message).at(node.at));
    }
    let (kind, child) = match found.as_slice() {
        [] => return Service::Unreadable,
        [one] => *one,
        several => {
            // Traefik's words, for those who look for them.
            let message = "cannot create service: multi-types service not supported, consider \
                           declaring two different pieces of service instead";
            problems.push(Problem::error(path, message).at(node.at));
            let kinds = several.iter().map(|(kind, node)| ((*kind).to_owned(), node.to_json()));
            return Service::Unserved(kinds.collect());
        }
    };
    let path = &join(path, kind);
    match kind {
        "loadBalancer" => Service::LoadBalancer(load_balancer(child, path, problems)),
        "weighted" => Service::Weighted(weighted(child, path, problems)),
        "highestRandomWeight" => {
            Service::HighestRandomWeight(highest_random_weight(child, path, problems))
        }
        kind => {
            let message =
                format!("service kind `{kind}` is not served by this version of Portway yet");
            problems.push(Problem::error(path, message).at(child.at));
            Service::Unserved(BTreeMap::from([(kind.to_owned(), child.to_json())]))
        }
    }
}

/// Reads `loadBalancer`.
pub fn load_balancer(node: &Node, path: &str, problems: &mut Vec<Problem>) -> LoadBalancer {
    let mut fields = Fields::open(node, path, problems);
    let load_balancer = LoadBalancer {
        sticky: fields.object("sticky", sticky),
        servers: fields.list("servers", server),
        strategy: strategy(&mut fields),
        health_check: fields.section("healthCheck", health_check).map(Box::new),
        passive_health_check: fields.section("passiveHealthCheck", passive_health_check),
        pass_host_header: fields.boolean("passHostHeader").unwrap_or(true),
        response_forwarding: ResponseForwarding {
            flush_interval: fields
                .section("responseForwarding", flush_interval)
                .unwrap_or_else(|| ResponseForwarding::default().flush_interval),
        },
        servers_transport: fields.string("serversTransport"),
        middlewares: Vec::new(),
        origin: None,
    };
    if load_balancer.sticky.as_ref().is_some_and(|sticky| sticky.cookie.is_some())
        && load_balancer.strategy == Strategy::Hrw
    {
        // As in Traefik.
        let message = "has no effect with strategy `hrw`, which keeps each client with a server by \
                       its address";
        fields.report("sticky", Problem::warning, message);
    }
    fields.close();
    load_balancer
}

/// Reads the field `strategy` of what is open.
pub fn strategy(fields: &mut Fields<'_>) -> Strategy {
    let strategies = [
        ("wrr", Strategy::Wrr),
        ("p2c", Strategy::P2c),
        ("hrw", Strategy::Hrw),
        ("leasttime", Strategy::LeastTime),
    ];
    fields.choice("strategy", &strategies).unwrap_or_default()
}

/// Reads `responseForwarding`.
pub fn flush_interval(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Period {
    let mut fields = Fields::open(node, path, problems);
    let interval = fields.period("flushInterval");
    fields.close();
    interval.unwrap_or_else(|| ResponseForwarding::default().flush_interval)
}

/// Reads a server. Traefik: `loadBalancer.servers[]`.
pub fn server(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Server {
    let mut fields = Fields::open(node, path, problems);
    for name in ["scheme", "port"] {
        // Traefik takes them in a file and uses them for labels of containers only.
        if fields.node(name).is_some() {
            fields.report(name, Problem::warning, "has no effect; write it in `url`");
        }
    }
    if fields.node("fenced").is_some() {
        // It is told of Kubernetes endpoints that terminate, and Traefik does not read it from files.
        fields.report("fenced", Problem::warning, "has no effect in a file");
    }
    let server = Server {
        url: fields.string("url"),
        weight: share(&mut fields),
        preserve_path: fields.boolean("preservePath").unwrap_or_default(),
        fenced: false,
    };
    fields.close();
    server
}

/// Reads `weighted`.
pub fn weighted(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Weighted {
    let mut fields = Fields::open(node, path, problems);
    let weighted = Weighted {
        services: fields.list("services", weighted_service),
        sticky: fields.object("sticky", sticky),
        health_check: fields.section("healthCheck", heeds_health),
    };
    if weighted.sticky.as_ref().is_some_and(|sticky| sticky.cookie.is_none()) {
        // Traefik drops the whole file for it.
        fields.report("sticky", Problem::warning, "has no effect without `cookie`");
    }
    fields.close();
    weighted
}

/// Reads `highestRandomWeight`.
pub fn highest_random_weight(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> HighestRandomWeight {
    let mut fields = Fields::open(node, path, problems);
    let hrw = HighestRandomWeight {
        services: fields.list("services", weighted_service),
        health_check: fields.section("healthCheck", heeds_health),
    };
    fields.close();
    hrw
}

/// Reads a service and its share. Traefik: `weighted.services[]`.
pub fn weighted_service(node: &Node, path: &str, problems: &mut Vec<Problem>) -> WeightedService {
    let mut fields = Fields::open(node, path, problems);
    let service = WeightedService { name: fields.string("name"), weight: share(&mut fields) };
    for name in ["headers", "status", "grpcStatus"] {
        fields.unserved(name);
    }
    fields.close();
    service
}

fn share(fields: &mut Fields<'_>) -> Option<i64> {
    fields.scalar("weight", "a whole number from 0", |text| {
        text.parse().ok().filter(|weight: &i64| *weight >= 0)
    })
}
