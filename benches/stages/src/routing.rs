//! What happens between a canonical request and its server: route, chain, pick.

use std::{
    hint::black_box,
    net::Ipv4Addr,
    pin::pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::Instant,
};

use portway_http::{ForwardedRules, Request, Response};
use portway_middleware::{Context, PasswordPool, Permit};
use portway_model::{Entry, dynamic::Config};
use portway_proxy::Asked;
use portway_snapshot::{Route, Snapshot, Target};
use portway_upstream::{Asking, Random};

use crate::{
    configuration::{
        Compiler, EIGHT, FIVE, eight_middlewares, file, five_middlewares, router, routers, servers,
    },
    repeat,
    requests::{
        BROWSER, CLIENT, PLAIN, canonicalise, forwarded_rules, read_request, read_response,
    },
};

/// A snapshot, and what a worker keeps from request to request.
pub struct Worker {
    /// What requests run on.
    pub snapshot: Arc<Snapshot>,
    /// The request.
    pub request: Request,
    /// The response of the server.
    pub response: Response,
    forwarded: ForwardedRules,
    passwords: PasswordPool,
    now: Instant,
    permits: Vec<Permit>,
}

impl Worker {
    /// A worker that serves `config`.
    pub fn new(config: Config) -> Self {
        Self {
            snapshot: Compiler::new().compile(&file(config), None),
            request: Request::new(),
            response: Response::new(),
            forwarded: forwarded_rules(),
            passwords: PasswordPool::new(1, 2).unwrap(),
            now: Instant::now(),
            permits: Vec::new(),
        }
    }

    /// A request arrives.
    pub fn receive(&mut self, head: &[u8]) {
        read_request(head, &mut self.request);
    }

    /// It is brought into canonical form.
    pub fn canonicalise(&mut self) {
        canonicalise(&mut self.request, &self.forwarded);
    }

    /// Its router; every request of a stage has one.
    pub fn route(&self) -> &Route {
        route(&self.snapshot, &self.request)
    }

    /// It goes through its router's chain, and its response back through it.
    pub fn run_chain(&mut self) {
        let route = route(&self.snapshot, &self.request);
        let mut context = Context::new(false, CLIENT, self.now, &self.passwords);
        context.permits = std::mem::take(&mut self.permits);
        // None of them waits for anything.
        let passed = {
            let on_request = pin!(route.steps.filters.on_request(&mut self.request, &mut context));
            on_request.poll(&mut TaskContext::from_waker(Waker::noop()))
        };
        assert!(matches!(passed, Poll::Ready(Ok(()))));
        route.steps.filters.on_response(&mut self.response.headers, &self.request, false);
        self.permits = context.permits;
        self.permits.clear();
    }

    /// The response of the request's server arrives.
    pub fn receive_response(&mut self) {
        read_response(&self.request, &mut self.response);
    }
}

fn route<'s>(snapshot: &'s Snapshot, request: &Request) -> &'s Route {
    let table = snapshot.entry_points.first().map(|entry_point| &entry_point.plain);
    let found = table.and_then(|table| table.find(&Asked { request, peer: CLIENT }));
    found.unwrap_or_else(|| panic!("{} has no router", request.host()))
}

/// Finds the one router there is.
pub fn one(times: u32) {
    find(times, 1);
}

/// Finds routers among 1,000.
pub fn thousand(times: u32) {
    find(times, 1000);
}

/// Finds routers among 100,000.
pub fn hundred_thousand(times: u32) {
    find(times, 100_000);
}

/// Finds routers in an order that follows no pattern, but is the same each time.
fn find(times: u32, count: u32) {
    let worker = Worker::new(routers(count));
    let request = |turn: u32| {
        let number = turn.wrapping_mul(0x9e37_79b9) % count;
        let head = String::from_utf8_lossy(PLAIN).replace("app-0", &format!("app-{number}"));
        let mut request = Request::new();
        read_request(head.as_bytes(), &mut request);
        canonicalise(&mut request, &worker.forwarded);
        request
    };
    let requests: Vec<Request> = (0..64).map(request).collect();
    let mut next = requests.iter().cycle();
    let mut asked = requests.first();
    repeat(
        times,
        &mut asked,
        |asked| *asked = next.next(),
        |asked| {
            let request = asked.unwrap_or_else(|| panic!("there are requests"));
            black_box(route(&worker.snapshot, request));
        },
    );
}

/// A router with five middlewares.
pub fn with_five() -> Config {
    let mut config = routers(3);
    config.http.middlewares.extend(five_middlewares());
    config.http.routers.insert("app-0".to_owned(), Entry::new(router(0, FIVE)));
    config
}

/// A router with eight middlewares that let in whom they let in.
pub fn with_eight() -> Config {
    let mut config = routers(3);
    config.http.middlewares.extend(eight_middlewares());
    config.http.routers.insert("app-0".to_owned(), Entry::new(router(0, EIGHT)));
    config
}

/// Leads a browser's request and its response through five middlewares.
pub fn chain(times: u32) {
    run_chain(times, with_five());
}

/// Leads a browser's request and its response through eight middlewares.
pub fn chain_of_eight(times: u32) {
    run_chain(times, with_eight());
}

fn run_chain(times: u32, config: Config) {
    repeat(
        times,
        &mut Worker::new(config),
        |worker| {
            worker.receive(BROWSER);
            worker.canonicalise();
            worker.receive_response();
        },
        Worker::run_chain,
    );
}

/// Picks one of three servers.
pub fn pick(times: u32) {
    let mut config = routers(1);
    let urls = ["http://10.0.0.1:80", "http://10.0.0.2:80", "http://10.0.0.3:80"];
    config.http.services.insert("app-0".to_owned(), Entry::new(servers(&urls)));
    let mut worker = Worker::new(config);
    worker.receive(PLAIN);
    worker.canonicalise();
    let Target::Service(service) = worker.route().steps.target().clone() else {
        panic!("the router leads to a service")
    };
    let random = Random::seeded(0);
    let asking = Asking {
        headers: &worker.request.headers,
        client: Ipv4Addr::LOCALHOST.into(),
        random: &random,
    };
    repeat(
        times,
        &mut (),
        |()| {},
        |()| {
            black_box(service.pick(&asking));
        },
    );
}
