//! The dashboard behind a password, as k3s' users set it up: objects of the old group, applied one after the other.

use portway_testkit::client::{Client, Response};
use portway_testkit::control_plane::{ADMIN, ControlPlane};
use portway_testkit::process::{Process, Setup};

use super::{crds, until};

const HOST: &str = "traefik.example.com";

/// `admin:admin` with the hash that `openssl passwd -apr1` makes, and two ends of lines after it.
const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: authsecret, namespace: default}
data:
  users: YWRtaW46JGFwcjEkLkUweHd1Z0EkUjBmLi85WndJNXZWRFMyR2F2LmtELwoK
";

const ROUTE: &str = "apiVersion: traefik.containo.us/v1alpha1
kind: IngressRoute
metadata: {name: dashboard, namespace: default}
spec:
  routes:
    - match: Host(`traefik.example.com`) && (PathPrefix(`/api`) || PathPrefix(`/dashboard`))
      kind: Rule
      services: [{name: api@internal, kind: TraefikService}]
      middlewares: [{name: auth}]
";

const MIDDLEWARE: &str = "apiVersion: traefik.containo.us/v1alpha1
kind: Middleware
metadata: {name: auth, namespace: default}
spec: {basicAuth: {secret: authsecret}}
";

#[test]
fn the_dashboard_opens_for_who_knows_the_password() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&crds());
    let mut setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web");
    setup.flags = plane.flags("kubernetesCRD", ADMIN);
    let portway = Process::start(&crate::portway(), &setup);
    let status = |user: &str, target: &str| ask(&portway, HOST, user, target).status;

    plane.run(&["create", "-f", "-"], SECRET);
    plane.run(&["create", "-f", "-"], ROUTE);
    // Its guard is not there yet: the route is closed, not open.
    until(|| status("", "/dashboard/"), |status| *status == 500);
    plane.run(&["create", "-f", "-"], MIDDLEWARE);
    until(|| status("", "/dashboard/"), |status| *status == 401);

    let asked = ask(&portway, HOST, "", "/dashboard/");
    assert_eq!(asked.headers.value("WWW-Authenticate"), Some("Basic realm=\"traefik\""));
    assert_eq!(status("YWRtaW46d3Jvbmc=", "/dashboard/"), 401, "admin:wrong");
    let page = ask(&portway, HOST, "YWRtaW46YWRtaW4=", "/dashboard/");
    assert_eq!(page.status, 200, "admin:admin");
    assert!(page.text().contains("<!doctype html>"), "{}", page.text());
    let routers = ask(&portway, HOST, "YWRtaW46YWRtaW4=", "/api/http/routers");
    assert!(routers.text().contains("default-dashboard-"), "{}", routers.text());
    for path in ["/api/overview", "/api/version"] {
        assert_eq!(status("YWRtaW46YWRtaW4=", path), 200, "{path}");
    }
    assert_eq!(ask(&portway, "other.example.com", "YWRtaW46YWRtaW4=", "/dashboard/").status, 404);

    // bob:secret, by SHA-1; an edit of the Secret is live.
    plane.run(
        &[
            "patch",
            "secret",
            "authsecret",
            "-p",
            r#"{"stringData":{"users":"bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}}"#,
        ],
        "",
    );
    until(|| status("Ym9iOnNlY3JldA==", "/dashboard/"), |status| *status == 200);
    assert_eq!(status("YWRtaW46YWRtaW4=", "/dashboard/"), 401);

    plane.run(&["delete", "middlewares.traefik.containo.us", "auth"], "");
    until(|| status("Ym9iOnNlY3JldA==", "/dashboard/"), |status| *status == 500);
}

fn ask(portway: &Process, host: &str, user: &str, target: &str) -> Response {
    let authorization = match user {
        "" => String::new(),
        user => format!("Authorization: Basic {user}\r\n"),
    };
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}Connection: close\r\n\r\n"
    );
    let client = Client::connect(portway.address("web"));
    client.and_then(|mut client| client.ask(request)).expect("an answer")
}
