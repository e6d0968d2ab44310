//! Objects that tell how far a program has read.
//!
//! Each kind is watched on a stream of its own. A numbered mark of each kind, put after what is to be seen and
//! visible in `/api/rawdata`, tells that everything before it on its stream was seen too.

use base64::{Engine, engine::general_purpose::STANDARD};
use portway_testkit::control_plane::Objects;
use serde_json::{Value, json};

use super::stage::Provider;

/// Marks that a program with certain providers and options shows.
#[derive(Debug)]
pub(super) struct Marks {
    crd: bool,
    ingress: bool,
    /// The class that the options ask for; empty without one.
    class: String,
    /// Whether an IngressClass of any name is looked up.
    looks_up_classes: bool,
}

impl Marks {
    pub(super) fn new(providers: &[Provider], flags: &[String]) -> Self {
        let class = flags.iter().find_map(|flag| flag.split_once(".ingressClass="));
        let class = class.map(|(_, class)| class.to_owned()).unwrap_or_default();
        let hidden = ["disableIngressClassLookup", "disableClusterScopeResources"];
        let hides = |flag: &String| hidden.iter().any(|name| flag.contains(name));
        Self {
            crd: providers.contains(&Provider::Crd),
            ingress: providers.contains(&Provider::Ingress),
            looks_up_classes: class.is_empty() && !flags.iter().any(hides),
            class,
        }
    }

    /// Deletes what belongs to other options.
    pub(super) fn prepare(&self, objects: &mut Objects) {
        for mark in every(self, 0) {
            objects.delete(&mark);
        }
    }

    /// Puts the marks of a number.
    ///
    /// # Panics
    /// When the API server refuses one.
    #[track_caller]
    pub(super) fn put(&self, objects: &mut Objects, number: usize) {
        for mark in every(self, number) {
            let answer = objects.apply(&mark);
            assert!(answer.is_ok(), "{mark}: {answer:?}");
        }
        if let Some(before) = number.checked_sub(1) {
            for mark in numbered(before) {
                objects.delete(&mark);
            }
        }
    }

    /// Whether a program shows all marks of a number.
    pub(super) fn are_seen(&self, data: &Value, number: usize) -> bool {
        self.missing(data, number).is_empty()
    }

    /// The marks of a number that a program does not show.
    pub(super) fn missing(&self, data: &Value, number: usize) -> Vec<String> {
        let text = data.to_string();
        let mut missing: Vec<_> =
            self.tokens(number).into_iter().filter(|token| !text.contains(token)).collect();
        if self.crd {
            // The TLSOption and the ServersTransport are shown by what names them.
            let host = route_host(number);
            let routers = data["routers"].as_object();
            let mut routers = routers.into_iter().flatten().map(|(_, router)| router);
            let works = |router: &Value| {
                router["rule"].as_str().is_some_and(|rule| rule.contains(&host))
                    && router["status"] == "enabled"
            };
            if !routers.any(works) {
                missing.push(format!("a router of {host} that works"));
            }
        }
        missing
    }

    fn tokens(&self, number: usize) -> Vec<String> {
        let mut tokens =
            vec![format!("http://{}:8080", address(number)), format!(":{}\"", port(number))];
        if self.crd {
            tokens.extend([
                route_host(number),
                format!("\"/oracle-{number}\""),
                format!("\"oracle-{number}:"),
                format!("\"weight\":{}", weight(number)),
            ]);
        }
        if self.ingress {
            tokens.push(ingress_host(number));
        }
        tokens
    }
}

fn every(marks: &Marks, number: usize) -> Vec<Value> {
    let mut objects = endpoints(number);
    if marks.crd {
        objects.extend(numbered(number));
        objects.extend(crd(&marks.class, number));
    }
    if marks.ingress {
        if marks.looks_up_classes {
            objects.push(class());
        }
        objects.push(ingress(marks, number));
    }
    objects
}

fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = rest;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    object["metadata"]["name"] = name.into();
    object["metadata"]["namespace"] = "default".into();
    // Files whose options select by a label ask for this one.
    object["metadata"]["labels"]["app"] = "portway".into();
    object
}

const TRAEFIK: &str = "traefik.io/v1alpha1";

fn address(number: usize) -> String {
    format!("10.250.{}.{}", number / 250, number % 250 + 1)
}

fn port(number: usize) -> usize {
    30_000 + number
}

fn weight(number: usize) -> usize {
    700_000 + number
}

fn route_host(number: usize) -> String {
    format!("oracle-route-{number}.example")
}

fn ingress_host(number: usize) -> String {
    format!("oracle-ingress-{number}.example")
}

/// A Service by its endpoints, and one by its own address.
fn endpoints(number: usize) -> Vec<Value> {
    let native = |value: &str| json!({"traefik.ingress.kubernetes.io/service.nativelb": value});
    let labels = json!({"kubernetes.io/service-name": "oracle"});
    vec![
        object(
            "v1",
            "Service",
            "oracle",
            json!({
                "metadata": {"annotations": native("false")},
                "spec": {"ports": [{"name": "p", "port": 80}]},
            }),
        ),
        object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "oracle",
            json!({
                "metadata": {"labels": labels},
                "addressType": "IPv4",
                "ports": [{"name": "p", "port": 8080}],
                "endpoints": [{"addresses": [address(number)]}],
            }),
        ),
        object(
            "v1",
            "Service",
            "oracle-native",
            json!({
                "metadata": {"annotations": native("true")},
                "spec": {"ports": [{"name": "p", "port": port(number)}]},
            }),
        ),
    ]
}

/// What is new with each number, because only its presence shows.
fn numbered(number: usize) -> [Value; 2] {
    let name = format!("oracle-{number}");
    [
        object(TRAEFIK, "TLSOption", &name, json!({"spec": {}})),
        object(TRAEFIK, "ServersTransport", &name, json!({"spec": {}})),
    ]
}

fn crd(class: &str, number: usize) -> Vec<Value> {
    let name = format!("oracle-{number}");
    let users = STANDARD.encode(format!("{name}:{{SHA}}0DPiKuNIrrVmD8IUCuw1hQxNqZc="));
    let service =
        json!({"name": "oracle", "port": 80, "serversTransport": name, "nativeLB": false});
    let native = json!({"name": "oracle-native", "port": "p", "nativeLB": true});
    let member = json!({"name": "oracle", "port": "p", "weight": weight(number)});
    let host = route_host(number);
    let mut route = json!({
        "routes": [
            {"match": format!("Host(`{host}`)"), "kind": "Rule", "services": [service]},
            {"match": format!("Host(`native.{host}`)"), "kind": "Rule", "services": [native]},
        ],
        "tls": {"options": {"name": name}},
    });
    if !class.is_empty() {
        route["ingressClassName"] = class.into();
    }
    vec![
        object("v1", "Secret", "oracle", json!({"data": {"users": users}})),
        object(
            TRAEFIK,
            "Middleware",
            "oracle-auth",
            json!({"spec": {"basicAuth": {"secret": "oracle"}}}),
        ),
        object(
            TRAEFIK,
            "Middleware",
            "oracle",
            json!({"spec": {"addPrefix": {"prefix": format!("/{name}")}}}),
        ),
        object(
            TRAEFIK,
            "TraefikService",
            "oracle",
            json!({"spec": {"weighted": {"services": [member]}}}),
        ),
        object(TRAEFIK, "IngressRoute", "oracle", json!({"spec": route})),
    ]
}

fn class() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "oracle"},
        "spec": {"controller": "traefik.io/ingress-controller"},
    })
}

fn ingress(marks: &Marks, number: usize) -> Value {
    let backend = |service: &str| {
        json!({
            "path": format!("/{service}"),
            "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": {"name": "p"}}},
        })
    };
    let paths = [backend("oracle"), backend("oracle-native")];
    let mut ingress = json!({
        "spec": {"rules": [{"host": ingress_host(number), "http": {"paths": paths}}]},
    });
    if marks.looks_up_classes {
        ingress["spec"]["ingressClassName"] = "oracle".into();
    } else if !marks.class.is_empty() {
        ingress["metadata"] = json!({"annotations": {"kubernetes.io/ingress.class": marks.class}});
    }
    object("networking.k8s.io/v1", "Ingress", "oracle", ingress)
}
