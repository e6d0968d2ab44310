//! The dynamic configuration: what may change at any time.
//!
//! The types print (serde) as Traefik's API shows them. A provider hands over a complete [`Config`]
//! under its name; names inside it may be unqualified and then mean that provider.

use crate::{Diagnostic, Entry, Names};

pub mod decode;
mod middleware;
mod router;
mod service;
mod sticky;
mod tls;
mod transport;

pub use middleware::{
    AddPrefix, BasicAuth, BodyLimit, Buffering, Chain, CircuitBreaker, ClientCertificateInfo,
    ClientTls, Compress, ContentType, Cors, EncodedCharacters, Errors, ForwardAuth, GrpcWeb,
    Headers, InFlightReq, InertHeaders, IpAllowList, IpDenyList, IpStrategy, IpWhiteList,
    Maintenance, Middleware, NameParts, PassTlsClientCert, RateLimit, RedirectRegex,
    RedirectScheme, Redis, ReplacePath, ReplacePathRegex, Retry, SERVED_MIDDLEWARES, Security,
    SourceCriterion, StripPrefix, StripPrefixRegex, UNSERVED_MIDDLEWARES,
};
pub use router::{
    Domain, IngressMetadata, Observability, ObservabilityMetadata, Router, RouterTimeouts,
    RouterTls, TraceVerbosity,
};
pub use service::{
    CheckMode, CheckScheme, Failover, FailoverErrors, HealthCheck, HeedsHealth,
    HighestRandomWeight, LoadBalancer, Mirror, Mirroring, PassiveHealthCheck, ResponseForwarding,
    Server, Service, ServiceOrigin, Strategy, Unserved, Weighted, WeightedService,
};
pub use sticky::{Cookie, Sticky};
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
    pub routers: Names<Entry<Router>>,
    /// Services.
    pub services: Names<Entry<Service>>,
    /// Middlewares.
    pub middlewares: Names<Entry<Middleware>>,
    /// How to reach servers.
    pub servers_transports: Names<Entry<ServersTransport>>,
}

impl Http {
    /// Takes the objects of `before` in place of equal ones; see [`Names::share`].
    pub fn share(&mut self, before: &Self) {
        self.routers.share(&before.routers);
        self.services.share(&before.services);
        self.middlewares.share(&before.middlewares);
        self.servers_transports.share(&before.servers_transports);
    }
}

/// Certificates and TLS options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Certificates, in the order written.
    pub certificates: Vec<Entry<Certificate>>,
    /// Options by name; `default` applies where a router names none.
    pub options: Names<Entry<TlsOptions>>,
    /// Stores by name; only `default` has a meaning.
    pub stores: Names<Entry<TlsStore>>,
}
