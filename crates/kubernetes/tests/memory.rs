//! What a large cluster takes of memory: 10,000 IngressRoutes, Services and EndpointSlices, and 5,000 Secrets of
//! 3 KiB.
//!
//! The server is in the process of the test, who follows it in another.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use kube::Config;
use portway_kubernetes::cluster::{Cluster, Pace, Resources, client};
use portway_model::static_config::KubernetesCrd;
use portway_testkit::kubernetes::{ApiServer, Churn};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Tells the other process where the server is.
const URL: &str = "PORTWAY_MEMORY_URL";

/// The most that the whole process may take.
const LIMIT: u64 = 160 << 20;

#[test]
fn forty_thousand_objects_take_little_memory() {
    let server = ApiServer::start();
    Churn::install(&server);
    fill(&server);
    let follower = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_follower_in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env(URL, server.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = follower.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let number = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    let (before, after, peak) = (number("before:"), number("after:"), number("peak:"));
    eprintln!("{} MiB, of them {} before; {} at most", after >> 20, before >> 20, peak >> 20);
    assert!(after < LIMIT, "{} MiB", after >> 20);
}

#[test]
#[ignore = "the other process of the test above"]
fn a_follower_in_a_process_of_its_own() {
    let Ok(url) = std::env::var(URL) else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(async {
        println!("before: {}", memory("VmRSS:"));
        let client = client(Config::new(url.parse().unwrap())).unwrap();
        let resources = Resources::of_crd(&KubernetesCrd::default());
        let mut cluster = Cluster::follow(&client, &resources, Pace::default());
        timeout(Duration::from_secs(120), async {
            while !cluster.is_complete() {
                cluster.changed().await;
            }
        })
        .await
        .unwrap();
        assert_eq!(cluster.index().all().count(), 35_000);
        println!("after: {}", memory("VmRSS:"));
        println!("peak: {}", memory("VmHWM:"));
    });
}

/// A figure of this process, in bytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn fill(server: &ApiServer) {
    let secret = json!({ "tls.crt": "Q".repeat(2048), "tls.key": "Q".repeat(1024), "note": "Q".repeat(1024) });
    for number in 0..10_000 {
        let name = format!("app-{number}");
        apply(
            server,
            "v1",
            "Service",
            &name,
            json!({ "spec": {
            "type": "ClusterIP", "clusterIP": "10.43.0.1", "selector": { "app": name },
            "ports": [{ "name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP" }],
        } }),
        );
        apply(
            server,
            "discovery.k8s.io/v1",
            "EndpointSlice",
            &name,
            json!({
                "metadata": { "labels": { "kubernetes.io/service-name": name, "app": name } },
                "addressType": "IPv4", "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
                "endpoints": [endpoint(1), endpoint(2), endpoint(3)],
            }),
        );
        apply(
            server,
            "traefik.io/v1alpha1",
            "IngressRoute",
            &name,
            json!({ "spec": {
            "entryPoints": ["websecure"],
            "routes": [{
                "kind": "Rule", "match": format!("Host(`{name}.example.com`) && PathPrefix(`/api`)"),
                "middlewares": [{ "name": "auth" }], "services": [{ "name": name, "port": 80 }],
            }],
            "tls": { "secretName": name },
        } }),
        );
        if number % 2 == 0 {
            apply(
                server,
                "v1",
                "Secret",
                &name,
                json!({ "type": "kubernetes.io/tls", "data": secret }),
            );
        }
    }
}

fn endpoint(number: u8) -> Value {
    json!({
        "addresses": [format!("10.42.0.{number}")], "nodeName": "node-1", "zone": "a",
        "conditions": { "ready": true, "serving": true, "terminating": false },
        "targetRef": { "kind": "Pod", "namespace": "default", "name": "app-0-7d9c5c7f6b-abcde", "uid": "u" },
    })
}

fn apply(server: &ApiServer, api_version: &str, kind: &str, name: &str, mut object: Value) {
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!(name);
    let copy = object.to_string();
    object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json!(copy);
    server.apply(object);
}
