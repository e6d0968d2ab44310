//! Services: named ways to reach servers.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use portway_model::dynamic::LoadBalancer;

use crate::{Balancer, Carried, Scheme, Server, ServerUrlError, Transport, server::Parts};

/// A compiled service.
#[derive(Debug)]
pub enum Service {
    /// Servers, one of which takes each request.
    Servers {
        /// The servers.
        balancer: Balancer<Arc<Server>>,
        /// Whether servers see the client's Host instead of their own.
        pass_host_header: bool,
    },
    /// Other services, in shares.
    Weighted(Balancer<Arc<Named>>),
}

/// A service and its qualified name.
#[derive(Debug)]
pub struct Named {
    /// The qualified name.
    pub name: Arc<str>,
    /// The service; `None` where it could not be built, which closes its share.
    pub service: Option<Arc<Service>>,
}

/// The server that takes a request.
#[derive(Clone, Copy, Debug)]
pub struct Picked<'a> {
    /// The server.
    pub server: &'a Arc<Server>,
    /// Whether it sees the client's Host instead of its own.
    pub pass_host_header: bool,
}

impl Service {
    /// Compiles a load balancer whose transport is compiled already.
    ///
    /// The balancer's position and the servers' identities are adopted from the generation `before` where
    /// name and settings are unchanged.
    ///
    /// # Errors
    /// With the index of the first server whose URL cannot be used.
    pub fn compile(
        name: &str,
        config: &LoadBalancer,
        transport: &Arc<Transport>,
        before: &Carried,
        carried: &mut Carried,
    ) -> Result<Self, (usize, ServerUrlError)> {
        let mut servers = Vec::new();
        for (index, entry) in config.servers.iter().enumerate() {
            let parts = Parts::parse(&entry.url).map_err(|error| (index, error))?;
            // A fenced server keeps sticky sessions only, and there are none without a cookie.
            let weight = if entry.fenced { 0 } else { entry.weight.unwrap_or(1) };
            let scheme = if parts.scheme == Scheme::Https { "https" } else { "http" };
            let key = format!("{} {scheme}://{}:{}", transport.fingerprint, parts.host, parts.port);
            let address = parts.host.parse::<IpAddr>().ok();
            let server = Server {
                url: entry.url.clone(),
                scheme: parts.scheme,
                authority: parts.authority,
                address: address.map(|ip| SocketAddr::new(ip, parts.port)),
                host: parts.host,
                port: parts.port,
                path: if entry.preserve_path { parts.path } else { String::new() },
                transport: Arc::clone(transport),
                id: carried.server(before, &key),
            };
            servers.push((Arc::new(server), weight));
        }
        let position = carried.position(before, &position_key(name, &servers));
        let balancer = Balancer::new(servers, position);
        Ok(Self::Servers { balancer, pass_host_header: config.pass_host_header })
    }

    /// Balances over other services.
    pub fn weighted(
        name: &str,
        services: Vec<(Arc<Named>, i64)>,
        before: &Carried,
        carried: &mut Carried,
    ) -> Self {
        let mut key = format!("weighted {name}");
        for (service, weight) in &services {
            key.push_str(&format!(" {}*{weight}", service.name));
        }
        Self::Weighted(Balancer::new(services, carried.position(before, &key)))
    }

    /// Chooses the server for one request.
    ///
    /// # Errors
    /// [`NoServer`] says whether there is none or the share's service is closed.
    pub fn pick(&self) -> Result<Picked<'_>, NoServer> {
        let mut service = self;
        loop {
            match service {
                Self::Servers { balancer, pass_host_header } => {
                    let server = balancer.pick().ok_or(NoServer::Empty)?;
                    return Ok(Picked { server, pass_host_header: *pass_host_header });
                }
                Self::Weighted(balancer) => {
                    let named = balancer.pick().ok_or(NoServer::Empty)?;
                    service = named.service.as_deref().ok_or(NoServer::Closed)?;
                }
            }
        }
    }
}

/// Why no server took a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoServer {
    /// The service has no server; answered with 503.
    Empty,
    /// The service could not be built; answered with 500.
    Closed,
}

fn position_key(name: &str, servers: &[(Arc<Server>, i64)]) -> String {
    let mut key = format!("servers {name}");
    for (server, weight) in servers {
        key.push_str(&format!(" {}*{weight}", server.url));
    }
    key
}
