//! Portway with the rights that it ships with, and without some of them.

use std::collections::BTreeSet;

use portway_testkit::control_plane::{ControlPlane, USER, USER_NAME};
use portway_testkit::process::{Process, Setup};
use serde_json::{Value, json};

use super::{crds, until};
use crate::deploy::{documents, rights};

const OBJECTS: &str = include_str!("status/objects.yaml");

/// What is read where it may be, and missed where it may not: Nodes, ConfigMaps, classes, the old group and what is not
/// served yet.
const WISHED: [&str; 7] = [
    "nodes",
    "configmaps",
    "ingressclasses.networking.k8s.io",
    "ingressroutes.traefik.containo.us",
    "middlewares.traefik.containo.us",
    "ingressroutetcps.traefik.io",
    "serverstransporttcps.traefik.io",
];

/// What nothing is complete without.
const REQUIRED: [&str; 6] = [
    "services",
    "secrets",
    "endpointslices.discovery.k8s.io",
    "ingresses.networking.k8s.io",
    "ingressroutes.traefik.io",
    "tlsoptions.traefik.io",
];

/// Roles and bindings of the file for k3s, bound to the user of these tests, and their namespace.
fn roles() -> Vec<Value> {
    let kinds = ["Namespace", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
    let mut roles = documents(include_str!("../../deploy/k3s/portway.yaml"));
    roles.retain(|object| object["kind"].as_str().is_some_and(|kind| kinds.contains(&kind)));
    assert_eq!(roles.len(), kinds.len(), "{roles:#?}");
    for role in &mut roles {
        if role["subjects"].is_array() {
            let group = "rbac.authorization.k8s.io";
            role["subjects"] = json!([{"kind": "User", "name": USER_NAME, "apiGroup": group}]);
        }
    }
    roles
}

/// The rights of the shipped roles, as `verb group/resource`.
fn given() -> BTreeSet<String> {
    roles().iter().filter(|role| role["rules"].is_array()).flat_map(rights).collect()
}

/// The roles without the rights that `fit`, each told by its verb, group and resource.
fn without(fit: impl Fn(&str, &str, &str) -> bool) -> Vec<Value> {
    let mut roles = roles();
    for role in roles.iter_mut().filter(|role| role["rules"].is_array()) {
        let mut kept = Vec::new();
        for rule in role["rules"].as_array().expect("rules") {
            let one = json!({"rules": [rule]});
            for right in rights(&one) {
                let (verb, of) = right.split_once(' ').expect("a verb");
                let (group, resource) = of.split_once('/').expect("a group");
                if !fit(verb, group, resource) {
                    kept.push(json!({
                        "verbs": [verb], "apiGroups": [group], "resources": [resource],
                        "resourceNames": rule["resourceNames"],
                    }));
                }
            }
        }
        role["rules"] = Value::Array(kept);
    }
    roles
}

/// Whether a resource is one of `names`, such as `nodes` or `ingressroutes.traefik.io`.
fn is_one_of(names: &[&str], group: &str, resource: &str) -> bool {
    names.contains(&resource) || names.contains(&format!("{resource}.{group}").as_str())
}

fn apply(plane: &ControlPlane, objects: &[Value]) {
    let documents = objects.iter().map(|object| format!("---\n{object}\n"));
    plane.apply(&documents.collect::<String>());
}

fn start(plane: &ControlPlane) -> Process {
    let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
    setup.flags = plane.flags("kubernetesCRD", USER);
    setup.flags.extend(plane.flags("kubernetesIngress", USER));
    setup.variables = vec![("POD_NAMESPACE".to_owned(), "portway".to_owned())];
    let setup = setup
        .flag("--log.level=INFO")
        .flag("--providers.kubernetesIngress.ingressEndpoint.ip=192.0.2.7");
    Process::spawn(&crate::portway(), &setup)
}

fn is_ready(portway: &Process) -> bool {
    super::ask(portway, "traefik", "ping", "/ping") == Some(200)
}

/// The names of which a text, log or JSON, does not say that they cannot be listed.
fn untold<'a>(text: &str, names: &[&'a str]) -> Vec<&'a str> {
    let told = |name: &str| {
        let (resource, group) = name.split_once('.').unwrap_or((name, ""));
        let words = format!("cannot list resource \"{resource}\" in API group \"{group}");
        text.replace("\\\"", "\"").contains(&words)
    };
    names.iter().filter(|name| !told(name)).copied().collect()
}

#[test]
fn the_rights_that_are_shipped_are_enough_and_none_is_too_many() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    apply(&plane, &roles());
    plane.apply(OBJECTS);
    // One of each kind, so that every status is written; each has a name of its own in both groups.
    for (number, group) in super::crds::GROUPS.into_iter().enumerate() {
        let mut objects = super::crds::one_of_each_kind(group);
        objects
            .iter_mut()
            .for_each(|object| object["metadata"]["name"] = json!(format!("o-{number}")));
        apply(&plane, &objects);
    }
    let portway = start(&plane);
    until(|| is_ready(&portway), |ready| *ready);
    let given = given();
    assert!(given.len() > 80, "{given:?}");
    // Renewals of the Lease and second watches come later.
    let unused = || {
        let used = plane.rights_used(USER_NAME);
        given.iter().filter(|right| !used.contains(right)).cloned().collect::<Vec<_>>()
    };
    until(unused, |unused| unused.is_empty());
    until(|| plane.run(&["get", "ingress", "web"], ""), |text| text.contains("192.0.2.7"));
    let of_portway = ["get", "events", "--field-selector=reportingComponent=portway"];
    until(|| plane.run(&of_portway, ""), |events| events.contains("did you mean"));

    let used = plane.rights_used(USER_NAME);
    let missing: Vec<_> = used.iter().filter(|right| !given.contains(*right)).collect();
    assert!(missing.is_empty(), "used, but not given: {missing:?}");
    let log = portway.log().to_lowercase();
    assert!(!log.contains("forbidden"), "{log}");
}

#[test]
fn what_may_not_be_read_is_named_and_stops_only_what_needs_it() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    plane.apply(OBJECTS);
    apply(&plane, &without(|_, group, resource| is_one_of(&WISHED, group, resource)));
    let portway = start(&plane);
    until(|| is_ready(&portway), |ready| *ready);
    until(|| untold(&super::problems(&portway), &WISHED), |untold| untold.is_empty());
    apply(&plane, &roles());
    until(|| super::problems(&portway), |problems| !problems.contains("cannot list"));
    drop(portway);

    apply(&plane, &without(|_, group, resource| is_one_of(&REQUIRED, group, resource)));
    let portway = start(&plane);
    until(|| untold(&portway.log(), &REQUIRED), |untold| untold.is_empty());
    assert!(portway.log().contains("waiting for the cluster"), "{}", portway.log());
    assert!(!is_ready(&portway), "ready without what is required");
    apply(&plane, &roles());
    until(|| is_ready(&portway), |ready| *ready);
}

#[test]
fn rights_that_are_taken_away_later_leave_what_is_known() {
    let Some(mut plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    plane.apply(OBJECTS);
    apply(&plane, &roles());
    let portway = start(&plane);
    let status = || super::ask(&portway, "web", "good.example", "/");
    until(status, |status| *status == Some(503));

    // Watches that run are not asked again who they are of; those of a new API server are.
    apply(&plane, &without(|_, group, resource| is_one_of(&REQUIRED, group, resource)));
    plane.kill_api_server();
    plane.start_api_server();
    plane.run(&["delete", "ingressroute.traefik.io", "good"], "");
    until(
        || super::problems(&portway),
        |problems| problems.contains("cannot") && problems.contains("ingressroutes"),
    );
    assert_eq!(status(), Some(503), "what was known is forgotten");
    assert!(is_ready(&portway));
    apply(&plane, &roles());
    until(status, |status| *status == Some(404));
}

#[test]
fn what_may_not_be_written_is_named_and_serves_all_the_same() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    plane.apply(OBJECTS);
    apply(&plane, &without(|_, _, resource| resource == "ingressroutes/status"));
    let portway = start(&plane);
    until(
        || portway.log(),
        |log| log.contains("the status of ingressroutes.traefik.io is not written"),
    );
    assert_eq!(super::ask(&portway, "web", "good.example", "/"), Some(503));
    drop(portway);

    apply(&plane, &without(|_, _, resource| resource == "leases"));
    let portway = start(&plane);
    until(|| portway.log(), |log| log.contains("Lease `portway-status` may not be used"));
    until(|| super::ask(&portway, "web", "good.example", "/"), |status| *status == Some(503));
}
