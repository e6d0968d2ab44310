//! Portway as `deploy/k3s/portway.yaml` runs it: the file's objects, flags, variables and rights.
//!
//! Nothing runs pods here, so the binary is a child process; it asks as a user to whom the file's roles are bound.

use std::net::{Ipv4Addr, SocketAddr};

use portway_testkit::backend::{Backend, script};
use portway_testkit::control_plane::{ControlPlane, USER, USER_NAME};
use portway_testkit::process::Process;

use super::{ask, until};
use crate::deploy::{documents, pod, texts};

const FILE: &str = include_str!("../../deploy/k3s/portway.yaml");

/// The address of a pod behind the Service `web`; it must be one of the thread's namespace.
pub(super) const BACKEND: Ipv4Addr = Ipv4Addr::new(10, 42, 0, 30);

/// What a user of the cluster adds: an Ingress and where it leads.
const SITE: &str = "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80, targetPort: 9000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 9000, protocol: TCP}]
endpoints: [{addresses: [10.42.0.30], conditions: {ready: true}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: traefik
  rules:
    - host: web.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
";

/// An installed Portway, and a server behind `web.example` that answers with what it was asked.
pub(super) struct Installed {
    pub(super) portway: Process,
    pub(super) plane: ControlPlane,
    pub(super) backend: Backend,
}

impl Installed {
    /// Installs the file in a new cluster inside the thread's namespace, and waits until `web.example` is served.
    #[track_caller]
    pub(super) fn start() -> Option<Self> {
        let plane = ControlPlane::start()?;
        plane.apply(&for_user());
        plane.apply(SITE);
        let backend = Backend::at(SocketAddr::from((BACKEND, 9000)), script::standard);
        let portway = Process::spawn_as_is(
            &crate::portway(),
            &flags(),
            &variables(&plane),
            &[("web", 8000), ("websecure", 8443), ("traefik", 8080)],
        );
        until(|| ask(&portway, "traefik", "ping", "/ping"), |status| *status == Some(200));
        until(|| ask(&portway, "web", "web.example", "/"), |status| *status == Some(200));
        Some(Self { portway, plane, backend })
    }
}

/// The file with its rights given to the user whose token is [`USER`].
fn for_user() -> String {
    let account = "kind: ServiceAccount\n    name: portway\n    namespace: portway";
    let user =
        format!("kind: User\n    name: {USER_NAME}\n    apiGroup: rbac.authorization.k8s.io");
    assert_eq!(FILE.matches(account).count(), 2, "subjects of bindings");
    FILE.replace(account, &user)
}

fn flags() -> Vec<String> {
    let objects = documents(FILE);
    texts(&pod(&objects)["containers"][0]["args"]).into_iter().map(str::to_owned).collect()
}

/// What the downward API gives, and the way to the API server that a pod finds in a folder of its own.
fn variables(plane: &ControlPlane) -> Vec<(String, String)> {
    let kubeconfig = plane.kubeconfig(USER).display().to_string();
    let variables = [
        ("KUBECONFIG", kubeconfig.as_str()),
        ("POD_NAMESPACE", "portway"),
        ("POD_NAME", "portway-0"),
        ("NODE_NAME", "node"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
