//! The tables of the entry points: claims in order of priority, under an index.

use std::sync::Arc;

use portway_model::{
    Cause, Severity,
    runtime::{Runtime, Status},
};
use portway_tls::{Applied, EntryPointTls, Options, TlsRouter};

use crate::{
    EntryPoint, Route, Settings, Table,
    compile::{
        Carried,
        names::DEFAULT,
        routers::{Claim, Placed, options_name},
        split::free,
        users::{forget, refer},
    },
};

/// Builds each entry point's tables and its way of accepting TLS.
pub(crate) fn build(
    claims: &[Claim],
    settings: &Settings,
    options: &Options,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Vec<EntryPoint> {
    if claims.iter().any(Claim::wants_other_options) {
        carried.ties.entangled = true;
        let all = settings.entry_points.iter().enumerate();
        return all.map(|(number, e)| one(number, &e.name, claims, options, runtime)).collect();
    }
    let uniform = Uniform::new(options);
    let mut entry_points = vec![uniform.entry_point(); settings.entry_points.len()];
    for claim in claims {
        uniform.place(claim, &mut entry_points, carried, runtime);
    }
    entry_points
}

/// Routers all of which take the default TLS options: what becomes of one depends on no other.
pub(crate) struct Uniform {
    tls: Arc<EntryPointTls>,
    applied: Applied,
}

impl Uniform {
    pub(crate) fn new(options: &Options) -> Self {
        let (tls, _) = EntryPointTls::compile(&[], options);
        let router = TlsRouter { rule: "", hosts: &[], options: None };
        let (_, mut applied) = EntryPointTls::compile(&[router], options);
        let default = || Applied { options: DEFAULT.into(), conflicted: false, problem: None };
        Self { tls: Arc::new(tls), applied: applied.pop().unwrap_or_else(default) }
    }

    /// An entry point without routers.
    pub(crate) fn entry_point(&self) -> EntryPoint {
        let tls = Arc::clone(&self.tls);
        EntryPoint { plain: Table::default(), secure: Table::default(), tls }
    }

    /// The same entry point with TLS as it is accepted now.
    pub(crate) fn renew(&self, entry_point: &EntryPoint) -> EntryPoint {
        EntryPoint { tls: Arc::clone(&self.tls), ..entry_point.clone() }
    }

    /// Puts a claim into its tables.
    pub(crate) fn place(
        &self,
        claim: &Claim,
        entry_points: &mut [EntryPoint],
        carried: &mut Carried,
        runtime: &mut Runtime,
    ) {
        let name = &claim.order.name;
        let route = |applied| Arc::new(route(claim, Arc::clone(name), applied));
        let plain = claim.tls.is_none().then(|| route(None));
        let secure = claim.is_secure().then(|| route(Some(&self.applied)));
        if secure.is_some() {
            tell(runtime, name, &self.applied);
        }
        for number in &claim.using {
            let Some(entry_point) = entry_points.get_mut(*number) else { continue };
            plain.iter().for_each(|route| entry_point.plain.index.insert(route));
            secure.iter().for_each(|route| entry_point.secure.index.insert(route));
        }
        if let Some(placed) = carried.routers.get_mut(name) {
            *placed = Placed { using: claim.using.clone(), plain, secure, ..placed.clone() };
        }
    }
}

impl Placed {
    /// Takes a router out of the tables again.
    pub(crate) fn take_out(&self, entry_points: &mut [EntryPoint]) {
        for number in &self.using {
            let Some(entry_point) = entry_points.get_mut(*number) else { continue };
            self.plain.iter().for_each(|route| entry_point.plain.index.remove(route));
            self.secure.iter().for_each(|route| entry_point.secure.index.remove(route));
        }
    }
}

impl Claim {
    fn is_secure(&self) -> bool {
        self.tls.is_some() || self.tls_unread
    }

    /// Whether its TLS options may conflict with those of others.
    pub(crate) fn wants_other_options(&self) -> bool {
        self.tls.as_ref().is_some_and(|options| options != DEFAULT) && !self.is_silent
    }
}

/// An entry point whose routers take different TLS options.
fn one(
    number: usize,
    name: &str,
    claims: &[Claim],
    options: &Options,
    runtime: &mut Runtime,
) -> EntryPoint {
    let mine = || claims.iter().filter(|claim| claim.using.contains(&number));
    let plain = mine().filter(|claim| claim.tls.is_none());
    // What is told of several routers is told in the order in which they are tried.
    let mut secure: Vec<&Claim> = mine().filter(|claim| claim.is_secure()).collect();
    secure.sort_by(|a, b| a.order.cmp(&b.order));
    let (tls, applied) = accepting(&secure, options, runtime);
    let plain = plain.map(|claim| Arc::new(route(claim, Arc::clone(&claim.order.name), None)));
    let secure = secure.into_iter().zip(&applied).map(|(claim, applied)| {
        let name = match applied.conflicted {
            true => conflicted(name, claim, runtime),
            false => Arc::clone(&claim.order.name),
        };
        tell(runtime, &name, applied);
        Arc::new(route(claim, name, Some(applied)))
    });
    EntryPoint { plain: plain.collect(), secure: secure.collect(), tls: Arc::new(tls) }
}

/// How TLS connections are accepted, and what became of each router's options.
fn accepting(
    claims: &[&Claim],
    options: &Options,
    runtime: &Runtime,
) -> (EntryPointTls, Vec<Applied>) {
    let asked: Vec<(&str, Vec<String>, &str)> = claims
        .iter()
        .map(|claim| {
            let info = runtime.routers.get(&claim.order.name);
            let rule = info.map_or("", |info| info.router.rule.as_str());
            match &claim.tls {
                Some(options) if !claim.is_silent => {
                    let hosts = claim.rule.hosts().iter().map(ToString::to_string).collect();
                    (rule, hosts, options.as_str())
                }
                _ => (rule, Vec::new(), DEFAULT),
            }
        })
        .collect();
    let routers: Vec<TlsRouter<'_>> = asked
        .iter()
        .map(|(rule, hosts, options)| TlsRouter { rule, hosts, options: Some(options) })
        .collect();
    EntryPointTls::compile(&routers, options)
}

/// Gives a router whose TLS options do not stand on an entry point a name of its own there, as Traefik does:
/// `<entry point>-conflicted-<name>`.
fn conflicted(entry_point: &str, claim: &Claim, runtime: &mut Runtime) -> Arc<str> {
    let name = format!("{entry_point}-conflicted-{}", claim.order.name);
    let name = free(entry_point, &name, |name| runtime.routers.contains_key(name));
    let Some(whole) = runtime.routers.get_mut(&claim.order.name) else {
        return Arc::clone(&claim.order.name);
    };
    let before = whole.clone();
    let mut part = whole.clone();
    part.using = [entry_point.into()].into();
    Arc::make_mut(&mut part.router).entry_points = vec![entry_point.to_owned()];
    whole.using = whole.using.iter().filter(|used| ***used != *entry_point).cloned().collect();
    if whole.router.entry_points.iter().any(|named| named == entry_point) {
        Arc::make_mut(&mut whole.router).entry_points.retain(|named| named != entry_point);
    }
    let gone = whole.entry_points().is_empty();
    if gone {
        runtime.routers.remove(&claim.order.name);
        forget(&claim.order.name, &before, runtime);
    }
    runtime.routers.insert(name.as_str(), part);
    refer(&name, &before, runtime);
    name.into()
}

fn tell(runtime: &mut Runtime, name: &str, applied: &Applied) {
    let Some(problem) = &applied.problem else { return };
    let Some(info) = runtime.routers.get_mut(name) else { return };
    let asked = info.router.tls.as_ref().map(|tls| options_name(&tls.options, name));
    let is_known = asked.is_none_or(|asked| runtime.found.options.contains_key(&asked));
    let cause = match applied.conflicted {
        _ if !is_known => Cause::Reference,
        true => Cause::Conflict,
        false => problem.cause,
    };
    info.tls = Some(Box::new(problem.clone().about(cause)));
    let (status, text) = match problem.severity {
        Severity::Error => {
            (Status::Disabled, format!("building router handler: {}", problem.message))
        }
        Severity::Warning => (Status::Warning, problem.message.clone()),
    };
    info.status = info.status.max(status);
    info.stopped |= status == Status::Disabled;
    if !info.errors.contains(&text) {
        info.errors.push(text);
    }
}

fn route(claim: &Claim, name: Arc<str>, applied: Option<&Applied>) -> Route {
    let problem = applied.and_then(|applied| applied.problem.as_ref());
    let refused = problem.is_some_and(|problem| problem.severity == Severity::Error);
    let run = claim.run.as_ref().filter(|_| !refused);
    Route {
        rule: Arc::clone(&claim.rule),
        order: claim.order.clone(),
        name,
        steps: run.cloned().unwrap_or_default(),
        service: Arc::clone(&claim.service),
        tls_options: applied.map_or_else(Arc::default, |applied| Arc::clone(&applied.options)),
        access_log: claim.access_log,
        timeouts: claim.timeouts,
    }
}
