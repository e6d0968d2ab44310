//! Load balancers: servers, one of which takes each request.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use portway_model::dynamic::LoadBalancer;

use crate::{
    Asking, Balancer, Carried, Member, Picked, Scheme, Server, ServerUrlError, Settings, Transport,
    server::Parts,
};

/// A compiled load balancer: servers, one of which takes each request.
#[derive(Debug)]
pub struct Servers {
    /// The qualified name of the service.
    name: Arc<str>,
    balancer: Balancer<Arc<Server>>,
    /// Whether servers see the client's Host instead of their own.
    pass_host_header: bool,
}

impl Servers {
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
        Ok(Self { name: name.into(), balancer, pass_host_header })
    }

    /// Chooses the server for one request; `None` when none takes requests. Adds the value of `Set-Cookie` that the
    /// response needs, whichever it will be.
    pub fn pick<'a>(
        &'a self,
        asking: &Asking<'_>,
        cookies: &mut Vec<&'a str>,
    ) -> Option<Picked<'a>> {
        let chosen = self.balancer.pick(asking, cookies)?;
        Some(Picked {
            service: &self.name,
            server: chosen.item,
            pass_host_header: self.pass_host_header,
            load: chosen.load,
        })
    }

    /// All servers.
    pub fn balancer(&self) -> &Balancer<Arc<Server>> {
        &self.balancer
    }
}
