//! Services and their pods in a cluster where nothing runs pods, and a Portway that serves them.
//!
//! The pods are servers at addresses of a network namespace: an API server takes no loopback addresses for endpoints.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::control_plane::{ADMIN, ControlPlane, Session};
use portway_testkit::namespace::Namespace;
use portway_testkit::process::{Process, Setup};
use serde_json::{Value, json};

/// Addresses that pods have, one after the other.
pub(super) const ADDRESSES: usize = 12;

const PORT: u16 = 8080;

/// How long a pod takes to answer, so that some answer is always on its way.
const ANSWER: Duration = Duration::from_millis(15);

/// Clients that make objects at the same time.
const MAKERS: usize = 4;

/// A state of a pod, as its endpoint shows it.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Ready,
    Unready,
    Terminating,
}

/// Pods by their numbers, of which each shows a state.
pub(super) type Pods = Vec<(usize, State)>;

fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 99, 0, 10 + (number % ADDRESSES) as u8)
}

/// The URL of a pod in Portway's API.
pub(super) fn url(number: usize) -> String {
    format!("http://{}:{PORT}", address(number))
}

/// A pod's server.
pub(super) fn run(number: usize) -> Backend {
    Backend::at(SocketAddr::from((address(number), PORT)), |_| {
        vec![Step::Wait(ANSWER), Step::Write(script::response("200 OK", "", "pod"))]
    })
}

/// A namespace, a control plane and a Portway inside.
pub(super) struct Site {
    pub(super) portway: Process,
    pub(super) plane: ControlPlane,
    _namespace: Namespace,
}

impl Site {
    /// Starts them with Services of these names and pods, each at `<name>.example`.
    #[track_caller]
    pub(super) fn start(services: &[(String, Pods)]) -> Option<Self> {
        let addresses: Vec<_> = (0..ADDRESSES).map(address).collect();
        let namespace = Namespace::enter("pods", &addresses)?;
        let plane = ControlPlane::start()?;
        super::define(&plane);
        thread::scope(|scope| {
            for share in services.chunks(services.len().div_ceil(MAKERS)) {
                let mut session = plane.session(ADMIN);
                scope.spawn(move || {
                    share.iter().for_each(|(name, pods)| create(&mut session, name, pods));
                });
            }
        });
        let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
        setup.flags = plane.flags("kubernetesCRD", ADMIN);
        let portway = Process::start(&crate::portway(), &setup.flag("--log.level=WARN"));
        Some(Self { portway, plane, _namespace: namespace })
    }

    /// The URLs of the servers that are live, by the name of their Service, sorted.
    pub(super) fn servers(&self) -> BTreeMap<String, Vec<String>> {
        let services = super::get_json(&self.portway, "/api/http/services?per_page=10000");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let live = |service: &Value| {
            let name = text(&service["name"]);
            // The part of a name that is a hash tells routes of an object apart, and here each has one.
            let (name, _) =
                name.strip_suffix("@kubernetescrd")?.strip_prefix("default-")?.rsplit_once('-')?;
            let servers = service["loadBalancer"]["servers"].as_array().into_iter().flatten();
            let mut urls: Vec<_> = servers.map(|server| text(&server["url"])).collect();
            urls.sort();
            Some((name.to_owned(), urls))
        };
        services.as_array().into_iter().flatten().filter_map(live).collect()
    }
}

const SERVICES: &str = "/api/v1/namespaces/default/services";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const ROUTES: &str = "/apis/traefik.io/v1alpha1/namespaces/default/ingressroutes";

fn create(session: &mut Session, name: &str, pods: &Pods) {
    session.create(
        SERVICES,
        &json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": PORT}]},
        }),
    );
    let mut slice = endpoints(pods);
    slice["apiVersion"] = json!("discovery.k8s.io/v1");
    slice["kind"] = json!("EndpointSlice");
    let labels = json!({"kubernetes.io/service-name": name});
    slice["metadata"] = json!({"name": name, "labels": labels});
    slice["addressType"] = json!("IPv4");
    slice["ports"] = json!([{"name": "http", "port": PORT, "protocol": "TCP"}]);
    session.create(SLICES, &slice);
    session.create(
        ROUTES,
        &json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": {"name": name},
            "spec": {"routes": [{
                "kind": "Rule",
                "match": format!("Host(`{name}.example`)"),
                "services": [{"name": name, "port": 80}],
            }]},
        }),
    );
}

/// Changes the pods of a Service.
pub(super) fn update(session: &mut Session, service: &str, pods: &Pods) {
    session.merge(&format!("{SLICES}/{service}"), &endpoints(pods));
}

fn endpoints(pods: &Pods) -> Value {
    let endpoint = |(number, state): &(usize, State)| {
        let (ready, serving, terminating) = match state {
            State::Ready => (true, true, false),
            State::Unready => (false, false, false),
            State::Terminating => (false, true, true),
        };
        json!({
            "addresses": [address(*number).to_string()],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        })
    };
    json!({"endpoints": pods.iter().map(endpoint).collect::<Vec<_>>()})
}
