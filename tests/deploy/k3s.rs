//! The files for k3s: the one for its manifests folder, and the one that swaps the image in its own chart.

use super::helm::Helm;
use super::{documents, object, place, text, texts};

#[test]
fn the_committed_file_is_the_rendered_one() {
    let Some(helm) = Helm::found() else { return };
    let rendered = helm.render(&[place("deploy/k3s/values.yaml")]).unwrap();
    let lines = rendered.lines().filter(|line| !line.starts_with("# Source: "));
    let rendered: String = lines.flat_map(|line| [line, "\n"]).collect();
    let committed = text("deploy/k3s/portway.yaml");
    let advice =
        "deploy/k3s/portway.yaml is not what the chart gives; `cargo xtask manifests` writes it";
    assert!(committed.ends_with(&rendered), "{advice}");
    for group in ["traefik.io", "traefik.containo.us"] {
        let definitions = text(&format!("deploy/crds/{group}.yaml"));
        assert!(committed.contains(definitions.trim()), "{advice}: {group}");
    }
}

#[test]
fn what_others_need_comes_first() {
    let objects = documents(&text("deploy/k3s/portway.yaml"));
    let kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert_eq!(kinds.first(), Some(&"Namespace"), "{kinds:?}");
    let definitions = kinds.iter().filter(|kind| **kind == "CustomResourceDefinition").count();
    assert_eq!(definitions, 20, "ten kinds in two groups: {kinds:?}");
    let rest = &kinds[definitions + 1..];
    assert!(!rest.contains(&"CustomResourceDefinition"), "{kinds:?}");
    for kind in [
        "ClusterRole",
        "ClusterRoleBinding",
        "Deployment",
        "IngressClass",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
    ] {
        assert!(rest.contains(&kind), "{kind}: {rest:?}");
    }
    let namespaced = objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str());
    assert!(namespaced.into_iter().all(|namespace| namespace == "portway"));
}

#[test]
fn the_namespace_holds_pods_to_the_restricted_standard() {
    let objects = documents(&text("deploy/k3s/portway.yaml"));
    let labels = &object(&objects, "Namespace", "portway")["metadata"]["labels"];
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
}

#[test]
fn the_image_swap_names_this_version_and_gives_the_rights_of_the_chart() {
    let swap = documents(&text("deploy/k3s/helmchartconfig.yaml")).remove(0);
    let values = documents(swap["spec"]["valuesContent"].as_str().unwrap()).remove(0);
    // k3s' charts take the version of Traefik from the tag.
    let tag = format!("v3.7.0-portway.{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(values["image"]["tag"], tag);
    let extra = values["extraObjects"].as_array().unwrap();
    let Some(helm) = Helm::found() else { return };
    let chart = helm.objects(&[]);
    let leader = &object(&chart, "Role", "portway-leader")["rules"];
    assert_eq!(&object(extra, "Role", "portway-leader")["rules"], leader);
    let ours = object(&chart, "ClusterRole", "portway-portway")["rules"].as_array().unwrap();
    let writes = ours.iter().filter(|rule| !texts(&rule["verbs"]).contains(&"list"));
    let given = object(extra, "ClusterRole", "portway-status")["rules"].as_array().unwrap();
    for rule in writes {
        assert!(given.contains(rule), "{rule:#}");
    }
}
