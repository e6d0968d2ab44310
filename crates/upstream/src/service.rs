//! Services: named ways to reach servers.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use portway_model::dynamic::LoadBalancer;

use crate::{Balancer, Carried, Scheme, Server, ServerUrlError, Transport, server::Parts};

/// A compiled service.
#[derive(Debug)]
pub enum Service {
    /// Servers, one of which takes each request.
    Servers {
        /// The qualified name.
        name: Arc<str>,
        /// The servers.
        balancer: Balancer<Arc<Server>>,
        /// Whether servers see the client's Host instead of their own.
        pass_host_header: bool,
    },
    /// Other services, in shares.
    Weighted(Balancer<Arc<Self>>),
}

/// The server that takes a request.
#[derive(Clone, Copy, Debug)]
pub struct Picked<'a> {
    /// The qualified name of the service that the server belongs to.
    pub service: &'a Arc<str>,
    /// The server.
    pub server: &'a Arc<Server>,
    /// Whether it sees the client's Host instead of its own.
    pub pass_host_header: bool,
}

impl Service {
    /// Compiles a load balancer whose transport is compiled already.
    ///
    /// The balancer's position and the servers' identities are adopted from living services where
    /// name and settings are unchanged.
    ///
    /// # Errors
    /// With the index of the first server whose URL cannot be used.
    pub fn compile(
        name: &str,
        config: &LoadBalancer,
        transport: &Arc<Transport>,
        carried: &Carried,
    ) -> Result<Self, (usize, ServerUrlError)> {
        let mut servers = Vec::new();
        for (index, entry) in config.servers.iter().enumerate() {
            let parts = Parts::parse(&entry.url).map_err(|error| (index, error))?;
            // A fenced server keeps sticky sessions only, and there are none without a cookie.
            let weight = if entry.fenced { 0 } else { entry.weight.unwrap_or(1) };
            let scheme = match parts.scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
                Scheme::H2c => "h2c",
            };
            let key = format!("{} {scheme}://{}:{}", transport.number, parts.host, parts.port);
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
                id: carried.server(&key),
            };
            servers.push((Arc::new(server), weight));
        }
        // One server alone has its turn every time.
        let position = match servers.len() {
            0 | 1 => Arc::default(),
            _ => carried.position(&position_key(name, &servers)),
        };
        let balancer = Balancer::new(servers, position);
        let pass_host_header = config.pass_host_header;
        Ok(Self::Servers { name: name.into(), balancer, pass_host_header })
    }

    /// Balances over other services, given with their qualified names and weights.
    pub fn weighted(
        name: &str,
        services: Vec<(String, Arc<Self>, i64)>,
        carried: &Carried,
    ) -> Self {
        let mut key = format!("weighted {name}");
        for (child, _, weight) in &services {
            key.push_str(&format!(" {child}*{weight}"));
        }
        let services = services.into_iter().map(|(_, service, weight)| (service, weight)).collect();
        Self::Weighted(Balancer::new(services, carried.position(&key)))
    }

    /// Chooses the server for one request; `None` means that there is none, answered with 503.
    pub fn pick(&self) -> Option<Picked<'_>> {
        let mut service = self;
        loop {
            match service {
                Self::Servers { name, balancer, pass_host_header } => {
                    let pass_host_header = *pass_host_header;
                    return Some(Picked {
                        service: name,
                        server: balancer.pick()?,
                        pass_host_header,
                    });
                }
                Self::Weighted(balancer) => service = balancer.pick()?,
            }
        }
    }
}

fn position_key(name: &str, servers: &[(Arc<Server>, i64)]) -> String {
    let mut key = format!("servers {name}");
    for (server, weight) in servers {
        key.push_str(&format!(" {}*{weight}", server.url));
    }
    key
}
