//! Random frames, cut anywhere, and random use of the connection.

use proptest::prelude::*;

use super::support::*;
use crate::h2::{Connection, ErrorCode, Event, Limits, RequestHead, StreamId};
use crate::headers::{HeaderName, Headers};
use crate::request::Request;
use crate::response::Response;

/// Frames near the border between good and bad, mostly on few streams.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![20 => 0..12_u32, 1 => any::<u32>()];
    let fields = prop_oneof![
        3 => Just(GET.to_vec()),
        3 => Just(POST.to_vec()),
        1 => Just([POST, &[("content-length", "5")]].concat()),
        1 => Just([GET, &[("cookie", "a"), ("cookie", "b")]].concat()),
        1 => Just(vec![("a", "b")]),
        1 => Just(GET[1..].to_vec()),
    ];
    let flags = prop_oneof![5 => Just(WHOLE), 5 => Just(END_HEADERS), 2 => any::<u8>()];
    let payload = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..30),
        1 => (0..20_000_usize).prop_map(|length| vec![0; length]),
    ];
    let head = (flags.clone(), stream.clone(), fields)
        .prop_map(|(flags, stream, fields)| frame(HEADERS, flags & 0xd7, stream, &block(&fields)));
    let data = (
        prop_oneof![Just(0), Just(END_STREAM), Just(PADDED), any::<u8>()],
        stream.clone(),
        payload.clone(),
    )
        .prop_map(|(flags, stream, payload)| frame(DATA, flags, stream, &payload));
    let short = (
        2..9_u8,
        any::<u8>(),
        stream.clone(),
        prop_oneof![Just(4), Just(5), Just(8), 0..12_usize],
        any::<[u8; 12]>(),
    )
        .prop_map(|(kind, flags, stream, length, bytes)| {
            frame(kind, flags, stream, &bytes[..length])
        });
    let settings = ((0..9_u16), prop_oneof![0..70_000_u32, any::<u32>()])
        .prop_map(|(id, value)| frame(SETTINGS, 0, 0, &setting(id, value)));
    let any = (any::<u8>(), any::<u8>(), stream, payload)
        .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    prop_oneof![6 => head, 6 => data, 3 => short, 1 => settings, 1 => any]
}

fn any_frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(any_frame(), 0..30)
}

/// What a caller would see: events, with payload instead of places, and the output.
fn seen(pieces: &[&[u8]]) -> (Vec<String>, Vec<u8>) {
    let mut peer = Peer::new();
    let mut seen = Vec::new();
    let mut data: Vec<(StreamId, Vec<u8>, bool)> = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let step = match peer.connection.next(rest, &mut peer.request, peer.now) {
                Ok(step) => step,
                Err(error) => {
                    seen.push(format!("{data:?} {error:?}"));
                    return (seen, peer.connection.output().to_vec());
                }
            };
            let Some(event) = step.event else { break };
            if let Event::Data { stream, payload, end } = event {
                match data.last_mut() {
                    Some((last, bytes, ended)) if *last == stream && !*ended => {
                        bytes.extend_from_slice(&rest[payload]);
                        *ended = end;
                    }
                    _ => data.push((stream, rest[payload].to_vec(), end)),
                }
            } else {
                let trailers = format!("{:?}", peer.connection.trailers());
                let request = matches!(event, Event::Head { .. }).then_some(&peer.request);
                seen.push(format!("{data:?} {event:?} {request:?} {trailers}"));
                data.clear();
            }
            rest = &rest[step.consumed..];
        }
    }
    seen.push(format!("{data:?}"));
    (seen, peer.connection.output().to_vec())
}

/// Something that the owner of a connection does.
#[derive(Debug, Clone)]
enum Act {
    Take(Vec<u8>),
    Respond(u32, bool),
    Send(u32, usize, bool),
    Trailers(u32),
    Reset(u32),
    Release(u32, usize),
    Written(usize),
    NextWritable,
    Leave(bool),
    Shrink,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let stream = 0..12_u32;
    proptest::collection::vec(
        prop_oneof![
            10 => any_frame().prop_map(Act::Take),
            4 => (stream.clone(), any::<bool>()).prop_map(|(stream, end)| Act::Respond(stream, end)),
            4 => (stream.clone(), 0..100_000_usize, any::<bool>())
                .prop_map(|(stream, length, end)| Act::Send(stream, length, end)),
            1 => stream.clone().prop_map(Act::Trailers),
            1 => stream.clone().prop_map(Act::Reset),
            2 => (stream, 0..40_000_usize).prop_map(|(stream, length)| Act::Release(stream, length)),
            2 => (0..200_000_usize).prop_map(Act::Written),
            2 => Just(Act::NextWritable),
            1 => any::<bool>().prop_map(Act::Leave),
            1 => Just(Act::Shrink),
        ],
        0..80,
    )
}

fn act(peer: &mut Peer, act: Act) {
    let connection = &mut peer.connection;
    match act {
        Act::Take(bytes) => drop(peer.send(&bytes)),
        Act::Respond(stream, end) => {
            let _ = peer.try_respond(stream, &Headers::new(), end);
        }
        Act::Send(stream, length, end) => {
            let _ = connection.send_data(StreamId(stream), &vec![0; length], end);
        }
        Act::Trailers(stream) => {
            let mut trailers = Headers::new();
            trailers.append(HeaderName::parse("x-sum").unwrap(), "1");
            let _ = connection.send_trailers(StreamId(stream), &trailers);
        }
        Act::Reset(stream) => connection.reset(StreamId(stream), ErrorCode::CANCEL),
        Act::Release(stream, length) => connection.release(StreamId(stream), length),
        Act::Written(count) => connection.written(count),
        Act::NextWritable => drop(connection.next_writable()),
        Act::Leave(now) if now => connection.leave_now(),
        Act::Leave(_) => connection.leave(),
        Act::Shrink => {
            let memory = connection.shrink();
            connection.reuse(|| memory.unwrap_or_default());
        }
    }
}

proptest! {
    #[test]
    fn how_the_input_is_cut_never_matters(sent in any_frames(), cuts: Vec<u16>) {
        let bytes = sent.concat();
        let mut places: Vec<_> =
            cuts.iter().map(|cut| usize::from(*cut) % (bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let pieces: Vec<_> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(seen(&pieces), seen(&[&bytes]));
        if bytes.len() < 2000 {
            let single: Vec<_> = bytes.chunks(1).collect();
            prop_assert_eq!(seen(&single), seen(&[&bytes]));
        }
    }

    #[test]
    fn no_use_makes_it_panic_or_grow(acts in acts(), tight: bool) {
        let limits = Limits::default();
        let few = Limits { streams: 2, fields: 3, output: 1000, ..Limits::default() };
        let mut peer = Peer::with(if tight { &few } else { &limits });
        for one in acts {
            act(&mut peer, one);
            let connection = &peer.connection;
            let whole = limits.output + limits.control_output + 100_000;
            prop_assert!(connection.output().len() < whole);
            prop_assert!(connection.partial.capacity() <= 64 * 1024);
            prop_assert!(connection.block.capacity() <= 2 * limits.block_bytes);
            prop_assert!(connection.open_streams() <= 250);
        }
    }

    #[test]
    fn a_client_stands_any_frames(sent in any_frames(), asks in 0..6_usize) {
        let mut client = Connection::client(&Limits::default());
        let (mut response, now) = (Response::new(), std::time::Instant::now());
        let request = Request::new();
        let head =
            RequestHead { request: &request, scheme: "http", authority: "a.test", protocol: None };
        let _ = drive(&mut client, &frame(SETTINGS, 0, 0, &[]), &mut response, now);
        for index in 0..asks {
            _ = client.request(&head, index % 2 == 0);
        }
        for bytes in sent {
            let Ok(events) = drive(&mut client, &bytes, &mut response, now) else { break };
            for event in events {
                if let Event::Head { stream, .. } = event {
                    let _ = client.send_data(stream, b"hello", true);
                }
            }
            client.written(client.output().len());
            prop_assert!(client.open_streams() <= asks);
        }
    }
}
