//! The API server and its etcd are killed and come back.

use std::thread;
use std::time::Duration;

use portway_testkit::backend::Backend;
use portway_testkit::control_plane::{ADMIN, ControlPlane};
use portway_testkit::process::{Process, Setup};

use super::load::Load;
use super::{ask, crds, until};

/// How long an outage lasts: longer than a watch takes to be found cut off and asked for anew.
const OUTAGE: Duration = Duration::from_secs(3);

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

/// Waits until an API server whose etcd was away takes objects again.
fn apply_again(plane: &ControlPlane, yaml: &str) {
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    until(|| plane.kubectl(&apply, yaml), |output| output.status.success());
}

#[test]
fn the_last_good_state_serves_while_the_api_server_is_away() {
    let Some(mut plane) = ControlPlane::start() else { return };
    let backend = Backend::start();
    plane.apply(&crds());
    plane.apply(&route("one", &backend));
    let portway = Process::start(&crate::portway(), &setup(&plane));
    until(|| status(&portway, "one"), |status| *status == Some(200));
    let load = Load::start(portway.address("web"), "one.example");

    // Without etcd the API server answers, with errors.
    plane.kill_etcd();
    thread::sleep(OUTAGE);
    plane.start_etcd();
    apply_again(&plane, &route("two", &backend));
    until(|| status(&portway, "two"), |status| *status == Some(200));

    plane.kill_api_server();
    thread::sleep(OUTAGE);
    plane.start_api_server();
    plane.run(&["delete", "ingressroute.traefik.io", "two"], "");
    until(|| status(&portway, "two"), |status| *status == Some(404));

    plane.kill_api_server();
    plane.kill_etcd();
    until(|| super::problems(&portway), |problems| problems.contains("cannot be reached"));
    assert_eq!(ask(&portway, "traefik", "ping", "/ping"), Some(200), "an outage ends readiness");
    plane.start_etcd();
    plane.start_api_server();
    plane.apply(&route("three", &backend));
    until(|| status(&portway, "three"), |status| *status == Some(200));
    until(|| super::problems(&portway), |problems| !problems.contains("cannot be reached"));

    let answered = load.finish();
    assert!(answered > 1000, "only {answered} requests");
    plane.run(&["delete", "ingressroute.traefik.io", "one"], "");
    until(|| status(&portway, "one"), |status| *status == Some(404));
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
