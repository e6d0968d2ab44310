//! The contributions to a name, in the order of those who contribute, to what stands under it.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Cause, Entry, Names, Position, Problem,
    dynamic::{LoadBalancer, Service},
};

use super::{
    Balancer, NewService, Translator, entry,
    secrets::certificate_of,
    tls::DEFAULT,
    translator::{Round, View},
    unit::{Category, Id, Name, Unit, Verdict, Whole},
};
use crate::{Index, ServiceName, api::Key};

/// What a merge says of those who contribute.
type Verdicts = BTreeMap<Id, Verdict>;

/// What was known of a service when another of its name was met.
struct Known<'u> {
    origin: &'u str,
    by: (Id, &'u Key),
    service: &'u NewService,
    /// What else the name stands for.
    clashes: Vec<Problem>,
}

impl Translator {
    /// Merges again the names whose contributions have changed.
    pub(super) fn merge(&mut self, index: &Index, round: &mut Round) {
        for (category, mut names) in std::mem::take(&mut round.names) {
            // They come nearly in order, and so fill the blocks of names.
            names.sort();
            names.dedup();
            for name in names {
                let name = (category, name);
                let verdicts = self.merge_one(&name, index, round);
                self.judge(&name, verdicts, round);
            }
        }
        if round.certificates {
            let certificates = self.certificates.values().cloned();
            self.translated.config.tls.certificates = certificates.collect();
        }
    }

    fn merge_one(&mut self, (category, name): &Name, index: &Index, round: &mut Round) -> Verdicts {
        match category {
            Category::Certificate => {
                round.certificates |= self.merge_certificate(name, index);
                Verdicts::new()
            }
            Category::Middleware => self.merge_middleware(name),
            Category::Options => self.merge_options(name),
            Category::Router => {
                self.merge_router(name);
                Verdicts::new()
            }
            Category::Service => self.merge_service(name, index, round),
            Category::Store => self.merge_store(name),
            Category::Transport => self.merge_transport(name),
        }
    }

    /// Keeps what a merge says of those who contribute to a name, and notes of whom it says something else.
    fn judge(&mut self, name: &Name, mut verdicts: Verdicts, round: &mut Round) {
        match verdicts.is_empty() {
            true if !self.judged.remove(name) => return,
            true => {}
            false => drop(self.judged.insert(name.clone())),
        }
        let units = self.units.of_name(name.0, &name.1);
        let judged = |(id, _, unit): &(Id, &Key, &Unit)| {
            let verdict = verdicts.remove(id);
            (unit.verdicts.get(name) != verdict.as_ref()).then_some((*id, verdict))
        };
        let changed: Vec<_> = units.iter().filter_map(judged).collect();
        for (id, verdict) in changed {
            let Some((_, unit)) = self.units.get_mut(id) else { continue };
            round.told.insert(id);
            match verdict {
                Some(verdict) => drop(unit.verdicts.insert(name.clone(), verdict)),
                None => drop(unit.verdicts.remove(name)),
            }
        }
    }

    /// The certificate of a Secret, for the store of the first who asks. Says whether it is another.
    fn merge_certificate(&mut self, name: &Arc<str>, index: &Index) -> bool {
        let units = self.units.of_name(Category::Certificate, name);
        let store = units.first().and_then(|(_, _, unit)| unit.certificate(name));
        let made = store.zip(name.split_once('/')).and_then(|(store, (namespace, secret))| {
            let (object, secret) = index.secret(namespace, secret)?;
            let mut certificate = certificate_of(namespace, &object.key.name, secret);
            certificate.stores = store.iter().cloned().collect();
            Some(entry(object, Position::default(), certificate, Vec::new()))
        });
        if self.certificates.get(name) == made.as_ref() {
            return false;
        }
        match made {
            Some(made) => drop(self.certificates.insert(Arc::clone(name), made)),
            None => drop(self.certificates.remove(name)),
        }
        true
    }

    /// Several of one name close it: either could stand in for the other where a guard is meant.
    fn merge_middleware(&mut self, name: &Arc<str>) -> Verdicts {
        let units = self.units.of_name(Category::Middleware, name);
        let mut verdicts = Verdicts::new();
        let mut merged = None;
        for (id, key, unit) in units {
            let Some(Whole::Middleware(made)) = unit.whole(Category::Middleware, name) else {
                continue;
            };
            let Some((owner, first)) = &mut merged else {
                merged = Some((key, Arc::clone(made)));
                continue;
            };
            let message = format!("the name `{name}` stands for {owner} and for {key}");
            let problem = Problem::error("metadata.name", message).about(Cause::Conflict);
            Arc::make_mut(first).problems.push(problem.clone());
            verdicts.insert(id, Verdict { lost: true, told: vec![problem] });
        }
        set(&mut self.translated.config.http.middlewares, name, merged.map(|(_, made)| made));
        verdicts
    }

    fn merge_transport(&mut self, name: &Arc<str>) -> Verdicts {
        let units = self.units.of_name(Category::Transport, name);
        let mut verdicts = Verdicts::new();
        let mut merged = None;
        for (id, _, unit) in units {
            let Some(Whole::Transport(made)) = unit.whole(Category::Transport, name) else {
                continue;
            };
            let Some(first) = &mut merged else {
                merged = Some(Arc::clone(made));
                continue;
            };
            let message = format!("the name `{name}` stands for another ServersTransport too");
            let problem = Problem::error("metadata.name", message).about(Cause::Conflict);
            Arc::make_mut(first).problems.push(problem.clone());
            verdicts.insert(id, Verdict { lost: true, told: vec![problem] });
        }
        set(&mut self.translated.config.http.servers_transports, name, merged);
        verdicts
    }

    /// Of several of one name that of the newer API group counts, and of one group the oldest. Of those named `default`
    /// Traefik drops all, which drops what they demand of clients too.
    fn merge_options(&mut self, name: &Arc<str>) -> Verdicts {
        let units = self.units.of_name(Category::Options, name);
        let mut verdicts = Verdicts::new();
        let mut merged: Option<(&Key, _)> = None;
        for (id, key, unit) in &units {
            let Some(Whole::Options(Some(made))) = unit.whole(Category::Options, name) else {
                continue;
            };
            let Some((owner, _)) = &merged else {
                merged = Some((key, Arc::clone(made)));
                continue;
            };
            let owner = owner.before(key);
            let message = if **name == *DEFAULT {
                let all = namespaces(&units);
                format!(
                    "Default TLS Options defined in multiple namespaces: {all}; what counts is {owner}"
                )
            } else {
                format!("the name `{name}` belongs to {owner}")
            };
            let problem = Problem::error("metadata.name", message).about(Cause::Conflict);
            verdicts.insert(*id, Verdict { lost: true, told: vec![problem] });
        }
        let merged = merged.map(|(_, made)| made);
        set(&mut self.translated.config.tls.options, name, merged);
        verdicts
    }

    /// Several named `default` are no default store, as in Traefik: none of them can be preferred, and a generated
    /// certificate harms nobody. Of others of one name the last counts. Those of an older API group than the newest are
    /// none of them.
    fn merge_store(&mut self, name: &Arc<str>) -> Verdicts {
        let units = self.units.of_name(Category::Store, name);
        let made = |unit: &'_ Unit| match unit.whole(Category::Store, name) {
            Some(Whole::Store(made)) => made.clone(),
            _ => None,
        };
        let stores = units.iter().filter_map(|unit| Some((unit, made(unit.2)?)));
        let mut stores: Vec<_> = stores.collect();
        let mut verdicts = Verdicts::new();
        let mut lose = |id: Id, made: &Entry<_>, message: String| {
            let mut told = vec![Problem::error("metadata.name", message).about(Cause::Conflict)];
            told.extend(made.problems.iter().cloned());
            verdicts.insert(id, Verdict { lost: true, told });
        };
        let first = stores.first().map(|((_, key, _), _)| *key);
        let newest = stores
            .iter()
            .take_while(|((_, key, _), _)| Some(key.group) == first.map(|first| first.group))
            .count();
        for ((id, key, _), made) in stores.split_off(newest) {
            let owner = first.map(|first| first.before(key)).unwrap_or_default();
            lose(*id, &made, format!("the name `{name}` belongs to {owner}"));
        }
        let mut merged = stores.last().map(|(_, made)| Arc::clone(made));
        if **name == *DEFAULT && stores.len() > 1 {
            merged = None;
            let units: Vec<_> = stores.iter().map(|(unit, _)| **unit).collect();
            let message = format!(
                "Default TLS Stores defined in multiple namespaces: {}",
                namespaces(&units)
            );
            for ((id, ..), made) in stores {
                lose(*id, &made, message.clone());
            }
        }
        set(&mut self.translated.config.tls.stores, name, merged);
        verdicts
    }

    /// The router of the only one that has the name in the end.
    fn merge_router(&mut self, name: &Arc<str>) {
        let units = self.units.of_name(Category::Router, name);
        let router = units.first().and_then(|(_, _, unit)| unit.router(name)).cloned();
        set(&mut self.translated.config.http.routers, name, router);
    }

    /// The same origin again replaces a service, as in Traefik, with a warning where the settings differ, but for one of
    /// an older API group; another origin of the same name closes both, because either could get the other's requests.
    fn merge_service(&mut self, name: &Arc<str>, index: &Index, round: &Round) -> Verdicts {
        let units = self.units.of_name(Category::Service, name);
        let mut verdicts = Verdicts::new();
        let mut merged: Option<Known<'_>> = None;
        let offers = units.iter().flat_map(|(id, key, unit)| {
            unit.services(name).iter().map(|offer| ((*id, *key), offer))
        });
        for (by, offer) in offers {
            let Some(known) = &mut merged else {
                let (origin, service, clashes) = (&*offer.origin, &offer.service, Vec::new());
                merged = Some(Known { origin, by, service, clashes });
                continue;
            };
            if known.origin != offer.origin {
                let message =
                    format!("the name stands for {} and for {}", known.origin, offer.origin);
                let clash = Problem::error("", message).about(Cause::Conflict);
                if !known.clashes.contains(&clash) {
                    known.clashes.push(clash);
                }
                continue;
            }
            if known.by.1.group < by.1.group {
                if !known.service.has_settings_of(&offer.service) {
                    let owner = known.by.1.before(by.1);
                    let message =
                        format!("service `{name}` is defined with other settings by {owner}");
                    let problem = Problem::warning("", message).about(Cause::Conflict);
                    verdicts.entry(by.0).or_default().told.push(problem);
                }
                continue;
            }
            let is_kept = known.by.1.group == by.1.group
                && match &*self.view {
                    // Traefik skips what asks for it.
                    View::Traefik(_) => offer.service.is_disabled() && !known.service.is_disabled(),
                    // There is one service for all paths that lead to it.
                    View::Ingresses(_) => !known.service.is_disabled(),
                };
            if is_kept {
                continue;
            }
            if !known.service.has_settings_of(&offer.service) {
                let message = format!(
                    "service `{name}` is defined with other settings by {}; the last one wins",
                    known.by.1
                );
                let problem = Problem::warning("", message).about(Cause::Conflict);
                verdicts.entry(by.0).or_default().told.push(problem);
            }
            (known.by, known.service) = (by, &offer.service);
        }
        let made = merged.map(|Known { by, service, clashes, .. }| {
            let is_fresh = round.fresh.contains(&by.0);
            let NewService { mut entry, endpoints } = service.clone();
            if let Some(endpoints) = endpoints.as_ref().filter(|_| !is_fresh) {
                put_servers(&mut entry, endpoints.servers(index));
            }
            if !clashes.is_empty() {
                Arc::make_mut(&mut entry).problems.extend(clashes);
            }
            NewService { entry, endpoints }
        });
        self.put_service(name, made);
        verdicts
    }

    fn put_service(&mut self, name: &Arc<str>, made: Option<NewService>) {
        let balancers = &mut self.translated.balancers;
        let services = &mut self.translated.config.http.services;
        if let Some(service) = services.get(name).and_then(|known| service_of(known))
            && let Some(known) = balancers.get_mut(&service)
        {
            known.retain(|balancer| balancer.name != *name);
            if known.is_empty() {
                balancers.remove(&service);
            }
        }
        let (entry, endpoints) =
            made.map(|NewService { entry, endpoints }| (entry, endpoints)).unzip();
        if let Some(endpoints) = endpoints.flatten() {
            let known = balancers.entry(endpoints.service.clone()).or_default();
            let at = known.partition_point(|balancer| balancer.name < *name);
            known.insert(at, Balancer { name: Arc::clone(name), endpoints });
        }
        set(services, name, entry);
    }
}

impl NewService {
    /// Adds problems that it survives.
    pub(super) fn warn(&mut self, warnings: Vec<Problem>) {
        if !warnings.is_empty() {
            Arc::make_mut(&mut self.entry).problems.extend(warnings);
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.entry.is_disabled()
    }

    /// Whether the settings of both are the same. Where servers are the endpoints of the same Service, they may have
    /// been looked up at different times.
    fn has_settings_of(&self, other: &Self) -> bool {
        // Where no server is there, nothing else than the endpoints shows the scheme.
        if self.endpoints != other.endpoints {
            return false;
        }
        match (&*self.entry.spec, &*other.entry.spec) {
            (Service::LoadBalancer(one), Service::LoadBalancer(two))
                if self.endpoints.is_some() && one.servers != two.servers =>
            {
                let servers = two.servers.clone();
                LoadBalancer { servers, ..one.clone() } == *two
            }
            (one, two) => one == two,
        }
    }
}

/// The Service that a load balancer's servers come from.
fn service_of(entry: &Entry<Service>) -> Option<ServiceName> {
    let Service::LoadBalancer(balancer) = &*entry.spec else { return None };
    let origin = balancer.origin.as_ref()?;
    Some(ServiceName { namespace: origin.namespace.clone(), name: origin.name.clone() })
}

fn put_servers(entry: &mut Arc<Entry<Service>>, servers: Vec<portway_model::dynamic::Server>) {
    match &*entry.spec {
        Service::LoadBalancer(balancer) if balancer.servers != servers => {
            let balancer = LoadBalancer { servers, ..balancer.clone() };
            Arc::make_mut(entry).spec = Arc::new(Service::LoadBalancer(balancer));
        }
        _ => {}
    }
}

/// The namespaces of those who would have a name, sorted.
fn namespaces(units: &[(Id, &Key, &Unit)]) -> String {
    let mut namespaces: Vec<_> = units.iter().map(|(_, key, _)| key.namespace.as_str()).collect();
    namespaces.sort_unstable();
    format!("[{}]", namespaces.join(" "))
}

/// Puts under a name what stands there now; what is equal stays the same.
fn set<T: PartialEq>(names: &mut Names<Entry<T>>, name: &Arc<str>, now: Option<Arc<Entry<T>>>) {
    let Some(now) = now else {
        names.remove(name);
        return;
    };
    if names.get(name).is_none_or(|known| *known != now) {
        names.insert(Arc::clone(name), now);
    }
}
