//! The dynamic configuration out of the tree of one file, in Traefik's own format.
//!
//! What is wrong inside one object stays with that object, so that a router keeps its claim and its neighbours
//! work. The functions for single objects serve every provider: each takes the object's node, the path that its
//! problems begin with, and where problems go.

use std::sync::Arc;

use super::{Config, Http, Tls};
use crate::{
    Diagnostic, Entry, Fields, Names, Node, Place, Position, Problem, Value, decode::unknown,
};

mod middleware;
mod router;
mod service;
mod sticky;
mod tls;
mod transport;

pub use middleware::{
    add_prefix, basic_auth, chain, content_type, encoded_characters, errors, forward_auth_with,
    headers, in_flight_req, ip_allow_list, ip_strategy, ip_white_list, middleware, rate_limit,
    rate_limit_with, redirect_regex, redirect_scheme, redis_fields, replace_path,
    replace_path_regex, settings, source_criterion, strip_prefix, strip_prefix_regex,
};
pub use router::{domain, observability, router, router_timeouts, router_tls};
pub use service::{
    failover_errors_fields, flush_interval, health_check_fields, highest_random_weight,
    load_balancer, passive_health_check_fields, percent, server, service, strategy, weighted,
    weighted_service,
};
pub use sticky::{cookie, sticky};
pub use tls::{certificate, client_auth, tls_options, tls_store};
pub use transport::{forwarding_timeouts, servers_transport};

/// Reads all of a file; `file` is its path as configured.
///
/// Objects stand under the names that the file gives them. What no object can carry (an unknown section, a section
/// of another type) is in [`Config::diagnostics`].
pub fn config(node: &Node, file: &str) -> Config {
    let (mut problems, mut deeper) = (Vec::new(), Vec::new());
    let mut fields = Fields::open(node, "", &mut problems);
    let (http_node, tls_node) = (fields.node("http"), fields.node("tls"));
    for protocol in ["tcp", "udp"] {
        if let Some(section) = fields.node(protocol).filter(|section| !is_empty(section)) {
            let message = format!("`{protocol}` is not served by this version of Portway yet");
            fields.push(Problem::warning(protocol, message).at(section.at));
        }
    }
    fields.close();
    let source = Source { file: &file.into() };
    let http = http_node.map(|node| source.http(node, &mut deeper)).unwrap_or_default();
    let tls = tls_node.map(|node| source.tls(node, &mut deeper)).unwrap_or_default();
    let diagnostics =
        problems.into_iter().chain(deeper).map(|problem| source.diagnose(problem)).collect();
    Config { http, tls, diagnostics }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Map(entries) => entries.iter().all(|(_, child)| is_empty(child)),
        Value::List(items) => items.is_empty(),
        Value::Scalar { .. } => false,
    }
}

/// The file that is read.
struct Source<'a> {
    file: &'a Arc<str>,
}

impl Source<'_> {
    fn http(&self, node: &Node, problems: &mut Vec<Problem>) -> Http {
        let mut fields = Fields::open(node, "http", problems);
        let http = Http {
            routers: self.objects(&mut fields, "routers", router),
            services: self.objects(&mut fields, "services", service),
            middlewares: self.objects(&mut fields, "middlewares", middleware),
            servers_transports: self.objects(&mut fields, "serversTransports", servers_transport),
        };
        fields.close();
        http
    }

    fn tls(&self, node: &Node, problems: &mut Vec<Problem>) -> Tls {
        let mut fields = Fields::open(node, "tls", problems);
        let options = self.objects(&mut fields, "options", tls_options);
        let stores = self.objects(&mut fields, "stores", tls_store);
        let mut certificates = Vec::new();
        fields.list("certificates", |node, _, _| {
            let mut own = Vec::new();
            let spec = certificate(node, "", &mut own);
            certificates.push(self.entry(spec, own, node.at));
        });
        fields.close();
        Tls { certificates, options, stores }
    }

    /// The objects of one section by name; their problems stay with them.
    fn objects<T>(
        &self,
        fields: &mut Fields<'_>,
        section: &'static str,
        decode: fn(&Node, &str, &mut Vec<Problem>) -> T,
    ) -> Names<Entry<T>> {
        let Some(node) = fields.node(section) else { return Names::default() };
        let Value::Map(entries) = &node.value else {
            let message = format!("expected a mapping of names, found {}", node.kind());
            fields.report(section, Problem::error, message);
            return Names::default();
        };
        let objects = entries.iter().map(|(key, child)| {
            let mut problems = Vec::new();
            if child.value == Value::Null {
                problems.push(Problem::error("", "has nothing in it").at(key.at));
            }
            let spec = decode(child, "", &mut problems);
            (key.text.clone(), self.entry(spec, problems, key.at))
        });
        objects.collect()
    }

    fn entry<T>(&self, spec: T, problems: Vec<Problem>, at: Position) -> Entry<T> {
        Entry { place: Some(self.place(at)), ..Entry::new(spec).with(problems) }
    }

    fn diagnose(&self, problem: Problem) -> Diagnostic {
        Diagnostic {
            severity: problem.severity,
            object: format!("file {}", self.file),
            field: problem.field,
            message: problem.message,
            place: Some(self.place(problem.at)),
        }
    }

    fn place(&self, at: Position) -> Place {
        Place { file: Arc::clone(self.file), line: at.line }
    }
}

/// The kinds that an object names and their nodes: an object is of the one kind whose field it has.
///
/// An unknown kind and no kind at all are problems. Kinds without a value are not named, as in Traefik.
fn kinds<'a>(
    node: &'a Node,
    path: &str,
    known: &[&'static str],
    problems: &mut Vec<Problem>,
) -> Vec<(&'static str, &'a Node)> {
    let Value::Map(entries) = &node.value else {
        if node.value != Value::Null {
            let message = format!("expected a mapping with its kind, found {}", node.kind());
            problems.push(Problem::error(path, message).at(node.at));
        }
        return Vec::new();
    };
    let before = problems.len();
    let mut found = Vec::new();
    for (key, child) in entries {
        match known.iter().find(|kind| key.text.eq_ignore_ascii_case(kind)) {
            Some(_) if child.value == Value::Null => {}
            Some(kind) => found.push((*kind, child)),
            None => {
                let field = crate::decode::join(path, &key.text);
                problems.push(unknown(&field, &key.text, known, key.at));
            }
        }
    }
    if found.is_empty() && problems.len() == before {
        let first = known.first().copied().unwrap_or_default();
        let message = format!("names no kind; a kind is a field such as `{first}`");
        problems.push(Problem::error(path, message).at(node.at));
    }
    found
}

#[cfg(test)]
mod tests;
