//! Servers that send a million of something: what waits for a reader, and what it costs, is bounded.

use super::client::Asker;
use super::support::*;
use crate::h2::{ErrorCode, Event, Limits};
use crate::method::Method;

const CALM: ErrorCode = ErrorCode::ENHANCE_YOUR_CALM;
const MILLION: usize = 1_000_000;

const EARLY_HINTS: &[(&str, &str)] = &[(":status", "103")];

/// Sends up to a million such frames; returns the events that came of them, and after how many the connection ended.
fn flood(asker: &mut Asker, next: impl Fn(usize) -> Vec<u8>) -> (Vec<Event>, Option<usize>) {
    let mut seen = Vec::new();
    for index in 0..MILLION {
        match asker.send(&next(index)) {
            Ok(events) => seen.extend(events),
            Err(code) => {
                assert_eq!(code, CALM);
                return (seen, Some(index));
            }
        }
        asker.read();
    }
    (seen, None)
}

fn heads(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Head { .. })).count()
}

#[test]
fn frames_that_carry_nothing_are_limited() {
    let kinds = [
        frame(PING, 0, 0, &[0; 8]),
        frame(PING, ACK, 0, &[0; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(SETTINGS, ACK, 0, &[]),
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
        frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
        frame(GOAWAY, 0, 0, &[0; 8]),
        frame(0xaa, 0, 1, b"x"),
        frame(HEADERS, END_HEADERS, 1, &block(EARLY_HINTS)),
    ];
    for kind in kinds {
        let mut asker = Asker::asking(Method::Get);
        let (_, end) = flood(&mut asker, |_| kind.clone());
        assert!(end.is_some_and(|end| (9_980..=10_010).contains(&end)), "{}: {end:?}", kind[3]);
    }
}

#[test]
fn interim_responses_of_a_stream_are_as_long_as_one_head() {
    // One field of 4,000 bytes is remembered, and named ten times in each.
    let mut large = block(&[("a", "x".repeat(4000).as_str())]);
    large[0] = 0x40;
    let mut asker = Asker::asking(Method::Get);
    let (events, end) = flood(&mut asker, |index| {
        let field = if index == 0 { &large[..] } else { &[0xbe] };
        let fields = [&block(EARLY_HINTS), field, &[0xbe; 9]].concat();
        frame(HEADERS, END_HEADERS, 1, &fields)
    });
    let most = Limits::default().head_bytes / 40_000;
    assert!(heads(&events) <= most, "{}", heads(&events));
    assert!(matches!(events.last(), Some(Event::Reset { code: CALM, .. })), "{:?}", events.last());
    assert!(end.is_some_and(|end| end <= 10_020), "what comes after is counted: {end:?}");
}

#[test]
fn answers_that_come_too_late_are_borne() {
    let mut asker = Asker::new(&[]);
    for _ in 0..100_000 {
        let stream = asker.ask(Method::Get, true).unwrap();
        asker.connection.reset(stream, ErrorCode::CANCEL);
        asker.read();
        let number = stream.number();
        let late = [
            frame(HEADERS, END_HEADERS, number, &block(&[(":status", "200")])),
            frame(DATA, 0, number, b"late"),
            frame(HEADERS, WHOLE, number, &block(&[("grpc-status", "0")])),
        ];
        assert_eq!(asker.send(&late.concat()), Ok(vec![]));
    }
}

#[test]
fn blocks_of_fields_have_an_end() {
    let mut asker = Asker::asking(Method::Get);
    asker.send(&frame(HEADERS, 0, 1, &block(&[(":status", "200")]))).unwrap();
    let (events, end) = flood(&mut asker, |_| frame(CONTINUATION, 0, 1, &[0; 16_384]));
    assert_eq!((events, end), (vec![], Some(7)));
    // Whoever keeps a connection that has failed keeps little.
    assert_eq!(asker.connection.block.capacity(), 0);
}
