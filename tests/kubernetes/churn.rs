//! Thousands of objects are made, changed and deleted; what is left is what a fresh start reads.

use portway_testkit::control_plane::{ADMIN, ControlPlane, Session};
use portway_testkit::process::{Process, Setup};
use portway_testkit::random::{Random, number_from_environment};
use serde_json::{Value, json};

use super::{define, until};

/// Objects of each kind.
const EACH: usize = 400;

/// Changes after all have been made once.
const CHANGES: usize = 2_000;

/// Kinds of objects that change, by turns; there are as many services as routes.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Route,
    OldRoute,
    Middleware,
    Service,
    Endpoints,
}

const KINDS: [Kind; 5] =
    [Kind::Route, Kind::OldRoute, Kind::Middleware, Kind::Service, Kind::Endpoints];

impl Kind {
    fn resource(self) -> &'static str {
        match self {
            Self::Route => "/apis/traefik.io/v1alpha1/namespaces/default/ingressroutes",
            Self::OldRoute => "/apis/traefik.containo.us/v1alpha1/namespaces/default/ingressroutes",
            Self::Middleware => "/apis/traefik.io/v1alpha1/namespaces/default/middlewares",
            Self::Service => "/api/v1/namespaces/default/services",
            Self::Endpoints => "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        }
    }

    fn type_meta(self) -> (&'static str, &'static str) {
        match self {
            Self::Route => ("traefik.io/v1alpha1", "IngressRoute"),
            Self::OldRoute => ("traefik.containo.us/v1alpha1", "IngressRoute"),
            Self::Middleware => ("traefik.io/v1alpha1", "Middleware"),
            Self::Service => ("v1", "Service"),
            Self::Endpoints => ("discovery.k8s.io/v1", "EndpointSlice"),
        }
    }

    /// What an object of the kind says, by chance; often it names others that are there, sometimes not.
    fn content(self, number: usize, random: &mut Random) -> Value {
        match self {
            Self::Route | Self::OldRoute => {
                let (middleware, service) = (random.below(EACH + 20), random.below(EACH + 20));
                let path = random.below(50);
                // Now and then a rule that does not parse.
                let end = if random.once_in(40) { "" } else { ")" };
                json!({"spec": {"routes": [{
                    "kind": "Rule",
                    "match": format!("Host(`app-{number}.example`) && PathPrefix(`/{path}`{end}"),
                    "middlewares": [{"name": format!("o-{middleware}")}],
                    "services": [{"name": format!("o-{service}"), "port": 80}],
                }]}})
            }
            Self::Middleware => {
                json!({"spec": {"addPrefix": {"prefix": format!("/{}", random.below(1000))}}})
            }
            Self::Service => {
                let port = if random.once_in(10) { 81 } else { 80 };
                json!({"spec": {"ports": [{"name": "http", "port": port}]}})
            }
            Self::Endpoints => {
                let (host, ready) = (random.below(250), !random.once_in(4));
                json!({"endpoints": [{
                    "addresses": [format!("10.99.{}.{}", host % 7, host + 1)],
                    "conditions": {"ready": ready},
                }]})
            }
        }
    }
}

/// The objects, and which of them are there.
struct Objects<'plane> {
    plane: &'plane mut ControlPlane,
    session: Session,
    random: Random,
    made: Vec<bool>,
}

impl Objects<'_> {
    /// Makes, changes or deletes an object.
    fn touch(&mut self, number: usize) {
        let kind = KINDS[number / EACH];
        let name = format!("o-{}", number % EACH);
        let path = format!("{}/{name}", kind.resource());
        let content = kind.content(number % EACH, &mut self.random);
        if !self.made[number] {
            let mut object = content;
            let (version, name_of_kind) = kind.type_meta();
            object["apiVersion"] = json!(version);
            object["kind"] = json!(name_of_kind);
            object["metadata"] = json!({"name": name});
            if let Kind::Endpoints = kind {
                object["metadata"]["labels"] = json!({"kubernetes.io/service-name": name});
                object["addressType"] = json!("IPv4");
                object["ports"] = json!([{"name": "http", "port": 8080}]);
            }
            self.session.create(kind.resource(), &object);
            self.made[number] = true;
        } else if self.random.once_in(3) {
            self.session.delete(&path);
            self.made[number] = false;
        } else {
            self.session.merge(&path, &content);
        }
    }

    /// Makes all of them in an order of chance, then touches some again and again; the API server is killed between.
    fn churn(&mut self) {
        let mut order: Vec<usize> = (0..self.made.len()).collect();
        for place in (1..order.len()).rev() {
            order.swap(place, self.random.below(place + 1));
        }
        for number in order {
            self.touch(number);
        }
        for change in 0..CHANGES {
            if change == CHANGES / 2 {
                self.plane.kill_api_server();
                self.plane.start_api_server();
                self.session = self.plane.session(ADMIN);
            }
            let number = self.random.below(self.made.len());
            self.touch(number);
        }
    }
}

/// What the API shows of the cluster's objects.
fn seen(portway: &Process) -> Value {
    let mut data = super::get_json(portway, "/api/rawdata");
    for kind in ["routers", "services", "middlewares"] {
        if let Some(objects) = data[kind].as_object_mut() {
            objects.retain(|name, _| name.ends_with("@kubernetescrd"));
        }
    }
    data
}

#[test]
fn what_is_left_after_much_churn_is_what_a_fresh_start_reads() {
    let Some(mut plane) = ControlPlane::start() else { return };
    define(&plane);
    let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
    setup.flags = plane.flags("kubernetesCRD", ADMIN);
    let setup = setup.flag("--log.level=INFO");
    let portway = Process::start(&crate::portway(), &setup);
    let seed = number_from_environment("CHURN_SEED", 4);
    let session = plane.session(ADMIN);
    let mut objects = Objects {
        plane: &mut plane,
        session,
        random: Random::new(seed),
        made: vec![false; EACH * KINDS.len()],
    };
    objects.churn();

    let fresh = Process::start(&crate::portway(), &setup);
    let expected = seen(&fresh);
    let count = |kind: &str| expected[kind].as_object().map_or(0, serde_json::Map::len);
    let counts = ["routers", "services", "middlewares"].map(count);
    assert!(counts.iter().all(|count| *count > EACH / 2), "{counts:?}");
    until(|| seen(&portway) == expected, |same| *same);
}
