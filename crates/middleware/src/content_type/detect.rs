//! The type that the beginning of a body looks like (Go: `http.DetectContentType`, after
//! <https://mimesniff.spec.whatwg.org/>).

/// How much of a body is looked at.
const LOOKED_AT: usize = 512;

/// The type that the beginning of a body looks like.
#[must_use]
pub fn detect_content_type(body: &[u8]) -> &'static str {
    let body = body.get(..LOOKED_AT).unwrap_or(body);
    let space = body.iter().position(|byte| !b"\t\n\x0c\r ".contains(byte));
    let text = body.get(space.unwrap_or(body.len())..).unwrap_or_default();
    if HTML.iter().any(|tag| begins_with_tag(text, tag)) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| matches(body, signature)) {
        return kind;
    }
    if is_mp4(body) {
        return "video/mp4";
    }
    if let Some((_, kind)) = LATER.iter().find(|(signature, _)| matches(body, signature)) {
        return kind;
    }
    let binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if text.iter().any(binary) { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

/// Whether a text begins with a tag in any letter case, and with a character that ends it.
fn begins_with_tag(text: &[u8], tag: &[u8]) -> bool {
    let Some((start, rest)) = text.split_at_checked(tag.len()) else { return false };
    start.eq_ignore_ascii_case(tag) && matches!(rest, [b' ' | b'>', ..])
}

/// Whether a body begins with a signature, in which a `None` stands for any byte.
fn matches(body: &[u8], signature: &[Option<u8>]) -> bool {
    body.len() >= signature.len()
        && signature
            .iter()
            .zip(body)
            .all(|(wanted, byte)| wanted.is_none_or(|wanted| wanted == *byte))
}

fn is_mp4(body: &[u8]) -> bool {
    let Some(size) =
        body.first_chunk().and_then(|size| usize::try_from(u32::from_be_bytes(*size)).ok())
    else {
        return false;
    };
    if body.len() < 12 || size > body.len() || size % 4 != 0 || body.get(4..8) != Some(b"ftyp") {
        return false;
    }
    // The second of the names is a version.
    let names = body.get(8..size).unwrap_or_default().chunks(4).enumerate();
    names.filter(|(place, _)| *place != 1).any(|(_, name)| name.starts_with(b"mp4"))
}

const HTML: &[&[u8]] = &[
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

/// A signature out of a text in which `?` stands for any byte.
macro_rules! signature {
    ($text:literal) => {
        &{
            let bytes = $text;
            let mut signature = [None; $text.len()];
            let mut index = 0;
            while index < bytes.len() {
                if bytes[index] != b'?' {
                    signature[index] = Some(bytes[index]);
                }
                index += 1;
            }
            signature
        }
    };
}

/// What begins with what, and its type.
type Signature = (&'static [Option<u8>], &'static str);

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
const SIGNATURES: &[Signature] = &[
    (signature!(b"%PDF-"), "application/pdf"),
    (signature!(b"%!PS-Adobe-"), "application/postscript"),
    (signature!(b"\xfe\xff??"), "text/plain; charset=utf-16be"),
    (signature!(b"\xff\xfe??"), "text/plain; charset=utf-16le"),
    (signature!(b"\xef\xbb\xbf?"), "text/plain; charset=utf-8"),
    (signature!(b"\x00\x00\x01\x00"), "image/x-icon"),
    (signature!(b"\x00\x00\x02\x00"), "image/x-icon"),
    (signature!(b"BM"), "image/bmp"),
    (signature!(b"GIF87a"), "image/gif"),
    (signature!(b"GIF89a"), "image/gif"),
    (signature!(b"RIFF????WEBPVP"), "image/webp"),
    (signature!(b"\x89PNG\x0d\x0a\x1a\x0a"), "image/png"),
    (signature!(b"\xff\xd8\xff"), "image/jpeg"),
    (signature!(b"FORM????AIFF"), "audio/aiff"),
    (signature!(b"ID3"), "audio/mpeg"),
    (signature!(b"OggS\x00"), "application/ogg"),
    (signature!(b"MThd\x00\x00\x00\x06"), "audio/midi"),
    (signature!(b"RIFF????AVI "), "video/avi"),
    (signature!(b"RIFF????WAVE"), "audio/wave"),
];

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
const LATER: &[Signature] = &[
    (signature!(b"\x1a\x45\xdf\xa3"), "video/webm"),
    (signature!(b"??????????????????????????????????LP"), "application/vnd.ms-fontobject"),
    (signature!(b"\x00\x01\x00\x00"), "font/ttf"),
    (signature!(b"OTTO"), "font/otf"),
    (signature!(b"ttcf"), "font/collection"),
    (signature!(b"wOFF"), "font/woff"),
    (signature!(b"wOF2"), "font/woff2"),
    (signature!(b"\x1f\x8b\x08"), "application/x-gzip"),
    (signature!(b"PK\x03\x04"), "application/zip"),
    (signature!(b"Rar!\x1a\x07\x00"), "application/x-rar-compressed"),
    (signature!(b"Rar!\x1a\x07\x01\x00"), "application/x-rar-compressed"),
    (signature!(b"\x00\x61\x73\x6d"), "application/wasm"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_go() {
        for (body, expected) in [
            (&b""[..], "text/plain; charset=utf-8"),
            (b"hello", "text/plain; charset=utf-8"),
            (b"a\x01", "application/octet-stream"),
            (b" \n<!doctype html>", "text/html; charset=utf-8"),
            (b"<html lang=a>", "text/html; charset=utf-8"),
            (b"<htmlx>", "text/plain; charset=utf-8"),
            (b"<p>", "text/html; charset=utf-8"),
            (b"<p", "text/plain; charset=utf-8"),
            (b"  <?xml version", "text/xml; charset=utf-8"),
            (b"<?XML", "text/plain; charset=utf-8"),
            (b"%PDF-1.4", "application/pdf"),
            (b" %PDF-1.4", "text/plain; charset=utf-8"),
            (b"\xef\xbb\xbfa", "text/plain; charset=utf-8"),
            (b"\xfe\xff\x00a", "text/plain; charset=utf-16be"),
            (b"GIF89a...", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8", "image/webp"),
            (b"RIFF\x01\x02\x03\x04WAVE", "audio/wave"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42", "video/mp4"),
            (b"\x00\x00\x00\x10ftypisomavc1", "application/octet-stream"),
            (b"\x00\x00\x00\x10ftypisommp41", "application/octet-stream"),
            (b"\x1f\x8b\x08\x00", "application/x-gzip"),
            (b"PK\x03\x04", "application/zip"),
            (b"{\"a\": 1}", "text/plain; charset=utf-8"),
            (b"\x00asm", "application/wasm"),
        ] {
            assert_eq!(detect_content_type(body), expected, "{body:?}");
        }
        let mut long = vec![b'a'; LOOKED_AT];
        long.push(0);
        assert_eq!(detect_content_type(&long), "text/plain; charset=utf-8");
    }
}
