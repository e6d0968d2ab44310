//! Whose connections to servers are: those that belong to one client.
//!
//! With NTLM and Negotiate a server authenticates the connection and not the request: whoever comes next on it is taken
//! for the same user. Once a server has asked for one of them or a client uses it, that client's requests therefore go
//! over connections that nobody else's use, and that end with its own. Traefik: `kerberosRoundTripper`.

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use portway_http::{Headers, Known, Request};
use portway_upstream::{Pool, Scheme, Server};

use crate::worker::Worker;

/// The connections of one client, none until [`Own::begin`].
#[derive(Debug, Default)]
pub(crate) struct Own(OnceCell<RefCell<Pool>>);

/// The schemes that authenticate connections.
const SCHEMES: [&[u8]; 2] = [b"ntlm", b"negotiate"];

impl Own {
    /// From now on the client has connections of its own.
    pub(crate) fn begin(&self) {
        self.0.get_or_init(|| RefCell::new(Pool::of_one_client()));
    }
}

/// Where connections for a client are taken from and kept.
pub(crate) fn pool<'a>(worker: &'a Worker, own: Option<&'a Own>) -> &'a RefCell<Pool> {
    own.and_then(|own| own.0.get()).unwrap_or(&worker.pool)
}

/// A client's own connections, which begin where a response asks for what authenticates connections, or a request has it
/// unasked: `name` is the field of either that says so.
pub(crate) fn heed(own: &mut Option<Rc<Own>>, headers: &Headers, name: Known) {
    if headers.get_all(name).any(authenticates_connections) {
        own.get_or_insert_default().begin();
    }
}

/// Whether the connection that a request went over may serve others. What was to be upgraded went over HTTP/1.1, which
/// others to a server of HTTP/2 must not follow. Traefik: `smartRoundTripper`.
pub(crate) fn is_for_others(request: &Request, server: &Server) -> bool {
    let is_old = server.scheme == Scheme::Http || !server.transport.tls.speaks_http2();
    is_old || request.upgrade().is_none()
}

fn authenticates_connections(challenge: &[u8]) -> bool {
    let starts = |scheme: &[u8]| {
        challenge.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    SCHEMES.into_iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(challenges: &[&str], expected: bool) {
        for name in [Known::WwwAuthenticate, Known::Authorization] {
            let mut headers = Headers::new();
            for challenge in challenges {
                headers.append(name, *challenge);
            }
            let mut own = None;
            heed(&mut own, &headers, name);
            assert_eq!(own.is_some_and(|own| own.0.get().is_some()), expected, "{challenges:?}");
        }
    }

    #[test]
    fn challenges_that_authenticate_connections_are_known() {
        check(&["NTLM"], true);
        check(&["NTLM TlRMTVNTUAACAAAA"], true);
        check(&["Basic realm=x", "negotiate"], true);
        check(&["Basic realm=\"NTLM\""], false);
        check(&["Nt"], false);
        check(&[], false);
    }
}
