use std::io::Read;

use super::*;

static PLENTY: Budget = Budget::new(usize::MAX);

fn encoder(encoding: Encoding, length: Option<u64>) -> Encoder {
    Encoder::new(encoding, length, &PLENTY).unwrap()
}

const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Gzip, Encoding::Zstd];

fn decoder(encoding: Encoding, coded: &[u8]) -> Box<dyn Read + '_> {
    match encoding {
        Encoding::Brotli => Box::new(brotli::Decompressor::new(coded, 4096)),
        Encoding::Gzip => Box::new(flate2::read::GzDecoder::new(coded)),
        Encoding::Zstd => Box::new(zstd::stream::read::Decoder::new(coded).unwrap()),
    }
}

/// What can be decoded of a body, and whether it has come to its end.
fn decoded(encoding: Encoding, coded: &[u8]) -> (Vec<u8>, bool) {
    let (mut reader, mut out) = (decoder(encoding, coded), Vec::new());
    let mut piece = [0; 64];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return (out, true),
            Ok(count) => out.extend_from_slice(&piece[..count]),
            Err(_) => return (out, false),
        }
    }
}

fn text() -> Vec<u8> {
    (0..50_000)
        .flat_map(|n: u32| format!("line {} of {}\n", n * 7919 % 1000, n % 13).into_bytes())
        .collect()
}

#[test]
fn bodies_come_out_as_they_went_in() {
    let text = text();
    for encoding in ALL {
        for (length, piece) in [(None, 1000), (Some(text.len() as u64), 65_536), (Some(1), 7)] {
            let mut encoder = encoder(encoding, length);
            let mut out = Vec::new();
            text.chunks(piece).for_each(|piece| encoder.push(piece, &mut out));
            encoder.finish(&mut None, &mut out);
            assert!(!encoder.is_broken());
            assert!(out.len() < text.len() / 4, "{encoding:?}: {}", out.len());
            assert!(decoded(encoding, &out) == (text.clone(), true), "{encoding:?}");
        }
    }
}

#[test]
fn what_was_flushed_can_be_read_before_the_end() {
    for encoding in ALL {
        let mut encoder = encoder(encoding, None);
        let mut out = Vec::new();
        for piece in [&b"data: 1\n\n"[..], b"data: 2\n\n"] {
            encoder.push(piece, &mut out);
            encoder.flush(&mut out);
        }
        assert_eq!(decoded(encoding, &out), (b"data: 1\n\ndata: 2\n\n".to_vec(), false));
        encoder.finish(&mut None, &mut out);
        assert_eq!(decoded(encoding, &out), (b"data: 1\n\ndata: 2\n\n".to_vec(), true));
    }
}

#[test]
fn nothing_comes_after_the_end() {
    for encoding in ALL {
        let mut encoder = encoder(encoding, None);
        let mut out = Vec::new();
        encoder.finish(&mut None, &mut out);
        let end = out.len();
        encoder.push(b"more", &mut out);
        encoder.flush(&mut out);
        assert_eq!(out.len(), end);
        assert_eq!(decoded(encoding, &out), (Vec::new(), true));
    }
}

#[test]
fn short_bodies_get_short_windows() {
    let lengths = [None, Some(0), Some(70_000), Some(140_000), Some(u64::MAX)];
    assert_eq!(lengths.map(window), [19, 17, 17, 18, 19]);
}

#[test]
fn memory_is_taken_from_the_first_byte_to_the_last() {
    static NARROW: Budget = Budget::new(7 << 20);
    for encoding in ALL {
        let begin = |length| Encoder::new(encoding, length, &NARROW);
        let begun: Vec<_> = std::iter::from_fn(|| begin(None)).collect();
        let expected = match encoding {
            Encoding::Brotli => 1,
            Encoding::Gzip => 16,
            Encoding::Zstd => 4,
        };
        assert_eq!(begun.len(), expected, "{encoding:?}");
        assert!(begin(None).is_none());
        for mut encoder in begun {
            let mut out = Vec::new();
            encoder.finish(&mut None, &mut out);
            // An encoder that is done holds nothing, as long as its client takes to read the rest.
            assert!(begin(None).is_some());
            std::mem::forget(encoder);
        }
        drop(begin(Some(u64::MAX)).unwrap());
    }
}
