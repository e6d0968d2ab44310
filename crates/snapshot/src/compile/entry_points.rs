//! The tables of the entry points: claims in order of priority, under an index.

use std::{cmp::Reverse, sync::Arc};

use portway_middleware::Chain;
use portway_model::{
    Severity,
    name::{provider, qualify},
    runtime::{Runtime, Status},
};
use portway_tls::{Applied, EntryPointTls, Options, TlsRouter};

use crate::{
    EntryPoint, Route, Settings, Target,
    compile::{
        names::{DEFAULT, precedence},
        routers::{Claim, options_name},
        split::free,
    },
    snapshot::Order,
};

/// Builds each entry point's tables and its way of accepting TLS.
pub(crate) fn build(
    claims: &[Claim],
    settings: &Settings,
    options: &Options,
    runtime: &mut Runtime,
) -> Vec<EntryPoint> {
    let all = settings.entry_points.iter();
    all.map(|entry_point| one(&entry_point.name, claims, options, runtime)).collect()
}

fn one(name: &str, claims: &[Claim], options: &Options, runtime: &mut Runtime) -> EntryPoint {
    let mine = || claims.iter().filter(|claim| claim.using.iter().any(|used| used == name));
    let plain = mine().filter(|claim| claim.router.tls.is_none());
    let secure = mine().filter(|claim| claim.router.tls.is_some() || claim.tls_unread);
    let secure: Vec<&Claim> = secure.collect();
    let (tls, applied) = accepting(&secure, options);
    let plain = plain.map(|claim| Arc::new(route(claim, Arc::clone(&claim.name), None)));
    let secure = secure.into_iter().zip(&applied).map(|(claim, applied)| {
        let name = match applied.conflicted {
            true => conflicted(name, claim, runtime),
            false => Arc::clone(&claim.name),
        };
        tell(runtime, &name, applied);
        Arc::new(route(claim, name, Some(applied)))
    });
    EntryPoint { plain: plain.collect(), secure: secure.collect(), tls }
}

fn order(claim: &Claim) -> Order {
    Order {
        priority: Reverse(claim.priority),
        precedence: precedence(&claim.name),
        ageless: claim.created.is_none(),
        created: claim.created.as_deref().map(Into::into),
        name: Arc::clone(&claim.name),
    }
}

/// How TLS connections are accepted, and what became of each router's options.
fn accepting(claims: &[&Claim], options: &Options) -> (EntryPointTls, Vec<Applied>) {
    let asked: Vec<(Vec<String>, String)> = claims
        .iter()
        .map(|claim| match &claim.router.tls {
            Some(tls) if !claim.tls_unread => {
                let hosts = claim.rule.hosts().iter().map(ToString::to_string).collect();
                (hosts, options_name(&tls.options, &claim.name))
            }
            _ => (Vec::new(), DEFAULT.to_owned()),
        })
        .collect();
    let routers: Vec<TlsRouter<'_>> = claims
        .iter()
        .zip(&asked)
        .map(|(claim, (hosts, options))| TlsRouter {
            rule: &claim.router.rule,
            hosts,
            options: Some(options),
        })
        .collect();
    EntryPointTls::compile(&routers, options)
}

/// Gives a router whose TLS options do not stand on an entry point a name of its own there, as Traefik does:
/// `<entry point>-conflicted-<name>`.
fn conflicted(entry_point: &str, claim: &Claim, runtime: &mut Runtime) -> Arc<str> {
    let name = format!("{entry_point}-conflicted-{}", claim.name);
    let name = free(entry_point, &name, |name| runtime.routers.contains_key(name));
    let Some(whole) = runtime.routers.get_mut(claim.name.as_ref()) else {
        return Arc::clone(&claim.name);
    };
    let mut part = whole.clone();
    part.using = vec![entry_point.to_owned()];
    part.router.entry_points = vec![entry_point.to_owned()];
    whole.using.retain(|used| used != entry_point);
    whole.router.entry_points.retain(|used| used != entry_point);
    let gone = whole.router.entry_points.is_empty();
    if gone {
        runtime.routers.remove(claim.name.as_ref());
    }
    let service = qualify(&claim.router.service, provider(&claim.name));
    let service = runtime.services.get_mut(&service).map(|info| &mut info.used_by);
    let middlewares = runtime.middlewares.iter_mut();
    let used = middlewares.filter(|(name, _)| claim.router.middlewares.contains(*name));
    for used_by in service.into_iter().chain(used.map(|(_, info)| &mut info.used_by)) {
        used_by.retain(|user| !gone || *user != *claim.name);
        used_by.push(name.clone());
        used_by.sort();
    }
    runtime.routers.insert(name.clone(), part);
    name.into()
}

fn tell(runtime: &mut Runtime, name: &str, applied: &Applied) {
    let Some(problem) = &applied.problem else { return };
    let Some(info) = runtime.routers.get_mut(name) else { return };
    let (status, text) = match problem.severity {
        Severity::Error => {
            (Status::Disabled, format!("building router handler: {}", problem.message))
        }
        Severity::Warning => (Status::Warning, problem.message.clone()),
    };
    info.status = info.status.max(status);
    if !info.errors.contains(&text) {
        info.errors.push(text);
    }
}

fn route(claim: &Claim, name: Arc<str>, applied: Option<&Applied>) -> Route {
    let problem = applied.and_then(|applied| applied.problem.as_ref());
    let refused = problem.is_some_and(|problem| problem.severity == Severity::Error);
    let (chain, target) = match &claim.run {
        Some((chain, target)) if !refused => (chain.clone(), target.clone()),
        _ => (Chain::default(), Target::Closed),
    };
    let observability = claim.router.observability.as_ref();
    let service = match claim.router.service.as_str() {
        "" => String::new(),
        service => qualify(service, provider(&claim.name)),
    };
    Route {
        rule: Arc::clone(&claim.rule),
        order: order(claim),
        name,
        chain,
        target,
        service: service.into(),
        tls_options: applied.map_or_else(|| "".into(), |applied| Arc::clone(&applied.options)),
        access_log: observability.and_then(|o| o.access_logs).unwrap_or(true),
    }
}
