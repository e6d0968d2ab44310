//! Services: named ways to reach servers.

use std::{net::IpAddr, net::SocketAddr, sync::Arc};

use portway_model::{
    dynamic::{LoadBalancer, Sticky, Strategy},
    runtime::ServerHealth,
};

use crate::{
    Asking, Balancer, Carried, Check, Choice, Member, Picked, Scheme, Server, ServerUrlError,
    Settings, Standing, Transport,
    health::{Health, Watch},
    server::Parts,
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
        /// What is known of the servers' health; absent where nobody watches.
        #[expect(private_interfaces, reason = "asked through the service")]
        health: Option<Arc<Health>>,
    },
    /// Other services, in shares of requests or of clients.
    Weighted {
        /// The services.
        balancer: Balancer<Arc<Self>>,
        /// Whether one of them is up, where it heeds their health.
        standing: Option<Arc<Standing>>,
    },
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
        Ok(Self::Servers { name: service, balancer, pass_host_header, health })
    }

    /// Balances over other services, named as they are written. Where it `heeds` their health, as their members'
    /// standings say it, it is up while one of them is that takes requests.
    pub fn weighted(
        name: &str,
        strategy: Strategy,
        sticky: Option<&Sticky>,
        services: Vec<Member<'_, Arc<Self>>>,
        heeds: bool,
        carried: &Carried,
    ) -> Self {
        let standing = heeds.then(|| {
            let open = services.iter().filter(|member| member.weight > 0);
            Arc::new(Standing::of(open.filter_map(|member| member.standing.clone()).collect()))
        });
        let key = format!("weighted {name}");
        let settings = Settings { name: &key, service: name, strategy, sticky };
        Self::Weighted { balancer: Balancer::compile(settings, services, carried), standing }
    }

    /// Whether it takes requests, for services that hold it; absent where it does not tell.
    pub fn standing(&self) -> Option<&Arc<Standing>> {
        match self {
            Self::Servers { health, .. } => health.as_ref()?.standing.as_ref(),
            Self::Weighted { standing, .. } => standing.as_ref(),
        }
    }

    /// Whether it takes requests, as far as those who watch it know.
    pub fn is_up(&self) -> bool {
        self.standing().is_none_or(|standing| standing.is_up())
    }

    /// How its servers are to be asked for their health, and which; absent where they are not.
    pub fn check(&self) -> Option<&Arc<Check>> {
        match self {
            Self::Servers { health, .. } => health.as_ref()?.check.as_ref(),
            Self::Weighted { .. } => None,
        }
    }

    /// What is known of its servers' health; absent where nobody watches them.
    pub fn health(&self) -> Option<Arc<dyn ServerHealth>> {
        match self {
            Self::Servers { health, .. } => Some(Arc::<Health>::clone(health.as_ref()?)),
            Self::Weighted { .. } => None,
        }
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
                Self::Servers { name, balancer, pass_host_header, .. } => {
                    let chosen = balancer.pick(asking, cookies)?;
                    return Some(Picked {
                        service: name,
                        server: chosen.item,
                        pass_host_header: *pass_host_header,
                        load: chosen.load,
                    });
                }
                Self::Weighted { balancer, .. } => service = balancer.pick(asking, cookies)?.item,
            }
        }
    }
}
