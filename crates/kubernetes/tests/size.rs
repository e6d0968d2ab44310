//! The cost of a translation grows with the number of objects, not with its square.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::{Duration, Instant};

use portway_kubernetes::{Index, api, translate, translate_ingresses};
use portway_model::{
    dynamic::Config,
    static_config::{KubernetesIngress, KubernetesObjects},
    yaml,
};

/// As many objects of `route` and Services. Half of the routes name a Service that is not there.
fn index(count: usize, route: impl Fn(usize, usize) -> String) -> Index {
    let mut index = Index::default();
    for i in 0..count {
        let text = format!(
            "{}---\napiVersion: v1\nkind: Service\nmetadata: {{name: svc-{i}}}\n\
             spec: {{ports: [{{port: 80}}]}}\n",
            route(i, i * 2)
        );
        for document in yaml::parse(&text).unwrap() {
            for object in api::read(&document.node, "") {
                index.apply(object.unwrap());
            }
        }
    }
    index
}

#[track_caller]
fn check(index: &Index, translate: impl Fn(&Index) -> Config) {
    let start = Instant::now();
    let config = translate(index);
    let taken = start.elapsed();
    let closed = config.http.routers.values().filter(|entry| entry.is_disabled()).count();
    assert_eq!((config.http.routers.len(), closed), (10_000, 5_000));
    // An unoptimised build takes about a second; looking at every name for every fault took minutes.
    assert!(taken < Duration::from_secs(20), "{taken:?}");
    eprintln!("{taken:?}");
}

#[test]
fn five_thousand_faulty_routes_are_translated_in_seconds() {
    let index = index(10_000, |i, service| {
        format!(
            "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {{name: route-{i}}}\n\
             spec:\n  routes:\n  - match: Host(`{i}.example.com`)\n    services: [{{name: svc-{service}, port: 80}}]\n"
        )
    });
    check(&index, |index| translate(index, &KubernetesObjects::default()).config);
}

#[test]
fn five_thousand_faulty_ingresses_are_translated_in_seconds() {
    let index = index(10_000, |i, service| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: route-{i}}}\nspec:\n  rules:\n  \
             - host: {i}.example.com\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: \
             {{name: svc-{service}, port: {{number: 80}}}}}}}}]}}\n"
        )
    });
    check(&index, |index| translate_ingresses(index, &KubernetesIngress::default()).config);
}
