//! The tables of the entry points: claims in order of priority, under an index.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use portway_middleware::Chain;
use portway_model::{
    name::{provider, qualify},
    runtime::{Runtime, Status},
};
use portway_rule::Index;

use crate::{
    EntryPoint, Route, Settings, Table, Target,
    compile::{
        names::precedence,
        routers::{Claim, options_name},
        tls::TlsParts,
    },
};

/// Builds each entry point's tables and its way of accepting TLS.
pub(crate) fn build(
    mut claims: Vec<Claim>,
    settings: &Settings,
    tls: &TlsParts,
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
            let (acceptor, warnings) = tls.acceptor(&secure);
            for (router, warning) in warnings {
                warn(runtime, &router, warning);
            }
            EntryPoint {
                plain: table(&plain, |_| "".into()),
                secure: table(&secure, |claim| acceptor.options_of(&claim.name)),
                tls: acceptor,
            }
        })
        .collect()
}

fn key(claim: &Claim) -> impl Ord + '_ {
    let age = (claim.created.is_none(), claim.created.as_deref());
    (Reverse(claim.priority), precedence(&claim.name), age, &claim.name)
}

fn warn(runtime: &mut Runtime, router: &str, warning: String) {
    if let Some(info) = runtime.routers.get_mut(router) {
        info.status = info.status.max(Status::Warning);
        if !info.errors.contains(&warning) {
            info.errors.push(warning);
        }
    }
}

fn table(claims: &[&Claim], tls_options: impl Fn(&Claim) -> Arc<str>) -> Table {
    let rules = claims.iter().map(|claim| (claim.priority, Arc::clone(&claim.rule)));
    let index = Index::new(rules);
    let routes = claims.iter().map(|claim| route(claim, tls_options(claim))).collect();
    Table { index, routes }
}

fn route(claim: &Claim, tls_options: Arc<str>) -> Route {
    let (chain, target) = match &claim.run {
        Some((chain, target)) => (chain.clone(), target.clone()),
        None => (Chain::default(), Target::Closed),
    };
    let observability = claim.router.observability.as_ref();
    Route {
        name: Arc::clone(&claim.name),
        chain,
        target,
        service: qualify(&claim.router.service, provider(&claim.name)).into(),
        tls_options,
        access_log: observability.and_then(|o| o.access_logs).unwrap_or(true),
    }
}
