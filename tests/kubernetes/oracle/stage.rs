//! The API server, both programs, and when they have seen what was applied.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use portway_model::yaml;
use portway_testkit::client::Client;
use portway_testkit::control_plane::{ADMIN, ControlPlane, Objects};
use portway_testkit::process::{Process, Program, Setup};
use serde_json::{Value, json};

use super::compare;
use super::marks::Marks;

/// How long both may take to see what was applied.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a program may take to come to the same, once it has seen everything.
const SETTLING: Duration = Duration::from_millis(100);

/// How often both are made to read everything anew before a difference counts. What Traefik settles by chance (the
/// order of objects is that of a Go map) comes to be what Portway makes of it in one of these cases: of two objects the
/// second comes first once in eight times.
const RELOADS: usize = 60;

/// How long objects of kinds that no mark tells of may take to be seen.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// Kinds that no mark tells of: another Node would change what a test sees.
const UNMARKED: [&str; 2] = ["IngressClass", "Node"];

/// A provider of Kubernetes objects.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Provider {
    /// Traefik's own objects.
    Crd,
    /// Ingresses.
    Ingress,
}

impl Provider {
    /// Its name in options.
    pub(super) fn option(self) -> &'static str {
        match self {
            Self::Crd => "kubernetesCRD",
            Self::Ingress => "kubernetesIngress",
        }
    }
}

/// An API server with the definitions of all kinds.
pub(super) struct Stage {
    plane: ControlPlane,
    objects: Objects,
    traefik: Program,
    namespaces: BTreeSet<String>,
    /// The objects that were created last.
    held: Vec<Value>,
    /// How many comparisons there were.
    number: usize,
    /// Whether the objects of the last comparison, which are deleted by now, were of a kind without a mark.
    straggles: bool,
}

/// Both programs on the same options.
pub(super) struct Pair {
    /// Portway, then Traefik.
    sides: [Process; 2],
    marks: Marks,
}

impl Pair {
    /// Portway, then Traefik.
    pub(super) fn sides(&self) -> &[Process; 2] {
        &self.sides
    }
}

impl Stage {
    /// Starts the API server; `None` where it or Traefik cannot be had.
    pub(super) fn start() -> Option<Self> {
        let (traefik, plane) = (Program::traefik()?, ControlPlane::start()?);
        plane.apply(&crate::kubernetes::crds());
        let objects = plane.objects(ADMIN);
        let namespaces = BTreeSet::from(["default".to_owned()]);
        let held = Vec::new();
        Some(Self { plane, objects, traefik, namespaces, held, number: 0, straggles: false })
    }

    /// Starts both programs with these providers and flags.
    pub(super) fn pair(&mut self, providers: &[Provider], flags: &[String]) -> Pair {
        let mut setup = Setup { unmarked: true, ..Setup::default() }
            .entry_point("web")
            .entry_point("websecure")
            .flag("--providers.providersThrottleDuration=20ms");
        for provider in providers {
            setup.flags.extend(self.plane.flags(provider.option(), ADMIN));
        }
        setup.flags.extend(flags.iter().cloned());
        let marks = Marks::new(providers, flags);
        marks.prepare(&mut self.objects);
        let sides = [crate::portway(), self.traefik.clone()].map(|p| Process::start(&p, &setup));
        Pair { sides, marks }
    }

    /// Creates objects, says in what both differ about them, and deletes them.
    ///
    /// What the API server refuses, neither sees.
    pub(super) fn compare(&mut self, pair: &Pair, objects: &[Value]) -> Option<String> {
        let mismatch = self.hold(pair, objects);
        for object in &self.held {
            self.objects.delete(object);
        }
        mismatch
    }

    /// Creates objects and says in what both differ about them.
    pub(super) fn hold(&mut self, pair: &Pair, objects: &[Value]) -> Option<String> {
        self.number += 1;
        self.make_namespaces(objects);
        let created: Vec<_> =
            objects.iter().filter_map(|object| self.objects.create(object).ok()).collect();
        pair.marks.put(&mut self.objects, self.number);
        let unmarked = |object: &Value| UNMARKED.iter().any(|kind| object["kind"] == *kind);
        let straggles = created.iter().any(unmarked);
        let mut mismatch = self.differ(pair, straggles || self.straggles);
        self.straggles = straggles;
        for _ in 0..RELOADS {
            if mismatch.is_none() {
                break;
            }
            self.number += 1;
            pair.marks.put(&mut self.objects, self.number);
            mismatch = self.differ(pair, straggles);
        }
        self.held = created;
        mismatch
    }

    /// How many of the objects that were created last there are.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn differ(&self, pair: &Pair, straggles: bool) -> Option<String> {
        let start = Instant::now();
        let mut seen: Option<Instant> = None;
        loop {
            let data = pair.sides.each_ref().map(raw_data);
            if data.iter().all(|data| pair.marks.are_seen(data, self.number)) {
                let since = seen.get_or_insert_with(Instant::now).elapsed();
                if !straggles || since > STRAGGLERS {
                    let [portway, traefik] = &data;
                    let mismatch = compare::differ(portway, traefik);
                    if mismatch.is_none() || since > SETTLING {
                        return mismatch;
                    }
                }
            } else if start.elapsed() > PATIENCE {
                let missing = data.map(|data| pair.marks.missing(&data, self.number));
                return Some(format!("never seen by [Portway, Traefik]: {missing:?}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn make_namespaces(&mut self, objects: &[Value]) {
        let names = objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str());
        for name in names {
            if self.namespaces.insert(name.to_owned()) {
                let namespace = json!({
                    "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
                });
                // The name may be none.
                let _ = self.objects.create(&namespace);
            }
        }
    }
}

/// The objects of a text of YAML.
pub(super) fn objects(text: &str) -> Vec<Value> {
    let documents = yaml::parse(text).expect("YAML");
    let objects = documents.iter().map(|document| document.node.to_json());
    objects.filter(Value::is_object).collect()
}

fn raw_data(side: &Process) -> Value {
    let request = "GET /api/rawdata HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";
    let answer =
        Client::connect(side.address("traefik")).and_then(|mut client| client.ask(request));
    answer
        .map(|response| serde_json::from_slice(&response.body).unwrap_or_default())
        .unwrap_or_default()
}
