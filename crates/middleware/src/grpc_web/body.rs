//! The body of a response of gRPC-Web: messages as in gRPC, then the trailers as a last one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portway_http::Headers;

use crate::BodyFilter;

/// The first byte of a message that holds trailers.
const TRAILERS: u8 = 1 << 7;

/// Makes the body of a response one of gRPC-Web.
#[derive(Debug)]
pub struct GrpcWebBody {
    text: bool,
    /// Fields that the client has got, and that are no trailers for it.
    told: Vec<String>,
    /// Bytes that base64 has no whole characters for yet; at most two.
    kept: Vec<u8>,
}

impl GrpcWebBody {
    pub(super) fn new(text: bool, told: Vec<String>) -> Self {
        Self { text, told, kept: Vec::new() }
    }

    /// The message that holds these trailers.
    fn last_message(&self, trailers: Option<Headers>) -> Vec<u8> {
        let mut lines = Vec::new();
        for field in trailers.iter().flat_map(Headers::iter) {
            let told = self.told.iter().any(|name| name.eq_ignore_ascii_case(field.name));
            if !told && !field.name.eq_ignore_ascii_case("trailer") {
                lines.push((field.name.to_ascii_lowercase(), field.value));
            }
        }
        lines.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut text = Vec::new();
        for (name, value) in lines {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
            text.extend_from_slice(b"\r\n");
        }
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        [&[TRAILERS], &length.to_be_bytes()[..], &text].concat()
    }
}

impl BodyFilter for GrpcWebBody {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if !self.text {
            return out.extend_from_slice(piece);
        }
        let missing = (3 - self.kept.len()) % 3;
        let (head, rest) = piece.split_at_checked(missing).unwrap_or((piece, b""));
        self.kept.extend_from_slice(head);
        if self.kept.len() == 3 {
            out.extend_from_slice(STANDARD.encode(&self.kept).as_bytes());
            self.kept.clear();
        }
        let whole = rest.len() / 3 * 3;
        let (whole, rest) = rest.split_at_checked(whole).unwrap_or((rest, b""));
        out.extend_from_slice(STANDARD.encode(whole).as_bytes());
        self.kept.extend_from_slice(rest);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(STANDARD.encode(&self.kept).as_bytes());
        self.kept.clear();
    }

    fn finish(&mut self, trailers: &mut Option<Headers>, out: &mut Vec<u8>) {
        let last = self.last_message(trailers.take());
        self.push(&last, out);
        self.flush(out);
    }
}

#[cfg(test)]
mod tests {
    use portway_http::HeaderName;

    use super::*;
    use crate::grpc_web::Base64Reader;

    fn trailers() -> Option<Headers> {
        let mut trailers = Headers::new();
        for (name, value) in [("Grpc-Status", "0"), ("X-Told", "1"), ("Grpc-Message", "fine")] {
            trailers.append(HeaderName::parse(name).unwrap(), value);
        }
        Some(trailers)
    }

    const LAST: &[u8] = b"\x80\0\0\0\x24grpc-message: fine\r\ngrpc-status: 0\r\n";

    #[test]
    fn trailers_are_the_last_message() {
        let mut body = GrpcWebBody::new(false, vec!["x-told".to_owned()]);
        let mut out = Vec::new();
        body.push(b"message", &mut out);
        body.flush(&mut out);
        let mut left = trailers();
        body.finish(&mut left, &mut out);
        assert!(left.is_none());
        assert_eq!(out, [b"message", LAST].concat());
        let mut bare = Vec::new();
        GrpcWebBody::new(false, Vec::new()).finish(&mut None, &mut bare);
        assert_eq!(bare, b"\x80\0\0\0\0");
    }

    #[test]
    fn text_can_be_read_as_far_as_it_was_flushed() {
        for sizes in [&[1][..], &[2], &[3], &[4, 1, 1], &[0, 5, 2, 7, 1]] {
            let mut body = GrpcWebBody::new(true, vec!["x-told".to_owned()]);
            let mut reader = Base64Reader::default();
            let (mut sent, mut got, mut taken) = (Vec::new(), Vec::new(), 0);
            let mut out = Vec::new();
            for (round, size) in sizes.iter().enumerate() {
                let piece: Vec<u8> = (0..*size).map(|n: u8| n * 31).collect();
                body.push(&piece, &mut out);
                sent.extend_from_slice(&piece);
                if round % 2 == 1 {
                    body.flush(&mut out);
                    reader.read(&out[taken..], &mut got).unwrap();
                    taken = out.len();
                    reader.finish().unwrap();
                    assert_eq!(got, sent);
                }
            }
            body.finish(&mut trailers(), &mut out);
            reader.read(&out[taken..], &mut got).unwrap();
            reader.finish().unwrap();
            assert_eq!(got, [&sent[..], LAST].concat());
        }
    }
}
