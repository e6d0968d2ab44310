//! The server that a `forwardAuth` asks.

use std::sync::Arc;

use portway_middleware::ForwardAuth;
use portway_model::{
    Period, Problem, Severity,
    dynamic::{
        self, Certificate, ClientTls, ForwardingTimeouts, LoadBalancer, Server, ServersTransport,
    },
};
use portway_upstream::{Servers, Transport};

use crate::{Service, compile::Environment};

/// Compiles the server of the middleware `name` to a service of its own. Adds what is wrong with it to `problems`, and
/// gives `None` if one of these is an error.
pub(crate) fn compile(
    name: &str,
    config: &dynamic::ForwardAuth,
    auth: &ForwardAuth,
    environment: &Environment,
    upstream: &portway_upstream::Carried,
    problems: &mut Vec<Problem>,
) -> Option<Arc<Service>> {
    let transport = transport(config.tls.as_ref(), auth, problems)?;
    let (tls, found) = portway_tls::ClientTls::compile(&transport, &environment.native_roots);
    let before = problems.len();
    problems.extend(found.into_iter().map(in_words_of_tls));
    if problems.iter().skip(before).any(Problem::is_error) {
        return None;
    }
    let transport = Arc::new(Transport::compile(&transport, tls?));
    let server = Server { url: auth.server().to_owned(), ..Server::default() };
    let config =
        LoadBalancer { servers: vec![server], pass_host_header: false, ..LoadBalancer::default() };
    match Servers::compile(name, &config, &transport, upstream) {
        Ok(servers) => Some(Arc::new(Service::Servers(servers))),
        Err((_, reason)) => {
            problems.push(Problem::error("forwardAuth.address", reason.to_string()));
            None
        }
    }
}

fn transport(
    tls: Option<&ClientTls>,
    auth: &ForwardAuth,
    problems: &mut Vec<Problem>,
) -> Option<ServersTransport> {
    let timeout = i64::try_from(auth.timeout().as_secs()).unwrap_or(i64::MAX);
    let mut transport = ServersTransport {
        forwarding_timeouts: ForwardingTimeouts {
            response_header_timeout: Period::seconds(timeout),
            ..ForwardingTimeouts::default()
        },
        ..ServersTransport::default()
    };
    let Some(tls) = tls else { return Some(transport) };
    transport.insecure_skip_verify = tls.insecure_skip_verify;
    if !tls.ca.is_absent() {
        transport.root_cas.push(tls.ca.clone());
    }
    match (tls.cert.is_absent(), tls.key.is_absent()) {
        (true, true) => {}
        (false, false) => {
            let (cert, key) = (tls.cert.clone(), tls.key.clone());
            transport.certificates.push(Certificate { cert, key, stores: Vec::new() });
        }
        _ => {
            // Traefik's words.
            let message =
                "unable to create client TLS configuration: both TLS cert and key must be defined";
            problems.push(Problem::error("", message));
            return None;
        }
    }
    Some(transport)
}

/// A problem of a transport, as one of the settings that it was made of. What a servers transport survives, trusting
/// or showing less, would let nobody in here.
fn in_words_of_tls(problem: Problem) -> Problem {
    let field = match problem.field.split(['[', '.']).next() {
        Some("rootCAs") => "forwardAuth.tls.ca",
        Some("certificates") => "forwardAuth.tls.cert",
        _ => "forwardAuth.tls",
    };
    let survives = problem.field == "rootCAs" && problem.message.contains("cannot be used");
    let severity = if survives { problem.severity } else { Severity::Error };
    let message = format!("unable to create client TLS configuration: {}", problem.message);
    Problem { severity, ..Problem::error(field, message) }
}
