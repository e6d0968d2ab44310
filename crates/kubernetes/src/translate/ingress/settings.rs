//! What annotations say of an Ingress's routers and of a Service's servers.

use std::collections::BTreeMap;

use portway_model::{
    Cause, Fields, Problem, Severity,
    dynamic::{Observability, RouterTimeouts, RouterTls, Sticky, TraceVerbosity, decode},
    nearest,
};

use super::annotations::{PREFIX, Vocabulary, switched, tree};
use crate::translate::own;

/// What annotations say of an Ingress's routers. Traefik: `traefik.ingress.kubernetes.io/router.*`.
#[derive(Debug, Default)]
pub(super) struct RouterSettings {
    /// Names of entry points; empty means the default ones.
    pub(super) entry_points: Vec<String>,
    /// Names of middlewares, of which each names its provider.
    pub(super) middlewares: Vec<String>,
    /// Higher goes first; 0 means the rule's length.
    pub(super) priority: i64,
    /// The rule's syntax; empty means the default one.
    pub(super) rule_syntax: String,
    /// The matcher of paths of type `ImplementationSpecific`.
    pub(super) path_matcher: Option<&'static str>,
    /// What is wrong with that matcher; of no account to other paths.
    pub(super) path_matcher_problem: Option<Problem>,
    /// TLS of the routers.
    pub(super) tls: Option<RouterTls>,
    /// Which records are made.
    pub(super) observability: Option<Observability>,
    /// How long requests may take.
    pub(super) timeouts: Option<Box<RouterTimeouts>>,
    /// What is wrong with the annotations.
    pub(super) problems: Vec<Problem>,
}

impl RouterSettings {
    pub(super) fn read(annotations: &BTreeMap<String, String>) -> Self {
        let mut problems = Vec::new();
        ROUTER.check(annotations, &mut problems);
        let node = tree(annotations, ROUTER.root, &mut problems);
        let path = format!("{PREFIX}router");
        let mut fields = Fields::open(&node, &path, &mut problems);
        let (path_matcher, path_matcher_problem) = path_matcher(&mut fields);
        let mut settings = Self {
            entry_points: fields.strings("entryPoints"),
            middlewares: fields.strings("middlewares"),
            priority: fields.integer("priority").unwrap_or_default(),
            rule_syntax: rule_syntax(&mut fields),
            path_matcher,
            path_matcher_problem,
            tls: switched(&mut fields, "tls", decode::router_tls),
            observability: switched(&mut fields, "observability", |node, path, problems| {
                let mut found = Vec::new();
                let observability = decode::observability(node, path, &mut found);
                problems.extend(found.into_iter().map(|problem| match problem.field.as_str() {
                    // It guards nothing; Traefik takes any text.
                    field if field.ends_with(".traceVerbosity") => {
                        Problem { severity: Severity::Warning, ..problem }
                    }
                    _ => problem,
                }));
                let trace_verbosity =
                    observability.trace_verbosity.or(Some(TraceVerbosity::Minimal));
                Observability { trace_verbosity, ..observability }
            }),
            timeouts: None,
            problems: Vec::new(),
        };
        fields.close();
        settings.timeouts = own::timeouts(annotations, &mut problems);
        settings.problems = problems;
        settings
    }
}

fn rule_syntax(fields: &mut Fields<'_>) -> String {
    let syntax = fields.string("ruleSyntax");
    if !["", "v2", "v3"].contains(&syntax.as_str()) {
        let message = format!("`{syntax}` means `v3`, as in Traefik; use `v2` or `v3`");
        fields.report("ruleSyntax", Problem::warning, message);
    }
    syntax
}

fn path_matcher(fields: &mut Fields<'_>) -> (Option<&'static str>, Option<Problem>) {
    const MATCHERS: [&str; 3] = ["Path", "PathPrefix", "PathRegexp"];
    let written = fields.string("pathMatcher");
    if written.is_empty() {
        return (None, None);
    }
    if let Some(known) = MATCHERS.into_iter().find(|matcher| *matcher == written) {
        return (Some(known), None);
    }
    let near = nearest(&written, MATCHERS);
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let message = format!(
        "invalid router path matcher \"{written}\": must be one of Path, PathPrefix, PathRegexp{hint}"
    );
    (None, Some(Problem::error(fields.path("pathMatcher"), message)))
}

/// What annotations say of a Service's servers. Traefik: `traefik.ingress.kubernetes.io/service.*`.
#[derive(Debug, Default)]
pub(super) struct ServiceSettings {
    /// `http`, `https` or `h2c`; empty means to tell by the port.
    pub(super) scheme: String,
    /// The name of a ServersTransport, with its provider; empty means the default.
    pub(super) servers_transport: String,
    /// Whether servers see the client's Host.
    pub(super) pass_host_header: bool,
    /// Whether the Service's virtual address is used instead of its endpoints; absent means the option.
    pub(super) native_lb: Option<bool>,
    /// Whether the port on every Node is used instead, of Services of type NodePort.
    pub(super) node_port_lb: bool,
    /// Names of middlewares of the service itself, which are not served yet.
    pub(super) middlewares: Vec<String>,
    /// Whether clients stay with a server.
    pub(super) sticky: Option<Box<Sticky>>,
    /// What is wrong with the annotations.
    pub(super) problems: Vec<Problem>,
}

impl ServiceSettings {
    pub(super) fn read(annotations: &BTreeMap<String, String>) -> Self {
        let mut problems = Vec::new();
        SERVICE.check(annotations, &mut problems);
        let node = tree(annotations, SERVICE.root, &mut problems);
        let path = format!("{PREFIX}service");
        let mut fields = Fields::open(&node, &path, &mut problems);
        let mut settings = Self {
            scheme: scheme(&mut fields),
            servers_transport: fields.string("serversTransport"),
            pass_host_header: fields.boolean("passHostHeader").unwrap_or(true),
            native_lb: fields.boolean("nativeLB"),
            node_port_lb: fields.boolean("nodePortLB").unwrap_or_default(),
            middlewares: fields.strings("middlewares"),
            sticky: sticky(&mut fields),
            problems: Vec::new(),
        };
        fields.close();
        if !settings.middlewares.is_empty() {
            // Serving the service without them could leave a guard out.
            let message = "middlewares of a service are not served by this version of Portway yet; \
                           name them on the Ingress";
            let problem = Problem::error(format!("{path}.middlewares"), message);
            problems.push(problem.about(Cause::Unserved));
        }
        settings.problems = problems;
        settings
    }
}

/// The scheme as it is written: Traefik takes any letter case, as URLs have it.
fn scheme(fields: &mut Fields<'_>) -> String {
    let scheme = fields.string("serversScheme");
    let known = ["", "http", "https", "h2c"];
    if !known.iter().any(|known| known.eq_ignore_ascii_case(&scheme)) {
        let message = format!("invalid scheme \"{scheme}\" specified; use http, https or h2c");
        fields.report("serversScheme", Problem::error, message);
    }
    scheme
}

fn sticky(fields: &mut Fields<'_>) -> Option<Box<Sticky>> {
    switched(fields, "sticky", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let cookie = switched(&mut fields, "cookie", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let cookie = decode::cookie(&mut fields);
            fields.close();
            cookie
        });
        fields.close();
        Box::new(Sticky { cookie })
    })
}

/// Annotations of Ingresses.
const ROUTER: Vocabulary = Vocabulary {
    root: "router",
    other: ("service", "Service"),
    names: &[
        "router.entrypoints",
        "router.middlewares",
        "router.observability.accesslogs",
        "router.observability.metrics",
        "router.observability.traceverbosity",
        "router.observability.tracing",
        "router.pathmatcher",
        "router.priority",
        "router.rulesyntax",
        "router.tls",
        "router.tls.certresolver",
        "router.tls.domains.0.main",
        "router.tls.domains.0.sans",
        "router.tls.options",
    ],
    guards: &[
        "router.entrypoints",
        "router.middlewares",
        "router.pathmatcher",
        "router.priority",
        "router.tls",
        "router.tls.options",
    ],
};

/// Annotations of Services.
const SERVICE: Vocabulary = Vocabulary {
    root: "service",
    other: ("router", "Ingress"),
    names: &[
        "service.middlewares",
        "service.nativelb",
        "service.nodeportlb",
        "service.passhostheader",
        "service.serversscheme",
        "service.serverstransport",
        "service.sticky.cookie",
        "service.sticky.cookie.domain",
        "service.sticky.cookie.httponly",
        "service.sticky.cookie.maxage",
        "service.sticky.cookie.name",
        "service.sticky.cookie.path",
        "service.sticky.cookie.samesite",
        "service.sticky.cookie.secure",
    ],
    guards: &["service.middlewares"],
};
