//! What the chart makes of its values: rights, probes, updates and the pod's security.

use serde_json::{Value, json};

use super::helm::Helm;
use super::{documents, object, place, pod, rights, text, texts, values_files};

#[test]
fn every_values_file_is_linted() {
    let Some(helm) = Helm::found() else { return };
    for file in values_files() {
        let (content, told) = helm.lint(std::slice::from_ref(&file));
        assert!(content, "{}: {told}", file.display());
    }
    let (content, told) = helm.lint(&[]);
    assert!(content, "{told}");
}

#[test]
fn the_chart_s_version_is_the_binary_s() {
    let chart = documents(&text("deploy/chart/portway/Chart.yaml")).remove(0);
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn nothing_but_status_events_and_the_lease_is_written() {
    let Some(helm) = Helm::found() else { return };
    let may_write = |right: &str| {
        let (verb, resource) = right.split_once(' ').unwrap();
        verb == "patch" && resource.ends_with("/status") || right == "create /events"
    };
    for values in ["rbac: {namespaced: false}", "rbac: {namespaced: true}"] {
        let objects = documents(&helm.render_with(values).unwrap());
        let roles = ["portway-portway", "portway-leader"].map(|name| {
            let kind = if values.contains("true") || name.ends_with("leader") {
                "Role"
            } else {
                "ClusterRole"
            };
            rights(object(&objects, kind, name))
        });
        let [router, leader] = roles;
        assert!(router.len() > 50, "{router:?}");
        for right in router {
            let reads = ["get ", "list ", "watch "].iter().any(|verb| right.starts_with(verb));
            assert!(reads || may_write(&right), "{right}");
            assert!(!right.contains('*'), "{right}");
        }
        let leases = ["create", "get", "update"];
        assert_eq!(leader, leases.map(|verb| format!("{verb} coordination.k8s.io/leases")));
    }
}

#[test]
fn namespaced_rights_reach_no_further_than_the_providers() {
    let Some(helm) = Helm::found() else { return };
    let objects = helm.objects(&[place("tests/deploy/values/namespaced.yaml")]);
    assert!(objects.iter().all(|object| object["kind"] != "ClusterRole"), "{objects:#?}");
    let roles = objects.iter().filter(|object| object["kind"] == "Role");
    let named = roles.filter(|role| role["metadata"]["name"] == "portway-portway");
    let namespaces: Vec<&str> =
        named.filter_map(|role| role["metadata"]["namespace"].as_str()).collect();
    assert_eq!(namespaces, ["blog", "portway", "shop"]);
    let flags = texts(&pod(&objects)["containers"][0]["args"]);
    for flag in [
        "--providers.kubernetesCRD.namespaces=shop,blog",
        "--providers.kubernetesCRD.disableClusterScopeResources=true",
        "--providers.kubernetesIngress.namespaces=portway",
        "--providers.kubernetesIngress.disableClusterScopeResources=true",
    ] {
        assert!(flags.contains(&flag), "{flag}: {flags:#?}");
    }
}

#[test]
fn the_pod_is_admitted_where_pod_security_is_restricted() {
    let Some(helm) = Helm::found() else { return };
    let objects = helm.objects(&[]);
    let pod = pod(&objects);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["runAsUser"], 65532);
    assert_eq!(pod["securityContext"]["seccompProfile"], json!({"type": "RuntimeDefault"}));
    let container = &pod["containers"][0];
    let expected = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": true,
    });
    assert_eq!(container["securityContext"], expected);
    assert_eq!(pod.get("hostNetwork"), None);
    let ports = container["ports"].as_array().unwrap();
    assert!(ports.iter().all(|port| port.get("hostPort").is_none()), "{ports:?}");
}

#[test]
fn probes_ask_ping_where_it_is_served() {
    let Some(helm) = Helm::found() else { return };
    for (values, port, host) in [
        ("{}", 8080, None),
        ("ports: {traefik: {port: 9080, hostIP: 127.0.0.1}}", 9080, Some("127.0.0.1")),
    ] {
        let objects = documents(&helm.render_with(values).unwrap());
        let container = &pod(&objects)["containers"][0];
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let asked = &container[probe]["httpGet"];
            assert_eq!(asked["path"], "/ping", "{probe}");
            assert_eq!(asked["port"], port, "{probe}");
            assert_eq!(asked.get("host").and_then(Value::as_str), host, "{probe}");
        }
        let address =
            format!("--entryPoints.traefik.address={}:{port}/tcp", host.unwrap_or_default());
        assert!(texts(&container["args"]).contains(&address.as_str()), "{address}");
    }
}

#[test]
fn a_new_pod_is_ready_before_an_old_one_ends_where_it_can_be() {
    let Some(helm) = Helm::found() else { return };
    let update = |values: &str, kind: &str, field: &str| {
        let objects = documents(&helm.render_with(values).unwrap());
        object(&objects, kind, "portway")["spec"][field]["rollingUpdate"].clone()
    };
    let over = json!({"maxSurge": 1, "maxUnavailable": 0});
    let under = json!({"maxSurge": 0, "maxUnavailable": 1});
    assert_eq!(update("{}", "Deployment", "strategy"), over);
    let daemon = "deployment: {kind: DaemonSet}\n";
    assert_eq!(update(daemon, "DaemonSet", "updateStrategy"), over);
    for on_node in ["hostNetwork: true", "ports: {web: {hostPort: 80}}"] {
        assert_eq!(update(&format!("{daemon}{on_node}"), "DaemonSet", "updateStrategy"), under);
        assert_eq!(update(on_node, "Deployment", "strategy"), under);
    }
}

#[test]
fn the_network_policy_lets_in_what_is_exposed() {
    let Some(helm) = Helm::found() else { return };
    let values = "networkPolicy: {enabled: true}\nports: {web: {expose: {default: false}}, own: {port: 9001, hostPort: 9001}}";
    let objects = documents(&helm.render_with(values).unwrap());
    let rules = &object(&objects, "NetworkPolicy", "portway")["spec"]["ingress"];
    let port = |name: &str| json!({"port": name, "protocol": "TCP"});
    assert_eq!(*rules, json!([{"ports": [port("own"), port("websecure")]}]));
}

#[test]
fn the_service_leads_to_the_entry_points() {
    let Some(helm) = Helm::found() else { return };
    let objects = helm.objects(&[place("deploy/variants/local.yaml")]);
    let spec = &object(&objects, "Service", "portway")["spec"];
    assert_eq!(spec["type"], "LoadBalancer");
    assert_eq!(spec["externalTrafficPolicy"], "Local");
    let port = |name: &str, port: u16| json!({"name": name, "port": port, "protocol": "TCP", "targetPort": name});
    assert_eq!(spec["ports"], json!([port("web", 80), port("websecure", 443)]));
    assert_eq!(
        object(&objects, "IngressClass", "traefik")["spec"]["controller"],
        "traefik.io/ingress-controller"
    );
}
