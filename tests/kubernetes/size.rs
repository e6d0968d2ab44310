//! Ten thousand routes: how long they take to be live, and what they cost.
//!
//! The limits hold for a build without optimisation beside other tests; `PORTWAY_TEST_BINARY` names a better one, and the
//! test prints what it measured.

use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::control_plane::{ADMIN, ControlPlane};
use portway_testkit::process::{Process, Setup};
use serde_json::json;

use super::{ask, define};

const ROUTES: usize = 10_000;

/// Services that the routes lead to, by turns.
const SERVICES: usize = 100;

/// Clients that make objects at the same time.
const MAKERS: usize = 4;

/// From the start until all routes are live.
const LOAD_TIME: Duration = Duration::from_secs(60);

/// From a change until it is live.
const CHANGE_TIME: Duration = Duration::from_secs(20);

/// Resident memory once all routes are live, in bytes.
const MEMORY: u64 = 256 << 20;

const ROUTE: &str = "/apis/traefik.io/v1alpha1/namespaces/default/ingressroutes";

fn host(number: usize) -> String {
    format!("app-{number}.example")
}

fn make_routes(plane: &ControlPlane) {
    let services: String = (0..SERVICES)
        .map(|number| {
            format!(
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s-{number}}}\n\
                 spec: {{ports: [{{name: http, port: 80}}]}}\n"
            )
        })
        .collect();
    plane.apply(&services);
    thread::scope(|scope| {
        for maker in 0..MAKERS {
            let mut session = plane.session(ADMIN);
            scope.spawn(move || {
                for number in (maker..ROUTES).step_by(MAKERS) {
                    session.create(
                        ROUTE,
                        &json!({
                            "apiVersion": "traefik.io/v1alpha1",
                            "kind": "IngressRoute",
                            "metadata": {"name": format!("r-{number}")},
                            "spec": {"routes": [{
                                "kind": "Rule",
                                "match": format!("Host(`{}`) && PathPrefix(`/`)", host(number)),
                                "services": [{"name": format!("s-{}", number % SERVICES), "port": 80}],
                            }]},
                        }),
                    );
                }
            });
        }
    });
}

/// How long it takes until a request for a host is answered so.
#[track_caller]
fn wait(portway: &Process, host: &str, status: u16, limit: Duration) -> Duration {
    let start = Instant::now();
    loop {
        let seen = ask(portway, "web", host, "/");
        if seen == Some(status) {
            return start.elapsed();
        }
        assert!(start.elapsed() < limit, "{host}: {seen:?} after {limit:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn ten_thousand_routes_are_live_soon_and_fit_into_little_memory() {
    let Some(plane) = ControlPlane::start() else { return };
    define(&plane);
    let began = Instant::now();
    make_routes(&plane);
    println!("{ROUTES} routes were made in {:?}", began.elapsed());

    let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
    setup.flags = plane.flags("kubernetesCRD", ADMIN);
    let portway = Process::spawn(&crate::portway(), &setup.flag("--log.level=WARN"));
    // Nothing of their Services is there to answer: 503 is a route's answer, 404 that of nobody.
    let load_time = wait(&portway, &host(ROUTES - 1), 503, LOAD_TIME);
    let memory = portway.resident_bytes();
    for number in (0..ROUTES).step_by(997) {
        assert_eq!(ask(&portway, "web", &host(number), "/"), Some(503), "{}", host(number));
    }

    let mut session = plane.session(ADMIN);
    session.delete(&format!("{ROUTE}/r-0"));
    let change_time = wait(&portway, &host(0), 404, CHANGE_TIME);
    println!(
        "live after {load_time:?} with {} MiB; a change after {change_time:?}; {} MiB then",
        memory >> 20,
        portway.resident_bytes() >> 20
    );
    assert!(memory < MEMORY, "{} MiB", memory >> 20);
}
