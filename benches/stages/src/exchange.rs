//! A whole exchange: from the request's bytes to the response's, through a real worker.
//!
//! The worker runs on the thread that is counted, with its own runtime and sockets, a client and a server on
//! two others. They speak over the loopback and in turns, so that the worker always does the same. Its
//! system calls count as nothing, so the sockets are as good as memory, and nothing in the data plane has
//! to know of benches.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    num::NonZeroUsize,
    sync::Arc,
    thread,
};

use portway_http::Answer;
use portway_middleware::PasswordPool;
use portway_model::{
    Entry, InternalService,
    static_config::{self, Address},
};
use portway_proxy::{Drain, EntryPoint, Inbound, InternalServices, Worker, WorkerParts, bind};
use portway_snapshot::Publisher;

use crate::{
    configuration::{Compiler, ENTRY_POINT, file, routers, servers},
    counted_part,
    requests::{BROWSER, PLAIN, RESPONSE, RESPONSE_BODY},
};

/// Exchanges requests of a `curl`.
pub fn plain(times: u32) {
    exchange(times, PLAIN);
}

/// Exchanges requests of a browser.
pub fn browser(times: u32) {
    exchange(times, BROWSER);
}

/// There is no router that leads to them.
#[derive(Debug)]
struct NoInternals;

impl InternalServices for NoInternals {
    fn answer(&self, _: InternalService, _: &Inbound) -> Answer {
        Answer::not_found()
    }
}

fn exchange(times: u32, head: &'static [u8]) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let mut config = routers(1000);
    config.http.services.insert("app-0".to_owned(), Entry::new(servers(&[&url])));
    let publisher = Publisher::new(Compiler::new().compile(&file(config), None));

    let settings = static_config::EntryPoint::new(Address::parse("127.0.0.1:0").unwrap());
    let bound = bind(ENTRY_POINT, &settings.address, false, NonZeroUsize::MIN).unwrap();
    let entry_point = EntryPoint::compile(ENTRY_POINT, &settings, true, "edge-1").unwrap();
    let drain = Drain::new();
    let parts = WorkerParts {
        entry_points: Arc::new([entry_point]),
        sockets: bound.sockets,
        subscription: publisher.subscribe(),
        internal_services: Arc::new(NoInternals),
        recorder: None,
        error_pages: None,
        proxy_status: None,
        passwords: Arc::new(PasswordPool::new(1, 2).unwrap()),
        descriptors: u64::MAX,
        drain: drain.clone(),
    };
    let serving = thread::spawn(move || serve(&server, head.len()));
    let asking = thread::spawn(move || {
        ask(bound.address, times, head);
        drain.begin();
    });
    // Start and end of the worker are counted too; they are next to nothing among so many exchanges.
    let mut parts = Some(parts);
    counted_part(&mut || parts.take().map_or(Ok(()), Worker::run).unwrap());
    asking.join().unwrap();
    serving.join().unwrap();
}

/// Sends requests one after the other, each when the response to the one before is complete.
fn ask(worker: SocketAddr, times: u32, head: &[u8]) {
    let mut stream = TcpStream::connect(worker).unwrap();
    let mut response = [0; 8192];
    for _ in 0..times {
        stream.write_all(head).unwrap();
        let mut length = 0;
        while !response.get(..length).unwrap().ends_with(&RESPONSE_BODY) {
            let read = stream.read(response.get_mut(length..).unwrap()).unwrap();
            assert_ne!(read, 0, "the worker closes the connection");
            length += read;
        }
        assert!(response.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

/// Answers requests without a body, which arrive whole: a worker writes a head at once.
fn serve(listener: &TcpListener, least: usize) {
    let (mut stream, _) = listener.accept().unwrap();
    let response = [RESPONSE, &RESPONSE_BODY].concat();
    let mut request = vec![0; 8192];
    while let Ok(length @ 1..) = stream.read(&mut request) {
        assert!(length >= least && request.get(..length).unwrap().ends_with(b"\r\n\r\n"));
        stream.write_all(&response).unwrap();
    }
}
