//! /api, /ping, the dashboard and the other internal services.
//!
//! [`answer()`] turns one request into one complete answer. It reads a [`View`] of what is running and
//! does nothing else: no socket, no clock, no lock, no waiting. JSON shapes, statuses and headers are
//! Traefik's (3.7), so that its clients work unchanged. Where Portway differs on purpose:
//!
//! - Secrets are not shown: hashes of users, passwords and credentials read `<redacted>`.
//! - `/api/problems` is Portway's own: what is wrong with sources, for which Traefik has its log only.
//! - `/api/support-dump` and `/debug` do not exist.
//! - The dashboard is Portway's own page; its answers carry a strict Content-Security-Policy.

mod answer;
mod dashboard;
mod endpoint;
pub mod exposure;
mod list;
mod ping;
mod query;
mod redact;
mod represent;
mod request;
mod view;
mod whoami;

use portway_model::InternalService;

pub use answer::Answer;
pub use request::RequestView;
pub use view::{Facts, Features, View};

/// The answer of an internal service to one request.
///
/// The body of an answer to HEAD is what GET would get; the connection leaves it out.
/// `/api/rawdata` costs time in proportion to the table; the rest is bounded by one page.
pub fn answer(service: InternalService, request: &RequestView<'_>, view: &View<'_>) -> Answer {
    match service {
        InternalService::Api => endpoint::answer(request, view),
        InternalService::Dashboard => {
            dashboard::answer(request, request.path.trim_start_matches('/'))
        }
        InternalService::Ping => ping::answer(view.ping_status),
        InternalService::Noop => Answer::empty(418),
        InternalService::Whoami => whoami::answer(request, view.facts),
    }
}

#[cfg(test)]
mod tests;
