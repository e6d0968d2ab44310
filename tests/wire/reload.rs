//! Changing the configuration under load loses no request and closes no connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use portway_testkit::backend::Backend;
use portway_testkit::client::Client;

use super::{Site, get};

/// One of two shapes of the same site, with some routers that come and go.
fn shape(backend: &Backend, round: usize) -> String {
    let address = backend.address();
    let (rule, service) = match round % 2 {
        0 => ("PathPrefix(`/`)", "s"),
        _ => ("PathPrefix(`/`) && !Host(`nobody`)", "t"),
    };
    let others: String = (0..round % 7)
        .map(|index| {
            format!("    other{index}: {{rule: \"Host(`o{index}.test`)\", service: {service}}}\n")
        })
        .collect();
    format!(
        "http:\n  routers:\n    all: {{rule: \"{rule}\", service: {service}, entryPoints: [web]}}\n{others}  services:\n    \
         {service}: {{loadBalancer: {{servers: [{{url: \"http://{address}\"}}]}}}}\n"
    )
}

#[test]
fn reloads_under_load_lose_no_request_and_close_no_connection() {
    let mut site = Site::start(Backend::start(), &["--log.level=ERROR"]);
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let address = site.process.address("web");
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            thread::spawn(move || {
                let mut client = Client::connect(address).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let response = client.ask(get("/x")).expect("an answer on the same connection");
                    assert_eq!(response.status, 200);
                    assert_eq!(response.headers.value("Connection"), None);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 0..20 {
        site.process.reload("dynamic.yml", &shape(&site.backend, round));
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("a client without a loss");
    }
    let answered = answered.load(Ordering::Relaxed);
    assert!(answered > 100, "only {answered} requests");
    println!("{answered} requests over 20 reloads");
}

#[test]
fn a_request_in_flight_ends_under_the_configuration_it_began_with() {
    let mut site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    client.send(get("/slow")).unwrap();
    assert_eq!(site.backend.take_at_least(1, Duration::from_secs(5)).len(), 1);
    let other = shape(&site.backend, 0).replace("PathPrefix(`/`)", "PathPrefix(`/other`)");
    site.process.reload("dynamic.yml", &other);
    assert_eq!(client.response_to("GET").unwrap().status, 200);
    assert_eq!(client.ask(get("/after")).unwrap().status, 404);
}

#[test]
fn a_broken_file_keeps_the_last_good_configuration() {
    let mut site = Site::start(Backend::start(), &[]);
    site.process.write_quietly("dynamic.yml", "http:\n  routers:\n\t- broken: [");
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(site.client().ask(get("/x")).unwrap().status, 200);
    let log = site.process.log();
    assert!(log.contains("dynamic.yml"), "the log does not name the file:\n{log}");
    let dynamic = shape(&site.backend, 0);
    site.process.reload("dynamic.yml", &dynamic);
    assert_eq!(site.client().ask(get("/x")).unwrap().status, 200);
}
