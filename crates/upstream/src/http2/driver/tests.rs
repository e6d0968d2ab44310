use std::{cell::Cell, future::poll_fn, rc::Rc, task::Waker};

use tokio::{
    io::{DuplexStream, duplex},
    net::{TcpListener, TcpStream, UnixStream},
    runtime::{Builder, LocalOptions},
    task::spawn_local,
};

use super::*;
use crate::{
    Stream,
    http2::testing::{frame, ok},
};

/// Runs it as on a worker, where tasks stay on their thread.
fn on_a_worker<T>(work: impl Future<Output = T>) -> T {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build_local(LocalOptions::default()).unwrap().block_on(work)
}

#[test]
fn a_client_that_asks_without_end_leaves_others_their_turns() {
    on_a_worker(async {
        let (mut client, socket) = duplex(8 << 20);
        let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
        // Each is given up at once, so that there is always room for the next.
        let fields = [
            &[0x82, 0x86, 0x84, 0x41, 0x01, b'a', 0x00, 1, b'x', 0x7f, 0xa1, 0x1e][..],
            &[b'y'; 4000],
        ];
        for number in 0..900 {
            bytes.extend(frame(1, 5, number * 2 + 1, &fields.concat()));
            bytes.extend(frame(3, 0, number * 2 + 1, &[0, 0, 0, 8]));
        }
        client.write_all(&bytes).await.unwrap();
        let stall = Duration::from_secs(100);
        let mut driver = Driver::server(socket, &Limits::default(), stall, Budget::PROCESS, &[]);
        let (mut turns, mut streams, mut most) = (0, 0, 0);
        while streams < 900 {
            let before = streams;
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(arrived) = driver.poll_accept(&mut cx) {
                assert!(arrived.is_some(), "the connection ended after {streams}");
                streams += 1;
            }
            most = most.max(streams - before);
            turns += 1;
            assert!(turns < 10_000, "{streams}");
            yield_now().await;
        }
        // What is read in one turn holds so many, and one that was begun before.
        assert!(most <= READS * BUFFER / 4000 + 1, "{most} in one of {turns} turns");
    });
}

/// A cookie that enters the table, and 400 streams that name it so often that each head counts for 236 KB.
fn bombs() -> Vec<u8> {
    let get = [0x82, 0x86, 0x84, 0x01, 0x01, b'a'];
    let long = [&get[..], &[0x60, 0x7f, 0xbd, 0x1d], &[b'y'; 3900]].concat();
    let many = [&get[..], &[0xbe; 60]].concat();
    let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
    bytes.extend(frame(1, 5, 1, &long));
    bytes.extend((1..=400).flat_map(|number| frame(1, 5, number * 2 + 1, &many)));
    bytes
}

/// What serves them. The second stream is taken, and all that follow are refused, but not before much of each was
/// read.
async fn bombed(client: &mut DuplexStream, socket: DuplexStream) -> Driver<Server, DuplexStream> {
    client.write_all(&bombs()).await.unwrap();
    let limits = Limits { head_bytes: 1 << 20, held_head_bytes: 400_000, ..Limits::default() };
    Driver::server(socket, &limits, Duration::from_secs(100), Budget::PROCESS, &[])
}

#[test]
fn heads_that_are_a_few_bytes_on_the_wire_leave_others_their_turns() {
    on_a_worker(async {
        let (mut client, socket) = duplex(8 << 20);
        let mut driver = bombed(&mut client, socket).await;
        let (mut turns, mut streams) = (0, Vec::new());
        while driver.written < 399 * 13 {
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(arrived) = driver.poll_accept(&mut cx) {
                streams.push(arrived.expect("the connection goes on"));
            }
            turns += 1;
            assert!(turns < 1000, "{} bytes were written", driver.written);
            yield_now().await;
        }
        assert!(turns >= 399 * 150_000 / (HEADS + 150_000), "{turns}");
        assert_eq!(streams.len(), 2);
    });
}

#[test]
fn a_busy_client_waits_until_the_sockets_of_others_were_looked_at() {
    let turns = on_a_worker(async {
        let (mut client, socket) = duplex(8 << 20);
        let mut driver = bombed(&mut client, socket).await;
        let turns = Rc::new(Cell::new(0));
        let (near, mut far) = UnixStream::pair().unwrap();
        let (counted, mut streams) = (Rc::clone(&turns), Vec::new());
        spawn_local(async move {
            let busy = poll_fn(|cx| {
                counted.set(counted.get() + 1);
                while let Poll::Ready(arrived) = driver.poll_accept(cx) {
                    streams.push(arrived.expect("the connection goes on"));
                }
                Poll::<()>::Pending
            });
            busy.await;
        });
        far.write_all(b"x").await.unwrap();
        near.readable().await.unwrap();
        turns.get()
    });
    assert!(turns <= 3, "{turns}");
}

#[tokio::test]
async fn what_is_written_to_a_connection_that_broke_fails() {
    // The client gives no room, so that nothing could be written before either.
    let settings = [0, 4, 0, 0, 0, 0];
    let bytes = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(4, 0, 0, &settings),
        &frame(1, 5, 1, &[0x82, 0x86, 0x84, 0x41, 0x01, b'a']),
        &frame(1, 5, 3, &[0x82, 0x86, 0x84, 0x41, 0x01, b'a']),
    ];
    let (mut client, socket) = duplex(1 << 20);
    client.write_all(&bytes.concat()).await.unwrap();
    let stall = Duration::from_secs(100);
    let mut driver = Driver::server(socket, &Limits::default(), stall, Budget::PROCESS, &[]);
    let mut begun = poll_fn(|cx| driver.poll_accept(cx)).await.unwrap().stream;
    let mut asked = poll_fn(|cx| driver.poll_accept(cx)).await.unwrap().stream;
    begun.respond(&ok(), false).unwrap();
    drop(client);
    assert!(poll_fn(|cx| driver.poll_accept(cx)).await.is_none());
    assert!(begun.is_given_up() && asked.is_given_up());
    let sent = timeout(stall, poll_fn(|cx| begun.poll_send(cx, b"body", true))).await;
    assert!(sent.expect("it does not wait").is_err());
    assert!(begun.end(None).is_err());
    assert!(asked.respond(&ok(), false).is_err());
}

#[test]
fn turns_of_large_heads_alone_heed_what_all_may_hold() {
    static SMALL: Budget = Budget::new(1_000_000, 100_000);
    on_a_worker(async {
        let (mut client, socket) = duplex(8 << 20);
        client.write_all(&bombs()).await.unwrap();
        let limits = Limits { head_bytes: 1 << 20, held_head_bytes: 1 << 30, ..Limits::default() };
        let mut driver = Driver::server(socket, &limits, Duration::from_secs(100), &SMALL, &[]);
        let mut streams = Vec::new();
        while let Some(arrived) = poll_fn(|cx| driver.poll_accept(cx)).await {
            driver.take_head(&mut Request::new());
            streams.push(arrived.stream);
            assert!(streams.len() < 20, "they hold more than there is room for");
        }
        assert!(streams.len() > 1);
    });
}

#[test]
fn of_a_client_that_has_left_no_more_large_heads_are_read() {
    on_a_worker(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        client.write_all(&bombs()).await.unwrap();
        client.shutdown().await.unwrap();
        let limits = Limits { head_bytes: 1 << 20, held_head_bytes: 1 << 30, ..Limits::default() };
        let stall = Duration::from_secs(100);
        let socket = Stream::Plain(socket);
        let mut driver = Driver::server(socket, &limits, stall, Budget::PROCESS, &[]);
        let mut streams = Vec::new();
        while let Some(arrived) = poll_fn(|cx| driver.poll_accept(cx)).await {
            driver.take_head(&mut Request::new());
            streams.push(arrived.stream);
        }
        assert!(streams.len() < 10, "{} were taken", streams.len());
        assert!(streams.iter().all(Http2Stream::is_given_up));
    });
}
