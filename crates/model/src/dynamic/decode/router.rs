//! Routers out of a tree.

use crate::{
    Fields, Node, Problem, Value,
    dynamic::{Domain, Observability, Router, RouterTimeouts, RouterTls, TraceVerbosity},
};

/// Reads a router. Traefik: `http.routers.<name>`.
pub fn router(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Router {
    let mut fields = Fields::open(node, path, problems);
    if fields.present("tls").is_some_and(|tls| tls.value == Value::Null) {
        let message = "has no value and so means no TLS, as in Traefik; write `tls: {}` for TLS";
        fields.report("tls", Problem::warning, message);
    }
    let router = Router {
        entry_points: fields.strings("entryPoints"),
        middlewares: fields.strings("middlewares"),
        service: fields.string("service"),
        rule: fields.string("rule"),
        parent_refs: fields.strings("parentRefs"),
        rule_syntax: fields.string("ruleSyntax"),
        priority: fields.integer("priority").unwrap_or_default(),
        tls: fields.section("tls", router_tls).map(Box::new),
        observability: fields.section("observability", observability),
        timeouts: fields.section("timeouts", router_timeouts).map(Box::new),
    };
    fields.close();
    router
}

/// Reads how long requests may take. Portway's own: `timeouts`.
pub fn router_timeouts(node: &Node, path: &str, problems: &mut Vec<Problem>) -> RouterTimeouts {
    let mut fields = Fields::open(node, path, problems);
    let mut limit = |name| {
        let period = fields.period(name)?;
        if period.positive().is_none() {
            let message = "must be above zero; without it there is no limit";
            fields.report(name, Problem::error, message);
        }
        Some(period)
    };
    let timeouts = RouterTimeouts {
        total: limit("total"),
        first_byte: limit("firstByte"),
        idle: limit("idle"),
    };
    fields.close();
    timeouts
}

/// Reads the TLS of a router or an entry point. Traefik: `tls`.
pub fn router_tls(node: &Node, path: &str, problems: &mut Vec<Problem>) -> RouterTls {
    let mut fields = Fields::open(node, path, problems);
    let tls = RouterTls {
        options: fields.string("options"),
        cert_resolver: fields.string("certResolver"),
        domains: fields.list("domains", domain),
    };
    fields.close();
    tls
}

/// Reads a domain. Traefik: `tls.domains[]`.
pub fn domain(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Domain {
    let mut fields = Fields::open(node, path, problems);
    let domain = Domain { main: fields.string("main"), sans: fields.strings("sans") };
    fields.close();
    domain
}

/// Reads which records are made. Traefik: `observability`.
pub fn observability(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Observability {
    let mut fields = Fields::open(node, path, problems);
    let observability = Observability {
        access_logs: fields.boolean("accessLogs"),
        metrics: fields.boolean("metrics"),
        tracing: fields.boolean("tracing"),
        trace_verbosity: fields.choice("traceVerbosity", &TraceVerbosity::NAMES),
        metadata: None,
    };
    fields.close();
    observability
}
