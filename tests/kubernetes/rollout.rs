//! Pods come and go under load, and no request is lost.
//!
//! The servers have addresses of a network namespace: an API server takes no loopback addresses for endpoints.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::control_plane::{ADMIN, ControlPlane, Session};
use portway_testkit::namespace::Namespace;
use portway_testkit::process::{Process, Setup};
use portway_testkit::random::Random;
use serde_json::{Value, json};

use super::load::Load;
use super::{crds, until};

const ROUNDS: usize = 30;

/// Pods of each revision of the Deployment.
const REPLICAS: usize = 2;

/// Addresses that pods have, one after the other.
const ADDRESSES: usize = 12;

const PORT: u16 = 8080;

/// How long a pod takes to answer, so that some answer is always on its way.
const ANSWER: Duration = Duration::from_millis(15);

/// Answers of each round while old pods end.
const ANSWERS: usize = 20;

/// How long a change of endpoints may take to be live.
const PROMPT: Duration = Duration::from_secs(2);

const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web}
spec:
  routes:
    - match: Host(`web.example`)
      kind: Rule
      services: [{name: web, port: 80}]
";

/// A state of a pod, as its endpoint shows it.
#[derive(Clone, Copy, Debug)]
enum State {
    Ready,
    Unready,
    Terminating,
}

fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 99, 0, 10 + (number % ADDRESSES) as u8)
}

fn pod(number: usize) -> Backend {
    Backend::at(SocketAddr::from((address(number), PORT)), |_| {
        vec![Step::Wait(ANSWER), Step::Write(script::response("200 OK", "", "pod"))]
    })
}

fn endpoints(pods: &[(Ipv4Addr, State)]) -> Value {
    let endpoint = |(address, state): &(Ipv4Addr, State)| {
        let (ready, serving, terminating) = match state {
            State::Ready => (true, true, false),
            State::Unready => (false, false, false),
            State::Terminating => (false, true, true),
        };
        json!({
            "addresses": [address.to_string()],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        })
    };
    json!({"endpoints": pods.iter().map(endpoint).collect::<Vec<_>>()})
}

fn create_slice(session: &mut Session, pods: &[(Ipv4Addr, State)]) {
    let mut slice = endpoints(pods);
    slice["apiVersion"] = json!("discovery.k8s.io/v1");
    slice["kind"] = json!("EndpointSlice");
    let labels = json!({"kubernetes.io/service-name": "web"});
    slice["metadata"] = json!({"name": "web-1", "labels": labels});
    slice["addressType"] = json!("IPv4");
    slice["ports"] = json!([{"name": "http", "port": PORT, "protocol": "TCP"}]);
    session.create(SLICES, &slice);
}

fn update_slice(session: &mut Session, pods: &[(Ipv4Addr, State)]) {
    session.merge(&format!("{SLICES}/web-1"), &endpoints(pods));
}

/// A namespace, a control plane and a Portway inside.
struct Site {
    portway: Process,
    session: Session,
    plane: ControlPlane,
    _namespace: Namespace,
}

impl Site {
    fn start(pods: &[(Ipv4Addr, State)]) -> Option<Self> {
        let addresses: Vec<_> = (0..ADDRESSES).map(address).collect();
        let namespace = Namespace::enter("pods", &addresses)?;
        let plane = ControlPlane::start()?;
        plane.apply(&crds());
        plane.apply(SERVICE);
        let mut session = plane.session(ADMIN);
        create_slice(&mut session, pods);
        let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
        setup.flags = plane.flags("kubernetesCRD", ADMIN);
        let portway = Process::start(&crate::portway(), &setup);
        Some(Self { portway, session, plane, _namespace: namespace })
    }

    fn load(&self) -> Load {
        Load::start(self.portway.address("web"), "web.example")
    }

    /// The URLs of the servers that are live.
    fn servers(&self) -> Vec<String> {
        let services = super::get_json(&self.portway, "/api/http/services");
        let of_cluster = |service: &&Value| service["provider"] == "kubernetescrd";
        let service = services.as_array().into_iter().flatten().find(of_cluster);
        let servers = service.expect("the service")["loadBalancer"]["servers"].as_array();
        let servers = servers.into_iter().flatten();
        servers.map(|server| server["url"].as_str().expect("a URL").to_owned()).collect()
    }
}

#[test]
fn rolling_updates_under_load_lose_no_request() {
    let ready = |pods: &[usize]| -> Vec<_> {
        pods.iter().map(|number| (address(*number), State::Ready)).collect()
    };
    let first: Vec<usize> = (0..REPLICAS).collect();
    let Some(mut site) = Site::start(&ready(&first)) else { return };
    let mut running: Vec<Backend> = first.iter().map(|number| pod(*number)).collect();
    let mut old = first;
    let load = site.load();
    let mut slowest = Duration::ZERO;
    for round in 1..=ROUNDS {
        let new: Vec<usize> = (round * REPLICAS..(round + 1) * REPLICAS).collect();
        let started: Vec<Backend> = new.iter().map(|number| pod(*number)).collect();
        update_slice(&mut site.session, &[ready(&old), ready(&new)].concat());
        until(|| started.iter().map(Backend::busy).sum::<usize>(), |busy| *busy > 0);
        let ending = old.iter().map(|number| (address(*number), State::Terminating));
        let ending: Vec<_> = ending.collect();
        update_slice(&mut site.session, &[ready(&new), ending].concat());
        let before = load.answered();
        until(|| load.answered(), |answered| *answered >= before + ANSWERS);
        update_slice(&mut site.session, &ready(&new));
        let asked = Instant::now();
        let urls: Vec<_> =
            old.iter().map(|number| format!("http://{}:{PORT}", address(*number))).collect();
        while site.servers().iter().any(|server| urls.contains(server)) {
            assert!(asked.elapsed() < PROMPT, "round {round}: {:?}", site.servers());
        }
        slowest = slowest.max(asked.elapsed());
        // A server that drains ends when nothing is left to answer.
        until(|| running.iter().map(Backend::busy).sum::<usize>(), |busy| *busy == 0);
        let asked = |pod: &Backend| pod.connections() > 0;
        assert!(running.iter().any(asked), "round {round}: no pod was asked");
        running = started;
        old = new;
    }
    let answered = load.finish();
    println!(
        "{answered} requests over {ROUNDS} updates; a change was live after {slowest:?} at most"
    );
    assert!(site.plane.run(&["get", "endpointslices"], "").contains("web-1"));
}

#[test]
fn endpoints_that_flap_lose_no_request() {
    const PODS: usize = 4;
    let mut states = [State::Ready; PODS];
    let pods = |states: &[State; PODS]| -> Vec<_> {
        states.iter().enumerate().map(|(number, state)| (address(number), *state)).collect()
    };
    let Some(mut site) = Site::start(&pods(&states)) else { return };
    let running: Vec<Backend> = (0..PODS).map(pod).collect();
    let load = site.load();
    let mut random = Random::new(7);
    for _ in 0..300 {
        // The first one stays, so that there is always a server.
        let pod = 1 + random.below(PODS - 1);
        states[pod] = *random.pick(&[State::Ready, State::Unready, State::Terminating]);
        update_slice(&mut site.session, &pods(&states));
        thread::sleep(Duration::from_millis(10));
    }
    update_slice(&mut site.session, &pods(&[State::Ready; PODS]));
    until(|| site.servers().len(), |count| *count == PODS);
    running.iter().for_each(|pod| drop(pod.take()));
    let asked = || running.iter().map(|pod| pod.take().len()).collect::<Vec<_>>();
    until(asked, |counts| counts.iter().all(|count| *count > 0));
    let answered = load.finish();
    assert!(answered > 300, "only {answered} requests");
}
