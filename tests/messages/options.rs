//! Options: every source, every kind of fault. Portway does not start; the exit status is 2.

use std::os::unix::fs::PermissionsExt;

use portway_testkit::process::Process;

use super::{Call, PATIENCE, logged};

#[test]
fn an_unknown_flag() {
    Call::new().refused(
        &["--entrypoint.web.address=:8000"],
        &["flags, --entrypoint.web.address: unknown option; did you mean `entryPoints.web.address`?"],
    );
}

#[test]
fn an_unknown_variable() {
    let call = Call::new().variable("TRAEFIK_ENTRYPOINTS_WEB_ADRESS", ":8000");
    call.refused(
        &[],
        &["environment, TRAEFIK_ENTRYPOINTS_WEB_ADRESS: unknown option; did you mean \
           `entryPoints.web.address`?"],
    );
    let call = Call::new().variable("PORTWAY_PROVIDER_FILE_DIRECTORY", "routes");
    call.refused(
        &[],
        &["environment, PORTWAY_PROVIDER_FILE_DIRECTORY: unknown option; did you mean \
           `providers.file.directory`?"],
    );
}

#[test]
fn an_unknown_option_in_a_file() {
    Call::new().file("portway.yml", "ping: {}\nproviders:\n  file:\n    dir: routes\n").refused(
        &[],
        &[
            "file ./portway.yml, providers.file.dir: unknown option; `providers.file` has \
             `debugLogGeneratedTemplate`, `directory`, `filename`, `watch` (./portway.yml:4)",
            "file ./portway.yml, providers.file: needs `directory` or `filename`: neither is given \
             (./portway.yml:4)",
        ],
    );
    Call::new().file("a.toml", "[log]\nlevle = \"INFO\"\n").refused(
        &["--configFile=a.toml"],
        &["file a.toml, log.levle: unknown option; did you mean `log.level`? (a.toml:2)"],
    );
}

#[test]
fn a_value_of_another_type() {
    let expected = "expected a boolean (`true` or `false`), found `maybe`";
    Call::new()
        .refused(&["--api.insecure=maybe"], &[&format!("flags, --api.insecure: {expected}")]);
    Call::new()
        .variable("PORTWAY_API_INSECURE", "maybe")
        .refused(&[], &[&format!("environment, api.insecure: {expected}")]);
    Call::new().file("s.yml", "api:\n  insecure: maybe\n").refused(
        &["--configFile=s.yml"],
        &[&format!("file s.yml, api.insecure: {expected} (s.yml:2)")],
    );
    Call::new().file("s.toml", "[accessLog]\nbufferingSize = \"many\"\n").refused(
        &["--configFile=s.toml"],
        &["file s.toml, accessLog.bufferingSize: expected a number of lines, found `many` (s.toml:2)"],
    );
    Call::new().refused(
        &["--log.level=LOUD"],
        &["flags, --log.level: expected one of `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`, \
           `PANIC`, found `LOUD`"],
    );
}

#[test]
fn a_bad_duration_address_or_range() {
    Call::new().refused(
        &["--entryPoints.web.address=:8000", "--entryPoints.web.transport.lifeCycle.graceTimeOut=soon"],
        &["flags, --entryPoints.web.transport.lifeCycle.graceTimeOut: expected a duration such as `30s`, \
           `250ms` or a number of seconds, found `soon`"],
    );
    for address in ["localhost", ":99999", "8000", "::1:80"] {
        Call::new().refused(
            &[&format!("--entryPoints.web.address={address}")],
            &[&format!(
                "flags, --entryPoints.web.address: `{address}` is no address; write `[host]:port`, such \
                 as `:8000` or `127.0.0.1:8000/tcp`"
            )],
        );
    }
    Call::new().refused(
        &["--entryPoints.web.address=:8000", "--entryPoints.web.forwardedHeaders.trustedIPs=10.0.0.0/33"],
        &["flags, --entryPoints.web.forwardedHeaders.trustedIPs: expected addresses such as `10.0.0.1` or \
           networks such as `10.0.0.0/8`, found `10.0.0.0/33`"],
    );
}

#[test]
fn a_file_that_is_no_yaml_or_toml() {
    Call::new().file("s.yml", "entryPoints:\n\tweb: {}\n").refused(
        &["--configFile=s.yml"],
        &["file s.yml: tabs disallowed within this context (block indentation) (s.yml:2)"],
    );
    Call::new().file("s.toml", "[entryPoints.web\naddress = 1\n").refused(
        &["--configFile=s.toml"],
        &["file s.toml: unclosed table, expected `]` (s.toml:1)"],
    );
    Call::new().file("s.json", "{}").refused(
        &["--configFile=s.json"],
        &["file s.json: its name ends in none of `.yml`, `.yaml`, `.toml` (s.json)"],
    );
}

#[test]
fn a_file_that_cannot_be_read() {
    Call::new().refused(
        &["--configFile=nope.yml"],
        &["file nope.yml: cannot be read: No such file or directory (os error 2)"],
    );
    let mut call = Call::new().file("portway.yml", "ping: {}\n");
    let path = call.folder.path().join("portway.yml");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    call.as_nobody = true;
    if !super::start::nobody_can_run(&call) {
        return;
    }
    call.refused(&[], &["file ./portway.yml: cannot be read: Permission denied (os error 13)"]);
}

#[test]
fn an_unknown_command() {
    Call::new().refused(
        &["healthchek"],
        &["there is no command `healthchek`; did you mean `healthcheck`? Options begin with `--`"],
    );
    Call::new().refused(
        &["run"],
        &["there is no command `run`; commands are `version`, `healthcheck` and `help`. Options begin \
           with `--`"],
    );
}

#[test]
fn a_provider_without_a_place() {
    Call::new().refused(
        &["--providers.file"],
        &["flags, --providers.file: `providers.file` says nothing by itself; give one of its options"],
    );
    Call::new().file("s.yml", "providers:\n  kubernetesManifests: {}\n").refused(
        &["--configFile=s.yml"],
        &["file s.yml, providers.kubernetesManifests: needs `directory`, the folder of the manifests \
           (s.yml:2)"],
    );
}

/// The arguments of Traefik's Helm chart, with ports of the system's choice.
#[test]
fn the_arguments_of_traefiks_chart_start_with_one_warning() {
    let call = Call::new();
    let log = std::fs::File::create(call.folder.path().join("stderr.txt")).unwrap();
    let mut command = call.command(&[
        "--global.checkNewVersion",
        "--global.sendAnonymousUsage=false",
        "--entryPoints.metrics.address=127.0.0.1:0/tcp",
        "--entryPoints.traefik.address=127.0.0.1:0/tcp",
        "--entryPoints.web.address=127.0.0.1:0/tcp",
        "--entryPoints.websecure.address=127.0.0.1:0/tcp",
        "--api.dashboard=true",
        "--ping=true",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=metrics",
        "--providers.kubernetescrd",
        "--providers.kubernetescrd.allowEmptyServices=true",
        // Nobody listens there, which is what a cluster's API server may be like at the start.
        "--providers.kubernetescrd.endpoint=http://127.0.0.1:9",
        "--providers.kubernetesingress",
        "--providers.kubernetesingress.endpoint=http://127.0.0.1:9",
        "--providers.kubernetesingress.allowEmptyServices=true",
        "--providers.kubernetesingress.ingressendpoint.publishedservice=default/traefik",
        "--entryPoints.websecure.http.tls=true",
        "--log.level=INFO",
    ]);
    let mut child = command.stderr(log).spawn().expect("Portway starts");
    let start = std::time::Instant::now();
    while !call.read("stderr.txt").contains("entry point `websecure` listens on")
        && start.elapsed() < PATIENCE
    {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    let _ = child.wait();
    let log = call.read("stderr.txt");
    assert!(running, "{log}");
    assert!(log.contains("entry point `websecure` listens on"), "{log}");
    let waits = |line: &&str| line.contains(" INFO ") || line.contains("waiting for the cluster");
    let told: Vec<_> = log.lines().filter(|line| !waits(line)).collect();
    assert_eq!(told.len(), 1, "{log}");
    let expected = " WARN options: options of Traefik that this version of Portway does not serve yet and \
        that have no effect: `metrics.prometheus.entryPoint`";
    assert!(told[0].ends_with(expected), "{log}");
}

#[test]
fn a_cluster_that_nobody_names_stops_the_start() {
    Call::new().fails(
        &["--providers.kubernetesCRD"],
        "providers.kubernetesCRD: endpoint: no API server is known; Portway runs in no cluster (no \
         KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT), KUBECONFIG is not set, and no endpoint is given",
    );
}

#[test]
fn a_reference_to_no_entry_point_is_a_warning() {
    let setup = portway_testkit::process::Setup::web("http: {}")
        .flag("--entryPoints.web.http.redirections.entryPoint.to=wbe");
    let process = Process::start(&crate::portway(), &setup);
    logged(
        &process,
        "WARN",
        "flags, --entryPoints.web.http.redirections.entryPoint.to: there is no entry point `wbe`; did you \
         mean `web`?",
    );
}
