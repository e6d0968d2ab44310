//! What the static configuration fixes for every snapshot.

use std::{collections::BTreeSet, sync::Arc};

use portway_model::{
    InternalService,
    dynamic::{Observability, RouterTls, ServersTransport},
};
use portway_rule::Syntax;

/// What the static configuration fixes for every snapshot.
#[derive(Clone, Debug, Hash, PartialEq)]
pub struct Settings {
    /// Entry points in the order of their numbers.
    pub entry_points: Vec<EntryPointSettings>,
    /// The syntax of rules that name none. Traefik: `core.defaultRuleSyntax`; `None` where it is not set.
    pub default_rule_syntax: Option<Syntax>,
    /// Internal services that are enabled.
    pub internal_services: BTreeSet<InternalService>,
    /// How servers are reached where a service names no transport.
    pub servers_transport: ServersTransport,
}

/// What an entry point adds to its routers. Traefik: `entryPoints.<name>.http` and `asDefault`.
#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub struct EntryPointSettings {
    /// Its name.
    pub name: Arc<str>,
    /// Whether routers without entry points use it.
    pub is_default: bool,
    /// Middlewares that go before those of each router.
    pub middlewares: Vec<String>,
    /// TLS of routers that have none of their own.
    pub tls: Option<RouterTls>,
    /// Which records are made where a router does not say; `None` where the entry point does not say either.
    pub observability: Option<Observability>,
    /// Whether it says which encoded characters paths may have; the entry point itself looks at them.
    pub encoded_characters: bool,
}
