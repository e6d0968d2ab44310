//! Requests and responses, windows, resets and farewells, as a server sees them.

use super::support::*;
use crate::h2::{ErrorCode, Event, Gone, Limits, StreamId};
use crate::headers::{HeaderName, Headers, Known};
use crate::{BodyFraming, Status, Version, codec::ResponseHead};

const ONE: StreamId = StreamId(1);

fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(POST))
}

#[test]
fn we_greet_with_our_settings_and_a_larger_window() {
    let mut peer = Peer::fresh(&Limits::default());
    let settings = [setting(3, 250), setting(8, 1), setting(4, 256 * 1024), setting(6, 65_536)];
    assert_eq!(
        peer.read(),
        [
            (SETTINGS, 0, 0, settings.concat()),
            (WINDOW_UPDATE, 0, 0, (1024 * 1024 - 65_535_u32).to_be_bytes().to_vec())
        ]
    );
}

#[test]
fn what_differs_from_the_usual_is_said() {
    let limits = Limits {
        streams: 7,
        decoder_table: 8192,
        frame_bytes: 20_000,
        connection_window: 0,
        extended_connect: false,
        ..Limits::default()
    };
    let mut peer = Peer::fresh(&limits);
    let settings = [
        setting(1, 8192),
        setting(3, 7),
        setting(4, 256 * 1024),
        setting(5, 20_000),
        setting(6, 65_536),
    ];
    assert_eq!(peer.read(), [(SETTINGS, 0, 0, settings.concat())]);
    // The table may be as large as that, and a frame.
    let mut peer = Peer::with(&limits);
    let block = [b"\x3f\xe1\x3f", block(GET).as_slice()].concat();
    assert_eq!(peer.send(&frame(HEADERS, WHOLE, 1, &block)).unwrap().len(), 1);
    peer.send(&[post(3), frame(DATA, 0, 3, &[0; 20_000])].concat()).unwrap();
    let too_long = peer.send(&frame(DATA, 0, 3, &[0; 20_001]));
    assert_eq!(too_long, Err(ErrorCode::FRAME_SIZE_ERROR));
}

#[test]
fn data_is_named_where_it_lies_and_comes_in_pieces() {
    let mut peer = Peer::new();
    peer.send(&post(1)).unwrap();
    let bytes = frame(DATA, END_STREAM | PADDED, 1, b"\x03hello world\0\0\0");
    let data = |payload, end| Event::Data { stream: ONE, payload, end };
    assert_eq!(peer.send(&bytes[..12]), Ok(vec![data(10..12, false)]));
    assert_eq!(peer.send(&bytes[12..20]), Ok(vec![data(0..8, false)]));
    assert_eq!(peer.send(&bytes[20..22]), Ok(vec![data(0..1, true)]));
    assert_eq!(peer.send(&bytes[22..]), Ok(vec![]));
    assert_eq!(peer.connection.open_streams(), 1);
}

#[test]
fn room_is_given_back_when_data_is_released() {
    let mut peer = Peer::new();
    peer.send(&post(1)).unwrap();
    peer.send(&frame(DATA, 0, 1, &[0; 16_384]).repeat(16)).unwrap();
    assert_eq!(peer.read(), []);
    peer.connection.release(ONE, 100_000);
    assert_eq!(peer.read(), []);
    peer.connection.release(ONE, 31_072);
    assert_eq!(peer.read(), [(WINDOW_UPDATE, 0, 1, 131_072_u32.to_be_bytes().to_vec())]);
    // Padding is given back without a word, and all of what a reset stream holds.
    for stream in [3, 5] {
        peer.send(&post(stream)).unwrap();
        let padded = [&[255], [0; 16_383].as_slice()].concat();
        peer.send(&frame(DATA, PADDED, stream, &padded).repeat(16)).unwrap();
    }
    peer.reset(3);
    peer.send(&frame(RST_STREAM, 0, 5, &[0, 0, 0, 8])).unwrap();
    let given: u32 = peer
        .read()
        .iter()
        .filter(|(kind, _, stream, _)| (*kind, *stream) == (WINDOW_UPDATE, 0))
        .map(|(.., payload)| crate::h2::frame::number(payload).unwrap())
        .sum();
    assert_eq!(given, 131_072 + 2 * 16 * 16_384);
}

#[test]
fn what_a_closed_stream_holds_still_counts_until_it_is_released() {
    let mut peer = Peer::new();
    for stream in [1, 3, 5, 7] {
        peer.send(&post(stream)).unwrap();
        peer.send(&frame(DATA, 0, stream, &[0; 16_384]).repeat(15)).unwrap();
        peer.send(&frame(DATA, END_STREAM, stream, &[0; 16_384])).unwrap();
        peer.respond(stream, true);
    }
    assert_eq!(peer.connection.open_streams(), 0);
    peer.send(&post(9)).unwrap();
    peer.read();
    for stream in [1, 3] {
        peer.connection.release(StreamId(stream), 16 * 16_384);
    }
    assert_eq!(peer.read(), [(WINDOW_UPDATE, 0, 0, (512 * 1024_u32).to_be_bytes().to_vec())]);
}

#[test]
fn data_goes_as_far_as_the_windows_and_the_output_let_it() {
    let mut peer = Peer::new();
    peer.send(&get(WHOLE, 1)).unwrap();
    assert_eq!(peer.connection.send_data(ONE, b"x", false), Err(Gone));
    peer.respond(1, false);
    let body = vec![7; 100_000];
    let connection = &mut peer.connection;
    // The head took some of the 65,536 bytes of the output.
    let first = connection.send_data(ONE, &body, true).unwrap();
    assert!((65_000..65_535).contains(&first));
    assert_eq!(connection.stalled().count(), 0);
    assert_eq!(connection.next_writable(), None);
    connection.written(connection.output().len());
    assert_eq!(connection.next_writable(), Some(ONE));
    assert_eq!(connection.next_writable(), None);
    // The rest of the windows of 65,535 bytes.
    let second = connection.send_data(ONE, &body[first..], true).unwrap();
    assert_eq!(first + second, 65_535);
    assert!(connection.stalled().any(|(stream, _)| stream == ONE));
    connection.written(connection.output().len());
    assert_eq!(connection.next_writable(), None);
    peer.send(&window(1, 100_000)).unwrap();
    assert_eq!(peer.connection.next_writable(), None);
    peer.send(&window(0, 20_000)).unwrap();
    assert_eq!(peer.connection.next_writable(), Some(ONE));
    let third = peer.connection.send_data(ONE, &body[65_535..], true).unwrap();
    assert_eq!(third, 20_000);
    peer.send(&window(0, 100_000)).unwrap();
    assert_eq!(peer.connection.next_writable(), Some(ONE));
    assert_eq!(peer.connection.send_data(ONE, &body[85_535..], true), Ok(14_465));
    let last = peer.read().pop().unwrap();
    assert_eq!((last.0, last.1, last.3.len()), (DATA, END_STREAM, 14_465));
    assert_eq!(peer.connection.send_data(ONE, b"", true), Err(Gone));
    assert_eq!(peer.connection.open_streams(), 0);
}

#[test]
fn windows_follow_the_settings_below_zero() {
    let mut peer = Peer::new();
    let settings = |window| frame(SETTINGS, 0, 0, &setting(4, window));
    peer.send(&[settings(3), get(WHOLE, 1)].concat()).unwrap();
    peer.respond(1, false);
    assert_eq!(peer.connection.send_data(ONE, b"hello", true), Ok(3));
    peer.send(&settings(2)).unwrap();
    assert!(peer.connection.stalled().any(|(stream, _)| stream == ONE));
    peer.send(&window(1, 1)).unwrap();
    assert_eq!(peer.connection.next_writable(), None);
    peer.send(&window(1, 1)).unwrap();
    assert_eq!(peer.connection.next_writable(), Some(ONE));
    assert_eq!(peer.connection.send_data(ONE, b"lo", true), Ok(1));
    peer.send(&settings(100)).unwrap();
    assert_eq!(peer.connection.next_writable(), Some(ONE));
    assert_eq!(peer.connection.send_data(ONE, b"o", true), Ok(1));
}

#[test]
fn streams_that_wait_take_turns() {
    let mut peer = Peer::new();
    let body = vec![0; 50_000];
    for stream in [1, 3, 5] {
        peer.send(&get(WHOLE, stream)).unwrap();
        peer.respond(stream, false);
        peer.connection.send_data(StreamId(stream), &body, false).unwrap();
        peer.read();
    }
    peer.send(&window(0, 1000)).unwrap();
    for expected in [3, 5, 3, 5] {
        let stream = peer.connection.next_writable().unwrap();
        assert_eq!(stream.number(), expected);
        assert_eq!(peer.connection.send_data(stream, &body[..2000], false), Ok(1000));
        peer.send(&window(0, 1000)).unwrap();
    }
    // A stream that is gone is passed over.
    peer.reset(3);
    assert_eq!(peer.connection.next_writable(), Some(StreamId(5)));
    assert_eq!(peer.connection.next_writable(), None);
}

#[test]
fn long_heads_are_cut_into_frames_that_the_peer_takes() {
    let mut peer = Peer::new();
    peer.send(&get(WHOLE, 1)).unwrap();
    let mut headers = Headers::new();
    for index in 0..5 {
        let name = HeaderName::parse(&format!("x-{index}")).unwrap();
        headers.append(&name, [b'{'; 10_000]);
    }
    peer.respond_with(1, &headers, true);
    let output = peer.read();
    let seen: Vec<_> = output.iter().map(|(kind, flags, ..)| (*kind, *flags)).collect();
    let more = (CONTINUATION, 0);
    assert_eq!(seen, [(HEADERS, END_STREAM), more, more, (CONTINUATION, END_HEADERS)]);
    assert!(output.iter().all(|(.., payload)| payload.len() <= 16_384));
}

#[test]
fn a_response_without_a_body_says_a_length_where_it_may() {
    let mut headers = Headers::new();
    headers.append(Known::ContentLength, "5");
    for (code, says) in [(200, true), (204, false), (304, true)] {
        let mut peer = Peer::new();
        peer.send(&get(WHOLE, 1)).unwrap();
        let head = ResponseHead {
            version: Version::Http2,
            status: Status::new(code).unwrap(),
            headers: &headers,
            body: BodyFraming::None,
            connection: Default::default(),
            date: b"",
        };
        peer.connection.respond(ONE, &head, true).unwrap();
        // The status, and `content-length` with a value of one byte.
        let length = peer.read()[0].3.len();
        assert_eq!(length > 1, says, "{code}");
    }
}

#[test]
fn trailers_end_what_is_sent() {
    let mut peer = Peer::new();
    peer.send(&get(WHOLE, 1)).unwrap();
    peer.respond(1, false);
    let mut trailers = Headers::new();
    trailers.append(HeaderName::parse("grpc-status").unwrap(), "0");
    trailers.append(HeaderName::parse("connection").unwrap(), "close");
    peer.connection.send_trailers(ONE, &trailers).unwrap();
    let (kind, flags, ..) = peer.read().pop().unwrap();
    assert_eq!((kind, flags), (HEADERS, WHOLE));
    assert_eq!(peer.connection.send_trailers(ONE, &trailers), Err(Gone));
    // Without any, the end is an empty DATA.
    peer.send(&get(WHOLE, 3)).unwrap();
    peer.respond(3, false);
    peer.connection.send_trailers(StreamId(3), &Headers::new()).unwrap();
    assert_eq!(peer.read().pop().unwrap(), (DATA, END_STREAM, 3, vec![]));
}

#[test]
fn more_streams_than_allowed_are_refused() {
    let mut peer = Peer::with(&Limits { streams: 2, ..Limits::default() });
    let events = peer.send(&[get(WHOLE, 1), get(WHOLE, 3), get(WHOLE, 5)].concat()).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(peer.resets(), [(5, ErrorCode::REFUSED_STREAM)]);
    peer.respond(1, true);
    assert_eq!(peer.send(&get(WHOLE, 7)).unwrap().len(), 1);
}

#[test]
fn heads_of_open_streams_have_a_limit_together() {
    let limits = Limits { held_head_bytes: 1000, ..Limits::default() };
    let mut peer = Peer::with(&limits);
    let long = "x".repeat(500);
    let head =
        |stream| frame(HEADERS, WHOLE, stream, &block(&[GET, &[("a", long.as_str())]].concat()));
    // One alone may be larger than that.
    assert_eq!(peer.send(&[head(1), head(3)].concat()).unwrap().len(), 1);
    assert_eq!(peer.resets(), [(3, ErrorCode::REFUSED_STREAM)]);
    peer.respond(1, true);
    assert_eq!(peer.send(&head(5)).unwrap().len(), 1);
}

#[test]
fn resets_of_the_peer_are_told_once() {
    let mut peer = Peer::new();
    peer.send(&get(WHOLE, 1)).unwrap();
    let reset = frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]);
    let told = Event::Reset { stream: ONE, code: ErrorCode::CANCEL };
    assert_eq!(peer.send(&reset), Ok(vec![told]));
    assert_eq!(peer.send(&reset), Ok(vec![]));
    assert_eq!(peer.connection.send_data(ONE, b"x", true), Err(Gone));
    peer.reset(1);
    assert_eq!(peer.read(), []);
    // What comes after it is answered as before we gave it up, too.
    peer.send(&frame(DATA, 0, 1, b"x")).unwrap();
    assert_eq!(peer.resets(), [(1, ErrorCode::STREAM_CLOSED)]);
}

#[test]
fn errors_of_streams_are_told_for_those_that_are_known() {
    let mut peer = Peer::new();
    peer.send(&post(1)).unwrap();
    let events = peer.send(&frame(WINDOW_UPDATE, 0, 1, &[0; 4]));
    let told = Event::Reset { stream: ONE, code: ErrorCode::PROTOCOL_ERROR };
    assert_eq!(events, Ok(vec![told]));
    let malformed = frame(HEADERS, WHOLE, 3, &block(&GET[..1]));
    assert_eq!(peer.send(&malformed), Ok(vec![]));
}

#[test]
fn leaving_is_told_twice_and_takes_what_was_under_way() {
    let mut peer = Peer::new();
    peer.send(&get(WHOLE, 1)).unwrap();
    peer.connection.leave();
    let told = |last: u32| (GOAWAY, 0, 0, [last.to_be_bytes(), [0; 4]].concat());
    let output = peer.read();
    assert_eq!(output[0], told(i32::MAX.cast_unsigned()));
    assert_eq!(output[1].0, PING);
    assert_eq!(peer.send(&get(WHOLE, 3)).unwrap().len(), 1);
    assert_eq!(peer.send(&frame(PING, ACK, 0, &output[1].3)), Ok(vec![]));
    assert_eq!(peer.read(), [told(3)]);
    assert_eq!(peer.send(&get(WHOLE, 5)), Ok(vec![]));
    assert_eq!(peer.resets(), [(5, ErrorCode::REFUSED_STREAM)]);
    for stream in [1, 3] {
        assert!(!peer.connection.is_done());
        peer.respond(stream, true);
    }
    assert!(peer.connection.is_done());
}

#[test]
fn pings_of_ours_come_back() {
    let mut peer = Peer::new();
    peer.connection.ping(*b"there???");
    let (kind, flags, stream, payload) = peer.read().pop().unwrap();
    assert_eq!((kind, flags, stream), (PING, 0, 0));
    let pong = Event::Pong { payload: *b"there???" };
    assert_eq!(peer.send(&frame(PING, ACK, 0, &payload)), Ok(vec![pong]));
}

#[test]
fn a_farewell_of_the_peer_is_told() {
    let mut peer = Peer::new();
    peer.send(&get(WHOLE, 1)).unwrap();
    let told = Event::GoAway { last: StreamId(0), code: ErrorCode::NO_ERROR };
    assert_eq!(peer.send(&frame(GOAWAY, 0, 0, &[0; 8])), Ok(vec![told]));
    assert!(!peer.connection.is_done());
    peer.respond(1, true);
    assert!(peer.connection.is_done());
}

#[test]
fn a_stream_that_asks_for_room_is_named_when_there_is_some() {
    let mut peer = Peer::new();
    peer.send(&frame(SETTINGS, 0, 0, &setting(4, 0))).unwrap();
    peer.send(&get(WHOLE, 1)).unwrap();
    assert_eq!(peer.connection.has_room(StreamId(1)), Err(Gone));
    peer.respond(1, false);
    assert_eq!(peer.connection.has_room(StreamId(1)), Ok(false));
    assert_eq!(peer.connection.has_room(StreamId(1)), Ok(false));
    assert_eq!(peer.connection.next_writable(), None);
    peer.send(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).unwrap();
    assert_eq!(peer.connection.next_writable(), Some(StreamId(1)));
    assert_eq!(peer.connection.next_writable(), None);
    assert_eq!(peer.connection.has_room(StreamId(1)), Ok(true));
    assert_eq!(peer.connection.send_data(StreamId(1), b"x", true), Ok(1));
    assert_eq!(peer.connection.has_room(StreamId(1)), Err(Gone));
}
