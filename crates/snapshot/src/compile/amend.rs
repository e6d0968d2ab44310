//! A new snapshot out of the one before, at the cost of what changed.
//!
//! What changed is found by comparing pointers. A service or middleware that changed is compiled again, and so is
//! every router that uses it, that changed itself, or that did not work: what is said of such a one may depend on
//! any name. All else is shared with the snapshot before. Where objects depend on each other in other ways than
//! through these references ([`Ties`]) nothing is amended, and everything is compiled anew; the
//! outcome is the same either way.

use std::{collections::BTreeSet, sync::Arc};

use portway_model::{
    Change, Entry, Names,
    dynamic::{Config, Middleware, Router, Service},
    name::{provider, qualify},
    runtime::{MiddlewareInfo, Runtime, ServiceInfo},
};
use rustls_pki_types::UnixTime;

use crate::{
    EntryPoint, Settings, Snapshot,
    compile::{
        Carried, Configs, Environment, Ties,
        entry_points::Uniform,
        hash,
        middlewares::{self, Outside},
        names::{self, Objects, find, listed_middleware, listed_service},
        routers,
        services::{self, Leaves},
        split, tls,
        transports::{self, Transports},
        users::forget,
    },
};

/// The part of all routers beyond which compiling everything costs less.
const LARGE_PART: usize = 4;
/// Routers that are compiled one by one in any case.
const SMALL: usize = 64;

/// What becomes of the snapshot `before`; `None` where it takes compiling everything.
pub(crate) fn amend(
    configs: &Configs,
    settings: &Settings,
    environment: &Environment,
    now: UnixTime,
    before: &Snapshot,
) -> Option<Snapshot> {
    let carried = &before.carried;
    let is_simple = carried.settings.as_ref() == Some(settings)
        && !carried.ties.entangled
        && carried.configs.keys().eq(configs.keys())
        && pairs(&carried.configs, configs).all(|(before, now)| same_beside_routing(before, now));
    if !is_simple {
        return None;
    }
    let mut objects = Objects::default();
    let mut amendment = Amendment::new(configs, settings, before);
    names::rest(&mut objects, configs, &mut amendment.runtime);
    let transports = transports::compile(
        &objects,
        settings,
        environment,
        carried,
        &mut amendment.carried,
        &mut amendment.runtime,
    );
    amendment.services(&transports)?;
    amendment.middlewares(environment)?;
    let tls = &mut amendment.carried.tls;
    let runtime = &mut amendment.runtime;
    let options = tls::compile(&objects, environment, now, &carried.tls, tls, runtime);
    let uniform = Uniform::new(&options);
    let before = before.entry_points.iter();
    amendment.entry_points = before.map(|entry_point| uniform.renew(entry_point)).collect();
    amendment.routers(&uniform)?;
    amendment.shown()?;
    routers::tell_resolvers(&amendment.carried, &mut amendment.runtime);
    Some(amendment.finish())
}

/// What each provider said and says.
fn pairs<'a>(
    before: &'a Configs,
    now: &'a Configs,
) -> impl Iterator<Item = (&'a Config, &'a Config)> {
    before.values().zip(now.values()).map(|(before, now)| (&**before, &**now))
}

/// Whether all is the same but routers, services, middlewares and what sources complain of.
fn same_beside_routing(before: &Config, now: &Config) -> bool {
    before.tls == now.tls && before.http.servers_transports == now.http.servers_transports
}

/// A snapshot that is being made out of the one before.
struct Amendment<'a> {
    configs: &'a Configs,
    settings: &'a Settings,
    before: &'a Snapshot,
    carried: Carried,
    runtime: Runtime,
    entry_points: Vec<EntryPoint>,
    /// Names of routers, as they were written, that are compiled again.
    touched: BTreeSet<Arc<str>>,
    /// Services that changed or that may be used by others than before.
    services: BTreeSet<Arc<str>>,
    /// Middlewares that may be used by others than before.
    middlewares: BTreeSet<String>,
}

impl<'a> Amendment<'a> {
    fn new(configs: &'a Configs, settings: &'a Settings, before: &'a Snapshot) -> Self {
        let was = &before.carried;
        let carried = Carried {
            settings: was.settings.clone(),
            configs: configs.clone(),
            sum: was.sum.after(&was.configs, configs),
            upstream: was.upstream.clone(),
            services: was.services.clone(),
            middlewares: was.middlewares.clone(),
            routers: was.routers.clone(),
            ties: was.ties.clone(),
            ..Carried::default()
        };
        let runtime = Runtime {
            routers: before.runtime.routers.clone(),
            services: before.runtime.services.clone(),
            middlewares: before.runtime.middlewares.clone(),
            ..Runtime::default()
        };
        Self {
            configs,
            settings,
            before,
            carried,
            runtime,
            entry_points: Vec::new(),
            touched: BTreeSet::new(),
            services: BTreeSet::new(),
            middlewares: BTreeSet::new(),
        }
    }

    /// Compiles services that changed.
    fn services(&mut self, transports: &Transports) -> Option<()> {
        let ties = &self.before.carried.ties;
        for (name, change) in changes(self.before, self.configs, |config| &config.http.services) {
            let compound = |entry: Option<&Arc<Entry<Service>>>| {
                entry.is_some_and(|entry| entry.spec.is_compound())
            };
            if ties.holds(&name, &change) || compound(change.before) || compound(change.now) {
                return None;
            }
            let info = self.runtime.services.remove(&name);
            let used_by = info.map(|info| info.used_by.clone()).unwrap_or_default();
            self.touch(&used_by);
            match change.now {
                None => drop(self.carried.services.remove(&name)),
                Some(entry) => {
                    let leaves = Leaves { transports, carried: &self.carried.upstream };
                    let built = leaves.build(&name, entry);
                    let mut info = ServiceInfo { used_by, ..listed_service(&name, entry) };
                    services::tell(&mut info, entry, &built);
                    self.carried.services.insert(Arc::clone(&name), built);
                    self.runtime.services.insert(Arc::clone(&name), info);
                }
            }
            self.services.insert(name);
        }
        Some(())
    }

    /// Compiles middlewares that changed.
    fn middlewares(&mut self, environment: &Environment) -> Option<()> {
        let ties = &self.before.carried.ties;
        for (name, change) in changes(self.before, self.configs, |config| &config.http.middlewares)
        {
            let refers = |entry: Option<&Arc<Entry<Middleware>>>| {
                entry.is_some_and(|entry| middlewares::refers(&entry.spec))
            };
            if ties.holds(&name, &change) || refers(change.before) || refers(change.now) {
                return None;
            }
            let info = self.runtime.middlewares.remove(&name);
            let used_by = info.map(|info| info.used_by.clone()).unwrap_or_default();
            self.touch(&used_by);
            let (made, warned) = (&mut self.carried.middlewares, &mut self.carried.ties.warned);
            let Some(entry) = change.now else {
                made.remove(&name);
                warned.remove(&name);
                continue;
            };
            let outside = Outside { environment, upstream: &self.carried.upstream };
            let one = middlewares::make(&name, entry, made.get(&name), outside);
            let mut info = MiddlewareInfo { used_by, ..listed_middleware(entry) };
            if let Err(reason) = &one.result {
                middlewares::tell(&mut info, entry, reason);
            }
            middlewares::insert(&name, one, made, warned);
            self.runtime.middlewares.insert(name, info);
        }
        middlewares::tell_warnings(&self.carried, &mut self.runtime);
        Some(())
    }

    /// Compiles routers that changed, and those that use something else that did.
    fn routers(&mut self, uniform: &Uniform) -> Option<()> {
        self.touch(&self.before.carried.ties.closed);
        let changed = changes(self.before, self.configs, |config| &config.http.routers);
        self.touched.extend(changed.map(|(name, _)| name));
        let all = self.before.runtime.routers.len();
        if self.touched.len() > SMALL && self.touched.len() * LARGE_PART > all {
            return None;
        }
        let touched = std::mem::take(&mut self.touched);
        touched.iter().for_each(|written| self.take_out(written));
        touched.iter().try_for_each(|written| self.put_in(written, uniform))
    }

    /// Takes a router and its copies out of everything.
    fn take_out(&mut self, written: &str) {
        self.carried.ties.resolving.remove(written);
        let entry = find(written, &self.before.carried.configs, |config| &config.http.routers);
        let Some(entry) = entry else { return };
        let split = split::by_entry_point(written, entry, self.settings, |_| false);
        for name in split.routers.into_iter().map(|part| part.name) {
            if let Some(placed) = self.carried.routers.remove(&name) {
                placed.take_out(&mut self.entry_points);
            }
            let Some(info) = self.runtime.routers.remove(&name) else { continue };
            self.carried.ties.closed.remove(&name);
            forget(&name, &info, &mut self.runtime);
            self.concern(&name, &info.router);
        }
    }

    /// Compiles a router as it is written now and puts it and its copies in.
    fn put_in(&mut self, written: &Arc<str>, uniform: &Uniform) -> Option<()> {
        let configs = self.configs;
        let Some(entry) = find(written, configs, |config| &config.http.routers) else {
            return Some(());
        };
        let taken = |name: &str| {
            routers::is_written(name, configs) || self.runtime.routers.contains_key(name)
        };
        routers::note_resolver(written, entry, &mut self.carried);
        let split = split::by_entry_point(written, entry, self.settings, taken);
        for part in split.routers {
            if split.renamed || self.runtime.routers.contains_key(&part.name) {
                return None;
            }
            let (name, router) = (part.name.clone(), Arc::clone(&part.entry.spec));
            let (settings, before) = (self.settings, self.before);
            let (carried, runtime) = (&mut self.carried, &mut self.runtime);
            let claim = routers::one(written, part, settings, before, carried, runtime);
            if let Some(claim) = claim {
                if claim.wants_other_options() {
                    return None;
                }
                uniform.place(&claim, &mut self.entry_points, carried, runtime);
            }
            self.concern(&name, &router);
        }
        Some(())
    }

    /// Brings what is shown of services and chains up to their users.
    fn shown(&mut self) -> Option<()> {
        for name in std::mem::take(&mut self.services) {
            let used = |runtime: &Runtime| {
                runtime.services.get(&name).is_some_and(|info| services::is_used(info, runtime))
            };
            let turned = used(&self.runtime) != used(&self.before.runtime);
            let Some(info) = self.runtime.services.get(&name) else { continue };
            if turned && info.service.is_compound() {
                // What it leads to is reached or not reached any more.
                return None;
            }
            services::note_servers_of(&name, &self.carried, &mut self.runtime);
        }
        for name in std::mem::take(&mut self.middlewares) {
            let Some(info) = self.runtime.middlewares.get(&name) else { continue };
            let entry = find(&name, self.configs, |config| &config.http.middlewares);
            let is_chain = matches!(*info.middleware, Middleware::Chain(_));
            if info.used_by.is_empty() && is_chain && self.carried.ties.parts.contains(&name) {
                // A service may use it still.
                return None;
            }
            if info.used_by.is_empty()
                && let Some(entry) = entry
                && let Some(info) = self.runtime.middlewares.get_mut(&name)
            {
                info.middleware = Arc::clone(&entry.spec);
            }
        }
        Some(())
    }

    fn finish(self) -> Snapshot {
        let hash = hash::hash(self.carried.sum, self.configs, self.settings);
        let Self { carried, runtime, entry_points, .. } = self;
        Snapshot { entry_points, runtime, hash, carried }
    }

    /// Routers of these names, and all copies of the same written one, are to be compiled again.
    fn touch(&mut self, routers: &Names<()>) {
        let known = routers.keys().filter_map(|name| self.before.carried.routers.get(name));
        self.touched.extend(known.map(|placed| Arc::clone(&placed.written)));
    }

    /// A router that refers to these comes or goes.
    fn concern(&mut self, name: &str, router: &Router) {
        let of = provider(name);
        self.services.insert(qualify(&router.service, of).into());
        self.middlewares
            .extend(router.middlewares.iter().map(|middleware| qualify(middleware, of)));
    }
}

impl Ties {
    /// Whether what becomes of an object concerns others than the routers that use it.
    fn holds<T>(&self, name: &str, change: &Change<'_, T>) -> bool {
        let new_name = change.before.is_none() || change.now.is_none();
        self.parts.contains(name) || (self.broken && new_name)
    }
}

/// Each object of one kind that changed, under its qualified name.
fn changes<'a, T: 'a>(
    before: &'a Snapshot,
    configs: &'a Configs,
    objects: impl Fn(&'a Config) -> &'a Names<Entry<T>>,
) -> impl Iterator<Item = (Arc<str>, Change<'a, Entry<T>>)> {
    let pairs = before.carried.configs.iter().zip(configs.values());
    pairs.flat_map(move |((provider, before), now)| {
        let changes = objects(now).changes(objects(before));
        changes.map(move |change| (format!("{}@{provider}", change.name).into(), change))
    })
}
