//! A folder of Kubernetes manifests.

use portway_testkit::process::{Process, Setup};

use super::{logged, status};

const ROUTE: &str = "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: NAME}
spec:
  entryPoints: [web]
  routes:
    - {kind: Rule, match: 'Host(`NAME`)', FIELDS}
";
const SERVICE: &str = "---
apiVersion: v1
kind: Service
metadata: {name: whoami}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: whoami}
subsets: [{addresses: [{ip: 127.0.0.1}], ports: [{port: 9}]}]
";

fn route(name: &str, fields: &str) -> String {
    ROUTE.replace("NAME", name).replace("FIELDS", fields)
}

/// Portway on a folder that exists already and is empty.
fn start() -> Process {
    let setup = Setup::web("http: {}")
        .flag("--providers.kubernetesManifests.directory=@@folder@@/manifests");
    let process = Process::start(&crate::portway(), &setup);
    process.folder().write("manifests/service.yaml", SERVICE.trim_start_matches("---\n"));
    process
}

#[test]
fn a_folder_that_is_missing() {
    let setup =
        Setup::web("http: {}").flag("--providers.kubernetesManifests.directory=/nope/manifests");
    let process = Process::start(&crate::portway(), &setup);
    logged(
        &process,
        "ERROR",
        "file /nope/manifests: cannot be read: No such file or directory (os error 2) (/nope/manifests)",
    );
}

#[test]
fn a_missing_service() {
    let process = start();
    process.folder().write("manifests/a.yaml", route("a", "services: [{name: whoamii, port: 80}]"));
    let error = "spec.routes[0].services[0].name: kubernetes service not found: default/whoamii; did you \
                 mean default/whoami? (@@folder@@/manifests/a.yaml:7)";
    let start = std::time::Instant::now();
    while !process.log().contains("whoamii") && start.elapsed() < super::PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let log = process.log();
    let line = log.lines().find(|line| line.contains("ERROR router default-a-")).unwrap_or(&log);
    assert!(line.ends_with(&process.expand(error)), "{line}");
    assert_eq!(status(&process, "a"), 500);
}

#[test]
fn a_missing_secret() {
    let process = start();
    let middleware = "---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: auth}
spec: {basicAuth: {secret: users}}
";
    let fields = "services: [{name: whoami, port: 80}], middlewares: [{name: auth}]";
    process.folder().write("manifests/a.yaml", route("a", fields) + middleware);
    logged(
        &process,
        "ERROR",
        "middleware default-auth@kubernetescrd: spec.basicAuth.secret: secret 'default/users' not found \
         (@@folder@@/manifests/a.yaml:12)",
    );
    assert_eq!(status(&process, "a"), 500);
    let secret = "---
apiVersion: v1
kind: Secret
metadata: {name: users}
stringData: {users: 'u:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc='}
";
    process.folder().write("manifests/secret.yaml", secret);
    logged(
        &process,
        "INFO",
        "no longer: middleware default-auth@kubernetescrd: spec.basicAuth.secret: secret 'default/users' \
         not found (@@folder@@/manifests/a.yaml:12)",
    );
    assert_eq!(status(&process, "a"), 401);
}

#[test]
fn a_missing_secret_of_tls() {
    let process = start();
    let fields = "services: [{name: whoami, port: 80}]";
    process
        .folder()
        .write("manifests/a.yaml", route("a", fields) + "  tls: {secretName: certificate}\n");
    logged(
        &process,
        "ERROR",
        "IngressRoute default/a, spec.tls.secretName: Error configuring TLS: secret default/certificate \
         does not exist (@@folder@@/manifests/a.yaml:8)",
    );
}

#[test]
fn a_broken_document_keeps_its_last_good_state() {
    let process = start();
    process.folder().write(
        "manifests/a.yaml",
        route("a", "services: [{kind: TraefikService, name: noop@internal}]"),
    );
    let start = std::time::Instant::now();
    while status(&process, "a") == 404 && start.elapsed() < super::PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(status(&process, "a"), 418);
    process.folder().write("manifests/a.yaml", "kind: [\n");
    logged(
        &process,
        "ERROR",
        "file @@folder@@/manifests/a.yaml: while parsing a node, did not find expected node content; the \
         last good state is kept (@@folder@@/manifests/a.yaml:2)",
    );
    assert_eq!(status(&process, "a"), 418);
}

#[test]
fn an_unknown_field_and_a_wrong_type() {
    let process = start();
    process.folder().write("manifests/a.yaml", route("a", "sevices: [], priority: high"));
    let start = std::time::Instant::now();
    while !process.log().contains("IngressRoute default/a") && start.elapsed() < super::PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    logged(
        &process,
        "WARN",
        "IngressRoute default/a, spec.routes[0].sevices: unknown field `sevices`; did you mean `services`? \
         (@@folder@@/manifests/a.yaml:7)",
    );
    let line = "spec.routes[0].priority: expected a whole number, found `high` \
                (@@folder@@/manifests/a.yaml:7)";
    let log = process.log();
    assert!(log.contains(&process.expand(line)), "{log}");
    assert_eq!(status(&process, "a"), 500);
}

/// An Ingress for one host, with annotations as the content of a mapping.
fn ingress(host: &str, annotations: &str) -> String {
    format!(
        "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {host}, annotations: {{{annotations}}}}}
spec:
  rules:
    - host: '*.{host}'
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {{service: {{name: whoami, port: {{number: 80}}}}}}
"
    )
}

#[test]
fn a_misspelt_annotation_of_an_ingress() {
    let process = start();
    let text = [
        ingress("good", ""),
        ingress("template", "traefik.ingress.kubernetes.io/router.rulesyntax: v2"),
        ingress("bad", "traefik.ingress.kubernetes.io/router.middelwares: auth@file"),
        ingress("missing", "traefik.ingress.kubernetes.io/router.middlewares: auth@file"),
        ingress("word", "traefik.ingress.kubernetes.io/router.tls: 'on'"),
    ];
    process.folder().write("manifests/a.yaml", text.concat());
    logged(
        &process,
        "ERROR",
        "router default-bad-bad@kubernetes: traefik.ingress.kubernetes.io/router.middelwares: unknown field \
         `middelwares`; did you mean `middlewares`? (@@folder@@/manifests/a.yaml:34)",
    );
    logged(
        &process,
        "WARN",
        "Ingress default/word, traefik.ingress.kubernetes.io/router.tls: `on` means no; write `true` or \
         `false` (@@folder@@/manifests/a.yaml:50)",
    );
    // Nobody listens behind those that work.
    let statuses = ["a.good", "a.template", "a.bad", "a.missing", "a.word", "good"];
    let statuses = statuses.map(|host| status(&process, host));
    assert_eq!(statuses, [502, 502, 500, 500, 502, 404]);
}
