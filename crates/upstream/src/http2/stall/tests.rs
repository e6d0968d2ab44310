use std::{cell::RefCell, future::poll_fn, rc::Rc};

use portway_http::{Request, h2::Limits};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::{JoinHandle, LocalSet, spawn_local},
    time::{sleep, timeout},
};

use super::*;
use crate::{
    Budget,
    http2::{
        Driver, Http2Stream,
        testing::{frame, ok},
    },
};

const LIMIT: Duration = Duration::from_secs(100);

/// When what is held up must be given up.
const LOST: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(100)..=Duration::from_secs(150);

/// A client that gives each stream so much room, and asks on these.
fn opening(window: u32, streams: &[u32]) -> Vec<u8> {
    let settings = [&4_u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
    let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &settings)].concat();
    for stream in streams {
        // `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`.
        bytes.extend(frame(1, 5, *stream, &[0x82, 0x86, 0x84, 0x41, 0x01, b'a']));
    }
    bytes
}

fn room(stream: u32, bytes: u32) -> Vec<u8> {
    frame(8, 0, stream, &bytes.to_be_bytes())
}

/// What became of the responses: the bytes that were taken of each, and whether that was all.
type Sent = Rc<RefCell<Vec<(usize, bool)>>>;

async fn respond(mut stream: Http2Stream, length: usize, place: usize, sent: Sent) {
    stream.respond(&ok(), false).unwrap();
    let body = vec![b'x'; length];
    let mut taken = 0;
    while taken < length {
        let Ok(count) = poll_fn(|cx| stream.poll_send(cx, &body[taken..], true)).await else {
            stream.reset(portway_http::h2::ErrorCode::CANCEL);
            return;
        };
        taken += count;
        sent.borrow_mut()[place] = (taken, taken == length);
    }
}

/// Serves responses of this length on a connection whose socket holds so much, until it is over.
fn serve(buffer: usize, length: usize) -> (DuplexStream, Sent, JoinHandle<Duration>) {
    let (client, socket) = duplex(buffer);
    let sent = Sent::default();
    let theirs = Rc::clone(&sent);
    let served = spawn_local(async move {
        let start = Clock::now();
        let mut driver = Driver::server(socket, &Limits::default(), LIMIT, Budget::PROCESS, &[]);
        while let Some(arrived) = poll_fn(|cx| driver.poll_accept(cx)).await {
            driver.take_head(&mut Request::new());
            let place = theirs.borrow().len();
            theirs.borrow_mut().push((0, false));
            spawn_local(respond(arrived.stream, length, place, Rc::clone(&theirs)));
        }
        start.elapsed()
    });
    (client, sent, served)
}

/// The kinds and streams of the frames that come, until nothing comes for a second.
async fn frames(client: &mut DuplexStream) -> Vec<(u8, u32, Vec<u8>)> {
    let mut frames = Vec::new();
    loop {
        let mut head = [0; 9];
        let read = timeout(Duration::from_secs(1), client.read_exact(&mut head)).await;
        let Ok(Ok(_)) = read else { return frames };
        let [a, b, c, kind, _, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        client.read_exact(&mut payload).await.unwrap();
        frames.push((kind, u32::from_be_bytes(id), payload));
    }
}

fn run(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

#[test]
fn a_stream_without_room_is_given_up_and_others_go_on() {
    run(async {
        let (mut client, sent, served) = serve(1 << 20, 50);
        client.write_all(&opening(10, &[1, 3])).await.unwrap();
        let start = Clock::now();
        let mut reset = None;
        // Stream 3 gets room again and again, with long pauses.
        for _ in 0..3 {
            sleep(LIMIT * 9 / 10).await;
            client.write_all(&room(3, 10)).await.unwrap();
            for (kind, stream, payload) in frames(&mut client).await {
                if kind == 3 {
                    assert_eq!((stream, payload), (1, vec![0, 0, 0, 8]), "CANCEL, once");
                    assert_eq!(reset.replace(start.elapsed()), None);
                }
            }
        }
        assert!(reset.is_some());
        assert_eq!(*sent.borrow(), [(10, false), (40, false)]);
        client.write_all(&room(3, 10)).await.unwrap();
        frames(&mut client).await;
        assert_eq!(*sent.borrow(), [(10, false), (50, true)]);
        assert!(!served.is_finished());
    });
}

#[test]
fn a_stream_is_given_up_in_time_whenever_it_begins_to_wait() {
    run(async {
        for pause in [0, 1, 24, 26, 49, 99, 1000] {
            let (mut client, _, served) = serve(1 << 20, 50);
            client.write_all(&opening(10, &[1])).await.unwrap();
            frames(&mut client).await;
            sleep(Duration::from_secs(pause)).await;
            client.write_all(&room(1, 10)).await.unwrap();
            if pause > LIMIT.as_secs() {
                // It was too late.
                assert!(frames(&mut client).await.iter().any(|(kind, ..)| *kind == 3));
                continue;
            }
            let start = Clock::now();
            while !frames(&mut client).await.iter().any(|(kind, ..)| *kind == 3) {
                assert!(start.elapsed() <= *LOST.end(), "{pause}");
            }
            assert!(start.elapsed() >= *LOST.start(), "{pause}: {:?}", start.elapsed());
            assert!(!served.is_finished());
        }
    });
}

#[test]
fn streams_that_wait_for_the_room_of_the_connection_take_turns_and_are_given_up_together() {
    run(async {
        let (mut client, sent, _served) = serve(1 << 20, 40_000);
        client.write_all(&opening(100_000, &[1, 3])).await.unwrap();
        // The first takes what there is of 65,535 bytes, the other the rest.
        frames(&mut client).await;
        assert_eq!(*sent.borrow(), [(40_000, true), (25_535, false)]);
        for _ in 0..5 {
            sleep(LIMIT * 9 / 10).await;
            client.write_all(&room(0, 10)).await.unwrap();
            assert!(frames(&mut client).await.iter().all(|(kind, ..)| *kind == 0));
        }
        assert_eq!(sent.borrow()[1], (25_585, false));
        sleep(*LOST.end()).await;
        let ended: Vec<_> = frames(&mut client).await;
        assert_eq!(ended, [(3, 3, vec![0, 0, 0, 8])]);
    });
}

#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    run(async {
        for length in [10, 100_000] {
            let (mut client, _, served) = serve(64, length);
            client.write_all(&opening(100_000, &[1])).await.unwrap();
            let lasted = served.await.unwrap();
            assert!(LOST.contains(&lasted), "{lasted:?}");
        }
    });
}

#[test]
fn a_client_that_reads_slowly_is_served() {
    run(async {
        let (mut client, sent, served) = serve(64, 1000);
        client.write_all(&opening(100_000, &[1])).await.unwrap();
        let mut read = [0; 64];
        while !sent.borrow().first().is_some_and(|(_, all)| *all)
            || !client_is_empty(&mut client, &mut read).await
        {
            sleep(LIMIT * 9 / 10).await;
        }
        assert!(!served.is_finished());
    });
}

/// Reads a little; whether there was nothing.
async fn client_is_empty(client: &mut DuplexStream, read: &mut [u8]) -> bool {
    timeout(Duration::from_secs(1), client.read(read)).await.is_err()
}

#[test]
fn a_client_that_wants_nothing_is_left_alone() {
    run(async {
        let (mut client, _, served) = serve(1 << 20, 5);
        client.write_all(&opening(10, &[1])).await.unwrap();
        frames(&mut client).await;
        sleep(LIMIT * 100).await;
        assert!(!served.is_finished());
        assert!(frames(&mut client).await.is_empty());
    });
}
