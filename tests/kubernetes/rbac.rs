//! Portway with the rights that it ships with, and without some of them.

use std::thread;
use std::time::Duration;

use portway_testkit::control_plane::{ControlPlane, USER, USER_NAME};
use portway_testkit::process::{Process, Setup};

use super::{crds, until};

const OBJECTS: &str = include_str!("status/objects.yaml");

/// Roles and bindings of the file for k3s, bound to the user of these tests.
fn roles() -> String {
    let text = include_str!("../../deploy/k3s/portway.yaml");
    let roles = text.split("\n---").filter(|document| {
        document.contains("apiVersion: rbac.authorization.k8s.io/v1")
            || document.contains("kind: Namespace\n")
    });
    let account = "kind: ServiceAccount\n    name: portway\n    namespace: portway";
    let user =
        format!("kind: User\n    name: {USER_NAME}\n    apiGroup: rbac.authorization.k8s.io");
    let roles: Vec<_> = roles.map(|document| document.replace(account, &user)).collect();
    assert!(roles.len() >= 5, "roles are missing: {roles:#?}");
    roles.join("\n---")
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

#[test]
fn the_rights_that_are_shipped_are_enough_and_none_is_too_many() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    plane.apply(&roles());
    plane.apply(OBJECTS);
    let portway = start(&plane);
    until(|| is_ready(&portway), |ready| *ready);
    let conditions = || {
        let path = "jsonpath={.status.conditions[*].type}";
        plane.run(&["get", "ingressroute.traefik.io", "good", "-o", path], "")
    };
    until(conditions, |types| types.contains("Programmed"));
    until(|| plane.run(&["get", "ingress", "web"], ""), |text| text.contains("192.0.2.7"));
    let events =
        || plane.run(&["get", "events", "--field-selector=reportingComponent=portway"], "");
    until(events, |events| events.contains("did you mean"));
    // A second look at everything, so that renewals and changes are asked for too.
    plane.run(&["annotate", "ingressroute.traefik.io", "good", "looked=again"], "");
    thread::sleep(Duration::from_secs(4));
    let log = portway.log().to_lowercase();
    assert!(!log.contains("forbidden"), "{log}");

    let used = plane.rights_used(USER_NAME);
    let given = given();
    assert!(used.len() > 50, "{used:?}");
    let missing: Vec<_> = used.iter().filter(|right| !given.contains(*right)).collect();
    assert!(missing.is_empty(), "used, but not given: {missing:?}");
    // What nobody writes in this test, because nothing of the kind is wrong or there.
    let unused: Vec<_> = given
        .iter()
        .filter(|right| !used.contains(*right))
        .filter(|right| !right.starts_with("patch ") && !right.starts_with("get "))
        .collect();
    assert!(unused.is_empty(), "given, but never used: {unused:?}");
}

/// The rights of the shipped roles, as `verb group/resource`.
fn given() -> Vec<String> {
    let mut rights = Vec::new();
    for document in roles().split("\n---").filter(|document| document.contains("\nrules:")) {
        let rules = document.split("\nrules:").nth(1).expect("rules");
        for rule in rules.split("- apiGroups:").skip(1) {
            let list = |name: &str| -> Vec<String> {
                let text = rule.split(name).nth(1).unwrap_or_default();
                let inline = text.trim_start().strip_prefix('[').and_then(|t| t.split(']').next());
                match inline {
                    Some(items) => items
                        .split(',')
                        .map(|item| item.trim().trim_matches('"').to_owned())
                        .collect(),
                    None => text
                        .lines()
                        .skip(1)
                        .map_while(|line| line.trim().strip_prefix("- ").map(str::to_owned))
                        .collect(),
                }
            };
            let groups = rule.trim_start().strip_prefix('[').and_then(|t| t.split(']').next());
            for group in groups.unwrap_or_default().split(',').map(|g| g.trim().trim_matches('"')) {
                for resource in list("resources:") {
                    for verb in list("verbs:") {
                        rights.push(format!("{verb} {group}/{resource}"));
                    }
                }
            }
        }
    }
    rights
}

#[test]
fn what_may_not_be_read_is_named_and_stops_only_what_needs_it() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    plane.apply(OBJECTS);
    let without = |words: &[&str]| {
        let mut text = roles();
        for word in words {
            text = text.replace(word, "nothing");
        }
        text
    };
    // Nodes, ConfigMaps and the old group are wished for, not needed.
    plane.apply(
        &without(&["resources: [nodes]", "traefik.containo.us, "])
            .replace("nothing]", "[nothing]")
            .replace("    nothing\n", "    resources: [nothing]\n")
            .replace("[nothingtraefik.io]", "[traefik.io]")
            .replace("configmaps, ", ""),
    );
    let portway = start(&plane);
    until(|| is_ready(&portway), |ready| *ready);
    until(
        || super::problems(&portway),
        |problems| {
            ["nodes", "configmaps", "traefik.containo.us"]
                .iter()
                .all(|name| problems.contains(name))
        },
    );
    drop(portway);

    // Without Secrets nothing is complete, and the log says which right is missing.
    plane.apply(&roles().replace("configmaps, secrets, services", "configmaps, services"));
    let portway = start(&plane);
    until(
        || portway.log(),
        |log| log.contains("waiting for the cluster") && log.contains("secrets"),
    );
    assert!(!is_ready(&portway), "ready without Secrets");
    plane.apply(&roles());
    until(|| is_ready(&portway), |ready| *ready);
}
