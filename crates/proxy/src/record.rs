//! What is known of one request when it is over: one access record, on every exit.

use portway_http::Response;
use portway_snapshot::Route;
use portway_upstream::Picked;

use crate::connection::Connection;

/// Why Portway itself answered, or why a response is incomplete.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    BadRequest,
    BadResponse,
    ClientGone,
    ConnectFailed,
    ConnectTimeout,
    Middleware,
    Misdirected,
    NoRouter,
    NoServer,
    RequestTimeout,
    ResponseTimeout,
    RouterClosed,
    ServerOptions,
    UpstreamClosed,
}

/// What is known of one request.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) status: u16,
    pub(crate) reason: Option<Reason>,
    pub(crate) detail: String,
    pub(crate) sent: u64,
    pub(crate) request_bytes: u64,
    pub(crate) retries: u32,
    pub(crate) user: Option<String>,
}

impl Facts {
    pub(crate) fn begin(_connection: &Connection) -> Self {
        Self::default()
    }

    pub(crate) fn take_request(&mut self, _connection: &Connection) {}

    pub(crate) fn routed(&mut self, _route: &Route) {}

    pub(crate) fn served_by(&mut self, _picked: &Picked<'_>) {}

    pub(crate) fn received(&mut self, _response: &Response) {}

    pub(crate) fn write(self, _connection: &Connection) {}
}
