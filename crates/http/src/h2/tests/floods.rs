//! Peers that send a million of something: they are told to calm down, or cost bounded memory.

use super::support::*;
use crate::h2::{ErrorCode, Limits, Rate, StreamId};

const CALM: ErrorCode = ErrorCode::ENHANCE_YOUR_CALM;
const MILLION: usize = 1_000_000;

/// Sends up to a million such frames, reads all that comes back, and returns after how many the
/// connection ended, and with which code.
fn flood(peer: &mut Peer, mut next: impl FnMut(u32) -> Vec<u8>) -> Option<(usize, ErrorCode)> {
    for index in 0..MILLION {
        if let Err(code) = peer.send(&next(u32::try_from(index).unwrap())) {
            return Some((index, code));
        }
        peer.connection.written(peer.connection.output().len());
    }
    None
}

#[test]
fn frames_that_carry_nothing_are_limited() {
    let most = usize::try_from(Limits::default().overhead.times).unwrap();
    let kinds: [&dyn Fn(u32) -> Vec<u8>; 10] = [
        &|_| frame(PING, 0, 0, &[0; 8]),
        &|_| frame(PING, ACK, 0, &[0; 8]),
        &|_| frame(SETTINGS, 0, 0, &[]),
        &|_| frame(SETTINGS, ACK, 0, &[]),
        &|index| frame(SETTINGS, 0, 0, &setting(4, index)),
        &|index| frame(PRIORITY, 0, index * 2 + 1, &[0, 0, 0, 0, 9]),
        &|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        &|index| frame(0xaa, 0, index, b"x"),
        &|_| frame(DATA, 0, 1, b""),
        &|_| frame(DATA, PADDED, 1, b"\x03\0\0\0"),
    ];
    for kind in kinds {
        let mut peer = Peer::new();
        peer.send(&frame(HEADERS, END_HEADERS, 1, &block(POST))).unwrap();
        let (count, code) = flood(&mut peer, kind).unwrap();
        assert_eq!(code, CALM);
        assert!((most - 10..=most).contains(&count), "{count}");
    }
}

#[test]
fn they_are_not_limited_when_they_come_slowly() {
    let mut peer = Peer::new();
    let end = flood(&mut peer, |_| frame(PING, 0, 0, &[0; 8]));
    assert!(end.is_some());
    let mut peer = Peer::new();
    for _ in 0..100_000 {
        peer.wait(1);
        peer.send(&frame(PING, 0, 0, &[0; 8])).unwrap();
        peer.read();
    }
}

#[test]
fn streams_that_are_opened_and_reset_are_limited() {
    let mut peer = Peer::new();
    let rapid = |index: u32| {
        let stream = index * 2 + 1;
        [get(WHOLE, stream), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    assert_eq!(flood(&mut peer, rapid), Some((1000, CALM)));
}

#[test]
fn streams_that_end_as_they_should_make_room_for_resets() {
    let mut peer = Peer::new();
    for index in 0..100_000 {
        let stream = index * 4 + 1;
        let reset = frame(RST_STREAM, 0, stream + 2, &[0, 0, 0, 8]);
        peer.send(&[get(WHOLE, stream), get(WHOLE, stream + 2), reset].concat()).unwrap();
        peer.respond(stream, true);
        peer.read();
    }
}

#[test]
fn responses_that_are_cancelled_are_not_limited() {
    let mut peer = Peer::new();
    for index in 0..100_000 {
        let (begun, ended) = (index * 4 + 1, index * 4 + 3);
        peer.send(&[get(WHOLE, begun), get(WHOLE, ended)].concat()).unwrap();
        peer.respond(begun, false);
        peer.respond(ended, true);
        let resets = [begun, ended].map(|stream| frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        assert_eq!(peer.send(&resets.concat()).unwrap().len(), 1);
        peer.read();
    }
    // To reset what has ended, again and again, is to say nothing.
    let (count, code) = flood(&mut peer, |_| frame(RST_STREAM, 0, 3, &[0, 0, 0, 8])).unwrap();
    assert_eq!(code, CALM);
    assert!((9_000..=10_000).contains(&count), "{count}");
}

#[test]
fn streams_that_we_are_made_to_reset_are_limited() {
    let provocations: [&dyn Fn(u32) -> Vec<u8>; 5] = [
        &|_| frame(WINDOW_UPDATE, 0, 1, &[0; 4]),
        &|_| frame(WINDOW_UPDATE, 0, 1, &i32::MAX.to_be_bytes()),
        &|_| frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 9]),
        &|_| frame(DATA, 0, 1, b"x"),
        &|_| frame(HEADERS, WHOLE, 1, &block(&[("a", "b")])),
    ];
    for provocation in provocations {
        let mut peer = Peer::new();
        let sent = |index: u32| {
            let stream = index * 2 + 1;
            let mut provocation = provocation(index);
            for (at, byte) in (5..9).zip(stream.to_be_bytes()) {
                provocation[at] = byte;
                if provocation[3] == PRIORITY {
                    provocation[at + 4] = byte;
                }
            }
            [get(WHOLE, stream), provocation].concat()
        };
        assert_eq!(flood(&mut peer, sent), Some((1000, CALM)));
    }
    // Requests that are malformed, or too many, are no different.
    let malformed = |index: u32| frame(HEADERS, WHOLE, index * 2 + 1, &block(&GET[..2]));
    assert_eq!(flood(&mut Peer::new(), malformed), Some((1000, CALM)));
    let open = |index: u32| get(WHOLE, index * 2 + 1);
    assert_eq!(flood(&mut Peer::new(), open), Some((1250, CALM)));
}

#[test]
fn blocks_for_streams_that_we_have_reset_are_limited() {
    let mut peer = Peer::new();
    peer.send(&get(END_HEADERS, 1)).unwrap();
    peer.reset(1);
    let (count, code) = flood(&mut peer, |_| frame(HEADERS, WHOLE, 1, &block(GET))).unwrap();
    assert_eq!(code, CALM);
    assert!((9_990..=10_000).contains(&count), "{count}");
}

#[test]
fn data_that_is_not_taken_makes_no_room_for_other_frames() {
    let mut peer = Peer::new();
    peer.send(&get(END_HEADERS, 1)).unwrap();
    peer.reset(1);
    let both = [frame(DATA, 0, 1, b"x"), frame(PING, 0, 0, &[0; 8])].concat();
    let (count, code) = flood(&mut peer, |_| both.clone()).unwrap();
    assert_eq!(code, CALM);
    assert!((9_990..=10_000).contains(&count), "{count}");
    // By itself it is what was under way.
    let mut peer = Peer::new();
    peer.send(&get(END_HEADERS, 1)).unwrap();
    peer.reset(1);
    assert_eq!(flood(&mut peer, |_| frame(DATA, 0, 1, b"x")), None);
}

#[test]
fn blocks_of_fields_have_an_end() {
    let mut peer = Peer::new();
    peer.send(&get(END_STREAM, 1)).unwrap();
    let empty = |_| frame(CONTINUATION, 0, 1, b"");
    assert_eq!(flood(&mut peer, empty), Some((63, CALM)));
    let mut peer = Peer::new();
    peer.send(&get(END_STREAM, 1)).unwrap();
    let long = |_| frame(CONTINUATION, 0, 1, &[0; 16_384]);
    assert_eq!(flood(&mut peer, long), Some((7, CALM)));
    // Whoever keeps a connection that has failed keeps little.
    assert_eq!(peer.connection.block.capacity(), 0);
}

#[test]
fn a_peer_that_does_not_read_gets_no_more_answers() {
    let limits = Limits::default();
    let kinds = [frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, &[])];
    for kind in kinds {
        let mut peer = Peer::new();
        let result = (0..MILLION).find_map(|_| peer.send(&kind).err());
        assert_eq!(result, Some(CALM));
        let waiting = peer.connection.output().len();
        assert!(waiting <= limits.control_output + 100, "{waiting}");
        assert_eq!(peer.read().last().unwrap().0, GOAWAY);
    }
}

#[test]
fn a_peer_that_does_not_read_gets_no_more_heads() {
    let limits = Limits::default();
    let mut peer = Peer::new();
    let result = (0..MILLION).find_map(|index| {
        let stream = u32::try_from(index).unwrap() * 2 + 1;
        match peer.send(&get(WHOLE, stream)) {
            Ok(events) if !events.is_empty() => peer.respond(stream, true),
            Ok(_) => {}
            Err(code) => return Some(code),
        }
        None
    });
    assert_eq!(result, Some(CALM));
    assert!(peer.connection.output().len() <= limits.unread_output + limits.control_output + 100);
}

#[test]
fn a_byte_that_stands_for_much_does_not_become_much() {
    // An entry of the table of 4,000 bytes, sixteen thousand times.
    let mut peer = Peer::new();
    let long = "x".repeat(4000);
    let mut entry = block(&[("a", long.as_str())]);
    entry[0] = 0x40;
    let bomb = [block(GET), entry, vec![0xbe; 10_000]].concat();
    let events = peer.send(&frame(HEADERS, WHOLE, 1, &bomb)).unwrap();
    assert!(matches!(events[..], [crate::h2::Event::Refused { .. }]));
    assert!(peer.request.headers.is_empty());
    // Many streams with heads just short of the limit are refused, too.
    let mut peer = Peer::new();
    let large = [block(GET), vec![0x40, 1, b'a', 0x7f, 0xa1, 0x1e]];
    let large = [large.concat(), vec![b'x'; 4000], vec![0xbe; 14]].concat();
    let mut taken = 0;
    for index in 0..250 {
        taken += peer.send(&frame(HEADERS, WHOLE, index * 2 + 1, &large)).unwrap().len();
    }
    assert!(taken <= 17, "{taken}");
}

/// A request with a large cookie of the table, so often.
fn cookies(stream: u32, times: usize) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &[block(GET), vec![0xbe; times]].concat())
}

/// A peer with a large cookie in its table, and its stream 1 open.
fn with_cookie(limits: &Limits) -> Peer {
    let mut peer = Peer::with(limits);
    let entry = [block(GET), vec![0x60, 0x7f, 0xbd, 0x1d], vec![b'x'; 3900]].concat();
    peer.send(&frame(HEADERS, WHOLE, 1, &entry)).unwrap();
    peer
}

#[test]
fn nothing_is_copied_of_heads_that_are_refused() {
    let most = Limits { head_bytes: 1 << 20, ..Limits::default() };
    let mut peer = with_cookie(&Limits { streams: 1, ..most.clone() });
    peer.request = crate::request::Request::new();
    assert_eq!(peer.send(&cookies(3, 240)), Ok(vec![]));
    assert_eq!(peer.read().last().unwrap().0, RST_STREAM);
    assert_eq!(peer.request.headers.capacity(), 0);
    // The table is what it would be all the same.
    peer.respond(1, true);
    assert_eq!(peer.send(&cookies(5, 1)).unwrap().len(), 1);
    assert_eq!(peer.request.headers.get(crate::headers::Known::Cookie).unwrap().len(), 3900);
    // Of one that is refused because of what the others hold, no more than there is room for.
    let mut peer = with_cookie(&Limits { held_head_bytes: 50_000, ..most });
    peer.request = crate::request::Request::new();
    assert_eq!(peer.send(&cookies(3, 240)), Ok(vec![]));
    assert_eq!(peer.read().last().unwrap().0, RST_STREAM);
    assert!(peer.connection.block_length() <= 50_000);
    assert!(peer.request.headers.capacity() <= 2 * 50_000);
}

#[test]
fn crumbs_are_copied_once() {
    let limits = Limits { head_bytes: 1 << 20, held_head_bytes: 4 << 20, ..Limits::default() };
    let mut peer = with_cookie(&limits);
    peer.respond(1, true);
    peer.request = crate::request::Request::new();
    assert_eq!(peer.send(&cookies(3, 240)).unwrap().len(), 1);
    let length = peer.request.headers.get(crate::headers::Known::Cookie).unwrap().len();
    assert_eq!(length, 240 * 3902 - 2);
    assert!(peer.connection.held() < 4 * length, "{}", peer.connection.held());
    // Where others come between them, nothing is left of what they were.
    let between: Vec<_> = [0xbe, 0x8f].repeat(120);
    let head = [block(GET), between].concat();
    assert_eq!(peer.send(&frame(HEADERS, WHOLE, 5, &head)).unwrap().len(), 1);
    let headers = peer.request.headers.clone();
    assert_eq!(headers.get(crate::headers::Known::Cookie).unwrap().len(), 120 * 3902 - 2);
    assert_eq!(headers.len(), 121);
    let entries = 256 * 16;
    assert!(headers.capacity() <= 121 * 40 + 120 * 3902 + entries, "{}", headers.capacity());
}

#[test]
fn a_hundred_thousand_exchanges_leave_nothing_behind() {
    let mut peer = Peer::new();
    for index in 0..100_000 {
        let stream = index * 2 + 1;
        peer.send(&get(END_HEADERS, stream)).unwrap();
        peer.send(&frame(DATA, END_STREAM, stream, b"hello")).unwrap();
        peer.connection.release(StreamId(stream), 5);
        peer.respond(stream, true);
        peer.connection.written(peer.connection.output().len());
    }
    assert_eq!(peer.connection.open_streams(), 0);
    let shown = format!("{:?}", peer.connection.streams);
    assert!(shown.len() < 4000, "{shown}");
}

#[test]
fn frames_that_carry_something_make_room_for_those_that_carry_nothing() {
    let limits =
        Limits { overhead: Rate { times: 10, ..Limits::default().overhead }, ..Limits::default() };
    let mut peer = Peer::with(&limits);
    peer.send(&get(WHOLE, 1)).unwrap();
    peer.respond(1, false);
    for _ in 0..100_000 {
        assert_eq!(peer.connection.send_data(StreamId(1), b"x", false), Ok(1));
        peer.read();
        peer.send(&frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])).unwrap();
        peer.send(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).unwrap();
    }
}
