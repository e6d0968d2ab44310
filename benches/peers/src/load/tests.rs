use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use super::{
    Call, Edge, Faults, Outcome, Plan, Requests, Traffic, drive,
    response::{Fault, Progress, ResponseReader},
};
use crate::{
    backend::{Backend, grpc_message},
    relay,
};

fn backend() -> SocketAddr {
    let backend = Backend::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = backend.address().unwrap();
    thread::spawn(|| backend.run());
    address
}

fn get(path: &str) -> Traffic {
    send(format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n").into_bytes())
}

fn send(request: Vec<u8>) -> Traffic {
    Traffic::Requests(Requests::new([request]))
}

fn streams(call: Call, streams: usize) -> Traffic {
    Traffic::Streams(Box::new(call), streams)
}

fn plan(address: SocketAddr, traffic: &Traffic, length: u64) -> Plan<'_> {
    Plan {
        address,
        tls: None,
        connections: 4,
        renew: false,
        traffic,
        length,
        warm_up: Duration::from_millis(20),
        window: Duration::from_millis(100),
        rate: None,
        hold: false,
    }
}

#[track_caller]
fn run(plan: &Plan<'_>) -> Outcome {
    let mut edges = Vec::new();
    let outcome = drive(plan, |edge| edges.push(edge)).unwrap();
    if outcome.faults.total() == 0 {
        assert_eq!(edges, [Edge::Start, Edge::End]);
    }
    outcome
}

/// A server that gives every request the same answer.
fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                    if stream.write_all(answer).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn every_right_answer_is_counted_once() {
    let requests = get("/app/1k");
    let outcome = run(&plan(backend(), &requests, 1024));
    assert_eq!(outcome.faults, Faults::default());
    assert!(outcome.completed > 0);
    assert_eq!(outcome.latency.len(), outcome.completed);
    assert!(outcome.elapsed >= Duration::from_millis(100));
}

#[test]
fn large_bodies_new_connections_and_posts_work() {
    let address = backend();
    let requests = get("/app/1m");
    assert_eq!(run(&plan(address, &requests, 1 << 20)).faults, Faults::default());
    let requests = get("/app/1k");
    let renewing = Plan { renew: true, ..plan(address, &requests, 1024) };
    assert_eq!(run(&renewing).faults, Faults::default());
    let head = "POST /app/1k HTTP/1.1\r\nHost: a.test\r\ncontent-length: 100000\r\n\r\n";
    let post = send([head.as_bytes(), &vec![b'p'; 100_000]].concat());
    let outcome = run(&plan(address, &post, 1024));
    assert_eq!(outcome.faults, Faults::default());
    assert!(outcome.completed > 0);
}

#[test]
fn an_open_loop_sends_at_its_rate() {
    let requests = get("/app/1k");
    let paced = Plan {
        rate: Some(1000.0),
        window: Duration::from_millis(500),
        ..plan(backend(), &requests, 1024)
    };
    let outcome = run(&paced);
    assert_eq!(outcome.faults, Faults::default());
    assert!((400..=600).contains(&outcome.completed), "{}", outcome.completed);
}

#[test]
fn held_connections_get_one_answer_each() {
    let requests = get("/app/1k");
    let held = Plan { hold: true, connections: 200, ..plan(backend(), &requests, 1024) };
    let outcome = run(&held);
    assert_eq!(outcome.faults, Faults::default());
    assert_eq!(outcome.completed, 200);
}

#[test]
fn every_stream_gets_answers_of_any_size() {
    let address = backend();
    for (path, length) in [("/app/1k", 1024), ("/app/1m", 1 << 20)] {
        let traffic = streams(Call::get(false, "a.test", path).unwrap(), 10);
        let outcome = run(&plan(address, &traffic, length));
        assert_eq!(outcome.faults, Faults::default(), "{:?}", outcome.complaint);
        assert!(outcome.completed > 0);
        assert_eq!(outcome.latency.len(), outcome.completed);
    }
}

#[test]
fn calls_of_grpc_are_answered_when_their_message_has_come() {
    let address = backend();
    let length = grpc_message().len() as u64;
    let large = [grpc_message(), vec![b'm'; 200_000]].concat();
    for message in [grpc_message(), large] {
        let call = Call::grpc("a.test", "/app.Bench/Unary", message).unwrap();
        let outcome = run(&plan(address, &streams(call, 10), length));
        assert_eq!(outcome.faults, Faults::default(), "{:?}", outcome.complaint);
        assert!(outcome.completed > 0);
    }
}

#[test]
fn wrong_answers_on_streams_are_faults() {
    let address = backend();
    let faults = |call: Call, length| {
        let outcome = run(&plan(address, &streams(call, 3), length));
        assert_eq!(outcome.completed, 0);
        outcome.faults
    };
    let get = |path| Call::get(false, "a.test", path).unwrap();
    assert!(faults(get("/app/1k"), 1025).length > 0);
    assert!(faults(get("/app/unknown"), 13).status > 0);
    // What is no answer of gRPC has no trailers.
    let call = Call::grpc("a.test", "/app/1k", grpc_message()).unwrap();
    assert!(faults(call, 1024).trailers > 0);
    let traffic = streams(get("/app/1k"), 3);
    let outcome = run(&plan("127.0.0.1:1".parse().unwrap(), &traffic, 1024));
    assert!(outcome.faults.failed > 0 && outcome.complaint.is_some());
    let other = server(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    assert!(run(&plan(other, &traffic, 1024)).faults.failed > 0);
}

#[test]
fn wrong_answers_are_faults() {
    let requests = get("/app/1k");
    let outcome = run(&plan(backend(), &requests, 1025));
    assert!(outcome.faults.length > 0 && outcome.completed == 0);
    let outcome =
        run(&plan(server(b"HTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\nx"), &requests, 1));
    assert!(outcome.faults.status > 0 && outcome.completed == 0);
    let two = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n";
    let outcome = run(&plan(server(two), &requests, 1));
    assert!(outcome.faults.malformed > 0 && outcome.completed == 0);
    let outcome = run(&plan("127.0.0.1:1".parse().unwrap(), &requests, 1));
    assert!(outcome.faults.failed > 0 && outcome.complaint.is_some());
}

#[test]
fn the_relay_passes_bytes_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = backend();
    thread::spawn(move || relay::run(address, server));
    while std::net::TcpStream::connect(address).is_err() {
        thread::yield_now();
    }
    for (path, length) in [("/app/1k", 1024), ("/app/1m", 1 << 20)] {
        let requests = get(path);
        let outcome = run(&plan(address, &requests, length));
        assert_eq!(outcome.faults, Faults::default());
        assert!(outcome.completed > 0);
    }
}

#[test]
fn responses_are_read_however_they_arrive() {
    let plain = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nA: b\r\n\r\nhello".as_slice();
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nt: 1\r\n\r\n";
    for response in [plain, chunked] {
        for size in 1..=response.len() {
            let mut reader = ResponseReader::new(5);
            for _ in 0..2 {
                let mut last = Ok(Progress::Partial);
                for piece in response.chunks(size) {
                    assert_eq!(last, Ok(Progress::Partial));
                    last = reader.feed(piece);
                }
                assert_eq!(last, Ok(Progress::Complete), "pieces of {size}");
            }
        }
        assert_eq!(whole(response, 4), Err(Fault::Length));
    }
}

fn whole(response: &[u8], expected: u64) -> Result<Progress, Fault> {
    ResponseReader::new(expected).feed(response)
}
