use std::io::Read;

use super::*;

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
            let mut encoder = Encoder::new(encoding, length);
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
        let mut encoder = Encoder::new(encoding, None);
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
        let mut encoder = Encoder::new(encoding, None);
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
    assert_eq!([None, Some(0), Some(70_000), Some(u64::MAX)].map(window), [19, 16, 17, 19]);
}
