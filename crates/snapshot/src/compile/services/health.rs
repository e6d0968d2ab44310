//! Which services tell those that hold them whether they are up.

use portway_model::{
    dynamic::{Service, Strategy},
    name::{provider, qualify},
};

use crate::compile::names::Objects;

/// Why a service does not tell; in Traefik's words.
#[derive(Debug)]
pub(super) enum Silent {
    /// It never does.
    Never,
    /// It would with `healthCheck`.
    Unwatched(String),
}

impl Silent {
    /// What is wrong with the service `of`, which needs to be told by its part `child`.
    pub(super) fn of_child(&self, child: &str, of: &str) -> String {
        match self {
            Self::Never => {
                format!("child service {child} of {of} not a healthcheck.StatusUpdater")
            }
            Self::Unwatched(reason) => {
                format!("cannot register {child} as updater for {of}: {reason}")
            }
        }
    }
}

/// Whether the service of this qualified name tells whether it is up.
pub(super) fn told_by(name: &str, objects: &Objects<'_>) -> Result<(), Silent> {
    let mut name = name.to_owned();
    let mut through = String::new();
    loop {
        let Some(entry) = objects.services.get(&name) else { return Err(Silent::Never) };
        let (tells, kind) = match &*entry.spec {
            Service::LoadBalancer(balancer) => {
                let kind = match balancer.strategy {
                    Strategy::Wrr => "WRR",
                    Strategy::P2c => "P2C",
                    Strategy::Hrw => "HRW",
                    Strategy::LeastTime => "LeastTime",
                };
                (balancer.health_check.is_some(), kind)
            }
            Service::Weighted(weighted) => (weighted.health_check.is_some(), "WRR"),
            Service::HighestRandomWeight(hrw) => (hrw.health_check.is_some(), "HRW"),
            Service::Failover(failover) => (failover.health_check.is_some(), "failover"),
            Service::Mirroring(mirroring) => (mirroring.health_check.is_some(), "mirroring"),
            Service::Several(_) | Service::Unreadable => return Err(Silent::Never),
        };
        if !tells {
            let reason =
                format!("{through}healthCheck not enabled in config for this {kind} service");
            return Err(Silent::Unwatched(reason));
        }
        let Service::Mirroring(mirroring) = &*entry.spec else { return Ok(()) };
        // Its health is that of the service that answers. Circles have been found before.
        through.push_str("cannot register service of mirroring as updater: ");
        name = qualify(&mirroring.service, provider(&name));
    }
}
