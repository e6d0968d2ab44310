//! Services that are made of other objects.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_model::{
    Entry, Names,
    dynamic::{self, HeedsHealth, Sticky, Strategy, WeightedService},
    name::{INTERNAL, provider, qualify},
};
use portway_upstream::Member;

use super::{Built, Leaves, health, internal};
use crate::{
    Failover, FailoverErrors, Mirroring, Service, Settings, Steps, Target,
    compile::{
        middlewares::{self, Middlewares},
        names::{Objects, disabled, with_nearest},
        order::Order,
    },
};

/// Services, and wrappers before them, inside one another at most: each is a step on a request's way.
const MAX_DEPTH: usize = 32;

/// Builds services one after the other, parts before what holds them.
pub(super) struct Compiler<'a> {
    pub(super) objects: &'a Objects<'a>,
    pub(super) settings: &'a Settings,
    pub(super) leaves: Leaves<'a>,
    pub(super) middlewares: Middlewares<'a>,
    /// Services of the generation before.
    pub(super) before: &'a Names<Built>,
    pub(super) order: &'a Order<'a>,
    /// Services whose parts are all in here before them.
    pub(super) built: BTreeMap<&'a str, Built>,
    /// Services that would work if their middlewares did.
    pub(super) shut: BTreeSet<String>,
    /// How many services and wrappers are inside one another, the service itself included; 1 where nothing is noted.
    pub(super) depths: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    pub(super) fn build(&mut self, name: &str, entry: &Entry<dynamic::Service>) -> Built {
        if !entry.spec.is_compound() {
            return self.leaves.build(name, entry);
        }
        if let Some(reason) = disabled("service", name, entry) {
            return Err(reason);
        }
        let steps = self.middlewares.chain(entry.spec.middlewares(), name, "service ");
        self.enter(name, entry, steps.as_deref().unwrap_or_default())?;
        let service = match &*entry.spec {
            dynamic::Service::Weighted(config) => {
                let named =
                    |child: &str, reason| format!("building HTTP service \"{child}\": {reason}");
                let mut children = self.members(name, &config.services, named)?;
                self.heed(name, config.health_check, &mut children)?;
                let sticky = config.sticky.as_deref();
                self.weighted(name, Strategy::Wrr, sticky, children)
            }
            dynamic::Service::HighestRandomWeight(config) => {
                let mut children = self.members(name, &config.services, |_, reason| reason)?;
                self.heed(name, config.health_check, &mut children)?;
                self.weighted(name, Strategy::Hrw, None, children)
            }
            dynamic::Service::Failover(config) => self.failover(name, config)?,
            dynamic::Service::Mirroring(config) => self.mirroring(name, config)?,
            _ => self.leaves.build(name, entry)?,
        };
        let steps = steps.inspect_err(|_| {
            self.shut.insert(name.to_owned());
        })?;
        if steps.is_empty() {
            return Ok(service);
        }
        let find = |wanted: &str| self.part(name, wanted).map(Target::Service);
        Ok(Arc::new(Service::Behind(Steps::new(steps, Target::Service(service), find)?)))
    }

    /// Notes how deep a service is, whether it can be built or not: what is said of one that is too deep must not grow
    /// with what holds it.
    fn enter(
        &mut self,
        name: &str,
        entry: &Entry<dynamic::Service>,
        steps: &[middlewares::Member],
    ) -> Result<(), String> {
        let parts = entry.spec.parts().into_iter().map(|part| qualify(part, provider(name)));
        let asides = steps.iter().filter_map(middlewares::Member::named_aside);
        let inside = parts.chain(asides.map(str::to_owned));
        let depths = inside.map(|one| self.depths.get(&one).copied().unwrap_or(1));
        let wrappers = steps.iter().filter(|step| step.middleware.is_wrapper()).count();
        let depth = depths.max().unwrap_or(0) + 1 + wrappers;
        self.depths.insert(name.to_owned(), depth);
        if depth > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    fn weighted(
        &self,
        name: &str,
        strategy: Strategy,
        sticky: Option<&Sticky>,
        children: Vec<Member<'_, Arc<Service>>>,
    ) -> Arc<Service> {
        Arc::new(Service::weighted(name, strategy, sticky, children, self.leaves.carried))
    }

    /// Lets a service heed the health of its parts where it is to.
    ///
    /// # Errors
    /// In Traefik's words, where a part does not tell of its health.
    fn heed(
        &self,
        name: &str,
        wanted: Option<HeedsHealth>,
        children: &mut [Member<'_, Arc<Service>>],
    ) -> Result<(), String> {
        if wanted.is_none() {
            return Ok(());
        }
        for child in children {
            let told = health::told_by(&qualify(child.name, provider(name)), self.objects);
            told.map_err(|reason| reason.of_child(child.name, name))?;
            child.standing = Some(child.item.standing());
        }
        Ok(())
    }

    fn failover(&self, name: &str, config: &dynamic::Failover) -> Built {
        let named = |child: &str| qualify(child, provider(name));
        let main = self.part(name, &named(&config.service))?;
        let invalid = |reason| format!("error creating failover service {name}: {reason}");
        let errors = match &config.errors {
            Some(errors) => FailoverErrors::compile(errors)
                .map_err(|reason| invalid(format!("creating HTTP code ranges: {reason}")))?,
            None => None,
        };
        let told = health::told_by(&named(&config.service), self.objects);
        let heeds_main = told.is_ok();
        if errors.is_none() {
            told.map_err(|reason| reason.of_child(&config.service, name))?;
        }
        let fallback = self.part(name, &named(&config.fallback))?;
        if config.health_check.is_some() {
            let told = health::told_by(&named(&config.fallback), self.objects);
            told.map_err(|reason| reason.of_child(&config.fallback, name))?;
        }
        let heeds_fallback = config.health_check.is_some();
        Ok(Arc::new(Service::Failover(Failover {
            main,
            fallback,
            errors,
            heeds_main,
            heeds_fallback,
        })))
    }

    fn mirroring(&self, name: &str, config: &dynamic::Mirroring) -> Built {
        let part = |child: &str| self.part(name, &qualify(child, provider(name)));
        let main = part(&config.service)?;
        let mirrors = config.mirrors.iter().map(|mirror| part(&mirror.name));
        let mirrors = mirrors.collect::<Result<_, _>>()?;
        let before = self.before.get(name).and_then(|built| built.as_ref().as_ref().ok());
        let before = before.and_then(|service| mirroring_in(service));
        Ok(Arc::new(Service::Mirroring(Mirroring::compile(config, main, mirrors, before))))
    }

    /// The compiled parts of a service, as they are named in it, with their weights. `tell` says in Traefik's words
    /// why the service does not work when a part does not.
    fn members<'p>(
        &self,
        name: &str,
        config: &'p [WeightedService],
        tell: impl Fn(&str, String) -> String,
    ) -> Result<Vec<Member<'p, Arc<Service>>>, String> {
        let member = |child: &'p WeightedService| {
            let service = self.part(name, &qualify(&child.name, provider(name)));
            Ok(Member {
                item: service.map_err(|reason| tell(&child.name, reason))?,
                name: &child.name,
                weight: child.weight.unwrap_or(1),
                fenced: false,
                standing: None,
            })
        };
        config.iter().map(member).collect()
    }

    fn part(&self, of: &str, name: &str) -> Built {
        if let Some(circle) = self.order.circle(of, name) {
            return Err(circle.to_owned());
        }
        if provider(name) == INTERNAL {
            return internal(name, self.settings);
        }
        self.built.get(name).cloned().unwrap_or_else(|| {
            let text = format!("the service \"{name}\" does not exist");
            Err(with_nearest(text, name, self.objects.services.keys().map(String::as_str)))
        })
    }
}

fn too_deep() -> String {
    format!(
        "more than {MAX_DEPTH} services, and middlewares such as `retry` before them, are inside one \
         another"
    )
}

/// The mirroring that a service is, behind middlewares or not.
fn mirroring_in(service: &Service) -> Option<&Mirroring> {
    match service {
        Service::Mirroring(mirroring) => Some(mirroring),
        Service::Behind(steps) => match steps.target() {
            Target::Service(service) => mirroring_in(service),
            Target::Closed => None,
        },
        _ => None,
    }
}
