//! What servers get while they come and go, and how requests under way and cookies count meanwhile.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::client::{Client, Response};
use portway_testkit::process::{Process, Setup};

use super::get;

/// So many requests are asked between two reloads.
const BETWEEN: usize = 7;

/// Servers that say their numbers; `/slow` takes a second and a half.
fn servers(count: usize) -> Vec<Backend> {
    let server = |number: usize| {
        let name = format!("X-Server: {number}\r\n");
        Backend::scripted(move |received| {
            let wait = if received.path() == "/slow" { 1500 } else { 0 };
            let answer = script::response("200 OK", &name, "");
            vec![Step::Wait(Duration::from_millis(wait)), Step::Write(answer)]
        })
    };
    (0..count).map(server).collect()
}

/// A site whose one service has these of the servers.
fn site(servers: &[Backend], which: &[usize], settings: &str) -> String {
    let urls: Vec<_> =
        which.iter().map(|number| format!("{{url: '{}'}}", servers[*number].url())).collect();
    format!(
        "http:\n  routers:\n    all: {{rule: 'PathPrefix(`/`)', service: s, entryPoints: [web]}}\n  services:\n    \
         s: {{loadBalancer: {{{settings}, servers: [{}]}}}}\n",
        urls.join(", ")
    )
}

fn server_of(response: &Response) -> usize {
    assert_eq!(response.status, 200);
    response.headers.value("X-Server").and_then(|number| number.parse().ok()).expect("a server")
}

#[test]
fn servers_that_stay_get_the_same_while_others_come_and_go() {
    let servers = servers(5);
    let mut process =
        Process::start(&crate::portway(), &Setup::web(&site(&servers, &[0, 1], "strategy: wrr")));
    let mut client = Client::connect(process.address("web")).expect("a connection");
    let mut taken = BTreeMap::<usize, usize>::new();
    for round in 0..24 {
        let others: &[usize] = [&[][..], &[2], &[2, 3], &[4], &[3, 4, 2]][round % 5];
        let which = [others, &[0, 1]].concat();
        process.reload("dynamic.yml", &site(&servers, &which, "strategy: wrr"));
        for _ in 0..BETWEEN {
            *taken.entry(server_of(&client.ask(get("/")).expect("an answer"))).or_default() += 1;
        }
        assert!(taken[&0].abs_diff(taken[&1]) <= 1, "{taken:?} after {round}");
    }
}

#[test]
fn requests_under_way_count_after_a_reload() {
    let servers = servers(2);
    let settings = "strategy: p2c";
    let setup = Setup::web(&site(&servers, &[0], settings));
    let mut process = Process::start(&crate::portway(), &setup);
    let begin = || {
        let mut client = Client::connect(process.address("web")).expect("a connection");
        client.send(get("/slow")).expect("a request");
        client
    };
    let mut slow: Vec<_> = (0..6).map(|_| begin()).collect();
    assert_eq!(servers[0].take_at_least(6, Duration::from_secs(5)).len(), 6);
    process.reload("dynamic.yml", &site(&servers, &[1, 0], settings));
    let mut client = Client::connect(process.address("web")).expect("a connection");
    for _ in 0..10 {
        let response = client.ask(get("/")).expect("an answer");
        assert_eq!(server_of(&response), 1, "the other one has six requests under way");
    }
    slow.drain(..).for_each(|mut client| {
        assert_eq!(server_of(&client.response_to("GET").expect("an answer")), 0);
    });
    // The end of a response may reach the client first.
    thread::sleep(Duration::from_millis(50));
    let mut ask = || server_of(&client.ask(get("/")).expect("an answer"));
    let first = (0..60).filter(|_| ask() == 0).count();
    assert!((10..50).contains(&first), "{first} of 60");
}

const OBJECTS: &str = "
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.43.0.1, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: @@port@@}]
endpoints:
  - {addresses: [127.0.0.1], conditions: {ready: true, serving: true, terminating: false}}
  - {addresses: [127.0.0.2], conditions: {ready: @@ready@@, serving: true, terminating: @@terminating@@}}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web}
spec:
  entryPoints: [web]
  routes:
    - match: PathPrefix(`/`)
      services: [{name: web, port: 80, sticky: {cookie: {name: stay}}}]
";

/// A pod that terminates keeps the clients that it has, until it serves no more.
#[test]
fn a_terminating_endpoint_keeps_its_clients_and_gets_no_others() {
    let script =
        |name: &'static str| move |_: &_| vec![Step::Write(script::response("200 OK", name, ""))];
    let first = Backend::scripted(script("X-Server: 0\r\n"));
    let port = first.address().port();
    let address = (std::net::Ipv4Addr::new(127, 0, 0, 2), port).into();
    let _second = Backend::at(address, script("X-Server: 1\r\n"));
    let objects = |ready: bool, terminating: bool| {
        OBJECTS
            .replace("@@port@@", &port.to_string())
            .replace("@@ready@@", &ready.to_string())
            .replace("@@terminating@@", &terminating.to_string())
    };
    let setup = Setup::web("http: {}")
        .flag("--providers.kubernetesManifests.directory=@@folder@@/manifests");
    let process = Process::start(&crate::portway(), &setup);
    process.folder().write("manifests/web.yaml", objects(true, false));
    let ask = |cookie: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{cookie}\r\n");
        let client = Client::connect(process.address("web"));
        client.and_then(|mut client| client.ask(request)).expect("an answer")
    };
    let wait_until = |reached: &dyn Fn() -> bool| {
        for _ in 0..500 {
            if reached() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not come to this\n{}", process.log());
    };
    wait_until(&|| ask("").status == 200);
    let given = (0..10).map(|_| ask("")).find(|response| server_of(response) == 1);
    let given = given.expect("both are asked");
    let set = given.headers.value("Set-Cookie").expect("a cookie").to_owned();
    assert!(set.starts_with("stay=") && set.ends_with("; Path=/"), "{set}");
    let cookie = format!("Cookie: {}\r\n", set.split(';').next().unwrap_or_default());

    process.folder().write("manifests/web.yaml", objects(false, true));
    let only_first = || (0..8).all(|_| server_of(&ask("")) == 0);
    wait_until(&only_first);
    for _ in 0..8 {
        let response = ask(&cookie);
        assert_eq!(server_of(&response), 1);
        assert_eq!(response.headers.value("Set-Cookie"), None);
        assert_eq!(server_of(&ask("")), 0);
    }

    let gone = objects(false, true)
        .replace("serving: true, terminating: true", "serving: false, terminating: true");
    process.folder().write("manifests/web.yaml", gone);
    wait_until(&|| server_of(&ask(&cookie)) == 0);
    let moved = ask(&cookie);
    assert!(moved.headers.value("Set-Cookie").is_some_and(|given| given != set), "a new cookie");
}
