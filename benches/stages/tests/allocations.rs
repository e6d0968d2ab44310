//! Canonical form, route, filters and the choice of a server allocate nothing for a plain request.

use std::{net::Ipv4Addr, sync::Arc};

use portway_model::{
    Entry,
    dynamic::{Config, Cookie, LoadBalancer, Server, Service, Sticky, Strategy},
};
use portway_snapshot::Target;
use portway_stages::{
    configuration::{eight_middlewares, five_middlewares, routers},
    requests::{BROWSER, PLAIN},
    routing::{Worker, with_eight, with_five},
};
use portway_upstream::{Asking, Random};

/// How much is allocated between a request's head and its server, and on the way back.
#[track_caller]
fn check(config: Config, head: &[u8], chain: usize) {
    let mut worker = Worker::new(config);
    let mut allocated = |counts: bool| {
        worker.receive(head);
        worker.receive_response();
        let info = allocation_counter::measure(|| {
            worker.canonicalise();
            worker.run_chain();
        });
        assert!(!counts || info.count_total == 0, "{info:?}");
    };
    // Memory grows to what a request needs, and is kept.
    allocated(false);
    allocated(true);
    assert_eq!(worker.snapshot.runtime.middlewares.len(), chain);
}

#[test]
fn route_and_filters_of_a_plain_request_allocate_nothing() {
    check(with_five(), PLAIN, five_middlewares().len() + 1);
    check(with_five(), BROWSER, five_middlewares().len() + 1);
}

#[test]
fn a_chain_of_eight_filters_allocates_nothing() {
    // `headers` is one of them that every such configuration has.
    check(with_eight(), PLAIN, eight_middlewares().len());
    check(with_eight(), BROWSER, eight_middlewares().len());
}

#[test]
fn a_route_among_many_allocates_nothing() {
    check(routers(1000), PLAIN, 1);
}

/// What the choice of a server allocates for the service of these servers, for a client that comes back.
#[track_caller]
fn check_pick(strategy: Strategy, sticky: Option<Sticky>, expected: u64) {
    let urls = ["http://10.0.0.1:80", "http://10.0.0.2:80", "http://10.0.0.3:80"];
    let server = |url: &str| Server { url: url.to_owned(), ..Server::default() };
    let service = Service::LoadBalancer(LoadBalancer {
        servers: urls.map(server).to_vec(),
        strategy,
        sticky: sticky.map(Box::new),
        ..LoadBalancer::default()
    });
    let mut config = routers(1);
    config.http.services.insert("app-0".to_owned(), Entry::new(service));
    let mut worker = Worker::new(config);
    worker.receive(PLAIN);
    worker.canonicalise();
    let service = match worker.route().steps.target() {
        Target::Service(service) => Arc::clone(service),
        target => unreachable!("{target:?}"),
    };
    let random = Random::seeded(1);
    let client = Ipv4Addr::LOCALHOST.into();
    let asking = Asking { headers: &worker.request.headers, client, random: &random };
    let info = allocation_counter::measure(|| {
        for _ in 0..10 {
            assert!(service.pick(&asking).taker.is_some());
        }
    });
    assert_eq!(info.count_total, expected, "{strategy:?}");
}

#[test]
fn the_choice_of_a_server_allocates_nothing() {
    for strategy in [Strategy::Wrr, Strategy::P2c, Strategy::Hrw, Strategy::LeastTime] {
        check_pick(strategy, None, 0);
        check_pick(strategy, Some(Sticky::default()), 0);
    }
}

#[test]
fn a_new_cookie_costs_one_allocation() {
    let sticky = Sticky { cookie: Some(Cookie::default()) };
    check_pick(Strategy::Wrr, Some(sticky), 10);
}
