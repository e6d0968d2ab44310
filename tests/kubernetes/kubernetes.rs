//! A real API server, and what Portway makes of it.

mod churn;
mod conditions;
mod crds;
mod drain;
mod flap;
mod installed;
mod load;
mod oracle;
mod outage;
mod pods;
mod rbac;
mod rollout;
mod service_lb;
mod size;
mod status;
mod tutorial;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::client::Client;
use portway_testkit::control_plane::ControlPlane;
use portway_testkit::process::Process;
use serde_json::Value;

/// How long a change may take to arrive; a Lease of one that died runs out after fifteen seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The CustomResourceDefinitions of both groups.
fn crds() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/crds");
    let read = |name| fs::read_to_string(folder.join(name)).expect("definitions");
    format!("{}\n---\n{}", read("traefik.io.yaml"), read("traefik.containo.us.yaml"))
}

/// Installs the CustomResourceDefinitions, and waits until their kinds are served.
#[track_caller]
fn define(plane: &ControlPlane) {
    plane.apply(&crds());
    plane.run(&["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"], "");
    let get = |group: &&str| plane.kubectl(&["get", &format!("traefikservices.{group}")], "");
    until(|| crds::GROUPS.iter().all(|group| get(group).status.success()), |served| *served);
}

/// The status of an answer; `None` where there is none.
fn ask(portway: &Process, entry_point: &str, host: &str, target: &str) -> Option<u16> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let client = Client::connect(portway.address(entry_point));
    client.and_then(|mut client| client.ask(request)).map(|response| response.status).ok()
}

/// What the API answers, as JSON.
fn get_json(portway: &Process, target: &str) -> Value {
    let request = format!("GET {target} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n");
    let answer =
        Client::connect(portway.address("traefik")).and_then(|mut client| client.ask(request));
    serde_json::from_slice(&answer.expect("an answer").body).expect("JSON")
}

/// `/api/problems` as text.
fn problems(portway: &Process) -> String {
    get_json(portway, "/api/problems").to_string()
}

/// Waits until what `look` sees is `right`.
#[track_caller]
fn until<T: std::fmt::Debug>(mut look: impl FnMut() -> T, mut right: impl FnMut(&T) -> bool) {
    let (start, mut pause) = (Instant::now(), Duration::from_millis(10));
    loop {
        let seen = look();
        if right(&seen) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "still {seen:?}");
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}
