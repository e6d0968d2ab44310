//! The API server and its etcd are killed and come back.

use std::thread;
use std::time::Duration;

use portway_testkit::backend::Backend;
use portway_testkit::control_plane::{ADMIN, ControlPlane};
use portway_testkit::process::{Process, Setup};
use serde_json::Value;

use super::{ask, crds, until};

fn setup(plane: &ControlPlane) -> Setup {
    let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
    setup.flags = plane.flags("kubernetesCRD", ADMIN);
    setup.flag("--providers.kubernetesCRD.allowExternalNameServices=true")
}

/// A route to a server on loopback, which a cluster can have by name only.
fn route(name: &str, backend: &Backend) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n\
         spec: {{type: ExternalName, externalName: localhost, ports: [{{port: {port}}}]}}\n\
         ---\napiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {{name: {name}}}\n\
         spec:\n  routes:\n    - match: Host(`{name}.example`)\n      kind: Rule\n      \
         services: [{{name: {name}, port: {port}}}]\n",
        port = backend.address().port()
    )
}

fn status(portway: &Process, name: &str) -> Option<u16> {
    ask(portway, "web", &format!("{name}.example"), "/")
}

#[test]
fn the_last_good_state_serves_while_the_api_server_is_away() {
    let Some(mut plane) = ControlPlane::start() else { return };
    let backend = Backend::start();
    plane.apply(&crds());
    plane.apply(&route("one", &backend));
    let portway = Process::start(&crate::portway(), &setup(&plane));
    until(|| status(&portway, "one"), |status| *status == Some(200));

    plane.kill_api_server();
    plane.kill_etcd();
    for _ in 0..30 {
        assert_eq!(status(&portway, "one"), Some(200));
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(ask(&portway, "traefik", "ping", "/ping"), Some(200), "an outage ends readiness");
    until(|| super::problems(&portway), |problems| problems.contains("cannot be reached"));

    plane.start_etcd();
    plane.start_api_server();
    plane.apply(&route("two", &backend));
    until(|| status(&portway, "two"), |status| *status == Some(200));
    assert_eq!(status(&portway, "one"), Some(200));
    plane.run(&["delete", "ingressroute.traefik.io", "one"], "");
    until(|| status(&portway, "one"), |status| *status == Some(404));
    until(|| super::problems(&portway), |problems| !problems.contains("cannot be reached"));
}

#[test]
fn a_start_without_an_api_server_waits_for_it() {
    let Some(mut plane) = ControlPlane::start() else { return };
    let backend = Backend::start();
    plane.apply(&crds());
    plane.apply(&route("one", &backend));
    plane.kill_api_server();
    let portway = Process::spawn(&crate::portway(), &setup(&plane));
    until(|| ask(&portway, "traefik", "ping", "/ping"), |status| *status == Some(503));
    thread::sleep(Duration::from_secs(2));
    assert_eq!(ask(&portway, "traefik", "ping", "/ping"), Some(503));
    plane.start_api_server();
    until(|| ask(&portway, "traefik", "ping", "/ping"), |status| *status == Some(200));
    assert_eq!(status(&portway, "one"), Some(200));
}

#[test]
fn definitions_that_come_later_are_picked_up() {
    let Some(plane) = ControlPlane::start() else { return };
    let backend = Backend::start();
    let portway = Process::start(&crate::portway(), &setup(&plane));
    assert_eq!(status(&portway, "one"), Some(404));
    plane.apply(&crds());
    until(
        || plane.kubectl(&["get", "ingressroute.traefik.io"], "").status.success(),
        |there| *there,
    );
    plane.apply(&route("one", &backend));
    until(|| status(&portway, "one"), |status| *status == Some(200));
}

#[test]
fn what_is_left_after_much_churn_is_what_a_fresh_start_reads() {
    let Some(mut plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    let portway = Process::start(&crate::portway(), &setup(&plane));
    let backend = Backend::start();
    for round in 0..6 {
        let routes: String = (0..100)
            .map(|n| route(&format!("app-{}", (n * 7 + round * 13) % 150), &backend))
            .collect();
        plane.apply(&routes);
        let gone: Vec<String> =
            (0..40).map(|n| format!("app-{}", (n * 3 + round * 31) % 150)).collect();
        let mut arguments =
            vec!["delete", "--ignore-not-found", "--wait=false", "ingressroute.traefik.io"];
        arguments.extend(gone.iter().map(String::as_str));
        plane.run(&arguments, "");
        if round == 3 {
            plane.kill_api_server();
            plane.start_api_server();
        }
    }
    let fresh = Process::start(&crate::portway(), &setup(&plane));
    let objects = |portway: &Process| {
        let mut data: Value = super::get_json(portway, "/api/rawdata");
        for kind in ["routers", "services", "middlewares"] {
            if let Some(objects) = data[kind].as_object_mut() {
                objects.retain(|name, _| name.ends_with("@kubernetescrd"));
            }
        }
        data
    };
    let expected = objects(&fresh);
    let count = expected["routers"].as_object().map_or(0, serde_json::Map::len);
    assert!((50..150).contains(&count), "{count} routers");
    until(|| objects(&portway) == expected, |same| *same);
}
