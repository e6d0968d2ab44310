//! What RFC 9113 and RFC 7540 ask of servers that are sent wrong frames: the cases that h2spec
//! knows, section by section.

use super::support::*;
use crate::h2::{ErrorCode, Limits};

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
const SIZE: ErrorCode = ErrorCode::FRAME_SIZE_ERROR;
const CLOSED: ErrorCode = ErrorCode::STREAM_CLOSED;
const FLOW: ErrorCode = ErrorCode::FLOW_CONTROL_ERROR;
const COMPRESSION: ErrorCode = ErrorCode::COMPRESSION_ERROR;

/// The connection ends with this code, and says so in its last frame.
#[track_caller]
fn ends_connection(code: ErrorCode, sent: &[Vec<u8>]) {
    let mut peer = Peer::new();
    assert_eq!(peer.send(&sent.concat()), Err(code));
    let output = peer.read();
    let (kind, _, _, payload) = output.last().unwrap();
    assert_eq!((*kind, &payload[4..]), (GOAWAY, &code.0.to_be_bytes()[..]));
    assert_eq!(peer.send(&frame(PING, 0, 0, &[0; 8])), Err(code));
    assert!(peer.read().is_empty());
}

/// The stream is reset with this code, and the connection goes on.
#[track_caller]
fn ends_stream(stream: u32, code: ErrorCode, sent: &[Vec<u8>]) {
    let mut peer = Peer::new();
    peer.send(&sent.concat()).unwrap();
    assert_eq!(peer.resets(), [(stream, code)]);
    peer.send(&frame(PING, 0, 0, b"are you?")).unwrap();
    assert_eq!(peer.read(), [(PING, ACK, 0, b"are you?".to_vec())]);
}

/// Nothing ends.
#[track_caller]
fn is_fine(sent: &[Vec<u8>]) {
    let mut peer = Peer::new();
    peer.send(&sent.concat()).unwrap();
    peer.send(&frame(PING, 0, 0, b"are you?")).unwrap();
    let output = peer.read();
    assert_eq!(output.last(), Some(&(PING, ACK, 0, b"are you?".to_vec())));
    assert!(output.iter().all(|(kind, ..)| ![RST_STREAM, GOAWAY].contains(kind)));
}

fn with(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, WHOLE, 1, &block(fields))
}

#[test]
fn the_preface_comes_first_and_then_settings() {
    // 3.4
    let mut peer = Peer::fresh(&Limits::default());
    assert_eq!(peer.send(b"GET / HTTP/1.1\r\n\r\n"), Err(PROTOCOL));
    let mut peer = Peer::fresh(&Limits::default());
    peer.send(crate::h2::frame::PREFACE).unwrap();
    assert_eq!(peer.send(&get(WHOLE, 1)), Err(PROTOCOL));
    let output = peer.read();
    assert_eq!(output.first().map(|frame| frame.0), Some(SETTINGS));
    assert_eq!(output.last().map(|frame| frame.0), Some(GOAWAY));
}

#[test]
fn what_is_unknown_is_ignored() {
    // 4.1, 5.5, 6.5.2, 7
    is_fine(&[frame(0xff, 0xff, 0, &[0; 8]), frame(0x10, 0, 1, b"u=1")]);
    is_fine(&[frame(PING, 0x16, 0, &[0; 8]), frame(PING, 0, 0x8000_0000, &[0; 8])]);
    is_fine(&[frame(SETTINGS, 0, 0, &setting(0xff, 1))]);
    is_fine(&[get(END_HEADERS, 1), frame(RST_STREAM, 0, 1, &[0, 0, 0, 0xff])]);
    is_fine(&[frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0xff])]);
}

#[test]
fn frames_have_a_length_of_their_own() {
    // 4.2
    let post = frame(HEADERS, END_HEADERS, 1, &block(POST));
    is_fine(&[post.clone(), frame(DATA, END_STREAM, 1, &[0; 16_384])]);
    ends_connection(SIZE, &[post, frame(DATA, END_STREAM, 1, &[0; 16_385])]);
    ends_connection(SIZE, &[frame(HEADERS, WHOLE, 1, &[0; 16_385])]);
    ends_connection(SIZE, &[get(END_HEADERS, 1), frame(RST_STREAM, 0, 1, &[0; 3])]);
    ends_connection(SIZE, &[frame(SETTINGS, 0, 0, &[0; 3])]);
    ends_connection(SIZE, &[frame(SETTINGS, ACK, 0, &[0; 6])]);
    ends_connection(SIZE, &[frame(PING, 0, 0, &[0; 6])]);
    ends_connection(SIZE, &[frame(WINDOW_UPDATE, 0, 0, &[0; 3])]);
    ends_connection(SIZE, &[frame(GOAWAY, 0, 0, &[0; 7])]);
    ends_stream(1, SIZE, &[get(END_HEADERS, 1), frame(PRIORITY, 0, 1, &[0; 4])]);
}

#[test]
fn blocks_of_fields_are_readable_and_in_one_piece() {
    // 4.3, 6.2, 6.10
    ends_connection(COMPRESSION, &[frame(HEADERS, WHOLE, 1, b"\x40\x01a")]);
    let begun = get(END_STREAM, 1);
    ends_connection(PROTOCOL, &[begun.clone(), frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9])]);
    ends_connection(PROTOCOL, &[begun.clone(), get(WHOLE, 3)]);
    ends_connection(PROTOCOL, &[begun.clone(), frame(0xff, 0, 0, &[0; 8])]);
    ends_connection(PROTOCOL, &[begun.clone(), frame(DATA, END_STREAM, 1, b"x")]);
    ends_connection(PROTOCOL, &[begun.clone(), frame(CONTINUATION, END_HEADERS, 0, &[])]);
    ends_connection(PROTOCOL, &[begun.clone(), frame(CONTINUATION, END_HEADERS, 3, &[])]);
    ends_connection(PROTOCOL, &[get(WHOLE, 1), frame(CONTINUATION, END_HEADERS, 1, &[])]);
    let rest = frame(CONTINUATION, 0, 1, &block(&[("a", "b")]));
    let last = frame(CONTINUATION, END_HEADERS, 1, &block(&[("c", "d")]));
    is_fine(&[begun.clone(), rest.clone(), rest, last.clone()]);
    ends_connection(PROTOCOL, &[begun, last.clone(), last.clone()]);
    let post = frame(HEADERS, END_HEADERS, 1, &block(POST));
    ends_connection(PROTOCOL, &[post, frame(DATA, 0, 1, b"x"), last]);
}

#[test]
fn streams_of_clients_are_odd_and_go_up() {
    // 5.1.1
    ends_connection(PROTOCOL, &[get(WHOLE, 2)]);
    ends_connection(PROTOCOL, &[get(WHOLE, 0)]);
    ends_connection(PROTOCOL, &[get(WHOLE, 5), get(WHOLE, 3)]);
}

#[test]
fn idle_streams_take_only_heads_and_priorities() {
    // 5.1
    ends_connection(PROTOCOL, &[frame(DATA, END_STREAM, 1, b"x")]);
    ends_connection(PROTOCOL, &[frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])]);
    ends_connection(PROTOCOL, &[frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9])]);
    ends_connection(PROTOCOL, &[frame(CONTINUATION, END_HEADERS, 1, &[])]);
    is_fine(&[frame(PRIORITY, 0, 5, &[0, 0, 0, 0, 9]), get(WHOLE, 1)]);
}

#[test]
fn a_half_that_has_ended_takes_no_more() {
    // 5.1, half-closed (remote)
    ends_stream(1, CLOSED, &[get(WHOLE, 1), frame(DATA, END_STREAM, 1, b"x")]);
    ends_stream(1, CLOSED, &[get(WHOLE, 1), get(WHOLE, 1)]);
    is_fine(&[
        get(WHOLE, 1),
        frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9]),
        frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
        frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
    ]);
}

#[test]
fn a_stream_that_its_opener_has_reset_takes_no_more() {
    let reset = [get(END_HEADERS, 1), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])].concat();
    ends_stream(1, CLOSED, &[reset.clone(), frame(DATA, END_STREAM, 1, b"x")]);
    ends_stream(1, CLOSED, &[reset.clone(), get(WHOLE, 1)]);
    ends_connection(PROTOCOL, &[reset.clone(), frame(CONTINUATION, END_HEADERS, 1, &[])]);
    is_fine(&[reset.clone(), frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9])]);
    is_fine(&[reset, frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9])]);
}

#[test]
fn a_stream_that_both_sides_have_ended_takes_no_more() {
    for (sent, code) in [
        (frame(DATA, END_STREAM, 1, b"x"), Some(CLOSED)),
        (get(WHOLE, 1), Some(CLOSED)),
        (frame(CONTINUATION, END_HEADERS, 1, &[]), Some(PROTOCOL)),
        (frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9]), None),
        (frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9]), None),
        (frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]), None),
    ] {
        let mut peer = Peer::new();
        peer.send(&get(WHOLE, 1)).unwrap();
        peer.respond(1, true);
        assert_eq!(peer.send(&sent).err(), code);
        assert_eq!(peer.resets(), []);
    }
}

#[test]
fn a_stream_that_we_have_reset_may_still_get_what_was_under_way() {
    let mut peer = Peer::new();
    let mut all = peer.send(&get(END_HEADERS, 1)).unwrap();
    peer.reset(1);
    all.clear();
    for sent in [
        frame(DATA, 0, 1, b"x"),
        frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9]),
        frame(HEADERS, WHOLE, 1, &block(&[("a", "b")])),
        frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
    ] {
        all.extend(peer.send(&sent).unwrap());
    }
    assert_eq!(all, []);
    assert_eq!(peer.resets(), [(1, ErrorCode::CANCEL)]);
}

#[test]
fn nothing_depends_on_itself() {
    // RFC 7540 5.3.1
    let head = [&[0, 0, 0, 1, 9], block(GET).as_slice()].concat();
    ends_stream(1, PROTOCOL, &[frame(HEADERS, WHOLE | WITH_PRIORITY, 1, &head)]);
    is_fine(&[frame(HEADERS, WHOLE | WITH_PRIORITY, 3, &head)]);
    ends_connection(PROTOCOL, &[frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 9])]);
    ends_stream(1, PROTOCOL, &[get(END_HEADERS, 1), frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 9])]);
}

#[test]
fn frames_belong_to_a_stream_or_to_the_connection() {
    // 6.1 to 6.9
    ends_connection(PROTOCOL, &[frame(DATA, 0, 0, b"x")]);
    ends_connection(PROTOCOL, &[frame(PRIORITY, 0, 0, &[0; 5])]);
    ends_connection(PROTOCOL, &[frame(RST_STREAM, 0, 0, &[0; 4])]);
    ends_connection(PROTOCOL, &[get(WHOLE, 1), frame(SETTINGS, 0, 1, &[])]);
    ends_connection(PROTOCOL, &[get(WHOLE, 1), frame(PING, 0, 1, &[0; 8])]);
    ends_connection(PROTOCOL, &[get(WHOLE, 1), frame(GOAWAY, 0, 1, &[0; 8])]);
}

#[test]
fn padding_fits_into_its_frame() {
    // 6.1, 6.2
    let post = frame(HEADERS, END_HEADERS, 1, &block(POST));
    ends_connection(PROTOCOL, &[post.clone(), frame(DATA, PADDED, 1, &[3, 0, 0])]);
    ends_connection(SIZE, &[post.clone(), frame(DATA, PADDED, 1, &[])]);
    is_fine(&[post, frame(DATA, PADDED, 1, &[2, 0, 0]), frame(DATA, PADDED, 1, &[1, 7, 0])]);
    let fields = block(GET);
    let long = [&[u8::try_from(fields.len() + 1).unwrap()], fields.as_slice()].concat();
    ends_connection(PROTOCOL, &[frame(HEADERS, WHOLE | PADDED, 1, &long)]);
    let padded = [&[2], fields.as_slice(), &[0, 0]].concat();
    is_fine(&[frame(HEADERS, WHOLE | PADDED, 1, &padded)]);
}

#[test]
fn settings_have_values_that_make_sense() {
    // 6.5.2
    for (id, value, code) in [
        (2, 2, PROTOCOL),
        (4, 0x8000_0000, FLOW),
        (5, 16_383, PROTOCOL),
        (5, 16_777_216, PROTOCOL),
        (8, 2, PROTOCOL),
    ] {
        ends_connection(code, &[frame(SETTINGS, 0, 0, &setting(id, value))]);
    }
    let both = [setting(8, 1), setting(8, 0)].concat();
    ends_connection(PROTOCOL, &[frame(SETTINGS, 0, 0, &both)]);
}

#[test]
fn settings_and_pings_are_acknowledged() {
    // 6.5.3, 6.7
    let mut peer = Peer::new();
    peer.send(&frame(SETTINGS, 0, 0, &setting(3, 100))).unwrap();
    assert_eq!(peer.read(), [(SETTINGS, ACK, 0, vec![])]);
    peer.send(&frame(PING, ACK, 0, b"unasked!")).unwrap();
    assert_eq!(peer.read(), []);
    peer.send(&frame(PING, 0, 0, b"a secret")).unwrap();
    assert_eq!(peer.read(), [(PING, ACK, 0, b"a secret".to_vec())]);
}

#[test]
fn windows_grow_by_something_and_not_beyond_their_limit() {
    // 6.9, 6.9.1
    let most = frame(WINDOW_UPDATE, 0, 0, &i32::MAX.to_be_bytes());
    ends_connection(FLOW, &[most]);
    ends_connection(PROTOCOL, &[frame(WINDOW_UPDATE, 0, 0, &[0; 4])]);
    ends_stream(1, PROTOCOL, &[get(END_HEADERS, 1), frame(WINDOW_UPDATE, 0, 1, &[0; 4])]);
    let most = frame(WINDOW_UPDATE, 0, 1, &i32::MAX.to_be_bytes());
    ends_stream(1, FLOW, &[get(END_HEADERS, 1), most.clone()]);
    // Not even by settings (6.9.2).
    let nearly = frame(WINDOW_UPDATE, 0, 1, &(i32::MAX - 65_535).to_be_bytes());
    let larger = frame(SETTINGS, 0, 0, &setting(4, 65_536));
    ends_connection(FLOW, &[get(WHOLE, 1), nearly, larger]);
}

#[test]
fn windows_of_ours_are_kept_to() {
    let post = frame(HEADERS, END_HEADERS, 1, &block(POST));
    let data = frame(DATA, 0, 1, &[0; 16_384]);
    let full = vec![data.clone(); 16].concat();
    is_fine(&[post.clone(), full.clone()]);
    ends_stream(1, FLOW, &[post.clone(), full.clone(), frame(DATA, 0, 1, b"x")]);
    // Four streams take up what the connection has.
    let mut sent = vec![];
    for stream in [1, 3, 5, 7] {
        sent.push(frame(HEADERS, END_HEADERS, stream, &block(POST)));
        sent.push(frame(DATA, 0, stream, &[0; 16_384]).repeat(16));
    }
    sent.push(frame(HEADERS, END_HEADERS, 9, &block(POST)));
    is_fine(&sent);
    sent.push(frame(DATA, 0, 9, b"x"));
    ends_connection(FLOW, &sent);
}

#[test]
fn pseudo_fields_are_those_of_requests_and_come_first_and_once() {
    // 8.3, 8.3.1
    let bad = |fields: &[(&str, &str)]| ends_stream(1, PROTOCOL, &[with(fields)]);
    let and = |more: &[(&'static str, &'static str)]| [GET, more].concat();
    bad(&and(&[(":unknown", "x")]));
    bad(&and(&[(":status", "200")]));
    bad(&[&[("a", "b")], GET].concat());
    bad(&[&GET[..2], &[("a", "b")], &GET[2..]].concat());
    bad(&and(&[(":method", "GET")]));
    bad(&and(&[(":scheme", "https")]));
    bad(&and(&[(":path", "/")]));
    bad(&and(&[(":authority", "a.test")]));
    for missing in [":method", ":scheme", ":path"] {
        let rest: Vec<_> = GET.iter().copied().filter(|(name, _)| *name != missing).collect();
        bad(&rest);
    }
    bad(&[(":method", "GET"), (":scheme", "https"), (":path", "")]);
    bad(&[(":method", "GET"), (":scheme", "https"), (":path", "x")]);
    bad(&[(":method", "G T"), (":scheme", "https"), (":path", "/")]);
    bad(&[(":method", "GET"), (":scheme", "ftp"), (":path", "/")]);
    bad(&[(":method", "CONNECT"), (":scheme", "https"), (":path", "/"), (":authority", "a:1")]);
    bad(&[(":method", "CONNECT")]);
    bad(&and(&[(":protocol", "websocket")]));
    bad(&and(&[(":protocol", "")]));
    let tunnel = with(&[(":method", "CONNECT"), (":authority", "a.test:443")]);
    is_fine(&[tunnel]);
}

#[test]
fn fields_of_connections_and_capitals_are_malformed() {
    // 8.2, 8.2.2
    for (name, value) in [
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "trailers, deflate"),
        ("X-Capital", "x"),
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a", "x\r\ny: z"),
        ("a", "\0"),
        ("content-length", "x"),
        ("content-length", "1"),
    ] {
        ends_stream(1, PROTOCOL, &[with(&[GET, &[(name, value)]].concat())]);
    }
    is_fine(&[with(&[GET, &[("te", "trailers")]].concat())]);
}

#[test]
fn a_body_has_the_length_that_its_head_says() {
    // 8.1.1
    let head = |length| {
        frame(HEADERS, END_HEADERS, 1, &block(&[POST, &[("content-length", length)]].concat()))
    };
    let trailers = frame(HEADERS, WHOLE, 1, &block(&[("a", "b")]));
    ends_stream(1, PROTOCOL, &[head("1"), frame(DATA, END_STREAM, 1, b"four")]);
    ends_stream(1, PROTOCOL, &[head("5"), frame(DATA, END_STREAM, 1, b"four")]);
    let (one, two) = (frame(DATA, 0, 1, b"four"), frame(DATA, END_STREAM, 1, b"five"));
    ends_stream(1, PROTOCOL, &[head("7"), one.clone(), two.clone()]);
    is_fine(&[head("8"), one.clone(), two]);
    is_fine(&[head("4"), one.clone(), trailers.clone()]);
    ends_stream(1, PROTOCOL, &[head("5"), one, trailers]);
    is_fine(&[head("4"), frame(DATA, END_STREAM | PADDED, 1, b"\x02four\0\0")]);
}

#[test]
fn trailers_end_a_stream_and_hold_no_pseudo_fields() {
    // 8.1
    let post = frame(HEADERS, END_HEADERS, 1, &block(POST));
    let trailers = |flags, fields: &[(&str, &str)]| frame(HEADERS, flags, 1, &block(fields));
    ends_stream(1, PROTOCOL, &[post.clone(), trailers(END_HEADERS, &[("a", "b")])]);
    ends_stream(1, PROTOCOL, &[post.clone(), trailers(WHOLE, &[(":method", "GET")])]);
    ends_stream(1, PROTOCOL, &[post.clone(), trailers(WHOLE, &[("A", "b")])]);
    is_fine(&[post, trailers(WHOLE, &[("a", "b")])]);
}

#[test]
fn clients_do_not_push() {
    // 8.4
    let promise = [&[0, 0, 0, 2], block(GET).as_slice()].concat();
    ends_connection(PROTOCOL, &[get(WHOLE, 1), frame(PUSH_PROMISE, END_HEADERS, 1, &promise)]);
}

#[test]
fn hpack_is_kept_to() {
    for bytes in [
        &b"\xff\x00"[..],                 // an index beyond the tables
        b"\x7f\x40\x00",                  // the same for a name
        b"\x80",                          // index 0
        b"\x82\x20",                      // a change of the table behind a field
        b"\x3f\xe2\x1f",                  // a table of 4097 bytes
        b"\x40\x81\xff\x81\xff",          // strings that are padding alone
        b"\x40\x01a\x82\x1f\xff",         // padding of more than 7 bits
        b"\x40\x01a\x81\x18",             // padding of zeros
        b"\x40\x01a\x84\xff\xff\xff\xfc", // the end symbol
    ] {
        ends_connection(COMPRESSION, &[frame(HEADERS, WHOLE, 1, bytes)]);
    }
    // Changes of the table at the start are fine.
    let block = [b"\x20\x3f\xe1\x1f", block(GET).as_slice()].concat();
    is_fine(&[frame(HEADERS, WHOLE, 1, &block)]);
}
