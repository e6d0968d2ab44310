//! Canonical form, route and filters of a plain request allocate nothing.

use portway_model::dynamic::Config;
use portway_stages::{
    configuration::{five_middlewares, routers},
    requests::{BROWSER, PLAIN},
    routing::{Worker, with_five},
};

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
fn a_route_among_many_allocates_nothing() {
    check(routers(1000), PLAIN, 1);
}
