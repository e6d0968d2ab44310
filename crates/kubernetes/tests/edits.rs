//! The cost of a change grows with the change, not with the number of objects.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;

use portway_kubernetes::{Changes, Index, Translator, api};
use portway_model::{static_config::KubernetesObjects, yaml};

#[test]
fn an_edit_among_ten_thousand_routes_costs_a_small_part_of_a_whole_translation() {
    let (whole, edit) = measure(10_000, 100);
    assert!(edit * 100 < whole, "{edit} ns of {whole} ns");
}

/// Prints what is noted of it; meant for an optimised build.
#[test]
#[ignore = "a measurement"]
fn edits_are_measured() {
    for count in [10_000, 50_000] {
        let (whole, edit) = measure(count, 1_000);
        eprintln!("{count} routes: all {} µs, one edited {} ns", whole / 1_000, edit);
    }
}

/// The time on the processor, in nanoseconds, of translating as many IngressRoutes, and of following the edit of one.
fn measure(count: usize, edits: usize) -> (u64, u64) {
    let mut index = Index::default();
    for i in 0..count {
        let rest = format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: svc-{i}}}\n\
             spec: {{ports: [{{port: 80}}]}}\n\
             ---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n\
             metadata: {{name: svc-{i}, labels: {{kubernetes.io/service-name: svc-{i}}}}}\n\
             ports: [{{name: '', port: 80}}]\nendpoints: [{{addresses: [10.0.0.1]}}]\n"
        );
        apply(&mut index, &(route(i, 0) + &rest));
    }
    let mut translator = Translator::of_traefik(KubernetesObjects::default());
    let start = processor_time();
    translator.update(&index, &Changes::default());
    let whole = processor_time() - start;
    let mut edit = 0;
    for number in 0..edits {
        let changes = apply(&mut index, &route(number, number + 1));
        // Who has what was said last makes the next edit copy what it changes.
        let _said = translator.translated().config.clone();
        let start = processor_time();
        translator.update(&index, &changes);
        edit += processor_time() - start;
    }
    let routers = &translator.translated().config.http.routers;
    assert_eq!(routers.values().filter(|router| router.spec.priority > 0).count(), edits);
    (whole, edit / edits as u64)
}

fn route(number: usize, priority: usize) -> String {
    format!(
        "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {{name: route-{number}}}\n\
         spec:\n  routes:\n  - match: Host(`{number}.example.com`)\n    priority: {priority}\n    \
         services: [{{name: svc-{number}, port: 80}}]\n"
    )
}

fn apply(index: &mut Index, text: &str) -> Changes {
    let mut changes = Changes::default();
    for document in yaml::parse(text).unwrap() {
        for object in api::read(&document.node, "") {
            index.apply_noting(object.unwrap(), &mut changes);
        }
    }
    changes
}

/// What this thread has spent on a processor, in nanoseconds.
fn processor_time() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}
