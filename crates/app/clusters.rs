//! Providers that follow an API server.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    process,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use portway_kubernetes::{
    Selection,
    cluster::{Candidate, Client, Cluster, Pace, Resources, connect, write},
};
use portway_model::static_config::{ClusterConnection, KubernetesObjects, Providers};
use portway_provider::{
    Update,
    cluster::{Live, Reporter, Views, follow},
};
use tokio::sync::{mpsc, watch};

/// The Lease of the replica that writes the status of objects.
const LEASE: &str = "portway-status";

/// A cluster, and what is made of its objects.
struct Wanted<'a> {
    /// The option that it comes from.
    option: &'static str,
    connection: &'a ClusterConnection,
    objects: &'a KubernetesObjects,
    throttle: Duration,
    resources: Resources,
    views: Views,
}

/// Begins to follow the clusters that the options name, and returns the names of their providers. What must be
/// given back before the process ends hears of it by `ending`.
///
/// # Errors
/// When the options do not say how an API server is reached, or hold no label selector.
pub(crate) async fn start(
    providers: &Providers,
    live: &watch::Receiver<Arc<Live>>,
    updates: &mpsc::Sender<Update>,
    ending: &watch::Sender<bool>,
) -> Result<Vec<&'static str>> {
    let mut names = Vec::new();
    let mut elections: Vec<(&ClusterConnection, watch::Receiver<bool>)> = Vec::new();
    for wanted in wanted(providers) {
        let Wanted { option, connection, objects, throttle, resources, views } = wanted;
        Selection::new(objects).with_context(|| format!("{option}.labelSelector"))?;
        let client = connect(connection).await.with_context(|| option.to_owned())?;
        names.extend(views.providers());
        let elected = elections.iter().find(|(known, _)| *known == connection);
        let leads = match elected {
            Some((_, leads)) => leads.clone(),
            None => elect(&client, ending.subscribe()),
        };
        elections.push((connection, leads.clone()));
        let (work, to_do) = watch::channel(Arc::default());
        tokio::spawn(write(client.clone(), to_do, leads.clone()));
        let cluster = Cluster::follow(&client, &resources, Pace::default());
        let reporter = Reporter::new(live.clone(), leads, work);
        tokio::spawn(follow(cluster, views, throttle, reporter, updates.clone()));
    }
    Ok(names)
}

/// Takes part in the election of the replica that writes the status of objects; tells whether this one does.
fn elect(client: &Client, ending: watch::Receiver<bool>) -> watch::Receiver<bool> {
    let of_pod = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let namespace = of_pod("POD_NAMESPACE");
    let namespace = namespace.as_deref().unwrap_or_else(|| client.default_namespace());
    // Never the host's name: nodes may all have the same one.
    let identity = of_pod("POD_NAME").unwrap_or_else(unique);
    let (leads, heard) = watch::channel(false);
    let candidate = Candidate::new(client.clone(), namespace, LEASE, &identity);
    tokio::spawn(candidate.run(leads, ending));
    heard
}

/// A name that no other process has.
fn unique() -> String {
    format!("portway-{:016x}", RandomState::new().hash_one(process::id()))
}

/// The clusters to follow: one where both providers read the same objects in the same way.
fn wanted(providers: &Providers) -> Vec<Wanted<'_>> {
    let crd = providers.kubernetes_crd.as_ref().map(|options| Wanted {
        option: "providers.kubernetesCRD",
        connection: &options.connection,
        objects: &options.objects,
        throttle: options.throttle_duration.positive().unwrap_or_default(),
        resources: Resources::of_crd(options),
        views: Views { crd: Some(options.objects.clone()), ingress: None },
    });
    let ingress = providers.kubernetes_ingress.as_ref().map(|options| Wanted {
        option: "providers.kubernetesIngress",
        connection: &options.connection,
        objects: &options.objects,
        throttle: options.throttle_duration.positive().unwrap_or_default(),
        resources: Resources::of_ingress(options),
        views: Views { crd: None, ingress: Some(options.clone()) },
    });
    match (crd, ingress) {
        (Some(crd), Some(ingress)) if crd.is_like(&ingress) => {
            let views = Views { crd: crd.views.crd, ingress: ingress.views.ingress };
            vec![Wanted { resources: crd.resources.and(ingress.resources), views, ..crd }]
        }
        (crd, ingress) => crd.into_iter().chain(ingress).collect(),
    }
}

impl Wanted<'_> {
    fn is_like(&self, other: &Self) -> bool {
        self.connection == other.connection
            && self.objects.namespaces == other.objects.namespaces
            && self.throttle == other.throttle
    }
}
