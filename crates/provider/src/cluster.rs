//! The objects of a cluster, translated whenever they change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portway_kubernetes::{
    INGRESS_PROVIDER, Index, PROVIDER,
    cluster::{Changed, Cluster},
    translate, translate_ingresses,
};
use portway_model::{
    Diagnostic,
    dynamic::{Config, Http},
    static_config::{KubernetesIngress, KubernetesObjects},
};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use crate::Update;

/// What is made of a cluster's objects: what one provider says of them, or two.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// The provider `kubernetescrd`, where it is wanted.
    pub crd: Option<KubernetesObjects>,
    /// The provider `kubernetes`, where it is wanted.
    pub ingress: Option<KubernetesIngress>,
}

impl Views {
    /// The names of the providers.
    pub fn providers(&self) -> impl Iterator<Item = &'static str> {
        let crd = self.crd.is_some().then_some(PROVIDER);
        crd.into_iter().chain(self.ingress.is_some().then_some(INGRESS_PROVIDER))
    }

    fn translate(&self, index: &Index) -> BTreeMap<&'static str, Config> {
        let crd = self.crd.iter().map(|options| (PROVIDER, translate(index, options)));
        let ingress = self.ingress.iter();
        let ingress = ingress.map(|o| (INGRESS_PROVIDER, translate_ingresses(index, o)));
        crd.chain(ingress).collect()
    }
}

/// Sends what the objects of a cluster say, first when all of them are known and then with each change, until nobody
/// receives.
///
/// After an update, changes are gathered for as long as `throttle` (Traefik: `throttleDuration`); a change of
/// endpoints waits for nothing, because requests fail on servers that are gone.
pub async fn follow(
    mut cluster: Cluster,
    views: Views,
    throttle: Duration,
    updates: mpsc::Sender<Update>,
) {
    let views = Arc::new(views);
    let mut last: BTreeMap<&'static str, Http> = BTreeMap::new();
    let mut due = Instant::now();
    while let Some(changed) = gather(&mut cluster, due, &updates).await {
        let (index, translator) = (cluster.index(), Arc::clone(&views));
        // Many objects take longer than other tasks of this runtime should wait.
        let translated = tokio::task::spawn_blocking(move || translator.translate(&index)).await;
        let configs = match translated {
            Ok(configs) => configs,
            Err(error) => {
                // A fault of ours; what was said last stays.
                tracing::error!("the objects of the cluster could not be translated: {error}");
                continue;
            }
        };
        let mut update = Update { configs: BTreeMap::new(), urgent: changed.endpoints };
        // What concerns the whole cluster is said once.
        let mut diagnostics = cluster.diagnostics();
        for (provider, mut config) in configs {
            config.diagnostics.append(&mut diagnostics);
            if let Some(last) = last.get(provider) {
                config.http.share(last);
            }
            last.insert(provider, config.http.clone());
            update.configs.insert(provider.to_owned(), Arc::new(config));
        }
        due = Instant::now() + throttle;
        if updates.send(update).await.is_err() {
            return;
        }
    }
}

/// Waits for a change of what is complete, and gathers others until `due`; `None` when nobody receives any more.
async fn gather(
    cluster: &mut Cluster,
    due: Instant,
    updates: &mpsc::Sender<Update>,
) -> Option<Changed> {
    let mut all = Changed::default();
    let mut told = Vec::new();
    loop {
        let complete = cluster.is_complete();
        if !complete {
            // Nothing is live yet that could show them.
            tell(&mut told, cluster.diagnostics());
        }
        let ready = complete && !all.is_nothing();
        let changed = tokio::select! {
            changed = cluster.changed() => changed,
            () = time::sleep_until(due), if ready => return Some(all),
            () = updates.closed() => return None,
        };
        all = all.and(changed);
        if cluster.is_complete() && all.endpoints {
            return Some(all);
        }
    }
}

/// Logs what was not told before.
fn tell(told: &mut Vec<Diagnostic>, now: Vec<Diagnostic>) {
    for diagnostic in now.iter().filter(|diagnostic| !told.contains(diagnostic)) {
        tracing::error!("waiting for the cluster: {diagnostic}");
    }
    *told = now;
}
