//! gRPC's own client and server with Portway between them.

use portway_testkit::process::{Process, Setup};

use super::python::{self, Server};

const PROGRAM: &str = "tests/wire/grpc/grpc_cases.py";

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

fn serve() -> Option<Server> {
    Server::start(PROGRAM, "grpc")
}

#[track_caller]
fn ask(arguments: &[&str]) -> String {
    python::ask(PROGRAM, arguments)
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
    assert!(direct.lines().count() >= 27, "{direct}");
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
