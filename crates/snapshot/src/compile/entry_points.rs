//! The tables of the entry points: claims in order of priority, under an index.

use std::{cmp::Reverse, sync::Arc};

use portway_middleware::Chain;
use portway_model::{
    Severity,
    name::{provider, qualify},
    runtime::{Runtime, Status},
};
use portway_rule::Index;
use portway_tls::{Applied, EntryPointTls, Options, TlsRouter};

use crate::{
    EntryPoint, Route, Settings, Table, Target,
    compile::{
        names::precedence,
        routers::{Claim, options_name},
    },
};

/// Builds each entry point's tables and its way of accepting TLS.
pub(crate) fn build(
    mut claims: Vec<Claim>,
    settings: &Settings,
    options: &Options,
    runtime: &mut Runtime,
) -> Vec<EntryPoint> {
    // The order of routers of equal priority is Traefik's precedence of providers, then age, then name.
    claims.sort_by(|a, b| key(a).cmp(&key(b)));
    settings
        .entry_points
        .iter()
        .map(|entry_point| {
            let mine = |claim: &&Claim| claim.using.contains(&entry_point.name);
            let (secure, plain): (Vec<&Claim>, Vec<&Claim>) =
                claims.iter().filter(mine).partition(|claim| claim.router.tls.is_some());
            let (tls, applied) = accepting(&secure, options);
            for (claim, applied) in secure.iter().zip(&applied) {
                tell(runtime, claim, applied);
            }
            let applied = secure.iter().zip(applied.iter().map(Some));
            EntryPoint {
                plain: table(plain.iter().map(|claim| (*claim, None))),
                secure: table(applied.map(|(claim, applied)| (*claim, applied))),
                tls,
            }
        })
        .collect()
}

fn key(claim: &Claim) -> impl Ord + '_ {
    let age = (claim.created.is_none(), claim.created.as_deref());
    (Reverse(claim.priority), precedence(&claim.name), age, &claim.name)
}

/// How TLS connections are accepted, and what became of each router's options.
fn accepting(claims: &[&Claim], options: &Options) -> (EntryPointTls, Vec<Applied>) {
    let asked: Vec<(Vec<String>, String)> = claims
        .iter()
        .map(|claim| {
            let written = claim.router.tls.as_ref().map_or("", |tls| tls.options.as_str());
            let hosts = claim.rule.hosts().iter().map(ToString::to_string).collect();
            (hosts, options_name(written, &claim.name))
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

fn tell(runtime: &mut Runtime, claim: &Claim, applied: &Applied) {
    let Some(problem) = &applied.problem else { return };
    let Some(info) = runtime.routers.get_mut(claim.name.as_ref()) else { return };
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

/// Routes that are in order of priority already, under an index.
fn table<'a>(claims: impl Iterator<Item = (&'a Claim, Option<&'a Applied>)>) -> Table {
    let mut rules = Vec::new();
    let mut routes = Vec::new();
    for (id, (claim, applied)) in (0..u32::MAX).zip(claims) {
        let rule = Arc::clone(&claim.rule);
        rules.push(portway_rule::Route { priority: claim.priority, rule, id });
        routes.push(route(claim, applied));
    }
    Table { index: Index::new(rules), routes }
}

fn route(claim: &Claim, applied: Option<&Applied>) -> Route {
    let problem = applied.and_then(|applied| applied.problem.as_ref());
    let refused = problem.is_some_and(|problem| problem.severity == Severity::Error);
    let (chain, target) = match &claim.run {
        Some((chain, target)) if !refused => (chain.clone(), target.clone()),
        _ => (Chain::default(), Target::Closed),
    };
    let observability = claim.router.observability.as_ref();
    Route {
        name: Arc::clone(&claim.name),
        chain,
        target,
        service: qualify(&claim.router.service, provider(&claim.name)).into(),
        tls_options: applied.map_or_else(|| "".into(), |applied| Arc::clone(&applied.options)),
        access_log: observability.and_then(|o| o.access_logs).unwrap_or(true),
    }
}
