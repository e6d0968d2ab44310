//! The dynamic configuration: what may change at any time.
//!
//! The types print (serde) as Traefik's API shows them. A provider hands over a complete [`Config`]
//! under its name; names inside it may be unqualified and then mean that provider.

use std::collections::BTreeMap;

use crate::{Diagnostic, Entry};

mod middleware;
mod router;
mod service;
mod tls;
mod transport;

pub use middleware::{
    AddPrefix, BasicAuth, Chain, Headers, Middleware, RedirectRegex, RedirectScheme, StripPrefix,
    UNSERVED_MIDDLEWARES,
};
pub use router::{Domain, Observability, Router, RouterTls};
pub use service::{
    LoadBalancer, ResponseForwarding, Server, Service, Strategy, UNSERVED_SERVICES, Unserved,
    Weighted, WeightedService,
};
pub use tls::{Certificate, ClientAuth, Material, TlsOptions, TlsStore};
pub use transport::{ForwardingTimeouts, ServersTransport};

/// All that one provider says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// HTTP routing.
    pub http: Http,
    /// Certificates and TLS options.
    pub tls: Tls,
    /// Problems of the source that no object of this configuration carries.
    pub diagnostics: Vec<Diagnostic>,
}

/// HTTP routing, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    /// Routers.
    pub routers: BTreeMap<String, Entry<Router>>,
    /// Services.
    pub services: BTreeMap<String, Entry<Service>>,
    /// Middlewares.
    pub middlewares: BTreeMap<String, Entry<Middleware>>,
    /// How to reach servers.
    pub servers_transports: BTreeMap<String, Entry<ServersTransport>>,
}

/// Certificates and TLS options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Certificates, in the order written.
    pub certificates: Vec<Entry<Certificate>>,
    /// Options by name; `default` applies where a router names none.
    pub options: BTreeMap<String, Entry<TlsOptions>>,
    /// Stores by name; only `default` has a meaning.
    pub stores: BTreeMap<String, Entry<TlsStore>>,
}
