//! Load balancers: servers, one of which takes each request.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use portway_model::{dynamic::LoadBalancer, runtime::ServerHealth};

use crate::{
    Asking, Balancer, Carried, Check, Member, Picked, Scheme, Server, ServerUrlError, Settings,
    Standing, Transport,
    health::{Health, Watch},
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
    /// What is known of the servers' health; absent where nobody watches.
    health: Option<Arc<Health>>,
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
        let service: Arc<str> = name.into();
        let mut watch = Watch::over(&service, config, carried);
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
            let standing = watch.as_mut().map(|watch| watch.standing(entry));
            let passive = watch.as_ref().zip(standing.as_ref());
            let passive = passive.and_then(|(watch, up)| watch.passive(&entry.url, up));
            let server = Arc::new(Server {
                url: entry.url.clone(),
                scheme: parts.scheme,
                authority: parts.authority,
                address: address.map(|ip| SocketAddr::new(ip, parts.port)),
                host: parts.host,
                port: parts.port,
                path: if entry.preserve_path { parts.path } else { String::new() },
                transport: Arc::clone(transport),
                passive,
                id: carried.server(&key),
            });
            if let (Some(watch), Some(standing)) = (&mut watch, &standing) {
                watch.ask(&server, Arc::clone(standing));
            }
            servers.push(Member {
                item: server,
                name: &entry.url,
                weight: entry.weight.unwrap_or(1),
                fenced: entry.fenced,
                standing,
            });
        }
        let health = watch.map(|watch| Arc::new(watch.finish()));
        let key = format!("servers {name}");
        let settings = Settings {
            name: &key,
            service: name,
            strategy: config.strategy,
            sticky: config.sticky.as_deref(),
        };
        let balancer = Balancer::compile(settings, servers, carried);
        let pass_host_header = config.pass_host_header;
        Ok(Self { name: service, balancer, pass_host_header, health })
    }

    /// Whether one of them takes requests, for services that hold this one; absent where servers are not asked for
    /// their health.
    pub fn standing(&self) -> Option<&Arc<Standing>> {
        self.health.as_ref()?.standing.as_ref()
    }

    /// Whether one of them takes requests, as far as they are asked for their health.
    pub fn is_up(&self) -> bool {
        self.standing().is_none_or(|standing| standing.is_up())
    }

    /// How they are to be asked for their health; absent where they are not.
    pub fn check(&self) -> Option<&Arc<Check>> {
        self.health.as_ref()?.check.as_ref()
    }

    /// What is known of their health; absent where nobody watches them.
    pub fn health(&self) -> Option<Arc<dyn ServerHealth>> {
        Some(Arc::<Health>::clone(self.health.as_ref()?))
    }

    /// Chooses the server for one request; `None` when none takes requests. Adds the value of `Set-Cookie` that the
    /// response needs, whichever it will be.
    #[inline]
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
