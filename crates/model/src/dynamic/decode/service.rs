//! Services out of a tree.

mod health;
mod redundant;

use self::health::{health_check, heeds_health, passive_health_check};
pub use self::{
    health::{health_check_fields, passive_health_check_fields},
    redundant::{failover_errors_fields, percent},
};
use super::{kinds, sticky};
use crate::{
    Fields, Node, Period, Problem,
    decode::{join, strings},
    dynamic::{
        Failover, HighestRandomWeight, LoadBalancer, Mirroring, ResponseForwarding, Server,
        Service, Strategy, Weighted, WeightedService,
    },
};

/// Reads a service. Traefik: `http.services.<name>`.
///
/// A service of two kinds keeps their settings as JSON and has an error.
pub fn service(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Service {
    const KINDS: [&str; 6] =
        ["loadBalancer", "weighted", "highestRandomWeight", "failover", "mirroring", "middlewares"];
    let mut found = kinds(node, path, &KINDS, problems);
    let beside = found.iter().position(|(kind, _)| *kind == "middlewares");
    let middlewares = match beside.map(|at| found.remove(at)) {
        Some((_, node)) => strings(node, &join(path, "middlewares"), problems),
        None => Vec::new(),
    };
    let (kind, child) = match found.as_slice() {
        [] => return Service::Unreadable,
        [one] => *one,
        several => {
            // Traefik's words, for those who look for them.
            let message = "cannot create service: multi-types service not supported, consider \
                           declaring two different pieces of service instead";
            problems.push(Problem::error(path, message).at(node.at));
            let kinds = several.iter().map(|(kind, node)| ((*kind).to_owned(), node.to_json()));
            return Service::Several(kinds.collect());
        }
    };
    let path = &join(path, kind);
    match kind {
        "loadBalancer" => Service::LoadBalancer(LoadBalancer {
            middlewares,
            ..load_balancer(child, path, problems)
        }),
        "weighted" => {
            Service::Weighted(Weighted { middlewares, ..weighted(child, path, problems) })
        }
        "highestRandomWeight" => Service::HighestRandomWeight(HighestRandomWeight {
            middlewares,
            ..highest_random_weight(child, path, problems)
        }),
        "failover" => Service::Failover(Failover {
            middlewares,
            ..redundant::failover(child, path, problems)
        }),
        _ => Service::Mirroring(Mirroring {
            middlewares,
            ..redundant::mirroring(child, path, problems)
        }),
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
        ("", Strategy::Wrr),
        ("p2c", Strategy::P2c),
        ("hrw", Strategy::Hrw),
        ("leasttime", Strategy::LeastTime),
    ];
    // In Traefik, the one word list whose letter case matters.
    let expected = "one of `wrr`, `p2c`, `hrw`, `leasttime`";
    let exactly = |text: &str| strategies.iter().find(|(word, _)| *word == text);
    fields
        .scalar("strategy", expected, |text| exactly(text).map(|(_, value)| *value))
        .unwrap_or_default()
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
        middlewares: Vec::new(),
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
        middlewares: Vec::new(),
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
