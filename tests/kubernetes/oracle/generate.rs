//! Random sets of objects that refer to each other, mostly validly: a seed tells them.
//!
//! `ORACLE_SEED` is the first seed, `ORACLE_SEEDS` how many there are.

use portway_testkit::random::{Random, number_from_environment};
use serde_json::{Value, json};

use super::Report;
use super::stage::{Provider, Stage};

/// Both providers, at first as they are and then with everything allowed.
const FLAGS: [&[&str]; 2] = [
    &[],
    &[
        "--providers.kubernetesCRD.allowCrossNamespace=true",
        "--providers.kubernetesCRD.allowExternalNameServices=true",
        "--providers.kubernetesCRD.allowEmptyServices=true",
        "--providers.kubernetesIngress.allowExternalNameServices=true",
        "--providers.kubernetesIngress.allowEmptyServices=true",
    ],
];

/// Compares what both make of random objects.
pub(super) fn compare(stage: &mut Stage, report: &mut Report) {
    let first = number_from_environment("ORACLE_SEED", 1);
    let seeds = number_from_environment("ORACLE_SEEDS", 60);
    for (half, flags) in FLAGS.iter().enumerate() {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut pair = None;
        for seed in (first..first + seeds).filter(|seed| *seed as usize % FLAGS.len() == half) {
            let pair =
                pair.get_or_insert_with(|| stage.pair(&[Provider::Crd, Provider::Ingress], &flags));
            let objects = Generator { random: Random::new(seed) }.objects();
            let mismatch = stage.compare(pair, &objects);
            if mismatch.is_some() && std::env::var_os("ORACLE_SHOW").is_some() {
                objects.iter().for_each(|object| println!("{object}"));
            }
            report.add(&format!("seed {seed}"), mismatch);
        }
    }
}

const NAMESPACES: [&str; 2] = ["default", "apps"];
const SERVICES: [&str; 4] = ["web", "api", "db", "far"];
const MIDDLEWARES: [&str; 6] = ["strip", "auth", "dotted.one", "chain", "chain2", "limit"];
const PARTS: [&str; 3] = ["split", "nested", "mirror"];
const TLS_OPTIONS: [&str; 2] = ["strict", "loose"];
const TRANSPORTS: [&str; 2] = ["plain", "slow"];
const PATHS: [&str; 3] = ["/", "/a", "/b/c"];
const SECRETS: [&str; 2] = ["users", "pair"];

struct Generator {
    random: Random,
}

impl Generator {
    fn objects(mut self) -> Vec<Value> {
        let mut objects = Vec::new();
        for namespace in NAMESPACES {
            self.services(namespace, &mut objects);
            self.details(namespace, &mut objects);
            for number in 0..=self.random.below(3) {
                objects.push(self.ingress_route(namespace, number));
            }
            for number in 0..self.random.below(3) {
                objects.push(self.ingress(namespace, number));
            }
        }
        objects
    }

    fn services(&mut self, namespace: &str, objects: &mut Vec<Value>) {
        for name in SERVICES {
            if self.random.once_in(6) {
                continue;
            }
            objects.push(self.service(namespace, name));
            for number in 0..self.random.below(3) {
                objects.push(self.slice(namespace, name, number));
            }
        }
    }

    fn service(&mut self, namespace: &str, name: &str) -> Value {
        let mut ports = vec![json!({"port": 80, "name": "http"})];
        for port in
            [json!({"port": 443, "name": "secure"}), json!({"port": 8443, "name": "https2"})]
        {
            if self.random.once_in(2) {
                ports.push(port);
            }
        }
        let mut spec = json!({"ports": ports});
        match self.random.below(8) {
            0 => spec["type"] = "NodePort".into(),
            1 => spec["clusterIP"] = "None".into(),
            2 => {
                spec =
                    json!({"type": "ExternalName", "externalName": "far.example", "ports": ports})
            }
            _ => {}
        }
        let mut annotations = json!({});
        for (name, values) in [
            ("serversscheme", ["https", "http"]),
            ("passhostheader", ["false", "true"]),
            ("nativelb", ["true", "false"]),
        ] {
            if self.random.once_in(8) {
                let key = format!("traefik.ingress.kubernetes.io/service.{name}");
                annotations[key] = (*self.random.pick(&values)).into();
            }
        }
        let mut service = object("v1", "Service", namespace, name, json!({"spec": spec}));
        service["metadata"]["annotations"] = annotations;
        service
    }

    fn slice(&mut self, namespace: &str, service: &str, number: usize) -> Value {
        let endpoints: Vec<Value> = (0..self.random.below(4))
            .map(|_| {
                let address = format!("10.7.{}.{}", self.random.below(3), 1 + self.random.below(9));
                let conditions = match self.random.below(6) {
                    0 => json!({"ready": false, "serving": true, "terminating": true}),
                    1 => json!({"ready": false, "serving": false}),
                    2 => json!({"ready": false}),
                    _ => json!({"ready": true}),
                };
                json!({"addresses": [address], "conditions": conditions})
            })
            .collect();
        let mut ports = vec![json!({"name": "http", "port": 8080})];
        if self.random.once_in(2) {
            ports.push(json!({"name": "secure", "port": 8443}));
        }
        let rest = json!({"addressType": "IPv4", "ports": ports, "endpoints": endpoints});
        let name = format!("{service}-{number}");
        let mut slice = object("discovery.k8s.io/v1", "EndpointSlice", namespace, &name, rest);
        slice["metadata"]["labels"] = json!({"kubernetes.io/service-name": service});
        slice
    }

    /// What routes refer to besides Services.
    fn details(&mut self, namespace: &str, objects: &mut Vec<Value>) {
        let users = json!({"stringData": {"users": "alice:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc="}});
        if !self.random.once_in(4) {
            objects.push(object("v1", "Secret", namespace, "users", users));
        }
        for name in MIDDLEWARES {
            if !self.random.once_in(5) {
                let spec = self.middleware(name);
                objects.push(traefik("Middleware", namespace, name, spec));
            }
        }
        for name in PARTS {
            if !self.random.once_in(4) {
                let spec = self.traefik_service(name);
                objects.push(traefik("TraefikService", namespace, name, spec));
            }
        }
        for name in TLS_OPTIONS {
            if !self.random.once_in(3) {
                let spec = match self.random.below(3) {
                    0 => json!({"minVersion": "VersionTLS13"}),
                    1 => {
                        json!({"sniStrict": true, "clientAuth": {"clientAuthType": "RequestClientCert"}})
                    }
                    _ => json!({}),
                };
                objects.push(traefik("TLSOption", namespace, name, spec));
            }
        }
        for name in TRANSPORTS {
            if !self.random.once_in(3) {
                let spec = json!({"forwardingTimeouts": {"dialTimeout": "1s"}});
                objects.push(traefik("ServersTransport", namespace, name, spec));
            }
        }
    }

    fn middleware(&mut self, name: &str) -> Value {
        match name {
            "strip" => json!({"stripPrefix": {"prefixes": ["/a", "/b"]}}),
            "auth" => json!({"basicAuth": {"secret": self.random.pick(&SECRETS)}}),
            "dotted.one" => match self.random.below(4) {
                0 => json!({"addPrefix": {"prefix": ""}}),
                1 => json!({"redirectScheme": {"scheme": "https"}}),
                2 => json!({"headers": {"customRequestHeaders": {"X-A": "1"}}}),
                _ => json!({"redirectRegex": {"regex": "^/(.*)", "replacement": "/x/$1"}}),
            },
            "limit" => json!({"rateLimit": {"average": 1 + self.random.below(9), "period": "1m"}}),
            _ => {
                let members = self.middlewares();
                json!({"chain": {"middlewares": members}})
            }
        }
    }

    /// References to Middlewares, a few of which lead nowhere or may not be followed.
    fn middlewares(&mut self) -> Vec<Value> {
        (0..self.random.below(3))
            .map(|_| {
                let mut reference = json!({"name": self.random.pick(&MIDDLEWARES)});
                match self.random.below(12) {
                    0 => reference["namespace"] = (*self.random.pick(&NAMESPACES)).into(),
                    1 => reference["name"] = "nope".into(),
                    2 => reference["name"] = "nope@file".into(),
                    3 => reference["name"] = "apps-strip@kubernetescrd".into(),
                    _ => {}
                }
                reference
            })
            .collect()
    }

    fn traefik_service(&mut self, name: &str) -> Value {
        match name {
            "mirror" => {
                let mut mirroring = self.part();
                mirroring["mirrors"] = json!([self.part()]);
                mirroring["mirrors"][0]["percent"] = 10.into();
                json!({"mirroring": mirroring})
            }
            _ => {
                let parts: Vec<Value> = (0..=self.random.below(3)).map(|_| self.part()).collect();
                json!({"weighted": {"services": parts}})
            }
        }
    }

    /// A reference to a Service or TraefikService as one of several. All that name a Service and port say the same
    /// of it: which of them counts is chance in Traefik.
    fn part(&mut self) -> Value {
        let mut reference = self.reference();
        if self.random.once_in(2) {
            reference["weight"] = self.random.below(4).into();
        }
        reference
    }

    fn reference(&mut self) -> Value {
        let mut reference = match self.random.below(6) {
            0 => json!({"kind": "TraefikService", "name": self.random.pick(&PARTS)}),
            _ => {
                let ports = [json!(80), json!("http"), json!(443), json!("https2"), json!(81)];
                json!({"name": self.random.pick(&SERVICES), "port": self.random.pick(&ports)})
            }
        };
        match self.random.below(16) {
            0 => reference["namespace"] = (*self.random.pick(&NAMESPACES)).into(),
            1 => reference["name"] = "nope".into(),
            2 => reference = json!({"kind": "TraefikService", "name": "nope@file"}),
            _ => {}
        }
        reference
    }

    /// The only service of a route, with settings of its own.
    fn service_of_route(&mut self) -> Value {
        let mut service = self.reference();
        for (field, values) in [
            ("scheme", [json!("https"), json!("h2c"), json!("http")]),
            ("passHostHeader", [json!(false), json!(true), json!(false)]),
            ("nativeLB", [json!(true), json!(true), json!(false)]),
            ("nodePortLB", [json!(true), json!(false), json!(true)]),
            ("serversTransport", [json!("plain"), json!("slow"), json!("nope")]),
            ("strategy", [json!("wrr"), json!("p2c"), json!("RoundRobin")]),
            ("sticky", [json!({"cookie": {}}), json!({"cookie": {"name": "c"}}), json!({})]),
            ("healthCheck", [json!({"path": "/h"}), json!({}), json!({"interval": 3})]),
        ] {
            if self.random.once_in(14) {
                service[field] = self.random.pick(&values).clone();
            }
        }
        service
    }

    fn ingress_route(&mut self, namespace: &str, number: usize) -> Value {
        // No host of two IngressRoutes: whose TLS options it gets depends on endpoints in Traefik.
        let host = format!("{namespace}{number}");
        let routes: Vec<Value> = (0..=self.random.below(3))
            .map(|route| self.route(&format!("{host}-{route}")))
            .collect();
        let mut spec = json!({"routes": routes});
        match self.random.below(6) {
            0 => spec["entryPoints"] = json!(["web"]),
            1 => spec["entryPoints"] = json!(["websecure", "nope"]),
            2 => spec["ingressClassName"] = (*self.random.pick(&["traefik", "other", ""])).into(),
            _ => {}
        }
        match self.random.below(6) {
            0 => spec["tls"] = json!({}),
            1 => spec["tls"] = json!({"secretName": self.random.pick(&SECRETS)}),
            2 => {
                let mut options = json!({"name": self.random.pick(&TLS_OPTIONS)});
                if self.random.once_in(4) {
                    options["namespace"] = (*self.random.pick(&NAMESPACES)).into();
                }
                spec["tls"] = json!({"options": options});
            }
            _ => {}
        }
        traefik("IngressRoute", namespace, &format!("route{number}"), spec)
    }

    fn route(&mut self, name: &str) -> Value {
        let rule = match self.random.below(8) {
            0 => format!("Host(`{name}.example`) && PathPrefix(`/a`)"),
            1 => format!("NoSuch(`{name}`)"),
            _ => format!("Host(`{name}.example`)"),
        };
        let services: Vec<Value> = match self.random.below(5) {
            0 => (0..2 + self.random.below(2)).map(|_| self.part()).collect(),
            _ => vec![self.service_of_route()],
        };
        let mut route = json!({"match": rule, "kind": "Rule", "services": services});
        let middlewares = self.middlewares();
        if !middlewares.is_empty() {
            route["middlewares"] = middlewares.into();
        }
        if self.random.once_in(5) {
            route["priority"] = self.random.below(50).into();
        }
        if self.random.once_in(10) {
            route["observability"] = json!({"accessLogs": false, "traceVerbosity": "detailed"});
        }
        route
    }

    fn ingress(&mut self, namespace: &str, number: usize) -> Value {
        let mut annotations = json!({});
        for (name, values) in [
            ("entrypoints", ["web", "websecure, web"]),
            ("middlewares", ["default-strip@kubernetescrd", "apps-chain@kubernetescrd, nope@file"]),
            ("tls", ["true", "false"]),
            ("tls.options", ["default-strict@kubernetescrd", "default"]),
            ("priority", ["42", "7"]),
            ("pathmatcher", ["Path", "PathRegexp"]),
            ("observability.metrics", ["false", "true"]),
        ] {
            if self.random.once_in(7) {
                let key = format!("traefik.ingress.kubernetes.io/router.{name}");
                annotations[key] = (*self.random.pick(&values)).into();
            }
        }
        let spec = match self.random.below(12) {
            0 => json!({"defaultBackend": self.backend()}),
            _ => {
                let rules = (0..=self.random.below(2)).map(|number| self.rule(number));
                json!({"rules": rules.collect::<Vec<_>>()})
            }
        };
        let name = format!("ingress{number}");
        let rest = json!({"spec": spec});
        let mut ingress = object("networking.k8s.io/v1", "Ingress", namespace, &name, rest);
        ingress["metadata"]["annotations"] = annotations;
        ingress
    }

    /// A rule whose paths have names that differ: which of two with one name keeps it depends on endpoints in
    /// Traefik.
    fn rule(&mut self, number: usize) -> Value {
        let paths: Vec<Value> = (0..=self.random.below(2))
            .map(|path| {
                json!({
                    "path": PATHS[path],
                    "pathType": self.random.pick(&["Prefix", "Exact", "ImplementationSpecific"]),
                    "backend": self.backend(),
                })
            })
            .collect();
        let mut rule = json!({"http": {"paths": paths}});
        let hosts = [["", "i.example"], ["*.wild.example", "j.example"]];
        let host = *self.random.pick(&hosts[number]);
        if !host.is_empty() {
            rule["host"] = host.into();
        }
        rule
    }

    fn backend(&mut self) -> Value {
        let ports = [
            json!({"number": 80}),
            json!({"name": "http"}),
            json!({"number": 443}),
            json!({"number": 81}),
        ];
        let mut name = *self.random.pick(&SERVICES);
        if self.random.once_in(10) {
            name = "nope";
        }
        json!({"service": {"name": name, "port": self.random.pick(&ports)}})
    }
}

fn traefik(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    object("traefik.io/v1alpha1", kind, namespace, name, json!({"spec": spec}))
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = rest;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    object["metadata"] = json!({"name": name, "namespace": namespace});
    object
}
