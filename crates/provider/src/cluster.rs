//! The objects of a cluster, translated whenever they change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portway_kubernetes::{
    INGRESS_PROVIDER, Index, PROVIDER, Translated,
    cluster::{Changed, Cluster},
    translate, translate_ingresses,
};
use portway_model::{
    Diagnostic,
    static_config::{KubernetesIngress, KubernetesObjects},
};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use crate::Update;

mod reporter;

pub use reporter::{Live, Reporter};

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

    /// What all of them say now, which is `before` where nothing but endpoints has changed.
    fn translate(&self, index: &Index, changed: &Changed, before: Said) -> Said {
        if changed.is_endpoints() && !before.is_empty() {
            let mut said = before;
            for translated in said.values_mut() {
                translated.follow_endpoints(index, &changed.endpoints);
            }
            return said;
        }
        let crd = self.crd.iter().map(|options| (PROVIDER, translate(index, options)));
        let ingress = self.ingress.iter();
        let ingress = ingress.map(|o| (INGRESS_PROVIDER, translate_ingresses(index, o)));
        let mut said: Said = crd.chain(ingress).collect();
        for (provider, translated) in &mut said {
            if let Some(before) = before.get(provider) {
                translated.config.http.share(&before.config.http);
            }
        }
        said
    }
}

/// What each provider says.
type Said = BTreeMap<&'static str, Translated>;

/// How many times as long as a translation took nothing is translated again but endpoints: under ever so many changes a
/// fifth of a core goes into translating them.
const REST: u32 = 4;

/// Sends what the objects of a cluster say, first when all of them are known and then with each change, until nobody
/// receives.
///
/// After an update, changes are gathered for as long as `throttle` (Traefik: `throttleDuration`), or longer where a
/// translation takes long; a change of endpoints waits for nothing, because requests fail on servers that are gone.
pub async fn follow(
    mut cluster: Cluster,
    views: Views,
    throttle: Duration,
    mut reporter: Reporter,
    updates: mpsc::Sender<Update>,
) {
    let views = Arc::new(views);
    let (mut said, mut waiting) = (Said::new(), Changed::default());
    let mut sent = BTreeMap::new();
    let mut due = Instant::now();
    loop {
        let mut told = Vec::new();
        // Waits for changes of what is complete, until `due` where they are not of endpoints.
        while !cluster.is_complete() || waiting.endpoints.is_empty() {
            let complete = cluster.is_complete();
            if !complete {
                // Nothing is live yet that could show them.
                tell(&mut told, cluster.diagnostics());
            }
            tokio::select! {
                changed = cluster.changed() => {
                    if changed.records {
                        reporter.note();
                    }
                    waiting.add(changed);
                }
                () = time::sleep_until(due), if complete && waiting.objects => break,
                () = reporter.due(), if complete && !waiting.objects => {
                    let ingress = views.ingress.as_ref();
                    reporter.report(&cluster.index(), &said, &sent, ingress);
                }
                () = updates.closed() => return,
            }
        }
        // Other changes stay for their time, where endpoints come first.
        let objects = waiting.objects && Instant::now() >= due;
        let mut changed = std::mem::take(&mut waiting);
        waiting.objects = changed.objects && !objects;
        changed.objects = objects;
        let (index, translator) = (cluster.index(), Arc::clone(&views));
        let urgent = !changed.endpoints.is_empty();
        let began = Instant::now();
        // Many objects take longer than other tasks of this runtime should wait.
        let translated = tokio::task::spawn_blocking(move || {
            let said = translator.translate(&index, &changed, said);
            let configs = said.iter();
            let configs = configs.map(|(name, said)| ((*name).to_owned(), said.config.clone()));
            let configs: BTreeMap<_, _> = configs.collect();
            (said, configs)
        });
        let mut configs = match translated.await {
            Ok((now, configs)) => {
                said = now;
                configs
            }
            Err(error) => {
                // A fault of ours; what was said last stays.
                tracing::error!("the objects of the cluster could not be translated: {error}");
                said = Said::new();
                continue;
            }
        };
        if objects {
            due = Instant::now() + throttle.max(began.elapsed() * REST);
        }
        // What concerns the whole cluster is said once.
        if let Some(first) = configs.values_mut().next() {
            first.diagnostics.extend(cluster.diagnostics());
        }
        let configs = configs.into_iter().map(|(name, config)| (name, Arc::new(config)));
        sent = configs.collect();
        let update = Update { configs: sent.clone(), urgent };
        if updates.send(update).await.is_err() {
            return;
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
