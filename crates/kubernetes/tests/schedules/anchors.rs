//! Objects that nobody touches, and the routers that must therefore never be lost.

use std::collections::BTreeSet;

use portway_kubernetes::Index;
use portway_model::{Entry, dynamic};
use portway_testkit::kubernetes::ApiServer;
use serde_json::{Value, json};

use crate::{
    followed::{ingresses, traefik},
    witness::Witness,
};

/// Creates the objects: two routers to one Service with two servers, by an Ingress and by an IngressRoute, the latter
/// behind a Middleware with a Secret.
pub(crate) fn install(server: &ApiServer) {
    for object in objects() {
        server.apply(object);
    }
}

/// Holds a complete state to the objects: as long as those that a router is made of have not changed, there it is, open
/// and with its servers.
#[track_caller]
pub(crate) fn hold(index: &Index, witness: &Witness) {
    let config = ingresses(index);
    router(&config, "shop-anchor-anchor-test", "shop-anchor-http");
    if witness.has_lost("IngressRoute", "anchor") || witness.has_lost("Middleware", "anchor") {
        return;
    }
    let config = traefik(index);
    let name = config.http.routers.keys().find(|name| name.starts_with("shop-anchor-"));
    let name = name.unwrap_or_else(|| panic!("the router of the IngressRoute is lost"));
    let service = open(&config.http.routers[name]).service.clone();
    router(&config, name, &service);
    let middleware = open(&config.http.middlewares["shop-anchor"]);
    let dynamic::Middleware::BasicAuth(basic_auth) = middleware else { panic!("{middleware:?}") };
    assert_eq!(basic_auth.users.len(), 1);
}

#[track_caller]
fn router(config: &dynamic::Config, name: &str, service: &str) {
    let names: Vec<_> = config.http.routers.keys().collect();
    let found = config.http.routers.get(name);
    open(found.unwrap_or_else(|| panic!("router {name} is lost; there are {names:?}")));
    let names: Vec<_> = config.http.services.keys().collect();
    let found = config.http.services.get(service);
    let service = open(found.unwrap_or_else(|| panic!("service {service} is lost: {names:?}")));
    let dynamic::Service::LoadBalancer(balancer) = service else { panic!("{service:?}") };
    let servers: BTreeSet<_> = balancer.servers.iter().map(|server| server.url.as_str()).collect();
    assert_eq!(servers, BTreeSet::from(["http://10.42.99.1:8080", "http://10.42.99.2:8080"]));
}

#[track_caller]
fn open<T: std::fmt::Debug>(entry: &Entry<T>) -> &T {
    assert!(!entry.is_disabled(), "{entry:?}");
    &entry.spec
}

fn objects() -> Vec<Value> {
    let endpoints = json!([
        { "addresses": ["10.42.99.1"], "conditions": { "ready": true } },
        { "addresses": ["10.42.99.2"], "conditions": { "ready": true } },
    ]);
    let backend = json!({ "service": { "name": "anchor", "port": { "name": "http" } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    vec![
        object(
            "v1",
            "Service",
            json!({ "spec": {
            "type": "ClusterIP", "clusterIP": "10.43.0.99",
            "ports": [{ "name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP" }],
        } }),
        ),
        object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            json!({
                "metadata": { "labels": { "kubernetes.io/service-name": "anchor" } },
                "addressType": "IPv4", "endpoints": endpoints,
                "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
            }),
        ),
        object("v1", "Secret", json!({ "data": { "users": "YWRhOnt9" } })),
        object(
            "traefik.io/v1alpha1",
            "Middleware",
            json!({
                "spec": { "basicAuth": { "secret": "anchor" } },
            }),
        ),
        object(
            "traefik.io/v1alpha1",
            "IngressRoute",
            json!({ "spec": { "routes": [{
            "kind": "Rule", "match": "Host(`anchor.test`)",
            "middlewares": [{ "name": "anchor" }],
            "services": [{ "name": "anchor", "port": 80 }],
        }] } }),
        ),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            json!({ "spec": { "rules": [
            { "host": "anchor.test", "http": { "paths": [path] } },
        ] } }),
        ),
    ]
}

fn object(api_version: &str, kind: &str, mut object: Value) -> Value {
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!("anchor");
    object["metadata"]["namespace"] = json!("shop");
    object
}
