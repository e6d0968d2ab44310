//! The chunked coding: what it decodes to, and what it refuses.

use super::*;

/// Decodes in pieces of `size` bytes: the payload, the trailers and what is left of the input.
fn decode(
    input: &[u8],
    size: usize,
    request: bool,
) -> Result<(Vec<u8>, Headers, Vec<u8>), BodyError> {
    let limits = TrailerLimits::default();
    let mut decoder = match request {
        true => ChunkedDecoder::for_request(limits),
        false => ChunkedDecoder::for_response(limits),
    };
    let mut payload = Vec::new();
    let mut position = 0;
    for piece in input.chunks(size) {
        let mut piece = piece;
        while !piece.is_empty() && !decoder.is_done() {
            let step = decoder.step(piece)?;
            assert!(step.consumed <= piece.len() && step.payload.end <= step.consumed);
            payload.extend_from_slice(&piece[step.payload.clone()]);
            position += step.consumed;
            piece = &piece[step.consumed..];
        }
    }
    if decoder.is_done() {
        Ok((payload, decoder.trailers().clone(), input[position..].to_vec()))
    } else {
        Err(BodyError::Truncated)
    }
}

#[track_caller]
fn check(input: &str, expected: &str) {
    for size in [1, 2, 3, 7, 4096] {
        let (payload, _, rest) = decode(input.as_bytes(), size, true).unwrap();
        assert_eq!(String::from_utf8(payload).unwrap(), expected, "{input:?} by {size}");
        assert!(rest.is_empty());
    }
}

#[track_caller]
fn refuse(input: &[u8], error: BodyError) {
    for size in [1, 2, 3, 7, 4096] {
        assert_eq!(decode(input, size, true).unwrap_err(), error, "{input:?} by {size}");
    }
}

#[test]
fn chunks_are_joined() {
    check("0\r\n\r\n", "");
    check("3\r\nabc\r\n0\r\n\r\n", "abc");
    check("1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "abc");
    check("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789");
    check("3;x\r\nabc\r\n0;y=\"z\"\r\n\r\n", "abc");
    check("0000000000000003\r\nabc\r\n0\r\n\r\n", "abc");
    check("5\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n");
}

#[test]
fn what_follows_the_body_is_left_alone() {
    let (payload, _, rest) = decode(b"1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", 4096, true).unwrap();
    assert_eq!((payload.as_slice(), rest.as_slice()), (&b"a"[..], &b"GET / HTTP/1.1\r\n"[..]));
}

#[test]
fn sizes_that_servers_read_differently_are_refused() {
    for input in [
        &b"\r\n"[..],
        b"g\r\n",
        b"-1\r\n",
        b"+3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3h\r\nabc",
        b"3_0\r\nabc",
        b"3,0\r\nabc",
        b"3.0\r\nabc",
        b" 3\r\nabc",
        b"\t3\r\nabc",
        b"3 \r\nabc",
        b"3\t\r\nabc",
        b"3 ;x\r\nabc",
        b"3 3\r\nabc",
        b";x\r\nabc",
        b"3\nabc\r\n0\r\n\r\n",
        b"3\r\r\nabc\r\n",
        b"3\rabc",
        b"\n3\r\nabc",
        b"3\0\r\nabc",
        b"3\x0b\r\nabc",
        b"3\x85\r\nabc",
        b"\xef\xbc\x93\r\nabc",
        b"00000000000000003\r\nabc",
        b"10000000000000003\r\nabc",
        b"8000000000000000\r\nabc",
        b"FFFFFFFFFFFFFFFF\r\nabc",
        b"fffffffffffffffff\r\nabc",
        b"100000000\r",
    ] {
        let expected =
            if input == b"100000000\r" { BodyError::Truncated } else { BodyError::ChunkSize };
        refuse(input, expected);
    }
}

#[test]
fn extensions_with_control_characters_are_refused() {
    for input in [
        &b"3;a\nabc\r\n0\r\n\r\n"[..],
        b"3;\nabc\r\n",
        b"3;a=\0\r\nabc",
        b"3;\x7f\r\nabc",
        b"3;a\x0b\r\nabc",
    ] {
        refuse(input, BodyError::ChunkExtension);
    }
    refuse(b"3;a\rx\nabc", BodyError::ChunkSize);
    refuse(b"3;a\r\r\nabc", BodyError::ChunkSize);
}

#[test]
fn the_data_of_a_chunk_ends_with_crlf() {
    for input in [
        &b"3\r\nabc0\r\n\r\n"[..],
        b"3\r\nabc\n0\r\n\r\n",
        b"3\r\nabc\r0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabcXX0\r\n\r\n",
        b"3\r\nabc\r\r\n0\r\n\r\n",
        b"3\r\nabc \r\n0\r\n\r\n",
    ] {
        refuse(input, BodyError::ChunkEnd);
    }
}

#[test]
fn a_body_that_stops_is_not_complete() {
    for input in [
        "",
        "3",
        "3\r",
        "3\r\n",
        "3\r\nab",
        "3\r\nabc",
        "3\r\nabc\r\n",
        "0",
        "0\r\n",
        "0\r\n\r",
        "0\r\nX: 1\r\n",
    ] {
        refuse(input.as_bytes(), BodyError::Truncated);
    }
}

#[test]
fn framing_without_data_is_bounded() {
    let long = format!("1;{}\r\na\r\n", "x".repeat(5000));
    refuse(long.as_bytes(), BodyError::TooMuchFraming);
    let many = format!("1;{}\r\na\r\n", "x".repeat(1000)).repeat(20);
    refuse(many.as_bytes(), BodyError::TooMuchFraming);
    // One byte for each chunk is legitimate.
    let drops = "1\r\na\r\n".repeat(50_000) + "0\r\n\r\n";
    assert_eq!(decode(drops.as_bytes(), 4096, true).unwrap().0.len(), 50_000);
}

#[test]
fn servers_may_pad_sizes_with_blanks() {
    for input in [&b"3  \r\nabc\r\n0 \r\n\r\n"[..], b"3\t;x\r\nabc\r\n0\r\n\r\n"] {
        assert_eq!(decode(input, 1, false).unwrap().0, b"abc");
    }
    assert_eq!(decode(b"3 3\r\nabc", 1, false).unwrap_err(), BodyError::ChunkSize);
}

#[test]
fn trailers_that_would_change_what_was_decided_are_dropped() {
    let input = b"0\r\nx-sum: 1\r\nGrpc-Status: 0\r\nHost: evil\r\nContent-Length: 5\r\n\
        Transfer-Encoding: chunked\r\nX-Forwarded-For: 1.1.1.1\r\nx_real_ip: 1.1.1.1\r\n\
        Authorization: x\r\nCookie: x\r\nSet-Cookie: x\r\nConnection: x\r\nTrailer: x\r\n\r\n";
    for size in [1, 5, 4096] {
        let (_, trailers, _) = decode(input, size, true).unwrap();
        let names: Vec<_> = trailers.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(names, ["X-Sum", "Grpc-Status"]);
    }
}

#[test]
fn malformed_trailers_are_refused() {
    for input in [
        &b"0\r\nX\r\n\r\n"[..],
        b"0\r\n: 1\r\n\r\n",
        b"0\r\nX : 1\r\n\r\n",
        b"0\r\n X: 1\r\n\r\n",
        b"0\r\nX: 1\r\n folded\r\n\r\n",
        b"0\r\nX: 1\n\r\n",
        b"0\r\n\n",
        b"0\r\nX: a\0\r\n\r\n",
        b"0\r\nX: a\rb\r\n\r\n",
        b"0\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        refuse(input, BodyError::Trailer);
    }
}

#[test]
fn trailers_are_bounded() {
    let long = format!("0\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    refuse(long.as_bytes(), BodyError::TrailerTooLarge);
    let endless = format!("0\r\n{}", "x".repeat(20_000));
    refuse(endless.as_bytes(), BodyError::TrailerTooLarge);
    let many = format!("0\r\n{}\r\n", "X: 1\r\n".repeat(101));
    refuse(many.as_bytes(), BodyError::TrailerTooLarge);
    let fitting = format!("0\r\n{}\r\n", "X: 1\r\n".repeat(100));
    assert_eq!(decode(fitting.as_bytes(), 64, true).unwrap().1.len(), 100);
}

#[test]
fn a_decoder_can_begin_again() {
    let mut decoder = ChunkedDecoder::for_request(TrailerLimits::default());
    assert!(decoder.step(b"0\r\nX: 1\r\n\r\n").unwrap().done);
    decoder.reset();
    assert!(!decoder.is_done() && decoder.trailers().is_empty());
    assert_eq!(decoder.step(b"1\r\na").unwrap().payload, 3..4);
}
