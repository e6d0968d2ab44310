//! `compress`: a short body through the middleware, and through its library alone.

use std::{hint::black_box, io::Write};

use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use flate2::{Compression, write::GzEncoder};
use portway_http::{BodyFraming, Headers, Known, Method, Request};
use portway_middleware::{BodyFilter as _, Budget, Compress, Verdict};
use portway_model::dynamic;

use crate::repeat;

/// Bytes of the body.
const LENGTH: usize = 10_000;

/// What is compressed, and what was made of it.
struct Response {
    compress: Compress,
    request: Request,
    headers: Headers,
    body: Vec<u8>,
    out: Vec<u8>,
}

impl Response {
    fn new(encoding: &str) -> Self {
        let compress = Compress::compile(&dynamic::Compress::default(), &mut Vec::new()).unwrap();
        let mut request = Request::new();
        request.method = Method::Get;
        request.headers.append(Known::AcceptEncoding, encoding);
        Self { compress, request, headers: Headers::new(), body: body(), out: Vec::new() }
    }

    fn arrive(&mut self) {
        self.out.clear();
        self.headers.clear();
        self.headers.append(Known::ContentType, "application/json");
        self.headers.append(Known::ContentLength, "10000");
    }

    fn pass(&mut self) {
        let length = self.body.len() as u64;
        let offer = self.compress.offer(&self.request).unwrap();
        let judged = offer.judge(&mut self.headers, BodyFraming::Length(length), true);
        assert_eq!(judged.verdict, Verdict::Compress);
        let mut encoder = offer.begin(&mut self.headers, Some(length), Budget::PROCESS).unwrap();
        encoder.push(&self.body, &mut self.out);
        encoder.finish(&mut None, &mut self.out);
        black_box(&self.out);
    }
}

/// By brotli.
pub fn by_brotli(times: u32) {
    repeat(times, &mut Response::new("br"), Response::arrive, Response::pass);
}

/// By brotli without the middleware: the same settings, and the body in one piece.
pub fn brotli_alone(times: u32) {
    let parameters = BrotliEncoderParams {
        quality: 6,
        lgwin: 17,
        size_hint: LENGTH,
        ..BrotliEncoderParams::default()
    };
    repeat(
        times,
        &mut body(),
        |_| {},
        |body| {
            let mut encoder = CompressorWriter::with_params(Vec::new(), 4096, &parameters);
            encoder.write_all(body).unwrap();
            black_box(encoder.into_inner());
        },
    );
}

/// By gzip.
pub fn by_gzip(times: u32) {
    repeat(times, &mut Response::new("gzip"), Response::arrive, Response::pass);
}

/// By gzip without the middleware.
pub fn gzip_alone(times: u32) {
    repeat(
        times,
        &mut body(),
        |_| {},
        |body| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
            encoder.write_all(body).unwrap();
            black_box(encoder.finish().unwrap());
        },
    );
}

/// A list of things, as an API would give it.
fn body() -> Vec<u8> {
    let kinds = ["item", "order", "customer", "invoice", "delivery"];
    let lines = (0_usize..).map(|n| {
        let kind = kinds.get(n * 7919 % kinds.len()).unwrap();
        format!(
            "{{\"id\":{},\"kind\":\"{kind}\",\"price\":{}}},\n",
            n * 104_729 % 9973,
            n * n % 991
        )
    });
    lines.flat_map(String::into_bytes).take(LENGTH).collect()
}
