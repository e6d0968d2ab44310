//! The examples of RFC 7541 appendix C, and round trips.

use proptest::prelude::*;

use super::*;

type Fields = Vec<(String, String)>;

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Fields, HpackError> {
    let mut fields = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    decoder.decode(block, |field| {
        assert_eq!(field.kind, Name::classify(field.name));
        fields.push((text(field.name), text(field.value)));
    })?;
    Ok(fields)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Blocks that follow each other on a connection, and their fields, one for a line.
#[track_caller]
fn check(table: usize, blocks: &[(&str, &str)]) {
    let mut decoder = Decoder::new(4096);
    let size = {
        let mut out = Vec::new();
        integer::write(&mut out, 0x20, 5, table);
        out
    };
    decoder.decode(&size, |_| {}).unwrap();
    for (block, expected) in blocks {
        let fields = decoded(&mut decoder, &bytes(block)).unwrap();
        let shown: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let expected: Vec<_> = expected.lines().map(str::trim).collect();
        assert_eq!(shown, expected);
    }
}

#[test]
fn single_fields_are_those_of_the_examples() {
    // C.2
    check(
        4096,
        &[
            (
                "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
                "custom-key: custom-header",
            ),
            ("040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path"),
            ("1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret"),
            ("82", ":method: GET"),
            ("be", "custom-key: custom-header"),
        ],
    );
}

#[test]
fn requests_are_those_of_the_examples() {
    let first = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com";
    let second = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache";
    let third = ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value";
    // C.3
    check(
        4096,
        &[
            ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", first),
            ("8286 84be 5808 6e6f 2d63 6163 6865", second),
            ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", third),
        ],
    );
    // C.4
    check(
        4096,
        &[
            ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", first),
            ("8286 84be 5886 a8eb 1064 9cbf", second),
            ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", third),
        ],
    );
}

#[test]
fn responses_are_those_of_the_examples() {
    let first = ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com";
    let second = ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com";
    let third = ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\ncontent-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    // C.5, with entries that leave
    check(
        256,
        &[
            (
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 \
                 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 \
                 6c65 2e63 6f6d",
                first,
            ),
            ("4803 3330 37c1 c0bf", second),
            (
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d \
                 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 \
                 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e \
                 3d31",
                third,
            ),
        ],
    );
    // C.6
    check(
        256,
        &[
            (
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 \
                 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                first,
            ),
            ("4883 640e ffc1 c0bf", second),
            (
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab \
                 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f \
                 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
                third,
            ),
        ],
    );
}

fn encode(encoder: &mut Encoder, fields: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.begin(&mut out);
    for (name, value) in fields {
        let known = Known::classify(name.as_bytes());
        encoder.field(&mut out, known, name.as_bytes(), value.as_bytes());
    }
    out
}

fn one(name: &str, value: &str) -> Fields {
    vec![(name.to_owned(), value.to_owned())]
}

#[test]
fn what_comes_for_the_third_time_is_a_byte() {
    let mut encoder = Encoder::new(4096);
    let (field, other) = (one("server", "portway"), one("x-once", "1"));
    assert_eq!(encode(&mut encoder, &field)[..2], [0x0f, 54 - 15]);
    encode(&mut encoder, &other);
    assert_eq!(encode(&mut encoder, &field)[0], 0x40 | 54);
    assert_eq!(encode(&mut encoder, &field), [0xbe]);
}

#[test]
fn secrets_are_marked_and_never_kept() {
    for name in ["authorization", "cookie", "set-cookie", "proxy-authorization"] {
        let mut encoder = Encoder::new(4096);
        for _ in 0..5 {
            assert_eq!(encode(&mut encoder, &one(name, "secret"))[0] & 0xf0, 0x10, "{name}");
        }
    }
}

#[test]
fn a_peer_that_allows_no_table_is_told_so_and_gets_none() {
    let mut encoder = Encoder::new(4096);
    let field = one("server", "portway");
    for _ in 0..3 {
        encode(&mut encoder, &field);
    }
    encoder.allow(0);
    encoder.allow(100);
    let block = encode(&mut encoder, &field);
    // Both the smallest and the last size are told.
    assert_eq!(block[..3], [0x20, 0x3f, 100 - 31]);
    let mut decoder = Decoder::new(4096);
    assert_eq!(decoded(&mut decoder, &block), Ok(field));
    assert_eq!(encode(&mut Encoder::new(0), &[]), [0x20]);
}

#[test]
fn a_smaller_table_of_ours_is_used_when_the_peer_says_so() {
    let mut decoder = Decoder::new(100);
    assert_eq!(decoder.decode(&bytes("3f 45"), |_| {}), Ok(()));
    assert_eq!(decoder.decode(&bytes("3f e2 1f"), |_| {}), Err(HpackError::TableSize));
}

fn field() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        4 => "(server|date|content-type|set-cookie|content-length|etag|vary|x-a|x-b)",
        1 => "[a-z-]{1,20}",
        1 => "x[a-z]{250,300}",
    ];
    let value = prop_oneof![4 => "[a-c]{0,1}", 2 => "[ -~]{0,40}", 1 => "[ -~é]{200,600}"];
    (name, value)
}

fn lists() -> impl Strategy<Value = Vec<Fields>> {
    proptest::collection::vec(proptest::collection::vec(field(), 0..12), 1..30)
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(lists in lists(), sizes: Vec<u16>, most in 0..5000_usize) {
        let (mut encoder, mut decoder) = (Encoder::new(most), Decoder::new(4096));
        let mut sizes = sizes.into_iter().cycle();
        for fields in lists {
            if let Some(size) = sizes.next().filter(|size| size % 3 == 0) {
                encoder.allow(usize::from(size) % 4097);
            }
            let block = encode(&mut encoder, &fields);
            prop_assert_eq!(decoded(&mut decoder, &block), Ok(fields));
        }
    }

    #[test]
    fn no_block_makes_it_panic_or_grow(blocks: Vec<Vec<u8>>) {
        let mut decoder = Decoder::new(4096);
        for block in blocks {
            let _ = decoded(&mut decoder, &block);
        }
    }
}
