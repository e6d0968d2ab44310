//! Services: named ways to reach servers.

mod failover;
mod mirroring;

use std::sync::Arc;

use portway_model::{
    InternalService,
    dynamic::{Sticky, Strategy},
};
use portway_upstream::{
    Asking, Balancer, Carried, Member, Picked, Servers, Settings as BalancerSettings, Standing,
};

pub use self::{
    failover::{Failover, FailoverErrors},
    mirroring::Mirroring,
};
use crate::{Steps, Target};

/// A compiled service: a tree whose leaves answer.
#[derive(Debug)]
pub enum Service {
    /// Servers, one of which takes each request.
    Servers(Servers),
    /// Other services, in shares of requests or of clients.
    Weighted(Balancer<Arc<Self>>),
    /// A service, and another for when it fails.
    Failover(Failover),
    /// A service that answers, and others that get copies of its requests.
    Mirroring(Mirroring),
    /// A service behind middlewares of its own: steps that end in it.
    Behind(Steps),
    /// One inside Portway.
    Internal(InternalService),
}

/// The outcome of a choice.
#[derive(Debug)]
pub struct Choice<'a> {
    /// What takes the request; `None` where nothing does, answered with 503.
    pub taker: Option<Taker<'a>>,
    /// Values of `Set-Cookie` for the response, whichever it will be; from the outermost service inwards.
    pub cookies: Vec<&'a str>,
}

/// What takes a request.
#[derive(Clone, Copy, Debug)]
pub enum Taker<'a> {
    /// A server.
    Server(Picked<'a>),
    /// A service that chooses none, or not at once.
    Service(&'a Service),
}

impl Service {
    /// Balances over other services, named as they are written.
    pub(crate) fn weighted(
        name: &str,
        strategy: Strategy,
        sticky: Option<&Sticky>,
        services: Vec<Member<'_, Arc<Self>>>,
        carried: &Carried,
    ) -> Self {
        let key = format!("weighted {name}");
        let settings = BalancerSettings { name: &key, service: name, strategy, sticky };
        Self::Weighted(Balancer::compile(settings, services, carried))
    }

    /// Whether it takes requests, as those who watch what it leads to see it; always, where nobody does.
    pub fn is_up(&self) -> bool {
        match self {
            Self::Servers(servers) => servers.is_up(),
            Self::Weighted(balancer) => balancer.is_up(),
            Self::Failover(failover) => {
                failover.main_is_up() || !failover.heeds_fallback || failover.fallback.is_up()
            }
            Self::Mirroring(mirroring) => mirroring.main.is_up(),
            Self::Behind(steps) => match steps.target() {
                Target::Service(service) => service.is_up(),
                Target::Closed => true,
            },
            Self::Internal(_) => true,
        }
    }

    /// Whether it takes requests, for services that heed it; always up where it does not tell.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        match self {
            Self::Servers(servers) => servers.standing().cloned().unwrap_or_default(),
            Self::Weighted(balancer) => Arc::new(Standing::of(balancer.standings())),
            Self::Failover(failover) => failover.standing(),
            Self::Mirroring(mirroring) => mirroring.main.standing(),
            Self::Behind(steps) => match steps.target() {
                Target::Service(service) => service.standing(),
                Target::Closed => Arc::default(),
            },
            Self::Internal(_) => Arc::default(),
        }
    }

    /// Its servers, behind middlewares or not; `None` where it is of another kind.
    pub(crate) fn servers(&self) -> Option<&Servers> {
        match self {
            Self::Servers(servers) => Some(servers),
            Self::Behind(steps) => match steps.target() {
                Target::Service(service) => service.servers(),
                Target::Closed => None,
            },
            _ => None,
        }
    }

    /// Chooses what takes one request.
    pub fn pick(&self, asking: &Asking<'_>) -> Choice<'_> {
        let mut cookies = Vec::new();
        Choice { taker: self.lead(asking, &mut cookies), cookies }
    }

    fn lead<'a>(&'a self, asking: &Asking<'_>, cookies: &mut Vec<&'a str>) -> Option<Taker<'a>> {
        let mut service = self;
        loop {
            match service {
                Self::Servers(servers) => return servers.pick(asking, cookies).map(Taker::Server),
                Self::Weighted(balancer) => service = balancer.pick(asking, cookies)?.item,
                other => return Some(Taker::Service(other)),
            }
        }
    }
}
