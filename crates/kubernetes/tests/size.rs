//! The cost of a translation grows with the number of objects, not with its square.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::{Duration, Instant};

use portway_kubernetes::{Index, api, translate};
use portway_model::{static_config::KubernetesObjects, yaml};

fn index(count: usize) -> Index {
    let mut index = Index::default();
    for i in 0..count {
        // Half of the routes name a Service that is not there.
        let text = format!(
            "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {{name: route-{i}}}\n\
             spec:\n  routes:\n  - match: Host(`{i}.example.com`)\n    services: [{{name: svc-{}, port: 80}}]\n\
             ---\napiVersion: v1\nkind: Service\nmetadata: {{name: svc-{i}}}\nspec: {{ports: [{{port: 80}}]}}\n",
            i * 2
        );
        for document in yaml::parse(&text).unwrap() {
            for object in api::read(&document.node, "") {
                index.apply(object.unwrap());
            }
        }
    }
    index
}

#[test]
fn five_thousand_faulty_routes_are_translated_in_seconds() {
    let index = index(10_000);
    let start = Instant::now();
    let config = translate(&index, &KubernetesObjects::default());
    let taken = start.elapsed();
    let closed = config.http.routers.values().filter(|entry| entry.is_disabled()).count();
    assert_eq!((config.http.routers.len(), closed), (10_000, 5_000));
    // An unoptimised build takes about a second; looking at every name for every fault took minutes.
    assert!(taken < Duration::from_secs(20), "{taken:?}");
    eprintln!("{taken:?}");
}
