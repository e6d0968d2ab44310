//! A cluster that a test follows, and what is made of it.

use std::time::Duration;

use kube::{Client, Config};
use portway_kubernetes::{
    INGRESS_PROVIDER, Index, PROVIDER,
    cluster::{Changed, Cluster, Pace, Resources, client},
    translate, translate_ingresses,
};
use portway_model::{
    Diagnostic,
    dynamic::Config as Dynamic,
    static_config::{KubernetesCrd, KubernetesIngress},
};
use portway_testkit::kubernetes::ApiServer;
use tokio::time::timeout;

/// Short waits; a watch cannot be shorter.
pub(crate) const PACE: Pace = Pace {
    watch: Duration::from_secs(1),
    slack: Duration::from_millis(250),
    shortest_wait: Duration::from_millis(4),
    longest_wait: Duration::from_millis(60),
    absence: Duration::from_millis(500),
};

/// How long anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What both providers follow.
pub(crate) fn resources() -> Resources {
    let of_crd = Resources::of_crd(&KubernetesCrd::default());
    of_crd.and(Resources::of_ingress(&KubernetesIngress::default()))
}

pub(crate) fn connect(server: &ApiServer) -> Client {
    client(Config::new(server.url().parse().unwrap())).unwrap()
}

/// A cluster, and what is made of it.
pub(crate) struct Followed {
    pub(crate) cluster: Cluster,
}

impl Followed {
    /// Follows what both providers follow.
    pub(crate) fn new(server: &ApiServer) -> Self {
        Self::of(server, &resources())
    }

    pub(crate) fn of(server: &ApiServer, resources: &Resources) -> Self {
        Self { cluster: Cluster::follow(&connect(server), resources, PACE) }
    }

    /// Waits for a change.
    pub(crate) async fn changed(&mut self) -> Changed {
        let changed = timeout(PATIENCE, self.cluster.changed()).await;
        changed.unwrap_or_else(|_| panic!("no change: {:#?}", self.cluster.diagnostics()))
    }

    /// Waits until something is so.
    pub(crate) async fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let waited = timeout(PATIENCE, async {
            while !reached(self) {
                self.cluster.changed().await;
            }
        });
        let reached = waited.await.is_ok();
        assert!(reached, "{what}: never\n{:#?}\n{:?}", self.cluster.diagnostics(), self.names());
    }

    /// Waits until everything has been listed.
    pub(crate) async fn complete(mut self) -> Self {
        self.until("complete", |followed| followed.cluster.is_complete()).await;
        self
    }

    /// What both providers say, and what is wrong with the connection.
    pub(crate) fn said(&self) -> (Dynamic, Dynamic, Vec<Diagnostic>) {
        let index = self.cluster.index();
        (traefik(&index), ingresses(&index), self.cluster.diagnostics())
    }

    /// What is known, as `Kind namespace/name`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.cluster.index().all().map(|object| object.key.to_string()).collect()
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.names().iter().any(|known| known == name)
    }

    /// What is told of the connection, as `severity object: message`.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self.cluster.diagnostics().into_iter();
        told.map(|d| format!("{:?} {}: {}", d.severity, d.object, d.message)).collect()
    }
}

/// What the provider of Traefik's own objects says.
pub(crate) fn traefik(index: &Index) -> Dynamic {
    assert_eq!(PROVIDER, "kubernetescrd");
    translate(index, &KubernetesCrd::default().objects).config
}

/// What the provider of Ingresses says.
pub(crate) fn ingresses(index: &Index) -> Dynamic {
    assert_eq!(INGRESS_PROVIDER, "kubernetes");
    translate_ingresses(index, &KubernetesIngress::default()).config
}

/// A runtime as the binary has one for what is not on the way of requests.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(test)
}
