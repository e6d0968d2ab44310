//! The objects of a cluster, translated whenever they change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portway_kubernetes::{
    INGRESS_PROVIDER, Index, PROVIDER, Translator,
    cluster::{Changed, Cluster},
};
use portway_model::{
    Diagnostic,
    dynamic::Config,
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

    /// What follows the objects for each of them.
    fn translators(&self) -> Translators {
        let crd = self.crd.iter().map(|o| (PROVIDER, Translator::of_traefik(o.clone())));
        let ingress = self.ingress.iter();
        let ingress = ingress.map(|o| (INGRESS_PROVIDER, Translator::of_ingresses(o.clone())));
        crd.chain(ingress).collect()
    }
}

/// What each provider says, by its name.
type Translators = BTreeMap<&'static str, Translator>;

/// How many times as long as a translation took nothing is translated again but endpoints: however many objects change
/// at a time, a fifth of a core goes into translating them. Of a few objects that is no time at all.
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
    let (mut speaker, mut waiting) = (Speaker::new(views), Waiting::new());
    let mut told = Vec::new();
    loop {
        let complete = cluster.is_complete();
        if !complete {
            // Nothing is live yet that could show them.
            tell(&mut told, cluster.diagnostics());
        }
        tokio::select! {
            changed = cluster.changed() => {
                // What is written may hang on an object that changes nothing else: the published Service's addresses.
                if changed.records || changed.is_of_objects() {
                    reporter.note();
                }
                // A status of its own is nothing to translate.
                waiting.changed.add(Changed { records: false, ..changed });
            }
            () = waiting.due(), if complete => {
                let changed = waiting.take();
                let (began, objects) = (Instant::now(), changed.is_of_objects());
                let update = speaker.speak(&cluster, changed).await;
                if objects {
                    waiting.rest(throttle.max(began.elapsed() * REST));
                }
                if updates.send(update).await.is_err() {
                    return;
                }
            }
            () = reporter.due(), if complete && waiting.changed.is_nothing() => {
                speaker.report(&mut reporter, &cluster.index());
            }
            () = updates.closed() => return,
        }
    }
}

/// Changes that are not translated yet.
struct Waiting {
    changed: Changed,
    /// When those that are not of endpoints may be.
    from: Instant,
}

impl Waiting {
    fn new() -> Self {
        Self { changed: Changed::default(), from: Instant::now() }
    }

    /// Waits until there is something to translate. May be dropped and called again.
    async fn due(&self) {
        if !self.changed.index.endpoints.is_empty() {
            return;
        }
        match self.changed.is_of_objects() {
            true => time::sleep_until(self.from).await,
            false => std::future::pending().await,
        }
    }

    /// What is to be translated now; the rest goes on waiting.
    fn take(&mut self) -> Changed {
        let mut changed = std::mem::take(&mut self.changed);
        if Instant::now() < self.from {
            self.changed.index.objects = std::mem::take(&mut changed.index.objects);
            self.changed.connection = std::mem::take(&mut changed.connection);
        }
        changed
    }

    /// Lets changes that are not of endpoints wait for a time from now on.
    fn rest(&mut self, time: Duration) {
        self.from = Instant::now() + time;
    }
}

/// Says what the cluster's objects mean.
struct Speaker {
    views: Views,
    /// Empty until all objects are known, and after a fault of ours.
    translators: Translators,
    sent: BTreeMap<String, Arc<Config>>,
}

impl Speaker {
    fn new(views: Views) -> Self {
        Self { views, translators: Translators::new(), sent: BTreeMap::new() }
    }

    async fn speak(&mut self, cluster: &Cluster, changed: Changed) -> Update {
        let index = cluster.index();
        let urgent = !changed.index.endpoints.is_empty();
        let mut translators = std::mem::take(&mut self.translators);
        if translators.is_empty() {
            translators = self.views.translators();
        }
        // Many objects take longer than other tasks of this runtime should wait.
        let translated = tokio::task::spawn_blocking(move || {
            for translator in translators.values_mut() {
                translator.update(&index, &changed.index);
            }
            translators
        });
        match translated.await {
            Ok(translators) => self.translators = translators,
            // A fault of ours; what was sent last stays, and the next change begins anew.
            Err(error) => {
                tracing::error!("the objects of the cluster could not be translated: {error}");
                return Update { configs: self.sent.clone(), urgent };
            }
        }
        // What concerns the whole cluster is said once.
        let mut of_cluster = cluster.diagnostics();
        let configs = self.translators.iter().map(|(provider, translator)| {
            let mut config = translator.translated().config.clone();
            config.diagnostics.append(&mut of_cluster);
            ((*provider).to_owned(), Arc::new(config))
        });
        self.sent = configs.collect();
        Update { configs: self.sent.clone(), urgent }
    }

    fn report(&self, reporter: &mut Reporter, index: &Index) {
        reporter.report(index, &self.translators, &self.sent, self.views.ingress.as_ref());
    }
}

/// Logs what was not told before.
fn tell(told: &mut Vec<Diagnostic>, now: Vec<Diagnostic>) {
    for diagnostic in now.iter().filter(|diagnostic| !told.contains(diagnostic)) {
        tracing::error!("waiting for the cluster: {diagnostic}");
    }
    *told = now;
}
