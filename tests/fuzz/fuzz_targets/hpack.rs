//! The reader of HPACK blocks on arbitrary bytes.
//!
//! A byte says how long the next block is. Beyond not panicking: what is read and written again by
//! our writer is read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portway_http::h2::hpack::{Decoder, Encoder};
use portway_http::Known;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::new(4096);
    let (mut encoder, mut reader) = (Encoder::new(4096), Decoder::new(4096));
    let mut rest = data;
    while let Some((&length, behind)) = rest.split_first() {
        let (block, behind) = behind.split_at(usize::from(length).min(behind.len()));
        rest = behind;
        let Some(fields) = read(&mut decoder, block) else { return };
        let mut written = Vec::new();
        encoder.begin(&mut written);
        let mut wanted = Vec::new();
        for (name, value) in fields {
            let Ok(name) = String::from_utf8(name) else { continue };
            let known = Known::classify(name.as_bytes());
            encoder.field(&mut written, known, name.as_bytes(), &value);
            wanted.push((name.to_ascii_lowercase().into_bytes(), value));
        }
        assert_eq!(read(&mut reader, &written), Some(wanted));
    }
});

fn read(decoder: &mut Decoder, block: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut fields = Vec::new();
    let mut bytes = 0;
    let take = |field: portway_http::h2::hpack::Field<'_>| {
        bytes += field.value.len();
        // A byte may stand for 4 KiB.
        if bytes < 100_000 {
            fields.push((field.name.to_vec(), field.value.to_vec()));
        }
    };
    decoder.decode(block, take).ok().map(|()| fields)
}
