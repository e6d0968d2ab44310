//! What the system refuses at the start: exit status 1.

use std::net::TcpListener;

use portway_testkit::process::{Process, Setup};

use super::{Call, logged};

/// Whether Portway can be run as another user; a message says where not.
pub(super) fn nobody_can_run(call: &Call) -> bool {
    let can = call.command(&["version"]).output().is_ok_and(|output| output.status.success());
    if !can {
        eprintln!(
            "SKIPPED: Portway cannot be run as another user here (setpriv, root, its folder)"
        );
    }
    can
}

#[test]
fn a_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    Call::new().fails(
        &[&format!("--entryPoints.web.address={address}")],
        &format!(
            "entry point `web` cannot listen on `{address}`: the port is in use by another process; find \
             it with `ss -ltnp` (Address already in use (os error 98))"
        ),
    );
}

#[test]
fn a_negative_limit_of_http2() {
    Call::new().fails(
        &[
            "--entryPoints.web.address=127.0.0.1:0",
            "--entryPoints.web.http2.maxConcurrentStreams=-1",
        ],
        "entryPoints.web.http2.maxConcurrentStreams: is negative; 0 means the default",
    );
}

#[test]
fn a_proxy_protocol_that_nobody_may_speak() {
    Call::new().fails(
        &["--entryPoints.web.address=127.0.0.1:0", "--entryPoints.web.proxyProtocol"],
        "entryPoints.web.proxyProtocol.trustedIPs: names nobody whose headers are believed; give addresses of \
         balancers such as `10.0.0.0/8`, or set `proxyProtocol.insecure`",
    );
}

#[test]
fn templates_of_errors_that_cannot_be_used() {
    let fails = |option: &str, name: &str, text: &str, message: &str| {
        let call = Call::new().file(name, text);
        let option = format!("--errorPages.{option}={name}");
        call.fails(&["--entryPoints.web.address=127.0.0.1:0", &option], message);
    };
    let unknown = "unknown placeholder `{staus}`; did you mean `{status}`?";
    fails("html", "a.html", "<p>{staus}", &format!("errorPages.html: {unknown}"));
    fails("json", "a.json", "{\"a\": {staus}}", &format!("errorPages.json: {unknown}"));
    fails("html", "a.html", " ", "errorPages.html: is empty");
    let long = "x".repeat(256 * 1024 + 1);
    fails("html", "a.html", &long, "errorPages.html: a.html: is longer than 256 KiB");
    fails(
        "json",
        "a.json",
        "{\"a\": {text}}",
        "errorPages.json: is no JSON once it is filled: expected value at line 1 column 7; `{text}` and `{reason}` \
         need quotes",
    );
    Call::new().fails(
        &["--entryPoints.web.address=127.0.0.1:0", "--errorPages.json=gone.json"],
        "errorPages.json: gone.json: No such file or directory (os error 2)",
    );
}

#[test]
fn a_name_of_the_proxy_that_no_field_can_hold() {
    Call::new().fails(
        &["--entryPoints.web.address=127.0.0.1:0", "--proxyStatus.name=ä"],
        "proxyStatus.name: has to be one or more visible characters of ASCII, and blanks",
    );
}

/// Both share ports among their own workers; a second Portway must not take half of the connections.
#[test]
fn a_port_in_use_by_another_portway() {
    let first = Process::start(&crate::portway(), &Setup::web("http: {}"));
    let address = first.address("web");
    Call::new().fails(
        &[&format!("--entryPoints.other.address={address}")],
        &format!(
            "entry point `other` cannot listen on `{address}`: the port is in use by another process; \
             find it with `ss -ltnp` (Address already in use (os error 98))"
        ),
    );
}

#[test]
fn no_permission_for_a_port() {
    let call = Call { as_nobody: true, ..Call::new() };
    let first_free = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first_free.is_ok_and(|port| port.trim().parse::<u16>().is_ok_and(|port| port <= 81)) {
        eprintln!("SKIPPED: this system lets everyone listen on every port");
        return;
    }
    if !nobody_can_run(&call) {
        return;
    }
    call.fails(
        &["--entryPoints.web.address=127.0.0.1:81"],
        "entry point `web` cannot listen on `127.0.0.1:81`: no permission; ports below 1024 need root or \
         the capability NET_BIND_SERVICE, or use a higher port (Permission denied (os error 13))",
    );
}

#[test]
fn an_address_of_another_machine() {
    Call::new().fails(
        &["--entryPoints.web.address=192.0.2.1:8000"],
        "entry point `web` cannot listen on `192.0.2.1:8000`: this machine has no such address; write \
         `:port` to listen on all (Cannot assign requested address (os error 99))",
    );
}

#[test]
fn an_access_log_that_cannot_be_opened() {
    Call::new().fails(
        &["--entryPoints.web.address=127.0.0.1:0", "--accessLog.filePath=/proc/nope/access.log"],
        "accessLog.filePath: cannot open the access log `/proc/nope/access.log`: No such file or \
         directory (os error 2)",
    );
}

#[test]
fn a_log_that_cannot_be_opened_goes_to_standard_error() {
    let setup = Setup::web("http: {}").flag("--log.filePath=/proc/nope/log");
    let process = Process::start(&crate::portway(), &setup);
    logged(
        &process,
        "ERROR",
        "log.filePath: `/proc/nope/log` cannot be opened, the log goes to standard error: No such file or \
         directory (os error 2)",
    );
}

#[test]
fn log_files_get_their_folders_and_are_opened_anew_on_sigusr1() {
    let setup = Setup::web("http: {}").flag("--log.filePath=@@folder@@/logs/deep/log");
    let mut process = Process::start(&crate::portway(), &setup);
    let path = process.folder().path().join("logs/deep/log");
    assert!(std::fs::read_to_string(&path).unwrap().contains("entry point `web` listens on"));
    std::fs::rename(&path, path.with_extension("old")).unwrap();
    process.signal("USR1");
    let start = std::time::Instant::now();
    while !path.exists() && start.elapsed() < super::PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    process.reload("dynamic.yml", "http: {routers: {r: {rule: x, service: noop@internal}}}");
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.contains("router r@file: error while parsing rule x"), "{log}");
}

#[test]
fn authorities_that_cannot_be_read() {
    Call::new().fails(
        &["--entryPoints.web.address=127.0.0.1:0", "--serversTransport.rootCAs=/nope/ca.pem"],
        "serversTransport.rootCAs[0]: `/nope/ca.pem` cannot be read: No such file or directory (os error 2)",
    );
}

#[test]
fn a_label_selector_that_is_none() {
    let output = Call::new().run(&[
        "--entryPoints.web.address=127.0.0.1:0",
        "--providers.kubernetesManifests.directory=.",
        "--providers.kubernetesManifests.labelSelector=a in (",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(" ERROR providers.kubernetesManifests.labelSelector: "), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}
