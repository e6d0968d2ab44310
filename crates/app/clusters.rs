//! Providers that follow an API server.

use std::time::Duration;

use anyhow::{Context as _, Result};
use portway_kubernetes::{
    Selection,
    cluster::{Cluster, Pace, Resources, connect},
};
use portway_model::static_config::{ClusterConnection, KubernetesObjects, Providers};
use portway_provider::{
    Update,
    cluster::{Views, follow},
};
use tokio::sync::mpsc;

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

/// Begins to follow the clusters that the options name, and returns the names of their providers.
///
/// # Errors
/// When the options do not say how an API server is reached, or hold no label selector.
pub(crate) async fn start(
    providers: &Providers,
    updates: &mpsc::Sender<Update>,
) -> Result<Vec<&'static str>> {
    let mut names = Vec::new();
    for wanted in wanted(providers) {
        let Wanted { option, connection, objects, throttle, resources, views } = wanted;
        Selection::new(objects).with_context(|| format!("{option}.labelSelector"))?;
        let client = connect(connection).await.with_context(|| option.to_owned())?;
        names.extend(views.providers());
        let cluster = Cluster::follow(&client, &resources, Pace::default());
        tokio::spawn(follow(cluster, views, throttle, updates.clone()));
    }
    Ok(names)
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
