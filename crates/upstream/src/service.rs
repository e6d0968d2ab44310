//! Services: named ways to reach servers.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use portway_model::dynamic::{LoadBalancer, Sticky, Strategy};

use crate::{
    Asking, Balancer, Carried, Choice, Member, Picked, Scheme, Server, ServerUrlError, Settings,
    Transport, server::Parts,
};

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
    /// Other services, in shares of requests or of clients.
    Weighted(Balancer<Arc<Self>>),
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
            servers.push(Member {
                item: Arc::new(server),
                name: &entry.url,
                weight: entry.weight.unwrap_or(1),
                fenced: entry.fenced,
                standing: None,
            });
        }
        let key = format!("servers {name}");
        let settings = Settings {
            name: &key,
            service: name,
            strategy: config.strategy,
            sticky: config.sticky.as_deref(),
        };
        let balancer = Balancer::compile(settings, servers, carried);
        let pass_host_header = config.pass_host_header;
        Ok(Self::Servers { name: name.into(), balancer, pass_host_header })
    }

    /// Balances over other services, named as they are written.
    pub fn weighted(
        name: &str,
        strategy: Strategy,
        sticky: Option<&Sticky>,
        services: Vec<Member<'_, Arc<Self>>>,
        carried: &Carried,
    ) -> Self {
        let key = format!("weighted {name}");
        let settings = Settings { name: &key, service: name, strategy, sticky };
        Self::Weighted(Balancer::compile(settings, services, carried))
    }

    /// Chooses the server for one request.
    pub fn pick(&self, asking: &Asking<'_>) -> Choice<'_> {
        let mut cookies = Vec::new();
        Choice { picked: self.lead(asking, &mut cookies), cookies }
    }

    fn lead<'a>(&'a self, asking: &Asking<'_>, cookies: &mut Vec<&'a str>) -> Option<Picked<'a>> {
        let mut service = self;
        loop {
            match service {
                Self::Servers { name, balancer, pass_host_header } => {
                    let chosen = balancer.pick(asking, cookies)?;
                    return Some(Picked {
                        service: name,
                        server: chosen.item,
                        pass_host_header: *pass_host_header,
                        load: chosen.load,
                    });
                }
                Self::Weighted(balancer) => service = balancer.pick(asking, cookies)?.item,
            }
        }
    }
}
