//! Servers transports: how services reach their servers.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Entry, Problem,
    dynamic::ServersTransport,
    name::{provider, qualify},
    runtime::Runtime,
};
use portway_tls::ClientTls;
use portway_upstream::Transport;

use crate::{
    Settings,
    compile::{
        Carried, Environment, Kept,
        names::{Objects, disabled, report, with_nearest},
    },
};

/// Every servers transport by its qualified name: what it runs, or why it cannot.
pub(crate) struct Transports {
    /// The static one, for services that name none.
    default: Built,
    named: BTreeMap<String, Built>,
}

type Built = Result<Arc<Transport>, String>;

/// What Traefik calls the static one.
const STATIC: &str = "default@internal";

/// Compiles every transport; problems are told as diagnostics, since Traefik's API does not list transports.
pub(crate) fn compile(
    objects: &Objects<'_>,
    settings: &Settings,
    environment: &Environment,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Transports {
    let fixed = Entry::new(settings.servers_transport.clone());
    let mut build = |name: &str, entry: &Entry<ServersTransport>| {
        let mut found = Vec::new();
        let built = build(name, entry, environment, before, carried, &mut found);
        let object = format!("serversTransport {name}");
        report(runtime, object.trim_end(), entry, entry.problems.iter().chain(&found));
        runtime.found.transports.insert(name.to_owned(), found);
        built
    };
    let default = build("", &fixed);
    let all = objects.transports.iter();
    Transports {
        default,
        named: all.map(|(name, entry)| (name.clone(), build(name, entry))).collect(),
    }
}

fn build(
    name: &str,
    entry: &Entry<ServersTransport>,
    environment: &Environment,
    before: &Carried,
    carried: &mut Carried,
    problems: &mut Vec<Problem>,
) -> Built {
    if let Some(reason) = disabled("serversTransport", name, entry) {
        return Err(reason);
    }
    let config = &entry.spec;
    let kept = match before.transports.get(name).filter(|kept| kept.config == *config) {
        Some(kept) => kept.clone(),
        None => {
            let (tls, mut found) = ClientTls::compile(config, &environment.native_roots);
            if let [authority] = config.root_cas.as_slice()
                && authority.is_absent()
            {
                // It stands for those that are missing, which has been told; what follows from it is told too.
                found.retain(|problem| problem.field != "rootCAs[0]");
            }
            let Some(tls) = tls else {
                let reason = Problem::errors(&found);
                problems.extend(found);
                return Err(reason);
            };
            let compiled = Arc::new(Transport::compile(config, tls));
            Kept { config: config.clone(), compiled, warnings: found }
        }
    };
    problems.extend(kept.warnings.iter().cloned());
    let transport = Arc::clone(&kept.compiled);
    carried.transports.insert(name.to_owned(), kept);
    Ok(transport)
}

impl Transports {
    /// The transport that the service `of` names; the static one where it names none.
    ///
    /// # Errors
    /// With the reason where there is none of that name, or it cannot be built.
    pub(crate) fn find(&self, name: &str, of: &str) -> Built {
        if name.is_empty() {
            return self.default.clone();
        }
        let qualified = qualify(name, provider(of));
        if qualified == STATIC {
            return self.default.clone();
        }
        self.named.get(&qualified).cloned().unwrap_or_else(|| {
            let text = format!("servers transport not found {qualified}");
            Err(with_nearest(text, &qualified, self.named.keys().map(String::as_str)))
        })
    }
}
