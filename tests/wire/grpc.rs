//! gRPC's own client and server with Portway between them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use portway_testkit::process::{Process, Setup};

const DYNAMIC: &str = r#"
http:
  routers:
    grpc: {rule: "Host(`grpc.test`)", service: grpc, entryPoints: [web]}
    guarded: {rule: "Host(`guarded.test`)", service: grpc, entryPoints: [web], middlewares: [auth]}
    dead: {rule: "Host(`dead.test`)", service: dead, entryPoints: [web]}
    empty: {rule: "Host(`empty.test`)", service: empty, entryPoints: [web]}
  services:
    grpc: {loadBalancer: {servers: [{url: "h2c://127.0.0.1:@@port@@"}]}}
    dead: {loadBalancer: {servers: [{url: "h2c://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
  middlewares:
    auth: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
"#;

/// A server of gRPC; it ends with its input.
struct Server {
    child: Child,
    port: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the cases' program; `None` where there is no gRPC for Python.
fn python(arguments: &[&str]) -> Option<Command> {
    let packages = std::env::var_os("PYTHON_PACKAGES")
        .filter(|folder| Path::new(folder).join("grpc").is_dir());
    let Some(packages) = packages else {
        let advice = "no gRPC in PYTHON_PACKAGES; `cargo xtask test` installs it with pip";
        assert!(std::env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
        return None;
    };
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/grpc/grpc_cases.py"));
    command.args(arguments).env("PYTHONPATH", packages).stdin(Stdio::piped());
    Some(command)
}

fn serve() -> Option<Server> {
    let mut child = python(&["serve"])?.stdout(Stdio::piped()).spawn().expect("a server");
    let mut port = String::new();
    let output = child.stdout.take().expect("an output");
    BufReader::new(output).read_line(&mut port).expect("a port");
    Some(Server { child, port: port.trim().to_owned() })
}

#[track_caller]
fn ask(arguments: &[&str]) -> String {
    let output = python(arguments).expect("gRPC").output().expect("a client");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn start(server: &Server) -> Process {
    let setup = Setup::web(&DYNAMIC.replace("@@port@@", &server.port));
    Process::start(&crate::portway(), &setup)
}

#[test]
fn calls_of_all_kinds_end_as_without_portway() {
    let Some(server) = serve() else { return };
    let portway = start(&server);
    let direct = ask(&["ask", &format!("127.0.0.1:{}", server.port)]);
    let through = ask(&["ask", &portway.address("web").to_string()]);
    assert_eq!(through, direct);
    assert!(direct.lines().count() >= 16, "{direct}");
}

#[test]
fn errors_of_portway_are_statuses_of_grpc() {
    let Some(server) = serve() else { return };
    let portway = start(&server);
    let address = portway.address("web").to_string();
    for (host, expected) in [
        ("nobody.test", "StatusCode.UNIMPLEMENTED '404 Not Found'"),
        ("guarded.test", "StatusCode.UNAUTHENTICATED '401 Unauthorized'"),
        ("dead.test", "StatusCode.UNAVAILABLE '502 Bad Gateway'"),
        ("empty.test", "StatusCode.UNAVAILABLE '503 Service Unavailable'"),
    ] {
        let seen = ask(&["fail", &address, host]);
        assert_eq!(seen.trim(), expected, "{host}");
    }
}
