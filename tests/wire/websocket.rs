//! A WebSocket server and two independent clients with Portway between them.

use portway_testkit::process::{Process, Setup};

use super::python::{Server, ask};

const PROGRAM: &str = "tests/wire/websocket/websocket_cases.py";

const DYNAMIC: &str = r#"
http:
  routers:
    sockets: {rule: "Host(`ws.test`)", service: sockets, entryPoints: [web]}
  services:
    sockets: {loadBalancer: {servers: [{url: "http://127.0.0.1:@@port@@"}]}}
"#;

#[test]
fn conversations_of_all_kinds_go_as_without_portway() {
    let Some(server) = Server::start(PROGRAM, "websockets") else { return };
    let setup = Setup::web(&DYNAMIC.replace("@@port@@", &server.port));
    let portway = Process::start(&crate::portway(), &setup);
    for library in ["websockets", "websocket-client"] {
        let direct = ask(PROGRAM, &["ask", library, &format!("127.0.0.1:{}", server.port)]);
        let through = ask(PROGRAM, &["ask", library, &portway.address("web").to_string()]);
        assert_eq!(through, direct, "{library}");
        assert!(direct.lines().count() >= 10, "{direct}");
    }
}
