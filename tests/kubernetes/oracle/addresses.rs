//! The addresses that are written into the status of Ingresses: by each program alone, since both together would write
//! over each other.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::control_plane::{ADMIN, ControlPlane, Objects};
use portway_testkit::process::{Process, Program, Setup};
use serde_json::{Value, json};

use super::stage::Provider;
use super::{Report, corpus};

/// How long Portway may take to write; it asks for its Lease first.
const PATIENCE: Duration = Duration::from_millis(2500);

/// How long Traefik may take, which writes before it serves.
const LITTLE: Duration = Duration::from_secs(1);

/// How long after the first write others are waited for.
const SETTLING: Duration = Duration::from_millis(300);

/// `status.loadBalancer` of each Ingress.
type Addresses = BTreeMap<String, Value>;

#[test]
fn both_write_the_same_addresses() {
    let (Some(traefik), Some(plane)) = (Program::traefik(), ControlPlane::start()) else { return };
    let mut report = Report::new();
    for case in corpus::about_status() {
        let [portway, traefik] = [crate::portway(), traefik.clone()]
            .map(|program| written(&plane, &program, &case.flags, &case.objects));
        let differ =
            (portway != traefik).then(|| format!("Traefik: {traefik:#?}\nPortway: {portway:#?}"));
        report.add(&case.name, differ);
    }
    // A choice of files may hold none about this.
    if std::env::var_os("ORACLE_ONLY").is_none() || report.compared > 0 {
        report.finish();
    }
}

/// What a program makes of the status of Ingresses that were just created.
fn written(
    plane: &ControlPlane,
    program: &Program,
    flags: &[String],
    created: &[Value],
) -> Addresses {
    let mut objects = plane.objects(ADMIN);
    for object in created {
        // What the API server refuses, neither sees.
        let _ = objects.create(object);
    }
    let before = addresses(&mut objects);
    let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
    setup.flags.extend(plane.flags(Provider::Ingress.option(), ADMIN));
    setup.flags.extend(flags.iter().cloned());
    let process = Process::start(program, &setup);
    let start = Instant::now();
    let mut now = before.clone();
    let patience = if matches!(program, Program::Traefik(_)) { LITTLE } else { PATIENCE };
    while now == before && start.elapsed() < patience {
        thread::sleep(Duration::from_millis(50));
        now = addresses(&mut objects);
    }
    thread::sleep(SETTLING);
    now = addresses(&mut objects);
    drop(process);
    // One that was killed would keep the next one waiting.
    objects.delete(&json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "portway-status"},
    }));
    for object in created {
        objects.delete(object);
    }
    now
}

fn addresses(objects: &mut Objects) -> Addresses {
    let ingresses = objects.list("networking.k8s.io/v1", "Ingress").expect("Ingresses");
    let each = ingresses.iter().map(|ingress| {
        let metadata = &ingress["metadata"];
        let name = format!("{}/{}", metadata["namespace"], metadata["name"]);
        (name.replace('"', ""), ingress["status"]["loadBalancer"].clone())
    });
    each.collect()
}
