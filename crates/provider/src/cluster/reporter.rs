//! What became of a cluster's objects, for whoever writes it into their status.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portway_kubernetes::{INGRESS_PROVIDER, PROVIDER, cluster::Work, ingress_statuses, reports};
use portway_kubernetes::{Index, NoAddresses};
use portway_model::{dynamic::Config, runtime::Runtime, static_config::KubernetesIngress};
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use super::Translators;

/// How long changes are gathered before statuses are looked at again.
const GATHER: Duration = Duration::from_millis(500);

/// What is live: what providers say, and what was made of it.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// By provider.
    pub configs: BTreeMap<String, Arc<Config>>,
    /// What became of it.
    pub runtime: Runtime,
}

/// Says what is to be written into the status of objects, while this replica is the one that writes.
#[derive(Debug)]
pub struct Reporter {
    live: watch::Receiver<Arc<Live>>,
    leads: watch::Receiver<bool>,
    work: watch::Sender<Arc<Work>>,
    /// When something changed that was not looked at yet.
    changed: Option<Instant>,
    /// Why Ingresses get no addresses, as far as it was told.
    told: Option<NoAddresses>,
}

impl Reporter {
    /// A reporter that hears what is `live` and whether it `leads`, and says what `work` there is.
    pub fn new(
        live: watch::Receiver<Arc<Live>>,
        leads: watch::Receiver<bool>,
        work: watch::Sender<Arc<Work>>,
    ) -> Self {
        Self { live, leads, work, changed: None, told: None }
    }

    /// Notes that what the API server keeps about objects has changed.
    pub(super) fn note(&mut self) {
        self.changed.get_or_insert_with(Instant::now);
    }

    /// Waits until statuses should be looked at. May be dropped and called again.
    pub(super) async fn due(&mut self) {
        while self.changed.is_none() {
            let heard = tokio::select! {
                heard = self.live.changed() => heard,
                heard = self.leads.changed() => heard,
            };
            match heard {
                Ok(()) => self.note(),
                Err(_) => std::future::pending().await,
            }
        }
        if let Some(changed) = self.changed {
            time::sleep_until(changed + GATHER).await;
        }
    }

    /// Says what is to be written now, where what was said last (`sent`) is live.
    pub(super) fn report(
        &mut self,
        index: &Index,
        translators: &Translators,
        sent: &BTreeMap<String, Arc<Config>>,
        ingress: Option<&KubernetesIngress>,
    ) {
        self.changed = None;
        let live = Arc::clone(&self.live.borrow_and_update());
        let is_live =
            |(name, config): (&String, &Arc<Config>)| live.configs.get(name) == Some(config);
        if !*self.leads.borrow_and_update() || !sent.iter().all(is_live) {
            // What comes next is heard.
            return;
        }
        let mut work = Work::default();
        if let Some(translator) = translators.get(PROVIDER) {
            let reports = reports(PROVIDER, index, translator.translated(), &live.runtime);
            work.reports = reports.filter(|report| report.is_due()).collect();
        }
        if let Some(translator) = translators.get(INGRESS_PROVIDER) {
            let of_ingresses = translator.translated();
            work.told = reports(INGRESS_PROVIDER, index, of_ingresses, &live.runtime).collect();
        }
        if let Some(options) = ingress.filter(|_| translators.contains_key(INGRESS_PROVIDER)) {
            match ingress_statuses(index, options) {
                Ok(None) => self.told = None,
                Ok(Some(status)) => {
                    self.told = None;
                    let outdated = status.ingresses.into_iter().filter(|(_, current)| !current);
                    work.ingresses = outdated.map(|(key, _)| key.clone()).collect();
                    work.addresses = status.addresses;
                }
                Err(reason) => {
                    if self.told.as_ref() != Some(&reason) {
                        tracing::error!("the status of Ingresses is not written: {reason}");
                    }
                    self.told = Some(reason);
                }
            }
        }
        self.work.send_if_modified(|known| {
            let differs = **known != work;
            *known = Arc::new(work);
            differs
        });
    }
}
