//! The objects of a cluster, translated whenever they change.

use std::{sync::Arc, time::Duration};

use portway_kubernetes::{
    PROVIDER,
    cluster::{Changed, Cluster},
    translate,
};
use portway_model::{
    Diagnostic,
    dynamic::{Config, Http},
    static_config::KubernetesObjects,
};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use crate::Update;

/// Sends what the objects of a cluster say, first when all of them are known and then with each change, until nobody
/// receives.
///
/// After an update, changes are gathered for as long as `throttle` (Traefik: `throttleDuration`); a change of
/// endpoints waits for nothing, because requests fail on servers that are gone.
pub async fn follow(
    mut cluster: Cluster,
    options: KubernetesObjects,
    throttle: Duration,
    updates: mpsc::Sender<Update>,
) {
    let mut last = Http::default();
    let mut due = Instant::now();
    while let Some(changed) = gather(&mut cluster, due, &updates).await {
        let (index, options) = (cluster.index(), options.clone());
        // Many objects take longer than other tasks of this runtime should wait.
        let translated = tokio::task::spawn_blocking(move || translate(&index, &options)).await;
        let mut config = match translated {
            Ok(config) => config,
            Err(error) => {
                // A fault of ours; what was said last stays.
                tracing::error!("the objects of the cluster could not be translated: {error}");
                continue;
            }
        };
        config.diagnostics.extend(cluster.diagnostics());
        config.http.share(&last);
        last = config.http.clone();
        due = Instant::now() + throttle;
        let update = update(config, changed.endpoints);
        if updates.send(update).await.is_err() {
            return;
        }
    }
}

fn update(config: Config, urgent: bool) -> Update {
    Update { urgent, ..Update::of(PROVIDER, Arc::new(config)) }
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
